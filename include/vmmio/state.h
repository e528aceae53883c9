/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file state.h
 * Save and restore: the whole state of a device as a stream of bytes. docs/state.md has the layout,
 * byte by byte.
 *
 * Kept are the registers, the queues with their positions, the requests that are in the device
 * function, and the function's own state. Not kept are guest memory, the bytes behind a block
 * device and other back ends, and counters: save and restore these together with the device.
 *
 *     size_t length;
 *     vmmio_device_save(&device, NULL, NULL, 0, &length);         // how many bytes
 *     uint8_t *bytes = malloc(length);
 *     vmmio_device_save(&device, NULL, bytes, length, &length);
 *     ...
 *     error = vmmio_device_restore(&other, NULL, bytes, length);  // made from the same config
 *     while (vmmio_device_has_work(&other))
 *         vmmio_device_run(&other, 64);
 *
 * Both work at any time between two calls of the device; inside of one (from a DMA access or an
 * interrupt that it causes) they are STATE_BUSY.
 *
 * A request that a function had not completed is handed to the restored device's function again, at
 * its first run: it is done at least once. Its descriptors come from the stream, not from the ring.
 */
#ifndef VMMIO_STATE_H
#define VMMIO_STATE_H

#include "vmmio/device.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The version of the format that is written, and the only one that is read. */
#define VMMIO_STATE_VERSION 1u

/** Bytes before the first section: magic, version, checksum, length. */
#define VMMIO_STATE_HEADER_BYTES 24u

/** What a host with a clock has to remember. In femtoseconds from now on; 0: at once, or nothing.
 */
struct vmmio_state_times {
    uint64_t reset_in; /**< until a reset that hold_reset keeps running is completed */
    uint64_t work_in;  /**< until the device is to run */
};

/**
 * Writes the state into the caller's buffer and its length in bytes to *length. STATE_ROOM if
 * capacity is less; nothing is written then, and buffer may be NULL. STATE_BUSY and STATE_SESSION
 * say what has to end first. The device goes on as if nothing had happened.
 *
 * @param times may be NULL: all 0.
 */
enum vmmio_error vmmio_device_save(const struct vmmio_device *device,
                                   const struct vmmio_state_times *times, uint8_t *buffer,
                                   size_t capacity, size_t *length);

/**
 * Puts a device into a saved state, whatever it did before. It must have been made from a config
 * like that of the saved one; the sizes of its pools need only suffice. Everything is checked
 * first: after an error the device is as it was.
 *
 * What a device reset calls is called here, too (function->type->reset, config.on_reset). Then the
 * interrupt line gets its restored level, and the rest is done by vmmio_device_run. A function that
 * refuses the features that its like had negotiated gets the device into DEVICE_NEEDS_RESET.
 *
 * @param times what was given to save; may be NULL.
 */
enum vmmio_error vmmio_device_restore(struct vmmio_device *device, struct vmmio_state_times *times,
                                      const uint8_t *bytes, size_t length);

/** A state on its way, for save and restore of a device function. */
struct vmmio_state {
    struct vmmio_engine *engine;             /**< of the device; for vmmio_queue_wake, in commit */
    const struct vmmio_features *negotiated; /**< NULL before FEATURES_OK */
    bool commit;                             /**< restore: judged already, take it over */
    /* Private from here on. */
    bool failed;       /* reading went beyond the end, or found a bool that is none */
    const uint8_t *in; /* NULL: writing */
    uint8_t *out;      /* NULL: counting */
    size_t at, end;
};

/**
 * The fields of a state, in the order in which they are called for: save appends what the pointer
 * points at, restore changes it. In the stream they are little-endian without gaps. Restoring a
 * stream that ends too early gives 0, and an error by itself; a bool is 0 or 1.
 */
void vmmio_state_bytes(struct vmmio_state *state, void *data, size_t length);
void vmmio_state_bool(struct vmmio_state *state, bool *value);
void vmmio_state_u8(struct vmmio_state *state, uint8_t *value);
void vmmio_state_u16(struct vmmio_state *state, uint16_t *value);
void vmmio_state_u32(struct vmmio_state *state, uint32_t *value);
void vmmio_state_u64(struct vmmio_state *state, uint64_t *value);

/** Save only: appends length bytes. */
void vmmio_state_put(struct vmmio_state *state, const void *data, size_t length);

/** Restore only: the next length bytes where they are; NULL if there are fewer. */
const uint8_t *vmmio_state_view(struct vmmio_state *state, size_t length);

#ifdef __cplusplus
}
#endif
#endif
