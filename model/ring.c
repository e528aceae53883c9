/* SPDX-License-Identifier: Apache-2.0 */
/* What the ring formats share: where a ring is, and tables of descriptors. */
#include "ring.h"

bool vmmio_ring_fault(struct vmmio_engine *engine, struct vmmio_queue *queue, enum vmmio_diag_id id,
                      uint64_t value)
{
    vmmio_engine_fatal(engine, id, queue->index, value);
    return false;
}

static bool overlap(uint64_t a, uint64_t a_length, uint64_t b, uint64_t b_length)
{
    return a <= b + (b_length - 1) && b <= a + (a_length - 1);
}

/* What the register block leaves to us: wraps, and an area on top of another. */
bool vmmio_ring_fits(const struct vmmio_queue *queue, struct vmmio_ring_parts bytes)
{
    return !vmmio_wraps(queue->desc, bytes.desc) && !vmmio_wraps(queue->driver, bytes.driver) &&
           !vmmio_wraps(queue->device, bytes.device) &&
           !overlap(queue->desc, bytes.desc, queue->device, bytes.device) &&
           !overlap(queue->driver, bytes.driver, queue->device, bytes.device) &&
           !overlap(queue->desc, bytes.desc, queue->driver, bytes.driver);
}

static uint8_t *map_aligned(struct vmmio_engine *engine, uint64_t address, uint64_t length,
                            bool write, uintptr_t alignment)
{
    uint8_t *pointer = engine->is.memory.map(engine->is.memory.context, address, length, write);

    return (uintptr_t)pointer % alignment == 0 ? pointer : NULL;
}

/* Asking may itself take pointers away: then there are none this time. */
void vmmio_ring_map(struct vmmio_engine *engine, struct vmmio_queue *queue,
                    struct vmmio_ring_parts bytes, uintptr_t alignment)
{
    const uint64_t epoch = engine->map_epoch;
    uint8_t *desc = map_aligned(engine, queue->desc, bytes.desc, bytes.write_desc, alignment);
    uint8_t *driver = map_aligned(engine, queue->driver, bytes.driver, false, alignment);
    uint8_t *device = map_aligned(engine, queue->device, bytes.device, true, alignment);
    const bool valid = epoch == engine->map_epoch;

    queue->map_epoch = epoch;
    queue->desc_mapped = valid ? desc : NULL;
    queue->driver_mapped = valid ? driver : NULL;
    queue->device_mapped = valid ? device : NULL;
    queue->direct = valid && desc && driver && device && !engine->in_order ? queue : NULL;
    if (engine->served == queue)
        vmmio_note_pointers(engine, queue, queue->packed);
}

bool vmmio_table_fetch_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue,
                              const struct vmmio_table *table, uint32_t index, struct vmmio_desc *d)
{
    uint8_t raw[VMMIO_DESC_BYTES];

    if (!vmmio_dma_read(engine, queue, table->address + (uint64_t)VMMIO_DESC_BYTES * index, raw,
                        sizeof(raw), VMMIO_DIAG_RING_DMA))
        return false;
    *d = vmmio_desc_decode(raw);
    return true;
}

bool vmmio_table_open(struct vmmio_engine *engine, struct vmmio_queue *queue,
                      struct vmmio_table *table, struct vmmio_desc d, enum vmmio_diag_id misplaced)
{
    const uint32_t length = vmmio_desc_length(d);

    if (!engine->indirect)
        return vmmio_ring_fault(engine, queue, VMMIO_DIAG_INDIRECT_REFUSED, d.address);
    if (misplaced != VMMIO_DIAG_COUNT)
        return vmmio_ring_fault(engine, queue, misplaced, d.address);
    if (length == 0 || length % VMMIO_DESC_BYTES ||
        length / VMMIO_DESC_BYTES > VMMIO_QUEUE_SIZE_LIMIT)
        return vmmio_ring_fault(engine, queue, VMMIO_DIAG_INDIRECT_SIZE, length);
    if (vmmio_wraps(d.address, length))
        return vmmio_ring_fault(engine, queue, VMMIO_DIAG_RING_ADDRESS, d.address);

    table->map_epoch = engine->map_epoch;
    table->address = d.address;
    table->size = length / VMMIO_DESC_BYTES;
    table->mapped = engine->is.memory.map(engine->is.memory.context, d.address, length, false);
    return true;
}
