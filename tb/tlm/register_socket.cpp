// SPDX-License-Identifier: Apache-2.0
// The register socket: which transactions it carries out, and how it answers the others.
#include "platform.h"

#include <array>

namespace vmmio::tb
{

namespace
{

/// A register access with every attribute free; data starts as 0xa5.
struct odd_access : payload {
    std::array<unsigned char, 64> data;

    odd_access(tlm::tlm_command command, std::uint64_t offset, std::size_t length)
        : payload(command, at::registers + offset, data.data(), length)
    {
        data.fill(0xa5);
    }
    bool all(unsigned char value) const
    {
        return std::all_of(data.begin(), data.begin() + get_data_length(),
                           [value](unsigned char b) { return b == value; });
    }
};

odd_access reading(std::uint64_t offset, std::size_t length)
{
    return {tlm::TLM_READ_COMMAND, offset, length};
}

odd_access writing(std::uint64_t offset, std::size_t length)
{
    return {tlm::TLM_WRITE_COMMAND, offset, length};
}

std::uint64_t widths(const device &dut) { return dut.diagnostics(VMMIO_DIAG_ACCESS_WIDTH); }

device_options strict()
{
    device_options options;
    options.strict = true;
    return options;
}

/// A platform whose driver may make mistakes: they are reported.
template <typename Device>
struct rough_platform : platform<Device> {
    template <typename... Arguments>
    explicit rough_platform(Arguments &&...arguments)
        : platform<Device>(std::forward<Arguments>(arguments)...)
    {
        reports::get().expect("/vmmio/driver");
    }
};

const pmem_range small_range()
{
    static unsigned char memory[4096];
    return {at::shm, sizeof(memory), memory, {}};
}

} // namespace

SC_TEST(Registers, AnswerAligned32BitAccesses)
{
    ROWS("MMIO-MAGIC-01", "MMIO-VERSION-01", "MMIO-DEVID-01", "MMIO-VENDOR-01", "MMIO-LE-01");
    device_options options;
    options.vendor_id = 0x12345678;
    platform<null_device> p(options);
    p.run([&] {
        EXPECT_EQ(p.cpu.read(VMMIO_REG_MAGIC_VALUE), 0x74726976u);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_VERSION), 2u);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_DEVICE_ID), 42u);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_VENDOR_ID), 0x12345678u);
        unsigned char bytes[4];
        EXPECT_EQ(p.cpu.load(at::registers, bytes, 4), ok);
        EXPECT_EQ(std::string(bytes, bytes + 4), "virt") << "little endian on the bus";
    });
}

SC_TEST(Registers, OtherWidthsReadZeroAndDoNothing)
{
    ROWS("H-27", "H-28");
    rough_platform<null_device> p;
    p.run([&] {
        for (const std::size_t length : {1, 2, 3, 5, 6, 7}) {
            const std::uint64_t before = widths(p.dut);
            odd_access read = reading(VMMIO_REG_MAGIC_VALUE, length);
            EXPECT_EQ(p.cpu.send(read), ok) << length;
            EXPECT_TRUE(read.all(0)) << length;
            odd_access write = writing(VMMIO_REG_STATUS, length);
            EXPECT_EQ(p.cpu.send(write), ok) << length;
            EXPECT_TRUE(write.all(0xa5)) << "a write leaves its data alone, " << length;
            EXPECT_EQ(p.cpu.read(VMMIO_REG_STATUS), 0u) << length;
            EXPECT_EQ(widths(p.dut), before + 2) << length;
        }
    });
}

SC_TEST(Registers, UnalignedAccessesReadZeroAndDoNothing)
{
    ROWS("H-28");
    rough_platform<null_device> p;
    p.run([&] {
        for (unsigned shift = 1; shift < 4; shift++) {
            odd_access read = reading(VMMIO_REG_MAGIC_VALUE + shift, 4);
            EXPECT_EQ(p.cpu.send(read), ok);
            EXPECT_TRUE(read.all(0));
            odd_access write = writing(VMMIO_REG_STATUS - shift, 4);
            EXPECT_EQ(p.cpu.send(write), ok);
        }
        EXPECT_EQ(p.cpu.read(VMMIO_REG_STATUS), 0u);
        EXPECT_EQ(widths(p.dut), 6u);
    });
}

