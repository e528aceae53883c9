/* SPDX-License-Identifier: Apache-2.0 */
/* The AXI4-Lite side: order, back-pressure, speed. That every answer is right, and OKAY, is checked
 * with each access. */
#include "pair.h"
#include "rows.h"

namespace vmmio::tb
{
namespace
{

constexpr unsigned burst = 64;

void push_reads(pair &p)
{
    static const uint32_t known[] = {VMMIO_REG_MAGIC_VALUE, VMMIO_REG_VERSION, VMMIO_REG_DEVICE_ID,
                                     VMMIO_REG_QUEUE_SIZE_MAX};

    for (unsigned i = 0; i < burst; i++)
        p.master.push({false, false, known[i % 4]});
}

/* Writes of ever new values to registers that take them at once; the last one is to arrive. */
void push_writes(pair &p)
{
    for (unsigned i = 0; i < burst; i++)
        p.master.push(
            {true, false, i % 2 ? VMMIO_REG_DEVICE_FEATURES_SEL : VMMIO_REG_SHM_SEL, i / 2 % 2});
}

TEST(axil, answers_two_clocks_after_the_address)
{
    pair p;

    p.master.push({false, true, VMMIO_REG_MAGIC_VALUE});
    p.clock();
    EXPECT_FALSE(p.pins().s_axil_rvalid);
    p.clock();
    EXPECT_TRUE(p.pins().s_axil_rvalid);
    EXPECT_EQ(p.pins().s_axil_rdata, uint32_t{VMMIO_MAGIC});
}

/* Clocks from the one that takes a write up to its answer. */
uint64_t clocks_of_write(pair &p, uint32_t offset, uint32_t value)
{
    p.master.push({true, true, offset, value});
    return p.finish() - 1; // the answer is taken in one more
}

TEST(axil, writes_take_the_clocks_that_are_documented)
{
    pair p;

    EXPECT_EQ(clocks_of_write(p, VMMIO_REG_SHM_SEL, 0), 2u);
    EXPECT_EQ(clocks_of_write(p, VMMIO_REG_QUEUE_SEL, 0), 2u);
    EXPECT_EQ(clocks_of_write(p, VMMIO_REG_QUEUE_READY, 0), 3u);
    EXPECT_EQ(clocks_of_write(p, VMMIO_REG_QUEUE_RESET, 0), 3u);
    EXPECT_EQ(clocks_of_write(p, VMMIO_REG_STATUS, 3), 6u);
    p.write(VMMIO_REG_QUEUE_SEL, queue_count);
    EXPECT_EQ(clocks_of_write(p, VMMIO_REG_QUEUE_SIZE, 1), 2u) << "of no queue";
    p.write(VMMIO_REG_QUEUE_SEL, 0);
    EXPECT_EQ(clocks_of_write(p, VMMIO_REG_QUEUE_SIZE, 1), 10u);
    EXPECT_EQ(clocks_of_write(p, VMMIO_REG_QUEUE_SIZE, 1), 2u);
    EXPECT_EQ(clocks_of_write(p, VMMIO_REG_QUEUE_READY, 1), 17u); // 7 of them the back side's
}

TEST(axil, reads_one_a_clock_back_to_back)
{
    pair p;

    push_reads(p);
    EXPECT_EQ(p.finish(), burst + 2);
}

TEST(axil, writes_one_a_clock_back_to_back)
{
    pair p;

    push_writes(p);
    EXPECT_EQ(p.finish(), burst + 2);
}

TEST(axil, reads_and_writes_do_not_wait_for_each_other)
{
    pair p;

    for (unsigned i = 0; i < burst; i++) {
        p.master.push({false, false, VMMIO_REG_STATUS});
        p.master.push({true, false, VMMIO_REG_DEVICE_FEATURES_SEL, i});
    }
    EXPECT_LE(p.finish(), burst + 4);
}

TEST(axil, keeps_order_and_data_under_stalls_on_every_channel)
{
    ROWS("MMIO-MAGIC-01", "MMIO-VERSION-01", "MMIO-DEVID-01", "MMIO-VENDOR-01", "MMIO-QSZMAX-01");
    for (unsigned percent = 0; percent <= 90; percent += 10) {
        pair p(percent + 1);
        p.master.stall_percent.fill(percent);
        push_reads(p);
        p.finish();
        push_writes(p);
        p.finish();
        push_writes(p);
        push_reads(p);
        p.finish();
        EXPECT_EQ(p.read(VMMIO_REG_DEVICE_FEATURES), offered().word[1]);
        EXPECT_EQ(p.read(VMMIO_REG_VENDOR_ID), 0x6f696d76u);
    }
}

TEST(axil, one_channel_that_stalls_alone)
{
    for (unsigned channel = 0; channel < channel_count; channel++) {
        pair p(channel + 1);
        p.master.stall_percent[channel] = 90;
        push_reads(p);
        push_writes(p);
        p.finish();
        EXPECT_EQ(p.read(VMMIO_REG_DEVICE_FEATURES), offered().word[1]);
    }
}

TEST(axil, answers_okay_always)
{
    ROWS("A-HOLE", "A-ALIGN", "A-WDIR", "H-27");
    pair p;

    for (uint32_t address = 0; address < VMMIO_BLOCK_SIZE; address += 0x1f) {
        p.write_bytes(address, ~0u, address % 16);
        p.read(address);
    }
}

TEST(axil, an_event_in_the_clock_of_its_acknowledge_stays)
{
    ROWS("MMIO-INTSTAT-02", "MMIO-INTACK-01", "A-ACK", "H-37");
    for (const bool error : {false, true}) {
        for (unsigned after = 0; after < 4; after++) {
            pair p;
            p.start(required());
            if (error)
                p.regions_changed();
            else
                p.used_buffer();
            ASSERT_TRUE(p.pins().irq);
            p.master.push({true, true, VMMIO_REG_INTERRUPT_ACK, 3});
            for (unsigned clock = 0; clock < 4; clock++) {
                p.back.used_buffer = !error && clock == after;
                p.back.needs_reset = error && clock == after;
                p.clock();
            }
            // The acknowledge acts in the clock after the one that takes it.
            EXPECT_EQ(p.interrupts(), after < 1 ? 0u : error ? 2u : 1u) << after;
            EXPECT_EQ(p.pins().irq, after >= 1) << after;
        }
    }
}

} // namespace
} // namespace vmmio::tb
