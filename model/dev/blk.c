/* SPDX-License-Identifier: Apache-2.0 */
/* Block requests: what they ask, what may be done, and how a storage does it piece by piece. */
#include "vmmio/dev/blk.h"

#include "blk_config.h"
#include "direct.h"

enum {
    HEADER_BYTES = 16,
    SEGMENT_BYTES = 16, /* of DISCARD and WRITE_ZEROES: sector le64, count le32, flags le32 */
    SEGMENT_UNMAP = 1,
};

static bool has(const struct vmmio_blk *blk, enum vmmio_blk_feature bit)
{
    return (blk->negotiated >> bit & 1u) != 0;
}

/* The driver gets its status byte in the last writable byte and nowhere else (BLK-27). */
static void answer(struct vmmio_blk *blk, struct vmmio_request *request,
                   enum vmmio_blk_status status, uint32_t written)
{
    const uint32_t last = request->writable_bytes - 1;
    const uint8_t byte = (uint8_t)status;
    const bool ok = vmmio_request_write_direct(request, last, &byte, 1);

    blk->requests += ok;
    /* What was written without a gap from the first byte on (SPLIT-37). */
    vmmio_request_complete(request, ok && written == last ? written + 1 : written);
}

static void refuse(struct vmmio_blk *blk, struct vmmio_request *request,
                   enum vmmio_blk_status status, enum vmmio_diag_id id, uint64_t value)
{
    vmmio_request_report(request, id, value);
    answer(blk, request, status, 0);
}

/* Jobs. */

static void give_back(struct vmmio_blk *blk, struct vmmio_blk_job *job)
{
    job->request = NULL;
    job->next = blk->free_jobs;
    blk->free_jobs = job;
    blk->busy--;
}

static void park(struct vmmio_blk *blk, struct vmmio_request *request)
{
    request->next = NULL;
    if (blk->waiting_first)
        blk->waiting_last->next = request;
    else
        blk->waiting_first = request;
    blk->waiting_last = request;
}

static struct vmmio_request *unpark(struct vmmio_blk *blk)
{
    struct vmmio_request *request = blk->waiting_first;

    if (request)
        blk->waiting_first = request->next;
    return request;
}

/* A storage still works for a driver that has reset its queue: later writes must stay later. */
VMMIO_APART static bool overtaken(const struct vmmio_blk *blk)
{
    for (uint32_t i = 0; i < blk->is.job_count; i++)
        if (blk->is.jobs[i].request && blk->is.jobs[i].request->cancelled)
            return true;
    return false;
}

/* Takes a free job for the request; NULL if there is none: the request waits. */
static struct vmmio_blk_job *take_job(struct vmmio_blk *blk, struct vmmio_request *request,
                                      uint32_t type)
{
    struct vmmio_blk_job *job = blk->free_jobs;

    if (!job) {
        park(blk, request);
        return NULL;
    }
    blk->free_jobs = job->next;
    blk->busy++;
    job->request = request;
    job->type = type;
    job->total = 0;
    job->done = 0;
    job->unmap = false;
    job->flush = blk->write_through && type != VMMIO_BLK_T_IN;
    job->ok = true;
    return job;
}

static bool next_transfer(struct vmmio_blk_job *job)
{
    const uint32_t left = job->total - job->done;

    job->operation = (enum vmmio_blk_type)job->type;
    job->offset = job->start + job->done;
    job->length = left < VMMIO_BLK_PIECE ? left : VMMIO_BLK_PIECE;
    return job->type == VMMIO_BLK_T_IN || vmmio_request_read(job->request, HEADER_BYTES + job->done,
                                                             job->data, (uint32_t)job->length);
}

static const uint8_t *segment_of(const struct vmmio_blk_job *job, uint32_t index)
{
    return job->data + (size_t)SEGMENT_BYTES * index;
}

/* False if only empty ones are left. */
static bool next_segment(struct vmmio_blk_job *job)
{
    for (; job->done < job->total; job->done++) {
        const uint8_t *segment = segment_of(job, job->done);

        job->operation = (enum vmmio_blk_type)job->type;
        job->offset = vmmio_le64(segment) * VMMIO_BLK_SECTOR;
        job->length = (uint64_t)vmmio_le32(segment + 8) * VMMIO_BLK_SECTOR;
        job->unmap = (vmmio_le32(segment + 12) & SEGMENT_UNMAP) != 0;
        if (job->length)
            return true;
    }
    return false;
}

