/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* fallocate */
#include "vmmio/dev/blk_storage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static uint8_t *ram_map(void *context, uint64_t offset, uint64_t length)
{
    (void)length; /* inside the capacity, which resize accepted */
    return ((struct vmmio_blk_ram *)context)->bytes + offset;
}

static void ram_submit(void *context, struct vmmio_blk_job *job)
{
    uint8_t *bytes = ram_map(context, job->offset, job->length);

    switch (job->operation) {
    case VMMIO_BLK_T_IN:
        memcpy(job->data, bytes, job->length);
        break;
    case VMMIO_BLK_T_OUT:
        memcpy(bytes, job->data, job->length);
        break;
    case VMMIO_BLK_T_DISCARD:
    case VMMIO_BLK_T_WRITE_ZEROES:
        memset(bytes, 0, job->length);
        break;
    default:
        break;
    }
    vmmio_blk_job_done(job, true);
}

static bool ram_resize(void *context, uint64_t bytes)
{
    return bytes <= ((struct vmmio_blk_ram *)context)->length;
}

struct vmmio_blk_storage vmmio_blk_use_ram(struct vmmio_blk_ram *ram)
{
    return (struct vmmio_blk_storage){.context = ram,
                                      .submit = ram_submit,
                                      .map = ram_map,
                                      .resize = ram_resize,
                                      .discards = true};
}

static void null_submit(void *context, struct vmmio_blk_job *job)
{
    (void)context;
    if (job->operation == VMMIO_BLK_T_IN)
        memset(job->data, 0, job->length);
    vmmio_blk_job_done(job, true);
}

struct vmmio_blk_storage vmmio_blk_use_nothing(void)
{
    return (struct vmmio_blk_storage){.submit = null_submit, .discards = true, .may_unmap = true};
}

static bool read_all(int descriptor, uint8_t *data, uint64_t length, uint64_t offset)
{
    while (length) {
        const ssize_t got = pread(descriptor, data, length, (off_t)offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) /* 0: somebody made the file shorter */
            return false;
        data += got;
        offset += (uint64_t)got;
        length -= (uint64_t)got;
    }
    return true;
}

static bool write_all(int descriptor, const uint8_t *data, uint64_t length, uint64_t offset)
{
    while (length) {
        const ssize_t put = pwrite(descriptor, data, length, (off_t)offset);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return false;
        data += put;
        offset += (uint64_t)put;
        length -= (uint64_t)put;
    }
    return true;
}

/* 0, or the reason. */
static int deallocate(int descriptor, int mode, const struct vmmio_blk_job *job)
{
    int result;

    do
        result = fallocate(descriptor, mode | FALLOC_FL_KEEP_SIZE, (off_t)job->offset,
                           (off_t)job->length);
    while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : errno;
}

static bool write_zeroes(int descriptor, const struct vmmio_blk_job *job)
{
    static const uint8_t zeroes[VMMIO_BLK_PIECE];
    const int mode = job->unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE;

    if (deallocate(descriptor, mode, job) == 0)
        return true;
    /* Not every file system can; writing always works. */
    for (uint64_t done = 0; done < job->length; done += sizeof(zeroes)) {
        const uint64_t left = job->length - done;

        if (!write_all(descriptor, zeroes, left < sizeof(zeroes) ? left : sizeof(zeroes),
                       job->offset + done))
            return false;
    }
    return true;
}

bool vmmio_blk_file_execute(int descriptor, struct vmmio_blk_job *job)
{
    int error;

    switch (job->operation) {
    case VMMIO_BLK_T_IN:
        return read_all(descriptor, job->data, job->length, job->offset);
    case VMMIO_BLK_T_OUT:
        return write_all(descriptor, job->data, job->length, job->offset);
    case VMMIO_BLK_T_FLUSH:
        return fdatasync(descriptor) == 0;
    case VMMIO_BLK_T_DISCARD:
        error = deallocate(descriptor, FALLOC_FL_PUNCH_HOLE, job);
        return error == 0 || error == EOPNOTSUPP || error == ENOSYS; /* a hint (BLK-35) */
    case VMMIO_BLK_T_WRITE_ZEROES:
        return write_zeroes(descriptor, job);
    default:
        return false;
    }
}

bool vmmio_blk_file_reserve(int descriptor, uint64_t bytes)
{
    const off_t end = lseek(descriptor, 0, SEEK_END); /* of block devices, too */

    return end >= 0 && ((uint64_t)end >= bytes || ftruncate(descriptor, (off_t)bytes) == 0);
}

static void file_submit(void *context, struct vmmio_blk_job *job)
{
    const struct vmmio_blk_file *file = context;

    vmmio_blk_job_done(job, vmmio_blk_file_execute(file->descriptor, job));
}

static bool file_resize(void *context, uint64_t bytes)
{
    return vmmio_blk_file_reserve(((struct vmmio_blk_file *)context)->descriptor, bytes);
}

struct vmmio_blk_storage vmmio_blk_use_file(struct vmmio_blk_file *file)
{
    return (struct vmmio_blk_storage){.context = file,
                                      .submit = file_submit,
                                      .resize = file_resize,
                                      .discards = true,
                                      .may_unmap = true};
}
