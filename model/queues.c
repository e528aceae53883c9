/* SPDX-License-Identifier: Apache-2.0 */
/* The registers of the queues, and what may be written to them when (4.2.2, 2.6.1). */
#include "rooms.h"

static void clear(struct vmmio_queue_registers *queue)
{
    *queue = (struct vmmio_queue_registers){.size_max = queue->size_max,
                                            .align = VMMIO_QUEUE_ALIGN_DEFAULT};
}

void vmmio_queues_clear(struct vmmio_block *block)
{
    for (uint32_t i = 0; i < block->is.queue_count; i++)
        clear(&block->is.queues[i]);
}

static void write_setting(struct vmmio_queue_registers *queue, uint32_t offset, uint32_t value)
{
    switch (offset) {
    case VMMIO_REG_QUEUE_SIZE:
        queue->size = value;
        return;
    case VMMIO_REG_QUEUE_ALIGN:
        queue->align = value;
        return;
    case VMMIO_REG_QUEUE_DESC_LOW:
        queue->desc = vmmio_set_low(queue->desc, value);
        return;
    case VMMIO_REG_QUEUE_DESC_HIGH:
        queue->desc = vmmio_set_high(queue->desc, value);
        return;
    case VMMIO_REG_QUEUE_DRIVER_LOW:
        queue->driver = vmmio_set_low(queue->driver, value);
        return;
    case VMMIO_REG_QUEUE_DRIVER_HIGH:
        queue->driver = vmmio_set_high(queue->driver, value);
        return;
    case VMMIO_REG_QUEUE_DEVICE_LOW:
        queue->device = vmmio_set_low(queue->device, value);
        return;
    case VMMIO_REG_QUEUE_DEVICE_HIGH:
        queue->device = vmmio_set_high(queue->device, value);
        return;
    default:
        return;
    }
}

/* Before FEATURES_OK a ring is taken for a split one. */
enum vmmio_diag_id vmmio_queues_fault(const struct vmmio_queue_registers *queue, bool packed)
{
    if (queue->size == 0 || queue->size > queue->size_max ||
        (!packed && queue->size & (queue->size - 1)))
        return VMMIO_DIAG_QUEUE_SIZE_BAD;
    if (queue->desc % VMMIO_DESC_ALIGN ||
        queue->driver % (packed ? VMMIO_EVENT_ALIGN : VMMIO_AVAIL_ALIGN) ||
        queue->device % (packed ? VMMIO_EVENT_ALIGN : VMMIO_USED_ALIGN))
        return VMMIO_DIAG_QUEUE_ADDRESS_BAD;
    return VMMIO_DIAG_COUNT;
}

static void enable(struct vmmio_block *block, struct vmmio_queue_registers *queue)
{
    const uint32_t index = block->queue_sel;
    const uint32_t where = block->is.legacy ? VMMIO_REG_QUEUE_PFN : VMMIO_REG_QUEUE_READY;
    const enum vmmio_diag_id fault =
        vmmio_queues_fault(queue, vmmio_features_negotiated(block, VMMIO_F_RING_PACKED));

    if (fault != VMMIO_DIAG_COUNT) {
        vmmio_block_report(block, fault, where, index);
        return;
    }
    if (block->is.legacy) {
        if (!vmmio_legacy_start(block))
            return;
    } else if (!(block->status & VMMIO_STATUS_FEATURES_OK)) { /* harmless: flagged */
        vmmio_block_report(block, VMMIO_DIAG_QUEUE_READY_EARLY, where, index);
    }
    queue->ready = true;
    if (!block->is.back->queue_enable(block->is.back_context, index, queue)) {
        queue->ready = false;
        vmmio_block_report(block, VMMIO_DIAG_QUEUE_ADDRESS_BAD, where, index);
    }
}

/*
 * Reads back 0 when the last access to the queue is done, not before (MMIO-DRV-12). A queue that is
 * not in use has nothing to stop (A-QRESET).
 */
static void stop(struct vmmio_block *block, struct vmmio_queue_registers *queue)
{
    queue->stopping = true;
    if (!queue->ready || block->is.back->queue_stop(block->is.back_context, block->queue_sel))
        vmmio_block_queue_stop_done(block, block->queue_sel);
}

