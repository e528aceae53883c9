/* SPDX-License-Identifier: Apache-2.0 */
/* SUSPEND (3.4, since 1.4). */
#include "rig.h"

namespace vmmio::tb
{
namespace
{

constexpr uint32_t running = 0x0f, suspend_bit = 0x10, suspended = 0x1b;

class suspend : public ::testing::Test
{
protected:
    suspend()
    {
        function.config = {0, 1, 2, 3};
        function.use_config();
        function.on_config_write = [this](uint32_t at, const uint8_t *data, uint32_t length) {
            std::copy(data, data + length, function.config.begin() + at);
            return true;
        };
        r = std::make_unique<rig>(function.function());
        r->go_live(feature_set({VMMIO_F_VERSION_1, VMMIO_F_SUSPEND, VMMIO_F_RING_RESET}), 2);
        r->forget();
    }
    void go_to_sleep()
    {
        r->guest.set_status(running | suspend_bit);
        ASSERT_EQ(r->guest.status(), suspended);
    }
    void wake_up() { r->guest.set_status(running); }

    test_function function;
    std::unique_ptr<rig> r;
};

TEST_F(suspend, shows_suspend_instead_of_driver_ok_and_back)
{
    ROWS("SUSP-02", "SUSP-04", "SUSP-09", "SUSP-10", "A-STATUS-SET");
    for (int i = 0; i < 3; i++) {
        go_to_sleep();
        wake_up();
        EXPECT_EQ(r->guest.status(), running);
        EXPECT_TRUE(r->exchange({r->writable(8)}).has_value());
    }
    EXPECT_TRUE(r->diagnostics.empty());
}

TEST_F(suspend, is_ignored_until_initialisation_is_complete)
{
    ROWS("SUSP-01", "SUSP-05");
    r->guest.reset();
    const auto try_it = [this](uint32_t status) {
        r->forget();
        r->guest.set_status(status | suspend_bit);
        EXPECT_EQ(r->guest.status(), status);
        EXPECT_EQ(r->count(VMMIO_DIAG_SUSPEND_REFUSED), 1u) << status;
    };
    try_it(0x01);
    try_it(0x03);
    r->guest.accept(feature_set({VMMIO_F_VERSION_1, VMMIO_F_SUSPEND}));
    r->guest.set_status(0x0b);
    try_it(0x0b);
    try_it(0x0f); /* DRIVER_OK comes with it: too early, too */
    r->guest.set_status(0x1f);
    EXPECT_EQ(r->guest.status(), suspended);
}

TEST_F(suspend, finishes_what_is_in_flight_first)
{
    ROWS("SUSP-02", "SUSP-09", "SUSP-11");
    function.hold();
    for (int i = 0; i < 8; i++)
        r->serve({r->writable(8)});
    ASSERT_EQ(function.held.size(), 8u);
    r->guest.set_status(running | suspend_bit);
    for (vmmio_request *request : function.held) {
        EXPECT_EQ(r->guest.status(), running) << "still busy";
        vmmio_request_complete(request, 1);
    }
    EXPECT_EQ(r->queue(0).used_idx(), 8u);
    EXPECT_EQ(r->guest.interrupts(), 1u);
    EXPECT_EQ(r->guest.status(), suspended);
}

TEST_F(suspend, from_inside_an_access_ends_after_the_request)
{
    ROWS("SUSP-11", "SUSP-09");
    rig_options options;
    options.mode = dma_mode::transaction;
    rig s(function.function(), options);
    s.go_live(feature_set({VMMIO_F_VERSION_1, VMMIO_F_SUSPEND}));
    s.memory.on_transaction = [&](const dma_access &access) {
        if (access.address != s.queue(0).desc)
            return;
        s.memory.on_transaction = nullptr;
        s.guest.set_status(running | suspend_bit);
        EXPECT_EQ(s.guest.status(), running);
    };
    s.queue(0).queue(s.queue(0).add({s.writable(8)}));
    s.queue(0).queue(s.queue(0).add({s.writable(8)}));
    s.queue(0).publish();
    s.guest.kick(0);
    s.run();
    EXPECT_EQ(s.guest.status(), suspended);
    EXPECT_EQ(s.queue(0).used_idx(), 1u) << "the fetched one is done, no new one is fetched";
    EXPECT_EQ(s.guest.interrupts(), 1u);
    s.guest.set_status(running);
    s.run();
    EXPECT_EQ(s.queue(0).used_idx(), 2u);
}

TEST_F(suspend, is_quiet)
{
    ROWS("SUSP-03", "SUSP-06", "SUSP-07", "H-39");
    go_to_sleep();
    r->memory.log.clear();
    r->edges.clear();
    r->queue(0).offer(r->queue(0).add({r->writable(8)}));
    r->guest.kick(0);
    r->write(0x100, 0x55, 1);
    function.config[1] = 99;
    vmmio_device_config_changed(&r->device);
    virtqueue late = r->make_queue(16);
    late.offer(late.add({r->writable(8)}));
    r->write_queue(1, VMMIO_REG_QUEUE_READY, 0);
    r->guest.enable_queue(1, late);
    r->run();
    EXPECT_TRUE(r->memory.log.empty());
    EXPECT_TRUE(r->edges.empty());
    EXPECT_EQ(r->guest.interrupts(), 0u);
    EXPECT_EQ(r->read(0x100, 4), 0x03020100u) << "neither the driver's change nor the device's";
    EXPECT_EQ(r->count(VMMIO_DIAG_CONFIG_SUSPENDED), 1u);
    EXPECT_EQ(r->count(VMMIO_DIAG_NOTIFY_EARLY), 1u);
    wake_up();
    r->run();
    EXPECT_EQ(r->queue(0).used_idx(), 1u) << "nothing is lost";
    EXPECT_EQ(late.used_idx(), 1u);
}

TEST_F(suspend, config_changes_are_announced_at_resume)
{
    ROWS("SUSP-07", "SUSP-08");
    const uint32_t generation = r->read(VMMIO_REG_CONFIG_GENERATION);
    go_to_sleep();
    function.config[2] = 77;
    vmmio_device_config_changed(&r->device);
    EXPECT_EQ(r->read(VMMIO_REG_CONFIG_GENERATION), generation);
    EXPECT_EQ(r->guest.interrupts(), 0u);
    wake_up();
    EXPECT_EQ(r->guest.interrupts(), 2u);
    EXPECT_NE(r->read(VMMIO_REG_CONFIG_GENERATION), generation);
    EXPECT_EQ(r->read(0x102, 1), 77u);
}

TEST_F(suspend, region_changes_are_announced_at_resume)
{
    ROWS("SUSP-08", "A-SHM-5");
    go_to_sleep();
    vmmio_device_regions_changed(&r->device);
    EXPECT_EQ(r->guest.interrupts(), 0u);
    wake_up();
    EXPECT_EQ(r->guest.interrupts(), 2u);
    r->write(VMMIO_REG_INTERRUPT_ACK, 2);
    go_to_sleep();
    wake_up();
    EXPECT_EQ(r->guest.interrupts(), 0u) << "announced once";
    go_to_sleep();
    vmmio_device_regions_changed(&r->device);
    r->guest.reset();
    r->go_live(feature_set({VMMIO_F_VERSION_1, VMMIO_F_SUSPEND}));
    go_to_sleep();
    wake_up();
    EXPECT_EQ(r->guest.interrupts(), 0u) << "a reset forgets it";
}

TEST_F(suspend, a_fatal_error_is_the_other_end)
{
    ROWS("SUSP-09", "SUSP-10", "STAT-12");
    function.hold();
    r->serve({r->writable(8)});
    r->guest.set_status(running | suspend_bit);
    vmmio_device_needs_reset(&r->device);
    EXPECT_EQ(r->guest.status(), 0x4fu);
    EXPECT_EQ(r->guest.interrupts(), 2u);
    vmmio_request_complete(function.held[0], 0);
    EXPECT_EQ(r->guest.status(), 0x4fu) << "it does not suspend any more";
}

TEST_F(suspend, ends_with_the_requests_that_it_waited_for)
{
    ROWS("SUSP-09", "SUSP-11");
    function.hold();
    r->serve({r->writable(8)});
    r->guest.set_status(running | suspend_bit);
    EXPECT_EQ(r->guest.status(), running);
    r->write_queue(0, VMMIO_REG_QUEUE_READY, 0);
    EXPECT_EQ(r->guest.status(), suspended);
    vmmio_request_complete(function.held[0], 0);
    EXPECT_EQ(r->guest.status(), suspended);
}

TEST_F(suspend, request_is_over_when_the_device_needs_a_reset)
{
    ROWS("SUSP-09");
    function.hold();
    r->serve({r->writable(8)});
    r->guest.set_status(running | suspend_bit);
    vmmio_device_needs_reset(&r->device);
    EXPECT_FALSE(r->device.block.suspending);
    EXPECT_FALSE(r->device.engine.suspend_wanted);
}

TEST_F(suspend, errors_while_suspended_are_silent_and_stay)
{
    ROWS("SUSP-07", "SUSP-10", "STAT-12");
    go_to_sleep();
    vmmio_device_needs_reset(&r->device);
    EXPECT_EQ(r->guest.status(), suspended | 0x40);
    EXPECT_EQ(r->guest.interrupts(), 0u) << "DRIVER_OK is not set";
    wake_up();
    EXPECT_EQ(r->guest.status(), running | 0x40);
    EXPECT_EQ(r->guest.interrupts(), 2u) << "both bits are set now: the driver is told";
    r->memory.log.clear();
    r->serve({r->writable(8)});
    EXPECT_TRUE(r->memory.log.empty());
}

TEST_F(suspend, failed_and_reset_work_while_suspended)
{
    ROWS("RST-01", "STAT-07");
    go_to_sleep();
    r->guest.reset();
    EXPECT_EQ(r->guest.status(), 0u);
    r->go_live(feature_set({VMMIO_F_VERSION_1, VMMIO_F_SUSPEND}));
    EXPECT_TRUE(r->exchange({r->writable(8)}).has_value());
    go_to_sleep();
    r->guest.set_status(suspended | 0x80);
    EXPECT_EQ(r->guest.status(), suspended | 0x80);
    wake_up();
    EXPECT_EQ(r->guest.status(), suspended | 0x80);
    r->guest.reset();
    EXPECT_EQ(r->guest.status(), 0u);
}

TEST_F(suspend, reset_ends_a_suspend_that_is_still_waiting)
{
    ROWS("RST-01", "SUSP-09");
    function.hold();
    r->serve({r->writable(8)});
    r->guest.set_status(running | suspend_bit);
    r->guest.reset();
    EXPECT_EQ(r->guest.status(), 0u);
    r->go_live(feature_set({VMMIO_F_VERSION_1, VMMIO_F_SUSPEND}));
    vmmio_request_complete(function.held[0], 0);
    EXPECT_EQ(r->guest.status(), running);
}

} // namespace
} // namespace vmmio::tb