/* Prepares what comes next; false if nothing does, or DMA failed. */
static bool next_step(struct vmmio_blk_job *job)
{
    if (!job->ok || job->request->cancelled)
        return false;
    if (job->done < job->total && (job->type == VMMIO_BLK_T_IN || job->type == VMMIO_BLK_T_OUT))
        return next_transfer(job);
    if (next_segment(job))
        return true;
    if (job->flush) { /* durable before the status byte says so (BLK-37) */
        job->flush = false;
        job->operation = VMMIO_BLK_T_FLUSH;
        job->offset = 0;
        job->length = 0;
        return true;
    }
    return false;
}

static void end_step(struct vmmio_blk *blk, struct vmmio_blk_job *job)
{
    const uint32_t length = (uint32_t)job->length;

    if (!job->ok)
        return;
    switch (job->operation) {
    case VMMIO_BLK_T_IN:
        if (!vmmio_request_write(job->request, job->done, job->data, length))
            return;
        blk->bytes_read += length;
        job->done += length;
        return;
    case VMMIO_BLK_T_OUT:
        blk->bytes_written += length;
        job->done += length;
        return;
    case VMMIO_BLK_T_DISCARD:
    case VMMIO_BLK_T_WRITE_ZEROES:
        job->done++;
        return;
    default:
        return;
    }
}

static void end_job(struct vmmio_blk *blk, struct vmmio_blk_job *job)
{
    struct vmmio_request *request = job->request;
    const uint32_t written = job->type == VMMIO_BLK_T_IN ? job->done : 0;
    const enum vmmio_blk_status status = job->ok ? VMMIO_BLK_S_OK : VMMIO_BLK_S_IOERR;

    if (!job->ok && !request->cancelled)
        vmmio_request_report(request, VMMIO_DIAG_REQUEST_BACKEND, job->type);
    give_back(blk, job);
    answer(blk, request, status, written);
}

/* Goes on until the storage takes its time or the request is answered. */
static void work(struct vmmio_blk *blk, struct vmmio_blk_job *job)
{
    while (next_step(job)) {
        job->pending = true;
        job->inside = true;
        blk->is.storage.submit(blk->is.storage.context, job);
        job->inside = false;
        if (job->pending)
            return;
        end_step(blk, job);
    }
    end_job(blk, job);
}

void vmmio_blk_job_done(struct vmmio_blk_job *job, bool ok)
{
    struct vmmio_blk *blk = job->blk;

    if (!job->pending)
        return;
    job->pending = false;
    job->ok = ok;
    if (job->inside)
        return;
    job->next = NULL;
    if (blk->done_first)
        blk->done_last->next = job;
    else
        blk->done_first = job;
    blk->done_last = job;
    if (blk->is.wake)
        blk->is.wake(blk->is.wake_context);
}

/* Requests. */

static bool inside(const struct vmmio_blk *blk, uint64_t sector, uint64_t count)
{
    return sector <= blk->is.capacity && count <= blk->is.capacity - sector;
}

/*
 * A read that is in order, of a storage with a pointer, with its data in one segment and its status
 * in the next: most are. False if it is not like that, and nothing was done.
 */
static inline bool read_in_place(struct vmmio_blk *blk, struct vmmio_request *request,
                                 uint64_t sector)
{
    const struct vmmio_blk_storage *storage = &blk->is.storage;
    const uint32_t bytes = request->writable_bytes - 1;
    const struct vmmio_segment *data = &request->segments[request->readable_count];
    const struct vmmio_segment *status = &request->segments[request->segment_count - 1];

    if (data->length != bytes || status->length != 1 || !storage->map)
        return false;
    if (bytes % VMMIO_BLK_SECTOR || bytes == 0 || bytes > blk->request_max ||
        !inside(blk, sector, bytes / VMMIO_BLK_SECTOR))
        return false;
    const uint8_t *from = storage->map(storage->context, sector * VMMIO_BLK_SECTOR, bytes);
    const struct vmmio_memory_range *range = &request->engine->ranges[true];
    uint8_t *to = vmmio_in_range(range, data->address, bytes);
    uint8_t *answer_to = vmmio_in_range(range, status->address, 1);

    if (!from || !to || !answer_to)
        return false;
    memcpy(to, from, bytes);
    *answer_to = VMMIO_BLK_S_OK;
    blk->bytes_read += bytes;
    blk->requests++;
    vmmio_request_complete(request, bytes + 1);
    return true;
}

