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

/** A part of guest memory that lies behind one host pointer. */
struct vmmio_memory_range {
    uint64_t address; /**< of its first byte */
    uint64_t length;  /**< bytes; the range does not go on at address 0 */
    uint8_t *pointer; /**< of its first byte */
};

/** Access to guest physical memory. Functions are required, but for range, and must not throw. */
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
    /**
     * The largest range that address is in and that may be read, and written if write is set;
     * false if there is none. It stays valid as the pointers of map do, and saves the calls of map
     * for all that is in it: give none if each access has to be seen. May be NULL.
     */
    bool (*range)(void *context, uint64_t address, bool write, struct vmmio_memory_range *range);
};

#ifdef __cplusplus
}
#endif
#endif
