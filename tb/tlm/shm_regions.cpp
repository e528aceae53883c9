// SPDX-License-Identifier: Apache-2.0
// Shared memory regions as the registers show them, and the platform's calls that change them.
#include "platform.h"

#include <malloc.h>

namespace vmmio::tb
{

namespace
{

struct found {
    std::uint64_t base, length;
    bool operator==(const found &other) const
    {
        return base == other.base && length == other.length;
    }
};
std::ostream &operator<<(std::ostream &out, const found &f)
{
    return out << std::hex << "0x" << f.length << " bytes at 0x" << f.base;
}

constexpr found nothing = {~0ull, ~0ull};

std::uint64_t pair(bus &registers, std::uint32_t low)
{
    const std::uint32_t half = registers.read(low);
    return half | static_cast<std::uint64_t>(registers.read(low + 4)) << 32;
}

found latched(bus &registers)
{
    return {pair(registers, VMMIO_REG_SHM_BASE_LOW), pair(registers, VMMIO_REG_SHM_LEN_LOW)};
}

found select(bus &registers, std::uint32_t id)
{
    registers.write(VMMIO_REG_SHM_SEL, id);
    return latched(registers);
}

} // namespace

SC_TEST(Regions, MayHaveSparseIds)
{
    ROWS("SHM-01", "MMIO-SHM-01", "MMIO-SHM-02", "MMIO-SHM-03", "MMIO-SHM-04", "MMIO-SHM-05",
         "MMIO-SHM-06", "H-44");
    platform<null_device> p;
    p.dut.add_region(3, 0x1234500000, 0x100001000);
    p.dut.add_region(255, at::shm + 0x10000, 0x10000);
    p.run([&] {
        for (std::uint32_t id = 0; id < 0x300; id++) {
            const found expected = id == 3     ? found{0x1234500000, 0x100001000}
                                   : id == 255 ? found{at::shm + 0x10000, 0x10000}
                                               : nothing;
            EXPECT_EQ(select(p.cpu, id), expected) << id;
        }
        for (const std::uint32_t id : {0x10003u, 0x80000003u, ~0u})
            EXPECT_EQ(select(p.cpu, id), nothing) << "all 32 bits count, " << id;
    });
}

SC_TEST(Regions, AreAllOnesWhereThereAreNone)
{
    ROWS("MMIO-SHM-03", "MMIO-SHM-05", "MMIO-SHM-07", "H-44");
    platform<entropy_device> p;
    p.run([&] {
        EXPECT_EQ(latched(p.cpu), nothing) << "before any selection";
        for (std::uint32_t id = 0; id < 256; id++)
            EXPECT_EQ(select(p.cpu, id), nothing) << id;
    });
}

SC_TEST(Regions, AreLatchedWhole)
{
    ROWS("H-44");
    platform<null_device> p;
    const found old = {at::shm, 0x2000}, moved = {0x700000000000, 0x100003000};
    p.dut.add_region(1, old.base, old.length);
    p.run([&] {
        EXPECT_EQ(select(p.cpu, 1), old);
        ASSERT_EQ(p.dut.shm().move_region(1, moved.base), VMMIO_ERROR_OK);
        ASSERT_EQ(p.dut.shm().resize_region(1, moved.length), VMMIO_ERROR_OK);
        EXPECT_EQ(latched(p.cpu), old) << "as at the last write to SHMSel";
        EXPECT_EQ(select(p.cpu, 1), moved);
        ASSERT_EQ(p.dut.shm().remove_region(1), VMMIO_ERROR_OK);
        EXPECT_EQ(latched(p.cpu), moved);
        EXPECT_EQ(select(p.cpu, 1), nothing);
    });
}

SC_TEST(Regions, ChangesAreToldToALiveDriverOnly)
{
    ROWS("A-SHM-5");
    platform<null_device> p;
    shm_window &shm = p.dut.shm();
    p.run([&] {
        const auto told = [&] {
            const std::uint32_t bits = p.cpu.read(VMMIO_REG_INTERRUPT_STATUS);
            p.cpu.write(VMMIO_REG_INTERRUPT_ACK, bits);
            return bits;
        };
        const std::uint32_t generation = p.cpu.read(VMMIO_REG_CONFIG_GENERATION);
        ASSERT_EQ(shm.add_region(1, 0x10000, 0x1000), VMMIO_ERROR_OK);
        EXPECT_EQ(told(), 0u) << "before DRIVER_OK";
        p.go_live();
        ASSERT_EQ(shm.move_region(1, 0x20000), VMMIO_ERROR_OK);
        EXPECT_EQ(told(), 2u);
        ASSERT_EQ(shm.resize_region(1, 0x2000), VMMIO_ERROR_OK);
        EXPECT_EQ(told(), 2u);
        ASSERT_EQ(shm.resize_region(1, 0), VMMIO_ERROR_REGION_ZERO);
        EXPECT_EQ(told(), 0u) << "nothing changed";
        ASSERT_EQ(shm.add_region(2, 0x40000, 0x1000), VMMIO_ERROR_OK);
        EXPECT_EQ(told(), 2u);
        ASSERT_EQ(shm.remove_region(1), VMMIO_ERROR_OK);
        EXPECT_EQ(told(), 2u);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_CONFIG_GENERATION), generation);
    });
}

