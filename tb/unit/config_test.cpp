/* SPDX-License-Identifier: Apache-2.0 */
/* The config window and ConfigGeneration (2.5). */
#include "rig.h"

namespace vmmio::tb
{
namespace
{

constexpr uint32_t window = 0x100;

class config : public ::testing::Test
{
protected:
    config()
    {
        for (uint8_t i = 0; i < 10; i++)
            function.config.push_back(static_cast<uint8_t>(0xa0 + i));
        function.use_config();
        function.on_config_write = [this](uint32_t at, const uint8_t *data, uint32_t length) {
            if (at + length > 2) /* the first two bytes are writable */
                return false;
            std::copy(data, data + length, function.config.begin() + at);
            return true;
        };
        r = std::make_unique<rig>(function.function());
    }
    void change(size_t index)
    {
        function.config[index]++;
        vmmio_device_config_changed(&r->device);
    }
    uint32_t generation() { return r->read(VMMIO_REG_CONFIG_GENERATION); }

    test_function function;
    std::unique_ptr<rig> r;
};

TEST_F(config, reads_bytes_halves_and_words_little_endian)
{
    ROWS("CFG-01", "MMIO-CONFIG-01", "MMIO-DRV-04", "A-CFG-WIDTH", "MMIO-LE-01");
    for (uint32_t i = 0; i < 10; i++)
        EXPECT_EQ(r->read(window + i, 1), 0xa0 + i);
    EXPECT_EQ(r->read(window, 2), 0xa1a0u);
    EXPECT_EQ(r->read(window + 2, 2), 0xa3a2u);
    EXPECT_EQ(r->read(window, 4), 0xa3a2a1a0u);
    EXPECT_EQ(r->read(window + 4, 4), 0xa7a6a5a4u);
    EXPECT_TRUE(r->diagnostics.empty());
}

TEST_F(config, unaligned_and_wide_accesses_read_0)
{
    ROWS("MMIO-DRV-04", "A-64");
    for (const auto &[at, width] : {std::pair(1u, 2u), {1u, 4u}, {2u, 4u}, {0u, 8u}, {0u, 3u}}) {
        r->forget();
        EXPECT_EQ(r->read(window + at, width), 0u);
        EXPECT_EQ(r->count(VMMIO_DIAG_ACCESS_WIDTH), 1u);
    }
}

TEST_F(config, is_readable_in_every_status)
{
    ROWS("CFG-07", "A-CFG-EARLY");
    EXPECT_EQ(r->read(window, 4), 0xa3a2a1a0u);
    for (const uint32_t status : {0x1u, 0x3u, 0x8fu}) {
        r->guest.set_status(status);
        EXPECT_EQ(r->read(window, 4), 0xa3a2a1a0u) << status;
    }
}

TEST_F(config, bytes_behind_the_end_read_0)
{
    ROWS("A-CFG-OOB", "H-23");
    EXPECT_EQ(r->read(window + 9, 1), 0xa9u);
    EXPECT_EQ(r->read(window + 8, 2), 0xa9a8u);
    EXPECT_EQ(r->read(window + 8, 4), 0x0000a9a8u) << "the valid bytes, and zeros";
    r->forget();
    const uint32_t outside[] = {window + 12, 0x1fc, 0x200, 0xffc, 0x1000, 0xfffffffc};
    for (const uint32_t offset : outside) {
        EXPECT_EQ(r->read(offset, 4), 0u) << offset;
        r->write(offset, 0xffffffff, 4);
    }
    EXPECT_EQ(r->count(VMMIO_DIAG_HOLE), 2 * std::size(outside));
}

TEST_F(config, writable_fields_read_back_and_keep_the_generation)
{
    ROWS("A-GEN", "A-CFG-EARLY", "H-29");
    const uint32_t before = generation();
    r->write(window + 1, 0x55, 1);
    EXPECT_EQ(r->read(window, 4), 0xa3a255a0u);
    r->write(window, 0x1234, 2);
    EXPECT_EQ(r->read(window, 4), 0xa3a21234u);
    EXPECT_EQ(generation(), before) << "the driver knows what it wrote";
    EXPECT_TRUE(r->diagnostics.empty());
}

TEST_F(config, read_only_fields_stay)
{
    ROWS("INIT-04", "H-29");
    r->guest.set_status(0x03);
    r->write(window + 4, 0, 4);
    EXPECT_EQ(r->count(VMMIO_DIAG_CONFIG_READ_ONLY), 1u);
    EXPECT_EQ(r->read(window + 4, 4), 0xa7a6a5a4u);
    r->write(window + 8, 0xffffffff, 4); /* half of it behind the end */
    EXPECT_EQ(r->read(window + 8, 4), 0x0000a9a8u);
}

TEST_F(config, generation_changes_with_the_bytes_and_only_then)
{
    ROWS("CFG-02", "CFG-03", "MMIO-GEN-01", "MMIO-GEN-02", "A-GEN");
    uint32_t last = generation();
    for (int i = 0; i < 100; i++)
        EXPECT_EQ(generation(), last);
    vmmio_device_config_changed(&r->device);
    EXPECT_EQ(generation(), last) << "announced, but nothing is different";
    for (size_t i = 0; i < function.config.size(); i++) {
        change(i);
        EXPECT_NE(generation(), last) << "byte " << i;
        last = generation();
    }
}

TEST_F(config, torn_reads_are_noticed)
{
    ROWS("CFG-03", "MMIO-GEN-01", "MMIO-GEN-02");
    const uint32_t before = generation();
    const uint32_t low = r->read(window, 4);
    change(0);
    change(4);
    const uint32_t high = r->read(window + 4, 4);
    EXPECT_NE(generation(), before) << std::hex << low << high;
}

TEST_F(config, a_change_is_one_step)
{
    ROWS("A-CFG-ATOMIC", "OPER-01", "MMIO-INTSTAT-01");
    r->go_live();
    uint32_t seen_bytes = 0, seen_generation = 0, seen_interrupt = 0;
    r->on_interrupt = [&](bool) {
        seen_bytes = vmmio_device_read(&r->device, window, 4);
        seen_generation = vmmio_device_read(&r->device, VMMIO_REG_CONFIG_GENERATION, 4);
        seen_interrupt = vmmio_device_read(&r->device, VMMIO_REG_INTERRUPT_STATUS, 4);
    };
    function.config[0] = 1;
    function.config[3] = 4;
    vmmio_device_config_changed(&r->device);
    r->on_interrupt = nullptr;
    EXPECT_EQ(seen_bytes, 0x04a2a101u);
    EXPECT_EQ(seen_generation, generation());
    EXPECT_EQ(seen_interrupt, 2u);
}

TEST_F(config, generation_survives_reset)
{
    ROWS("A-GEN", "A-RESET-SCOPE");
    change(0);
    const uint32_t before = generation();
    r->guest.reset();
    EXPECT_EQ(generation(), before);
}

} // namespace
} // namespace vmmio::tb