SC_TEST(Registers, A64BitAccessIsTwoOf32BitsLowFirst)
{
    ROWS("H-28");
    rough_platform<null_device> p;
    p.run([&] {
        std::uint64_t both = 0;
        EXPECT_EQ(p.cpu.load(at::registers + VMMIO_REG_MAGIC_VALUE, &both, 8), ok);
        EXPECT_EQ(both, 0x0000000274726976u);
        EXPECT_EQ(widths(p.dut), 1u);

        both = 0x1122334455667788;
        EXPECT_EQ(p.cpu.store(at::registers + VMMIO_REG_QUEUE_DESC_LOW, &both, 8), ok);
        std::uint64_t seen = 0;
        EXPECT_EQ(p.cpu.peek(at::registers + VMMIO_REG_QUEUE_DESC_LOW, &seen, 8), 8u);
        EXPECT_EQ(seen, both);

        // Each half for itself: DeviceFeaturesSel is written, DeviceFeatures is not.
        both = 0x00000001ffffffff;
        EXPECT_EQ(p.cpu.store(at::registers + VMMIO_REG_DEVICE_FEATURES, &both, 8), ok);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_DEVICE_FEATURES) & 1u, 1u) << "VERSION_1 is bit 0 of word 1";
        EXPECT_EQ(p.dut.diagnostics(VMMIO_DIAG_WRITE_OF_READ_ONLY), 1u);
    });
}

SC_TEST(Registers, LongerBurstsAreRefused)
{
    ROWS("H-28");
    platform<null_device> p;
    p.run([&] {
        for (const std::size_t length : {9, 16, 64}) {
            odd_access read = reading(0, length);
            EXPECT_EQ(p.cpu.send(read), tlm::TLM_BURST_ERROR_RESPONSE) << length;
            EXPECT_TRUE(read.all(0xa5)) << length;
            odd_access write = writing(VMMIO_REG_STATUS, length);
            EXPECT_EQ(p.cpu.send(write), tlm::TLM_BURST_ERROR_RESPONSE) << length;
        }
        EXPECT_EQ(p.cpu.read(VMMIO_REG_STATUS), 0u);
    });
}

SC_TEST(Registers, StreamingIsRefused)
{
    ROWS("H-28");
    platform<null_device> p;
    p.run([&] {
        for (const unsigned width : {0u, 1u, 2u, 3u}) {
            odd_access read = reading(VMMIO_REG_MAGIC_VALUE, 4);
            read.set_streaming_width(width);
            EXPECT_EQ(p.cpu.send(read), tlm::TLM_BURST_ERROR_RESPONSE) << width;
        }
        odd_access wide = reading(VMMIO_REG_MAGIC_VALUE, 4);
        wide.set_streaming_width(64); // no streaming: wider than the data
        EXPECT_EQ(p.cpu.send(wide), ok);
        EXPECT_EQ(wide.data[0], 'v');
    });
}

SC_TEST(Registers, ByteEnablesMustBeAllOnes)
{
    ROWS("H-28");
    rough_platform<null_device> p;
    p.run([&] {
        unsigned char ones[4] = {0xff, 0xff, 0xff, 0xff};
        unsigned char some[4] = {0xff, 0, 0xff, 0xff};
        for (const unsigned length : {1u, 2u, 4u}) { // a short array repeats
            odd_access read = reading(VMMIO_REG_MAGIC_VALUE, 4);
            read.set_byte_enable_ptr(ones);
            read.set_byte_enable_length(length);
            EXPECT_EQ(p.cpu.send(read), ok);
            EXPECT_EQ(read.data[3], 't');
        }
        EXPECT_EQ(widths(p.dut), 0u);

        odd_access read = reading(VMMIO_REG_MAGIC_VALUE, 4);
        read.set_byte_enable_ptr(some);
        read.set_byte_enable_length(4);
        EXPECT_EQ(p.cpu.send(read), ok);
        EXPECT_TRUE(read.all(0)) << "a defined value in every byte";

        odd_access write = writing(VMMIO_REG_STATUS, 4);
        write.set_byte_enable_ptr(some);
        write.set_byte_enable_length(4);
        EXPECT_EQ(p.cpu.send(write), ok);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_STATUS), 0u);
        EXPECT_EQ(widths(p.dut), 2u);
    });
}

SC_TEST(Registers, OddPayloadsGetErrorResponses)
{
    ROWS("H-28");
    platform<null_device> p;
    p.run([&] {
        odd_access none = reading(0, 4);
        none.set_data_ptr(nullptr);
        EXPECT_EQ(p.cpu.send(none), tlm::TLM_GENERIC_ERROR_RESPONSE);

        odd_access empty = reading(0, 0);
        EXPECT_EQ(p.cpu.send(empty), tlm::TLM_BURST_ERROR_RESPONSE);

        for (const std::size_t length : {2, 4}) {
            odd_access strange(static_cast<tlm::tlm_command>(3), 0, length);
            EXPECT_EQ(p.cpu.send(strange), tlm::TLM_COMMAND_ERROR_RESPONSE);
            odd_access ignored(tlm::TLM_IGNORE_COMMAND, VMMIO_REG_STATUS, length);
            EXPECT_EQ(p.cpu.send(ignored), ok);
            EXPECT_TRUE(ignored.all(0xa5));
        }
        EXPECT_EQ(p.cpu.read(VMMIO_REG_STATUS), 0u);
    });
}

