/* SPDX-License-Identifier: Apache-2.0 */
/* Block requests: what they ask, and what may be done. */
#include "vmmio/dev/blk.h"

#include "blk_parts.h"
#include "direct.h"

/* The driver gets its status byte in the last writable byte and nowhere else (BLK-27). */
void vmmio_blk_answer(struct vmmio_blk *blk, struct vmmio_request *request,
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
    vmmio_blk_answer(blk, request, status, 0);
}

static void transfer(struct vmmio_blk *blk, struct vmmio_request *request, uint32_t type,
                     uint64_t sector)
{
    const uint32_t to_device = request->readable_bytes - VMMIO_BLK_HEADER_BYTES;
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
    if (!vmmio_blk_inside(blk, sector, bytes / VMMIO_BLK_SECTOR)) {
        refuse(blk, request, VMMIO_BLK_S_IOERR, VMMIO_DIAG_REQUEST_RANGE, sector);
        return;
    }

    const struct vmmio_blk_storage *storage = &blk->is.storage;
    const uint64_t start = sector * VMMIO_BLK_SECTOR;
    uint8_t *direct = storage->map ? storage->map(storage->context, start, bytes) : NULL;

    if (direct && type == VMMIO_BLK_T_IN) {
        const bool ok = vmmio_request_write_direct(request, 0, direct, bytes);

        blk->bytes_read += ok ? bytes : 0;
        vmmio_blk_answer(blk, request, VMMIO_BLK_S_OK, ok ? bytes : 0);
        return;
    }
    if (direct && !blk->write_through) {
        if (vmmio_request_read_direct(request, VMMIO_BLK_HEADER_BYTES, direct, bytes))
            blk->bytes_written += bytes;
        vmmio_blk_answer(blk, request, VMMIO_BLK_S_OK, 0);
        return;
    }
    struct vmmio_blk_job *job = vmmio_blk_take_job(blk, request, type);
    if (!job)
        return;
    job->start = start;
    job->total = bytes;
    vmmio_blk_work(blk, job);
}

static void flush(struct vmmio_blk *blk, struct vmmio_request *request)
{
    struct vmmio_blk_job *job = vmmio_blk_take_job(blk, request, VMMIO_BLK_T_FLUSH);

    if (!job)
        return;
    job->flush = true;
    vmmio_blk_work(blk, job);
}

/* Looks at the segments in job->data. Returns what is wrong with them, or OK. */
static enum vmmio_blk_status judge_segments(const struct vmmio_blk *blk, struct vmmio_blk_job *job)
{
    const bool discard = job->type == VMMIO_BLK_T_DISCARD;
    const uint32_t most = discard ? blk->is.max_discard_sectors : blk->is.max_write_zeroes_sectors;
    const uint32_t known_flags = discard ? 0 : VMMIO_BLK_SEGMENT_UNMAP; /* BLK-33 */

    for (uint32_t i = 0; i < job->total; i++) {
        const uint32_t flags = vmmio_le32(vmmio_blk_segment(job, i) + 12);

        if (flags & ~known_flags) { /* BLK-32 */
            vmmio_request_report(job->request, VMMIO_DIAG_REQUEST_UNKNOWN, flags);
            return VMMIO_BLK_S_UNSUPP;
        }
    }
    for (uint32_t i = 0; i < job->total; i++) {
        const uint8_t *segment = vmmio_blk_segment(job, i);
        const uint64_t sector = vmmio_le64(segment);
        const uint32_t count = vmmio_le32(segment + 8);

        if (count > most || !vmmio_blk_inside(blk, sector, count)) {
            vmmio_request_report(job->request, VMMIO_DIAG_REQUEST_RANGE, sector);
            return VMMIO_BLK_S_IOERR;
        }
    }
    return VMMIO_BLK_S_OK;
}