static void transfer(struct vmmio_blk *blk, struct vmmio_request *request, uint32_t type,
                     uint64_t sector)
{
    const uint32_t to_device = request->readable_bytes - HEADER_BYTES;
    const uint32_t to_driver = request->writable_bytes - 1;
    const uint32_t bytes = type == VMMIO_BLK_T_IN ? to_driver : to_device;
    const uint32_t astray = type == VMMIO_BLK_T_IN ? to_device : to_driver;

    if (bytes == 0 && astray) {
        refuse(blk, request, VMMIO_BLK_S_IOERR, VMMIO_DIAG_REQUEST_DIRECTION, astray);
        return;
    }
    if (bytes % VMMIO_BLK_SECTOR || bytes > blk->request_max) {
        refuse(blk, request, VMMIO_BLK_S_IOERR, VMMIO_DIAG_REQUEST_LENGTH, bytes);
        return;
    }
    if (!inside(blk, sector, bytes / VMMIO_BLK_SECTOR)) {
        refuse(blk, request, VMMIO_BLK_S_IOERR, VMMIO_DIAG_REQUEST_RANGE, sector);
        return;
    }

    const struct vmmio_blk_storage *storage = &blk->is.storage;
    const uint64_t start = sector * VMMIO_BLK_SECTOR;
    uint8_t *direct = storage->map ? storage->map(storage->context, start, bytes) : NULL;

    if (direct && type == VMMIO_BLK_T_IN) {
        const bool ok = vmmio_request_write_direct(request, 0, direct, bytes);

        blk->bytes_read += ok ? bytes : 0;
        answer(blk, request, VMMIO_BLK_S_OK, ok ? bytes : 0);
        return;
    }
    if (direct && !blk->write_through) {
        if (vmmio_request_read_direct(request, HEADER_BYTES, direct, bytes))
            blk->bytes_written += bytes;
        answer(blk, request, VMMIO_BLK_S_OK, 0);
        return;
    }
    struct vmmio_blk_job *job = take_job(blk, request, type);
    if (!job)
        return;
    job->start = start;
    job->total = bytes;
    work(blk, job);
}

static void flush(struct vmmio_blk *blk, struct vmmio_request *request)
{
    struct vmmio_blk_job *job = take_job(blk, request, VMMIO_BLK_T_FLUSH);

    if (!job)
        return;
    job->flush = true;
    work(blk, job);
}

/* Looks at the segments in job->data. Returns what is wrong with them, or OK. */
static enum vmmio_blk_status judge_segments(const struct vmmio_blk *blk, struct vmmio_blk_job *job)
{
    const bool discard = job->type == VMMIO_BLK_T_DISCARD;
    const uint32_t most = discard ? blk->is.max_discard_sectors : blk->is.max_write_zeroes_sectors;
    const uint32_t known_flags = discard ? 0 : SEGMENT_UNMAP; /* BLK-33 */

    for (uint32_t i = 0; i < job->total; i++) {
        const uint32_t flags = vmmio_le32(segment_of(job, i) + 12);

        if (flags & ~known_flags) { /* BLK-32 */
            vmmio_request_report(job->request, VMMIO_DIAG_REQUEST_UNKNOWN, flags);
            return VMMIO_BLK_S_UNSUPP;
        }
    }
    for (uint32_t i = 0; i < job->total; i++) {
        const uint8_t *segment = segment_of(job, i);
        const uint64_t sector = vmmio_le64(segment);
        const uint32_t count = vmmio_le32(segment + 8);

        if (count > most || !inside(blk, sector, count)) {
            vmmio_request_report(job->request, VMMIO_DIAG_REQUEST_RANGE, sector);
            return VMMIO_BLK_S_IOERR;
        }
    }
    return VMMIO_BLK_S_OK;
}

