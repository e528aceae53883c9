// SPDX-License-Identifier: Apache-2.0
// Accesses to shared memory by transaction.
#include "platform.h"

namespace vmmio::tb
{

namespace
{

constexpr auto address_error = tlm::TLM_ADDRESS_ERROR_RESPONSE;

device_options reading_ones()
{
    device_options options;
    options.shm_unmapped = unmapped::reads_ones;
    return options;
}

/// A region of 16 KiB: `low` at 0x1000, `high` right behind it at 0x2000, holes around them.
struct shm_platform : platform<null_device> {
    std::vector<unsigned char> low = std::vector<unsigned char>(0x1000, 0x11);
    std::vector<unsigned char> high = std::vector<unsigned char>(0x1000, 0x22);

    explicit shm_platform(const device_options &options = {}, rights access = rights::read_write)
        : platform(options)
    {
        dut.add_region(0, at::shm, 0x4000);
        map(0x1000, low, access);
        map(0x2000, high, rights::read_write);
    }
    void map(std::uint64_t offset, std::vector<unsigned char> &behind, rights access)
    {
        EXPECT_TRUE(
            dut.shm().map(0, offset, behind.data(), behind.size(), access, lifetime::permanent));
    }
    std::vector<unsigned char> load(std::uint64_t offset, std::size_t length)
    {
        std::vector<unsigned char> data(length, 0xa5);
        EXPECT_EQ(cpu.load(at::shm + offset, data.data(), length), ok) << offset;
        return data;
    }
    tlm::tlm_response_status store(std::uint64_t offset, const std::vector<unsigned char> &data)
    {
        return cpu.store(at::shm + offset, data.data(), data.size());
    }
};

using bytes = std::vector<unsigned char>;

} // namespace

SC_TEST(SharedMemory, IsReadAndWrittenAtAnyAddressAndLength)
{
    ROWS("SHM-01", "SHM-04");
    shm_platform p;
    p.run([&] {
        const vmmio_block before = p.dut.model().block;
        for (const std::size_t length : {1, 2, 3, 4, 7, 8, 64, 1000}) {
            bytes data(length);
            for (std::size_t i = 0; i < length; i++)
                data[i] = static_cast<unsigned char>(i * 3 + length);
            EXPECT_EQ(p.store(0x1003, data), ok);
            EXPECT_EQ(p.load(0x1003, length), data);
            EXPECT_TRUE(std::equal(data.begin(), data.end(), p.low.begin() + 3));
            EXPECT_EQ(p.low[2], 0x11);
        }
        EXPECT_EQ(std::memcmp(&before, &p.dut.model().block, sizeof(before)), 0)
            << "no device state behind it";
    });
}

SC_TEST(SharedMemory, AnAccessMayGoOverTheBorderOfTwoMappings)
{
    shm_platform p;
    p.run([&] {
        EXPECT_EQ(p.load(0x1ffe, 4), (bytes{0x11, 0x11, 0x22, 0x22}));
        EXPECT_EQ(p.store(0x1fff, {0x31, 0x32}), ok);
        EXPECT_EQ(p.low.back(), 0x31);
        EXPECT_EQ(p.high.front(), 0x32);
    });
}

SC_TEST(SharedMemory, WhereNothingIsMappedAnAccessGetsAnAddressErrorAndDoesNothing)
{
    ROWS("H-43");
    shm_platform p;
    p.run([&] {
        for (const std::uint64_t offset : {0ull, 0xfffull, 0x3000ull, 0x3fffull, 0x4000ull}) {
            std::uint8_t byte = 0xa5;
            EXPECT_EQ(p.cpu.load(at::shm + offset, &byte, 1), address_error) << offset;
            EXPECT_EQ(byte, 0xa5);
            EXPECT_EQ(p.cpu.store(at::shm + offset, &byte, 1), address_error) << offset;
        }
        const bytes data(8, 0x77);
        EXPECT_EQ(p.store(0xffc, data), address_error) << "from a hole into a mapping";
        EXPECT_EQ(p.store(0x2ffc, data), address_error) << "and out of one";
        EXPECT_EQ(p.low.front(), 0x11);
        EXPECT_EQ(p.high.back(), 0x22) << "nothing is written in part";
    });
}

SC_TEST(SharedMemory, MayReadOnesWhereNothingIsMapped)
{
    ROWS("H-43");
    shm_platform p(reading_ones());
    p.run([&] {
        EXPECT_EQ(p.load(0, 16), bytes(16, 0xff));
        EXPECT_EQ(p.load(0xffe, 4), (bytes{0xff, 0xff, 0x11, 0x11}));
        EXPECT_EQ(p.load(0x2ffe, 4), (bytes{0x22, 0x22, 0xff, 0xff}));
        EXPECT_EQ(p.store(0, {1, 2, 3}), ok);
        EXPECT_EQ(p.load(0, 3), bytes(3, 0xff)) << "the write is dropped";
        EXPECT_EQ(p.store(0x2fff, {0x41, 0x42}), ok);
        EXPECT_EQ(p.high.back(), 0x41);

        std::uint32_t word = 0;
        EXPECT_EQ(p.cpu.load(at::shm + 0x4000, &word, 4), address_error) << "outside the region";
        EXPECT_EQ(p.cpu.load(at::shm + 0x3ffe, &word, 4), address_error) << "over its end";
        EXPECT_FALSE(p.cpu.ask(at::shm).granted);
    });
}

SC_TEST(SharedMemory, NeverShowsDataOfAnEarlierMapping)
{
    ROWS("H-43", "H-42");
    shm_platform p(reading_ones());
    p.run([&] {
        EXPECT_EQ(p.load(0x1000, 4), bytes(4, 0x11));
        EXPECT_TRUE(p.dut.shm().unmap(0, 0x1000, 0x800));
        EXPECT_EQ(p.load(0x1000, 4), bytes(4, 0xff));
        EXPECT_EQ(p.load(0x1800, 4), bytes(4, 0x11)) << "the other half is still there";
        EXPECT_EQ(p.store(0x1000, {0x99}), ok);
        EXPECT_EQ(p.low.front(), 0x11);
    });
}

SC_TEST(SharedMemory, AReadOnlyMappingIsNotWritten)
{
    ROWS("H-48");
    shm_platform p({}, rights::read);
    p.run([&] {
        EXPECT_EQ(p.load(0x1000, 4), bytes(4, 0x11));
        EXPECT_EQ(p.store(0x1000, {1}), tlm::TLM_COMMAND_ERROR_RESPONSE);
        EXPECT_EQ(p.store(0x1ffe, {1, 2, 3, 4}), tlm::TLM_COMMAND_ERROR_RESPONSE);
        const std::uint8_t byte = 1;
        EXPECT_EQ(p.cpu.poke(at::shm + 0x1000, &byte, 1), 0u);
        EXPECT_EQ(p.low, bytes(0x1000, 0x11));
        EXPECT_EQ(p.high, bytes(0x1000, 0x22));
    });
}

SC_TEST(SharedMemory, TakesByteEnables)
{
    ROWS("H-28");
    shm_platform p;
    p.run([&] {
        unsigned char enable[2] = {TLM_BYTE_ENABLED, TLM_BYTE_DISABLED};
        bytes data = {1, 2, 3, 4, 5};
        payload write(tlm::TLM_WRITE_COMMAND, at::shm + 0x1ffd, data.data(), data.size());
        write.set_byte_enable_ptr(enable);
        write.set_byte_enable_length(2); // repeats, also over the border of the mappings
        EXPECT_EQ(p.cpu.send(write), ok);
        EXPECT_EQ(p.load(0x1ffd, 5), (bytes{1, 0x11, 3, 0x22, 5}));

        data = bytes(5, 0xa5);
        payload read(tlm::TLM_READ_COMMAND, at::shm + 0x1ffd, data.data(), data.size());
        read.set_byte_enable_ptr(enable);
        read.set_byte_enable_length(2);
        EXPECT_EQ(p.cpu.send(read), ok);
        EXPECT_EQ(data, (bytes{1, 0xa5, 3, 0xa5, 5}));

        read.set_byte_enable_length(0);
        EXPECT_EQ(p.cpu.send(read), tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    });
}

SC_TEST(SharedMemory, OddPayloadsGetErrorResponses)
{
    ROWS("H-28");
    shm_platform p;
    p.run([&] {
        std::uint32_t word = 0;
        const auto respond = [&](auto change) {
            payload tx(tlm::TLM_READ_COMMAND, at::shm + 0x1000, &word, 4);
            change(tx);
            return p.cpu.send(tx);
        };
        EXPECT_EQ(respond([](payload &tx) { tx.set_data_ptr(nullptr); }),
                  tlm::TLM_GENERIC_ERROR_RESPONSE);
        EXPECT_EQ(respond([](payload &tx) { tx.set_data_length(0); }),
                  tlm::TLM_GENERIC_ERROR_RESPONSE);
        EXPECT_EQ(respond([](payload &tx) { tx.set_streaming_width(2); }),
                  tlm::TLM_BURST_ERROR_RESPONSE);
        EXPECT_EQ(respond([](payload &tx) { tx.set_streaming_width(0); }),
                  tlm::TLM_BURST_ERROR_RESPONSE);
        EXPECT_EQ(respond([](payload &tx) { tx.set_command(static_cast<tlm::tlm_command>(3)); }),
                  tlm::TLM_COMMAND_ERROR_RESPONSE);
        EXPECT_EQ(respond([](payload &tx) { tx.set_command(tlm::TLM_IGNORE_COMMAND); }), ok);
        EXPECT_EQ(word, 0u);
    });
}

SC_TEST(SharedMemory, AnAccessThatWrapsIsAnAddressError)
{
    ROWS("H-28", "H-40");
    processor master("master");
    direct_platform p;
    master.socket.bind(p.dut.shared_memory()); // no bus that would refuse for it
    std::vector<unsigned char> memory(0x1000, 0x11);
    p.dut.add_region(0, ~0ull - 0xfff, 0x1000, memory.data());
    p.run([&] {
        std::uint64_t data = 0;
        EXPECT_EQ(master.load(~0ull - 7, &data, 8), ok);
        EXPECT_EQ(data, 0x1111111111111111u);
        EXPECT_EQ(master.load(~0ull - 6, &data, 8), address_error);
        EXPECT_EQ(master.store(~0ull, &data, 2), address_error);
    });
}

SC_TEST(SharedMemory, DebugAccessesTakeNoTimeAndKeepTheRights)
{
    shm_platform p({}, rights::read);
    p.run([&] {
        bytes data(8, 0);
        EXPECT_EQ(p.cpu.peek(at::shm + 0x1ffc, data.data(), 8), 8u);
        EXPECT_EQ(data, (bytes{0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x22, 0x22}));
        EXPECT_EQ(p.cpu.poke(at::shm + 0x2000, data.data(), 4), 4u);
        EXPECT_EQ(p.high[3], 0x11);
        EXPECT_EQ(p.cpu.peek(at::shm + 0x3000, data.data(), 1), 0u);
        EXPECT_EQ(p.cpu.local, sc_core::SC_ZERO_TIME);
    });
}

SC_TEST(SharedMemory, AnAccessAddsItsLatency)
{
    device_options options;
    options.shm_latency = ns(6);
    shm_platform p(options);
    p.run([&] {
        p.load(0x1000, 4);
        EXPECT_EQ(p.cpu.local, ns(6));
        EXPECT_EQ(p.cpu.ask(at::shm + 0x1000).read_latency, ns(6));
        EXPECT_EQ(sc_core::sc_time_stamp(), sc_core::SC_ZERO_TIME);
    });
}

SC_TEST(SharedMemory, IsFoundInSeveralRegions)
{
    ROWS("SHM-01", "SHM-02");
    shm_platform p;
    bytes other(0x100, 0x33);
    p.dut.add_region(200, at::shm + 0x4000, 0x100, other.data()); // adjoins region 0
    p.run([&] {
        EXPECT_EQ(p.load(0x4000, 2), bytes(2, 0x33));
        ASSERT_EQ(p.dut.shm().move_region(200, at::shm + 0x100000), VMMIO_ERROR_OK);
        EXPECT_EQ(p.load(0x100000, 2), bytes(2, 0x33)) << "offsets count from the region's base";
        std::uint8_t byte = 0;
        EXPECT_EQ(p.cpu.load(at::shm + 0x4000, &byte, 1), address_error);
    });
}

SC_TEST(SharedMemory, MayHoldBuffersOfItsOwnDevice)
{
    ROWS("H-46");
    counting_source source;
    const vmmio_entropy_config config = source.config();
    platform<entropy_device> p(device_options{}, &config);
    bytes memory(0x1000, 0);
    p.dut.add_region(0, at::shm, 0x2000);
    reports::get().expect("/vmmio/ring");
    p.run([&] {
        p.go_live();
        EXPECT_TRUE(p.dut.shm().map(0, 0, memory.data(), 0x1000, rights::read_write,
                                    lifetime::until_reset));
        EXPECT_EQ(p.exchange({{at::shm + 8, 4, true}}).length, 4u);
        EXPECT_EQ(bytes(memory.begin() + 7, memory.begin() + 13), (bytes{0, 1, 2, 3, 4, 0}));
        p.guest.reset(); // takes the mapping away
        p.go_live();
        p.offer({{at::shm + 8, 4, true}});
        p.cpu.sync(ns(1000));
        EXPECT_TRUE(p.guest.status() & VMMIO_STATUS_NEEDS_RESET);
        EXPECT_EQ(memory[8], 1) << "memory that is gone is not written";
    });
}

} // namespace vmmio::tb
