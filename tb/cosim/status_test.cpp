/* SPDX-License-Identifier: Apache-2.0 */
/* The status machine. Each access goes to both forms. */
#include "pair.h"
#include "rows.h"

namespace vmmio::tb
{
namespace
{

/* VERSION_1 alone is accepted and no more than DRIVER is set yet. */
void prepare(pair &p)
{
    p.write(VMMIO_REG_STATUS, 0);
    p.write(VMMIO_REG_DRIVER_FEATURES_SEL, 1);
    p.write(VMMIO_REG_DRIVER_FEATURES, required().word[1]);
}

TEST(status, the_way_up_one_bit_at_a_time)
{
    ROWS("STAT-01", "STAT-02", "INIT-01", "MMIO-STATUS-01", "MMIO-INIT-02");
    pair p;

    prepare(p);
    for (const uint32_t value : {0x0u, 0x1u, 0x3u, 0xbu, 0xfu}) {
        p.write(VMMIO_REG_STATUS, value);
        EXPECT_EQ(p.status(), value);
        if (value == 0)
            prepare(p);
    }
    EXPECT_TRUE(p.pins().back_live);
}

TEST(status, bits_stay_until_reset)
{
    ROWS("STAT-06", "A-STATUS-SET", "H-32");
    pair p;

    p.start(offered());
    for (unsigned value = 1; value < 0x80; value++) {
        if (value & VMMIO_STATUS_SUSPEND)
            continue;
        p.write(VMMIO_REG_STATUS, value);
        EXPECT_EQ(p.status(), running) << value;
    }
    p.write(VMMIO_REG_STATUS, 0);
    EXPECT_EQ(p.status(), 0u);
}

TEST(status, several_bits_at_once_and_out_of_order)
{
    ROWS("STAT-05", "A-STATUS-ORDER", "H-32");
    const std::pair<uint32_t, uint32_t> written_and_read[] = {
        {0x0f, 0x0f}, // all of the way
        {0x0e, 0x0e}, // U-Boot leaves ACKNOWLEDGE out
        {0x0a, 0x0a}, {0x04, 0x00}, {0x08, 0x00}, {0x0c, 0x00},
        {0x0d, 0x01}, {0x07, 0x03}, {0x05, 0x01}};

    for (const auto &[written, read] : written_and_read) {
        pair p;
        prepare(p);
        p.write(VMMIO_REG_STATUS, written);
        EXPECT_EQ(p.status(), read) << written;
        EXPECT_EQ(p.pins().back_live, (read & 4) != 0) << written;
    }
}

TEST(status, bits_without_a_meaning_are_not_stored)
{
    ROWS("STAT-03", "STAT-04", "A-STATUS-RD");
    pair p;
    vmmio_features features = offered();

    vmmio_features_remove(&features, VMMIO_F_SUSPEND);
    p.start(features);
    for (unsigned bit = 4; bit < 32; bit++) {
        if (bit == 7)
            continue; // FAILED
        p.write(VMMIO_REG_STATUS, running | 1u << bit);
        EXPECT_EQ(p.status(), running) << bit;
        EXPECT_TRUE(p.pins().back_live);
    }
    p.write(VMMIO_REG_STATUS, 0x100); // is not 0: no reset
    EXPECT_EQ(p.status(), running);
}

TEST(status, failed_ends_all_until_reset)
{
    ROWS("STAT-07", "H-32");
    pair p;

    p.start(offered());
    p.enable_queue(0, 1);
    p.write(VMMIO_REG_STATUS, running | VMMIO_STATUS_FAILED);
    EXPECT_FALSE(p.pins().back_live);
    const uint64_t events = p.board.events;
    p.write(VMMIO_REG_QUEUE_NOTIFY, 0);
    EXPECT_EQ(p.board.events, events);
    for (const uint32_t value : {0x01u, 0x0fu, 0x1fu, 0x7fu})
        p.write(VMMIO_REG_STATUS, value);
    EXPECT_EQ(p.status(), running | VMMIO_STATUS_FAILED);
    p.start(offered());
    EXPECT_EQ(p.status(), running);

    prepare(p);
    p.write(VMMIO_REG_STATUS, initialised | VMMIO_STATUS_FAILED);
    p.write(VMMIO_REG_STATUS, running);
    EXPECT_FALSE(p.status() & VMMIO_STATUS_DRIVER_OK);
}

TEST(status, needs_reset_keeps_the_other_bits_and_tells_a_live_driver)
{
    ROWS("STAT-08", "STAT-11", "STAT-12", "OPER-02", "A-NEEDS-RESET", "A-IRQ-BOTH");
    pair p;

    p.needs_reset();
    EXPECT_EQ(p.status(), 0x40u);
    EXPECT_EQ(p.interrupts(), 0u);
    p.start(offered());
    EXPECT_EQ(p.status(), running);
    p.enable_queue(0, 1);
    p.needs_reset();
    EXPECT_EQ(p.status(), running | 0x40u);
    EXPECT_EQ(p.interrupts(), 2u);
    const uint64_t events = p.board.events;
    p.write(VMMIO_REG_QUEUE_NOTIFY, 0);
    EXPECT_EQ(p.board.events, events);
    p.write(VMMIO_REG_INTERRUPT_ACK, 2);
    p.needs_reset(); // no news
    EXPECT_EQ(p.interrupts(), 0u);
    p.write(VMMIO_REG_STATUS, running);
    EXPECT_EQ(p.status(), running | 0x40u);
    p.write(VMMIO_REG_STATUS, 0);
    EXPECT_EQ(p.status(), 0u);
}

TEST(status, status_bits_in_every_combination)
{
    ROWS("STAT-02", "STAT-04", "STAT-07", "SUSP-05", "MMIO-STATUS-01");
    pair p;

    for (unsigned first = 0; first < 256; first += 5)
        for (unsigned second = 0; second < 256; second++) {
            p.write(VMMIO_REG_STATUS, 0);
            p.write(VMMIO_REG_DRIVER_FEATURES_SEL, 1);
            p.write(VMMIO_REG_DRIVER_FEATURES, offered().word[1]);
            p.write(VMMIO_REG_STATUS, first ? first : 0x100);
            p.write(VMMIO_REG_STATUS, second ? second : 0x80000000);
            if (testing::Test::HasFailure())
                FAIL() << first << " then " << second;
        }
}

} // namespace
} // namespace vmmio::tb
