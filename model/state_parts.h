/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file state_parts.h
 * What the files of save and restore share. Each part is one function for both directions: it
 * visits its fields, in a private copy, and when they come from a stream judges them and, in
 * commit, takes them over.
 */
#ifndef VMMIO_MODEL_STATE_PARTS_H
#define VMMIO_MODEL_STATE_PARTS_H

#include "vmmio/state.h"

static inline bool vmmio_state_reading(const struct vmmio_state *state) { return state->in; }

/* block_state.c. fresh is the copy, which the other parts judge by. */
enum vmmio_error vmmio_block_identity(const struct vmmio_block *block, struct vmmio_state *state);
enum vmmio_error vmmio_block_state(struct vmmio_block *block, struct vmmio_block *fresh,
                                   struct vmmio_state *state);
void vmmio_queues_visit(struct vmmio_queue_registers *registers, bool legacy,
                        struct vmmio_state *state);

/* engine_state.c */
enum vmmio_error vmmio_engine_state(struct vmmio_engine *engine, const struct vmmio_block *fresh,
                                    struct vmmio_state *state);

#endif
