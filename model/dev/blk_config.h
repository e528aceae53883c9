/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file blk_config.h
 * Between the two halves of the block function: requests (blk.c) and configuration (blk_config.c).
 */
#ifndef VMMIO_MODEL_DEV_BLK_CONFIG_H
#define VMMIO_MODEL_DEV_BLK_CONFIG_H

#include "vmmio/dev/blk.h"

extern const struct vmmio_function_type vmmio_blk_type;

/* blk_state.c */
enum vmmio_error vmmio_blk_save(const struct vmmio_function *function, struct vmmio_state *state);
enum vmmio_error vmmio_blk_restore(struct vmmio_function *function, struct vmmio_state *state);

/* Puts the cache mode into the writeback field. */
void vmmio_blk_show_mode(struct vmmio_blk *blk);

/*
 * True if a config write sets the writeback field to 0 or 1 and, if it is a wide one, leaves
 * everything else as it is (A-CFG-WIDTH).
 */
bool vmmio_blk_writes_mode(const struct vmmio_blk *blk, uint32_t offset, const uint8_t *data,
                           uint32_t length);

#endif
