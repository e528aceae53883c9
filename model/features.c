/* SPDX-License-Identifier: Apache-2.0 */
/* Feature words 0-3 and their negotiation (2.2). */
#include "rooms.h"

uint32_t vmmio_features_device_word(const struct vmmio_block *block)
{
    /* Words above 3 do not exist and must not alias others (A-DEVFEAT-SEL). */
    return block->device_features_sel < 4 ? block->is.features.word[block->device_features_sel] : 0;
}

void vmmio_features_driver_write(struct vmmio_block *block, uint32_t value)
{
    const uint32_t sel = block->driver_features_sel;

    if (block->status & VMMIO_STATUS_FEATURES_OK) {
        vmmio_block_report(block, VMMIO_DIAG_FEATURE_LATE, VMMIO_REG_DRIVER_FEATURES, value);
    } else if (sel < 4) {
        block->driver_features.word[sel] = value; /* replaces (A-DRVFEAT-REWRITE) */
    } else if (value) {
        block->features_word_bad = true;
        vmmio_block_report(block, VMMIO_DIAG_FEATURE_WORD, VMMIO_REG_DRIVER_FEATURES, sel);
    }
}

static bool refuse(struct vmmio_block *block, enum vmmio_diag_id id, uint64_t value)
{
    vmmio_block_report(block, id, VMMIO_REG_STATUS, value);
    return false;
}

bool vmmio_features_acceptable(struct vmmio_block *block)
{
    const struct vmmio_features *driver = &block->driver_features;

    if (block->features_word_bad)
        return refuse(block, VMMIO_DIAG_FEATURE_WORD, 0);
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t extra = driver->word[i] & ~block->is.features.word[i];
        const uint32_t missing = block->is.required_features.word[i] & ~driver->word[i];

        if (extra)
            return refuse(block, VMMIO_DIAG_FEATURE_NOT_OFFERED, extra);
        if (missing)
            return refuse(block, VMMIO_DIAG_FEATURE_REQUIRED, missing);
    }
    for (uint32_t i = 0; i < block->is.dependency_count; i++) {
        const struct vmmio_feature_dependency *d = &block->is.dependencies[i];

        if (vmmio_features_has(driver, d->bit) && !vmmio_features_has(driver, d->requires))
            return refuse(block, VMMIO_DIAG_FEATURE_DEPENDENCY, d->bit);
    }
    return true;
}
