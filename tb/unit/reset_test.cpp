/* SPDX-License-Identifier: Apache-2.0 */
/* Device reset (2.4) and what it leaves. */
#include "rig.h"

namespace vmmio::tb
{
namespace
{

class device_reset : public ::testing::Test
{
protected:
    test_function function;
    rig r{function.function()};
};

TEST_F(device_reset, reaches_0_from_every_status)
{
    ROWS("RST-01", "STAT-01", "H-33");
    for (const uint32_t status : {0x01u, 0x03u, 0x0bu, 0x0fu, 0x80u, 0x8fu}) {
        r.guest.set_status(0x03);
        r.guest.accept(feature_set({VMMIO_F_VERSION_1}));
        r.guest.set_status(status);
        EXPECT_NE(r.guest.status(), 0u);
        r.guest.reset();
        EXPECT_EQ(r.guest.status(), 0u) << status;
    }
    r.go_live();
    vmmio_device_needs_reset(&r.device);
    r.guest.reset();
    EXPECT_EQ(r.guest.status(), 0u);
    EXPECT_EQ(r.resets, 8u) << "the go_live above resets, too";
}

TEST_F(device_reset, clears_interrupts_and_the_line)
{
    ROWS("MMIO-INTSTAT-04", "RST-02");
    r.go_live();
    r.serve({r.writable(8)});
    vmmio_device_needs_reset(&r.device);
    EXPECT_EQ(r.guest.interrupts(), 3u);
    r.guest.reset();
    EXPECT_EQ(r.guest.interrupts(), 0u);
    EXPECT_FALSE(r.line);
}

TEST_F(device_reset, clears_ready_of_all_queues_also_before_driver_ok)
{
    ROWS("MMIO-RST-01");
    for (const bool live : {false, true}) {
        ASSERT_TRUE(r.guest.negotiate(feature_set({VMMIO_F_VERSION_1})));
        virtqueue a = r.make_queue(16), b = r.make_queue(16);
        r.guest.enable_queue(0, a);
        r.guest.enable_queue(1, b);
        if (live)
            r.guest.start();
        r.run();
        r.guest.reset();
        for (uint32_t i = 0; i < 2; i++)
            EXPECT_EQ(r.read_queue(i, VMMIO_REG_QUEUE_READY), 0u);
    }
}

TEST_F(device_reset, returns_everything_the_driver_wrote)
{
    ROWS("A-RESET-SCOPE");
    for (const uint32_t offset : {0x014u, 0x024u, 0x030u, 0x0acu, 0x038u, 0x080u, 0x084u, 0x090u,
                                  0x094u, 0x0a0u, 0x0a4u, 0x020u})
        r.write(offset, 1);
    r.guest.reset();
    for (const uint32_t offset : {0x014u, 0x024u, 0x030u, 0x0acu, 0x020u})
        EXPECT_EQ(vmmio_block_peek(&r.device.block, offset), 0u) << offset;
    for (uint32_t q = 0; q < 2; q++) {
        r.write(VMMIO_REG_QUEUE_SEL, q);
        for (const uint32_t offset : {0x038u, 0x080u, 0x084u, 0x090u, 0x094u, 0x0a0u, 0x0a4u})
            EXPECT_EQ(vmmio_block_peek(&r.device.block, offset), 0u) << offset;
    }
}

TEST_F(device_reset, is_silent_about_requests_in_flight)
{
    ROWS("RST-02", "RST-03", "A-RESET-INFLIGHT", "H-34");
    function.hold();
    r.go_live();
    for (int i = 0; i < 8; i++)
        r.serve({r.writable(8)});
    ASSERT_EQ(function.held.size(), 8u);
    r.guest.reset();
    ASSERT_EQ(r.guest.status(), 0u);
    const std::vector<uint8_t> ram = r.memory.bytes(ram_base, ram_size);
    r.edges.clear();
    r.memory.log.clear();
    for (vmmio_request *request : function.held) {
        uint8_t byte = 1;
        EXPECT_FALSE(vmmio_request_write(request, 0, &byte, 1));
        EXPECT_FALSE(vmmio_request_read(request, 0, &byte, 1));
        vmmio_request_complete(request, 1);
    }
    r.run();
    EXPECT_TRUE(r.memory.log.empty());
    EXPECT_TRUE(r.edges.empty());
    EXPECT_TRUE(ram == r.memory.bytes(ram_base, ram_size));
}

TEST_F(device_reset, late_completions_do_not_disturb_the_next_life)
{
    ROWS("A-RESET-INFLIGHT", "RST-02");
    function.hold();
    r.go_live();
    r.serve({r.writable(8)});
    const std::vector<vmmio_request *> old = function.held;
    function.held.clear();
    r.go_live();
    r.serve({r.writable(8)});
    ASSERT_EQ(old.size(), 1u);
    ASSERT_EQ(function.held.size(), 1u);
    vmmio_request_complete(old[0], 5);
    EXPECT_EQ(r.queue(0).used_idx(), 0u);
    EXPECT_EQ(r.guest.interrupts(), 0u);
    vmmio_request_complete(function.held[0], 7);
    const std::optional<used_entry> used = r.queue(0).reap();
    ASSERT_TRUE(used.has_value());
    EXPECT_EQ(used->length, 7u);
}

TEST_F(device_reset, a_function_may_complete_its_requests_in_reset)
{
    ROWS("A-RESET-INFLIGHT");
    function.hold();
    function.on_reset = [this] {
        for (vmmio_request *request : function.held)
            vmmio_request_complete(request, 0);
        function.held.clear();
    };
    for (int round = 0; round < 200; round++) { /* more than there are request structs */
        r.go_live();
        r.serve({r.writable(8)});
        ASSERT_EQ(function.held.size(), 1u) << round;
    }
    EXPECT_EQ(r.guest.interrupts(), 0u);
}

TEST_F(device_reset, does_no_access_after_status_reads_0)
{
    ROWS("RST-03");
    r.go_live();
    r.queue(0).offer(r.queue(0).add({r.writable(8)}));
    r.guest.kick(0);
    r.guest.reset();
    r.memory.log.clear();
    r.guest.kick(0);
    r.run();
    EXPECT_TRUE(r.memory.log.empty());
    EXPECT_EQ(r.queue(0).used_idx(), 0u);
}

TEST(held_reset, keeps_status_until_it_is_done)
{
    ROWS("RST-04", "A-RESET-DONE", "RST-02", "RST-03", "H-33");
    test_function function;
    function.config = {1, 2, 3, 4};
    function.use_config();
    rig_options options;
    options.hold_reset = true;
    rig r(function.function(), options);
    r.guest.set_status(0x03);
    r.guest.accept(feature_set({VMMIO_F_VERSION_1}));
    r.guest.set_status(0x0b);
    virtqueue q = r.make_queue(16);
    r.guest.enable_queue(0, q);
    r.guest.start();
    q.offer(q.add({r.writable(8)}));
    r.guest.kick(0);
    r.run();
    EXPECT_EQ(r.guest.interrupts(), 1u);

    r.guest.reset();
    EXPECT_TRUE(vmmio_device_reset_held(&r.device));
    EXPECT_EQ(r.guest.status(), 0x0fu) << "the old value, not 0";
    r.forget();
    for (const uint32_t value : {0u, 1u, 3u})
        r.guest.set_status(value);
    r.guest.kick(0);
    EXPECT_EQ(r.count(VMMIO_DIAG_WRITE_DURING_RESET), 4u);
    r.memory.log.clear();
    function.config[0] = 9;
    vmmio_device_config_changed(&r.device);
    vmmio_device_needs_reset(&r.device);
    r.run();
    EXPECT_EQ(r.guest.status(), 0x0fu);
    EXPECT_TRUE(r.memory.log.empty());
    EXPECT_EQ(r.guest.interrupts(), 1u) << "no new event";

    vmmio_device_complete_reset(&r.device);
    EXPECT_EQ(r.guest.status(), 0u);
    EXPECT_EQ(r.guest.interrupts(), 0u);
    EXPECT_FALSE(vmmio_device_reset_held(&r.device));
    vmmio_device_complete_reset(&r.device);
    EXPECT_EQ(r.guest.status(), 0u);
    r.guest.set_status(0x01);
    EXPECT_EQ(r.guest.status(), 0x01u) << "alive again";
}

} // namespace
} // namespace vmmio::tb