SC_TEST(Registers, AnswerAnAddressErrorBehindTheBlock)
{
    ROWS("H-28");
    direct_platform p;
    reports::get().expect("/vmmio/driver");
    p.run([&] {
        std::uint32_t word = 0;
        for (const std::uint64_t offset : {0x1000ull, 0xffeull, 0xfffull, ~0ull, ~0ull - 3})
            EXPECT_EQ(p.cpu.load(offset, &word, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE) << offset;
        EXPECT_EQ(p.cpu.load(0xffc, &word, 4), ok) << "the last word: a hole";
        EXPECT_EQ(word, 0u);
    });
}

SC_TEST(Registers, HolesAndWrongDirectionsReadZeroAndIgnoreWrites)
{
    ROWS("MMIO-DRV-01", "MMIO-DRV-02", "H-27");
    rough_platform<null_device> p;
    p.run([&] {
        EXPECT_EQ(p.cpu.read(0x018), 0u);
        p.cpu.write(0x0f8, 1);
        EXPECT_EQ(p.dut.diagnostics(VMMIO_DIAG_HOLE), 2u);
        p.cpu.write(VMMIO_REG_QUEUE_SEL, 1);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_QUEUE_SEL), 0u);
        EXPECT_EQ(p.dut.diagnostics(VMMIO_DIAG_READ_OF_WRITE_ONLY), 1u);
        p.cpu.write(VMMIO_REG_MAGIC_VALUE, 0);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_MAGIC_VALUE), 0x74726976u);
        EXPECT_EQ(p.dut.diagnostics(VMMIO_DIAG_WRITE_OF_READ_ONLY), 1u);
    });
}

SC_TEST(Registers, ConfigTakes8And16BitAccesses)
{
    ROWS("MMIO-CONFIG-01", "MMIO-DRV-03");
    platform<pmem_device> p(small_range());
    p.run([&] {
        std::uint32_t value = 0;
        EXPECT_EQ(p.cpu.load(at::registers + 0x108, &value, 4), ok);
        EXPECT_EQ(value, 4096u);
        EXPECT_EQ(p.cpu.read(0x109, 1), 0x10u);
        EXPECT_EQ(p.cpu.read(0x108, 2), 0x1000u);
        EXPECT_EQ(p.cpu.read(0x104, 4), 1u) << "the base is above 4 GiB";
        EXPECT_EQ(widths(p.dut), 0u);
    });
}

SC_TEST(Registers, StrictTurnsMistakesIntoCommandErrors)
{
    ROWS("MMIO-DRV-01", "MMIO-DRV-02", "H-28");
    rough_platform<null_device> p(strict());
    p.run([&] {
        constexpr auto error = tlm::TLM_COMMAND_ERROR_RESPONSE;
        std::uint64_t value = 0;
        EXPECT_EQ(p.cpu.load(at::registers + VMMIO_REG_QUEUE_SEL, &value, 4), error);
        EXPECT_EQ(p.cpu.store(at::registers + VMMIO_REG_VERSION, &value, 4), error);
        EXPECT_EQ(p.cpu.load(at::registers + 0x018, &value, 4), error);
        EXPECT_EQ(p.cpu.load(at::registers, &value, 2), error);
        EXPECT_EQ(p.cpu.load(at::registers + 2, &value, 4), error);

        value = ~0ull;
        EXPECT_EQ(p.cpu.store(at::registers + VMMIO_REG_QUEUE_DESC_LOW, &value, 8), error);
        EXPECT_EQ(p.cpu.peek(at::registers + VMMIO_REG_QUEUE_DESC_LOW, &value, 8), 8u);
        EXPECT_EQ(value, 0u) << "what is answered with an error has no effect";

        EXPECT_EQ(p.cpu.load(at::registers, &value, 4), ok) << "and the next one is judged alone";
    });
}

SC_TEST(Registers, NeverGrantDmi)
{
    platform<null_device> p;
    p.run([&] {
        odd_access read = reading(0, 4);
        read.set_dmi_allowed(true);
        EXPECT_EQ(p.cpu.send(read), ok);
        EXPECT_FALSE(read.is_dmi_allowed());
        EXPECT_FALSE(p.cpu.ask(at::registers).granted);
    });
}

} // namespace vmmio::tb
