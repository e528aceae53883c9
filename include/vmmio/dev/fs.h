/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file fs.h
 * File system device (id 26): FS-01 .. FS-03, FS-05 .. FS-08, H-56. It carries FUSE requests
 * between its queues and a back end, which is the file server; of FUSE it knows the two headers.
 *
 * VIRTIO_FS_F_NOTIFICATION is not offered: no back end has something to notify a driver of. Queue 0
 * is therefore hiprio and 1 .. num_request_queues are the request queues, as Linux takes them.
 * notify_buf_size reads 0.
 *
 *     static struct vmmio_fs_job jobs[8];
 *     const struct vmmio_fs_config config = {.tag = "host", .backend = {my_server, my_submit},
 *                                            .jobs = jobs, .job_count = 8};
 *     struct vmmio_fs fs;
 *     if (vmmio_fs_init(&fs, &config) == VMMIO_ERROR_OK)
 *         device_config.function = &fs.function;   // then vmmio_device_init
 *     // my_submit(): vmmio_fs_job_read(job, 0, body, job->body_bytes); serve it;
 *     //              vmmio_fs_job_done(job, reply, reply_bytes), there or later
 *
 * A driver's mistakes end in a FUSE error, or, where there is no place for one, in a request that
 * comes back with length 0 and had no effect (H-14). Shared memory region 0, the DAX window, is the
 * platform's and its back end's (FS-10); see vmmio/tlm/fs_device.h.
 */
#ifndef VMMIO_DEV_FS_H
#define VMMIO_DEV_FS_H

#include "vmmio/error.h"
#include "vmmio/function.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes of the tag in the configuration (FS-02). */
#define VMMIO_FS_TAG_BYTES 36u

/** The shared memory region that is the DAX window (FS-11). */
#define VMMIO_FS_SHM_ID 0

/** Bytes of the header of a request and of a reply. */
#define VMMIO_FS_IN_HEADER 40u
#define VMMIO_FS_OUT_HEADER 16u

/** The queue for FORGET, BATCH_FORGET and INTERRUPT (FS-08). */
#define VMMIO_FS_HIPRIO 0u

/** Longest request by default: 1 MiB of data with room for headers and names. */
#define VMMIO_FS_REQUEST_MAX ((1u << 20) + 8192u)

/** Byte offsets of the configuration fields (FS-02). */
enum vmmio_fs_config_offset {
    VMMIO_FS_CONFIG_TAG = 0,
    VMMIO_FS_CONFIG_NUM_REQUEST_QUEUES = 36,
    VMMIO_FS_CONFIG_NOTIFY_BUF_SIZE = 40,
    VMMIO_FS_CONFIG_BYTES = 44,
};

struct vmmio_fs;

/** One request at the back end. The device fills it; the back end reads it. */
struct vmmio_fs_job {
    /** The header as it was read, once; its len is VMMIO_FS_IN_HEADER + body_bytes. */
    uint8_t header[VMMIO_FS_IN_HEADER];
    uint32_t opcode;
    uint64_t unique;     /**< the driver's number of it, not to be trusted to be unique */
    uint32_t body_bytes; /**< that follow the header */
    uint32_t
        reply_bytes; /**< room for a reply with its header: 0, or VMMIO_FS_OUT_HEADER and more */
    void *own;       /**< the back end's own; NULL at submit */
    /* Private from here on. */
    struct vmmio_fs *fs;
    struct vmmio_request *request; /* NULL: free */
    struct vmmio_fs_job *next;
    const uint8_t *reply;
    uint32_t reply_length;
    bool inside; /* submit has not returned */
    bool pending;
};

/** The file server. All calls come on the device's thread, from inside a register access or poll.
 */
struct vmmio_fs_backend {
    void *context;
    /** Starts a job; vmmio_fs_job_done, now or later, ends it. Required. */
    void (*submit)(void *context, struct vmmio_fs_job *job);
    /** The job is over and its reply was copied or dropped: own and reply may go. May be NULL. */
    void (*release)(void *context, struct vmmio_fs_job *job);
    /**
     * Device reset: mappings in region 0 end. Jobs still have to be ended, to no effect; no job of
     * the next driver comes before the last one has (A-RESET-INFLIGHT). May be NULL.
     */
    void (*reset)(void *context);
    /**
     * True while it has something for the driver that a restored device would not find: a session,
     * open files, mappings. Then the device cannot be saved. NULL: it never has; requests that it
     * works on when the device is saved are submitted again when that is restored.
     */
    bool (*holds)(void *context);
};

/** What a file system device is made of. A 0 stands for the default where one is named. */
struct vmmio_fs_config {
    const char *tag;             /**< 1..36 bytes of UTF-8 (FS-02) */
    uint32_t num_request_queues; /**< 1..1024, default 1 (FS-03) */
    uint32_t request_max;        /**< bytes of a request, default VMMIO_FS_REQUEST_MAX */
    struct vmmio_fs_backend backend;
    /**
     * At least 2: one is kept for hiprio, which so never waits for the request queues (FS-07); give
     * the engine as many request structs. What no job is free for stays in its ring.
     */
    struct vmmio_fs_job *jobs;
    uint32_t job_count;
    /** vmmio_fs_poll has something to do. NULL if the back end ends every job in submit. */
    void (*wake)(void *context);
    void *wake_context;
};

/** The function; caller-owned. */
struct vmmio_fs {
    struct vmmio_function function;
    struct vmmio_fs_config is;
    uint64_t requests; /**< answered so far, with and without success */
    uint64_t bytes;    /**< of their requests and replies */
    /* Private from here on. */
    uint8_t config_bytes[VMMIO_FS_CONFIG_BYTES];
    uint32_t free_count;
    struct vmmio_fs_job *free_jobs;
    struct vmmio_fs_job *done_first, *done_last;
    bool starved; /* queues were left alone for want of a job */
};

/** Prepares the function. VMMIO_ERROR_OK, or what to change: NULL_ARGUMENT, FS_TAG, FS_LIMIT. */
enum vmmio_error vmmio_fs_init(struct vmmio_fs *fs, const struct vmmio_fs_config *config);

/**
 * Copies length bytes from offset behind the header of the request; call it in submit, and once for
 * each byte. False if there are not so many, or DMA failed: then end the job.
 */
bool vmmio_fs_job_read(struct vmmio_fs_job *job, uint32_t offset, void *data, uint32_t length);

/**
 * The back end has finished: reply is the whole message with its header and stays valid until
 * release; length 0 if there is none. A reply that does not fit, or whose header does not say its
 * length and the job's number, becomes -EIO. On the device's thread, at any time; nothing reaches
 * guest memory before vmmio_fs_poll unless submit has not returned.
 */
void vmmio_fs_job_done(struct vmmio_fs_job *job, const void *reply, uint32_t length);

/** Ends a job with an error, a host's errno value above 0. */
void vmmio_fs_job_fail(struct vmmio_fs_job *job, int error);

/**
 * Answers what ended outside of submit, and wakes the queues that waited for it. True if there is
 * more to do that cannot be done now, because the device is in the middle of something else;
 * afterwards ask vmmio_device_has_work.
 */
bool vmmio_fs_poll(struct vmmio_fs *fs);

#ifdef __cplusplus
}
#endif
#endif
