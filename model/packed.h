/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file packed.h
 * The packed virtqueue: what is done for each buffer, in line where all of the ring is mapped.
 */
#ifndef VMMIO_MODEL_PACKED_H
#define VMMIO_MODEL_PACKED_H

#include "ring.h"

/* Flags in the last word of a descriptor: the id is below them. */
#define VMMIO_PACKED_WORD(flags) ((uint32_t)(flags) << 16)
#define VMMIO_PACKED_BOTH VMMIO_PACKED_WORD(VMMIO_DESC_AVAIL | VMMIO_DESC_USED)

/* Where the fields of a descriptor are, in bytes from its start. */
enum vmmio_packed_offset {
    VMMIO_PACKED_LENGTH = 8,
    VMMIO_PACKED_ID = 12,
    VMMIO_PACKED_FLAGS = 14,
};

/* True if buffers can be dealt with in line: in the queue's turn, by pointer right now. */
static inline bool vmmio_packed_direct(const struct vmmio_engine *engine,
                                       const struct vmmio_queue *queue)
{
    return queue == engine->direct_packed;
}

static inline size_t vmmio_packed_offset(uint32_t slot) { return (size_t)VMMIO_DESC_BYTES * slot; }

/* PACK-04, in the lap of these flags. */
static inline bool vmmio_packed_available(uint32_t flags, uint32_t avail_lap)
{
    return ((VMMIO_PACKED_WORD(flags) ^ avail_lap) & VMMIO_PACKED_BOTH) == 0;
}

/* From there so many slots on, at most a lap; a change of the lap toggles what tells of it. */
static inline void vmmio_packed_advance(const struct vmmio_queue *queue, uint16_t *slot,
                                        uint32_t *lap, uint32_t from, uint32_t count)
{
    uint32_t next = from + count;

    if (VMMIO_RARELY(next >= queue->size)) { /* PACK-03 */
        next -= queue->size;
        *lap ^= VMMIO_PACKED_BOTH;
    }
    *slot = (uint16_t)next;
}

/* Takes the last buffer taken back. */
static inline void vmmio_packed_untake(struct vmmio_queue *queue, uint32_t slots)
{
    if (queue->next_avail < slots) {
        queue->next_avail = (uint16_t)(queue->next_avail + queue->size);
        queue->avail_lap ^= VMMIO_PACKED_BOTH;
    }
    queue->next_avail = (uint16_t)(queue->next_avail - slots);
}

/* How many slots it is from the published position to another one, at most a lap. */
static inline uint32_t vmmio_packed_unpublished(const struct vmmio_queue *queue, uint32_t slot,
                                                bool same_lap)
{
    return slot + (same_lap ? 0 : queue->size) - queue->published;
}

/* True if the next buffer is in another lap than what the driver sees as used. */
static inline bool vmmio_packed_lap_differs(const struct vmmio_queue *queue)
{
    return ((queue->avail_lap ^ queue->published_lap) & VMMIO_PACKED_WORD(VMMIO_DESC_AVAIL)) != 0;
}

/* How many slots have buffers, or will be seen to have had. */
static inline uint32_t vmmio_packed_taken(const struct vmmio_queue *queue)
{
    return vmmio_packed_unpublished(queue, queue->next_avail, !vmmio_packed_lap_differs(queue));
}

/* Every slot is in use: none can have been made available again (SPLIT-52, H-18). */
static inline bool vmmio_packed_full(const struct vmmio_queue *queue)
{
    return queue->next_avail == queue->published && vmmio_packed_lap_differs(queue);
}

/* How many slots have buffers that have not been given back. */
static inline uint32_t vmmio_packed_in_function(const struct vmmio_queue *queue)
{
    const bool same_lap =
        ((queue->avail_lap ^ queue->used_lap) & VMMIO_PACKED_WORD(VMMIO_DESC_AVAIL)) == 0;

    return queue->next_avail + (same_lap ? 0 : queue->size) - queue->next_used;
}

/* A position as an event suppression structure has it: a slot, and the lap's wrap counter. */
static inline uint16_t vmmio_packed_position(uint32_t slot, bool wrap)
{
    return (uint16_t)(slot | (uint32_t)wrap << 15);
}

static inline uint16_t vmmio_packed_avail_position(const struct vmmio_queue *queue)
{
    return vmmio_packed_position(queue->next_avail,
                                 queue->avail_lap & VMMIO_PACKED_WORD(VMMIO_DESC_AVAIL));
}

/* packed.c. What returns bool returns false if the queue died. */
bool vmmio_packed_enable(struct vmmio_queue *queue);
bool vmmio_packed_flags_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue,
                               uint16_t *flags);
bool vmmio_packed_arm(struct vmmio_engine *engine, struct vmmio_queue *queue);
bool vmmio_packed_take_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue,
                              struct vmmio_request *request, uint16_t flags);
bool vmmio_packed_put_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue, uint32_t id,
                             uint32_t used_length, uint32_t slots);
bool vmmio_packed_shows_slot(const struct vmmio_queue *queue, uint32_t event);
void vmmio_packed_publish_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue);

/* The flags of the next descriptor, if it is available; what else it says is read after them. */
static inline bool vmmio_packed_look(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                     uint16_t *flags)
{
    if (vmmio_packed_direct(engine, queue)) {
        *flags = vmmio_load_le16(queue->desc_mapped + vmmio_packed_offset(queue->next_avail) +
                                 VMMIO_PACKED_FLAGS);
    } else {
        uint16_t answer; /* in memory, so that the caller's need not be */

        if (!vmmio_packed_flags_by_bus(engine, queue, &answer))
            return false;
        *flags = answer;
    }
    atomic_thread_fence(memory_order_acquire); /* the flags before the rest (PACK-43) */
    return vmmio_packed_available(*flags, queue->avail_lap);
}

