/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file engine.h
 * The virtqueue engine: owns ring positions and descriptors, reads each field of guest memory
 * once, trusts nothing that it wrote there before. It stands behind a register block, in C or in
 * Verilog, and in front of a device function.
 */
#ifndef VMMIO_ENGINE_H
#define VMMIO_ENGINE_H

#include "vmmio/error.h"
#include "vmmio/function.h"
#include "vmmio/memory.h"
#include "vmmio/register_block.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Out of the engine, into the register block: the other half of the seam. All required. */
struct vmmio_front_side {
    void (*used_buffer)(void *context);
    void (*needs_reset)(void *context);
    void (*reset_done)(void *context);
    void (*queue_stop_done)(void *context, uint32_t queue);
    void (*suspend_done)(void *context);
    /** New config bytes (function->config_length of them); false: refused while suspended. */
    bool (*config_update)(void *context, const uint8_t *data, bool notify);
};

/** Buffers that go back to the driver together, in order; members private. */
struct vmmio_batch {
    uint32_t slots; /* of all of them; 0: there is none */
    uint32_t length;
    uint32_t id;
    bool whole; /* the last one was written to its end */
};

/** One virtqueue; caller-owned, members private. */
struct vmmio_queue {
    uint64_t desc, driver, device; /* taken over at QueueReady = 1 */
    uint64_t map_epoch;            /* of the three pointers below */
    uint8_t *desc_mapped;          /* NULL: by transactions */
    uint8_t *driver_mapped;
    uint8_t *device_mapped;
    struct vmmio_queue *direct; /* itself while these are good, and IN_ORDER is off; or NULL */
    struct vmmio_queue *next_in_list;
    uint32_t index;
    uint32_t size;
    uint32_t armed; /* next_avail when a kick was last asked for; none at first */
    /* Positions: split: an index that counts freely; packed: a slot. */
    uint16_t next_avail; /* of the next buffer to take */
    uint16_t next_used;  /* of the next one to give back */
    uint16_t published;  /* up to here the driver sees what was given back */
    bool packed;
    bool holds;           /* packed: the first descriptor that was given back since is held back: */
    uint32_t held_length; /* its length, */
    uint32_t held_rest;   /* its id and flags */
    /*
     * Packed: the same positions' laps, as AVAIL and USED that are available, or used, there, in
     * the last word of a descriptor.
     */
    uint32_t avail_lap, used_lap, published_lap;
    struct vmmio_request *oldest, *newest; /* IN_ORDER: in the function, or waiting */
    struct vmmio_batch batch;              /* IN_ORDER: of what has no used entry yet */
    bool enabled;
    bool stopping;
    bool listed; /* in the work list */
    bool mark;   /* used while the device is being restored */
};

/** What an engine is made of. The structs pointed to stay the caller's and must outlive it. */
struct vmmio_engine_config {
    struct vmmio_function *function;
    struct vmmio_memory memory;
    struct vmmio_queue *queues;
    uint32_t queue_count;           /**< at least function->queue_count */
    struct vmmio_request *requests; /**< how many requests can be in the function at once */
    uint32_t request_count;         /**< at least 1 */
    struct vmmio_segment *segments; /**< shared out evenly among the requests */
    uint32_t segment_count;         /**< the share of each is its limit of descriptors */
    const struct vmmio_front_side *front;
    void *front_context;
    /**
     * Last step of a device reset, before Status reads 0: take away what was granted to the
     * driver. False keeps the reset running until vmmio_engine_reset_done. May be NULL.
     */
    bool (*reset)(void *context);
    void *reset_context;
    vmmio_diagnostic_hook diagnostic; /**< NULL for none */
    void *diagnostic_context;
};

/** The engine; caller-owned, members private. */
struct vmmio_engine {
    struct vmmio_engine_config is;
    struct vmmio_request *free_requests;
    struct vmmio_request *restored; /* to be handed to the function again */
    struct vmmio_queue stand_in;    /* in the work list for these, first of all; never alive */
    struct vmmio_queue *first_listed, *last_listed; /* work list, in turn; empty: first is NULL */
    struct vmmio_queue *served; /* it takes buffers, and publishes used ones at its turn's end */
    /* The same queue while its ring, split or packed, is dealt with in line, by pointer. */
    struct vmmio_queue *direct_split, *direct_packed;
    uint64_t map_epoch;
    uint32_t segments_each;
    uint32_t usable_queues; /* the first so many exist; all before FEATURES_OK */
    /* What memory.range gave last, for reading and for writing. */
    struct vmmio_memory_range ranges[2];
    bool event_idx, indirect, packed, in_order; /* negotiated */
    bool running;                               /* inside a run, or accesses of a late completion */
    bool live;                                  /* DRIVER_OK, and nothing that stops the queues */
    bool paused;                                /* suspending or suspended */
    bool suspend_wanted;                        /* suspend_done is owed */
    bool reset_wanted;                          /* reset_done is owed */
    bool stop_wanted; /* queue_stop_done is owed for the queues that are stopping */
    bool config_deferred;
};

/** The back side that a register block needs; its context is the engine. */
extern const struct vmmio_back_side vmmio_engine_back_side;

/** Builds an engine in reset state. */
enum vmmio_error vmmio_engine_init(struct vmmio_engine *engine,
                                   const struct vmmio_engine_config *config);

/** True if a call of vmmio_engine_run would find something to do. */
static inline bool vmmio_engine_has_work(const struct vmmio_engine *engine)
{
    return engine->first_listed && !engine->running && (engine->free_requests || engine->restored);
}

/**
 * Serves at most budget requests, the queues in turn, and returns how many it did. Publishes used
 * entries and interrupts before it returns. Called from inside itself (a buffer that points at
 * the device's own registers, H-35) it does nothing: the outer call will see the new work.
 */
uint32_t vmmio_engine_run(struct vmmio_engine *engine, uint32_t budget);

/** Host pointers that memory.map gave may be stale: never use them again. */
void vmmio_engine_forget_pointers(struct vmmio_engine *engine);

/** The function changed its config bytes: shows them to the driver, after resume if suspended. */
void vmmio_engine_config_changed(struct vmmio_engine *engine, bool notify);

/** Ends a device reset that config.reset left running. */
void vmmio_engine_reset_done(struct vmmio_engine *engine);

/** Raises DEVICE_NEEDS_RESET: no queue is served until reset (STAT-11). */
void vmmio_engine_fail(struct vmmio_engine *engine);

/** The same for an error of a queue, with a diagnostic. */
void vmmio_engine_fatal(struct vmmio_engine *engine, enum vmmio_diag_id id, uint32_t queue,
                        uint64_t value);

#ifdef __cplusplus
}
#endif
#endif
