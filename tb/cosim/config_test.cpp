/* SPDX-License-Identifier: Apache-2.0 */
/* The config window. Each access goes to both forms. */
#include "pair.h"
#include "rows.h"

namespace vmmio::tb
{
namespace
{

/* Bytes 1, 2, 3, ... */
std::vector<uint8_t> counted()
{
    std::vector<uint8_t> bytes(config_bytes);
    for (unsigned i = 0; i < config_bytes; i++)
        bytes[i] = static_cast<uint8_t>(i + 1);
    return bytes;
}

TEST(config, bytes_in_order_and_zeros_behind)
{
    ROWS("CFG-01", "CFG-07", "MMIO-CONFIG-01", "A-CFG-EARLY", "A-CFG-OOB", "H-23");
    pair p;

    p.config_update(counted(), false);
    for (const uint32_t status : {0u, initialised}) { // readable before FEATURES_OK
        if (status)
            p.write(VMMIO_REG_STATUS, status);
        for (unsigned i = 0; i < VMMIO_CONFIG_MAX; i += 4) {
            const uint32_t word = p.read(VMMIO_REG_CONFIG + i);
            for (unsigned j = 0; j < 4; j++)
                EXPECT_EQ(word >> 8 * j & 0xff, i + j < config_bytes ? (i + j + 1) & 0xff : 0);
        }
    }
}

TEST(config, writes_of_natural_width_reach_the_bytes_that_exist)
{
    ROWS("MMIO-DRV-04", "A-CFG-WIDTH", "A-CFG-OOB", "INIT-04", "H-23", "H-29");
    pair p;

    for (unsigned at = 0; at < config_bytes + 4; at += 4)
        for (unsigned strobe = 0; strobe < 16; strobe++) {
            p.config_update(counted(), false);
            const uint32_t before = p.read(VMMIO_REG_CONFIG + at);
            const uint32_t generation = p.read(VMMIO_REG_CONFIG_GENERATION);
            const bool natural = strobe == 1 || strobe == 2 || strobe == 4 || strobe == 8 ||
                                 strobe == 3 || strobe == 12 || strobe == 15;
            uint32_t mask = 0;
            for (unsigned i = 0; i < 4; i++)
                if (natural && strobe >> i & 1 && at + i < config_bytes)
                    mask |= 0xffu << 8 * i;
            p.write_bytes(VMMIO_REG_CONFIG + at, 0xa5b6c7d8, strobe);
            EXPECT_EQ(p.read(VMMIO_REG_CONFIG + at), (before & ~mask) | (0xa5b6c7d8 & mask));
            EXPECT_EQ(p.read(VMMIO_REG_CONFIG_GENERATION), generation); // the driver's own change
        }
    p.back.answers.accept_config = false;
    const uint32_t before = p.read(VMMIO_REG_CONFIG);
    p.write(VMMIO_REG_CONFIG, ~before);
    EXPECT_EQ(p.read(VMMIO_REG_CONFIG), before);
}

TEST(config, a_change_shows_bytes_generation_and_interrupt_in_one_step)
{
    ROWS("CFG-02", "CFG-03", "MMIO-GEN-01", "MMIO-GEN-02", "OPER-01", "A-CFG-ATOMIC", "A-GEN",
         "H-65");
    pair p;

    p.start(offered());
    uint32_t generation = p.read(VMMIO_REG_CONFIG_GENERATION);
    for (unsigned i = 0; i < 100; i++)
        EXPECT_EQ(p.read(VMMIO_REG_CONFIG_GENERATION), generation);
    for (unsigned value = 1; value < 40 && config_bytes; value++) {
        /* Reads of the first and the last word, around the clock of the change. */
        p.back.change_config(std::vector<uint8_t>(config_bytes, static_cast<uint8_t>(value)).data(),
                             value % 2);
        for (unsigned i = 0; i < value; i++)
            p.master.push({false, false, VMMIO_REG_CONFIG + (config_bytes - 1) / 4 * 4 * (i % 2)});
        p.finish();
        p.clocks(config_bytes / 4 + 4);
        EXPECT_EQ(p.read(VMMIO_REG_CONFIG_GENERATION), ++generation);
        EXPECT_EQ(p.interrupts(), value % 2 * 2);
        p.write(VMMIO_REG_INTERRUPT_ACK, 3);
    }
    p.write(VMMIO_REG_STATUS, 0);
    EXPECT_EQ(p.read(VMMIO_REG_CONFIG_GENERATION), generation); // keeps counting
}

/* Through every bit that a run can reach. */
TEST(config, generation_counts_each_change)
{
    ROWS("CFG-03", "MMIO-GEN-01", "A-GEN");
    constexpr uint32_t changes = config_bytes ? 8200 : 0;
    pair p;

    const uint32_t before = p.read(VMMIO_REG_CONFIG_GENERATION);
    for (uint32_t i = 1; i <= changes; i++)
        p.config_update(std::vector<uint8_t>(config_bytes, static_cast<uint8_t>(i)), false);
    EXPECT_EQ(p.read(VMMIO_REG_CONFIG_GENERATION), before + changes);
}

TEST(config, config_window)
{
    ROWS("MMIO-CONFIG-01", "MMIO-GEN-01", "MMIO-GEN-02", "MMIO-DRV-04", "CFG-02", "CFG-07");
    pair p;

    for (unsigned value = 1; value < 8; value++) {
        std::vector<uint8_t> bytes(config_bytes);
        for (unsigned i = 0; i < config_bytes; i++)
            bytes[i] = static_cast<uint8_t>(value * 31 + i);
        p.config_update(bytes, value % 2);
        p.read_all();
    }
    for (uint32_t at = 0; at <= config_bytes; at += 4)
        for (unsigned strobe = 0; strobe < 16; strobe++)
            for (const bool accept : {false, true}) {
                p.back.answers.accept_config = accept;
                p.write_bytes(VMMIO_REG_CONFIG + at, 0x87654321 + strobe, strobe);
                p.read(VMMIO_REG_CONFIG + at);
                p.read(VMMIO_REG_CONFIG_GENERATION);
            }
    p.back.answers.answer_percent = 10;
    p.write(VMMIO_REG_CONFIG, 0x12345678);
}

} // namespace
} // namespace vmmio::tb
