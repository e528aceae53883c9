/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file work.h
 * What the two halves of the engine share: the list of queues that want a turn, the free requests,
 * and what waits for the end of a run. engine.c starts and stops queues, serve.c serves them.
 */
#ifndef VMMIO_MODEL_WORK_H
#define VMMIO_MODEL_WORK_H

#include "ring.h"

static inline void vmmio_list_queue(struct vmmio_engine *engine, struct vmmio_queue *queue)
{
    if (queue->listed)
        return;
    queue->listed = true;
    queue->next_in_list = NULL;
    if (engine->first_listed)
        engine->last_listed->next_in_list = queue;
    else
        engine->first_listed = queue;
    engine->last_listed = queue;
}

static inline struct vmmio_queue *vmmio_unlist_queue(struct vmmio_engine *engine)
{
    struct vmmio_queue *queue = engine->first_listed;

    queue->listed = false;
    engine->first_listed = queue->next_in_list;
    return queue;
}

static inline void vmmio_free_request(struct vmmio_request *request)
{
    request->next = request->engine->free_requests;
    request->engine->free_requests = request;
}

/* No queue takes another buffer before the next one's turn. */
static inline void vmmio_end_turn(struct vmmio_engine *engine) { engine->served = NULL; }

void vmmio_engine_do_what_waited(struct vmmio_engine *engine);

/* What was asked for while the engine was busy, now that the last access is done. */
static inline void vmmio_engine_settle(struct vmmio_engine *engine)
{
    if (engine->reset_wanted || engine->stop_wanted || engine->suspend_wanted)
        vmmio_engine_do_what_waited(engine);
}

#endif
