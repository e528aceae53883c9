/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file register_block.h
 * The register block owns every bit that the driver can see: status machine, feature words,
 * per-queue registers, interrupt status, SHM selector and latch, config window.
 *
 * In front of it is a bus (vmmio_block_read, vmmio_block_write, an interrupt line); behind it is
 * the seam: struct vmmio_back_side goes out of the block, the vmmio_block_* event functions come
 * in. The Verilog twin has the same seam as ports, so either side can be exchanged.
 */
#ifndef VMMIO_REGISTER_BLOCK_H
#define VMMIO_REGISTER_BLOCK_H

#include "vmmio/diagnostic.h"
#include "vmmio/error.h"
#include "vmmio/registers.h"
#include "vmmio/shm.h"
#include "vmmio/virtio.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The registers of one queue. */
struct vmmio_queue_registers {
    uint32_t size_max; /**< QueueSizeMax */
    uint32_t size;     /**< QueueSize, all 32 bits as written (A-QSIZE-BAD) */
    uint64_t desc;     /**< QueueDesc */
    uint64_t driver;   /**< QueueDriver */
    uint64_t device;   /**< QueueDevice */
    uint32_t align;    /**< QueueAlign, legacy only */
    uint32_t pfn;      /**< QueuePFN as it was written, legacy only; it reads 0 if not ready */
    bool ready;        /**< QueueReady as it reads */
    bool stopping;     /**< QueueReady = 0 was written, the last access is not done yet */
    bool reset;        /**< QueueReset as it reads: a queue reset is running */
};

/**
 * Out of the block. Calls that return "done" may finish later: return false and call the
 * matching vmmio_block_*_done function when it is so. Every pointer is required.
 */
struct vmmio_back_side {
    /** A set that the block finds valid; false refuses FEATURES_OK (FEAT-11). */
    bool (*features_ok)(void *context, const struct vmmio_features *negotiated);
    /** The device is live: look at every ready queue once, without a kick (A-QNOTIFY-EARLY). */
    void (*driver_ok)(void *context);
    /** FAILED was written: serve no queue until reset. */
    void (*failed)(void *context);
    /** QueueNotify for an existing, ready queue of a live device; data is the whole register. */
    void (*notify)(void *context, uint32_t queue, uint32_t data);
    /** QueueReady = 1: take size and addresses over; false refuses (QueueReady stays 0). */
    bool (*queue_enable)(void *context, uint32_t queue,
                         const struct vmmio_queue_registers *registers);
    /** QueueReady = 0 or QueueReset = 1: stop; returns done (vmmio_block_queue_stop_done). */
    bool (*queue_stop)(void *context, uint32_t queue);
    /** Finish what is in flight; returns done (vmmio_block_suspend_done). */
    bool (*suspend)(void *context);
    /** Go on after suspend; the block is live again when this is called. */
    void (*resume)(void *context);
    /** Device reset; returns done (vmmio_block_reset_done). */
    bool (*reset)(void *context);
    /** A write to the config window, inside its length; true: it reads back as written. */
    bool (*config_write)(void *context, uint32_t offset, const uint8_t *data, uint32_t length);
};

/** The surroundings of a block. */
struct vmmio_host {
    void *context;
    /** The interrupt line, called at each change of level (MMIO-IRQ-01). Required. */
    void (*interrupt)(void *context, bool level);
    /** Diagnostics; NULL for none. */
    vmmio_diagnostic_hook diagnostic;
};

/** What a block is made of. The structs pointed to stay the caller's and must outlive it. */
struct vmmio_block_config {
    uint32_t device_id;             /**< DeviceID; 0 makes a placeholder slot (MMIO-DEVID-02) */
    uint32_t vendor_id;             /**< VendorID */
    struct vmmio_features features; /**< offered */
    struct vmmio_features required_features;             /**< refuse FEATURES_OK without these */
    const struct vmmio_feature_dependency *dependencies; /**< NULL if dependency_count is 0 */
    uint32_t dependency_count;
    struct vmmio_queue_registers
        *queues;            /**< size_max is read from here; the rest is the block's */
    uint32_t queue_count;   /**< 0..65535 */
    const uint8_t *config;  /**< initial config bytes, copied */
    uint32_t config_length; /**< 0..VMMIO_CONFIG_MAX */
    const struct vmmio_back_side *back;
    void *back_context;
    struct vmmio_host host;
    /**
     * The legacy layout, Version 1 (MMIOL-*). There is no FEATURES_OK: features are taken over
     * at the first QueuePFN or at DRIVER_OK, and the device works from then on (INIT-L3).
     */
    bool legacy;
};

