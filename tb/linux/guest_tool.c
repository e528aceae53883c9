/* What the guest's shell cannot do: files written and read through mmap, and memory timed.
 *
 * The pattern file is made of 64-byte records: the run's 16-byte token, the record's index as 8
 * bytes in little-endian order, and 40 bytes that depend on both. A byte from any other run, file
 * or place is therefore a mismatch.
 *
 * Prints "OK" or "OK key=value ..." and exits 0, or says on standard error what is wrong and
 * exits 1. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TOKEN_BYTES = 16, RECORD_BYTES = 64, FILLER_BYTES = 40 };

static int fail(const char *what, const char *path)
{
    fprintf(stderr, "%s %s: %s\n", what, path, errno ? strerror(errno) : "failed");
    return 1;
}

/* Decodes exactly 32 hexadecimal digits. */
static bool parse_token(const char *hex, uint8_t token[TOKEN_BYTES])
{
    if (strlen(hex) != 2 * TOKEN_BYTES || strspn(hex, "0123456789abcdef") != 2 * TOKEN_BYTES)
        return false;
    for (int i = 0; i < TOKEN_BYTES; i++) {
        const char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};
        token[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return true;
}

static void make_record(const uint8_t token[TOKEN_BYTES], uint64_t index,
                        uint8_t record[RECORD_BYTES])
{
    uint8_t *filler = record + RECORD_BYTES - FILLER_BYTES;

    memcpy(record, token, TOKEN_BYTES);
    for (int i = 0; i < 8; i++)
        record[TOKEN_BYTES + i] = (uint8_t)(index >> (8 * i));
    for (int i = 0; i < FILLER_BYTES; i++)
        filler[i] = (uint8_t)(index * 131 + (unsigned)i * 7 + token[i % TOKEN_BYTES]);
}

/* True if the file's pages are the region's memory itself and not copies in the page cache. */
static bool is_dax(int fd)
{
    struct statx st;

    return statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) == 0 &&
           (st.stx_attributes_mask & STATX_ATTR_DAX) && (st.stx_attributes & STATX_ATTR_DAX);
}

static int write_pattern(const char *path, const uint8_t token[TOKEN_BYTES], size_t bytes, bool dax)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (fd < 0 || posix_fallocate(fd, 0, (off_t)bytes) != 0)
        return fail("cannot make", path);
    uint8_t *map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return fail("cannot map", path);
    for (size_t at = 0; at < bytes; at += RECORD_BYTES)
        make_record(token, at / RECORD_BYTES, map + at);
    /* Both end in a flush request to the device. */
    if (msync(map, bytes, MS_SYNC) != 0 || fsync(fd) != 0)
        return fail("cannot flush", path);
    if (dax && !is_dax(fd)) {
        fprintf(stderr, "%s went through the page cache, not through DAX\n", path);
        return 1;
    }
    printf("OK bytes=%zu dax=%d\n", bytes, is_dax(fd));
    return 0;
}

