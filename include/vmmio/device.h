/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file device.h
 * A whole virtio-mmio device in C: register block, queue engine and a device function in one.
 *
 * Covers the modern register layout, split and packed virtqueues (indirect, EVENT_IDX,
 * IN_ORDER, NOTIFICATION_DATA, RING_RESET, SUSPEND). All structs are the caller's; nothing is
 * allocated and there are no globals. One device is used from one thread at a time.
 *
 *     struct vmmio_entropy entropy;
 *     vmmio_entropy_init(&entropy, NULL);
 *     struct vmmio_device device;
 *     vmmio_device_init(&device, &config);     // config.function = &entropy.function, ...
 *     uint32_t magic = vmmio_device_read(&device, VMMIO_REG_MAGIC_VALUE, 4);
 *     while (vmmio_device_has_work(&device))   // after a write that was a kick
 *         vmmio_device_run(&device, 64);
 */
#ifndef VMMIO_DEVICE_H
#define VMMIO_DEVICE_H

#include "vmmio/engine.h"
#include "vmmio/register_block.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Somebody who stands on the seam, such as a register block in Verilog: the engine tells `front`
 * what it would tell the C block, and the C block tells `back` what it would tell the engine.
 */
struct vmmio_between {
    const struct vmmio_front_side *front;
    const struct vmmio_back_side *back;
    void *context; /**< of all calls */

    /**
     * Save and restore (vmmio/state.h) have the registers of the C block, which has to be in step.
     * Whether they may: VMMIO_ERROR_OK, STATE_BUSY or STATE_FORM. Of a restore asked again when the
     * stream is judged: state has its registers but for those of the queues; NULL otherwise. If the
     * function is NULL, STATE_FORM.
     */
    enum vmmio_error (*may_pass)(void *context, const struct vmmio_block *state);
    /** The C block was put into a saved state: follow it. Not NULL if may_pass is not. */
    void (*follow)(void *context);
};

/** What a device is made of. The structs pointed to stay the caller's and must outlive it. */
struct vmmio_device_config {
    struct vmmio_function *function; /**< what the device does */
    uint32_t vendor_id;              /**< VendorID, any value */
    /** Queue and negotiation bits to offer, a subset of vmmio_device_features(). */
    struct vmmio_features features;
    /**
     * Of every queue, 1 to 32768; a power of 2 unless RING_PACKED is offered. A driver that takes
     * split rings needs a power of 2 in any case, and Linux takes none below the maximum.
     */
    uint32_t queue_size_max;
    struct vmmio_memory memory;
    struct vmmio_host host;
    struct vmmio_queue_registers *queue_registers; /**< queue_count of them */
    struct vmmio_queue *queues;                    /**< queue_count of them */
    uint32_t queue_count;                          /**< at least function->queue_count */
    struct vmmio_request *requests; /**< as many as shall be in the function at once */
    uint32_t request_count;         /**< at least 1 */
    struct vmmio_segment *segments; /**< at least queue_size_max for each request */
    uint32_t segment_count;
    /**
     * Keeps a device reset running until vmmio_device_complete_reset (RST-04); Status keeps its
     * old value meanwhile. Off in real use: Linux does not wait (A-RESET-DONE).
     */
    bool hold_reset;
    /**
     * The legacy interface (Version 1, MMIOL-*) in place of the modern one, for drivers that know
     * no other. It has the bits of word 0 alone: those of features above it are not offered, and
     * ANY_LAYOUT is (RFB-L2). Guest-native byte order is little-endian.
     */
    bool legacy;
    /** Device reset, called before Status reads 0: take DMI pointers away here. May be NULL. */
    void (*on_reset)(void *host_context);
    const struct vmmio_between *between; /**< copied; NULL: block and engine talk directly */
};

/** The device; caller-owned, members private. */
struct vmmio_device {
    struct vmmio_block block;
    struct vmmio_engine engine;
    void (*on_reset)(void *host_context);
    void *host_context;
    struct vmmio_between between; /* all NULL: nobody */
    bool hold_reset;
    bool reset_held;
};

/**
 * The queue and negotiation bits that are implemented: INDIRECT_DESC, EVENT_IDX, VERSION_1,
 * ACCESS_PLATFORM, RING_PACKED, IN_ORDER, ORDER_PLATFORM, NOTIFICATION_DATA, RING_RESET and SUSPEND
 * (H-36).
 */
struct vmmio_features vmmio_device_features(void);

/**
 * What a device offers unless told otherwise: all of the above less RING_PACKED, IN_ORDER, which
 * every driver that knows them takes, and the two PLATFORM bits.
 */
struct vmmio_features vmmio_device_default_features(void);

/** Builds a device in reset state. VMMIO_ERROR_OK, or what the caller has to change. */
enum vmmio_error vmmio_device_init(struct vmmio_device *device,
                                   const struct vmmio_device_config *config);

/** A bus read; see vmmio_block_read. */
static inline uint32_t vmmio_device_read(struct vmmio_device *device, uint32_t offset,
                                         uint32_t width)
{
    return vmmio_block_read(&device->block, offset, width);
}

/** A bus write; see vmmio_block_write. Afterwards ask vmmio_device_has_work. */
static inline void vmmio_device_write(struct vmmio_device *device, uint32_t offset, uint32_t width,
                                      uint32_t value)
{
    vmmio_block_write(&device->block, offset, width, value);
}

/** True if vmmio_device_run has something to do. */
static inline bool vmmio_device_has_work(const struct vmmio_device *device)
{
    return vmmio_engine_has_work(&device->engine);
}

/** Serves at most budget requests; see vmmio_engine_run. */
static inline uint32_t vmmio_device_run(struct vmmio_device *device, uint32_t budget)
{
    return vmmio_engine_run(&device->engine, budget);
}

/** The level of the interrupt line (MMIO-IRQ-01). */
static inline bool vmmio_device_interrupt(const struct vmmio_device *device)
{
    return device->block.interrupt_status != 0;
}

/** Host pointers that memory.map gave may be stale: never use them again. */
static inline void vmmio_device_forget_pointers(struct vmmio_device *device)
{
    vmmio_engine_forget_pointers(&device->engine);
}

/** Ends a device reset that hold_reset keeps running; nothing if none is. */
void vmmio_device_complete_reset(struct vmmio_device *device);

/** True while hold_reset keeps a device reset running. */
static inline bool vmmio_device_reset_held(const struct vmmio_device *device)
{
    return device->reset_held;
}

/** Region table; see vmmio_shm_add, vmmio_shm_remove and vmmio_shm_change. */
static inline struct vmmio_shm *vmmio_device_shm(struct vmmio_device *device)
{
    return &device->block.shm;
}

/** The region table was changed: a live driver is told; see vmmio_block_regions_changed. */
static inline void vmmio_device_regions_changed(struct vmmio_device *device)
{
    vmmio_block_regions_changed(&device->block);
}

/** The function changed its config bytes: bytes, generation and interrupt in one step. */
static inline void vmmio_device_config_changed(struct vmmio_device *device)
{
    vmmio_engine_config_changed(&device->engine, true);
}

/** The platform gives up on this device: DEVICE_NEEDS_RESET (STAT-11, STAT-12). */
void vmmio_device_needs_reset(struct vmmio_device *device);

#ifdef __cplusplus
}
#endif
#endif
