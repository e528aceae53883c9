/* SPDX-License-Identifier: Apache-2.0 */
/* The storages that come with the model: a file, RAM, nothing. */
#include "blk_rig.h"

#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vmmio::tb
{
namespace
{

/* A file that is gone when it is closed. */
class temporary_file
{
public:
    temporary_file() : stream_(std::tmpfile()) {}
    ~temporary_file() { std::fclose(stream_); }
    temporary_file(const temporary_file &) = delete;
    temporary_file &operator=(const temporary_file &) = delete;
    int descriptor() const { return fileno(stream_); }
    off_t length() const
    {
        struct stat is = {};
        EXPECT_EQ(fstat(descriptor(), &is), 0);
        return is.st_size;
    }
    std::vector<uint8_t> bytes() const
    {
        std::vector<uint8_t> all(static_cast<size_t>(length()));
        EXPECT_EQ(pread(descriptor(), all.data(), all.size(), 0), ssize_t(all.size()));
        return all;
    }

private:
    std::FILE *stream_;
};

/* A rig whose storage is another one. */
struct storage_rig {
    explicit storage_rig(const vmmio_blk_storage &storage, uint64_t sectors = 64)
    {
        vmmio_blk_config config = {};
        config.storage = storage;
        config.capacity = sectors;
        config.jobs = job.get();
        config.job_count = 1;
        error = vmmio_blk_init(&b.blk, &config);
        if (error == VMMIO_ERROR_OK)
            b.go_live();
    }
    std::unique_ptr<vmmio_blk_job> job = std::make_unique<vmmio_blk_job>();
    blk_rig b;
    vmmio_error error;
};

TEST(blk_file, keeps_what_is_written)
{
    ROWS("BLK-06", "BLK-23");
    temporary_file file;
    vmmio_blk_file storage = {file.descriptor()};
    storage_rig disk(vmmio_blk_use_file(&storage));
    EXPECT_EQ(file.length(), 512 * 64) << "made as long as the device";
    const std::vector<uint8_t> data = pattern(512 * 40, 1);
    EXPECT_EQ(disk.b.ask(OUT, 10, data).status, OK);
    EXPECT_EQ(disk.b.ask(FLUSH).status, OK);
    EXPECT_EQ(disk.b.ask(IN, 10, {}, 512 * 40).data, data);
    const std::vector<uint8_t> all = file.bytes();
    EXPECT_TRUE(std::equal(data.begin(), data.end(), all.begin() + 5120));
}

TEST(blk_file, zeroes_and_discards_ranges)
{
    ROWS("BLK-34", "BLK-35", "BLK-36");
    temporary_file file;
    vmmio_blk_file storage = {file.descriptor()};
    storage_rig disk(vmmio_blk_use_file(&storage), 512);
    EXPECT_EQ(disk.b.field(56, 1), 1u);
    std::vector<uint8_t> expected = pattern(512 * 512, 2);
    EXPECT_EQ(disk.b.ask(OUT, 0, expected).status, OK);
    for (const uint32_t unmap : {0u, 1u}) {
        const uint32_t first = 3 + 100 * unmap;
        EXPECT_EQ(disk.b.ask(WRITE_ZEROES, 0, segment(first, 150, unmap)).status, OK);
        std::fill_n(expected.begin() + 512 * first, 512 * 150, uint8_t(0));
        EXPECT_EQ(file.bytes(), expected);
    }
    EXPECT_EQ(disk.b.ask(DISCARD, 0, segment(500, 12)).status, OK);
    EXPECT_EQ(file.length(), 512 * 512) << "a hole at the end does not shorten the file";
    EXPECT_EQ(disk.b.ask(IN, 499, {}, 512).data,
              std::vector<uint8_t>(expected.begin() + 499 * 512, expected.begin() + 500 * 512));
}

TEST(blk_file, grows_and_is_never_made_shorter)
{
    ROWS("BLK-36");
    temporary_file file;
    vmmio_blk_file storage = {file.descriptor()};
    storage_rig disk(vmmio_blk_use_file(&storage));
    EXPECT_EQ(vmmio_blk_resize(&disk.b.blk, 128), VMMIO_ERROR_OK);
    EXPECT_EQ(file.length(), 512 * 128);
    EXPECT_EQ(disk.b.ask(OUT, 127, pattern(512, 3)).status, OK);
    EXPECT_EQ(vmmio_blk_resize(&disk.b.blk, 1), VMMIO_ERROR_OK);
    EXPECT_EQ(file.length(), 512 * 128);
}

TEST(blk_file, errors_of_the_host_are_told_to_the_driver)
{
    ROWS("BLK-22");
    temporary_file file;
    vmmio_blk_file storage = {file.descriptor()};
    storage_rig disk(vmmio_blk_use_file(&storage));
    ASSERT_EQ(ftruncate(file.descriptor(), 512), 0);
    EXPECT_EQ(disk.b.ask(IN, 0, {}, 512).status, OK);
    EXPECT_EQ(disk.b.ask(IN, 1, {}, 512).status, IOERR) << "somebody made the file shorter";

    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    vmmio_blk_file unwritable = {null};
    storage_rig no_room(vmmio_blk_use_file(&unwritable));
    EXPECT_EQ(no_room.error, VMMIO_ERROR_BLK_SIZE);
    storage_rig empty(vmmio_blk_use_file(&unwritable), 0);
    EXPECT_EQ(empty.error, VMMIO_ERROR_OK);
    close(null);
    vmmio_blk_job &job = *empty.job;
    for (const vmmio_blk_type operation :
         {VMMIO_BLK_T_IN, VMMIO_BLK_T_OUT, VMMIO_BLK_T_FLUSH, VMMIO_BLK_T_DISCARD,
          VMMIO_BLK_T_WRITE_ZEROES, VMMIO_BLK_T_GET_ID}) {
        job.operation = operation;
        job.offset = 0;
        job.length = 512;
        EXPECT_FALSE(vmmio_blk_file_execute(null, &job)) << "closed: " << operation;
    }
}

TEST(blk_null, reads_zeroes_and_forgets)
{
    ROWS("BLK-23");
    storage_rig disk(vmmio_blk_use_nothing(), 1ull << 40);
    EXPECT_EQ(disk.b.ask(OUT, (1ull << 40) - 1, pattern(512, 1)).status, OK);
    EXPECT_EQ(disk.b.ask(IN, (1ull << 40) - 1, {}, 512).data, std::vector<uint8_t>(512, 0));
    EXPECT_EQ(disk.b.ask(FLUSH).status, OK);
    EXPECT_EQ(disk.b.ask(DISCARD, 0, segment(0, 8)).status, OK);
    EXPECT_EQ(disk.b.ask(WRITE_ZEROES, 0, segment(0, 8)).status, OK);
    EXPECT_EQ(disk.b.ask(IN, 1ull << 40, {}, 512).status, IOERR);
}

TEST(blk_ram, reads_zero_where_it_was_discarded)
{
    ROWS("BLK-35");
    blk_rig b;
    b.go_live();
    b.fill_disk(pattern(512 * 64, 1));
    EXPECT_EQ(b.ask(DISCARD, 0, segment(2, 3)).status, OK);
    EXPECT_EQ(b.ask(IN, 2, {}, 512 * 3).data, std::vector<uint8_t>(512 * 3, 0));
}

} // namespace
} // namespace vmmio::tb
