/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file direct.h
 * Buffers by host pointer, in line while they lie in a range of memory that the engine knows.
 */
#ifndef VMMIO_MODEL_DIRECT_H
#define VMMIO_MODEL_DIRECT_H

#include "ring.h"

static inline bool vmmio_range_holds(const struct vmmio_memory_range *range, uint64_t address,
                                     uint64_t length)
{
    return length <= range->length && address - range->address <= range->length - length;
}

/* The pointer to bytes that are in the range, or NULL. */
static inline uint8_t *vmmio_in_range(const struct vmmio_memory_range *range, uint64_t address,
                                      uint64_t length)
{
    return vmmio_range_holds(range, address, length) ? range->pointer + (address - range->address)
                                                     : NULL;
}

/*
 * The pointer to a part of a request that is in one segment, first..last-1 being the segments
 * of its side, and in the known range; otherwise NULL, which says nothing but that it takes a call.
 * Nothing is called here: the pointer is good until something is.
 */
static inline uint8_t *vmmio_request_place(const struct vmmio_request *request, bool write,
                                           uint32_t offset, uint32_t length)
{
    const uint32_t last = write ? request->segment_count : request->readable_count;

    for (uint32_t i = write ? request->readable_count : 0; i < last; i++) {
        const struct vmmio_segment *segment = &request->segments[i];

        if (offset < segment->length)
            return length <= segment->length - offset
                       ? vmmio_in_range(&request->engine->ranges[write], segment->address + offset,
                                        length)
                       : NULL;
        offset -= segment->length;
    }
    return NULL;
}

/* vmmio_request_read and vmmio_request_write in line. */
static inline bool vmmio_request_read_direct(struct vmmio_request *request, uint32_t offset,
                                             void *data, uint32_t length)
{
    const uint8_t *place = vmmio_request_place(request, false, offset, length);

    if (!place || request->cancelled)
        return vmmio_request_read(request, offset, data, length);
    vmmio_copy_once(data, place, length);
    return true;
}

static inline bool vmmio_request_write_direct(struct vmmio_request *request, uint32_t offset,
                                              const void *data, uint32_t length)
{
    uint8_t *place = vmmio_request_place(request, true, offset, length);

    if (!place || request->cancelled)
        return vmmio_request_write(request, offset, data, length);
    memcpy(place, data, length);
    return true;
}

#endif
