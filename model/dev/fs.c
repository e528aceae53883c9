/* SPDX-License-Identifier: Apache-2.0 */
#include "vmmio/dev/fs.h"

#include "ring.h"
#include "utf8.h"
#include "vmmio/state.h"

#include <errno.h>

/* Fields of the headers, and the requests that are told apart here (FUSE protocol 7). */
enum {
    IN_LEN = 0,
    IN_OPCODE = 4,
    IN_UNIQUE = 8,
    OUT_LEN = 0,
    OUT_ERROR = 4,
    OUT_UNIQUE = 8,
    FUSE_FORGET = 2,
    FUSE_INIT = 26,
    FUSE_INTERRUPT = 36,
    FUSE_BATCH_FORGET = 42,
};

enum {
    REQUEST_QUEUES_MAX = 1024,
    TURN = 64, /* requests of one queue before the next one's turn */
};

static void fill_out_header(uint8_t *header, uint32_t length, int error, uint64_t unique)
{
    vmmio_put_le32(header + OUT_LEN, length);
    vmmio_put_le32(header + OUT_ERROR, (uint32_t)-error);
    vmmio_put_le64(header + OUT_UNIQUE, unique);
}

static void give_reply(struct vmmio_fs *fs, struct vmmio_request *request, const uint8_t *reply,
                       uint32_t length)
{
    const bool ok = length == 0 || vmmio_request_write(request, 0, reply, length);

    fs->requests += ok;
    fs->bytes += ok ? (uint64_t)request->readable_bytes + length : 0;
    vmmio_request_complete(request, ok ? length : 0);
}

/* The errno values of FUSE are those of Linux, which is the host, too. */
static void answer_error(struct vmmio_fs *fs, struct vmmio_request *request, uint64_t unique,
                         int error)
{
    uint8_t header[VMMIO_FS_OUT_HEADER];

    fill_out_header(header, sizeof(header), error, unique);
    give_reply(fs, request, header, request->writable_bytes < sizeof(header) ? 0 : sizeof(header));
}

static void refuse(struct vmmio_fs *fs, struct vmmio_request *request, uint64_t unique, int error,
                   enum vmmio_diag_id id, uint64_t value)
{
    vmmio_request_report(request, id, value);
    answer_error(fs, request, unique, error);
}

/* Jobs. */

static void give_back(struct vmmio_fs *fs, struct vmmio_fs_job *job)
{
    if (fs->is.backend.release)
        fs->is.backend.release(fs->is.backend.context, job);
    job->request = NULL;
    job->next = fs->free_jobs;
    fs->free_jobs = job;
    fs->free_count++;
}

/* The back end still works for a driver that has reset its queue: later requests stay later. */
static bool overtaken(const struct vmmio_fs *fs)
{
    for (uint32_t i = 0; fs->free_count < fs->is.job_count && i < fs->is.job_count; i++)
        if (fs->is.jobs[i].request && fs->is.jobs[i].request->cancelled)
            return true;
    return false;
}

static bool job_free(const struct vmmio_fs *fs, bool hiprio)
{
    return fs->free_count > (hiprio ? 0u : 1u) && !overtaken(fs);
}

/* What a reply must be before a byte of it reaches the driver. */
static bool reply_ok(const struct vmmio_fs_job *job)
{
    return job->reply_length == 0 ||
           (job->reply_length >= VMMIO_FS_OUT_HEADER && job->reply_length <= job->reply_bytes &&
            vmmio_le32(job->reply + OUT_LEN) == job->reply_length &&
            vmmio_le64(job->reply + OUT_UNIQUE) == job->unique);
}

static void end_job(struct vmmio_fs *fs, struct vmmio_fs_job *job)
{
    struct vmmio_request *request = job->request;

    if (request->cancelled) {
        vmmio_request_complete(request, 0);
    } else if (reply_ok(job)) {
        give_reply(fs, request, job->reply, job->reply_length);
    } else {
        refuse(fs, request, job->unique, EIO, VMMIO_DIAG_REQUEST_BACKEND, job->reply_length);
    }
    give_back(fs, job);
}

bool vmmio_fs_job_read(struct vmmio_fs_job *job, uint32_t offset, void *data, uint32_t length)
{
    return offset <= job->body_bytes && length <= job->body_bytes - offset &&
           vmmio_request_read(job->request, VMMIO_FS_IN_HEADER + offset, data, length);
}

void vmmio_fs_job_done(struct vmmio_fs_job *job, const void *reply, uint32_t length)
{
    struct vmmio_fs *fs = job->fs;

    if (!job->pending)
        return;
    job->pending = false;
    job->reply = reply;
    job->reply_length = length;
    if (job->inside)
        return;
    job->next = NULL;
    if (fs->done_first)
        fs->done_last->next = job;
    else
        fs->done_first = job;
    fs->done_last = job;
    if (fs->is.wake)
        fs->is.wake(fs->is.wake_context);
}

