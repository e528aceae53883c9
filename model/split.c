/* SPDX-License-Identifier: Apache-2.0 */
/* The split virtqueue (2.7), as far as it is not in split.h. */
#include "split.h"

static uint64_t avail_bytes(uint32_t size) { return 6 + 2 * (uint64_t)size; }

static uint64_t used_bytes(uint32_t size) { return 6 + 8 * (uint64_t)size; }

static bool overlap(uint64_t a, uint64_t a_length, uint64_t b, uint64_t b_length)
{
    return a <= b + (b_length - 1) && b <= a + (a_length - 1);
}

/* What the register block leaves to us: wraps, and a used ring on top of what we only read. */
bool vmmio_split_enable(struct vmmio_queue *queue)
{
    const uint64_t desc = VMMIO_DESC_BYTES * (uint64_t)queue->size;
    const uint64_t avail = avail_bytes(queue->size);
    const uint64_t used = used_bytes(queue->size);

    return !vmmio_split_wraps(queue->desc, desc) && !vmmio_split_wraps(queue->driver, avail) &&
           !vmmio_split_wraps(queue->device, used) &&
           !overlap(queue->desc, desc, queue->device, used) &&
           !overlap(queue->driver, avail, queue->device, used) &&
           !overlap(queue->desc, desc, queue->driver, avail);
}

static uint8_t *map_aligned(struct vmmio_engine *engine, uint64_t address, uint64_t length,
                            bool write)
{
    uint8_t *pointer = engine->is.memory.map(engine->is.memory.context, address, length, write);

    return (uintptr_t)pointer % 2 == 0 ? pointer : NULL; /* 16-bit loads must be single ones */
}

/* Asking may itself take pointers away: then there are none this time. */
static void refresh_pointers(struct vmmio_engine *engine, struct vmmio_queue *queue)
{
    const uint32_t epoch = engine->map_epoch;
    uint8_t *desc =
        map_aligned(engine, queue->desc, VMMIO_DESC_BYTES * (uint64_t)queue->size, false);
    uint8_t *driver = map_aligned(engine, queue->driver, avail_bytes(queue->size), false);
    uint8_t *device = map_aligned(engine, queue->device, used_bytes(queue->size), true);
    const bool valid = epoch == engine->map_epoch;

    queue->map_epoch = epoch;
    queue->desc_mapped = valid ? desc : NULL;
    queue->driver_mapped = valid ? driver : NULL;
    queue->device_mapped = valid ? device : NULL;
    queue->direct_epoch = valid && desc && driver && device ? epoch : epoch - 1;
}

/*
 * Accesses to a ring exist in two ways: by what the platform gives, and direct, while all of the
 * ring is mapped. The latter is a constant of each caller.
 */
static inline bool read_avail(struct vmmio_engine *engine, struct vmmio_queue *queue, bool direct,
                              size_t offset, uint16_t *value)
{
    uint8_t bytes[2];

    if (!direct && queue->map_epoch != engine->map_epoch)
        refresh_pointers(engine, queue);
    if (direct || queue->driver_mapped) {
        *value = vmmio_load_le16(queue->driver_mapped + offset);
        return true;
    }
    if (!vmmio_dma_read(engine, queue, queue->driver + offset, bytes, 2, VMMIO_DIAG_RING_DMA))
        return false;
    *value = vmmio_le16(bytes);
    return true;
}

static inline bool write_used16(struct vmmio_engine *engine, struct vmmio_queue *queue, bool direct,
                                size_t offset, uint16_t value)
{
    uint8_t bytes[2];

    if (!direct && queue->map_epoch != engine->map_epoch)
        refresh_pointers(engine, queue);
    if (direct || queue->device_mapped) {
        vmmio_store_le16(queue->device_mapped + offset, value);
        return true;
    }
    vmmio_put_le16(bytes, value);
    return vmmio_dma_write(engine, queue, queue->device + offset, bytes, 2, VMMIO_DIAG_RING_DMA);
}

