/* SPDX-License-Identifier: Apache-2.0 */
/* How a storage does block requests, piece by piece, now or later. */
#include "blk_parts.h"

void vmmio_blk_give_back(struct vmmio_blk *blk, struct vmmio_blk_job *job)
{
    job->request = NULL;
    job->next = blk->free_jobs;
    blk->free_jobs = job;
    blk->busy--;
}

void vmmio_blk_park(struct vmmio_blk *blk, struct vmmio_request *request)
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

bool vmmio_blk_overtaken(const struct vmmio_blk *blk)
{
    for (uint32_t i = 0; i < blk->is.job_count; i++)
        if (blk->is.jobs[i].request && blk->is.jobs[i].request->cancelled)
            return true;
    return false;
}

struct vmmio_blk_job *vmmio_blk_take_job(struct vmmio_blk *blk, struct vmmio_request *request,
                                         uint32_t type)
{
    struct vmmio_blk_job *job = blk->free_jobs;

    if (!job) {
        vmmio_blk_park(blk, request);
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
    return job->type == VMMIO_BLK_T_IN ||
           vmmio_request_read(job->request, VMMIO_BLK_HEADER_BYTES + job->done, job->data,
                              (uint32_t)job->length);
}

/* False if only empty ones are left. */
static bool next_segment(struct vmmio_blk_job *job)
{
    for (; job->done < job->total; job->done++) {
        const uint8_t *segment = vmmio_blk_segment(job, job->done);

        job->operation = (enum vmmio_blk_type)job->type;
        job->offset = vmmio_le64(segment) * VMMIO_BLK_SECTOR;
        job->length = (uint64_t)vmmio_le32(segment + 8) * VMMIO_BLK_SECTOR;
        job->unmap = (vmmio_le32(segment + 12) & VMMIO_BLK_SEGMENT_UNMAP) != 0;
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
    vmmio_blk_give_back(blk, job);
    vmmio_blk_answer(blk, request, status, written);
}

void vmmio_blk_work(struct vmmio_blk *blk, struct vmmio_blk_job *job)
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
        vmmio_blk_work(blk, job);
    }
    while (blk->waiting_first && blk->free_jobs && !vmmio_blk_overtaken(blk))
        vmmio_blk_start(blk, unpark(blk));
    vmmio_engine_leave(engine, first);
    return blk->done_first != NULL;
}
