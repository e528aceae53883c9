// SPDX-License-Identifier: Apache-2.0
// The block device behind TLM sockets, with storages that finish at once and with a file.
#include "vmmio/tlm/blk_device.h"
#include "platform.h"
#include "ram_disk.h"
#include "vmmio/tlm/blk_file.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <numeric>
#include <sys/stat.h>
#include <unistd.h>

namespace vmmio::tb
{

namespace
{

constexpr std::uint32_t IN = 0, OUT = 1, FLUSH = 4, WRITE_ZEROES = 13; // 5.2.6
constexpr std::uint8_t OK = 0, IOERR = 1, no_status = 0xee;

/// A new empty file that is gone with the object.
class temporary_path
{
public:
    temporary_path()
    {
        const int fd = ::mkstemp(path_);
        EXPECT_GE(fd, 0);
        ::close(fd);
    }
    ~temporary_path() { ::unlink(path_); }
    temporary_path(const temporary_path &) = delete;
    temporary_path &operator=(const temporary_path &) = delete;
    std::string get() const { return path_; }
    std::vector<std::uint8_t> bytes() const
    {
        std::ifstream in(path_, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }

private:
    char path_[32] = "/tmp/vmmio-blk-XXXXXX";
};

/// Requests as a driver makes them.
struct requests {
    surroundings &p;

    std::vector<piece> chain(std::uint32_t type, std::uint64_t sector,
                             const std::vector<std::uint8_t> &out, std::uint32_t in)
    {
        const piece header = p.readable(16);
        p.memory.store32(header.address, type);
        p.memory.store64(header.address + 8, sector);
        std::vector<piece> pieces{header};
        if (!out.empty()) {
            pieces.push_back(p.readable(static_cast<std::uint32_t>(out.size())));
            p.memory.set_bytes(pieces.back().address, out);
        }
        if (in)
            pieces.push_back(p.writable(in));
        pieces.push_back(p.writable(1));
        p.memory.fill(pieces.back().address, 1, no_status);
        return pieces;
    }
    std::vector<piece> offer(std::uint32_t type, std::uint64_t sector,
                             const std::vector<std::uint8_t> &out = {}, std::uint32_t in = 0,
                             unsigned queue = 0)
    {
        const std::vector<piece> pieces = chain(type, sector, out, in);
        p.offer(pieces, queue);
        return pieces;
    }
    unsigned status(const std::vector<piece> &pieces) const
    {
        return p.memory.bytes(pieces.back().address, 1)[0];
    }
    std::vector<std::uint8_t> data(const std::vector<piece> &pieces) const
    {
        const piece &in = pieces[pieces.size() - 2];
        return p.memory.bytes(in.address, in.length);
    }
    /// Lets simulated time go on until the request is answered; the host's disk has 20 s.
    bool await(const std::vector<piece> &pieces)
    {
        for (unsigned i = 0; i < 20000 && status(pieces) == no_status; i++) {
            p.cpu.sync(ns(1000));
            if (status(pieces) == no_status)
                ::usleep(1000);
        }
        p.cpu.sync(ns(1000)); // the used entry follows the status byte
        return status(pieces) != no_status;
    }
};

vmmio_features everything(surroundings &p)
{
    vmmio_features features = p.guest.offered();
    vmmio_features_remove(&features, VMMIO_F_NOTIFICATION_DATA);
    vmmio_features_remove(&features, VMMIO_F_EVENT_IDX);
    return features;
}

std::vector<std::uint8_t> numbers(std::size_t length, std::uint8_t first)
{
    std::vector<std::uint8_t> bytes(length);
    std::iota(bytes.begin(), bytes.end(), first);
    return bytes;
}

} // namespace

SC_TEST(BlkDevice, ReadsAndWritesRam)
{
    ROWS("BLK-01", "BLK-23");
    ram_disk disk;
    platform<blk_device> p(disk.config());
    requests r{p};
    p.run([&] {
        EXPECT_EQ(p.cpu.read(VMMIO_REG_DEVICE_ID), 2u);
        p.go_live(everything(p));
        const auto data = numbers(1024, 3);
        const auto write = r.offer(OUT, 2, data);
        p.cpu.sync(ns(1000));
        EXPECT_EQ(r.status(write), OK);
        EXPECT_TRUE(std::equal(data.begin(), data.end(), disk.bytes.begin() + 1024));
        const auto read = r.offer(IN, 2, {}, 1024);
        p.cpu.sync(ns(1000));
        EXPECT_EQ(r.status(read), OK);
        EXPECT_EQ(r.data(read), data);
        EXPECT_TRUE(p.irq.read());
        EXPECT_EQ(p.dut.state().requests, 2u);
    });
}

SC_TEST(BlkDevice, ServesSeveralQueues)
{
    ROWS("BLK-01");
    ram_disk disk;
    vmmio_blk_config config = disk.config();
    config.queue_count = 4;
    platform<blk_device> p(config);
    requests r{p};
    p.run([&] {
        p.go_live(everything(p), 4);
        for (unsigned queue = 0; queue < 4; queue++) {
            const auto write = r.offer(OUT, queue, numbers(512, std::uint8_t(queue)), 0, queue);
            p.cpu.sync(ns(1000));
            EXPECT_EQ(r.status(write), OK);
            EXPECT_EQ(p.queues[queue]->used_idx(), 1u);
            EXPECT_EQ(disk.bytes[512 * queue], queue);
        }
    });
}

SC_TEST(BlkDevice, TellsAboutAnotherSize)
{
    ROWS("BLK-36");
    ram_disk disk;
    platform<blk_device> p(disk.config());
    p.run([&] {
        p.go_live(everything(p));
        const std::uint32_t before = p.cpu.read(VMMIO_REG_CONFIG_GENERATION);
        p.dut.resize(32);
        p.cpu.sync(ns(10));
        EXPECT_TRUE(p.irq.read());
        EXPECT_EQ(p.guest.interrupts(), 2u);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_CONFIG), 32u);
        EXPECT_NE(p.cpu.read(VMMIO_REG_CONFIG_GENERATION), before);
        expect_mistake({"dut", "storage"}, [&] { p.dut.resize(65); });
        EXPECT_EQ(p.cpu.read(VMMIO_REG_CONFIG), 32u);
    });
}

