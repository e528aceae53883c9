/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file entropy.h
 * Entropy device (id 4, RNG-01 .. RNG-05): one queue of device-writable buffers that it fills
 * with random bytes. Readable parts of a chain are left alone and reported.
 */
#ifndef VMMIO_DEV_ENTROPY_H
#define VMMIO_DEV_ENTROPY_H

#include "vmmio/function.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Most bytes that one request gets unless configured otherwise (RNG-05, H-54). */
#define VMMIO_ENTROPY_CAP 65536u

/** Where random bytes come from. */
struct vmmio_entropy_config {
    /** Fills length (1..256) bytes; false if none can be had. NULL: the host's getrandom. */
    bool (*fill)(void *context, uint8_t *data, uint32_t length);
    void *context;
    uint32_t cap; /**< most bytes per request; 0: VMMIO_ENTROPY_CAP */
};

/** The function; caller-owned. */
struct vmmio_entropy {
    struct vmmio_function function;
    struct vmmio_entropy_config is;
    uint64_t requests; /**< given back so far */
    uint64_t bytes;    /**< given to drivers so far */
};

/** Prepares an entropy function; config may be NULL for the defaults. */
void vmmio_entropy_init(struct vmmio_entropy *entropy, const struct vmmio_entropy_config *config);

#ifdef __cplusplus
}
#endif
#endif
