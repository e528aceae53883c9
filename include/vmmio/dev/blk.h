/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file blk.h
 * Block device (id 2): BLK-01 .. BLK-40 of a modern device without zones, lifetime figures and
 * secure erase, whose features it never offers and whose requests it answers with UNSUPP.
 *
 * The bytes are in a storage: RAM, nothing or a file (blk_storage.h), or anything that fills in
 * struct vmmio_blk_storage. A storage may finish its work later; the device serves other requests
 * meanwhile.
 *
 *     static uint8_t bytes[1 << 20];
 *     static struct vmmio_blk_job jobs[4];
 *     struct vmmio_blk_ram ram = {bytes, sizeof(bytes)};
 *     const struct vmmio_blk_config config = {.storage = vmmio_blk_use_ram(&ram),
 *                                             .capacity = sizeof(bytes) / VMMIO_BLK_SECTOR,
 *                                             .id = "scratch", .jobs = jobs, .job_count = 4};
 *     struct vmmio_blk blk;
 *     if (vmmio_blk_init(&blk, &config) == VMMIO_ERROR_OK)
 *         device_config.function = &blk.function;   // then vmmio_device_init
 *
 * A driver's mistakes end in IOERR, in UNSUPP, or, without a place for the status byte, in a
 * request that comes back with length 0 and had no effect (H-13, H-14, H-49). The work for one
 * request is bounded by seg_max * size_max bytes and by the limits of discard and write zeroes.
 */
#ifndef VMMIO_DEV_BLK_H
#define VMMIO_DEV_BLK_H

#include "vmmio/error.h"
#include "vmmio/function.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes of a sector, the unit of the protocol whatever the block size is (BLK-06). */
#define VMMIO_BLK_SECTOR 512u

/** Most bytes that a storage reads or writes in one job. */
#define VMMIO_BLK_PIECE 65536u

/** Bytes of a device id string (BLK-25). */
#define VMMIO_BLK_ID_BYTES 20u

/** Feature bits (BLK-02, BLK-03). */
enum vmmio_blk_feature {
    VMMIO_BLK_F_SIZE_MAX = 1,
    VMMIO_BLK_F_SEG_MAX = 2,
    VMMIO_BLK_F_GEOMETRY = 4, /**< never offered, like all below that say so */
    VMMIO_BLK_F_RO = 5,
    VMMIO_BLK_F_BLK_SIZE = 6,
    VMMIO_BLK_F_FLUSH = 9,
    VMMIO_BLK_F_TOPOLOGY = 10,
    VMMIO_BLK_F_CONFIG_WCE = 11,
    VMMIO_BLK_F_MQ = 12,
    VMMIO_BLK_F_DISCARD = 13,
    VMMIO_BLK_F_WRITE_ZEROES = 14,
    VMMIO_BLK_F_LIFETIME = 15,     /**< never offered */
    VMMIO_BLK_F_SECURE_ERASE = 16, /**< never offered */
    VMMIO_BLK_F_ZONED = 17,        /**< never offered */
};

/** Byte offsets of the configuration fields (BLK-04, BLK-05). */
enum vmmio_blk_config_offset {
    VMMIO_BLK_CONFIG_CAPACITY = 0,
    VMMIO_BLK_CONFIG_SIZE_MAX = 8,
    VMMIO_BLK_CONFIG_SEG_MAX = 12,
    VMMIO_BLK_CONFIG_GEOMETRY = 16,
    VMMIO_BLK_CONFIG_BLK_SIZE = 20,
    VMMIO_BLK_CONFIG_PHYSICAL_BLOCK_EXP = 24,
    VMMIO_BLK_CONFIG_ALIGNMENT_OFFSET = 25,
    VMMIO_BLK_CONFIG_MIN_IO_SIZE = 26,
    VMMIO_BLK_CONFIG_OPT_IO_SIZE = 28,
    VMMIO_BLK_CONFIG_WRITEBACK = 32,
    VMMIO_BLK_CONFIG_NUM_QUEUES = 34,
    VMMIO_BLK_CONFIG_MAX_DISCARD_SECTORS = 36,
    VMMIO_BLK_CONFIG_MAX_DISCARD_SEG = 40,
    VMMIO_BLK_CONFIG_DISCARD_SECTOR_ALIGNMENT = 44,
    VMMIO_BLK_CONFIG_MAX_WRITE_ZEROES_SECTORS = 48,
    VMMIO_BLK_CONFIG_MAX_WRITE_ZEROES_SEG = 52,
    VMMIO_BLK_CONFIG_WRITE_ZEROES_MAY_UNMAP = 56,
    VMMIO_BLK_CONFIG_MAX_SECURE_ERASE_SECTORS = 60,
    VMMIO_BLK_CONFIG_ZONED = 72,
    VMMIO_BLK_CONFIG_BYTES = 96,
};