/** The block; caller-owned, members private. */
struct vmmio_block {
    struct vmmio_block_config is;
    struct vmmio_shm shm;
    struct vmmio_features driver_features;
    uint32_t status;
    uint32_t device_features_sel;
    uint32_t driver_features_sel;
    uint32_t queue_sel;
    uint32_t interrupt_status;
    uint32_t config_generation;
    uint32_t queue_notify;  /**< last value written, for debug reads */
    uint32_t interrupt_ack; /**< last value written, for debug reads */
    bool features_word_bad; /**< a bit above 127 was accepted (A-DRVFEAT-SEL) */
    bool resetting;
    bool suspending;
    bool regions_deferred;    /**< the region table changed while suspended */
    bool legacy_started;      /**< the features are taken over, queues are served */
    uint32_t guest_page_size; /**< GuestPageSize; a reset leaves it alone */
    uint8_t config[VMMIO_CONFIG_MAX];
};

/** Builds a block in reset state. VMMIO_ERROR_OK, or what the caller has to change. */
enum vmmio_error vmmio_block_init(struct vmmio_block *block,
                                  const struct vmmio_block_config *config);

/**
 * A bus read of width bytes (1, 2 or 4) at offset. Control registers answer aligned 32-bit
 * accesses, the config window naturally aligned 8, 16 and 32-bit ones; everything else reads 0
 * (A-WIDTH, A-ALIGN, A-WDIR, A-HOLE). A read changes nothing (MMIO-INTSTAT-02).
 */
uint32_t vmmio_block_read(struct vmmio_block *block, uint32_t offset, uint32_t width);

/** A bus write; accesses that read 0 above are without effect here. */
void vmmio_block_write(struct vmmio_block *block, uint32_t offset, uint32_t width, uint32_t value);

/** Debug read of one aligned 32-bit word: no effect, W registers show their last value (A-DBG). */
uint32_t vmmio_block_peek(struct vmmio_block *block, uint32_t offset);

/**
 * Debug write of one aligned 32-bit word, without diagnostics. False, and no effect, for registers
 * with side effects (QueueReady, QueueNotify, InterruptACK, Status, QueueReset, config), read-only
 * ones, and what the block ignores as things are: settings of a queue that is absent or in use,
 * DriverFeatures after FEATURES_OK or of a word above 3, anything while a reset is running.
 */
bool vmmio_block_poke(struct vmmio_block *block, uint32_t offset, uint32_t value);

/** True between DRIVER_OK and whatever ends it: reset, suspend, FAILED, DEVICE_NEEDS_RESET. */
static inline bool vmmio_block_live(const struct vmmio_block *block)
{
    const uint32_t bits = VMMIO_STATUS_DRIVER_OK | VMMIO_STATUS_SUSPEND | VMMIO_STATUS_NEEDS_RESET |
                          VMMIO_STATUS_FAILED;

    return (block->status & bits) == VMMIO_STATUS_DRIVER_OK && !block->resetting &&
           !block->suspending;
}

/** Event: buffers were used; sets InterruptStatus bit 0 while DRIVER_OK (STAT-10, A-ACK). */
void vmmio_block_used_buffer(struct vmmio_block *block);

/** Event: unrecoverable error; sets DEVICE_NEEDS_RESET and, if DRIVER_OK, bit 1 (STAT-12). */
void vmmio_block_needs_reset(struct vmmio_block *block);

/**
 * Event: the config space now reads data (config_length bytes). Bytes, ConfigGeneration and
 * InterruptStatus bit 1 (if DRIVER_OK and notify) change in one step, and only if a byte really
 * differs (A-GEN, A-CFG-ATOMIC). False, and no effect, while suspended (SUSP-07): offer it again
 * from back_side.resume.
 */
bool vmmio_block_config_update(struct vmmio_block *block, const uint8_t *data, bool notify);

/**
 * Event: the region table changed. A live driver is told by InterruptStatus bit 1, a suspended one
 * when it resumes; config space and ConfigGeneration stay as they are (A-SHM-5).
 */
void vmmio_block_regions_changed(struct vmmio_block *block);

/** A device reset that back_side.reset left running is done: Status reads 0 from now on. */
void vmmio_block_reset_done(struct vmmio_block *block);

/** The stop of a queue that back_side.queue_stop left running is done (MMIO-QRESET-05). */
void vmmio_block_queue_stop_done(struct vmmio_block *block, uint32_t queue);

/** A suspend that back_side.suspend left running is done (SUSP-09). */
void vmmio_block_suspend_done(struct vmmio_block *block);

#ifdef __cplusplus
}
#endif
#endif
