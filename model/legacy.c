/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the legacy layout does in its own way (4.2.4): it finds a ring by a page number, and goes
 * from feature bits to work without FEATURES_OK. It has no Verilog twin.
 */
#include "rooms.h"

/*
 * Bits that are not offered, or that lack one they need, cannot be refused: there is no
 * FEATURES_OK. They do not count.
 */
static void drop_bad_features(struct vmmio_block *block)
{
    struct vmmio_features *driver = &block->driver_features;
    bool dropped = true;

    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t extra = driver->word[i] & ~block->is.features.word[i];

        if (extra)
            vmmio_block_report(block, VMMIO_DIAG_FEATURE_NOT_OFFERED, VMMIO_REG_STATUS, extra);
        driver->word[i] &= ~extra;
    }
    block->features_word_bad = false;
    while (dropped) {
        dropped = false;
        for (uint32_t i = 0; i < block->is.dependency_count; i++) {
            const struct vmmio_feature_dependency *d = &block->is.dependencies[i];

            if (!vmmio_features_has(driver, d->bit) || vmmio_features_has(driver, d->requires))
                continue;
            vmmio_block_report(block, VMMIO_DIAG_FEATURE_DEPENDENCY, VMMIO_REG_STATUS, d->bit);
            vmmio_features_remove(driver, d->bit);
            dropped = true;
        }
    }
}

/* Takes the features over when they are first needed; false if the device cannot work with them. */
bool vmmio_legacy_start(struct vmmio_block *block)
{
    if (block->legacy_started)
        return true;
    drop_bad_features(block);
    if (!block->is.back->features_ok(block->is.back_context, &block->driver_features)) {
        vmmio_block_report(block, VMMIO_DIAG_FEATURE_REFUSED, VMMIO_REG_STATUS,
                           block->driver_features.word[0]);
        return false;
    }
    block->legacy_started = true;
    block->is.back->driver_ok(block->is.back_context);
    return true;
}

static bool power_of_two(uint32_t value) { return value && !(value & (value - 1)); }

/* The addresses of a queue at this page (SPLIT-L1); false if there is no such layout (H-21). */
bool vmmio_legacy_lay_out(const struct vmmio_block *block, struct vmmio_queue_registers *queue,
                          uint32_t pfn)
{
    if (!power_of_two(block->guest_page_size) || !power_of_two(queue->align))
        return false;
    const uint64_t align = queue->align;
    /* Of one page each at least, so that there is no overflow: 32 bits by 32, and small sizes. */
    queue->desc = (uint64_t)pfn * block->guest_page_size;
    queue->driver = queue->desc + VMMIO_DESC_BYTES * (uint64_t)queue->size;
    queue->device = (queue->driver + 6 + 2 * (uint64_t)queue->size + align - 1) & ~(align - 1);
    queue->pfn = pfn;
    return true;
}