/** Request types (BLK-22); every other one is answered with UNSUPP. */
enum vmmio_blk_type {
    VMMIO_BLK_T_IN = 0,
    VMMIO_BLK_T_OUT = 1,
    VMMIO_BLK_T_FLUSH = 4,
    VMMIO_BLK_T_FLUSH_OUT = 5, /**< the same, behind the legacy interface only (BLK-L3) */
    VMMIO_BLK_T_GET_ID = 8,
    VMMIO_BLK_T_DISCARD = 11,
    VMMIO_BLK_T_WRITE_ZEROES = 13,
};

/** Status byte of a request (BLK-22). */
enum vmmio_blk_status {
    VMMIO_BLK_S_OK = 0,
    VMMIO_BLK_S_IOERR = 1,
    VMMIO_BLK_S_UNSUPP = 2,
};

/** One piece of work for a storage. The device fills it; the storage reads it. */
struct vmmio_blk_job {
    enum vmmio_blk_type operation; /**< IN, OUT, FLUSH, DISCARD or WRITE_ZEROES */
    bool unmap;                    /**< WRITE_ZEROES: deallocating is welcome */
    uint64_t offset;               /**< bytes, a multiple of 512; inside the capacity */
    uint64_t length; /**< bytes, a multiple of 512; IN and OUT: 512..VMMIO_BLK_PIECE */
    uint8_t data[VMMIO_BLK_PIECE]; /**< OUT: to store; IN: to be filled; else not the storage's */
    /* Private from here on. */
    struct vmmio_blk *blk;
    struct vmmio_request *request; /* NULL: free */
    struct vmmio_blk_job *next;
    uint64_t start; /* IN, OUT: of the whole request */
    uint32_t type;  /* of the request */
    uint32_t total; /* bytes of data; for DISCARD and WRITE_ZEROES segments */
    uint32_t done;  /* of total */
    bool flush;     /* comes after the rest */
    bool inside;    /* the storage's submit has not returned */
    bool pending;   /* the storage has it */
    bool ok;
};

/**
 * Where the bytes are. Jobs may be worked on in any order and finished at once or later, on the
 * device's thread. They never reach into guest memory.
 */
struct vmmio_blk_storage {
    void *context;
    /** Starts a job; vmmio_blk_job_done, now or later, ends it. Required. */
    void (*submit)(void *context, struct vmmio_blk_job *job);
    /**
     * A pointer to length bytes at offset for reading and writing that stays valid until resize;
     * NULL if there is none. With it data is copied once, without a job. May be NULL.
     */
    uint8_t *(*map)(void *context, uint64_t offset, uint64_t length);
    /** The device shall have this many bytes; false: it cannot. NULL: any size will do. */
    bool (*resize)(void *context, uint64_t bytes);
    /** Returns when no job is being worked on any more. NULL if submit ends every job. */
    void (*drain)(void *context);
    bool discards;  /**< does something about DISCARD, so that it is worth offering */
    bool may_unmap; /**< WRITE_ZEROES may deallocate (BLK-36) */
};

