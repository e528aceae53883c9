/* SPDX-License-Identifier: Apache-2.0 */
/* Device reset. Each access goes to both forms. */
#include "pair.h"
#include "rows.h"

namespace vmmio::tb
{
namespace
{

TEST(reset, everything_that_a_driver_wrote_is_gone)
{
    ROWS("RST-01", "RST-02", "A-RESET-SCOPE", "MMIO-RST-01", "MMIO-INTSTAT-04", "MMIO-QRESET-02",
         "H-33");
    const auto all = [](pair &p) {
        std::vector<uint32_t> values;
        for (uint32_t offset = 0; offset < VMMIO_REG_CONFIG_GENERATION; offset += 4)
            values.push_back(p.read(offset));
        for (unsigned q = 0; q < queue_count; q++) {
            p.write(VMMIO_REG_QUEUE_SEL, q);
            values.push_back(p.read(VMMIO_REG_QUEUE_READY));
        }
        return values;
    };
    pair p;
    const std::vector<uint32_t> fresh = all(p);

    p.start(offered());
    for (unsigned q = 0; q < queue_count; q++)
        p.enable_queue(q, 1);
    p.write(VMMIO_REG_DEVICE_FEATURES_SEL, 1);
    p.write(VMMIO_REG_SHM_SEL, 0xff);
    p.used_buffer();
    p.regions_changed();
    EXPECT_NE(all(p), fresh);
    p.write(VMMIO_REG_STATUS, 0);
    EXPECT_EQ(all(p), fresh);
    p.used_buffer(); // no notification from now on
    p.regions_changed();
    EXPECT_EQ(p.interrupts(), 0u);
    EXPECT_FALSE(p.pins().irq);
}

TEST(reset, after_every_single_write_and_in_every_status)
{
    ROWS("RST-01", "STAT-01", "H-33");
    pair p;

    for (uint32_t offset = 0; offset <= VMMIO_REG_CONFIG; offset += 4)
        for (const uint32_t value : {0u, 1u, 0x8au, ~0u}) {
            p.start(required());
            p.write(offset, value);
            p.write(VMMIO_REG_STATUS, 0);
            EXPECT_EQ(p.status(), 0u) << offset;
        }
    for (unsigned status = 1; status < 256; status++) {
        p.negotiate(offered());
        p.write(VMMIO_REG_STATUS, status);
        p.write(VMMIO_REG_STATUS, 0);
        EXPECT_EQ(p.status(), 0u) << status;
    }
}

TEST(reset, in_the_middle_of_what_the_back_side_does)
{
    ROWS("A-RESET-DONE", "A-RESET-INFLIGHT", "RST-04", "H-33", "H-34");
    pair p;

    p.start(offered());
    p.enable_queue(0, 1);
    p.back.answers.stop_percent = p.back.answers.suspend_percent = 0;
    p.back.answers.reset_percent = hold_reset ? 3 : 0;
    p.write(VMMIO_REG_QUEUE_READY, 0);
    p.write(VMMIO_REG_STATUS, running | VMMIO_STATUS_SUSPEND);
    p.write(VMMIO_REG_STATUS, 0);
    if (!hold_reset) {
        EXPECT_EQ(p.status(), running); // not 0 before it is done
        p.write(VMMIO_REG_STATUS, 0);   // while it runs
        p.reset_done();
    }
    EXPECT_EQ(p.status(), 0u);
    EXPECT_FALSE(p.pins().back_suspend_request);
    EXPECT_EQ(p.pins().back_queue_stop, 0u);
    p.stop_done(0); // too late to matter
    p.suspend_done();
    p.reset_done();
    EXPECT_EQ(p.status(), 0u);
    p.back.answers.reset_percent = 100;
    p.start(offered());
    EXPECT_EQ(p.status(), running);
}

TEST(reset, by_the_reset_input_at_any_point)
{
    ROWS("H-66");
    for (unsigned after = 0; after < 40; after++) {
        pair p(after + 1);
        p.start(offered());
        p.enable_queue(0, 1);
        p.used_buffer();
        p.master.push({true, true, VMMIO_REG_QUEUE_READY, 0});
        p.master.push({true, false, VMMIO_REG_QUEUE_DESC_LOW, 0x1000});
        p.master.push({false, false, VMMIO_REG_STATUS});
        p.master.push({true, false, VMMIO_REG_STATUS, 0});
        p.clocks(after);
        p.power_reset(1);
        EXPECT_EQ(p.status(), 0u);
        EXPECT_EQ(p.read(VMMIO_REG_QUEUE_READY), 0u);
        EXPECT_FALSE(p.pins().irq);
        p.start(offered());
        EXPECT_EQ(p.status(), running);
    }
}

TEST(reset, reset_in_its_own_time)
{
    ROWS("RST-01", "RST-02", "RST-04");
    pair p;

    p.start(offered());
    p.enable_queue(0, 1);
    p.back.answers.reset_percent = hold_reset ? 3 : 0;
    p.write(VMMIO_REG_STATUS, 0);
    if (!hold_reset) {
        EXPECT_EQ(p.read(VMMIO_REG_STATUS), running);
        p.used_buffer();
        p.needs_reset();
        p.write(VMMIO_REG_STATUS, initialised);
        p.write(VMMIO_REG_INTERRUPT_ACK, 1);
        p.config_update(std::vector<uint8_t>(config_bytes, 0x11), true);
        p.read_all();
        p.reset_done();
    }
    EXPECT_EQ(p.read(VMMIO_REG_STATUS), 0u);
    p.read_all();
}

} // namespace
} // namespace vmmio::tb
