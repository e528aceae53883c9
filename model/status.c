/* SPDX-License-Identifier: Apache-2.0 */
/* The status machine (2.1, 3.1, 3.4). */
#include "rooms.h"

enum { INTERNAL_BITS = 0xffffff60 }; /* reserved, upper bits, and the device's own 0x40 */

static void start_reset(struct vmmio_block *block)
{
    block->resetting = true;
    if (block->is.back->reset(block->is.back_context))
        vmmio_block_reset_done(block);
}

void vmmio_block_reset_done(struct vmmio_block *block)
{
    if (!block->resetting)
        return;
    block->device_features_sel = 0;
    block->driver_features_sel = 0;
    block->driver_features = (struct vmmio_features){{0}};
    block->features_word_bad = false;
    block->queue_sel = 0;
    block->queue_notify = 0;
    block->interrupt_ack = 0;
    block->suspending = false;
    block->regions_deferred = false;
    block->legacy_started = false; /* GuestPageSize stays: Linux writes it once, before a reset */
    vmmio_queues_clear(block);
    vmmio_shm_reset(&block->shm);
    vmmio_interrupt_clear(block, ~0u);
    block->status = 0;
    block->resetting = false;
}

static void start_suspend(struct vmmio_block *block)
{
    if (!vmmio_block_live(block) || !vmmio_features_negotiated(block, VMMIO_F_SUSPEND)) {
        vmmio_block_report(block, VMMIO_DIAG_SUSPEND_REFUSED, VMMIO_REG_STATUS, block->status);
        return;
    }
    block->suspending = true;
    if (block->is.back->suspend(block->is.back_context))
        vmmio_block_suspend_done(block);
}

void vmmio_block_suspend_done(struct vmmio_block *block)
{
    if (!block->suspending)
        return;
    block->suspending = false;
    if (block->status & VMMIO_STATUS_NEEDS_RESET)
        return; /* the other allowed end of a suspend request (SUSP-09) */
    block->status = (block->status & ~(uint32_t)VMMIO_STATUS_DRIVER_OK) | VMMIO_STATUS_SUSPEND;
}

static void resume(struct vmmio_block *block)
{
    block->status = (block->status & ~(uint32_t)VMMIO_STATUS_SUSPEND) | VMMIO_STATUS_DRIVER_OK;
    block->is.back->resume(block->is.back_context);
    if (block->status & VMMIO_STATUS_NEEDS_RESET) /* set while suspended: told now (SUSP-10) */
        vmmio_interrupt_raise(block, VMMIO_INTERRUPT_CONFIG_CHANGE);
    if (block->regions_deferred) {
        block->regions_deferred = false;
        vmmio_block_regions_changed(block);
    }
}

static bool take_features_ok(struct vmmio_block *block)
{
    if (!(block->status & VMMIO_STATUS_DRIVER) || block->is.legacy) {
        vmmio_block_report(block, VMMIO_DIAG_STATUS_ORDER, VMMIO_REG_STATUS, block->status);
        return false;
    }
    return vmmio_features_acceptable(block) &&
           block->is.back->features_ok(block->is.back_context, &block->driver_features);
}

/* Bits are only ever added (A-STATUS-SET), in order or several at once (A-STATUS-ORDER). */
static void progress(struct vmmio_block *block, uint32_t fresh)
{
    if (fresh & VMMIO_STATUS_DRIVER &&
        !((block->status | fresh) & VMMIO_STATUS_ACKNOWLEDGE)) /* flagged only: U-Boot does it */
        vmmio_block_report(block, VMMIO_DIAG_STATUS_NO_ACKNOWLEDGE, VMMIO_REG_STATUS, fresh);
    block->status |= fresh & (VMMIO_STATUS_ACKNOWLEDGE | VMMIO_STATUS_DRIVER);

    if (fresh & VMMIO_STATUS_FEATURES_OK && take_features_ok(block))
        block->status |= VMMIO_STATUS_FEATURES_OK;

    if (fresh & VMMIO_STATUS_DRIVER_OK) {
        if (block->is.legacy ? vmmio_legacy_start(block)
                             : (block->status & VMMIO_STATUS_FEATURES_OK) != 0) {
            block->status |= VMMIO_STATUS_DRIVER_OK;
            if (vmmio_block_live(block))
                block->is.back->driver_ok(block->is.back_context);
        } else {
            vmmio_block_report(block, VMMIO_DIAG_STATUS_ORDER, VMMIO_REG_STATUS, block->status);
        }
    }
}

/* What a driver must not write, although there is an answer to it. */
static void report_oddities(const struct vmmio_block *block, uint32_t value)
{
    const uint32_t fresh = value & ~block->status;
    uint32_t may_drop = VMMIO_STATUS_NEEDS_RESET;

    if (fresh & INTERNAL_BITS) /* a driver may write NEEDS_RESET back */
        vmmio_block_report(block, VMMIO_DIAG_STATUS_RESERVED, VMMIO_REG_STATUS, value);
    if (block->status & VMMIO_STATUS_SUSPEND)
        may_drop |= VMMIO_STATUS_SUSPEND;
    if (block->status & ~value & ~may_drop &&
        !(fresh & VMMIO_STATUS_SUSPEND)) /* SUSPEND and DRIVER_OK take turns (3.4) */
        vmmio_block_report(block, VMMIO_DIAG_STATUS_BIT_DROPPED, VMMIO_REG_STATUS, value);
}

void vmmio_status_write(struct vmmio_block *block, uint32_t value)
{
    const uint32_t fresh = value & ~block->status;

    if (value == 0) {
        start_reset(block);
        return;
    }
    if (block->status & VMMIO_STATUS_FAILED) {
        vmmio_block_report(block, VMMIO_DIAG_STATUS_AFTER_FAILED, VMMIO_REG_STATUS, value);
        return;
    }
    report_oddities(block, value);
    if (fresh & VMMIO_STATUS_FAILED) {
        block->status |= VMMIO_STATUS_FAILED;
        block->is.back->failed(block->is.back_context);
    } else if (block->status & VMMIO_STATUS_SUSPEND) {
        if (fresh & VMMIO_STATUS_DRIVER_OK)
            resume(block);
    } else {
        if (fresh & VMMIO_STATUS_SUSPEND) /* before DRIVER_OK of the same write counts (SUSP-05) */
            start_suspend(block);
        if (fresh & ~(uint32_t)VMMIO_STATUS_SUSPEND)
            progress(block, fresh);
    }
}

void vmmio_block_needs_reset(struct vmmio_block *block)
{
    if (block->resetting || block->status & VMMIO_STATUS_NEEDS_RESET)
        return;
    block->status |= VMMIO_STATUS_NEEDS_RESET;
    if (block->status & VMMIO_STATUS_DRIVER_OK) /* STAT-12 */
        vmmio_interrupt_raise(block, VMMIO_INTERRUPT_CONFIG_CHANGE);
}
