// SPDX-License-Identifier: Apache-2.0
// transport_dbg on the register socket: sees everything, changes nothing that has an effect.
#include "platform.h"

#include <array>

namespace vmmio::tb
{

namespace
{

std::uint32_t peek(surroundings &p, std::uint32_t offset)
{
    std::uint32_t value = 0xdeadbeef;
    EXPECT_EQ(p.cpu.peek(at::registers + offset, &value, 4), 4u) << offset;
    return value;
}

unsigned poke(surroundings &p, std::uint32_t offset, std::uint32_t value)
{
    return p.cpu.poke(at::registers + offset, &value, 4);
}

} // namespace

SC_TEST(Debug, ReadsWhatWasWrittenToWriteOnlyRegisters)
{
    platform<null_device> p;
    p.run([&] {
        p.go_live();
        const std::pair<std::uint32_t, std::uint32_t> written[] = {
            {VMMIO_REG_DEVICE_FEATURES_SEL, 1},
            {VMMIO_REG_DRIVER_FEATURES_SEL, 1},
            {VMMIO_REG_QUEUE_SEL, 1},
            {VMMIO_REG_QUEUE_SIZE, 64},
            {VMMIO_REG_QUEUE_DESC_LOW, 0x1000},
            {VMMIO_REG_QUEUE_DESC_HIGH, 1},
            {VMMIO_REG_QUEUE_DRIVER_LOW, 0x10},
            {VMMIO_REG_QUEUE_DRIVER_HIGH, 2},
            {VMMIO_REG_QUEUE_DEVICE_LOW, 0x20},
            {VMMIO_REG_QUEUE_DEVICE_HIGH, 3},
            {VMMIO_REG_QUEUE_NOTIFY, 0},
            {VMMIO_REG_INTERRUPT_ACK, 3},
            {VMMIO_REG_SHM_SEL, 7},
        };
        for (const auto &[offset, value] : written)
            p.cpu.write(offset, value);
        for (const auto &[offset, value] : written)
            EXPECT_EQ(peek(p, offset), value) << std::hex << offset;
        EXPECT_EQ(peek(p, VMMIO_REG_DRIVER_FEATURES), 1u) << "word 1: VERSION_1";
    });
}

SC_TEST(Debug, ReadsTheWholeBlockWithoutAnyEffect)
{
    ROWS("MMIO-INTSTAT-02");
    unsigned char memory[4096];
    platform<pmem_device> p(pmem_range{at::shm, sizeof(memory), memory, {}});
    p.run([&] {
        p.go_live();
        p.exchange({p.readable(4), p.writable(4)});
        p.cpu.write(VMMIO_REG_SHM_SEL, 0);
        const vmmio_block before = p.dut.model().block;

        std::vector<unsigned char> all(VMMIO_BLOCK_SIZE, 0xa5);
        EXPECT_EQ(p.cpu.peek(at::registers, all.data(), all.size()), all.size());
        for (std::uint32_t offset = 0; offset < all.size(); offset += 4) {
            std::uint32_t word;
            std::memcpy(&word, &all[offset], 4);
            EXPECT_EQ(word, peek(p, offset)) << offset;
        }
        EXPECT_EQ(std::string(all.begin(), all.begin() + 4), "virt");
        EXPECT_EQ(all[VMMIO_REG_SHM_LEN_LOW + 1], 0x10);
        EXPECT_EQ(all[0x200], 0) << "behind the config space";

        EXPECT_EQ(std::memcmp(&before, &p.dut.model().block, sizeof(before)), 0);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_INTERRUPT_STATUS), 1u);
        EXPECT_TRUE(p.irq.read());
        for (int id = 0; id < VMMIO_DIAG_COUNT; id++)
            EXPECT_EQ(p.dut.diagnostics(static_cast<vmmio_diag_id>(id)), 0u) << id;
    });
}

SC_TEST(Debug, ReadsOddLengthsAtOddOffsets)
{
    ROWS("H-28");
    platform<null_device> p;
    p.run([&] {
        std::array<unsigned char, 16> all{}, part{};
        EXPECT_EQ(p.cpu.peek(at::registers, all.data(), 16), 16u);
        for (unsigned offset = 0; offset < 8; offset++) {
            for (unsigned length = 1; length <= 8; length++) {
                part.fill(0xa5);
                EXPECT_EQ(p.cpu.peek(at::registers + offset, part.data(), length), length);
                EXPECT_TRUE(std::equal(part.begin(), part.begin() + length, all.begin() + offset));
                EXPECT_EQ(part[length], 0xa5);
            }
        }
    });
}