bool vmmio_split_avail_index_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                    uint16_t *index)
{
    return read_avail(engine, queue, false, VMMIO_SPLIT_AVAIL_IDX, index);
}

/* Asks for a kick at the next buffer; the caller looks at the index again (SPLIT-48). */
bool vmmio_split_arm(struct vmmio_engine *engine, struct vmmio_queue *queue)
{
    const size_t avail_event = VMMIO_SPLIT_USED_RING + (size_t)VMMIO_USED_ELEM_BYTES * queue->size;

    if (!write_used16(engine, queue, false, avail_event, queue->next_avail))
        return false;
    atomic_thread_fence(memory_order_seq_cst); /* SPLIT-51 from our side */
    return true;
}

/* Where a walk is: the queue's own table or an indirect one. */
struct walk {
    uint64_t table;
    const uint8_t *table_mapped;
    uint32_t table_size; /* entries */
    uint32_t map_epoch;
    uint32_t steps;
    bool indirect;
};

static bool fetch(struct vmmio_engine *engine, struct vmmio_queue *queue, const struct walk *walk,
                  uint32_t index, struct vmmio_split_desc *d)
{
    uint8_t raw[VMMIO_DESC_BYTES];

    if (walk->table_mapped && walk->map_epoch == engine->map_epoch) {
        *d = vmmio_split_load(walk->table_mapped, index);
        return true;
    }
    if (!vmmio_dma_read(engine, queue, walk->table + VMMIO_DESC_BYTES * index, raw, sizeof(raw),
                        VMMIO_DIAG_RING_DMA))
        return false;
    *d = vmmio_split_decode(raw);
    return true;
}

bool vmmio_split_fault(struct vmmio_engine *engine, struct vmmio_queue *queue,
                       enum vmmio_diag_id id, uint64_t value)
{
    vmmio_engine_fatal(engine, id, queue->index, value);
    return false;
}

static bool enter_indirect(struct vmmio_engine *engine, struct vmmio_queue *queue,
                           struct walk *walk, struct vmmio_split_desc d)
{
    const uint32_t length = vmmio_split_length(d);

    if (!engine->indirect)
        return vmmio_split_fault(engine, queue, VMMIO_DIAG_INDIRECT_REFUSED, d.address);
    if (walk->indirect)
        return vmmio_split_fault(engine, queue, VMMIO_DIAG_INDIRECT_NESTED, d.address);
    if (vmmio_split_flags(d) & VMMIO_DESC_NEXT)
        return vmmio_split_fault(engine, queue, VMMIO_DIAG_INDIRECT_NEXT, d.address);
    if (length == 0 || length % VMMIO_DESC_BYTES ||
        length / VMMIO_DESC_BYTES > VMMIO_QUEUE_SIZE_LIMIT)
        return vmmio_split_fault(engine, queue, VMMIO_DIAG_INDIRECT_SIZE, length);
    if (vmmio_split_wraps(d.address, length))
        return vmmio_split_fault(engine, queue, VMMIO_DIAG_RING_ADDRESS, d.address);

    walk->map_epoch = engine->map_epoch;
    walk->table = d.address;
    walk->table_size = length / VMMIO_DESC_BYTES;
    walk->table_mapped = engine->is.memory.map(engine->is.memory.context, d.address, length, false);
    walk->indirect = true;
    return true;
}

static struct walk start_walk(const struct vmmio_queue *queue)
{
    return (struct walk){.table = queue->desc,
                         .table_mapped = queue->desc_mapped,
                         .table_size = queue->size,
                         .map_epoch = queue->map_epoch};
}

/*
 * Copies a chain into the request, d being its first descriptor. Bounded by the queue size
 * (SPLIT-09, SPLIT-18), and by the segments of a request where an engine has fewer of them
 * (SPLIT-05).
 */
bool vmmio_split_walk(struct vmmio_engine *engine, struct vmmio_queue *queue,
                      struct vmmio_request *request, struct vmmio_split_desc d)
{
    struct walk walk = start_walk(queue);
    const uint32_t limit =
        queue->size < engine->segments_each ? queue->size : engine->segments_each;
    uint32_t index = 0;