/* DISCARD and WRITE_ZEROES: the whole list is read once and judged before any of it is done. */
static void deallocate(struct vmmio_blk *blk, struct vmmio_request *request, uint32_t type)
{
    const uint32_t bytes = request->readable_bytes - VMMIO_BLK_HEADER_BYTES;
    const uint32_t most =
        type == VMMIO_BLK_T_DISCARD ? blk->is.max_discard_seg : blk->is.max_write_zeroes_seg;

    if (bytes == 0 || bytes % VMMIO_BLK_SEGMENT_BYTES || bytes / VMMIO_BLK_SEGMENT_BYTES > most) {
        refuse(blk, request, VMMIO_BLK_S_IOERR, VMMIO_DIAG_REQUEST_LENGTH, bytes);
        return;
    }
    struct vmmio_blk_job *job = vmmio_blk_take_job(blk, request, type);
    if (!job)
        return;
    enum vmmio_blk_status status = VMMIO_BLK_S_IOERR;

    if (vmmio_request_read(request, VMMIO_BLK_HEADER_BYTES, job->data, bytes)) {
        job->total = bytes / VMMIO_BLK_SEGMENT_BYTES;
        status = judge_segments(blk, job);
    }
    if (status == VMMIO_BLK_S_OK) {
        vmmio_blk_work(blk, job);
        return;
    }
    vmmio_blk_give_back(blk, job);
    vmmio_blk_answer(blk, request, status, 0);
}

static void get_id(struct vmmio_blk *blk, struct vmmio_request *request)
{
    if (request->writable_bytes != VMMIO_BLK_ID_BYTES + 1)
        refuse(blk, request, VMMIO_BLK_S_IOERR, VMMIO_DIAG_REQUEST_LENGTH,
               request->writable_bytes - 1);
    else if (vmmio_request_write(request, 0, blk->id, VMMIO_BLK_ID_BYTES))
        vmmio_blk_answer(blk, request, VMMIO_BLK_S_OK, VMMIO_BLK_ID_BYTES);
    else
        vmmio_blk_answer(blk, request, VMMIO_BLK_S_IOERR, 0);
}

static void do_as_told(struct vmmio_blk *blk, struct vmmio_request *request, uint32_t type,
                       uint64_t sector)
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
    else if ((type == VMMIO_BLK_T_DISCARD && vmmio_blk_has(blk, VMMIO_BLK_F_DISCARD)) ||
             (type == VMMIO_BLK_T_WRITE_ZEROES && vmmio_blk_has(blk, VMMIO_BLK_F_WRITE_ZEROES)))
        deallocate(blk, request, type);
    else
        refuse(blk, request, VMMIO_BLK_S_UNSUPP, VMMIO_DIAG_REQUEST_UNKNOWN, type);
}

void vmmio_blk_start(struct vmmio_blk *blk, struct vmmio_request *request)
{
    uint8_t header[VMMIO_BLK_HEADER_BYTES];

    if (request->readable_bytes < sizeof(header))
        refuse(blk, request, VMMIO_BLK_S_IOERR, VMMIO_DIAG_REQUEST_SHORT, request->readable_bytes);
    else if (!vmmio_request_read_direct(request, 0, header, sizeof(header)))
        vmmio_blk_answer(blk, request, VMMIO_BLK_S_IOERR, 0);
    else
        do_as_told(blk, request, vmmio_le32(header), vmmio_le64(header + 8));
}

static void handle(struct vmmio_function *function, struct vmmio_request *request)
{
    struct vmmio_blk *blk = (struct vmmio_blk *)function;

    if (request->writable_bytes == 0) { /* no place for an answer: do nothing (H-14) */
        vmmio_request_report(request, VMMIO_DIAG_REQUEST_SHORT, 0);
        vmmio_request_complete(request, 0);
    } else if (blk->busy && vmmio_blk_overtaken(blk)) {
        vmmio_blk_park(blk, request);
    } else {
        vmmio_blk_start(blk, request);
    }
}

/* A legacy driver may have chosen already: what it accepts does not change that (BLK-L2). */
static bool mode_at_start(const struct vmmio_blk *blk)
{
    if (!vmmio_blk_has(blk, VMMIO_BLK_F_CONFIG_WCE))
        return !vmmio_blk_has(blk, VMMIO_BLK_F_FLUSH); /* BLK-37 */
    if (blk->function.legacy)
        return blk->write_through;
    return blk->is.write_through || !vmmio_blk_has(blk, VMMIO_BLK_F_FLUSH); /* BLK-13 */
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
                : vmmio_blk_has(blk, VMMIO_BLK_F_CONFIG_WCE)) ||
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
    .serve_in_place = vmmio_blk_serve_in_place,
    .save = vmmio_blk_save,
    .restore = vmmio_blk_restore,
};
