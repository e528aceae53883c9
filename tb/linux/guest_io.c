/* How fast the guest reads or writes a file or a block device, past its page cache.
 *
 * Each 4096 bytes begin with their own position as 8 bytes in little-endian order, before and after
 * all runs: a read that gets another position fails, and so does whoever looks at the file later.
 *
 * Prints "OK mb_s=N requests=N" (10^6 bytes a second) and exits 0, or says on standard error what
 * is wrong and exits 1. What was written is flushed within the time that counts. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, MAX_JOBS = 64 };

struct load {
    int fd;
    bool writes, random;
    size_t block_bytes;
    uint64_t blocks; /* in the file */
    double end;      /* when no request shall begin any more */
    atomic_ullong next, requests;
    atomic_int error; /* an errno, 0 for none, -1 for bytes from another place */
};

struct job {
    pthread_t thread;
    struct load *load;
    uint64_t seed;
};

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void mark(uint8_t *block, size_t bytes, uint64_t position)
{
    for (size_t at = 0; at < bytes; at += PAGE_BYTES) {
        uint64_t word = position + at;
        memcpy(block + at, &word, sizeof word);
    }
}

static bool is_marked(const uint8_t *block, size_t bytes, uint64_t position)
{
    for (size_t at = 0; at < bytes; at += PAGE_BYTES) {
        uint64_t word = position + at;
        if (memcmp(block + at, &word, sizeof word) != 0)
            return false;
    }
    return true;
}

/* One request: 0, an errno, or -1. */
static int request(const struct load *load, uint8_t *block, uint64_t position)
{
    size_t bytes = load->block_bytes;
    ssize_t done;

    if (load->writes) {
        mark(block, bytes, position);
        done = pwrite(load->fd, block, bytes, (off_t)position);
    } else {
        done = pread(load->fd, block, bytes, (off_t)position);
    }
    if (done != (ssize_t)bytes)
        return done < 0 ? errno : EIO;
    return load->writes || is_marked(block, bytes, position) ? 0 : -1;
}

static void *work(void *argument)
{
    struct job *job = argument;
    struct load *load = job->load;
    uint8_t *block = aligned_alloc(PAGE_BYTES, load->block_bytes);
    int error = block ? 0 : ENOMEM;

    if (block)
        memset(block, 0x5a, load->block_bytes);
    while (!error && !load->error && seconds() < load->end) {
        uint64_t index = load->random ? next_random(&job->seed) : load->next++;

        error = request(load, block, index % load->blocks * load->block_bytes);
        load->requests++;
    }
    if (error)
        load->error = error;
    free(block);
    return NULL;
}

static int fail(const char *what, int error)
{
    fprintf(stderr, "%s: %s\n", what, error > 0 ? strerror(error) : "bytes of another place");
    return 1;
}

static int run(struct load *load, struct job *jobs, unsigned count, double duration)
{
    unsigned started = 0;
    double start = seconds();

    load->end = start + duration;
    for (; started < count; started++) {
        jobs[started].load = load;
        jobs[started].seed = 0x9e3779b97f4a7c15u * (started + 1);
        int error = pthread_create(&jobs[started].thread, NULL, work, &jobs[started]);
        if (error)
            load->error = error;
        if (error)
            break;
    }
    for (unsigned i = 0; i < started; i++)
        pthread_join(jobs[i].thread, NULL);
    if (load->error)
        return fail(load->writes ? "write" : "read", load->error);
    if (load->writes && fsync(load->fd) != 0)
        return fail("flush", errno);
    double passed = seconds() - start;
    unsigned long long requests = load->requests;
    printf("OK mb_s=%.2f requests=%llu\n",
           (double)requests * (double)load->block_bytes / passed / 1e6, requests);
    return 0;
}

int main(int argc, char **argv)
{
    static struct job jobs[MAX_JOBS];
    static struct load load;

    if (argc != 7) {
        fprintf(stderr, "usage: guest_io FILE read|write sequential|random BLOCK_BYTES JOBS "
                        "SECONDS\n");
        return 2;
    }
    load.writes = strcmp(argv[2], "write") == 0;
    load.random = strcmp(argv[3], "random") == 0;
    load.block_bytes = strtoul(argv[4], NULL, 0);
    unsigned count = (unsigned)strtoul(argv[5], NULL, 0);
    if (load.block_bytes == 0 || load.block_bytes % PAGE_BYTES != 0 || count < 1 ||
        count > MAX_JOBS) {
        fprintf(stderr, "blocks are multiples of %d bytes, jobs are 1 to %d\n", PAGE_BYTES,
                MAX_JOBS);
        return 2;
    }
    load.fd = open(argv[1], (load.writes ? O_RDWR : O_RDONLY) | O_DIRECT);
    off_t size = load.fd < 0 ? -1 : lseek(load.fd, 0, SEEK_END);
    if (size < 0)
        return fail(argv[1], errno);
    load.blocks = (uint64_t)size / load.block_bytes;
    if (load.blocks == 0)
        return fail(argv[1], ENOSPC);
    return run(&load, jobs, count, strtod(argv[6], NULL));
}