SC_TEST(BlkDevice, SaysWhatIsWrongWithItsConfiguration)
{
    ram_disk disk;
    vmmio_blk_config config = disk.config();
    config.capacity = 65;
    expect_mistake({"dut", "storage"}, [&] { blk_device dut("dut", config); });
}

SC_TEST(BlkDevice, FitsSegMaxToTheQueue)
{
    ROWS("BLK-02");
    ram_disk disk;
    device_options small;
    small.queue_size_max = 16;
    blk_device a("a", disk.config(), small), b("b", disk.config());
    vmmio_blk_config chosen = disk.config();
    chosen.seg_max = 5;
    blk_device c("c", chosen, small);
    EXPECT_EQ(a.state().is.seg_max, 14u);
    EXPECT_EQ(b.state().is.seg_max, 126u);
    EXPECT_EQ(c.state().is.seg_max, 5u);
}

namespace
{

struct file_options {
    std::uint32_t requests = 8;
    bool dmi = true;
};

/// A device on a file of 1 MiB.
struct file_platform {
    temporary_path path;
    blk_file file{path.get()};
    platform<blk_device> p;
    requests r{p};

    explicit file_platform(const file_options &o = {}) : p(config(), options(o)) {}

    vmmio_blk_config config()
    {
        vmmio_blk_config config{};
        config.storage = file.storage();
        config.capacity = 2048;
        return config;
    }
    static device_options options(const file_options &o)
    {
        device_options options;
        options.requests = o.requests;
        options.use_dmi = o.dmi;
        return options;
    }
};

void writes_and_reads_back(bool dmi, sc_time dma_waits = sc_core::SC_ZERO_TIME)
{
    file_platform f({4, dmi});
    f.p.main.waits = dma_waits;
    f.p.run([&] {
        f.p.go_live(everything(f.p), 1, 64);
        std::vector<std::vector<piece>> all;
        for (unsigned i = 0; i < 12; i++)
            all.push_back(f.r.offer(OUT, 100 * i, numbers(4096, std::uint8_t(i))));
        for (const auto &write : all) {
            ASSERT_TRUE(f.r.await(write));
            EXPECT_EQ(f.r.status(write), OK);
        }
        EXPECT_EQ(f.p.queues[0]->used_idx(), 12u);
        EXPECT_TRUE(f.p.irq.read());
        const auto flush = f.r.offer(FLUSH, 0);
        ASSERT_TRUE(f.r.await(flush));
        EXPECT_EQ(f.r.status(flush), OK);
        const auto bytes = f.path.bytes();
        ASSERT_EQ(bytes.size(), 1u << 20);
        for (unsigned i = 0; i < 12; i++)
            EXPECT_EQ(bytes[51200 * i], i);
        const auto read = f.r.offer(IN, 300, {}, 4096);
        ASSERT_TRUE(f.r.await(read));
        EXPECT_EQ(f.r.data(read), numbers(4096, 3));
        const auto beyond = f.r.offer(IN, 2048, {}, 512);
        ASSERT_TRUE(f.r.await(beyond));
        EXPECT_EQ(f.r.status(beyond), IOERR);
    });
}

} // namespace

