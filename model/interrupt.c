/* SPDX-License-Identifier: Apache-2.0 */
/* InterruptStatus, and the line that is high while any of its bits is set (MMIO-IRQ-01). */
#include "rooms.h"

void vmmio_interrupt_raise(struct vmmio_block *block, uint32_t bits)
{
    const uint32_t old = block->interrupt_status;

    block->interrupt_status = old | bits;
    if (old == 0)
        block->is.host.interrupt(block->is.host.context, true);
}

void vmmio_interrupt_clear(struct vmmio_block *block, uint32_t bits)
{
    const uint32_t old = block->interrupt_status;

    block->interrupt_status = old & ~bits;
    if (old != 0 && block->interrupt_status == 0)
        block->is.host.interrupt(block->is.host.context, false);
}

void vmmio_block_regions_changed(struct vmmio_block *block)
{
    if (block->resetting)
        return;
    if (block->status & VMMIO_STATUS_SUSPEND) /* SUSP-08 */
        block->regions_deferred = true;
    else if (block->status & VMMIO_STATUS_DRIVER_OK)
        vmmio_interrupt_raise(block, VMMIO_INTERRUPT_CONFIG_CHANGE);
}

void vmmio_block_used_buffer(struct vmmio_block *block)
{
    if ((block->status & VMMIO_STATUS_DRIVER_OK || block->legacy_started) && /* STAT-10 */
        !block->resetting)                                                   /* RST-02 */
        vmmio_interrupt_raise(block, VMMIO_INTERRUPT_USED_BUFFER);
}
