/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file memory.h
 * How the queue engine reaches the driver's memory: by host pointer where the platform can give
 * one, by transactions where it cannot. Both ways give the same bytes.
 */
#ifndef VMMIO_MEMORY_H
#define VMMIO_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Access to guest physical memory; all functions are required and must not fail by exception. */
struct vmmio_memory {
    void *context;
    /**
     * A host pointer to length bytes at address that may be read, and written if write is set,
     * or NULL if there is none. It must stay valid until vmmio_device_forget_pointers.
     */
    void *(*map)(void *context, uint64_t address, uint64_t length, bool write);
    /** Copies length bytes from guest memory; false on a bus error. */
    bool (*read)(void *context, uint64_t address, void *data, uint32_t length);
    /** Copies length bytes to guest memory; false on a bus error. */
    bool (*write)(void *context, uint64_t address, const void *data, uint32_t length);
};

#ifdef __cplusplus
}
#endif
#endif