SC_TEST(Regions, Region0IsSelectedAtFirstAndByAReset)
{
    ROWS("MMIO-SHM-01");
    platform<null_device> p;
    p.dut.add_region(0, at::shm, 0x1000);
    p.run([&] {
        const found region = {at::shm, 0x1000};
        EXPECT_EQ(latched(p.cpu), region);
        EXPECT_EQ(select(p.cpu, 5), nothing);
        p.guest.reset();
        EXPECT_EQ(latched(p.cpu), region);
    });
}

SC_TEST(Regions, ChangesThatCannotBeAreRefusedAndChangeNothing)
{
    ROWS("H-45", "H-44");
    platform<null_device> p;
    shm_window &shm = p.dut.shm();
    p.run([&] {
        ASSERT_EQ(shm.add_region(0, 0x10000, 0x1000), VMMIO_ERROR_OK);
        ASSERT_EQ(shm.add_region(1, 0x20000, 0x1000), VMMIO_ERROR_OK);

        EXPECT_EQ(shm.add_region(2, 0x30000, 0), VMMIO_ERROR_REGION_ZERO);
        EXPECT_EQ(shm.add_region(2, ~0ull, 2), VMMIO_ERROR_REGION_WRAP);
        EXPECT_EQ(shm.add_region(2, 0xffff, 2), VMMIO_ERROR_REGION_OVERLAP);
        EXPECT_EQ(shm.add_region(2, 0x10fff, 1), VMMIO_ERROR_REGION_OVERLAP);
        EXPECT_EQ(shm.add_region(1, 0x30000, 1), VMMIO_ERROR_REGION_ID_USED);

        EXPECT_EQ(shm.move_region(1, 0x10800), VMMIO_ERROR_REGION_OVERLAP);
        EXPECT_EQ(shm.move_region(1, ~0ull - 0xffe), VMMIO_ERROR_REGION_WRAP);
        EXPECT_EQ(shm.move_region(9, 0), VMMIO_ERROR_REGION_ID_UNKNOWN);
        EXPECT_EQ(shm.resize_region(0, 0), VMMIO_ERROR_REGION_ZERO);
        EXPECT_EQ(shm.resize_region(0, 0x10001), VMMIO_ERROR_REGION_OVERLAP);
        EXPECT_EQ(shm.resize_region(0, ~0ull), VMMIO_ERROR_REGION_WRAP);
        EXPECT_EQ(shm.resize_region(9, 1), VMMIO_ERROR_REGION_ID_UNKNOWN);
        EXPECT_EQ(shm.remove_region(9), VMMIO_ERROR_REGION_ID_UNKNOWN);

        EXPECT_EQ(select(p.cpu, 0), (found{0x10000, 0x1000}));
        EXPECT_EQ(select(p.cpu, 1), (found{0x20000, 0x1000}));
        EXPECT_EQ(select(p.cpu, 2), nothing);

        EXPECT_EQ(shm.move_region(1, 0x20800), VMMIO_ERROR_OK) << "on top of where it was itself";
        EXPECT_EQ(shm.resize_region(0, 0x10800), VMMIO_ERROR_OK) << "up to its neighbour";
    });
}

