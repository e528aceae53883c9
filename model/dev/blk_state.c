/* SPDX-License-Identifier: Apache-2.0 */
/* Save and restore of a block device. Its requests are the engine's, its bytes the storage's. */
#include "blk_parts.h"

#include "vmmio/state.h"

struct kept {
    uint64_t capacity; /* the driver was told */
    bool write_through;
};

static void visit(struct kept *kept, struct vmmio_state *state)
{
    vmmio_state_u64(state, &kept->capacity);
    vmmio_state_bool(state, &kept->write_through);
}

enum vmmio_error vmmio_blk_save(const struct vmmio_function *function, struct vmmio_state *state)
{
    const struct vmmio_blk *blk = (const struct vmmio_blk *)function;
    struct kept kept = {blk->is.capacity, blk->write_through};

    visit(&kept, state);
    return VMMIO_ERROR_OK;
}

enum vmmio_error vmmio_blk_restore(struct vmmio_function *function, struct vmmio_state *state)
{
    struct vmmio_blk *blk = (struct vmmio_blk *)function;
    struct kept kept = {0, false};

    visit(&kept, state);
    if (kept.capacity != blk->is.capacity)
        return VMMIO_ERROR_STATE_DEVICE;
    if (state->commit) {
        blk->started = state->negotiated != NULL;
        blk->write_through = kept.write_through;
        vmmio_blk_show_mode(blk);
    }
    return VMMIO_ERROR_OK;
}
