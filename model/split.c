/* SPDX-License-Identifier: Apache-2.0 */
/* The split virtqueue (2.7), as far as it is not in split.h. */
#include "split.h"
#include "order.h"

static uint64_t avail_bytes(uint32_t size) { return 6 + 2 * (uint64_t)size; }

static uint64_t used_bytes(uint32_t size) { return 6 + 8 * (uint64_t)size; }

static struct vmmio_ring_parts parts(const struct vmmio_queue *queue)
{
    return (struct vmmio_ring_parts){VMMIO_DESC_BYTES * (uint64_t)queue->size,
                                     avail_bytes(queue->size), used_bytes(queue->size), false};
}

bool vmmio_split_enable(struct vmmio_queue *queue) { return vmmio_ring_fits(queue, parts(queue)); }

static void refresh_pointers(struct vmmio_engine *engine, struct vmmio_queue *queue)
{
    if (queue->map_epoch != engine->map_epoch)
        vmmio_ring_map(engine, queue, parts(queue), 2);
}

static bool read_avail(struct vmmio_engine *engine, struct vmmio_queue *queue, size_t offset,
                       uint16_t *value)
{
    uint8_t bytes[2];

    refresh_pointers(engine, queue);
    if (queue->driver_mapped) {
        *value = vmmio_load_le16(queue->driver_mapped + offset);
        return true;
    }
    if (!vmmio_dma_read(engine, queue, queue->driver + offset, bytes, 2, VMMIO_DIAG_RING_DMA))
        return false;
    *value = vmmio_le16(bytes);
    return true;
}

static bool write_used16(struct vmmio_engine *engine, struct vmmio_queue *queue, size_t offset,
                         uint16_t value)
{
    uint8_t bytes[2];

    refresh_pointers(engine, queue);
    if (queue->device_mapped) {
        vmmio_store_le16(queue->device_mapped + offset, value);
        return true;
    }
    vmmio_put_le16(bytes, value);
    return vmmio_dma_write(engine, queue, queue->device + offset, bytes, 2, VMMIO_DIAG_RING_DMA);
}

int32_t vmmio_split_avail_index_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue)
{
    uint16_t index;

    return read_avail(engine, queue, VMMIO_SPLIT_AVAIL_IDX, &index) ? index : -1;
}

/* Asks for a kick at the next buffer; the caller looks at the index again (SPLIT-48). */
bool vmmio_split_arm(struct vmmio_engine *engine, struct vmmio_queue *queue)
{
    const size_t avail_event = VMMIO_SPLIT_USED_RING + (size_t)VMMIO_USED_ELEM_BYTES * queue->size;

    if (!write_used16(engine, queue, avail_event, queue->next_avail))
        return false;
    atomic_thread_fence(memory_order_seq_cst); /* SPLIT-51 from our side */
    return true;
}

/*
 * Copies a chain into the request, d being its first descriptor. Bounded by the queue size
 * (SPLIT-09, SPLIT-18), and by the segments of a request where an engine has fewer of them
 * (SPLIT-05).
 */
bool vmmio_split_walk(struct vmmio_engine *engine, struct vmmio_queue *queue,
                      struct vmmio_request *request, struct vmmio_desc d)
{
    struct vmmio_table table = vmmio_own_table(queue);
    const uint32_t limit =
        queue->size < engine->segments_each ? queue->size : engine->segments_each;
    uint32_t steps = 0, index = 0;
    bool indirect = false;

    for (;;) {
        const uint32_t flags = vmmio_split_flags(d);

        if (flags & VMMIO_DESC_INDIRECT) {
            const enum vmmio_diag_id misplaced = indirect ? VMMIO_DIAG_INDIRECT_NESTED
                                                 : flags & VMMIO_DESC_NEXT
                                                     ? VMMIO_DIAG_INDIRECT_NEXT
                                                     : VMMIO_DIAG_COUNT;

            if (!vmmio_table_open(engine, queue, &table, d, misplaced))
                return false;
            indirect = true;
            index = 0;
        } else {
            if (steps++ == limit)
                return vmmio_ring_fault(engine, queue, VMMIO_DIAG_RING_LOOP, request->head);
            if (!vmmio_request_add(engine, queue, request, d, (flags & VMMIO_DESC_WRITE) != 0))
                return false;
            if (!(flags & VMMIO_DESC_NEXT))
                return true;
            index = vmmio_split_next(d);
            if (index >= table.size)
                return vmmio_ring_fault(engine, queue, VMMIO_DIAG_RING_NEXT, index);
        }
        if (!vmmio_table_fetch(engine, queue, &table, index, &d))
            return false;
    }
}

bool vmmio_split_take_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue,
                             struct vmmio_request *request)
{
    struct vmmio_desc d;
    uint16_t head;

    request->slots = 1;
    if (!read_avail(engine, queue, vmmio_split_avail_offset(queue), &head))
        return false;
    if (head >= queue->size)
        return vmmio_ring_fault(engine, queue, VMMIO_DIAG_RING_HEAD, head);
    const struct vmmio_table table = vmmio_own_table(queue);

    return vmmio_table_fetch(engine, queue, &table, head, &d) &&
           vmmio_split_take_chain(engine, queue, request, head, d);
}

bool vmmio_split_put_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue, uint32_t head,
                            uint32_t used_length, uint32_t count)
{
    const size_t offset = vmmio_split_used_offset(queue);
    uint8_t element[VMMIO_USED_ELEM_BYTES];

    vmmio_put_le32(element, head);
    vmmio_put_le32(element + 4, used_length);
    refresh_pointers(engine, queue);
    if (queue->device_mapped)
        memcpy(queue->device_mapped + offset, element, sizeof(element));
    else if (!vmmio_dma_write(engine, queue, queue->device + offset, element, sizeof(element),
                              VMMIO_DIAG_RING_DMA))
        return false;
    queue->next_used = (uint16_t)(queue->next_used + count);
    return true;
}

void vmmio_split_publish_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue)
{
    const struct vmmio_batch batch = vmmio_batch_end(queue);

    if (batch.slots && !vmmio_split_put_by_bus(engine, queue, batch.id, batch.length, batch.slots))
        return;
    const uint16_t old = queue->published;
    const uint16_t index = queue->next_used;
    uint16_t said;

    if (index == old)
        return;
    atomic_thread_fence(memory_order_release); /* data and entries before the index */
    if (!write_used16(engine, queue, VMMIO_SPLIT_USED_IDX, index))
        return;
    queue->published = index; /* what the driver sees, whatever came while the bus was busy */
    atomic_thread_fence(memory_order_seq_cst); /* the index before we look at the suppression */
    if (read_avail(engine, queue, vmmio_split_suppression_offset(engine, queue), &said) &&
        vmmio_split_wants_interrupt(engine, queue, old, said))
        engine->is.front->used_buffer(engine->is.front_context);
}