void vmmio_fs_job_fail(struct vmmio_fs_job *job, int error)
{
    /* The header has served: its room takes the reply. */
    fill_out_header(job->header, VMMIO_FS_OUT_HEADER, error, job->unique);
    vmmio_fs_job_done(job, job->header, job->reply_bytes ? VMMIO_FS_OUT_HEADER : 0);
}

/* Requests. */

static bool is_urgent(uint32_t opcode)
{
    return opcode == FUSE_FORGET || opcode == FUSE_INTERRUPT || opcode == FUSE_BATCH_FORGET;
}

static void submit(struct vmmio_fs *fs, struct vmmio_request *request, const uint8_t *header)
{
    struct vmmio_fs_job *job = fs->free_jobs;

    fs->free_jobs = job->next;
    fs->free_count--;
    memcpy(job->header, header, sizeof(job->header));
    job->opcode = vmmio_le32(header + IN_OPCODE);
    job->unique = vmmio_le64(header + IN_UNIQUE);
    job->body_bytes = request->readable_bytes - VMMIO_FS_IN_HEADER;
    job->reply_bytes = request->writable_bytes;
    job->own = NULL;
    job->request = request;
    job->pending = true;
    job->inside = true;
    fs->is.backend.submit(fs->is.backend.context, job);
    job->inside = false;
    if (!job->pending)
        end_job(fs, job);
}

/* A session of the other byte order is refused in that order, so that its driver understands. */
static void refuse_big_endian(struct vmmio_fs *fs, struct vmmio_request *request,
                              const uint8_t *header)
{
    uint8_t reply[VMMIO_FS_OUT_HEADER] = {0, 0, 0, VMMIO_FS_OUT_HEADER};
    const uint32_t error = (uint32_t)-EPROTO;

    for (unsigned i = 0; i < 4; i++)
        reply[OUT_ERROR + i] = (uint8_t)(error >> (24 - 8 * i));
    memcpy(reply + OUT_UNIQUE, header + IN_UNIQUE, 8);
    vmmio_request_report(request, VMMIO_DIAG_REQUEST_UNKNOWN, vmmio_le32(header + IN_OPCODE));
    give_reply(fs, request, reply, sizeof(reply));
}

static void start(struct vmmio_fs *fs, struct vmmio_request *request)
{
    const bool hiprio = request->queue == VMMIO_FS_HIPRIO;
    const uint32_t room = request->writable_bytes;
    uint8_t header[VMMIO_FS_IN_HEADER];

    if (request->readable_bytes < sizeof(header)) {
        refuse(fs, request, 0, EIO, VMMIO_DIAG_REQUEST_SHORT, request->readable_bytes);
        return;
    }
    if (!vmmio_request_read(request, 0, header, sizeof(header))) {
        vmmio_request_complete(request, 0);
        return;
    }
    const uint32_t length = vmmio_le32(header + IN_LEN);
    const uint32_t opcode = vmmio_le32(header + IN_OPCODE);
    const uint64_t unique = vmmio_le64(header + IN_UNIQUE);

    if (opcode == (uint32_t)FUSE_INIT << 24 && room >= VMMIO_FS_OUT_HEADER)
        refuse_big_endian(fs, request, header);
    else if (length != request->readable_bytes)
        refuse(fs, request, unique, EIO, VMMIO_DIAG_REQUEST_LENGTH, length);
    else if (length > fs->is.request_max)
        refuse(fs, request, unique, E2BIG, VMMIO_DIAG_REQUEST_LENGTH, length);
    else if (is_urgent(opcode) != hiprio)
        refuse(fs, request, unique, EIO, VMMIO_DIAG_REQUEST_QUEUE, opcode);
    else if (room < VMMIO_FS_OUT_HEADER && (room || !hiprio))
        refuse(fs, request, unique, EIO, VMMIO_DIAG_REQUEST_SHORT, room);
    else
        submit(fs, request, header);
}

/* What no job is free for stays in the ring, so that hiprio never finds all structs in use. */
static bool turn(struct vmmio_function *function, struct vmmio_engine *engine, uint32_t queue)
{
    struct vmmio_fs *fs = (struct vmmio_fs *)function;

    for (unsigned count = 0; count < TURN; count++) {
        if (!job_free(fs, queue == VMMIO_FS_HIPRIO)) {
            fs->starved = true; /* vmmio_fs_poll wakes the queues */
            return true;
        }
        struct vmmio_request *request = vmmio_queue_take(engine, queue);

        if (!request)
            return true;
        start(fs, request);
    }
    vmmio_queue_wake(engine, queue); /* after the others */
    return true;
}

