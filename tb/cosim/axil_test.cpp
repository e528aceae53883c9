/* SPDX-License-Identifier: Apache-2.0 */
/* The AXI4-Lite side: order, back-pressure, speed. */
#include "pins.h"
#include "rows.h"

#include "vmmio/registers.h"

#include <deque>
#include <gtest/gtest.h>

namespace vmmio::tb
{
namespace
{

constexpr unsigned burst = 64;

/* Reads of registers that differ, with the clocks from the first address to the last data. */
uint64_t read_burst(pins &p, unsigned stall_percent)
{
    static const std::pair<uint32_t, uint32_t> known[] = {{VMMIO_REG_MAGIC_VALUE, VMMIO_MAGIC},
                                                          {VMMIO_REG_VERSION, VMMIO_VERSION_MODERN},
                                                          {VMMIO_REG_DEVICE_ID, 42},
                                                          {VMMIO_REG_QUEUE_SIZE_MAX, size_max(0)}};
    std::mt19937 random(stall_percent);
    std::deque<uint32_t> expected;
    const uint64_t begin = p.now;
    unsigned asked = 0, got = 0;
    bool offered_address = false;
    uint32_t held = 0;
    bool holding = false;

    while (got < burst && p.now < begin + 100 * burst) {
        offered_address = offered_address || (asked < burst && random() % 100 >= stall_percent);
        p.top->s_axil_arvalid = offered_address;
        p.top->s_axil_araddr = static_cast<SData>(known[asked % 4].first);
        p.top->s_axil_rready = random() % 100 >= stall_percent;
        if (p.top->s_axil_rvalid) {
            EXPECT_TRUE(!holding || p.top->s_axil_rdata == held) << "data moved while waiting";
            held = p.top->s_axil_rdata;
            holding = !p.top->s_axil_rready;
            if (p.top->s_axil_rready) {
                EXPECT_FALSE(expected.empty()) << "data without an address";
                EXPECT_EQ(p.top->s_axil_rdata, expected.empty() ? 0 : expected.front());
                if (!expected.empty())
                    expected.pop_front();
                got++;
            }
        } else {
            EXPECT_FALSE(holding) << "data was taken back";
        }
        if (p.top->s_axil_arvalid && p.top->s_axil_arready) {
            expected.push_back(known[asked++ % 4].second);
            offered_address = false;
        }
        p.clock();
    }
    p.top->s_axil_arvalid = p.top->s_axil_rready = 0;
    EXPECT_EQ(got, burst);
    return p.now - begin;
}

/* Writes to DriverFeatures of ever new values; the last one is to arrive. */
uint64_t write_burst(pins &p, unsigned stall_percent)
{
    std::mt19937 random(stall_percent + 1);
    const uint64_t begin = p.now;
    unsigned addresses = 0, data = 0, answers = 0;
    bool offered_address = false, offered_data = false;

    while (answers < burst && p.now < begin + 100 * burst) {
        offered_address = offered_address || (addresses < burst && random() % 100 >= stall_percent);
        offered_data = offered_data || (data < burst && random() % 100 >= stall_percent);
        p.top->s_axil_awvalid = offered_address;
        p.top->s_axil_awaddr = addresses % 2 ? VMMIO_REG_DEVICE_FEATURES_SEL : VMMIO_REG_SHM_SEL;
        p.top->s_axil_wvalid = offered_data;
        p.top->s_axil_wdata = data % 2 ? (data / 2 + 1) % 2 : data;
        p.top->s_axil_wstrb = 0xf;
        p.top->s_axil_bready = random() % 100 >= stall_percent;
        const bool answer = p.top->s_axil_bvalid && p.top->s_axil_bready;
        if (p.top->s_axil_awvalid && p.top->s_axil_awready) {
            addresses++;
            offered_address = false;
        }
        if (p.top->s_axil_wvalid && p.top->s_axil_wready) {
            data++;
            offered_data = false;
        }
        answers += answer;
        EXPECT_LE(answers, std::min(addresses, data)) << "an answer without a write";
        p.clock();
        p.top->s_axil_awvalid = p.top->s_axil_wvalid = p.top->s_axil_bready = 0;
    }
    EXPECT_EQ(answers, burst);
    const uint64_t took = p.now - begin;
    p.clocks(8);
    EXPECT_FALSE(p.top->s_axil_bvalid) << "more answers than writes";
    EXPECT_EQ(p.read(VMMIO_REG_DEVICE_FEATURES), offered().word[(burst / 2) % 2]);
    return took;
}

TEST(axil, answers_two_clocks_after_the_address)
{
    pins p(1);

    p.top->s_axil_araddr = VMMIO_REG_MAGIC_VALUE;
    p.top->s_axil_arvalid = 1;
    p.clock();
    p.top->s_axil_arvalid = 0;
    EXPECT_FALSE(p.top->s_axil_rvalid);
    p.clock();
    EXPECT_TRUE(p.top->s_axil_rvalid);
    EXPECT_EQ(p.top->s_axil_rdata, uint32_t{VMMIO_MAGIC});
}

/* Clocks from the one that takes a write up to its answer. */
uint64_t clocks_of_write(pins &p, uint32_t offset, uint32_t value)
{
    p.top->s_axil_awaddr = static_cast<SData>(offset);
    p.top->s_axil_wdata = value;
    p.top->s_axil_wstrb = 0xf;
    p.top->s_axil_awvalid = p.top->s_axil_wvalid = 1;
    const uint64_t begin = p.now;
    do {
        p.clock();
        p.top->s_axil_awvalid = p.top->s_axil_wvalid = 0;
    } while (!p.top->s_axil_bvalid && p.now < begin + 100);
    const uint64_t took = p.now - begin;
    p.top->s_axil_bready = 1;
    p.clock();
    p.top->s_axil_bready = 0;
    return took;
}

TEST(axil, writes_take_the_clocks_that_are_documented)
{
    pins p(1);

    EXPECT_EQ(clocks_of_write(p, VMMIO_REG_SHM_SEL, 0), 2u);
    EXPECT_EQ(clocks_of_write(p, VMMIO_REG_QUEUE_SEL, 0), 3u);
    EXPECT_EQ(clocks_of_write(p, VMMIO_REG_QUEUE_READY, 0), 3u);
    EXPECT_EQ(clocks_of_write(p, VMMIO_REG_STATUS, 3), 6u);
    EXPECT_EQ(clocks_of_write(p, VMMIO_REG_QUEUE_SIZE, 1), 10u);
    EXPECT_EQ(clocks_of_write(p, VMMIO_REG_QUEUE_SIZE, 1), 2u);
    EXPECT_EQ(clocks_of_write(p, VMMIO_REG_QUEUE_READY, 1), 18u); // 8 of them the back side's
}

TEST(axil, reads_one_a_clock_back_to_back)
{
    pins p(1);

    EXPECT_EQ(read_burst(p, 0), burst + 2);
}

TEST(axil, writes_one_a_clock_back_to_back)
{
    pins p(1);

    EXPECT_EQ(write_burst(p, 0), burst + 2);
}

TEST(axil, keeps_order_and_data_under_stalls_on_every_channel)
{
    ROWS("MMIO-MAGIC-01", "MMIO-VERSION-01", "MMIO-DEVID-01", "MMIO-QSZMAX-01");
    for (unsigned percent = 0; percent <= 90; percent += 10) {
        pins p(percent);
        read_burst(p, percent);
        write_burst(p, percent);
    }
}

TEST(axil, answers_okay_always)
{
    pins p(1);

    for (uint32_t address = 0; address < VMMIO_BLOCK_SIZE; address += 0x1f) {
        p.write(address, ~0u, address % 16);
        p.read(address);
        EXPECT_EQ(p.top->s_axil_bresp, 0);
        EXPECT_EQ(p.top->s_axil_rresp, 0);
    }
}

TEST(axil, an_event_in_the_clock_of_its_acknowledge_stays)
{
    ROWS("MMIO-INTSTAT-02", "MMIO-INTACK-01");
    for (unsigned after = 0; after < 4; after++) {
        pins p(1);
        const vmmio_features features = required();

        for (uint32_t i = 0; i < 4; i++) {
            p.write(VMMIO_REG_DRIVER_FEATURES_SEL, i);
            p.write(VMMIO_REG_DRIVER_FEATURES, features.word[i]);
        }
        p.write(VMMIO_REG_STATUS, VMMIO_STATUS_ACKNOWLEDGE | VMMIO_STATUS_DRIVER |
                                      VMMIO_STATUS_FEATURES_OK | VMMIO_STATUS_DRIVER_OK);
        p.used_buffer();
        ASSERT_TRUE(p.irq());
        p.top->s_axil_awaddr = VMMIO_REG_INTERRUPT_ACK;
        p.top->s_axil_wdata = VMMIO_INTERRUPT_USED_BUFFER;
        p.top->s_axil_wstrb = 0xf;
        p.top->s_axil_bready = 1;
        p.top->s_axil_awvalid = p.top->s_axil_wvalid = 1;
        for (unsigned clock = 0; clock < 4; clock++) {
            p.top->back_used_buffer = clock == after;
            p.clock();
            p.top->s_axil_awvalid = p.top->s_axil_wvalid = 0;
        }
        p.top->back_used_buffer = 0;
        // The acknowledge acts in the clock after the one that takes it.
        EXPECT_EQ(p.read(VMMIO_REG_INTERRUPT_STATUS), after >= 1 ? 1u : 0u) << after;
        EXPECT_EQ(p.irq(), after >= 1) << after;
    }
}

} // namespace
} // namespace vmmio::tb
