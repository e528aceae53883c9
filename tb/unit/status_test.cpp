/* SPDX-License-Identifier: Apache-2.0 */
/* The status machine (2.1, 3.1). */
#include "rig.h"

namespace vmmio::tb
{
namespace
{

constexpr uint32_t acknowledge = 0x01, driver_bit = 0x02, driver_ok = 0x04, features_ok = 0x08,
                   suspend = 0x10, reserved = 0x20, needs_reset = 0x40, failed = 0x80;

class status : public ::testing::Test
{
protected:
    /* Status after one write of value, from reset, with a valid feature set. */
    uint32_t after(uint32_t value)
    {
        r.guest.reset();
        r.guest.accept(feature_set({VMMIO_F_VERSION_1}));
        r.forget();
        r.guest.set_status(value);
        return r.guest.status();
    }

    test_function function;
    rig r{function.function()};
};

TEST_F(status, walks_through_initialisation)
{
    ROWS("STAT-01", "STAT-02", "MMIO-STATUS-01", "INIT-01");
    EXPECT_EQ(r.guest.status(), 0u) << "power-up";
    r.guest.set_status(acknowledge);
    EXPECT_EQ(r.guest.status(), 0x01u);
    r.guest.set_status(0x03);
    EXPECT_EQ(r.guest.status(), 0x03u);
    r.guest.accept(feature_set({VMMIO_F_VERSION_1}));
    r.guest.set_status(0x0b);
    EXPECT_EQ(r.guest.status(), 0x0bu);
    r.guest.set_status(0x0f);
    EXPECT_EQ(r.guest.status(), 0x0fu);
    vmmio_device_needs_reset(&r.device);
    EXPECT_EQ(r.guest.status(), 0x4fu);
    r.guest.set_status(0xcf);
    EXPECT_EQ(r.guest.status(), 0xcfu);
    r.guest.set_status(0);
    EXPECT_EQ(r.guest.status(), 0u);
    EXPECT_TRUE(r.diagnostics.empty()) << "this driver did everything right";
}

TEST_F(status, adds_bits_and_never_clears_single_ones)
{
    ROWS("STAT-06", "A-STATUS-SET", "STAT-05");
    r.go_live();
    r.forget();
    for (const uint32_t value : {0x01u, 0x04u, 0x0bu, 0x07u}) {
        r.guest.set_status(value);
        EXPECT_EQ(r.guest.status(), 0x0fu);
    }
    EXPECT_EQ(r.count(VMMIO_DIAG_STATUS_BIT_DROPPED), 4u);
    r.exchange({r.writable(8)});
    EXPECT_EQ(r.queue(0).used_idx(), 1u) << "and the device works on";
}

TEST_F(status, takes_several_bits_at_once_if_they_are_in_order)
{
    ROWS("A-STATUS-ORDER", "STAT-05", "INIT-01");
    EXPECT_EQ(after(acknowledge | driver_bit), 0x03u);
    EXPECT_EQ(after(acknowledge | driver_bit | features_ok), 0x0bu);
    EXPECT_EQ(after(acknowledge | driver_bit | features_ok | driver_ok), 0x0fu);
    EXPECT_TRUE(r.diagnostics.empty());
}

TEST_F(status, stores_the_legal_prefix_of_a_jump)
{
    ROWS("A-STATUS-ORDER", "STAT-05", "INIT-01", "H-32");
    EXPECT_EQ(after(driver_ok), 0u);
    EXPECT_EQ(r.count(VMMIO_DIAG_STATUS_ORDER), 1u);
    EXPECT_EQ(after(features_ok), 0u);
    EXPECT_EQ(r.count(VMMIO_DIAG_STATUS_ORDER), 1u);
    EXPECT_EQ(after(acknowledge | features_ok), 0x01u);
    EXPECT_EQ(after(acknowledge | driver_bit | driver_ok), 0x03u);
    EXPECT_EQ(r.count(VMMIO_DIAG_STATUS_ORDER), 1u);
    EXPECT_FALSE(vmmio_block_live(&r.device.block));
}

TEST_F(status, does_not_insist_on_acknowledge)
{
    ROWS("A-STATUS-ORDER", "STAT-05");
    EXPECT_EQ(after(driver_bit), 0x02u);
    EXPECT_EQ(r.count(VMMIO_DIAG_STATUS_NO_ACKNOWLEDGE), 1u);
    r.guest.set_status(driver_bit | features_ok);
    r.guest.set_status(driver_bit | features_ok | driver_ok);
    EXPECT_EQ(r.guest.status(), 0x0eu);
    EXPECT_TRUE(vmmio_block_live(&r.device.block));
}

TEST_F(status, stores_neither_reserved_nor_upper_nor_its_own_bits)
{
    ROWS("STAT-04", "A-STATUS-RD");
    EXPECT_EQ(after(acknowledge | reserved), 0x01u);
    EXPECT_EQ(r.count(VMMIO_DIAG_STATUS_RESERVED), 1u);
    EXPECT_EQ(after(acknowledge | needs_reset), 0x01u);
    EXPECT_EQ(r.count(VMMIO_DIAG_STATUS_RESERVED), 1u);
    r.guest.set_status(0x100);
    EXPECT_EQ(r.guest.status(), 0x01u) << "only a 32-bit 0 is a reset";
    r.guest.set_status(0xffffff03);
    EXPECT_EQ(r.guest.status(), 0x03u);
}

TEST_F(status, suspend_needs_its_feature)
{
    ROWS("STAT-03", "SUSP-01", "A-STATUS-RD");
    r.go_live();
    r.forget();
    r.guest.set_status(0x0f | suspend);
    EXPECT_EQ(r.guest.status(), 0x0fu);
    EXPECT_EQ(r.count(VMMIO_DIAG_SUSPEND_REFUSED), 1u);
    EXPECT_TRUE(r.exchange({r.writable(8)}).has_value()) << "the device runs on";
}

TEST_F(status, failed_leaves_only_the_way_of_reset)
{
    ROWS("STAT-07", "H-32");
    r.go_live();
    r.guest.add_status(failed);
    EXPECT_EQ(r.guest.status(), 0x8fu);
    r.forget();
    for (const uint32_t value : {0x01u, 0x03u, 0x0bu, 0x0fu, 0x8fu}) {
        r.guest.set_status(value);
        EXPECT_EQ(r.guest.status(), 0x8fu);
    }
    EXPECT_EQ(r.count(VMMIO_DIAG_STATUS_AFTER_FAILED), 5u);
    r.memory.log.clear();
    r.serve({r.writable(8)});
    EXPECT_TRUE(r.memory.log.empty()) << "no queue is served";
    r.go_live();
    EXPECT_TRUE(r.exchange({r.writable(8)}).has_value());
}

TEST_F(status, failed_during_initialisation_starts_no_queue)
{
    ROWS("STAT-07");
    EXPECT_EQ(after(acknowledge | driver_bit | features_ok | driver_ok | failed), 0x80u);
    EXPECT_FALSE(vmmio_block_live(&r.device.block));
}

TEST_F(status, needs_reset_keeps_the_other_bits_and_tells_a_live_driver)
{
    ROWS("STAT-08", "STAT-11", "STAT-12", "OPER-02", "A-NEEDS-RESET", "A-IRQ-BOTH");
    function.hold();
    r.go_live();
    r.serve({r.writable(8)});
    vmmio_device_needs_reset(&r.device);
    EXPECT_EQ(r.guest.status(), 0x4fu);
    EXPECT_EQ(r.guest.interrupts(), 2u) << "configuration change, and nothing else";
    EXPECT_TRUE(r.line);
    ASSERT_EQ(function.held.size(), 1u);
    vmmio_request_complete(function.held[0], 0);
    r.run();
    EXPECT_FALSE(r.queue(0).reap().has_value()) << "outstanding requests are gone";
    r.guest.set_status(0x0f);
    EXPECT_EQ(r.guest.status(), 0x4fu) << "only reset takes it away";
    r.guest.acknowledge(2);
    vmmio_device_needs_reset(&r.device);
    EXPECT_EQ(r.guest.interrupts(), 0u) << "it was set already";
    r.guest.reset();
    EXPECT_EQ(r.guest.status(), 0u);
}

TEST_F(status, needs_reset_before_driver_ok_is_silent)
{
    ROWS("STAT-12");
    after(0x0b);
    vmmio_device_needs_reset(&r.device);
    EXPECT_EQ(r.guest.status(), 0x4bu);
    EXPECT_EQ(r.guest.interrupts(), 0u);
    EXPECT_FALSE(r.line);
    r.guest.set_status(0x4f);
    EXPECT_EQ(r.guest.status(), 0x4fu);
    EXPECT_FALSE(vmmio_block_live(&r.device.block));
}

TEST_F(status, nothing_happens_before_driver_ok)
{
    ROWS("STAT-09", "STAT-10", "INIT-06", "A-QNOTIFY-EARLY", "H-39");
    ASSERT_TRUE(r.guest.negotiate(feature_set({VMMIO_F_VERSION_1})));
    virtqueue q = r.make_queue(16);
    r.guest.enable_queue(0, q);
    q.offer(q.add({r.writable(8)}));
    r.forget();
    r.guest.kick(0);
    r.run();
    EXPECT_EQ(r.count(VMMIO_DIAG_NOTIFY_EARLY), 1u);
    EXPECT_TRUE(r.memory.log.empty()) << "not even looked at";
    EXPECT_EQ(q.used_idx(), 0u);
    EXPECT_EQ(r.guest.interrupts(), 0u);
    EXPECT_TRUE(r.edges.empty());

    r.guest.start();
    r.run();
    EXPECT_EQ(q.used_idx(), 1u) << "found without another kick";
    EXPECT_EQ(r.guest.interrupts(), 1u);
}

TEST_F(status, driver_ok_twice_is_one)
{
    ROWS("H-32");
    r.go_live();
    r.serve({r.writable(8)});
    r.guest.set_status(0x0f);
    r.run();
    EXPECT_EQ(r.guest.status(), 0x0fu);
    EXPECT_EQ(r.queue(0).used_idx(), 1u);
}

} // namespace
} // namespace vmmio::tb