    for (;;) {
        if (vmmio_split_flags(d) & VMMIO_DESC_INDIRECT) {
            if (!enter_indirect(engine, queue, &walk, d))
                return false;
            index = 0;
        } else {
            if (walk.steps++ == limit)
                return vmmio_split_fault(engine, queue, VMMIO_DIAG_RING_LOOP, request->head);
            if (!vmmio_split_add_segment(engine, queue, request, d))
                return false;
            if (!(vmmio_split_flags(d) & VMMIO_DESC_NEXT))
                return true;
            index = vmmio_split_next(d);
            if (index >= walk.table_size)
                return vmmio_split_fault(engine, queue, VMMIO_DIAG_RING_NEXT, index);
        }
        if (!fetch(engine, queue, &walk, index, &d))
            return false;
    }
}

bool vmmio_split_take_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue,
                             struct vmmio_request *request)
{
    struct vmmio_split_desc d;
    uint16_t head;

    if (!read_avail(engine, queue, false, vmmio_split_avail_offset(queue), &head))
        return false;
    if (head >= queue->size)
        return vmmio_split_fault(engine, queue, VMMIO_DIAG_RING_HEAD, head);
    const struct walk walk = start_walk(queue);

    return fetch(engine, queue, &walk, head, &d) &&
           vmmio_split_take_chain(engine, queue, request, head, d);
}

bool vmmio_split_put_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue, uint16_t head,
                            uint32_t used_length)
{
    const size_t offset = vmmio_split_used_offset(queue);
    uint8_t element[VMMIO_USED_ELEM_BYTES];

    vmmio_put_le32(element, head);
    vmmio_put_le32(element + 4, used_length);
    if (queue->map_epoch != engine->map_epoch)
        refresh_pointers(engine, queue);
    if (queue->device_mapped)
        memcpy(queue->device_mapped + offset, element, sizeof(element));
    else if (!vmmio_dma_write(engine, queue, queue->device + offset, element, sizeof(element),
                              VMMIO_DIAG_RING_DMA))
        return false;
    queue->next_used++;
    return true;
}

/* SPLIT-29 .. SPLIT-34; with EVENT_IDX the event may lie anywhere in the batch (A-EVENT). */
static inline bool wants_interrupt(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                   bool direct, uint16_t old)
{
    const size_t where = engine->event_idx ? VMMIO_SPLIT_AVAIL_RING + 2 * (size_t)queue->size
                                           : VMMIO_SPLIT_AVAIL_FLAGS;
    uint16_t value;

    if (!read_avail(engine, queue, direct, where, &value))
        return false;
    if (engine->event_idx)
        return (uint16_t)(queue->published - value - 1) < (uint16_t)(queue->published - old);
    return !(value & VMMIO_AVAIL_NO_INTERRUPT);
}

static inline void publish(struct vmmio_engine *engine, struct vmmio_queue *queue, bool direct)
{
    const uint16_t old = queue->published;
    const uint16_t index = queue->next_used;

    atomic_thread_fence(memory_order_release); /* data and entries before the index */
    if (!write_used16(engine, queue, direct, VMMIO_SPLIT_USED_IDX, index))
        return;
    queue->published = index; /* what the driver sees, whatever came while the bus was busy */
    atomic_thread_fence(memory_order_seq_cst); /* the index before we look at the suppression */
    if (wants_interrupt(engine, queue, direct, old))
        engine->is.front->used_buffer(engine->is.front_context);
}

VMMIO_APART static void publish_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue)
{
    publish(engine, queue, false);
}

void vmmio_split_publish(struct vmmio_engine *engine, struct vmmio_queue *queue)
{
    if (queue->next_used == queue->published)
        return;
    if (vmmio_queue_direct(engine, queue))
        publish(engine, queue, true);
    else
        publish_by_bus(engine, queue);
}