/* What a saved device had at its back end; others are taken above. */
static void handle(struct vmmio_function *function, struct vmmio_request *request)
{
    struct vmmio_fs *fs = (struct vmmio_fs *)function;

    if (fs->free_jobs)
        start(fs, request);
    else
        answer_error(fs, request, 0, EIO);
}

bool vmmio_fs_poll(struct vmmio_fs *fs)
{
    if (!fs->done_first)
        return false;
    struct vmmio_engine *engine = fs->done_first->request->engine;

    if (!vmmio_engine_enter(engine))
        return true;
    while (fs->done_first) {
        struct vmmio_fs_job *job = fs->done_first;

        fs->done_first = job->next;
        end_job(fs, job);
    }
    for (uint32_t i = 0; fs->starved && i < fs->function.queue_count; i++)
        vmmio_queue_wake(engine, i);
    fs->starved = false;
    vmmio_engine_leave(engine, true);
    return false;
}

static void reset(struct vmmio_function *function)
{
    struct vmmio_fs *fs = (struct vmmio_fs *)function;

    if (fs->is.backend.reset)
        fs->is.backend.reset(fs->is.backend.context);
}

/* Save and restore. How many jobs it takes is kept, as a request is nothing without one. */

static uint32_t jobs_in_use(const struct vmmio_fs *fs)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < fs->is.job_count; i++)
        count += fs->is.jobs[i].request && !fs->is.jobs[i].request->cancelled;
    return count;
}

static enum vmmio_error save(const struct vmmio_function *function, struct vmmio_state *state)
{
    const struct vmmio_fs *fs = (const struct vmmio_fs *)function;
    uint32_t jobs = jobs_in_use(fs);
    bool starved = fs->starved;

    if (fs->is.backend.holds && fs->is.backend.holds(fs->is.backend.context))
        return VMMIO_ERROR_STATE_SESSION;
    vmmio_state_u32(state, &jobs);
    vmmio_state_bool(state, &starved);
    return VMMIO_ERROR_OK;
}

static enum vmmio_error restore(struct vmmio_function *function, struct vmmio_state *state)
{
    struct vmmio_fs *fs = (struct vmmio_fs *)function;
    uint32_t jobs;
    bool starved = false;

    vmmio_state_u32(state, &jobs);
    vmmio_state_bool(state, &starved);
    if (jobs > fs->is.job_count)
        return VMMIO_ERROR_STATE_DEVICE;
    if (fs->free_count != fs->is.job_count)
        return VMMIO_ERROR_STATE_BUSY;
    if (state->commit)
        fs->starved = starved;
    for (uint32_t i = 0; state->commit && starved && i < function->queue_count; i++)
        vmmio_queue_wake(state->engine, i); /* what they waited for may not be here to end */
    return VMMIO_ERROR_OK;
}

static const struct vmmio_function_type fs_type = {
    .name = "fs",
    .device_id = VMMIO_ID_FS,
    .modern_only = true,
    .handle = handle,
    .turn = turn,
    .reset = reset,
    .save = save,
    .restore = restore,
};

static bool set_tag(struct vmmio_fs *fs, const char *tag)
{
    const uint32_t length = vmmio_utf8_length(tag, VMMIO_FS_TAG_BYTES);

    memcpy(fs->config_bytes + VMMIO_FS_CONFIG_TAG, tag, length);
    return length > 0;
}

enum vmmio_error vmmio_fs_init(struct vmmio_fs *fs, const struct vmmio_fs_config *config)
{
    if (!fs || !config || !config->tag || !config->backend.submit || !config->jobs)
        return VMMIO_ERROR_NULL_ARGUMENT;

    *fs = (struct vmmio_fs){.is = *config};
    struct vmmio_fs_config *is = &fs->is;

    if (is->num_request_queues == 0)
        is->num_request_queues = 1;
    if (is->request_max == 0)
        is->request_max = VMMIO_FS_REQUEST_MAX;
    if (is->job_count < 2 || is->num_request_queues > REQUEST_QUEUES_MAX)
        return VMMIO_ERROR_FS_LIMIT;
    if (!set_tag(fs, is->tag))
        return VMMIO_ERROR_FS_TAG;
    is->tag = NULL; /* it was copied */

    vmmio_put_le32(fs->config_bytes + VMMIO_FS_CONFIG_NUM_REQUEST_QUEUES, is->num_request_queues);
    fs->function = (struct vmmio_function){.type = &fs_type,
                                           .queue_count = 1 + is->num_request_queues,
                                           .config = fs->config_bytes,
                                           .config_length = sizeof(fs->config_bytes)};
    for (uint32_t i = 0; i < is->job_count; i++) {
        is->jobs[i] = (struct vmmio_fs_job){.fs = fs, .next = fs->free_jobs};
        fs->free_jobs = &is->jobs[i];
    }
    fs->free_count = is->job_count;
    return VMMIO_ERROR_OK;
}
