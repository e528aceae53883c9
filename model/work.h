/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file work.h
 * What the two halves of the engine share: the list of queues that want a turn, the free requests,
 * and what waits for the end of a run. engine.c starts and stops queues, serve.c serves them.
 */
#ifndef VMMIO_MODEL_WORK_H
#define VMMIO_MODEL_WORK_H

#include "packed.h"

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

/* The first free request becomes the queue's; a cancelled one was the stand-in's. */
static inline void vmmio_take_free(struct vmmio_engine *engine, struct vmmio_request *first,
                                   struct vmmio_queue *queue)
{
    engine->free_requests = first->next;
    if (first->from == queue)
        return;
    first->queue = queue->index;
    first->from = queue;
    first->cancelled = false;
}

static inline void vmmio_free_request(struct vmmio_request *request)
{
    request->next = request->engine->free_requests;
    request->engine->free_requests = request;
}

/*
 * Places in the ring whose buffers have been taken and not given back. They are in the function,
 * or wait there for those before them.
 */
static inline uint32_t vmmio_in_function(const struct vmmio_queue *queue)
{
    return queue->packed ? vmmio_packed_in_function(queue)
                         : (uint16_t)(queue->next_avail - queue->next_used);
}

/* No queue takes another buffer before the next one's turn. */
static inline void vmmio_end_turn(struct vmmio_engine *engine)
{
    engine->served = NULL;
    engine->direct_split = NULL;
    engine->direct_packed = NULL;
}

static inline void vmmio_begin_turn(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                    bool packed)
{
    engine->served = queue;
    vmmio_note_pointers(engine, queue, packed);
}

/* What the negotiated features mean for the engine. */
struct vmmio_terms {
    bool event_idx, indirect, packed, in_order;
    uint32_t usable_queues;
};

/* NULL: nothing was negotiated. */
static inline struct vmmio_terms vmmio_terms_of(const struct vmmio_function *function,
                                                const struct vmmio_features *negotiated)
{
    struct vmmio_terms terms = {.usable_queues = function->queue_count};

    if (!negotiated)
        return terms;
    terms.event_idx = vmmio_features_has(negotiated, VMMIO_F_EVENT_IDX);
    terms.indirect = vmmio_features_has(negotiated, VMMIO_F_INDIRECT_DESC);
    terms.packed = vmmio_features_has(negotiated, VMMIO_F_RING_PACKED);
    terms.in_order = vmmio_features_has(negotiated, VMMIO_F_IN_ORDER);
    if (function->type->usable_queues)
        terms.usable_queues = function->type->usable_queues(function, negotiated);
    return terms;
}

static inline void vmmio_engine_agree(struct vmmio_engine *engine, const struct vmmio_terms *terms)
{
    engine->event_idx = terms->event_idx;
    engine->indirect = terms->indirect;
    engine->packed = terms->packed;
    engine->in_order = terms->in_order;
    engine->usable_queues = terms->usable_queues;
}

void vmmio_engine_do_what_waited(struct vmmio_engine *engine);

/* What was asked for while the engine was busy, now that the last access is done. */
static inline void vmmio_engine_settle(struct vmmio_engine *engine)
{
    if (engine->reset_wanted || engine->stop_wanted || engine->suspend_wanted)
        vmmio_engine_do_what_waited(engine);
}

#endif
