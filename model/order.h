/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file order.h
 * IN_ORDER (RFB-08): the requests of a queue in the order of their buffers. What the function is
 * done with early waits for those before it; what then comes back together is a batch, which one
 * used entry may stand for (SPLIT-40, PACK-17).
 */
#ifndef VMMIO_MODEL_ORDER_H
#define VMMIO_MODEL_ORDER_H

#include "ring.h"

static inline void vmmio_order_append(struct vmmio_queue *queue, struct vmmio_request *request)
{
    request->before = queue->newest;
    request->after = NULL;
    if (queue->newest)
        queue->newest->after = request;
    else
        queue->oldest = request;
    queue->newest = request;
}

static inline void vmmio_order_remove(struct vmmio_queue *queue, struct vmmio_request *request)
{
    if (request->before)
        request->before->after = request->after;
    else
        queue->oldest = request->after;
    if (request->after)
        request->after->before = request->before;
    else
        queue->newest = request->before;
}

/* The oldest one, if the function is done with it; NULL if it has to be waited for. */
static inline struct vmmio_request *vmmio_order_next(struct vmmio_queue *queue)
{
    struct vmmio_request *request = queue->oldest;

    if (!request || !request->waiting)
        return NULL;
    request->waiting = false;
    vmmio_order_remove(queue, request);
    return request;
}

/*
 * True if one used entry can stand for the batch and what follows it: the driver takes all of a
 * buffer without an entry for used (SPLIT-41).
 */
static inline bool vmmio_batch_goes_on(const struct vmmio_batch *batch)
{
    return batch->slots == 0 || batch->whole;
}

static inline void vmmio_batch_add(struct vmmio_batch *batch, const struct vmmio_request *request)
{
    batch->id = request->head;
    batch->length = request->used_length;
    batch->whole = request->used_length == request->writable_bytes;
    batch->slots += request->slots;
}

/* What there is of a batch, which ends here. */
static inline struct vmmio_batch vmmio_batch_end(struct vmmio_queue *queue)
{
    const struct vmmio_batch batch = queue->batch;

    queue->batch.slots = 0;
    return batch;
}

#endif
