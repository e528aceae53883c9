/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file pmem.h
 * Persistent memory device (id 27, PMEM-01 .. PMEM-10): a range of memory that the driver works in
 * directly, and a queue for flush requests.
 *
 * The range is shared memory region 0 if VIRTIO_PMEM_F_SHMEM_REGION is negotiated; otherwise the
 * driver finds it in the config fields start and size. They read their values until the bit is
 * negotiated, and 0 from then to the next reset (PMEM-03).
 */
#ifndef VMMIO_DEV_PMEM_H
#define VMMIO_DEV_PMEM_H

#include "vmmio/error.h"
#include "vmmio/function.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The shared memory region that carries the range (PMEM-02). */
#define VMMIO_PMEM_SHM_ID 0

/** A request is this type in 4 bytes little endian; nothing else is defined (PMEM-06). */
#define VMMIO_PMEM_FLUSH 0u

/** The range and how it is made durable. */
struct vmmio_pmem_config {
    uint64_t start; /**< guest physical address, not 0 */
    uint64_t size;  /**< bytes, not 0 */
    /** Makes all earlier writes durable; false if that failed. NULL: nothing to do. */
    bool (*flush)(void *context);
    void *context;
    bool no_shmem_region; /**< do not offer VIRTIO_PMEM_F_SHMEM_REGION */
};

/** The function; caller-owned. */
struct vmmio_pmem {
    struct vmmio_function function;
    struct vmmio_pmem_config is;
    uint8_t config_bytes[16]; /**< le64 start, le64 size, as the driver reads them now */
    uint64_t flushes;         /**< answered with success so far */
};

/** Prepares a pmem function; VMMIO_ERROR_PMEM_REGION if the range is empty or wraps. */
enum vmmio_error vmmio_pmem_init(struct vmmio_pmem *pmem, const struct vmmio_pmem_config *config);

#ifdef __cplusplus
}
#endif
#endif