/* Maps the whole of PATH for reading; NULL on failure. */
static const uint8_t *map_file(const char *path, size_t *bytes)
{
    struct stat st;
    int fd = open(path, O_RDONLY);

    if (fd < 0 || fstat(fd, &st) != 0)
        return NULL;
    *bytes = (size_t)st.st_size;
    void *map = mmap(NULL, *bytes, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    return map == MAP_FAILED ? NULL : map;
}

static int verify_pattern(const char *path, const uint8_t token[TOKEN_BYTES], size_t bytes)
{
    size_t size = 0;
    const uint8_t *map = map_file(path, &size);

    if (!map)
        return fail("cannot map", path);
    if (size != bytes) {
        fprintf(stderr, "%s has %zu bytes instead of %zu\n", path, size, bytes);
        return 1;
    }
    for (size_t at = 0; at < bytes; at += RECORD_BYTES) {
        uint8_t record[RECORD_BYTES];

        make_record(token, at / RECORD_BYTES, record);
        if (memcmp(map + at, record, RECORD_BYTES) != 0) {
            fprintf(stderr, "%s differs in the record at byte %zu\n", path, at);
            return 1;
        }
    }
    printf("OK bytes=%zu\n", bytes);
    return 0;
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* One pass over the memory, in 10^6 bytes a second. */
static double read_mb_s(const void *memory, size_t bytes)
{
    const volatile uint64_t *words = memory;
    double start = seconds();

    for (size_t i = 0; i + 8 <= bytes / 8; i += 8) {
        (void)words[i];
        (void)words[i + 1];
        (void)words[i + 2];
        (void)words[i + 3];
        (void)words[i + 4];
        (void)words[i + 5];
        (void)words[i + 6];
        (void)words[i + 7];
    }
    return (double)bytes / (seconds() - start) / 1e6;
}

/* Anonymous memory in pages of 2 MiB where the kernel has them, as a DAX mapping has. */
static void *allocate_ram(size_t bytes)
{
    const size_t huge = 2u << 20;
    uint8_t *map =
        mmap(NULL, bytes + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return NULL;
    map += huge - (uintptr_t)map % huge;
    madvise(map, bytes, MADV_HUGEPAGE);
    memset(map, 0x5a, bytes); /* untouched pages would all be the one zero page */
    return map;
}

/* Times the same reads on the file's mapping and on anonymous memory of the same size, in turn; of
 * each the best pass counts, for other load on the host only ever slows. */
static int compare_speed(const char *path)
{
    size_t bytes = 0;
    const uint8_t *file = map_file(path, &bytes);
    const void *ram = file ? allocate_ram(bytes) : NULL;
    double dax_best = 0, ram_best = 0;

    if (!ram)
        return fail("cannot map memory for", path);
    for (int pass = 0; pass < 16; pass++) {
        double dax_now = read_mb_s(file, bytes), ram_now = read_mb_s(ram, bytes);

        dax_best = dax_now > dax_best ? dax_now : dax_best;
        ram_best = ram_now > ram_best ? ram_now : ram_best;
    }
    printf("OK dax_read_mb_s=%.1f ram_read_mb_s=%.1f\n", dax_best, ram_best);
    return 0;
}

/* Reads BYTES from PATH and refuses what no random source gives: 4096 fair bytes leave more than
 * 16 of the 256 values out with a probability below 1e-60. */
static int read_random(const char *path, size_t bytes)
{
    unsigned seen[256] = {0}, values = 0;
    FILE *file = fopen(path, "r");

    if (!file)
        return fail("cannot open", path);
    setvbuf(file, NULL, _IONBF, 0);
    for (size_t i = 0; i < bytes; i++) {
        int byte = fgetc(file);

        if (byte == EOF)
            return fail("cannot read", path);
        values += seen[byte]++ == 0;
    }
    if (values < 240) {
        fprintf(stderr, "%zu bytes from %s take only %u values\n", bytes, path, values);
        return 1;
    }
    printf("OK bytes=%zu values=%u\n", bytes, values);
    return 0;
}

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    uint8_t token[TOKEN_BYTES];

    if (argc == 4 && strcmp(command, "random") == 0)
        return read_random(argv[2], strtoul(argv[3], NULL, 0));
    if (argc == 3 && strcmp(command, "speed") == 0)
        return compare_speed(argv[2]);
    if (argc == 5 && parse_token(argv[3], token)) {
        size_t bytes = strtoul(argv[4], NULL, 0) / RECORD_BYTES * RECORD_BYTES;

        if (strcmp(command, "write") == 0 || strcmp(command, "write-dax") == 0)
            return write_pattern(argv[2], token, bytes, strcmp(command, "write") != 0);
        if (strcmp(command, "verify") == 0)
            return verify_pattern(argv[2], token, bytes);
    }
    fprintf(stderr,
            "usage: guest_tool random FILE BYTES | speed FILE | "
            "write FILE TOKEN BYTES | write-dax FILE TOKEN BYTES | verify FILE TOKEN BYTES\n");
    return 2;
}
