/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file split.h
 * The split virtqueue: what is done for each buffer, in line where all of the ring is mapped.
 */
#ifndef VMMIO_MODEL_SPLIT_H
#define VMMIO_MODEL_SPLIT_H

#include "ring.h"

/* Where the rings' parts are, in bytes from the start of the available and the used ring. */
enum vmmio_split_offset {
    VMMIO_SPLIT_AVAIL_FLAGS = 0,
    VMMIO_SPLIT_AVAIL_IDX = 2,
    VMMIO_SPLIT_AVAIL_RING = 4,
    VMMIO_SPLIT_USED_IDX = 2, /* its flags stay 0: kicks are always welcome */
    VMMIO_SPLIT_USED_RING = 4,
};

/* True if buffers can be dealt with in line: in the queue's turn, by pointer right now. */
static inline bool vmmio_split_direct(const struct vmmio_engine *engine,
                                      const struct vmmio_queue *queue)
{
    return queue == engine->direct_split;
}

/* Where the device writes its next used entry. */
static inline size_t vmmio_split_used_offset(const struct vmmio_queue *queue)
{
    return VMMIO_SPLIT_USED_RING +
           (size_t)VMMIO_USED_ELEM_BYTES * (queue->next_used & (queue->size - 1));
}

static inline size_t vmmio_split_avail_offset(const struct vmmio_queue *queue)
{
    return VMMIO_SPLIT_AVAIL_RING + 2 * (size_t)(queue->next_avail & (queue->size - 1));
}

static inline uint32_t vmmio_split_flags(struct vmmio_desc d)
{
    return (uint32_t)(d.rest >> 32) & 0xffff;
}

static inline uint32_t vmmio_split_next(struct vmmio_desc d) { return (uint32_t)(d.rest >> 48); }

/* split.c. What returns bool returns false if the queue died. */
bool vmmio_split_enable(struct vmmio_queue *queue);
int32_t vmmio_split_avail_index_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue);
bool vmmio_split_arm(struct vmmio_engine *engine, struct vmmio_queue *queue);
bool vmmio_split_take_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue,
                             struct vmmio_request *request);
bool vmmio_split_walk(struct vmmio_engine *engine, struct vmmio_queue *queue,
                      struct vmmio_request *request, struct vmmio_desc d);
bool vmmio_split_put_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue, uint32_t head,
                            uint32_t used_length, uint32_t count);
void vmmio_split_publish_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue);

/* A chain of one descriptor, as most are, needs no walk. */
static inline bool vmmio_split_take_chain(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                          struct vmmio_request *request, uint16_t head,
                                          struct vmmio_desc d)
{
    queue->next_avail++;
    request->head = head;
    vmmio_request_clear(request);
    if (vmmio_split_flags(d) & (VMMIO_DESC_NEXT | VMMIO_DESC_INDIRECT))
        return vmmio_split_walk(engine, queue, request, d);
    return vmmio_request_add(engine, queue, request, d,
                             (vmmio_split_flags(d) & VMMIO_DESC_WRITE) != 0);
}

/* How far the driver has got, or -1 if the queue died. */
static inline int32_t vmmio_split_avail_index(struct vmmio_engine *engine,
                                              struct vmmio_queue *queue)
{
    const int32_t index = vmmio_split_direct(engine, queue)
                              ? vmmio_load_le16(queue->driver_mapped + VMMIO_SPLIT_AVAIL_IDX)
                              : vmmio_split_avail_index_by_bus(engine, queue);

    atomic_thread_fence(memory_order_acquire); /* the index before ring and descriptors */
    return index;
}

/* In line: copies the next buffer into the request. */
static inline bool vmmio_split_take(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                    struct vmmio_request *request)
{
    const uint16_t head = vmmio_load_le16(queue->driver_mapped + vmmio_split_avail_offset(queue));

    if (head >= queue->size)
        return vmmio_ring_fault(engine, queue, VMMIO_DIAG_RING_HEAD, head);
    return vmmio_split_take_chain(engine, queue, request, head,
                                  vmmio_desc_load(queue->desc_mapped, head));
}

/* A used entry for so many buffers; the driver sees it at the next publish (SPLIT-36). */
static inline bool vmmio_split_put(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                   uint32_t head, uint32_t used_length, uint32_t count)
{
    if (!vmmio_split_direct(engine, queue))
        return vmmio_split_put_by_bus(engine, queue, head, used_length, count);
    uint8_t *element = queue->device_mapped + vmmio_split_used_offset(queue);

    vmmio_put_le32(element, head);
    vmmio_put_le32(element + 4, used_length);
    queue->next_used = (uint16_t)(queue->next_used + count);
    return true;
}

/* Where the driver says whether it wants an interrupt. */
static inline size_t vmmio_split_suppression_offset(const struct vmmio_engine *engine,
                                                    const struct vmmio_queue *queue)
{
    return engine->event_idx ? VMMIO_SPLIT_AVAIL_RING + 2 * (size_t)queue->size
                             : VMMIO_SPLIT_AVAIL_FLAGS;
}

/* SPLIT-29 .. SPLIT-34; with EVENT_IDX the event may lie anywhere in the batch (A-EVENT). */
static inline bool vmmio_split_wants_interrupt(const struct vmmio_engine *engine,
                                               const struct vmmio_queue *queue, uint16_t old,
                                               uint16_t said)
{
    if (engine->event_idx)
        return (uint16_t)(queue->published - said - 1) < (uint16_t)(queue->published - old);
    return !(said & VMMIO_AVAIL_NO_INTERRUPT);
}

/* In line: shows what was given back. */
static VMMIO_IN_LINE void vmmio_split_publish(struct vmmio_engine *engine,
                                              struct vmmio_queue *queue)
{
    const uint16_t old = queue->published;

    if (queue->next_used == old)
        return;
    atomic_thread_fence(memory_order_release); /* data and entries before the index */
    vmmio_store_le16(queue->device_mapped + VMMIO_SPLIT_USED_IDX, queue->next_used);
    queue->published = queue->next_used;
    atomic_thread_fence(memory_order_seq_cst); /* the index before we look at the suppression */
    if (vmmio_split_wants_interrupt(
            engine, queue, old,
            vmmio_load_le16(queue->driver_mapped + vmmio_split_suppression_offset(engine, queue))))
        engine->is.front->used_buffer(engine->is.front_context);
}

#endif
