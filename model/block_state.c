/* SPDX-License-Identifier: Apache-2.0 */
/* Save and restore of the register block: what the driver sees, and what it is part of. */
#include "rooms.h"
#include "state_parts.h"

enum {
    STATUS_BITS = VMMIO_STATUS_ACKNOWLEDGE | VMMIO_STATUS_DRIVER | VMMIO_STATUS_DRIVER_OK |
                  VMMIO_STATUS_FEATURES_OK | VMMIO_STATUS_SUSPEND | VMMIO_STATUS_NEEDS_RESET |
                  VMMIO_STATUS_FAILED,
    INTERRUPT_BITS = VMMIO_INTERRUPT_USED_BUFFER | VMMIO_INTERRUPT_CONFIG_CHANGE,
};

/* Identity: must be the same in the device that is restored. */

static bool same8(struct vmmio_state *state, uint8_t own)
{
    uint8_t value = own;

    vmmio_state_u8(state, &value);
    return value == own;
}

static bool same32(struct vmmio_state *state, uint32_t own)
{
    uint32_t value = own;

    vmmio_state_u32(state, &value);
    return value == own;
}

static bool same64(struct vmmio_state *state, uint64_t own)
{
    uint64_t value = own;

    vmmio_state_u64(state, &value);
    return value == own;
}

/* By id, as the order in the table tells of removals only. */
static bool same_regions(const struct vmmio_shm *shm, struct vmmio_state *state)
{
    bool same = same32(state, shm->region_count);

    for (uint32_t id = 0; same && id < 256; id++) {
        const struct vmmio_shm_region *region = vmmio_shm_find(shm, id);

        if (region)
            same = same8(state, region->id) && same64(state, region->base) &&
                   same64(state, region->length);
    }
    return same;
}

enum vmmio_error vmmio_block_identity(const struct vmmio_block *block, struct vmmio_state *state)
{
    bool same = same32(state, block->is.device_id) && same32(state, block->is.vendor_id) &&
                same32(state, block->is.legacy ? VMMIO_VERSION_LEGACY : VMMIO_VERSION_MODERN);

    for (size_t i = 0; same && i < 4; i++)
        same = same32(state, block->is.features.word[i]);
    same = same && same32(state, block->is.queue_count);
    for (uint32_t i = 0; same && i < block->is.queue_count; i++)
        same = same32(state, block->is.queues[i].size_max);
    same = same && same32(state, block->is.config_length) && same_regions(&block->shm, state);
    return same ? VMMIO_ERROR_OK : VMMIO_ERROR_STATE_DEVICE;
}

/* Registers. */

static void visit_shm(struct vmmio_shm *shm, struct vmmio_state *state)
{
    vmmio_state_u32(state, &shm->sel);
    vmmio_state_u64(state, &shm->length);
    vmmio_state_u64(state, &shm->base);
    vmmio_state_bool(state, &shm->untouched);
}

static void visit(struct vmmio_block *block, struct vmmio_state *state)
{
    vmmio_state_u32(state, &block->status);
    vmmio_state_u32(state, &block->device_features_sel);
    vmmio_state_u32(state, &block->driver_features_sel);
    for (size_t i = 0; i < 4; i++)
        vmmio_state_u32(state, &block->driver_features.word[i]);
    vmmio_state_bool(state, &block->features_word_bad);
    vmmio_state_u32(state, &block->queue_sel);
    vmmio_state_u32(state, &block->queue_notify);
    vmmio_state_u32(state, &block->interrupt_status);
    vmmio_state_u32(state, &block->interrupt_ack);
    vmmio_state_u32(state, &block->config_generation);
    vmmio_state_bool(state, &block->resetting);
    vmmio_state_bool(state, &block->suspending);
    vmmio_state_bool(state, &block->regions_deferred);
    visit_shm(&block->shm, state);
    vmmio_state_bytes(state, block->config, block->is.config_length);
    if (block->is.legacy) {
        vmmio_state_bool(state, &block->legacy_started);
        vmmio_state_u32(state, &block->guest_page_size);
    }
}

void vmmio_queues_visit(struct vmmio_queue_registers *registers, bool legacy,
                        struct vmmio_state *state)
{
    if (legacy) {
        vmmio_state_u32(state, &registers->align);
        vmmio_state_u32(state, &registers->pfn);
    }
    vmmio_state_u32(state, &registers->size);
    vmmio_state_u64(state, &registers->desc);
    vmmio_state_u64(state, &registers->driver);
    vmmio_state_u64(state, &registers->device);
    vmmio_state_bool(state, &registers->ready);
}

/* What the status machine leaves possible, and the engine and the function rely on. */
static bool status_possible(const struct vmmio_block *fresh)
{
    const uint32_t status = fresh->status;
    const uint32_t running = status & (VMMIO_STATUS_DRIVER_OK | VMMIO_STATUS_SUSPEND);
    const bool suspends = status & VMMIO_STATUS_SUSPEND || fresh->suspending;
    uint64_t value;

    if (status & ~(uint32_t)STATUS_BITS)
        return false;
    if (running == (VMMIO_STATUS_DRIVER_OK | VMMIO_STATUS_SUSPEND))
        return false;
    if (running && !(status & VMMIO_STATUS_FEATURES_OK) && !fresh->legacy_started)
        return false;
    if (fresh->interrupt_status && !running && !fresh->legacy_started)
        return false;
    if (status & VMMIO_STATUS_SUSPEND ? fresh->suspending : fresh->regions_deferred)
        return false;
    if (fresh->is.legacy)
        return !(status & VMMIO_STATUS_FEATURES_OK) && !suspends &&
               (!fresh->legacy_started || vmmio_features_fault(fresh, &value) == VMMIO_DIAG_COUNT);
    if (suspends && !(running && vmmio_features_negotiated(fresh, VMMIO_F_SUSPEND)))
        return false;
    return !(status & VMMIO_STATUS_FEATURES_OK) ||
           (status & VMMIO_STATUS_DRIVER &&
            vmmio_features_fault(fresh, &value) == VMMIO_DIAG_COUNT);
}

/* Before the first write to SHMSel the latch follows the table (A-SHM-3). */
static bool latch_possible(const struct vmmio_shm *shm)
{
    const struct vmmio_shm_region *first = vmmio_shm_find(shm, 0);

    return !shm->untouched ||
           (shm->sel == 0 && shm->length == (first ? first->length : UINT64_MAX) &&
            shm->base == (first ? first->base : UINT64_MAX));
}

static bool possible(const struct vmmio_block *fresh)
{
    return status_possible(fresh) && !(fresh->interrupt_status & ~(uint32_t)INTERRUPT_BITS) &&
           !(fresh->config_generation && fresh->is.config_length == 0) &&
           latch_possible(&fresh->shm);
}

enum vmmio_error vmmio_block_state(struct vmmio_block *block, struct vmmio_block *fresh,
                                   struct vmmio_state *state)
{
    visit(fresh, state);
    if (!vmmio_state_reading(state))
        return VMMIO_ERROR_OK;
    if (!possible(fresh))
        return VMMIO_ERROR_STATE_INVALID;
    if (state->commit)
        *block = *fresh;
    return VMMIO_ERROR_OK;
}
