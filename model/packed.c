/* SPDX-License-Identifier: Apache-2.0 */
/* The packed virtqueue (2.8), as far as it is not in packed.h. */
#include "packed.h"
#include "order.h"

static struct vmmio_ring_parts parts(const struct vmmio_queue *queue)
{
    return (struct vmmio_ring_parts){VMMIO_DESC_BYTES * (uint64_t)queue->size, VMMIO_EVENT_BYTES,
                                     VMMIO_EVENT_BYTES, true};
}

bool vmmio_packed_enable(struct vmmio_queue *queue)
{
    queue->avail_lap =
        VMMIO_PACKED_WORD(VMMIO_DESC_AVAIL); /* both wrap counters start at 1 (PACK-03) */
    queue->used_lap = VMMIO_PACKED_BOTH;
    queue->published_lap = VMMIO_PACKED_BOTH;
    return vmmio_ring_fits(queue, parts(queue));
}

static void refresh_pointers(struct vmmio_engine *engine, struct vmmio_queue *queue)
{
    if (queue->map_epoch != engine->map_epoch)
        vmmio_ring_map(engine, queue, parts(queue), VMMIO_EVENT_ALIGN);
}

bool vmmio_packed_flags_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue,
                               uint16_t *flags)
{
    const size_t at = vmmio_packed_offset(queue->next_avail) + VMMIO_PACKED_FLAGS;
    uint8_t bytes[2];

    refresh_pointers(engine, queue);
    if (queue->desc_mapped) {
        *flags = vmmio_load_le16(queue->desc_mapped + at);
        return true;
    }
    if (!vmmio_dma_read(engine, queue, queue->desc + at, bytes, sizeof(bytes), VMMIO_DIAG_RING_DMA))
        return false;
    *flags = vmmio_le16(bytes);
    return true;
}

/* A table has no more entries than a list may be long, and only WRITE counts there (PACK-14). */
static bool take_table(struct vmmio_engine *engine, struct vmmio_queue *queue,
                       struct vmmio_request *request, struct vmmio_desc d, uint32_t flags)
{
    const uint32_t limit =
        queue->size < engine->segments_each ? queue->size : engine->segments_each;
    struct vmmio_table table;

    if (!vmmio_table_open(engine, queue, &table, d,
                          flags & VMMIO_DESC_NEXT ? VMMIO_DIAG_INDIRECT_NEXT : VMMIO_DIAG_COUNT))
        return false;
    if (table.size > limit)
        return vmmio_ring_fault(engine, queue, VMMIO_DIAG_RING_LOOP, table.size);
    for (uint32_t i = 0; i < table.size; i++) {
        if (!vmmio_table_fetch(engine, queue, &table, i, &d) ||
            !vmmio_request_add(engine, queue, request, d, (d.rest >> 48 & VMMIO_DESC_WRITE) != 0))
            return false;
    }
    vmmio_packed_advance(queue, &queue->next_avail, &queue->avail_lap, queue->next_avail, 1);
    return true;
}

/*
 * Copies a list into the request, d being its first descriptor. Bounded by the slots that are not
 * in use, and by the segments of a request where an engine has fewer of them (PACK-34, PACK-38).
 * The driver made all of it available before the first one (PACK-36).
 */
static bool walk(struct vmmio_engine *engine, struct vmmio_queue *queue,
                 struct vmmio_request *request, struct vmmio_desc d, uint32_t flags)
{
    if (flags & VMMIO_DESC_INDIRECT)
        return take_table(engine, queue, request, d, flags);
    const struct vmmio_table table = vmmio_own_table(queue);
    const uint32_t room = queue->size - vmmio_packed_taken(queue);
    const uint32_t limit = room < engine->segments_each ? room : engine->segments_each;
    uint32_t lap = queue->avail_lap;
    uint16_t slot = queue->next_avail;

    for (uint32_t steps = 1;; steps++) {
        if (!vmmio_request_add(engine, queue, request, d, (flags & VMMIO_DESC_WRITE) != 0))
            return false;
        vmmio_packed_advance(queue, &slot, &lap, slot, 1);
        if (!(flags & VMMIO_DESC_NEXT)) {
            request->slots = steps;
            queue->next_avail = slot;
            queue->avail_lap = lap;
            return true;
        }
        if (steps == limit)
            return vmmio_ring_fault(engine, queue, VMMIO_DIAG_RING_LOOP, slot);
        if (!vmmio_table_fetch(engine, queue, &table, slot, &d))
            return false;
        flags = (uint32_t)(d.rest >> 48);
        request->head = (uint32_t)(d.rest >> 32) & 0xffff; /* the last one's counts (PACK-11) */
        if (!vmmio_packed_available(flags, lap))
            return vmmio_ring_fault(engine, queue, VMMIO_DIAG_RING_TAIL, slot);
        if (flags & VMMIO_DESC_INDIRECT)
            return vmmio_ring_fault(engine, queue, VMMIO_DIAG_INDIRECT_IN_LIST, slot);
    }
}

/* A list of one descriptor, as most are, needs no walk. */
static bool take_list(struct vmmio_engine *engine, struct vmmio_queue *queue,
                      struct vmmio_request *request, struct vmmio_desc d, uint16_t id,
                      uint16_t flags)
{
    if (vmmio_packed_full(queue))
        return vmmio_ring_fault(engine, queue, VMMIO_DIAG_RING_JUMP, queue->next_avail);
    request->head = id;
    request->slots = 1;
    vmmio_request_clear(request);
    if (flags & (VMMIO_DESC_NEXT | VMMIO_DESC_INDIRECT))
        return walk(engine, queue, request, d, flags);
    vmmio_packed_advance(queue, &queue->next_avail, &queue->avail_lap, queue->next_avail, 1);
    return vmmio_request_add(engine, queue, request, d, (flags & VMMIO_DESC_WRITE) != 0);
}

