/* SPDX-License-Identifier: Apache-2.0 */
/* Suspend and resume. Each access goes to both forms. */
#include "pair.h"
#include "rows.h"

namespace vmmio::tb
{
namespace
{

/* Without the feature the bit is not stored (STAT-03). */
void never_suspends()
{
    pair p;

    p.start(offered());
    p.write(VMMIO_REG_STATUS, running | VMMIO_STATUS_SUSPEND);
    EXPECT_EQ(p.status(), running);
    EXPECT_FALSE(p.pins().back_suspend_request);
}

TEST(suspend, waits_for_the_back_side_and_comes_back)
{
    ROWS("SUSP-01", "SUSP-02", "SUSP-03", "SUSP-04", "SUSP-06", "SUSP-07", "SUSP-10", "SUSP-11",
         "A-GEN");
    if (!suspend_offered)
        return never_suspends();
    constexpr uint32_t suspended = accepted | VMMIO_STATUS_SUSPEND;
    pair p;

    p.start(offered());
    p.enable_queue(0, 1);
    p.back.answers.suspend_percent = 0;
    p.write(VMMIO_REG_STATUS, running | VMMIO_STATUS_SUSPEND);
    EXPECT_EQ(p.status(), running);
    EXPECT_TRUE(p.pins().back_suspend_request);
    p.used_buffer(); // a buffer that was in flight
    EXPECT_EQ(p.interrupts(), 1u);
    p.write(VMMIO_REG_INTERRUPT_ACK, 1);
    p.suspend_done();
    EXPECT_EQ(p.status(), suspended);

    const uint32_t word = p.read(VMMIO_REG_CONFIG),
                   generation = p.read(VMMIO_REG_CONFIG_GENERATION);
    const uint64_t events = p.board.events;
    p.write(VMMIO_REG_CONFIG, ~word);
    p.write(VMMIO_REG_QUEUE_NOTIFY, 0);
    p.used_buffer();
    p.config_update(std::vector<uint8_t>(config_bytes, 0x5a), true);
    EXPECT_EQ(p.board.events, events);
    EXPECT_EQ(p.interrupts(), 0u);
    EXPECT_EQ(p.read(VMMIO_REG_CONFIG), word);
    EXPECT_EQ(p.read(VMMIO_REG_CONFIG_GENERATION), generation);

    p.write(VMMIO_REG_STATUS, running);
    EXPECT_EQ(p.status(), running);
    EXPECT_EQ(p.interrupts(), 2u); // SUSP-08
    EXPECT_EQ(p.read(VMMIO_REG_CONFIG), 0x5a5a5a5au);
    EXPECT_EQ(p.read(VMMIO_REG_CONFIG_GENERATION), generation + 1);
    p.write(VMMIO_REG_QUEUE_NOTIFY, 0);
    EXPECT_EQ(p.board.events, events + 1);
}

TEST(suspend, is_refused_before_driver_ok)
{
    ROWS("SUSP-05");
    pair p;

    for (const uint32_t status : {0x01u, 0x03u, 0x0bu}) {
        p.negotiate(offered());
        p.write(VMMIO_REG_STATUS, status | VMMIO_STATUS_SUSPEND);
        EXPECT_FALSE(p.status() & VMMIO_STATUS_SUSPEND) << status;
    }
    p.negotiate(offered());
    p.write(VMMIO_REG_STATUS, running | VMMIO_STATUS_SUSPEND); // DRIVER_OK of before counts
    EXPECT_EQ(p.status(), running);
}

TEST(suspend, ends_in_needs_reset_if_something_breaks)
{
    ROWS("SUSP-09", "STAT-12");
    if (!suspend_offered)
        return never_suspends();
    pair p;

    p.start(offered());
    p.back.answers.suspend_percent = 0;
    p.write(VMMIO_REG_STATUS, running | VMMIO_STATUS_SUSPEND);
    p.needs_reset();
    p.suspend_done();
    EXPECT_EQ(p.status(), running | VMMIO_STATUS_NEEDS_RESET);
    EXPECT_EQ(p.interrupts(), 2u);
    EXPECT_FALSE(p.pins().back_suspend_request);
}

TEST(suspend, suspend_and_needs_reset)
{
    ROWS("STAT-11", "STAT-12", "SUSP-06", "SUSP-07", "SUSP-09", "SUSP-11");
    pair p;

    p.needs_reset();
    p.start(offered());
    p.back.answers.suspend_percent = 0;
    p.write(VMMIO_REG_STATUS, running | VMMIO_STATUS_SUSPEND);
    p.write_bytes(VMMIO_REG_CONFIG, 0x01020304, 0xf);
    p.used_buffer();
    p.read_all();
    p.suspend_done();
    p.read_all();
    p.config_update(std::vector<uint8_t>(config_bytes, 0x55), true);
    p.write(VMMIO_REG_STATUS, running);
    p.write(VMMIO_REG_STATUS, running | VMMIO_STATUS_SUSPEND);
    p.needs_reset();
    p.suspend_done();
    p.read_all();
}

TEST(suspend, an_error_while_suspended_is_told_at_resume)
{
    ROWS("STAT-12", "SUSP-07", "SUSP-10");
    pair p;

    p.start(offered());
    p.write(VMMIO_REG_STATUS, running | VMMIO_STATUS_SUSPEND);
    if (!suspend_offered)
        return never_suspends();
    p.needs_reset();
    EXPECT_EQ(p.read(VMMIO_REG_INTERRUPT_STATUS), 0u);
    p.write(VMMIO_REG_STATUS, running);
    EXPECT_EQ(p.read(VMMIO_REG_STATUS), running | VMMIO_STATUS_NEEDS_RESET);
    EXPECT_EQ(p.read(VMMIO_REG_INTERRUPT_STATUS), uint32_t{VMMIO_INTERRUPT_CONFIG_CHANGE});
}

TEST(suspend, a_changed_region_is_told_to_a_live_driver_and_at_resume)
{
    ROWS("A-SHM-5", "SUSP-07", "SUSP-08");
    pair p;
    const auto told = [&p] {
        const uint32_t bits = p.read(VMMIO_REG_INTERRUPT_STATUS);
        p.write(VMMIO_REG_INTERRUPT_ACK, bits);
        return bits;
    };

    p.regions_changed();
    EXPECT_EQ(told(), 0u);
    p.start(offered());
    const uint32_t generation = p.read(VMMIO_REG_CONFIG_GENERATION);
    p.regions_changed();
    EXPECT_EQ(told(), uint32_t{VMMIO_INTERRUPT_CONFIG_CHANGE});
    EXPECT_EQ(p.read(VMMIO_REG_CONFIG_GENERATION), generation);
    p.write(VMMIO_REG_STATUS, running | VMMIO_STATUS_SUSPEND);
    const bool suspended = p.read(VMMIO_REG_STATUS) & VMMIO_STATUS_SUSPEND;
    p.regions_changed();
    EXPECT_EQ(told(), suspended ? 0u : uint32_t{VMMIO_INTERRUPT_CONFIG_CHANGE});
    p.write(VMMIO_REG_STATUS, running);
    EXPECT_EQ(told(), suspended ? uint32_t{VMMIO_INTERRUPT_CONFIG_CHANGE} : 0u);
    p.write(VMMIO_REG_STATUS, running | VMMIO_STATUS_SUSPEND);
    p.regions_changed();
    p.write(VMMIO_REG_STATUS, 0); // forgets it
    p.start(offered());
    EXPECT_EQ(told(), 0u);
}

} // namespace
} // namespace vmmio::tb