void vmmio_block_queue_stop_done(struct vmmio_block *block, uint32_t index)
{
    if (index >= block->is.queue_count || !block->is.queues[index].stopping)
        return;
    struct vmmio_queue_registers *queue = &block->is.queues[index];

    if (queue->reset)
        clear(queue); /* QueueReset restores every default (VQ-06, A-QRESET) */
    queue->ready = false;
    queue->stopping = false;
}

static void write_ready(struct vmmio_block *block, struct vmmio_queue_registers *queue,
                        uint32_t value)
{
    if (value > 1)
        vmmio_block_report(block, VMMIO_DIAG_QUEUE_READY_VALUE, VMMIO_REG_QUEUE_READY, value);
    else if (queue->stopping || value == queue->ready)
        return;
    else if (value)
        enable(block, queue);
    else
        stop(block, queue);
}

static void write_reset(struct vmmio_block *block, struct vmmio_queue_registers *queue,
                        uint32_t value)
{
    if (value != 1 || !vmmio_features_negotiated(block, VMMIO_F_RING_RESET)) {
        vmmio_block_report(block, VMMIO_DIAG_QUEUE_RESET_REFUSED, VMMIO_REG_QUEUE_RESET, value);
        return;
    }
    queue->reset = true;
    if (!queue->stopping)
        stop(block, queue);
}

/* A page number puts the queue into use, and 0 takes it out of use (MMIOL-07). */
static void write_pfn(struct vmmio_block *block, struct vmmio_queue_registers *queue,
                      uint32_t value)
{
    if (queue->stopping)
        return;
    if (value == 0)
        stop(block, queue);
    else if (queue->ready)
        vmmio_block_report(block, VMMIO_DIAG_QUEUE_LOCKED, VMMIO_REG_QUEUE_PFN, value);
    else if (vmmio_legacy_lay_out(block, queue, value))
        enable(block, queue);
    else
        vmmio_block_report(block, VMMIO_DIAG_QUEUE_ADDRESS_BAD, VMMIO_REG_QUEUE_PFN, value);
}

void vmmio_queues_write(struct vmmio_block *block, uint32_t offset, uint32_t value)
{
    struct vmmio_queue_registers *queue = vmmio_queues_selected(block);

    if (block->is.legacy && vmmio_modern_only(offset))
        vmmio_block_report(block, VMMIO_DIAG_HOLE, offset, value);
    else if (!queue)
        vmmio_block_report(block, VMMIO_DIAG_QUEUE_ABSENT, offset, block->queue_sel);
    else if (queue->reset)
        vmmio_block_report(block, VMMIO_DIAG_QUEUE_LOCKED, offset, value);
    else if (offset == VMMIO_REG_QUEUE_READY)
        write_ready(block, queue, value);
    else if (offset == VMMIO_REG_QUEUE_RESET)
        write_reset(block, queue, value);
    else if (offset == VMMIO_REG_QUEUE_PFN)
        write_pfn(block, queue, value);
    else if (queue->ready)
        vmmio_block_report(block, VMMIO_DIAG_QUEUE_LOCKED, offset, value);
    else
        write_setting(queue, offset, value);
}

void vmmio_queues_notify(struct vmmio_block *block, uint32_t value)
{
    const bool with_data = vmmio_features_negotiated(block, VMMIO_F_NOTIFICATION_DATA);
    const uint32_t index = with_data ? value & 0xffff : value; /* A-QNOTIFY-OOR, A-NDATA */

    block->queue_notify = value;
    if (index >= block->is.queue_count) {
        vmmio_block_report(block, VMMIO_DIAG_NOTIFY_ABSENT, VMMIO_REG_QUEUE_NOTIFY, value);
        return;
    }
    const struct vmmio_queue_registers *queue = &block->is.queues[index];

    if ((vmmio_block_live(block) || vmmio_legacy_live(block)) && queue->ready && !queue->stopping)
        block->is.back->notify(block->is.back_context, index, value);
    else
        vmmio_block_report(block, VMMIO_DIAG_NOTIFY_EARLY, VMMIO_REG_QUEUE_NOTIFY, value);
}