/* All but the flags, which are known: they are not read again (A-DBLFETCH). */
bool vmmio_packed_take_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue,
                              struct vmmio_request *request, uint16_t flags)
{
    const size_t at = vmmio_packed_offset(queue->next_avail);
    uint8_t raw[VMMIO_PACKED_FLAGS];

    refresh_pointers(engine, queue);
    if (queue->desc_mapped)
        vmmio_copy_once(raw, queue->desc_mapped + at, sizeof(raw));
    else if (!vmmio_dma_read(engine, queue, queue->desc + at, raw, sizeof(raw),
                             VMMIO_DIAG_RING_DMA))
        return false;
    return take_list(engine, queue, request,
                     (struct vmmio_desc){vmmio_le64(raw), vmmio_le32(raw + VMMIO_PACKED_LENGTH)},
                     vmmio_le16(raw + VMMIO_PACKED_ID), flags);
}

/* Length, id and flags in one transaction. */
static bool write_used(struct vmmio_engine *engine, struct vmmio_queue *queue, uint16_t slot,
                       uint32_t length, uint32_t rest)
{
    const uint64_t at = queue->desc + vmmio_packed_offset(slot) + VMMIO_PACKED_LENGTH;
    uint8_t raw[8];

    vmmio_put_le32(raw, length);
    vmmio_put_le32(raw + 4, rest);
    return vmmio_dma_write(engine, queue, at, raw, sizeof(raw), VMMIO_DIAG_RING_DMA);
}

bool vmmio_packed_put_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue, uint32_t id,
                             uint32_t used_length, uint32_t slots)
{
    const uint32_t rest = vmmio_packed_used_rest(queue, id, used_length);

    refresh_pointers(engine, queue);
    if (!queue->holds) {
        queue->holds = true;
        queue->held_length = used_length;
        queue->held_rest = rest;
    } else if (queue->desc_mapped) {
        uint8_t *d = queue->desc_mapped + vmmio_packed_offset(queue->next_used);

        vmmio_put_le32(d + VMMIO_PACKED_LENGTH, used_length);
        vmmio_store_le32(d + VMMIO_PACKED_ID, rest);
    } else if (!write_used(engine, queue, queue->next_used, used_length, rest)) {
        return false;
    }
    vmmio_packed_advance(queue, &queue->next_used, &queue->used_lap, queue->next_used, slots);
    return true;
}

/* Asks for a kick at the next buffer; the caller looks for it again (PACK-44). */
bool vmmio_packed_arm(struct vmmio_engine *engine, struct vmmio_queue *queue)
{
    const uint32_t event = vmmio_packed_avail_position(queue) | (uint32_t)VMMIO_EVENT_DESC << 16;
    uint8_t bytes[VMMIO_EVENT_BYTES];

    refresh_pointers(engine, queue);
    if (queue->device_mapped) {
        vmmio_store_le32(queue->device_mapped, event);
    } else {
        vmmio_put_le32(bytes, event);
        if (!vmmio_dma_write(engine, queue, queue->device, bytes, sizeof(bytes),
                             VMMIO_DIAG_RING_DMA))
            return false;
    }
    atomic_thread_fence(memory_order_seq_cst);
    return true;
}

/* True if the slot of an event is among those that are shown now; one that does not exist is not.
 */
bool vmmio_packed_shows_slot(const struct vmmio_queue *queue, uint32_t event)
{
    const uint32_t slot = event & 0x7fff;
    const bool wrap = event >> 15 & 1;

    return slot < queue->size &&
           vmmio_packed_unpublished(queue, slot, wrap == (queue->published_lap != 0)) <
               vmmio_packed_unpublished(queue, queue->next_used,
                                        queue->used_lap == queue->published_lap);
}

static bool show_first(struct vmmio_engine *engine, struct vmmio_queue *queue)
{
    refresh_pointers(engine, queue);
    if (!queue->desc_mapped)
        return write_used(engine, queue, queue->published, queue->held_length, queue->held_rest);
    uint8_t *d = queue->desc_mapped + vmmio_packed_offset(queue->published);

    vmmio_put_le32(d + VMMIO_PACKED_LENGTH, queue->held_length);
    atomic_thread_fence(memory_order_release); /* data and descriptors before its flags */
    vmmio_store_le32(d + VMMIO_PACKED_ID, queue->held_rest);
    return true;
}

/* An event suppression structure is read, and written, in one piece. */
static bool read_event(struct vmmio_engine *engine, struct vmmio_queue *queue, uint32_t *event)
{
    uint8_t bytes[VMMIO_EVENT_BYTES];

    refresh_pointers(engine, queue);
    if (queue->driver_mapped) {
        *event = vmmio_load_le32(queue->driver_mapped);
        return true;
    }
    if (!vmmio_dma_read(engine, queue, queue->driver, bytes, sizeof(bytes), VMMIO_DIAG_RING_DMA))
        return false;
    *event = vmmio_le32(bytes);
    return true;
}

void vmmio_packed_publish_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue)
{
    const struct vmmio_batch batch = vmmio_batch_end(queue);
    uint32_t event;

    if (batch.slots && !vmmio_packed_put_by_bus(engine, queue, batch.id, batch.length, batch.slots))
        return;
    if (!queue->holds || !show_first(engine, queue))
        return;
    atomic_thread_fence(memory_order_seq_cst); /* the flags before we look at the suppression */
    if (read_event(engine, queue, &event))
        vmmio_packed_published(engine, queue, event);
}
