/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rooms.h
 * The rooms of the register block, called by the decoder in register_block.c. Each has a Verilog
 * twin of the same name.
 */
#ifndef VMMIO_MODEL_ROOMS_H
#define VMMIO_MODEL_ROOMS_H

#include "vmmio/register_block.h"

#include <stddef.h>

/* diagnostic.c */
void vmmio_block_report(const struct vmmio_block *block, enum vmmio_diag_id id, uint32_t where,
                        uint64_t value);

static inline uint32_t vmmio_low(uint64_t value) { return (uint32_t)value; }

static inline uint32_t vmmio_high(uint64_t value) { return (uint32_t)(value >> 32); }

static inline uint64_t vmmio_set_low(uint64_t old, uint32_t half)
{
    return (old & 0xffffffff00000000u) | half;
}

static inline uint64_t vmmio_set_high(uint64_t old, uint32_t half)
{
    return (old & 0xffffffffu) | (uint64_t)half << 32;
}

/* status.c */
void vmmio_status_write(struct vmmio_block *block, uint32_t value);

/* features.c */
uint32_t vmmio_features_device_word(const struct vmmio_block *block);
void vmmio_features_driver_write(struct vmmio_block *block, uint32_t value);
bool vmmio_features_acceptable(struct vmmio_block *block);
/* What is wrong with the driver's features; VMMIO_DIAG_COUNT if nothing is. */
enum vmmio_diag_id vmmio_features_fault(const struct vmmio_block *block, uint64_t *value);

static inline bool vmmio_features_negotiated(const struct vmmio_block *block, unsigned bit)
{
    return block->status & VMMIO_STATUS_FEATURES_OK &&
           vmmio_features_has(&block->driver_features, bit);
}

/* queues.c */
static inline struct vmmio_queue_registers *vmmio_queues_selected(const struct vmmio_block *block)
{
    return block->queue_sel < block->is.queue_count ? &block->is.queues[block->queue_sel] : NULL;
}

void vmmio_queues_write(struct vmmio_block *block, uint32_t offset, uint32_t value);
void vmmio_queues_notify(struct vmmio_block *block, uint32_t value);
void vmmio_queues_clear(struct vmmio_block *block);
/* What forbids QueueReady = 1; VMMIO_DIAG_COUNT if nothing does. */
enum vmmio_diag_id vmmio_queues_fault(const struct vmmio_queue_registers *queue, bool packed);

/* layout.c: what the layout of this block does not have, or not for all */
bool vmmio_layout_has(const struct vmmio_block *block, uint32_t offset);
uint32_t vmmio_layout_refuse_read(struct vmmio_block *block, uint32_t offset, uint32_t width);
void vmmio_layout_other_write(struct vmmio_block *block, uint32_t offset, uint32_t value);

static inline bool vmmio_is_word(uint32_t offset, uint32_t width)
{
    return width == 4 && offset % 4 == 0;
}

/* What the legacy layout has not (MMIOL-11). */
static inline bool vmmio_modern_only(uint32_t offset)
{
    return offset == VMMIO_REG_QUEUE_READY || offset >= VMMIO_REG_QUEUE_DESC_LOW;
}

/* legacy.c */
bool vmmio_legacy_start(struct vmmio_block *block);
bool vmmio_legacy_lay_out(const struct vmmio_block *block, struct vmmio_queue_registers *queue,
                          uint32_t pfn);

/* True if queues are served without DRIVER_OK (INIT-L3). */
static inline bool vmmio_legacy_live(const struct vmmio_block *block)
{
    return block->legacy_started && !block->resetting &&
           !(block->status & (VMMIO_STATUS_NEEDS_RESET | VMMIO_STATUS_FAILED));
}

/* interrupt.c; raise sets at least one bit */
void vmmio_interrupt_raise(struct vmmio_block *block, uint32_t bits);
void vmmio_interrupt_clear(struct vmmio_block *block, uint32_t bits);

/* config.c; peek counts from the start of the config space */
uint32_t vmmio_config_peek(const struct vmmio_block *block, uint32_t at, uint32_t width);
uint32_t vmmio_config_read(struct vmmio_block *block, uint32_t offset, uint32_t width);
void vmmio_config_write(struct vmmio_block *block, uint32_t offset, uint32_t width, uint32_t value);

#endif
