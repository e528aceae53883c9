/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which registers there are, and what becomes of an access to anything else. Apart from the
 * decoder, whose way is shorter without it.
 */
#include "rooms.h"

enum { ACCESS_NONE = 0, ACCESS_R = 1, ACCESS_W = 2, ACCESS_RW = 3 };

static unsigned access_of(const struct vmmio_block *block, uint32_t offset)
{
    const bool legacy = block->is.legacy;

    switch (offset) {
#define VMMIO_X(id, name, at, access)                                                              \
    case VMMIO_REG_##id:                                                                           \
        return legacy && vmmio_modern_only(at) ? ACCESS_NONE : ACCESS_##access;
        VMMIO_REGISTERS(VMMIO_X)
#undef VMMIO_X
#define VMMIO_X(id, name, at, access)                                                              \
    case VMMIO_REG_##id:                                                                           \
        return legacy ? ACCESS_##access : ACCESS_NONE;
        VMMIO_LEGACY_REGISTERS(VMMIO_X)
#undef VMMIO_X
    default:
        return ACCESS_NONE;
    }
}

bool vmmio_layout_has(const struct vmmio_block *block, uint32_t offset)
{
    return access_of(block, offset) != ACCESS_NONE;
}

/* Reads of what a driver must not read give 0 and a message (A-WIDTH, A-WDIR, A-HOLE). */
uint32_t vmmio_layout_refuse_read(struct vmmio_block *block, uint32_t offset, uint32_t width)
{
    if (!vmmio_is_word(offset, width))
        vmmio_block_report(block, VMMIO_DIAG_ACCESS_WIDTH, offset, width);
    else if (!vmmio_layout_has(block, offset))
        vmmio_block_report(block, VMMIO_DIAG_HOLE, offset, 0);
    else
        vmmio_block_report(block, VMMIO_DIAG_READ_OF_WRITE_ONLY, offset, 0);
    return 0;
}

/* Writes that are not for a register of the modern layout. */
void vmmio_layout_other_write(struct vmmio_block *block, uint32_t offset, uint32_t value)
{
    const unsigned access = access_of(block, offset);

    if (access == ACCESS_NONE)
        vmmio_block_report(block, VMMIO_DIAG_HOLE, offset, value);
    else if (!(access & ACCESS_W))
        vmmio_block_report(block, VMMIO_DIAG_WRITE_OF_READ_ONLY, offset, value);
    else if (offset == VMMIO_REG_GUEST_PAGE_SIZE)
        block->guest_page_size = value;
    else
        vmmio_queues_write(block, offset, value);
}