/* DISCARD and WRITE_ZEROES: the whole list is read once and judged before any of it is done. */
static void deallocate(struct vmmio_blk *blk, struct vmmio_request *request, uint32_t type)
{
    const uint32_t bytes = request->readable_bytes - HEADER_BYTES;
    const uint32_t most =
        type == VMMIO_BLK_T_DISCARD ? blk->is.max_discard_seg : blk->is.max_write_zeroes_seg;

    if (bytes == 0 || bytes % SEGMENT_BYTES || bytes / SEGMENT_BYTES > most) {
        refuse(blk, request, VMMIO_BLK_S_IOERR, VMMIO_DIAG_REQUEST_LENGTH, bytes);
        return;
    }
    struct vmmio_blk_job *job = take_job(blk, request, type);
    if (!job)
        return;
    enum vmmio_blk_status status = VMMIO_BLK_S_IOERR;

    if (vmmio_request_read(request, HEADER_BYTES, job->data, bytes)) {
        job->total = bytes / SEGMENT_BYTES;
        status = judge_segments(blk, job);
    }
    if (status == VMMIO_BLK_S_OK) {
        work(blk, job);
        return;
    }
    give_back(blk, job);
    answer(blk, request, status, 0);
}

static void get_id(struct vmmio_blk *blk, struct vmmio_request *request)
{
    if (request->writable_bytes != VMMIO_BLK_ID_BYTES + 1)
        refuse(blk, request, VMMIO_BLK_S_IOERR, VMMIO_DIAG_REQUEST_LENGTH,
               request->writable_bytes - 1);
    else if (vmmio_request_write(request, 0, blk->id, VMMIO_BLK_ID_BYTES))
        answer(blk, request, VMMIO_BLK_S_OK, VMMIO_BLK_ID_BYTES);
    else
        answer(blk, request, VMMIO_BLK_S_IOERR, 0);
}

VMMIO_APART static void do_as_told(struct vmmio_blk *blk, struct vmmio_request *request,
                                   uint32_t type, uint64_t sector)
{
    if (type == VMMIO_BLK_T_OUT && blk->is.read_only)
        refuse(blk, request, VMMIO_BLK_S_IOERR, VMMIO_DIAG_REQUEST_READ_ONLY, sector);
    else if (type == VMMIO_BLK_T_IN || type == VMMIO_BLK_T_OUT)
        transfer(blk, request, type, sector);
    else if (type == VMMIO_BLK_T_FLUSH ||
             (type == VMMIO_BLK_T_FLUSH_OUT && blk->function.legacy)) /* BLK-L3 */
        flush(blk, request);
    else if (type == VMMIO_BLK_T_GET_ID)
        get_id(blk, request);
    else if ((type == VMMIO_BLK_T_DISCARD && has(blk, VMMIO_BLK_F_DISCARD)) ||
             (type == VMMIO_BLK_T_WRITE_ZEROES && has(blk, VMMIO_BLK_F_WRITE_ZEROES)))
        deallocate(blk, request, type);
    else
        refuse(blk, request, VMMIO_BLK_S_UNSUPP, VMMIO_DIAG_REQUEST_UNKNOWN, type);
}

/* The header by transactions, scattered, or not to be read any more. */
VMMIO_APART static void start_slowly(struct vmmio_blk *blk, struct vmmio_request *request)
{
    uint8_t header[HEADER_BYTES];

    if (request->readable_bytes < HEADER_BYTES)
        refuse(blk, request, VMMIO_BLK_S_IOERR, VMMIO_DIAG_REQUEST_SHORT, request->readable_bytes);
    else if (!vmmio_request_read(request, 0, header, HEADER_BYTES))
        answer(blk, request, VMMIO_BLK_S_IOERR, 0);
    else
        do_as_told(blk, request, vmmio_le32(header), vmmio_le64(header + 8));
}