enum vmmio_found { VMMIO_NOTHING, VMMIO_TAKEN, VMMIO_LEFT };

/*
 * Copies the next buffer into the request, if it has one descriptor, as most have, and is right in
 * every way. If it is left, nothing has happened, and the general way tells what it is.
 */
static inline enum vmmio_found vmmio_packed_take_plain(struct vmmio_queue *queue,
                                                       struct vmmio_request *request)
{
    const uint32_t slot = queue->next_avail;
    const uint8_t *d = queue->desc_mapped + vmmio_packed_offset(slot);
    const uint32_t last = vmmio_load_le32(d + VMMIO_PACKED_ID);
    const uint32_t unlike = last ^ queue->avail_lap;
    uint8_t raw[VMMIO_PACKED_ID];

    if (unlike & (VMMIO_PACKED_BOTH | VMMIO_PACKED_WORD(VMMIO_DESC_NEXT | VMMIO_DESC_INDIRECT)))
        return unlike & VMMIO_PACKED_BOTH ? VMMIO_NOTHING : VMMIO_LEFT;
    atomic_thread_fence(memory_order_acquire); /* the flags before the rest (PACK-43) */
    vmmio_copy_once(raw, d, sizeof(raw));
    const uint64_t address = vmmio_le64(raw);
    const uint32_t length = vmmio_le32(raw + VMMIO_PACKED_LENGTH);

    /* The latter is vmmio_packed_full(), with the slot at hand. */
    if (address + length < address ||
        ((uint16_t)slot == queue->published && vmmio_packed_lap_differs(queue)))
        return VMMIO_LEFT;
    request->head = (uint16_t)last;
    request->slots = 1;
    vmmio_request_clear(request);
    request->segments[0] = (struct vmmio_segment){address, length};
    request->segment_count = 1;
    if (last & VMMIO_PACKED_WORD(VMMIO_DESC_WRITE)) {
        request->writable_bytes = length;
    } else {
        request->readable_bytes = length;
        request->readable_count = 1;
    }
    vmmio_packed_advance(queue, &queue->next_avail, &queue->avail_lap, slot, 1);
    return VMMIO_TAKEN;
}

/* The last word of the next used descriptor (PACK-05, PACK-07). */
static inline uint32_t vmmio_packed_used_rest(const struct vmmio_queue *queue, uint32_t id,
                                              uint32_t used_length)
{
    return (used_length ? VMMIO_PACKED_WORD(VMMIO_DESC_WRITE) : 0) | queue->used_lap | id;
}

/*
 * Writes a used descriptor. The driver sees nothing before the next publish: the first one waits
 * until then, and no later one counts before it (PACK-18).
 */
static inline bool vmmio_packed_put(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                    uint32_t id, uint32_t used_length, uint32_t slots)
{
    if (!vmmio_packed_direct(engine, queue))
        return vmmio_packed_put_by_bus(engine, queue, id, used_length, slots);
    const uint32_t slot = queue->next_used;
    uint8_t *d = queue->desc_mapped + vmmio_packed_offset(slot);
    const uint32_t rest = vmmio_packed_used_rest(queue, id, used_length);

    vmmio_packed_advance(queue, &queue->next_used, &queue->used_lap, slot, slots);
    if (queue->holds) {
        vmmio_put_le32(d + VMMIO_PACKED_LENGTH, used_length);
        vmmio_store_le32(d + VMMIO_PACKED_ID, rest);
    } else {
        queue->holds = true;
        queue->held_length = used_length;
        queue->held_rest = rest;
    }
    return true;
}

/*
 * The driver sees all that was given back. PACK-19 .. PACK-21: an interrupt with flags 2 if the
 * slot of the event is part of that (A-EVENT); flags without a meaning are no reason for silence
 * (A-PACK-WRAP).
 */
static inline void vmmio_packed_published(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                          uint32_t event)
{
    const uint32_t flags = event >> 16 & 3;
    const bool wanted =
        flags != VMMIO_EVENT_DISABLE &&
        (flags != VMMIO_EVENT_DESC || !engine->event_idx || vmmio_packed_shows_slot(queue, event));

    queue->holds = false;
    queue->published = queue->next_used;
    queue->published_lap = queue->used_lap;
    if (wanted)
        engine->is.front->used_buffer(engine->is.front_context);
}

/* In line: shows what was given back: the first one, and with it all that follow it (PACK-30). */
static VMMIO_IN_LINE void vmmio_packed_publish(struct vmmio_engine *engine,
                                               struct vmmio_queue *queue)
{
    if (!queue->holds)
        return;
    uint8_t *d = queue->desc_mapped + vmmio_packed_offset(queue->published);

    vmmio_put_le32(d + VMMIO_PACKED_LENGTH, queue->held_length);
    atomic_thread_fence(memory_order_release); /* data and descriptors before its flags */
    vmmio_store_le32(d + VMMIO_PACKED_ID, queue->held_rest);
    atomic_thread_fence(memory_order_seq_cst); /* the flags before we look at the suppression */
    vmmio_packed_published(engine, queue, vmmio_load_le32(queue->driver_mapped));
}

#endif
