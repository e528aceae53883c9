/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file blk_parts.h
 * Between the parts of the block function.
 */
#ifndef VMMIO_MODEL_DEV_BLK_PARTS_H
#define VMMIO_MODEL_DEV_BLK_PARTS_H

#include "direct.h"
#include "vmmio/dev/blk.h"

enum {
    VMMIO_BLK_HEADER_BYTES = 16,
    VMMIO_BLK_SEGMENT_BYTES = 16, /* of DISCARD and WRITE_ZEROES: sector le64, count le32, flags */
    VMMIO_BLK_SEGMENT_UNMAP = 1,
};

static inline bool vmmio_blk_has(const struct vmmio_blk *blk, enum vmmio_blk_feature bit)
{
    return (blk->negotiated >> bit & 1u) != 0;
}

static inline bool vmmio_blk_inside(const struct vmmio_blk *blk, uint64_t sector, uint64_t count)
{
    return sector <= blk->is.capacity && count <= blk->is.capacity - sector;
}

static inline const uint8_t *vmmio_blk_segment(const struct vmmio_blk_job *job, uint32_t index)
{
    return job->data + (size_t)VMMIO_BLK_SEGMENT_BYTES * index;
}

extern const struct vmmio_function_type vmmio_blk_type;

/* blk.c */

void vmmio_blk_answer(struct vmmio_blk *blk, struct vmmio_request *request,
                      enum vmmio_blk_status status, uint32_t written);
void vmmio_blk_start(struct vmmio_blk *blk, struct vmmio_request *request);

/* blk_jobs.c */

/* A storage still works for a driver that has reset its queue: later writes must stay later. */
bool vmmio_blk_overtaken(const struct vmmio_blk *blk);
/* The request waits for a job. */
void vmmio_blk_park(struct vmmio_blk *blk, struct vmmio_request *request);
/* A free job for the request; NULL if there is none: the request waits. */
struct vmmio_blk_job *vmmio_blk_take_job(struct vmmio_blk *blk, struct vmmio_request *request,
                                         uint32_t type);
void vmmio_blk_give_back(struct vmmio_blk *blk, struct vmmio_blk_job *job);
/* Goes on until the storage takes its time or the request is answered. */
void vmmio_blk_work(struct vmmio_blk *blk, struct vmmio_blk_job *job);

/* blk_in_place.c */
uint32_t vmmio_blk_serve_in_place(struct vmmio_function *function, struct vmmio_engine *engine,
                                  struct vmmio_queue *queue, uint32_t count);

/* blk_state.c */
enum vmmio_error vmmio_blk_save(const struct vmmio_function *function, struct vmmio_state *state);
enum vmmio_error vmmio_blk_restore(struct vmmio_function *function, struct vmmio_state *state);

/* blk_config.c */

/* Puts the cache mode into the writeback field. */
void vmmio_blk_show_mode(struct vmmio_blk *blk);

/*
 * True if a config write sets the writeback field to 0 or 1 and, if it is a wide one, leaves
 * everything else as it is (A-CFG-WIDTH).
 */
bool vmmio_blk_writes_mode(const struct vmmio_blk *blk, uint32_t offset, const uint8_t *data,
                           uint32_t length);

#endif