SC_TEST(Debug, EndsWithTheBlock)
{
    ROWS("H-28");
    direct_platform p;
    p.run([&] {
        unsigned char bytes[16] = {};
        EXPECT_EQ(p.cpu.peek(0xffc, bytes, 16), 4u);
        EXPECT_EQ(p.cpu.peek(0x1000, bytes, 4), 0u);
        EXPECT_EQ(p.cpu.peek(~0ull, bytes, 4), 0u);
        EXPECT_EQ(p.cpu.peek(0, nullptr, 4), 0u);
        EXPECT_EQ(p.cpu.peek(0, bytes, 0), 0u);
        payload ignored(tlm::TLM_IGNORE_COMMAND, 0, bytes, 4);
        EXPECT_EQ(p.cpu.socket->transport_dbg(ignored), 0u);
    });
}

SC_TEST(Debug, WritesRegistersThatOnlyKeepAValue)
{
    platform<null_device> p;
    p.run([&] {
        for (const std::uint32_t offset :
             {VMMIO_REG_QUEUE_SEL, VMMIO_REG_QUEUE_SIZE, VMMIO_REG_QUEUE_DESC_LOW,
              VMMIO_REG_QUEUE_DEVICE_HIGH, VMMIO_REG_DEVICE_FEATURES_SEL,
              VMMIO_REG_DRIVER_FEATURES_SEL, VMMIO_REG_SHM_SEL}) {
            EXPECT_EQ(poke(p, offset, 1), 4u) << offset;
            EXPECT_EQ(peek(p, offset), 1u) << offset;
        }
    });
}

SC_TEST(Debug, RefusesWritesThatWouldHaveAnEffect)
{
    platform<null_device> p;
    p.run([&] {
        p.go_live();
        p.exchange({p.writable(16)});
        ASSERT_EQ(p.cpu.read(VMMIO_REG_INTERRUPT_STATUS), 1u);
        const vmmio_block before = p.dut.model().block;
        for (const std::uint32_t offset :
             {VMMIO_REG_STATUS, VMMIO_REG_QUEUE_READY, VMMIO_REG_QUEUE_NOTIFY,
              VMMIO_REG_INTERRUPT_ACK, VMMIO_REG_QUEUE_RESET, VMMIO_REG_MAGIC_VALUE,
              VMMIO_REG_INTERRUPT_STATUS})
            for (const std::uint32_t value : {0u, 1u})
                EXPECT_EQ(poke(p, offset, value), 0u) << offset;
        EXPECT_EQ(poke(p, VMMIO_REG_CONFIG, 1), 0u);
        EXPECT_EQ(poke(p, 0x018, 1), 0u) << "a hole";

        const unsigned char part[8] = {};
        EXPECT_EQ(p.cpu.poke(at::registers + VMMIO_REG_QUEUE_SEL, part, 2), 0u);
        EXPECT_EQ(p.cpu.poke(at::registers + VMMIO_REG_QUEUE_SEL + 1, part, 4), 0u);
        EXPECT_EQ(std::memcmp(&before, &p.dut.model().block, sizeof(before)), 0);
    });
}

SC_TEST(Debug, SaysHowFarAWriteCame)
{
    platform<null_device> p;
    p.run([&] {
        const std::uint32_t words[] = {3, 64, 0}; // QueueSel, QueueSizeMax (refused)
        EXPECT_EQ(p.cpu.poke(at::registers + VMMIO_REG_QUEUE_SEL, words, sizeof(words)), 4u);
        EXPECT_EQ(peek(p, VMMIO_REG_QUEUE_SEL), 3u);
    });
}

SC_TEST(Debug, TakesNoTime)
{
    platform<null_device> p;
    p.run([&] {
        peek(p, VMMIO_REG_MAGIC_VALUE);
        poke(p, VMMIO_REG_QUEUE_SEL, 1);
        EXPECT_EQ(p.cpu.local, sc_core::SC_ZERO_TIME);
        EXPECT_EQ(sc_core::sc_time_stamp(), sc_core::SC_ZERO_TIME);
    });
}

} // namespace vmmio::tb
