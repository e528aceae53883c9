/* SPDX-License-Identifier: Apache-2.0 */
/* The config window: bytes, their generation, and who may write them (2.5, A-CFG-*). */
#include "rooms.h"

#include <string.h>

static bool access_ok(struct vmmio_block *block, uint32_t offset, uint32_t width)
{
    if ((width == 1 || width == 2 || width == 4) && offset % width == 0)
        return true;
    vmmio_block_report(block, VMMIO_DIAG_ACCESS_WIDTH, offset, width);
    return false;
}

/* Bytes of an access that lie inside the config space; the others read 0 (A-CFG-OOB). */
static uint32_t inside(const struct vmmio_block *block, uint32_t at, uint32_t width)
{
    const uint32_t length = block->is.config_length;

    if (at >= length)
        return 0;
    return length - at < width ? length - at : width;
}

uint32_t vmmio_config_peek(const struct vmmio_block *block, uint32_t at, uint32_t width)
{
    const uint32_t count = inside(block, at, width);
    uint32_t value = 0;

    for (uint32_t i = 0; i < count; i++)
        value |= (uint32_t)block->config[at + i] << 8 * i;
    return value;
}

uint32_t vmmio_config_read(struct vmmio_block *block, uint32_t offset, uint32_t width)
{
    const uint32_t at = offset - VMMIO_REG_CONFIG;

    if (!access_ok(block, offset, width))
        return 0;
    if (at >= block->is.config_length)
        vmmio_block_report(block, VMMIO_DIAG_HOLE, offset, 0);
    return vmmio_config_peek(block, at, width);
}

void vmmio_config_write(struct vmmio_block *block, uint32_t offset, uint32_t width, uint32_t value)
{
    const uint32_t at = offset - VMMIO_REG_CONFIG;
    const uint8_t data[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                             (uint8_t)(value >> 24)};

    if (!access_ok(block, offset, width))
        return;
    const uint32_t count = inside(block, at, width);
    if (count == 0)
        vmmio_block_report(block, VMMIO_DIAG_HOLE, offset, value);
    else if (block->status & VMMIO_STATUS_SUSPEND || block->suspending) /* SUSP-06 */
        vmmio_block_report(block, VMMIO_DIAG_CONFIG_SUSPENDED, offset, value);
    else if (!block->is.back->config_write(block->is.back_context, at, data, count))
        vmmio_block_report(block, VMMIO_DIAG_CONFIG_READ_ONLY, offset, value);
    else
        memcpy(block->config + at, data, count); /* the driver's own change is no new generation */
}

bool vmmio_block_config_update(struct vmmio_block *block, const uint8_t *data, bool notify)
{
    if (block->status & VMMIO_STATUS_SUSPEND && !block->resetting) /* SUSP-07 */
        return false;
    if (block->is.config_length == 0 || memcmp(block->config, data, block->is.config_length) == 0)
        return true;
    memcpy(block->config, data, block->is.config_length);
    block->config_generation++; /* wraps, and survives a reset (A-GEN) */
    if (notify && block->status & VMMIO_STATUS_DRIVER_OK && !block->resetting)
        vmmio_interrupt_raise(block, VMMIO_INTERRUPT_CONFIG_CHANGE);
    return true;
}