SC_TEST(Regions, TooManyAreRefused)
{
    ROWS("H-47");
    platform<null_device> p;
    p.run([&] {
        for (unsigned i = 0; i < VMMIO_SHM_REGIONS_MAX; i++)
            EXPECT_EQ(p.dut.shm().add_region(static_cast<std::uint8_t>(i), i * 0x1000ull, 0x1000),
                      VMMIO_ERROR_OK);
        EXPECT_EQ(p.dut.shm().add_region(77, at::shm, 1), VMMIO_ERROR_REGION_TABLE_FULL);
        EXPECT_EQ(select(p.cpu, 77), nothing);
        EXPECT_EQ(p.dut.shm().remove_region(0), VMMIO_ERROR_OK);
        EXPECT_EQ(p.dut.shm().add_region(77, at::shm, 1), VMMIO_ERROR_OK);
        EXPECT_EQ(select(p.cpu, 77), (found{at::shm, 1}));
    });
}

SC_TEST(Regions, MayReachTheLastAddress)
{
    ROWS("H-40");
    platform<null_device> p;
    static unsigned char memory[0x1000];
    p.dut.add_region(0, ~0ull - 0xfff, 0x1000);
    p.run([&] {
        EXPECT_EQ(select(p.cpu, 0), (found{~0ull - 0xfff, 0x1000}));
        EXPECT_TRUE(p.dut.shm().map(0, 0xfff, memory, 1, rights::read, lifetime::permanent));
        EXPECT_FALSE(p.dut.shm().map(0, 0xfff, memory, 2, rights::read, lifetime::permanent));
    });
}

SC_TEST(Regions, MappingsOutsideAreRefusedAndChangeNothing)
{
    ROWS("H-40");
    platform<null_device> p;
    static unsigned char first[0x1000], second[0x1000];
    p.dut.add_region(0, at::shm, 0x2000);
    shm_window &shm = p.dut.shm();
    const auto map = [&](std::uint8_t id, std::uint64_t offset, unsigned char *memory,
                         std::uint64_t length) {
        return shm.map(id, offset, memory, length, rights::read_write, lifetime::permanent);
    };
    p.run([&] {
        std::fill_n(first, sizeof(first), std::uint8_t(0x11));
        ASSERT_TRUE(map(0, 0x1000, first, 0x1000));
        EXPECT_FALSE(map(0, 0x1001, second, 0x1000)) << "ends behind the region";
        EXPECT_FALSE(map(0, 0x2000, second, 1));
        EXPECT_FALSE(map(0, 0x1000, second, 0));
        EXPECT_FALSE(map(0, 0x1800, second, ~0ull)) << "wraps";
        EXPECT_FALSE(map(0, ~0ull, second, 0x1000));
        EXPECT_FALSE(map(1, 0, second, 0x1000)) << "no such region";
        EXPECT_FALSE(map(0, 0x1000, nullptr, 0x1000));
        EXPECT_FALSE(shm.unmap(0, 0x1800, 0x1000));
        EXPECT_FALSE(shm.unmap(0, 0x1000, 0));
        EXPECT_FALSE(shm.unmap(1, 0x1000, 1));

        EXPECT_EQ(p.cpu.ask(at::shm + 0x1000).last, at::shm + 0x1fff);
        std::uint8_t byte = 0;
        EXPECT_EQ(p.cpu.load(at::shm + 0x1fff, &byte, 1), tlm::TLM_OK_RESPONSE);
        EXPECT_EQ(byte, 0x11);
        EXPECT_TRUE(p.cpu.invalidated.empty());
    });
}

SC_TEST(Regions, MappingAndUnmappingForLongTakesNoMemory)
{
    ROWS("H-47");
    platform<null_device> p;
    static unsigned char memory[0x1000];
    p.dut.add_region(0, at::shm, 0x10000);
    p.run([&] {
        const auto round = [&](unsigned i) {
            const std::uint64_t offset = i % 16 * 0x800;
            EXPECT_TRUE(p.dut.shm().map(0, offset, memory, 0x1000, rights::read_write,
                                        lifetime::until_reset));
            EXPECT_TRUE(p.dut.shm().unmap(0, offset + 0x400, 0x800));
        };
        for (unsigned i = 0; i < 100; i++)
            round(i);
        const std::size_t before = mallinfo2().uordblks;
        for (unsigned i = 0; i < 1000000; i++)
            round(i);
        EXPECT_LE(mallinfo2().uordblks, before + 4096);
    });
}

} // namespace vmmio::tb