SC_TEST(BlkFile, KeepsWhatIsWritten)
{
    ROWS("BLK-23", "BLK-37");
    reports::get().expect("/vmmio/request");
    writes_and_reads_back(true);
}

SC_TEST(BlkFile, KeepsWhatIsWrittenWithoutDmi)
{
    ROWS("BLK-23", "BLK-37");
    reports::get().expect("/vmmio/request");
    writes_and_reads_back(false);
}

// Kicks come in while earlier requests are being answered.
SC_TEST(BlkFile, KeepsWhatIsWrittenWhileDmaWaits)
{
    ROWS("BLK-23", "BLK-37");
    reports::get().expect("/vmmio/request");
    writes_and_reads_back(false, ns(30));
}

SC_TEST(BlkFile, MovesRequestsOfManyPieces)
{
    ROWS("BLK-23");
    file_platform f;
    f.p.run([&] {
        f.p.go_live(everything(f.p));
        const auto data = numbers(3 * VMMIO_BLK_PIECE + 512, 1);
        const auto write = f.r.offer(OUT, 1, data);
        ASSERT_TRUE(f.r.await(write));
        const auto read = f.r.offer(IN, 1, {}, static_cast<std::uint32_t>(data.size()));
        ASSERT_TRUE(f.r.await(read));
        EXPECT_EQ(f.r.status(read), OK);
        EXPECT_TRUE(f.r.data(read) == data);
    });
}

SC_TEST(BlkFile, LeavesNothingForTheNextDriver)
{
    ROWS("A-RESET-INFLIGHT", "H-34");
    file_platform f;
    f.p.run([&] {
        for (unsigned round = 0; round < 20; round++) {
            f.p.go_live(everything(f.p));
            std::vector<std::vector<piece>> all;
            for (unsigned i = 0; i < 4; i++)
                all.push_back(f.r.offer(IN, 8 * i, {}, 2048));
            const auto old = f.r.offer(OUT, 64, numbers(512, 1));
            all.push_back(old);
            std::vector<unsigned> before;
            f.p.guest.reset();
            for (const auto &request : all)
                before.push_back(f.r.status(request));
            f.p.memory.withdraw_all();
            f.p.go_live(everything(f.p));
            const auto write = f.r.offer(OUT, 64, numbers(512, 100));
            ASSERT_TRUE(f.r.await(write));
            const auto read = f.r.offer(IN, 64, {}, 512);
            ASSERT_TRUE(f.r.await(read));
            EXPECT_EQ(f.r.data(read), numbers(512, 100)) << "an old write came last";
            for (std::size_t i = 0; i < all.size(); i++)
                EXPECT_EQ(f.r.status(all[i]), before[i]);
        }
    });
}

SC_TEST(BlkFile, TheSimulationWaitsIfNothingElseIsLeft)
{
    file_platform f;
    f.p.run([&] {
        f.p.go_live(everything(f.p));
        const auto write = f.r.offer(OUT, 0, numbers(65536, 9));
        wait(f.p.irq.posedge_event()); // nothing else is scheduled
        EXPECT_EQ(f.r.status(write), OK);
    });
}

SC_TEST(BlkFile, NothingHappensBehindTheSimulationsBack)
{
    file_platform f;
    f.p.run([&] {
        f.p.go_live(everything(f.p));
        const auto read = f.r.offer(IN, 0, {}, 512);
        ::usleep(50000); // the file is read meanwhile
        EXPECT_EQ(f.r.status(read), no_status);
        const sc_time before = sc_core::sc_time_stamp();
        EXPECT_TRUE(f.r.await(read));
        EXPECT_GT(sc_core::sc_time_stamp(), before);
    });
}

SC_TEST(BlkFile, ADeviceThatGoesAwayWaitsForItsJobs)
{
    file_platform f;
    f.p.run([&] {
        f.p.go_live(everything(f.p), 1, 64);
        for (unsigned i = 0; i < 8; i++)
            f.r.offer(OUT, 128 * i, numbers(32768, 1));
    });
    EXPECT_EQ(f.p.dut.state().busy, 8u);
}

