/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file null.h
 * Null device (id 42): two queues that give every buffer back untouched, with length 0. It shows
 * what the transport alone costs, and lets tests look at rings without a device's own rules.
 */
#ifndef VMMIO_DEV_NULL_H
#define VMMIO_DEV_NULL_H

#include "vmmio/function.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The function; caller-owned. */
struct vmmio_null {
    struct vmmio_function function;
    uint64_t requests; /**< given back so far */
};

/** Prepares a null function with two queues. */
void vmmio_null_init(struct vmmio_null *null);

/** Prepares a placeholder: DeviceID 0, no queue; drivers pass it by (MMIO-DEVID-02). */
void vmmio_placeholder_init(struct vmmio_null *null);

#ifdef __cplusplus
}
#endif
#endif