/** What a block device is made of. A 0 stands for the default where one is named. */
struct vmmio_blk_config {
    struct vmmio_blk_storage storage;
    uint64_t capacity;            /**< sectors, a multiple of block_size, below 2^54 */
    const char *id;               /**< ASCII, the first 20 characters count; NULL: empty (BLK-25) */
    bool read_only;               /**< offers RO and serves no write (BLK-31) */
    bool write_through;           /**< cache mode after negotiation if the driver can choose */
    uint16_t queue_count;         /**< more than 1 offers MQ; default 1 */
    uint32_t withheld;            /**< feature bits, 1u << VMMIO_BLK_F_..., not to offer */
    uint32_t size_max;            /**< bytes of a segment, default 1 MiB */
    uint32_t seg_max;             /**< default 126: with header and status a queue of 128 */
    uint32_t block_size;          /**< bytes, a power of 2 from 512 on; default 512 */
    uint8_t physical_block_exp;   /**< blocks in a physical block, as a power of 2 */
    uint8_t alignment_offset;     /**< of the first aligned block, in blocks */
    uint16_t min_io_size;         /**< blocks */
    uint32_t opt_io_size;         /**< blocks */
    uint32_t max_discard_sectors; /**< in a segment, default 2^22 (2 GiB) */
    uint32_t max_discard_seg;     /**< 1..4096, default 16 */
    uint32_t discard_sector_alignment; /**< sectors, default block_size */
    uint32_t max_write_zeroes_sectors; /**< in a segment, default 2^15 (16 MiB) */
    uint32_t max_write_zeroes_seg;     /**< 1..4096, default 8 */
    struct vmmio_blk_job *jobs;        /**< as many as the storage shall work on at once */
    uint32_t job_count;                /**< at least 1; requests beyond wait for one */
    /** vmmio_blk_poll has something to do. NULL if the storage ends every job in submit. */
    void (*wake)(void *context);
    void *wake_context;
};

/** The function; caller-owned. */
struct vmmio_blk {
    struct vmmio_function function;
    struct vmmio_blk_config is;
    uint64_t requests;      /**< answered so far */
    uint64_t bytes_read;    /**< given to drivers so far */
    uint64_t bytes_written; /**< taken from drivers so far */
    /* Private from here on. */
    uint8_t config_bytes[VMMIO_BLK_CONFIG_BYTES];
    uint8_t id[VMMIO_BLK_ID_BYTES];
    uint64_t request_max; /* bytes of data */
    uint32_t negotiated;  /* word 0 */
    uint32_t busy;        /* jobs that are not free */
    bool write_through;
    bool started; /* features were negotiated */
    struct vmmio_blk_job *free_jobs;
    struct vmmio_blk_job *done_first, *done_last;
    struct vmmio_request *waiting_first, *waiting_last;
};

/**
 * Prepares a block function. VMMIO_ERROR_OK, or what to change: NULL_ARGUMENT, BLK_CAPACITY,
 * BLK_LIMIT, or BLK_SIZE if the storage cannot have that many bytes.
 */
enum vmmio_error vmmio_blk_init(struct vmmio_blk *blk, const struct vmmio_blk_config *config);

/**
 * The storage has finished a job: ok says whether it could. For storages only, on the device's
 * thread, at any time; nothing reaches guest memory before vmmio_blk_poll.
 */
void vmmio_blk_job_done(struct vmmio_blk_job *job, bool ok);

/**
 * Answers the requests whose jobs ended outside of submit, and starts those that waited for a
 * job. True if there is more to do that cannot be done now, because the device is in the middle of
 * something else; afterwards ask vmmio_device_has_work. What a reset overtook is dropped, and
 * no request of the next driver starts before its last job has ended (A-RESET-INFLIGHT, H-34).
 */
bool vmmio_blk_poll(struct vmmio_blk *blk);

/**
 * Another capacity, in sectors, from now on; then call vmmio_device_config_changed, which shows it
 * to the driver with generation and interrupt (BLK-36). BLK_CAPACITY or BLK_SIZE: nothing changed.
 */
enum vmmio_error vmmio_blk_resize(struct vmmio_blk *blk, uint64_t capacity);

#ifdef __cplusplus
}
#endif
#endif
