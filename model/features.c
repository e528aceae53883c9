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

    if (block->status & VMMIO_STATUS_FEATURES_OK || block->legacy_started) {
        vmmio_block_report(block, VMMIO_DIAG_FEATURE_LATE, VMMIO_REG_DRIVER_FEATURES, value);
    } else if (sel < 4) {
        block->driver_features.word[sel] = value; /* replaces (A-DRVFEAT-REWRITE) */
    } else if (value) {
        block->features_word_bad = true;
        vmmio_block_report(block, VMMIO_DIAG_FEATURE_WORD, VMMIO_REG_DRIVER_FEATURES, sel);
    }
}

enum vmmio_diag_id vmmio_features_fault(const struct vmmio_block *block, uint64_t *value)
{
    const struct vmmio_features *driver = &block->driver_features;

    *value = 0;
    if (block->features_word_bad)
        return VMMIO_DIAG_FEATURE_WORD;
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t extra = driver->word[i] & ~block->is.features.word[i];
        const uint32_t missing = block->is.required_features.word[i] & ~driver->word[i];

        *value = extra ? extra : missing;
        if (extra)
            return VMMIO_DIAG_FEATURE_NOT_OFFERED;
        if (missing)
            return VMMIO_DIAG_FEATURE_REQUIRED;
    }
    for (uint32_t i = 0; i < block->is.dependency_count; i++) {
        const struct vmmio_feature_dependency *d = &block->is.dependencies[i];

        *value = d->bit;
        if (vmmio_features_has(driver, d->bit) && !vmmio_features_has(driver, d->requires))
            return VMMIO_DIAG_FEATURE_DEPENDENCY;
    }
    return VMMIO_DIAG_COUNT;
}

bool vmmio_features_acceptable(struct vmmio_block *block)
{
    uint64_t value;
    const enum vmmio_diag_id fault = vmmio_features_fault(block, &value);

    if (fault != VMMIO_DIAG_COUNT)
        vmmio_block_report(block, fault, VMMIO_REG_STATUS, value);
    return fault == VMMIO_DIAG_COUNT;
}
