/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file function.h
 * A device function (entropy, pmem, ...) sees requests and a configuration, never a register or
 * a ring.
 */
#ifndef VMMIO_FUNCTION_H
#define VMMIO_FUNCTION_H

#include "vmmio/diagnostic.h"
#include "vmmio/error.h"
#include "vmmio/virtio.h"

#ifdef __cplusplus
extern "C" {
#endif

struct vmmio_engine;
struct vmmio_function;
struct vmmio_queue;
struct vmmio_state;

/** A piece of a buffer in guest memory. */
struct vmmio_segment {
    uint64_t address;
    uint32_t length;
};

/**
 * One request: a private copy of one descriptor chain (A-DBLFETCH), device-readable part first.
 * A function gets it in `handle` and gives it back with vmmio_request_complete, at once or later.
 */
struct vmmio_request {
    uint32_t readable_bytes;    /**< length of the device-readable part */
    uint32_t writable_bytes;    /**< length of the device-writable part */
    uint32_t queue;             /**< index of its queue */
    bool cancelled;             /**< a reset took it back: only completing it makes sense */
    struct vmmio_request *next; /**< for a list of requests that the function holds */
    /* Private from here on. */
    uint16_t head;  /* of its chain; packed: its buffer id */
    uint32_t slots; /* how many places in the ring it takes; not kept for split rings in line */
    bool waiting;   /* IN_ORDER: the function is done with it, but not with those before it */
    uint32_t used_length;
    struct vmmio_request *before, *after; /* IN_ORDER: in its queue */
    uint32_t readable_count;
    uint32_t segment_count;
    struct vmmio_segment *segments;
    struct vmmio_engine *engine;
    struct vmmio_queue *from; /* its queue; of a cancelled one the engine's stand-in */
    bool mark;                /* used while the device is being saved */
};

/** What is the same for all functions of one type. */
struct vmmio_function_type {
    const char *name;                                    /**< e.g. "entropy" */
    uint32_t device_id;                                  /**< DeviceID */
    const struct vmmio_feature_dependency *dependencies; /**< between its own bits; may be NULL */
    uint32_t dependency_count;
    bool modern_only; /**< VIRTIO knows no legacy interface of this type */
    /** Serves one request. Required. */
    void (*handle)(struct vmmio_function *function, struct vmmio_request *request);
    /**
     * A turn of a queue begins: after a kick, at DRIVER_OK, or because of vmmio_queue_wake. True:
     * the function takes what it wants with vmmio_queue_take, and leaves the rest in the ring.
     * False: `handle` gets every buffer. May be NULL: `handle` does.
     */
    bool (*turn)(struct vmmio_function *function, struct vmmio_engine *engine, uint32_t queue);
    /**
     * A valid set was negotiated; update function->config here if it depends on it. False
     * refuses FEATURES_OK. May be NULL.
     */
    bool (*features_ok)(struct vmmio_function *function, const struct vmmio_features *negotiated);
    /**
     * How many of its queues exist with this set of features (MQ, MULTIPORT, ...): the first so
     * many. Depends on nothing else that changes. May be NULL: all of queue_count.
     */
    uint32_t (*usable_queues)(const struct vmmio_function *function,
                              const struct vmmio_features *negotiated);
    /**
     * The driver took a queue out of operation (QueueReset, QueueReady = 0); its requests are
     * cancelled. A reset of the device calls `reset` alone. May be NULL.
     */
    void (*queue_stopped)(struct vmmio_function *function, uint32_t queue);
    /**
     * Device reset: config back to its default, backings stay (PMEM-10). A function that holds
     * requests completes them here. May be NULL.
     */
    void (*reset)(struct vmmio_function *function);
    /**
     * A write into the config space, inside its length. True takes it: it then reads back as
     * written, in function->config, too. May be NULL: everything is read-only.
     */
    bool (*config_write)(struct vmmio_function *function, uint32_t offset, const uint8_t *data,
                         uint32_t length);
    /**
     * Save and restore (state.h) of what is the function's own and is neither in its config struct
     * nor made by features_ok. NULL, both of them: there is nothing. The requests that it holds are
     * the engine's to keep: `handle` gets them again after a restore.
     */
    enum vmmio_error (*save)(const struct vmmio_function *function, struct vmmio_state *state);
    /**
     * Called twice with the same bytes: first to judge them, changing nothing; then, after `reset`
     * and `features_ok`, with state->commit set, to take them over.
     */
    enum vmmio_error (*restore)(struct vmmio_function *function, struct vmmio_state *state);
    /**
     * For types of this library, which reach into its insides: serves up to count buffers of a
     * queue in its turn where they are, without requests. How many; `handle` gets the next one, if
     * there are more. May be NULL.
     */
    uint32_t (*serve_in_place)(struct vmmio_function *function, struct vmmio_engine *engine,
                               struct vmmio_queue *queue, uint32_t count);
};

/** The common head of every device function; caller-owned, filled by the type's init. */
struct vmmio_function {
    const struct vmmio_function_type *type;
    struct vmmio_features features; /**< its own bits that it offers */
    uint32_t queue_count;
    const uint8_t *config; /**< what the driver shall read; NULL if config_length is 0 */
    uint32_t config_length;
    bool legacy; /**< behind the legacy interface; set by vmmio_device_init */
};

/**
 * Copies length bytes from offset of the device-readable part. False if that part is shorter
 * (nothing is read) or DMA failed (the queue is dead then: give the request back and return).
 */
bool vmmio_request_read(struct vmmio_request *request, uint32_t offset, void *data,
                        uint32_t length);

/** Copies length bytes to offset of the device-writable part; false as for reading. */
bool vmmio_request_write(struct vmmio_request *request, uint32_t offset, const void *data,
                         uint32_t length);

/**
 * Gives the request back to the driver: used_length is the number of bytes written, counted from
 * the first device-writable one (SPLIT-37). The struct must not be touched afterwards. A request
 * that a reset cancelled in the meantime is dropped (A-RESET-INFLIGHT). Call it from `handle` or
 * while vmmio_device_run is not in progress, then ask vmmio_device_has_work.
 */
void vmmio_request_complete(struct vmmio_request *request, uint32_t used_length);

/**
 * Gives up: reports id, raises DEVICE_NEEDS_RESET and takes the request, which the driver does not
 * get back before a reset. For device types that have no other way to say no.
 */
void vmmio_request_fail(struct vmmio_request *request, enum vmmio_diag_id id, uint64_t value);

/**
 * The next buffer of the queue whose turn it is; NULL if there is none, or no request struct is
 * free. Only inside of `turn`. Used buffers are shown to the driver together, when it returns.
 */
struct vmmio_request *vmmio_queue_take(struct vmmio_engine *engine, uint32_t queue);

/**
 * Puts a buffer back as if it had not been taken. Only inside of the same `turn`, without having
 * written to it, and the last one first.
 */
void vmmio_request_return(struct vmmio_request *request);

/** Gives the queue a turn at the next vmmio_device_run; ask vmmio_device_has_work then. */
void vmmio_queue_wake(struct vmmio_engine *engine, uint32_t queue);

/** True while the driver has this queue in operation. */
bool vmmio_queue_usable(const struct vmmio_engine *engine, uint32_t queue);

/** Reports a problem of this request. */
void vmmio_request_report(const struct vmmio_request *request, enum vmmio_diag_id id,
                          uint64_t value);

#ifdef __cplusplus
}
#endif
#endif
