// SPDX-License-Identifier: Apache-2.0
// The DAX window: files in shared memory region 0, mapped as they are and by copies (5.11.6.4).
#include "fs_client.h"

#include <malloc.h>
#include <memory>

namespace vmmio::tb
{

namespace
{

/// A client whose window copies into memory that the test has, too.
struct copying_client {
    std::unique_ptr<bytes> memory = std::make_unique<bytes>(dax_length);
    fs_client c{dax_length, memory->data()};
};

/// The same test for both kinds of memory.
void with_both(const std::function<void(fs_client &)> &test)
{
    vmmio_test::run_in_child([&] {
        fs_client mapped;
        test(mapped);
    });
    vmmio_test::run_in_child([&] {
        copying_client copied;
        test(copied.c);
    });
}

std::uint32_t shm_word(fs_client &c, std::uint32_t id, std::uint32_t offset)
{
    c.p.cpu.write(VMMIO_REG_SHM_SEL, id);
    return c.p.cpu.read(offset);
}

} // namespace

TEST(FsDax, TheWindowIsRegionZeroAndNoOther)
{
    ROWS("FS-10", "FS-11");
    with_both([](fs_client &c) {
        c.p.run([&] {
            c.start();
            EXPECT_TRUE(c.negotiated.flags & FUSE_MAP_ALIGNMENT);
            EXPECT_EQ(c.negotiated.map_alignment, 12u);
            EXPECT_EQ(shm_word(c, 0, VMMIO_REG_SHM_LEN_LOW), dax_length);
            EXPECT_EQ(shm_word(c, 0, VMMIO_REG_SHM_BASE_HIGH), at::shm >> 32);
            for (const std::uint32_t id : {1u, 2u, 255u, 256u})
                EXPECT_EQ(shm_word(c, id, VMMIO_REG_SHM_LEN_LOW), 0xffffffffu);
        });
    });
}

SC_TEST(FsDax, WithoutAWindowThereIsNoRegionAndNoMapping)
{
    ROWS("FS-10");
    fs_client c(0);
    c.host.write("f", pages(1, 1));
    c.p.run([&] {
        c.start();
        EXPECT_FALSE(c.negotiated.flags & FUSE_MAP_ALIGNMENT);
        EXPECT_EQ(c.negotiated.map_alignment, 0u);
        EXPECT_EQ(shm_word(c, 0, VMMIO_REG_SHM_LEN_LOW), 0xffffffffu);
        const std::uint64_t f = c.node("f");
        EXPECT_EQ(c.map(f, 0, dax_page, 0, false), ENOSYS);
        EXPECT_EQ(c.read(f, c.handle(f, O_RDONLY), 0, 1).body, bytes{1});
    });
}

SC_TEST(FsDax, LoadsAndStoresByDmiAndByTransport)
{
    ROWS("FS-11", "H-42");
    fs_client c;
    c.host.write("f", pages(4, 10));
    c.p.run([&] {
        c.start();
        const std::uint64_t f = c.node("f");
        ASSERT_EQ(c.map(f, dax_page, 2 * dax_page, dax_page, true), 0);
        EXPECT_EQ(c.load(dax_page), 11);
        EXPECT_EQ(c.load(3 * dax_page - 1), 12);
        EXPECT_EQ(c.load(0), -1);
        EXPECT_EQ(c.load(3 * dax_page), -1);
        EXPECT_TRUE(c.store(dax_page, 77));
        EXPECT_EQ(c.host.read("f")[dax_page], 77) << "at once";
        const auto grant = c.p.cpu.ask(at::shm + dax_page);
        ASSERT_TRUE(grant.granted);
        EXPECT_EQ(grant.first, at::shm + dax_page);
        EXPECT_EQ(grant.last, at::shm + 3 * dax_page - 1);
        EXPECT_TRUE(grant.writable);
        EXPECT_EQ(*grant.pointer, 77);
        *grant.pointer = 78;
        EXPECT_EQ(c.host.read("f")[dax_page], 78);
        // The pointer is taken back while the mapping is still there.
        int during = -2;
        c.p.cpu.on_invalidate = [&] { during = *grant.pointer; };
        ASSERT_EQ(c.unmap(dax_page, 2 * dax_page), 0);
        ASSERT_EQ(c.p.cpu.invalidated.size(), 1u);
        EXPECT_EQ(c.p.cpu.invalidated[0].first, at::shm + dax_page);
        EXPECT_EQ(c.p.cpu.invalidated[0].second, at::shm + 3 * dax_page - 1);
        EXPECT_EQ(during, 78);
        EXPECT_EQ(c.load(dax_page), -1);
        *grant.pointer = 99; // an initiator that did not listen reaches nobody's data
        EXPECT_EQ(c.host.read("f")[dax_page], 78);
    });
}

TEST(FsDax, RequestsAndMappingsShowTheSameData)
{
    ROWS("FS-12");
    with_both([](fs_client &c) {
        c.host.write("f", pages(2, 1));
        c.p.run([&] {
            c.start();
            const std::uint64_t f = c.node("f");
            const std::uint64_t fh = c.handle(f, O_RDWR);
            ASSERT_EQ(c.map(f, 0, 2 * dax_page, 0, true), 0);
            EXPECT_TRUE(c.store(5, 50));
            EXPECT_EQ(c.read(f, fh, 5, 1).body, bytes{50});
            EXPECT_EQ(c.write(f, fh, 6, {60, 61}).error, 0);
            EXPECT_EQ(c.load(5), 50);
            EXPECT_EQ(c.load(6), 60);
            EXPECT_EQ(c.load(7), 61);
            EXPECT_TRUE(c.store(7, 70));
            EXPECT_EQ(c.write(f, fh, 8, {80}).error, 0);
            EXPECT_EQ(c.read(f, fh, 4, 5).body, (bytes{1, 50, 60, 70, 80}));
            EXPECT_EQ(c.write(f, fh, 2 * dax_page, bytes(10, 9)).error, 0) << "it grows";
            EXPECT_EQ(c.load(7), 70);
        });
    });
}

TEST(FsDax, WhatWasStoredIsInTheFileAfterSyncAndAfterTheMapping)
{
    ROWS("FS-17");
    with_both([](fs_client &c) {
        c.host.write("f", pages(2, 1));
        c.p.run([&] {
            c.start();
            const std::uint64_t f = c.node("f");
            ASSERT_EQ(c.map(f, 0, 2 * dax_page, 0, true), 0);
            fuse_fsync_in sync{};
            sync.fh = c.handle(f, O_RDWR);
            EXPECT_TRUE(c.store(3, 33));
            EXPECT_EQ(c.ask(FUSE_FSYNC, f, raw(sync)).error, 0);
            EXPECT_EQ(c.host.read("f")[3], 33);
            EXPECT_TRUE(c.store(4, 44));
            EXPECT_EQ(c.ask(FUSE_SYNCFS, FUSE_ROOT_ID, raw(fuse_syncfs_in{})).error, 0);
            EXPECT_EQ(c.host.read("f")[4], 44);
            EXPECT_TRUE(c.store(dax_page, 55));
            EXPECT_EQ(c.unmap(0, 2 * dax_page), 0);
            const bytes all = c.host.read("f");
            EXPECT_EQ(all[dax_page], 55);
            EXPECT_EQ(all.size(), 2 * dax_page);
        });
    });
}

namespace
{

struct overlap {
    std::uint64_t offset, length; // pages, of the newer mapping
};

} // namespace

// An old mapping covers pages 4 to 7 of the window; what each page shows is that of the newest.
TEST(FsDax, TheNewestMappingWinsAndTheRestStays)
{
    ROWS("FS-13", "H-41");
    with_both([](fs_client &c) {
        c.host.write("old", pages(4, 100));
        c.host.write("new", pages(8, 200));
        c.p.run([&] {
            c.start();
            const std::uint64_t old = c.node("old");
            const std::uint64_t fresh = c.node("new");
            for (const overlap o :
                 {overlap{4, 4}, {2, 8}, {2, 3}, {7, 3}, {5, 2}, {4, 1}, {7, 1}, {8, 2}, {2, 2}}) {
                ASSERT_EQ(c.map(old, 4 * dax_page, 4 * dax_page, 0, true), 0);
                const auto grant = c.p.cpu.ask(at::shm + 4 * dax_page);
                ASSERT_TRUE(grant.granted);
                c.p.cpu.invalidated.clear();
                ASSERT_EQ(c.map(fresh, o.offset * dax_page, o.length * dax_page, 0, false), 0);
                const bool touched = o.offset < 8 && o.offset + o.length > 4;
                EXPECT_EQ(c.p.cpu.invalidated.empty(), !touched);
                for (std::uint64_t page = 0; page < 12; page++) {
                    int expected = -1;
                    if (page >= 4 && page < 8)
                        expected = static_cast<int>(100 + page - 4);
                    if (page >= o.offset && page < o.offset + o.length)
                        expected = static_cast<int>(200 + page - o.offset);
                    EXPECT_EQ(c.load(page * dax_page), expected)
                        << o.offset << '+' << o.length << ", page " << page;
                }
                ASSERT_EQ(c.unmap(0, 12 * dax_page), 0);
                EXPECT_EQ(c.p.dut.mappings(), 0u);
            }
        });
    });
}

TEST(FsDax, ARangeThatDoesNotLieInTheWindowIsRefused)
{
    ROWS("FS-14", "H-40");
    with_both([](fs_client &c) {
        c.host.write("f", pages(4, 1));
        c.p.run([&] {
            c.start();
            const std::uint64_t f = c.node("f");
            ASSERT_EQ(c.map(f, 0, dax_page, 0, true), 0);
            struct {
                std::uint64_t moffset, length, foffset;
            } const bad[] = {{dax_length - 4096, 8192, 0},
                             {0ull - 4096, 8192, 0},
                             {dax_length, 4096, 0},
                             {0, dax_length + 4096, 0},
                             {4096, ~0ull - 4095, 0},
                             {0, 0, 0},
                             {0, 100, 0},
                             {0, 4097, 0},
                             {1, 4096, 0},
                             {0, 4096, 1},
                             {0, 4096, 0x7ffffffffffff000},
                             {0, 4096, 0xfffffffffffff000}};
            for (const auto &b : bad) {
                EXPECT_EQ(c.map(f, b.moffset, b.length, b.foffset, true), EINVAL) << b.moffset;
                if (b.foffset == 0) {
                    EXPECT_EQ(c.unmap(b.moffset, b.length), EINVAL) << b.moffset;
                }
            }
            fuse_setupmapping_in flags{no_handle, 0, 4096, 0, 0};
            EXPECT_EQ(c.ask(FUSE_SETUPMAPPING, f, raw(flags)).error, EINVAL) << "no right";
            flags.flags = 4;
            EXPECT_EQ(c.ask(FUSE_SETUPMAPPING, f, raw(flags)).error, EINVAL) << "an unknown one";
            EXPECT_EQ(c.load(0), 1) << "the window is unchanged";
            EXPECT_EQ(c.p.dut.mappings(), 1u);
            // One bad entry, and none of them is removed.
            const bytes two = raw(fuse_removemapping_in{2}) +
                              raw(fuse_removemapping_one{0, dax_page}) +
                              raw(fuse_removemapping_one{dax_length, dax_page});
            EXPECT_EQ(c.ask(FUSE_REMOVEMAPPING, FUSE_ROOT_ID, two).error, EINVAL);
            EXPECT_EQ(c.load(0), 1);
            EXPECT_EQ(
                c.ask(FUSE_REMOVEMAPPING, FUSE_ROOT_ID,
                      raw(fuse_removemapping_in{~0u}) + raw(fuse_removemapping_one{0, dax_page}))
                    .error,
                EINVAL);
            EXPECT_EQ(c.load(0), 1);
        });
    });
}

TEST(FsDax, OnlyAWritableMappingCanBeWritten)
{
    ROWS("H-48");
    with_both([](fs_client &c) {
        c.host.write("f", pages(1, 1));
        c.p.run([&] {
            c.start();
            const std::uint64_t f = c.node("f");
            const std::uint64_t reader = c.handle(f, O_RDONLY);
            const std::uint64_t writer = c.handle(f, O_WRONLY);
            EXPECT_EQ(c.map(f, 0, dax_page, 0, true, reader), EACCES);
            EXPECT_EQ(c.map(f, 0, dax_page, 0, false, writer), EACCES) << "a mapping can be read";
            EXPECT_EQ(c.map(f, 0, dax_page, 0, false, reader + 100), EBADF);
            ASSERT_EQ(c.map(f, 0, dax_page, 0, false, reader), 0);
            EXPECT_EQ(c.load(0), 1);
            EXPECT_FALSE(c.store(0, 9));
            const auto grant = c.p.cpu.ask(at::shm);
            EXPECT_TRUE(grant.granted && grant.readable && !grant.writable);
            EXPECT_FALSE(c.p.cpu.ask(at::shm, tlm::TLM_WRITE_COMMAND).granted);
            EXPECT_EQ(c.unmap(0, dax_page), 0);
            EXPECT_EQ(c.host.read("f"), pages(1, 1));
        });
    });
}

TEST(FsDax, WhatIsNotMappedShowsNothing)
{
    ROWS("FS-16", "H-43");
    with_both([](fs_client &c) {
        c.host.write("f", pages(3, 1));
        c.p.run([&] {
            c.start();
            const std::uint64_t f = c.node("f");
            EXPECT_EQ(c.load(0), -1);
            EXPECT_FALSE(c.store(0, 1));
            ASSERT_EQ(c.map(f, 0, 3 * dax_page, 0, true), 0);
            ASSERT_EQ(c.unmap(dax_page, dax_page), 0);
            EXPECT_EQ(c.p.dut.mappings(), 2u) << "split";
            EXPECT_EQ(c.load(0), 1);
            EXPECT_EQ(c.load(dax_page), -1);
            EXPECT_EQ(c.load(2 * dax_page), 3);
            EXPECT_EQ(c.unmap(0, dax_length), 0) << "holes do not matter";
            EXPECT_EQ(c.load(2 * dax_page), -1);
        });
    });
}

SC_TEST(FsDax, TheLimitOfMappingsLastsUntilOneIsRemoved)
{
    ROWS("FS-17", "H-47");
    fs_client c(dax_length, nullptr, [](fs_options &o) { o.dax.mappings = 3; });
    c.host.write("f", pages(8, 1));
    c.p.run([&] {
        c.start();
        const std::uint64_t f = c.node("f");
        EXPECT_EQ(c.map(f, 0, 3 * dax_page, 0, false), 0);
        EXPECT_EQ(c.map(f, 4 * dax_page, dax_page, 0, false), 0);
        EXPECT_EQ(c.map(f, dax_page, dax_page, 7 * dax_page, false), ENOSPC) << "it would split";
        EXPECT_EQ(c.load(dax_page), 2);
        EXPECT_EQ(c.map(f, 6 * dax_page, dax_page, 0, false), 0);
        EXPECT_EQ(c.map(f, 8 * dax_page, dax_page, 0, false), ENOSPC);
        EXPECT_EQ(c.map(f, 6 * dax_page, dax_page, dax_page, false), 0) << "one for another";
        EXPECT_EQ(c.unmap(4 * dax_page, dax_page), 0);
        EXPECT_EQ(c.map(f, 8 * dax_page, dax_page, 0, false), 0);
    });
}

namespace
{

std::size_t open_descriptors()
{
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

} // namespace

SC_TEST(FsDax, MappingAndUnmappingForEverLeavesNothingBehind)
{
    ROWS("H-47");
    fs_client c;
    c.host.write("f", pages(2, 1));
    c.p.run([&] {
        c.start();
        const std::uint64_t f = c.node("f");
        const std::size_t before = open_descriptors();
        fs_client::again map(c, FUSE_SETUPMAPPING, f);
        fs_client::again unmap(c, FUSE_REMOVEMAPPING, FUSE_ROOT_ID);
        std::size_t used = 0;
        for (unsigned i = 0; i < 20000; i++) {
            const std::uint64_t offset = (i % 8) * dax_page;
            EXPECT_EQ(map.ask(fs_client::mapping(offset, 2 * dax_page, 0, i % 2 == 0)), 0);
            if (i % 3 == 0) {
                EXPECT_EQ(unmap.ask(raw(fuse_removemapping_in{1}) +
                                    raw(fuse_removemapping_one{offset, dax_page})),
                          0);
            }
            if (i == 100)
                used = mallinfo2().uordblks;
        }
        EXPECT_LE(mallinfo2().uordblks, used + 4096);
        EXPECT_LE(open_descriptors(), before + 2) << "one for each kind of rights";
        EXPECT_EQ(c.unmap(0, dax_length), 0);
        EXPECT_EQ(open_descriptors(), before);
        EXPECT_EQ(c.p.dut.mappings(), 0u);
    });
}

// Reads beyond the end give zeroes, by transport and by a pointer that was granted before.
TEST(FsDax, AFileThatGetsShorterEndsNobody)
{
    ROWS("H-42");
    with_both([](fs_client &c) {
        c.host.write("f", pages(4, 10));
        c.p.run([&] {
            c.start();
            const std::uint64_t f = c.node("f");
            ASSERT_EQ(c.map(f, 0, 4 * dax_page, 0, true), 0);
            const auto old = c.p.cpu.ask(at::shm);
            ASSERT_TRUE(old.granted);
            EXPECT_EQ(c.truncate(f, dax_page).error, 0);
            EXPECT_FALSE(c.p.cpu.invalidated.empty()) << "the pointer was taken back";
            EXPECT_EQ(c.load(0), 10);
            EXPECT_EQ(c.load(2 * dax_page), 0);
            EXPECT_EQ(old.pointer[3 * dax_page], 0);
            EXPECT_TRUE(c.store(2 * dax_page, 1)) << "into nothing";
            EXPECT_EQ(c.host.read("f").size(), dax_page);
            // It grows again: the mapping shows the file, not what was stored into nothing.
            EXPECT_EQ(c.write(f, c.handle(f, O_RDWR), 2 * dax_page, bytes(dax_page, 42)).error, 0);
            EXPECT_EQ(c.load(2 * dax_page), 42);
            EXPECT_EQ(c.load(dax_page), 0);
            EXPECT_TRUE(c.store(2 * dax_page, 43));
            EXPECT_EQ(c.unmap(0, 4 * dax_page), 0);
            EXPECT_EQ(c.host.read("f")[2 * dax_page], 43);
        });
    });
}

// As O_TRUNC of open(), and of a create() whose name is that of a file.
TEST(FsDax, OpeningAFileToEmptyItTakesPointersBackFirst)
{
    ROWS("H-42");
    with_both([](fs_client &c) {
        c.p.run([&] {
            c.start();
            for (const bool creates : {false, true}) {
                c.host.write("f", pages(2, 10));
                const std::uint64_t f = c.node("f");
                ASSERT_EQ(c.map(f, 0, 2 * dax_page, 0, true), 0);
                const auto grant = c.p.cpu.ask(at::shm);
                ASSERT_TRUE(grant.granted);
                EXPECT_EQ(c.open(f, O_RDWR).error, 0);
                EXPECT_TRUE(c.p.cpu.invalidated.empty()) << "nothing gets shorter";
                std::uintmax_t size_then = 0;
                c.p.cpu.on_invalidate = [&] {
                    size_then = std::filesystem::file_size(c.host.path("f"));
                };
                const std::uint32_t flags = O_RDWR | O_TRUNC;
                EXPECT_EQ((creates ? c.create("f", flags) : c.open(f, flags)).error, 0);
                EXPECT_EQ(c.p.cpu.invalidated.size(), 1u);
                EXPECT_EQ(size_then, 2 * dax_page) << "before the file gets shorter";
                EXPECT_EQ(c.host.read("f").size(), 0u);
                EXPECT_EQ(c.load(0), 0);
                EXPECT_EQ(grant.pointer[dax_page], 0);
                c.p.cpu.on_invalidate = nullptr;
                EXPECT_EQ(c.unmap(0, dax_length), 0);
                c.p.cpu.invalidated.clear();
            }
        });
    });
}

TEST(FsDax, AFileThatTheHostShortensEndsNobody)
{
    ROWS("H-42");
    with_both([](fs_client &c) {
        c.host.write("f", pages(4, 10));
        c.p.run([&] {
            c.start();
            const std::uint64_t f = c.node("f");
            ASSERT_EQ(c.map(f, 0, 4 * dax_page, 0, true), 0);
            const auto grant = c.p.cpu.ask(at::shm);
            ASSERT_TRUE(grant.granted);
            std::filesystem::resize_file(c.host.path("f"), dax_page);
            grant.pointer[2 * dax_page] = 5; // by pointer, nothing was taken back
            EXPECT_TRUE(c.store(3 * dax_page, 6));
            EXPECT_NE(c.load(3 * dax_page), -1);
            EXPECT_EQ(c.load(0), 10);
            EXPECT_EQ(c.unmap(0, 4 * dax_page), 0);
            EXPECT_EQ(c.host.read("f"), pages(1, 10)) << "and is not made longer";
        });
    });
}

TEST(FsDax, AResetEndsMappingsAndKeepsWhatWasStored)
{
    ROWS("A-SHM-10", "H-42");
    with_both([](fs_client &c) {
        c.host.write("f", pages(1, 10));
        c.p.run([&] {
            c.start();
            ASSERT_EQ(c.map(c.node("f"), 0, dax_page, 0, true), 0);
            const auto grant = c.p.cpu.ask(at::shm);
            ASSERT_TRUE(grant.granted);
            EXPECT_TRUE(c.store(1, 11));
            c.p.guest.reset();
            EXPECT_EQ(c.p.guest.status(), 0u);
            EXPECT_EQ(c.p.cpu.invalidated.size(), 1u);
            EXPECT_EQ(c.load(1), -1);
            EXPECT_NE(*grant.pointer, 10) << "no file is behind it any more";
            EXPECT_EQ(c.host.read("f")[1], 11);
        });
    });
}

SC_TEST(FsDax, ACopyWritesBackOnlyWhatTheDriverChanged)
{
    copying_client copied;
    fs_client &c = copied.c;
    c.host.write("f", pages(2, 1));
    c.p.run([&] {
        c.start();
        const std::uint64_t f = c.node("f");
        ASSERT_EQ(c.map(f, 0, 2 * dax_page, 0, true), 0);
        EXPECT_EQ((*copied.memory)[dax_page], 2) << "it is in the memory that was given";
        (*copied.memory)[10] = 99; // as another process stores
        std::fstream host(c.host.path("f"), std::ios::in | std::ios::out | std::ios::binary);
        host.seekp(20);
        host.put(static_cast<char>(77));
        host.close();
        ASSERT_EQ(c.unmap(0, 2 * dax_page), 0);
        bytes expected = pages(2, 1);
        expected[10] = 99;
        expected[20] = 77;
        EXPECT_EQ(c.host.read("f"), expected);
        EXPECT_EQ((*copied.memory)[dax_page], 0) << "nothing of the file is left";
    });
}

} // namespace vmmio::tb
