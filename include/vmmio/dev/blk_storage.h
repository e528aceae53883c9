/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file blk_storage.h
 * Storages of a block device that finish every job at once: RAM, nothing, and a file.
 */
#ifndef VMMIO_DEV_BLK_STORAGE_H
#define VMMIO_DEV_BLK_STORAGE_H

#include "vmmio/dev/blk.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Memory as storage; the bytes are the caller's. */
struct vmmio_blk_ram {
    uint8_t *bytes;
    uint64_t length; /**< bytes; the largest size that the device can have */
};

/** Data is copied once, between ram and guest. Discarded sectors read zero. */
struct vmmio_blk_storage vmmio_blk_use_ram(struct vmmio_blk_ram *ram);

/** Reads zeroes, forgets what is written. For measurements. */
struct vmmio_blk_storage vmmio_blk_use_nothing(void);

/** An open file or block device as storage; it stays the caller's. */
struct vmmio_blk_file {
    int descriptor;
};

/**
 * Works on the file while the device waits; model/tlm has a storage that does not. A file grows
 * with the device and is never made shorter.
 */
struct vmmio_blk_storage vmmio_blk_use_file(struct vmmio_blk_file *file);

/**
 * Does a job on an open file and says whether it could; FLUSH returns when everything written is on
 * stable storage. Calls vmmio_blk_job_done for nobody; may be called from several threads.
 */
bool vmmio_blk_file_execute(int descriptor, struct vmmio_blk_job *job);

/** Makes sure that a file has at least this many bytes; false if it cannot. */
bool vmmio_blk_file_reserve(int descriptor, uint64_t bytes);

#ifdef __cplusplus
}
#endif
#endif
