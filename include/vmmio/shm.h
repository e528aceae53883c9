/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file shm.h
 * The shared memory registers: a sparse table of regions and the latch behind SHMSel.
 */
#ifndef VMMIO_SHM_H
#define VMMIO_SHM_H

#include "vmmio/error.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Regions that one device can have. */
#define VMMIO_SHM_REGIONS_MAX 8u

/** One shared memory region (SHM-01). */
struct vmmio_shm_region {
    uint8_t id;      /**< shmid; ids may be sparse */
    uint64_t base;   /**< guest physical address of the first byte */
    uint64_t length; /**< bytes, at least 1 (A-SHM-7) */
};

/** The room; its members are private. */
struct vmmio_shm {
    struct vmmio_shm_region region[VMMIO_SHM_REGIONS_MAX];
    uint32_t region_count;
    uint32_t sel;    /**< SHMSel */
    uint64_t length; /**< latch: length of the region selected at the last write to SHMSel */
    uint64_t base;   /**< latch: its base, taken in the same step (A-SHM-4) */
    bool untouched;  /**< SHMSel was never written: the latch follows the table (A-SHM-3) */
};

/** Empties the table, selects id 0. */
void vmmio_shm_init(struct vmmio_shm *shm);

/** Device reset: selects id 0 and reloads the latch; the table stays (A-SHM-6). */
void vmmio_shm_reset(struct vmmio_shm *shm);

/**
 * A write to SHMSel: latches length and base of region sel in one step. All 32 bits are
 * compared; an id without a region latches all ones (MMIO-SHM-03, -05, -06).
 */
void vmmio_shm_select(struct vmmio_shm *shm, uint32_t sel);

/**
 * Adds a region. Refuses, leaving the table as it was, length 0, a wrap at 2^64, an id that is
 * taken, an overlap with another region and a full table. The driver sees the new table at its
 * next write to SHMSel (A-SHM-5); before the first one the latch shows region 0 (A-SHM-3).
 */
enum vmmio_error vmmio_shm_add(struct vmmio_shm *shm, const struct vmmio_shm_region *region);

/** Removes the region with this id; the latch keeps what the driver may be reading. */
enum vmmio_error vmmio_shm_remove(struct vmmio_shm *shm, uint8_t id);

/** Gives the region that has region->id another base and length, with the checks of add. */
enum vmmio_error vmmio_shm_change(struct vmmio_shm *shm, const struct vmmio_shm_region *region);

/** The region with this id, or NULL. Valid until the table changes. */
const struct vmmio_shm_region *vmmio_shm_find(const struct vmmio_shm *shm, uint32_t id);

#ifdef __cplusplus
}
#endif
#endif