static inline void start(struct vmmio_blk *blk, struct vmmio_request *request)
{
    const struct vmmio_segment *first = &request->segments[0];
    const uint8_t *place =
        !request->cancelled && request->readable_count && first->length >= HEADER_BYTES
            ? vmmio_in_range(&request->engine->ranges[false], first->address, HEADER_BYTES)
            : NULL;

    if (!place) {
        start_slowly(blk, request);
        return;
    }
    uint8_t header[HEADER_BYTES];

    vmmio_copy_once(header, place, HEADER_BYTES);
    const uint32_t type = vmmio_le32(header);
    const uint64_t sector = vmmio_le64(header + 8);

    if (type != VMMIO_BLK_T_IN || !read_in_place(blk, request, sector))
        do_as_told(blk, request, type, sector);
}

static void handle(struct vmmio_function *function, struct vmmio_request *request)
{
    struct vmmio_blk *blk = (struct vmmio_blk *)function;

    if (request->writable_bytes == 0) { /* no place for an answer: do nothing (H-14) */
        vmmio_request_report(request, VMMIO_DIAG_REQUEST_SHORT, 0);
        vmmio_request_complete(request, 0);
    } else if (blk->busy && overtaken(blk)) {
        park(blk, request);
    } else {
        start(blk, request);
    }
}

bool vmmio_blk_poll(struct vmmio_blk *blk)
{
    if (!blk->done_first)
        return false;
    struct vmmio_engine *engine = blk->done_first->request->engine;
    const bool first = vmmio_engine_enter(engine);

    if (!first)
        return true;
    while (blk->done_first) {
        struct vmmio_blk_job *job = blk->done_first;

        blk->done_first = job->next;
        end_step(blk, job);
        work(blk, job);
    }
    while (blk->waiting_first && blk->free_jobs && !overtaken(blk))
        start(blk, unpark(blk));
    vmmio_engine_leave(engine, first);
    return blk->done_first != NULL;
}

/* A legacy driver may have chosen already: what it accepts does not change that (BLK-L2). */
static bool mode_at_start(const struct vmmio_blk *blk)
{
    if (!has(blk, VMMIO_BLK_F_CONFIG_WCE))
        return !has(blk, VMMIO_BLK_F_FLUSH); /* BLK-37 */
    if (blk->function.legacy)
        return blk->write_through;
    return blk->is.write_through || !has(blk, VMMIO_BLK_F_FLUSH); /* BLK-13 */
}

static bool features_ok(struct vmmio_function *function, const struct vmmio_features *negotiated)
{
    struct vmmio_blk *blk = (struct vmmio_blk *)function;

    blk->negotiated = negotiated->word[0];
    blk->started = true;
    blk->write_through = mode_at_start(blk);
    if (!vmmio_features_has(&function->features, VMMIO_BLK_F_FLUSH))
        blk->write_through = false; /* no promise was made */
    vmmio_blk_show_mode(blk);
    return true;
}

static uint32_t usable_queues(const struct vmmio_function *function,
                              const struct vmmio_features *negotiated)
{
    return vmmio_features_has(negotiated, VMMIO_BLK_F_MQ) ? function->queue_count : 1;
}

static void reset(struct vmmio_function *function)
{
    struct vmmio_blk *blk = (struct vmmio_blk *)function;

    blk->started = false;
    blk->negotiated = 0; /* what waits or is worked on ends in vmmio_blk_poll */
    blk->write_through = blk->is.write_through;
    vmmio_blk_show_mode(blk);
}

static bool config_write(struct vmmio_function *function, uint32_t offset, const uint8_t *data,
                         uint32_t length)
{
    struct vmmio_blk *blk = (struct vmmio_blk *)function;
    const bool early = function->legacy && !blk->started; /* INIT-L2 */

    if (!(early ? vmmio_features_has(&function->features, VMMIO_BLK_F_CONFIG_WCE)
                : has(blk, VMMIO_BLK_F_CONFIG_WCE)) ||
        !vmmio_blk_writes_mode(blk, offset, data, length))
        return false;
    blk->write_through = *data == 0;
    vmmio_blk_show_mode(blk);
    return true;
}

const struct vmmio_function_type vmmio_blk_type = {
    .name = "block",
    .device_id = VMMIO_ID_BLOCK,
    .handle = handle,
    .features_ok = features_ok,
    .usable_queues = usable_queues,
    .reset = reset,
    .config_write = config_write,
    .save = vmmio_blk_save,
    .restore = vmmio_blk_restore,
};
