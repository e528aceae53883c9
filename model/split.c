/* SPDX-License-Identifier: Apache-2.0 */
/* The split virtqueue (2.7). */
#include "ring.h"

enum {
    AVAIL_FLAGS = 0, /* byte offsets in the available ring */
    AVAIL_IDX = 2,
    AVAIL_RING = 4,
    USED_IDX = 2, /* and in the used ring; its flags stay 0: kicks are always welcome */
    USED_RING = 4,
};

static uint64_t avail_bytes(uint32_t size) { return 6 + 2 * (uint64_t)size; }

static uint64_t used_bytes(uint32_t size) { return 6 + 8 * (uint64_t)size; }

/* True if the range goes on at address 0; one that is empty or ends at 2^64 does not. */
static inline bool wraps(uint64_t address, uint64_t length)
{
    const uint64_t end = address + length;

    return end < address && end != 0;
}

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

    return !wraps(queue->desc, desc) && !wraps(queue->driver, avail) &&
           !wraps(queue->device, used) && !overlap(queue->desc, desc, queue->device, used) &&
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

static bool read_avail(struct vmmio_engine *engine, struct vmmio_queue *queue, size_t offset,
                       uint16_t *value)
{
    uint8_t bytes[2];

    if (queue->map_epoch != engine->map_epoch)
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

static bool write_used16(struct vmmio_engine *engine, struct vmmio_queue *queue, uint32_t offset,
                         uint16_t value)
{
    uint8_t bytes[2];

    if (queue->map_epoch != engine->map_epoch)
        refresh_pointers(engine, queue);
    if (queue->device_mapped) {
        vmmio_store_le16(queue->device_mapped + offset, value);
        return true;
    }
    vmmio_put_le16(bytes, value);
    return vmmio_dma_write(engine, queue, queue->device + offset, bytes, 2, VMMIO_DIAG_RING_DMA);
}

bool vmmio_split_avail_index(struct vmmio_engine *engine, struct vmmio_queue *queue,
                             uint16_t *index)
{
    if (!read_avail(engine, queue, AVAIL_IDX, index))
        return false;
    atomic_thread_fence(memory_order_acquire); /* the index before ring and descriptors */
    return true;
}

/* Asks for a kick at the next buffer; the caller looks at the index again (SPLIT-48). */
bool vmmio_split_arm(struct vmmio_engine *engine, struct vmmio_queue *queue)
{
    const uint32_t avail_event = USED_RING + VMMIO_USED_ELEM_BYTES * queue->size;

    if (!write_used16(engine, queue, avail_event, queue->next_avail))
        return false;
    atomic_thread_fence(memory_order_seq_cst); /* SPLIT-51 from our side */
    return true;
}

/* One descriptor, read once. What follows the address stays in one word until it is needed. */
struct descriptor {
    uint64_t address;
    uint64_t rest;
};

static inline uint32_t length_of(struct descriptor d) { return (uint32_t)d.rest; }

static inline uint32_t flags_of(struct descriptor d) { return (uint32_t)(d.rest >> 32) & 0xffff; }

static inline uint32_t next_of(struct descriptor d) { return (uint32_t)(d.rest >> 48); }

/* Where a walk is: the queue's own table or an indirect one. */
struct walk {
    uint64_t table;
    const uint8_t *table_mapped;
    uint32_t table_size; /* entries */
    uint32_t map_epoch;
    uint32_t steps;
    bool indirect;
};

static inline struct descriptor decode(const uint8_t *raw)
{
    return (struct descriptor){vmmio_le64(raw), vmmio_le64(raw + 8)};
}

static inline struct descriptor load_descriptor(const uint8_t *table, uint32_t index)
{
    uint8_t raw[VMMIO_DESC_BYTES];

    vmmio_copy_once(raw, table + (size_t)VMMIO_DESC_BYTES * index, sizeof(raw));
    return decode(raw);
}

static bool fetch(struct vmmio_engine *engine, struct vmmio_queue *queue, const struct walk *walk,
                  uint32_t index, struct descriptor *d)
{
    uint8_t raw[VMMIO_DESC_BYTES];

    if (walk->table_mapped && walk->map_epoch == engine->map_epoch) {
        *d = load_descriptor(walk->table_mapped, index);
        return true;
    }
    if (!vmmio_dma_read(engine, queue, walk->table + VMMIO_DESC_BYTES * index, raw, sizeof(raw),
                        VMMIO_DIAG_RING_DMA))
        return false;
    *d = decode(raw);
    return true;
}

VMMIO_APART static bool fault(struct vmmio_engine *engine, struct vmmio_queue *queue,
                              enum vmmio_diag_id id, uint64_t value)
{
    vmmio_engine_fatal(engine, id, vmmio_queue_index(engine, queue), value);
    return false;
}

static bool enter_indirect(struct vmmio_engine *engine, struct vmmio_queue *queue,
                           struct walk *walk, struct descriptor d)
{
    const uint32_t length = length_of(d);

    if (!engine->indirect)
        return fault(engine, queue, VMMIO_DIAG_INDIRECT_REFUSED, d.address);
    if (walk->indirect)
        return fault(engine, queue, VMMIO_DIAG_INDIRECT_NESTED, d.address);
    if (flags_of(d) & VMMIO_DESC_NEXT)
        return fault(engine, queue, VMMIO_DIAG_INDIRECT_NEXT, d.address);
    if (length == 0 || length % VMMIO_DESC_BYTES ||
        length / VMMIO_DESC_BYTES > VMMIO_QUEUE_SIZE_LIMIT)
        return fault(engine, queue, VMMIO_DIAG_INDIRECT_SIZE, length);
    if (wraps(d.address, length))
        return fault(engine, queue, VMMIO_DIAG_RING_ADDRESS, d.address);

    walk->map_epoch = engine->map_epoch;
    walk->table = d.address;
    walk->table_size = length / VMMIO_DESC_BYTES;
    walk->table_mapped = engine->is.memory.map(engine->is.memory.context, d.address, length, false);
    walk->indirect = true;
    return true;
}

static inline bool add_segment(struct vmmio_engine *engine, struct vmmio_queue *queue,
                               struct vmmio_request *request, struct descriptor d)
{
    const uint32_t length = length_of(d);
    const bool writable = (flags_of(d) & VMMIO_DESC_WRITE) != 0;
    const uint64_t total = (uint64_t)request->readable_bytes + request->writable_bytes + length;

    if (!writable && request->segment_count > request->readable_count)
        return fault(engine, queue, VMMIO_DIAG_RING_ORDER, d.address);
    if (wraps(d.address, length))
        return fault(engine, queue, VMMIO_DIAG_RING_ADDRESS, d.address);
    if (total > UINT32_MAX)
        return fault(engine, queue, VMMIO_DIAG_RING_TOTAL, total);

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
VMMIO_APART static bool walk_chain(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                   struct vmmio_request *request, struct descriptor d)
{
    struct walk walk = start_walk(queue);
    const uint32_t limit =
        queue->size < engine->segments_each ? queue->size : engine->segments_each;
    uint32_t index = 0;

    for (;;) {
        if (flags_of(d) & VMMIO_DESC_INDIRECT) {
            if (!enter_indirect(engine, queue, &walk, d))
                return false;
            index = 0;
        } else {
            if (walk.steps++ == limit)
                return fault(engine, queue, VMMIO_DIAG_RING_LOOP, request->head);
            if (!add_segment(engine, queue, request, d))
                return false;
            if (!(flags_of(d) & VMMIO_DESC_NEXT))
                return true;
            index = next_of(d);
            if (index >= walk.table_size)
                return fault(engine, queue, VMMIO_DIAG_RING_NEXT, index);
        }
        if (!fetch(engine, queue, &walk, index, &d))
            return false;
    }
}

/* A chain of one descriptor, as most are, needs no walk. */
static inline bool take_chain(struct vmmio_engine *engine, struct vmmio_queue *queue,
                              struct vmmio_request *request, uint16_t head, struct descriptor d)
{
    queue->next_avail++;
    request->head = head;
    request->readable_bytes = 0;
    request->writable_bytes = 0;
    request->readable_count = 0;
    request->segment_count = 0;
    if (flags_of(d) & (VMMIO_DESC_NEXT | VMMIO_DESC_INDIRECT))
        return walk_chain(engine, queue, request, d);
    return add_segment(engine, queue, request, d);
}

static inline size_t avail_offset(const struct vmmio_queue *queue)
{
    return AVAIL_RING + 2 * (size_t)(queue->next_avail & (queue->size - 1));
}

VMMIO_APART static bool take_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                    struct vmmio_request *request)
{
    struct descriptor d;
    uint16_t head;

    if (!read_avail(engine, queue, avail_offset(queue), &head))
        return false;
    if (head >= queue->size)
        return fault(engine, queue, VMMIO_DIAG_RING_HEAD, head);
    const struct walk walk = start_walk(queue);

    return fetch(engine, queue, &walk, head, &d) && take_chain(engine, queue, request, head, d);
}

bool vmmio_split_take(struct vmmio_engine *engine, struct vmmio_queue *queue,
                      struct vmmio_request *request)
{
    if (!vmmio_queue_direct(engine, queue))
        return take_by_bus(engine, queue, request);
    const uint16_t head = vmmio_load_le16(queue->driver_mapped + avail_offset(queue));

    if (head >= queue->size)
        return fault(engine, queue, VMMIO_DIAG_RING_HEAD, head);
    return take_chain(engine, queue, request, head, load_descriptor(queue->desc_mapped, head));
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
static bool wants_interrupt(struct vmmio_engine *engine, struct vmmio_queue *queue, uint16_t old,
                            bool *wanted)
{
    uint16_t value;

    if (engine->event_idx) {
        if (!read_avail(engine, queue, AVAIL_RING + 2 * queue->size, &value))
            return false;
        *wanted = (uint16_t)(queue->published - value - 1) < (uint16_t)(queue->published - old);
    } else {
        if (!read_avail(engine, queue, AVAIL_FLAGS, &value))
            return false;
        *wanted = !(value & VMMIO_AVAIL_NO_INTERRUPT);
    }
    return true;
}

bool vmmio_split_publish(struct vmmio_engine *engine, struct vmmio_queue *queue)
{
    const uint16_t old = queue->published;
    bool wanted;

    if (queue->next_used == old)
        return true;
    atomic_thread_fence(memory_order_release); /* data and entries before the index */
    if (!write_used16(engine, queue, USED_IDX, queue->next_used))
        return false;
    queue->published = queue->next_used;
    atomic_thread_fence(memory_order_seq_cst); /* the index before we look at the suppression */
    if (!wants_interrupt(engine, queue, old, &wanted))
        return false;
    if (wanted)
        engine->is.front->used_buffer(engine->is.front_context);
    return true;
}
