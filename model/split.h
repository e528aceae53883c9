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

/* True if the range goes on at address 0; one that is empty or ends at 2^64 does not. */
static inline bool vmmio_split_wraps(uint64_t address, uint64_t length)
{
    const uint64_t end = address + length;

    return end < address && end != 0;
}

/* One descriptor, read once. What follows the address stays in one word until it is needed. */
struct vmmio_split_desc {
    uint64_t address;
    uint64_t rest;
};

static inline uint32_t vmmio_split_length(struct vmmio_split_desc d) { return (uint32_t)d.rest; }

static inline uint32_t vmmio_split_flags(struct vmmio_split_desc d)
{
    return (uint32_t)(d.rest >> 32) & 0xffff;
}

static inline uint32_t vmmio_split_next(struct vmmio_split_desc d)
{
    return (uint32_t)(d.rest >> 48);
}

static inline struct vmmio_split_desc vmmio_split_decode(const uint8_t *raw)
{
    return (struct vmmio_split_desc){vmmio_le64(raw), vmmio_le64(raw + 8)};
}

static inline struct vmmio_split_desc vmmio_split_load(const uint8_t *table, uint32_t index)
{
    uint8_t raw[VMMIO_DESC_BYTES];

    vmmio_copy_once(raw, table + (size_t)VMMIO_DESC_BYTES * index, sizeof(raw));
    return vmmio_split_decode(raw);
}

/* split.c. What returns bool returns false if the queue died. */
bool vmmio_split_enable(struct vmmio_queue *queue);
bool vmmio_split_avail_index_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                    uint16_t *index);
bool vmmio_split_arm(struct vmmio_engine *engine, struct vmmio_queue *queue);
bool vmmio_split_take_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue,
                             struct vmmio_request *request);
bool vmmio_split_walk(struct vmmio_engine *engine, struct vmmio_queue *queue,
                      struct vmmio_request *request, struct vmmio_split_desc d);
bool vmmio_split_put_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue, uint16_t head,
                            uint32_t used_length);
void vmmio_split_publish(struct vmmio_engine *engine, struct vmmio_queue *queue);

/* A fatal error of the queue; false. */
bool vmmio_split_fault(struct vmmio_engine *engine, struct vmmio_queue *queue,
                       enum vmmio_diag_id id, uint64_t value);

static inline bool vmmio_split_add_segment(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                           struct vmmio_request *request, struct vmmio_split_desc d)
{
    const uint32_t length = vmmio_split_length(d);
    const bool writable = (vmmio_split_flags(d) & VMMIO_DESC_WRITE) != 0;
    const uint64_t total = (uint64_t)request->readable_bytes + request->writable_bytes + length;

    if (!writable && request->segment_count > request->readable_count)
        return vmmio_split_fault(engine, queue, VMMIO_DIAG_RING_ORDER, d.address);
    if (vmmio_split_wraps(d.address, length))
        return vmmio_split_fault(engine, queue, VMMIO_DIAG_RING_ADDRESS, d.address);
    if (total > UINT32_MAX)
        return vmmio_split_fault(engine, queue, VMMIO_DIAG_RING_TOTAL, total);

    /* An empty one is kept: it still says which part it belongs to (A-RING-ZEROLEN). */
    request->segments[request->segment_count++] = (struct vmmio_segment){d.address, length};
    if (writable) {
        request->writable_bytes += length;
    } else {
        request->readable_bytes += length;
        request->readable_count++;
    }
    return true;
}

/* A chain of one descriptor, as most are, needs no walk. */
static inline bool vmmio_split_take_chain(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                          struct vmmio_request *request, uint16_t head,
                                          struct vmmio_split_desc d)
{
    queue->next_avail++;
    request->head = head;
    request->readable_bytes = 0;
    request->writable_bytes = 0;
    request->readable_count = 0;
    request->segment_count = 0;
    if (vmmio_split_flags(d) & (VMMIO_DESC_NEXT | VMMIO_DESC_INDIRECT))
        return vmmio_split_walk(engine, queue, request, d);
    return vmmio_split_add_segment(engine, queue, request, d);
}

/* How far the driver has got. */
static inline bool vmmio_split_avail_index(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                           uint16_t *index)
{
    if (vmmio_queue_direct(engine, queue)) {
        *index = vmmio_load_le16(queue->driver_mapped + VMMIO_SPLIT_AVAIL_IDX);
    } else {
        uint16_t answer; /* in memory, so that the caller's need not be */

        if (!vmmio_split_avail_index_by_bus(engine, queue, &answer))
            return false;
        *index = answer;
    }
    atomic_thread_fence(memory_order_acquire); /* the index before ring and descriptors */
    return true;
}

/* Copies the next buffer into the request. */
static inline bool vmmio_split_take(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                    struct vmmio_request *request)
{
    if (!vmmio_queue_direct(engine, queue))
        return vmmio_split_take_by_bus(engine, queue, request);
    const uint16_t head = vmmio_load_le16(queue->driver_mapped + vmmio_split_avail_offset(queue));

    if (head >= queue->size)
        return vmmio_split_fault(engine, queue, VMMIO_DIAG_RING_HEAD, head);
    return vmmio_split_take_chain(engine, queue, request, head,
                                  vmmio_split_load(queue->desc_mapped, head));
}

/* Writes a used entry; the driver sees it at the next publish (SPLIT-36). */
static inline bool vmmio_split_put(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                   uint16_t head, uint32_t used_length)
{
    if (!vmmio_queue_direct(engine, queue))
        return vmmio_split_put_by_bus(engine, queue, head, used_length);
    uint8_t *element = queue->device_mapped + vmmio_split_used_offset(queue);

    vmmio_put_le32(element, head);
    vmmio_put_le32(element + 4, used_length);
    queue->next_used++;
    return true;
}

#endif
