/* SPDX-License-Identifier: Apache-2.0 */
/* InterruptStatus, InterruptACK and the line. */
#include "rig.h"

namespace vmmio::tb
{
namespace
{

class interrupt : public ::testing::Test
{
protected:
    interrupt()
    {
        function.config = {0, 0, 0, 0};
        function.use_config();
        r = std::make_unique<rig>(function.function());
        r->go_live(2);
    }
    void use_a_buffer() { r->serve({r->writable(8)}); }
    void change_config()
    {
        function.config[0]++;
        vmmio_device_config_changed(&r->device);
    }

    test_function function;
    std::unique_ptr<rig> r;
};

TEST_F(interrupt, each_event_sets_its_own_bit)
{
    ROWS("MMIO-INTSTAT-01", "MMIO-INTSTAT-03", "NOTF-01", "OPER-01", "A-IRQ-BOTH");
    EXPECT_EQ(r->guest.interrupts(), 0u);
    use_a_buffer();
    EXPECT_EQ(r->guest.interrupts(), 1u);
    r->guest.acknowledge(1);
    change_config();
    EXPECT_EQ(r->guest.interrupts(), 2u);
    use_a_buffer();
    EXPECT_EQ(r->guest.interrupts(), 3u);
}

TEST_F(interrupt, a_bit_stays_until_it_is_acknowledged)
{
    ROWS("MMIO-INTSTAT-02");
    use_a_buffer();
    for (int i = 0; i < 10; i++) {
        r->read(VMMIO_REG_STATUS);
        EXPECT_EQ(r->guest.interrupts(), 1u);
    }
    r->guest.acknowledge(1);
    EXPECT_EQ(r->guest.interrupts(), 0u);
}

TEST_F(interrupt, acknowledging_clears_exactly_the_ones)
{
    ROWS("MMIO-INTACK-01", "A-ACK-UNSET", "H-37");
    use_a_buffer();
    change_config();
    r->guest.acknowledge(0);
    EXPECT_EQ(r->guest.interrupts(), 3u);
    r->guest.acknowledge(0xfffffffc);
    EXPECT_EQ(r->guest.interrupts(), 3u);
    r->guest.acknowledge(1);
    EXPECT_EQ(r->guest.interrupts(), 2u);
    r->guest.acknowledge(1);
    EXPECT_EQ(r->guest.interrupts(), 2u);
    use_a_buffer();
    r->guest.acknowledge(2);
    EXPECT_EQ(r->guest.interrupts(), 1u);
    r->guest.acknowledge(0xffffffff);
    EXPECT_EQ(r->guest.interrupts(), 0u);
}

TEST_F(interrupt, line_is_a_level)
{
    ROWS("MMIO-IRQ-01", "A-IRQ-LEVEL");
    use_a_buffer();
    use_a_buffer();
    change_config();
    EXPECT_TRUE(r->line);
    r->guest.acknowledge(1);
    EXPECT_TRUE(r->line);
    r->guest.acknowledge(2);
    EXPECT_FALSE(r->line);
    EXPECT_EQ(r->edges, (std::vector<bool>{true, false})) << "called at changes only";
}

TEST_F(interrupt, an_event_behind_the_acknowledge_shows_again)
{
    ROWS("A-ACK", "H-37");
    use_a_buffer();
    EXPECT_EQ(r->guest.interrupts(), 1u);
    use_a_buffer(); /* after the driver read, before it acknowledges */
    r->guest.acknowledge(1);
    use_a_buffer();
    EXPECT_EQ(r->guest.interrupts(), 1u);
    EXPECT_TRUE(r->line);
}

TEST_F(interrupt, one_bit_stands_for_all_queues)
{
    ROWS("MMIO-IRQ-03");
    for (uint32_t i = 0; i < 2; i++) {
        r->queue(i).offer(r->queue(i).add({r->writable(8)}));
        r->guest.kick(i);
    }
    r->run();
    EXPECT_EQ(r->guest.interrupts(), 1u);
    EXPECT_TRUE(r->queue(0).reap().has_value());
    EXPECT_TRUE(r->queue(1).reap().has_value());
}

TEST_F(interrupt, a_handler_that_acknowledges_at_once_sees_a_consistent_device)
{
    ROWS("A-IRQ-LEVEL", "MMIO-IRQ-01");
    r->on_interrupt = [this](bool level) {
        if (level)
            vmmio_device_write(&r->device, VMMIO_REG_INTERRUPT_ACK, 4, 1);
    };
    use_a_buffer();
    EXPECT_FALSE(r->line);
    EXPECT_EQ(r->guest.interrupts(), 0u);
    EXPECT_EQ(r->edges, (std::vector<bool>{true, false}));
}

TEST_F(interrupt, config_changes_before_driver_ok_are_silent)
{
    ROWS("A-IRQ-EARLY", "MMIO-GEN-02");
    r->guest.reset();
    const uint32_t generation = r->read(VMMIO_REG_CONFIG_GENERATION);
    change_config();
    EXPECT_EQ(r->guest.interrupts(), 0u);
    EXPECT_NE(r->read(VMMIO_REG_CONFIG_GENERATION), generation);
}

} // namespace
} // namespace vmmio::tb
