/* SPDX-License-Identifier: Apache-2.0 */
/* The register block as a whole: identity, widths, directions, holes, debug access. */
#include "rig.h"

#include <cstring>
#include <set>

namespace vmmio::tb
{
namespace
{

enum class direction { R, W, RW };

struct reg {
    uint32_t offset;
    direction dir;
};

/* 4.2.2, table of registers. */
const std::vector<reg> &all_registers()
{
    using d = direction;
    static const std::vector<reg> all = {
        {0x000, d::R}, {0x004, d::R}, {0x008, d::R}, {0x00c, d::R},  {0x010, d::R}, {0x014, d::W},
        {0x020, d::W}, {0x024, d::W}, {0x030, d::W}, {0x034, d::R},  {0x038, d::W}, {0x044, d::RW},
        {0x050, d::W}, {0x060, d::R}, {0x064, d::W}, {0x070, d::RW}, {0x080, d::W}, {0x084, d::W},
        {0x090, d::W}, {0x094, d::W}, {0x0a0, d::W}, {0x0a4, d::W},  {0x0ac, d::W}, {0x0b0, d::R},
        {0x0b4, d::R}, {0x0b8, d::R}, {0x0bc, d::R}, {0x0c0, d::RW}, {0x0fc, d::R},
    };
    return all;
}

/* Everything that a driver can see, and the private state behind it. */
bool same_state(const vmmio_block &a, const vmmio_block &b)
{
    return a.status == b.status && a.device_features_sel == b.device_features_sel &&
           a.driver_features_sel == b.driver_features_sel && a.queue_sel == b.queue_sel &&
           a.interrupt_status == b.interrupt_status && a.config_generation == b.config_generation &&
           std::memcmp(&a.driver_features, &b.driver_features, sizeof(a.driver_features)) == 0 &&
           std::memcmp(a.config, b.config, sizeof(a.config)) == 0 && a.shm.sel == b.shm.sel &&
           a.shm.length == b.shm.length && a.shm.base == b.shm.base;
}

class registers : public ::testing::Test
{
protected:
    null_function null;
    rig r{null.function};
};

TEST_F(registers, identity_reads_the_same_in_every_status)
{
    ROWS("MMIO-MAGIC-01", "MMIO-VERSION-01", "MMIO-DEVID-01", "MMIO-VENDOR-01", "MMIO-LE-01");
    for (const uint32_t status : {0x0u, 0x1u, 0x3u, 0xbu, 0xfu, 0x8fu}) {
        if (status)
            r.write(VMMIO_REG_STATUS, status);
        for (const uint32_t offset : {0x000u, 0x004u, 0x008u, 0x00cu})
            r.write(offset, 0xffffffff);
        EXPECT_EQ(r.read(0x000), 0x74726976u);
        EXPECT_EQ(r.read(0x004), 2u);
        EXPECT_EQ(r.read(0x008), 42u);
        EXPECT_EQ(r.read(0x00c), vendor);
    }
    const uint32_t magic = r.read(0x000);
    const char bytes[4] = {static_cast<char>(magic), static_cast<char>(magic >> 8),
                           static_cast<char>(magic >> 16), static_cast<char>(magic >> 24)};
    EXPECT_EQ(std::string(bytes, 4), "virt") << "little endian: first byte is the lowest";
}

TEST(placeholder, shows_id_0_and_takes_any_access)
{
    ROWS("MMIO-DEVID-01", "MMIO-DEVID-02");
    vmmio_null slot;
    vmmio_placeholder_init(&slot);
    rig r(slot.function);
    for (uint32_t offset = 0; offset < VMMIO_BLOCK_SIZE; offset += 4) {
        if (offset != VMMIO_REG_STATUS)
            r.write(offset, 0xffffffff);
        r.read(offset);
    }
    r.run();
    EXPECT_EQ(r.read(VMMIO_REG_MAGIC_VALUE), 0x74726976u);
    EXPECT_EQ(r.read(VMMIO_REG_VERSION), 2u);
    EXPECT_EQ(r.read(VMMIO_REG_DEVICE_ID), 0u);
    EXPECT_EQ(r.read_queue(0, VMMIO_REG_QUEUE_SIZE_MAX), 0u);
    EXPECT_EQ(r.read(VMMIO_REG_STATUS), 0u);
    EXPECT_TRUE(r.memory.log.empty());
}

TEST_F(registers, wrong_width_reads_0_and_writes_nothing)
{
    ROWS("MMIO-DRV-03", "A-WIDTH", "A-ALIGN", "A-64", "H-27");
    r.go_live();
    r.guest.add_status(VMMIO_STATUS_FAILED); /* a write of 0 to Status would be seen */
    const vmmio_block before = r.device.block;
    for (const reg &x : all_registers()) {
        for (const uint32_t width : {1u, 2u, 8u}) {
            r.forget();
            EXPECT_EQ(r.read(x.offset, width), 0u);
            r.write(x.offset, 0, width);
            EXPECT_EQ(r.count(VMMIO_DIAG_ACCESS_WIDTH), 2u) << x.offset << " width " << width;
        }
        for (const uint32_t shift : {1u, 2u, 3u}) {
            r.forget();
            EXPECT_EQ(r.read(x.offset + shift, 4), 0u);
            r.write(x.offset + shift, 0, 4);
            EXPECT_EQ(r.count(VMMIO_DIAG_ACCESS_WIDTH), 2u) << x.offset << "+" << shift;
        }
    }
    EXPECT_TRUE(same_state(before, r.device.block));
    EXPECT_EQ(r.read_queue(0, VMMIO_REG_QUEUE_READY), 1u);
}

TEST_F(registers, wrong_direction_reads_0_and_writes_nothing)
{
    ROWS("MMIO-DRV-02", "A-WDIR");
    r.go_live();
    for (const reg &x : all_registers()) {
        r.forget();
        const vmmio_block before = r.device.block;
        if (x.dir == direction::W) {
            EXPECT_EQ(r.read(x.offset), 0u) << x.offset;
            EXPECT_EQ(r.count(VMMIO_DIAG_READ_OF_WRITE_ONLY), 1u) << x.offset;
        } else if (x.dir == direction::R) {
            const uint32_t value = r.read(x.offset);
            r.write(x.offset, ~value);
            EXPECT_EQ(r.read(x.offset), value) << x.offset;
            EXPECT_EQ(r.count(VMMIO_DIAG_WRITE_OF_READ_ONLY), 1u) << x.offset;
        }
        EXPECT_TRUE(same_state(before, r.device.block)) << x.offset;
    }
}

TEST_F(registers, holes_read_0_and_write_nothing)
{
    ROWS("MMIO-DRV-01", "A-HOLE", "H-27");
    std::set<uint32_t> defined;
    for (const reg &x : all_registers())
        defined.insert(x.offset);
    r.go_live();
    const vmmio_block before = r.device.block;
    for (uint32_t offset = 0; offset < 0x100; offset += 4) {
        if (defined.count(offset))
            continue;
        r.forget();
        EXPECT_EQ(r.read(offset), 0u);
        r.write(offset, 0xffffffff);
        EXPECT_EQ(r.count(VMMIO_DIAG_HOLE), 2u) << offset;
    }
    EXPECT_TRUE(same_state(before, r.device.block));
}

TEST_F(registers, reads_change_nothing)
{
    ROWS("MMIO-INTSTAT-02", "A-DBG");
    r.go_live();
    r.serve({r.writable(16)});
    const vmmio_block before = r.device.block;
    for (uint32_t offset = 0; offset < 0x200; offset += 4) {
        r.read(offset);
        vmmio_block_peek(&r.device.block, offset);
    }
    EXPECT_TRUE(same_state(before, r.device.block));
    EXPECT_EQ(r.guest.interrupts(), 1u);
}

TEST_F(registers, debug_reads_see_write_only_registers)
{
    ROWS("A-DBG");
    const std::vector<uint32_t> plain = {0x014, 0x024, 0x030, 0x0ac};
    for (const uint32_t offset : plain) {
        r.write(offset, 1);
        EXPECT_EQ(vmmio_block_peek(&r.device.block, offset), 1u) << offset;
    }
    const std::vector<uint32_t> of_queue = {0x038, 0x080, 0x084, 0x090, 0x094, 0x0a0, 0x0a4};
    for (const uint32_t offset : of_queue) {
        r.write(offset, 0x1000 + offset);
        EXPECT_EQ(vmmio_block_peek(&r.device.block, offset), 0x1000 + offset) << offset;
    }
    r.write(VMMIO_REG_DRIVER_FEATURES, 0x55);
    EXPECT_EQ(vmmio_block_peek(&r.device.block, VMMIO_REG_DRIVER_FEATURES), 0x55u);
    r.write(VMMIO_REG_QUEUE_NOTIFY, 7);
    EXPECT_EQ(vmmio_block_peek(&r.device.block, VMMIO_REG_QUEUE_NOTIFY), 7u);
    r.write(VMMIO_REG_INTERRUPT_ACK, 3);
    EXPECT_EQ(vmmio_block_peek(&r.device.block, VMMIO_REG_INTERRUPT_ACK), 3u);
    r.forget();
    for (uint32_t offset = 0; offset < 0x200; offset++)
        vmmio_block_peek(&r.device.block, offset);
    EXPECT_TRUE(r.diagnostics.empty()) << "a debugger is no driver";
}

TEST_F(registers, debug_writes_refuse_side_effects)
{
    ROWS("A-DBG");
    r.go_live();
    const vmmio_block before = r.device.block;
    for (const uint32_t offset : {0x044u, 0x050u, 0x064u, 0x070u, 0x0c0u, 0x100u, 0x000u, 0x018u})
        EXPECT_FALSE(vmmio_block_poke(&r.device.block, offset, 0)) << offset;
    EXPECT_TRUE(same_state(before, r.device.block));
    for (const uint32_t offset : {0x014u, 0x024u, 0x030u, 0x0acu})
        EXPECT_TRUE(vmmio_block_poke(&r.device.block, offset, 1)) << offset;
    EXPECT_EQ(r.device.block.queue_sel, 1u);
}

TEST_F(registers, debug_writes_tell_what_the_block_ignores)
{
    ROWS("A-DBG");
    constexpr uint32_t size = VMMIO_REG_QUEUE_SIZE, accepted = VMMIO_REG_DRIVER_FEATURES;
    const auto poke = [this](uint32_t offset) {
        return vmmio_block_poke(&r.device.block, offset, 0x10);
    };

    EXPECT_TRUE(poke(size));
    EXPECT_TRUE(poke(accepted));
    r.write(VMMIO_REG_DRIVER_FEATURES_SEL, 4);
    EXPECT_FALSE(poke(accepted)) << "no such word";
    r.go_live();
    r.forget();
    vmmio_block_poke(&r.device.block, VMMIO_REG_QUEUE_SEL, 0);
    const vmmio_block before = r.device.block;
    EXPECT_FALSE(poke(size)) << "in use";
    EXPECT_FALSE(poke(VMMIO_REG_QUEUE_DESC_LOW));
    EXPECT_FALSE(poke(accepted)) << "negotiated";
    EXPECT_TRUE(same_state(before, r.device.block));
    EXPECT_TRUE(vmmio_block_poke(&r.device.block, VMMIO_REG_QUEUE_SEL, 77));
    EXPECT_FALSE(poke(size)) << "absent";
    EXPECT_TRUE(r.diagnostics.empty()) << "a debugger is no driver";
}

TEST_F(registers, drivers_may_skip_the_selectors)
{
    ROWS("MMIO-DRV-08", "MMIO-DRV-09");
    const uint32_t word = r.read(VMMIO_REG_DEVICE_FEATURES);
    EXPECT_EQ(word, r.guest.offered().word[0]);
    r.write(VMMIO_REG_DRIVER_FEATURES, 0x10);
    EXPECT_EQ(r.device.block.driver_features.word[0], 0x10u);
}

} // namespace
} // namespace vmmio::tb