SC_TEST(BlkFile, AResetDuringALateAnswersDmaIsDoneAfterIt)
{
    ROWS("A-RESET-INFLIGHT", "H-34");
    file_platform f;
    f.p.main.dmi = false;
    f.p.main.waits = ns(50);
    f.p.run([&] {
        f.p.go_live(everything(f.p));
        const auto read = f.r.offer(IN, 0, {}, 512);
        wait(f.p.main.waiting);
        const auto transactions = f.p.main.transactions;
        f.p.guest.reset();
        EXPECT_NE(f.p.guest.status(), 0u) << "an access is on its way";
        f.p.cpu.sync(ns(1000));
        EXPECT_EQ(f.p.guest.status(), 0u);
        EXPECT_EQ(f.p.main.transactions, transactions);
        EXPECT_EQ(f.r.status(read), no_status);
        f.p.go_live(everything(f.p));
        const auto again = f.r.offer(IN, 0, {}, 512);
        ASSERT_TRUE(f.r.await(again));
        EXPECT_EQ(f.r.status(again), OK);
    });
}

SC_TEST(BlkFile, ZeroesAndGrows)
{
    ROWS("BLK-34", "BLK-36");
    file_platform f;
    f.p.run([&] {
        f.p.go_live(everything(f.p));
        const auto write = f.r.offer(OUT, 0, numbers(4096, 1));
        ASSERT_TRUE(f.r.await(write));
        std::vector<std::uint8_t> segment(16);
        segment[0] = 2; // sectors 2 and 3
        segment[8] = 2;
        const auto zero = f.r.offer(WRITE_ZEROES, 0, segment);
        ASSERT_TRUE(f.r.await(zero));
        EXPECT_EQ(f.r.status(zero), OK);
        auto expected = numbers(4096, 1);
        std::fill_n(expected.begin() + 1024, 1024, std::uint8_t(0));
        auto bytes = f.path.bytes();
        bytes.resize(4096);
        EXPECT_EQ(bytes, expected);
        f.p.dut.resize(4096);
        EXPECT_EQ(f.path.bytes().size(), 2u << 20);
    });
}

SC_TEST(BlkFile, SaysWhyAFileCannotBeHad)
{
    const auto message = [](auto open) -> std::string {
        try {
            open();
        } catch (const std::runtime_error &error) {
            return error.what();
        }
        return "";
    };
    EXPECT_NE(message([] { blk_file f("/nonexistent/disk"); }).find("/nonexistent/disk"),
              std::string::npos);
    EXPECT_NE(message([] { blk_file f("/tmp"); }), "");
    EXPECT_NE(message([] { blk_file f("/no", blk_file::access::read_only); }).find("/no"),
              std::string::npos);
    temporary_path path;
    EXPECT_EQ(message([&] {
                  blk_file f(path.get(), blk_file::access::read_only);
                  EXPECT_EQ(f.sectors(), 0u);
              }),
              "");
}

// At least once: what a thread had when the device was saved is done by the restored one.
SC_TEST(BlkDevice, WriteOnItsWayIsDoneAgainAfterARestore)
{
    file_platform f;
    f.p.run([&] {
        f.p.go_live(feature_set({VMMIO_F_VERSION_1, VMMIO_BLK_F_FLUSH}));
        const std::vector<std::uint8_t> data(512, 0x42);
        const std::vector<piece> write = f.r.offer(OUT, 3, data);
        std::vector<std::uint8_t> state;
        ASSERT_EQ(f.p.dut.save(state), VMMIO_ERROR_OK);
        ASSERT_EQ(f.r.status(write), no_status) << "it is still on its way";
        EXPECT_EQ(f.p.dut.restore(state), VMMIO_ERROR_OK) << "there are structs for both";
        ASSERT_TRUE(f.r.await(write));
        EXPECT_EQ(f.r.status(write), OK);

        f.p.guest.reset();
        ASSERT_EQ(::truncate(f.path.get().c_str(), 0), 0);
        ASSERT_EQ(::truncate(f.path.get().c_str(), 2048 * 512), 0);
        f.p.memory.fill(write.back().address, 1, no_status);
        ASSERT_EQ(f.p.dut.restore(state), VMMIO_ERROR_OK);
        ASSERT_TRUE(f.r.await(write));
        EXPECT_EQ(f.r.status(write), OK);
        const std::vector<std::uint8_t> disk = f.path.bytes();
        EXPECT_EQ(std::vector<std::uint8_t>(disk.begin() + 3 * 512, disk.begin() + 4 * 512), data);
    });
}

} // namespace vmmio::tb
