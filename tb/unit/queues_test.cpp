/* SPDX-License-Identifier: Apache-2.0 */
/* The queue registers: selection, size, addresses, QueueReady, QueueNotify, QueueReset. */
#include "rig.h"

namespace vmmio::tb
{
namespace
{

constexpr uint32_t ready = VMMIO_REG_QUEUE_READY;

class queues : public ::testing::Test
{
protected:
    /* Up to FEATURES_OK. */
    void negotiate(std::initializer_list<unsigned> bits = {VMMIO_F_VERSION_1})
    {
        ASSERT_TRUE(r.guest.negotiate(feature_set(bits)));
        r.forget();
    }
    /* Programs queue 0 and asks for it; true if it was accepted. */
    bool enable(uint32_t size, uint64_t desc, uint64_t driver_area, uint64_t device_area)
    {
        r.write_queue(0, VMMIO_REG_QUEUE_SIZE, size);
        set_address(VMMIO_REG_QUEUE_DESC_LOW, desc);
        set_address(VMMIO_REG_QUEUE_DRIVER_LOW, driver_area);
        set_address(VMMIO_REG_QUEUE_DEVICE_LOW, device_area);
        r.write(ready, 1);
        const bool accepted = r.read(ready) == 1;
        r.write(ready, 0);
        return accepted;
    }
    bool enable(uint32_t size)
    {
        return enable(size, ram_base, ram_base + 0x10000, ram_base + 0x20000);
    }
    void set_address(uint32_t low, uint64_t value)
    {
        r.write(low, static_cast<uint32_t>(value));
        r.write(low + 4, static_cast<uint32_t>(value >> 32));
    }
    uint64_t address(uint32_t low)
    {
        return vmmio_block_peek(&r.device.block, low) |
               static_cast<uint64_t>(vmmio_block_peek(&r.device.block, low + 4)) << 32;
    }

    test_function function;
    rig r{function.function()};
};

TEST_F(queues, absent_ones_read_0_and_ignore_writes)
{
    ROWS("MMIO-QSEL-02", "VQ-01", "A-QSEL-OOR", "MMIO-QSZMAX-01", "H-20");
    for (const uint32_t sel : {2u, 3u, 1023u, 65535u, 65536u, 65537u, 1u << 31, 0xffffffffu}) {
        EXPECT_EQ(r.read_queue(sel, VMMIO_REG_QUEUE_SIZE_MAX), 0u) << sel;
        r.forget();
        for (const uint32_t offset :
             {0x038u, 0x044u, 0x080u, 0x084u, 0x090u, 0x094u, 0x0a0u, 0x0a4u, 0x0c0u}) {
            r.write(offset, 1);
            EXPECT_EQ(r.read(offset), 0u) << sel;
        }
        EXPECT_EQ(r.count(VMMIO_DIAG_QUEUE_ABSENT), 9u);
    }
    for (uint32_t i = 0; i < 2; i++) {
        EXPECT_EQ(r.read_queue(i, VMMIO_REG_QUEUE_SIZE_MAX), 256u);
        EXPECT_EQ(vmmio_block_peek(&r.device.block, VMMIO_REG_QUEUE_SIZE), 0u) << "no alias";
        EXPECT_EQ(r.read(ready), 0u);
    }
}

TEST_F(queues, selection_keeps_them_apart)
{
    ROWS("MMIO-QSEL-01", "MMIO-QREADY-01");
    negotiate();
    const uint32_t settings[] = {0x038, 0x080, 0x084, 0x090, 0x094, 0x0a0, 0x0a4};
    for (const uint32_t offset : settings)
        for (uint32_t q = 0; q < 2; q++)
            r.write_queue(q, offset, 0x100 * (q + 1) + offset);
    for (const uint32_t offset : settings) {
        for (uint32_t q = 0; q < 2; q++) {
            r.write(VMMIO_REG_QUEUE_SEL, q);
            EXPECT_EQ(vmmio_block_peek(&r.device.block, offset), 0x100 * (q + 1) + offset);
        }
    }
    virtqueue q1 = r.make_queue(16);
    r.guest.enable_queue(1, q1);
    EXPECT_EQ(r.read_queue(0, ready), 0u);
    EXPECT_EQ(r.read_queue(1, ready), 1u);
}

TEST_F(queues, address_halves_come_in_any_order)
{
    ROWS("MMIO-QADDR-01", "MMIO-QADDR-02", "MMIO-INIT-02", "H-63");
    for (const uint32_t low : {0x080u, 0x090u, 0x0a0u}) {
        r.write(low + 4, 0x87654321);
        EXPECT_EQ(address(low), 0x8765432100000000u);
        r.write(low, 0xfedcba90);
        EXPECT_EQ(address(low), 0x87654321fedcba90u);
        r.write(low + 4, 0);
        EXPECT_EQ(address(low), 0xfedcba90u);
    }
}

TEST_F(queues, high_addresses_reach_the_bus_whole)
{
    ROWS("MMIO-QADDR-02");
    const uint64_t high = 0x8123456700000000;
    r.memory.add_ram(high, 1 << 20);
    negotiate();
    virtqueue q(r.memory, high + 0x1000, 16);
    r.guest.enable_queue(0, q);
    r.guest.start();
    q.offer(q.add({{high + 0x8000, 64, true}}));
    r.guest.kick(0);
    r.run();
    EXPECT_EQ(q.used_idx(), 1u);
}

TEST_F(queues, size_must_be_a_power_of_2_up_to_the_maximum)
{
    ROWS("MMIO-DRV-10", "A-QSIZE-BAD", "SPLIT-03", "H-21");
    negotiate();
    for (const uint32_t size : {0u, 3u, 6u, 255u, 257u, 512u, 65535u, 0x10000u, 0x10001u, 0x10100u,
                                1u << 31, 0xffffffffu}) {
        r.forget();
        EXPECT_FALSE(enable(size)) << size;
        EXPECT_EQ(r.count(VMMIO_DIAG_QUEUE_SIZE_BAD), 1u) << size;
    }
    for (uint32_t size = 1; size <= 256; size *= 2)
        EXPECT_TRUE(enable(size)) << size;
    EXPECT_EQ(r.read(VMMIO_REG_QUEUE_SIZE_MAX), 256u) << "the maximum never changes";
}

TEST_F(queues, parts_must_be_aligned)
{
    ROWS("SPLIT-02", "A-QADDR-BAD", "H-19", "H-21");
    negotiate();
    const uint64_t a = ram_base, b = ram_base + 0x10000, c = ram_base + 0x20000;
    EXPECT_TRUE(enable(16, a, b + 2, c + 4));
    for (const uint64_t off : {1, 2, 4, 8, 15})
        EXPECT_FALSE(enable(16, a + off, b, c)) << off;
    EXPECT_FALSE(enable(16, a, b + 1, c));
    for (const uint64_t off : {1, 2, 3})
        EXPECT_FALSE(enable(16, a, b, c + off)) << off;
    EXPECT_EQ(r.count(VMMIO_DIAG_QUEUE_ADDRESS_BAD), 9u);
}

TEST_F(queues, parts_must_neither_wrap_nor_overlap)
{
    ROWS("A-QADDR-BAD", "H-19");
    negotiate();
    const uint64_t a = ram_base, b = ram_base + 0x10000, c = ram_base + 0x20000;
    EXPECT_FALSE(enable(16, 0xfffffffffffffff0, b, c));
    EXPECT_FALSE(enable(16, a, 0xfffffffffffffffe, c));
    EXPECT_FALSE(enable(16, a, b, 0xfffffffffffffffc));
    EXPECT_FALSE(enable(16, a, b, a)) << "used ring on the table";
    EXPECT_FALSE(enable(16, a, b, b + 36)) << "used ring on the last field of the available one";
    EXPECT_FALSE(enable(16, a, a + 254, c)) << "available ring on the table";
    EXPECT_TRUE(enable(16, a, a + 256, a + 296)) << "side by side";
    EXPECT_TRUE(enable(1, 0xfffffffffffffff0, b, c)) << "ends exactly at 2^64";
}

TEST_F(queues, takes_0_and_1_in_ready)
{
    ROWS("A-QREADY-VALUE", "MMIO-QREADY-01", "A-QREADY-RB");
    negotiate();
    virtqueue q = r.make_queue(16);
    r.guest.set_queue(0, q);
    for (const uint32_t value : {2u, 3u, 0x100u, 0x80000000u, 0xffffffffu}) {
        r.write(ready, value);
        EXPECT_EQ(r.read(ready), 0u);
    }
    r.write(ready, 1);
    EXPECT_EQ(r.read(ready), 1u);
    for (const uint32_t value : {2u, 3u, 0x100u, 0xfffffffeu}) {
        r.write(ready, value);
        EXPECT_EQ(r.read(ready), 1u);
    }
    EXPECT_EQ(r.count(VMMIO_DIAG_QUEUE_READY_VALUE), 9u);
    r.guest.start();
    EXPECT_EQ(r.read(ready), 1u) << "an active queue still reads 1";
    r.write(ready, 0);
    EXPECT_EQ(r.read(ready), 0u);
}

TEST_F(queues, ready_before_features_ok_is_flagged)
{
    ROWS("INIT-01");
    virtqueue q = r.make_queue(16);
    r.guest.enable_queue(0, q);
    EXPECT_EQ(r.count(VMMIO_DIAG_QUEUE_READY_EARLY), 1u);
    EXPECT_EQ(r.read(ready), 1u);
}

TEST_F(queues, settings_are_locked_while_ready)
{
    ROWS("MMIO-DRV-11", "A-QCFG-READY", "H-22");
    r.go_live();
    r.forget();
    r.write(VMMIO_REG_QUEUE_SEL, 0);
    for (const uint32_t offset : {0x038u, 0x080u, 0x084u, 0x090u, 0x094u, 0x0a0u, 0x0a4u}) {
        const uint32_t before = vmmio_block_peek(&r.device.block, offset);
        r.write(offset, before + 0x40);
        EXPECT_EQ(vmmio_block_peek(&r.device.block, offset), before);
    }
    EXPECT_EQ(r.count(VMMIO_DIAG_QUEUE_LOCKED), 7u);
    EXPECT_TRUE(r.exchange({r.writable(8)}).has_value()) << "on the old ring";
}

TEST_F(queues, ready_0_stops_the_queue)
{
    ROWS("MMIO-QREADY-02", "A-QREADY-0", "MMIO-DRV-12", "H-39");
    r.go_live(2);
    r.queue(0).offer(r.queue(0).add({r.writable(8)}));
    r.guest.kick(0);
    r.write_queue(0, ready, 0);
    EXPECT_EQ(r.read(ready), 0u);
    r.memory.log.clear();
    r.guest.kick(0);
    r.run();
    EXPECT_TRUE(r.memory.log.empty());
    EXPECT_EQ(r.queue(0).used_idx(), 0u);
    EXPECT_EQ(r.guest.interrupts(), 0u);
    r.queue(1).offer(r.queue(1).add({r.writable(8)}));
    r.guest.kick(1);
    r.run();
    EXPECT_EQ(r.queue(1).used_idx(), 1u) << "the other queue goes on";
}

TEST_F(queues, ready_0_reads_back_after_the_last_access_only)
{
    ROWS("MMIO-DRV-12", "H-64");
    rig_options options;
    options.mode = dma_mode::transaction;
    rig s(function.function(), options);
    s.go_live();
    s.memory.on_transaction = [&](const dma_access &) {
        s.memory.on_transaction = nullptr;
        s.write_queue(0, ready, 0);
        EXPECT_EQ(s.read(ready), 1u) << "an access is on its way";
        s.write(ready, 1);
        EXPECT_EQ(s.read(ready), 1u);
    };
    s.memory.log.clear();
    s.serve({s.writable(8)});
    EXPECT_EQ(s.read(ready), 0u);
    EXPECT_EQ(s.memory.log.size(), 1u) << "it was the last one";
}

TEST_F(queues, a_late_completion_holds_ready_until_its_last_access)
{
    ROWS("MMIO-DRV-12", "RST-03");
    rig_options options;
    options.mode = dma_mode::transaction;
    rig s(function.function(), options);
    function.hold();
    s.go_live();
    s.serve({s.writable(8)});
    ASSERT_EQ(function.held.size(), 1u);
    s.memory.log.clear();
    s.memory.on_transaction = [&](const dma_access &) {
        s.memory.on_transaction = nullptr;
        s.write_queue(0, ready, 0);
        EXPECT_EQ(s.read(ready), 1u);
    };
    vmmio_request_complete(function.held[0], 0);
    EXPECT_EQ(s.read(ready), 0u);
    EXPECT_EQ(s.memory.log.size(), 1u);
}

TEST_F(queues, a_late_completion_holds_device_reset_until_its_last_access)
{
    ROWS("RST-03", "RST-04", "H-34");
    rig_options options;
    options.mode = dma_mode::transaction;
    rig s(function.function(), options);
    function.hold();
    s.go_live();
    s.serve({s.writable(8)});
    ASSERT_EQ(function.held.size(), 1u);
    s.memory.log.clear();
    s.memory.on_transaction = [&](const dma_access &) {
        s.memory.on_transaction = nullptr;
        s.guest.reset();
        EXPECT_EQ(s.guest.status(), 0x0fu);
    };
    vmmio_request_complete(function.held[0], 0);
    EXPECT_EQ(s.guest.status(), 0u);
    EXPECT_EQ(s.memory.log.size(), 1u);
    EXPECT_TRUE(s.edges.empty());
}

TEST_F(queues, may_be_enabled_late_and_are_looked_at_then)
{
    ROWS("A-QREADY-LATE", "A-QNOTIFY-EARLY");
    r.go_live();
    virtqueue q = r.make_queue(16);
    q.offer(q.add({r.writable(8)}));
    r.guest.enable_queue(1, q);
    r.run();
    EXPECT_EQ(q.used_idx(), 1u) << "without a kick";
}

TEST_F(queues, notify_serves_the_named_queue)
{
    ROWS("MMIO-QNOTIFY-01", "DNOT-01", "NOTF-01");
    r.go_live(2);
    r.queue(0).offer(r.queue(0).add({r.writable(8)}));
    r.queue(1).offer(r.queue(1).add({r.writable(8)}));
    r.guest.kick(1);
    r.run();
    EXPECT_EQ(r.queue(0).used_idx(), 0u);
    EXPECT_EQ(r.queue(1).used_idx(), 1u);
}

TEST_F(queues, notify_compares_all_32_bits)
{
    ROWS("A-QNOTIFY-OOR", "MMIO-NOTIFY-01", "H-20");
    r.go_live(2);
    r.queue(0).offer(r.queue(0).add({r.writable(8)}));
    r.forget();
    r.memory.log.clear();
    const uint32_t nobody[] = {2, 1023, 65535, 65536, 0x80000000, 0xffff0000, 0xffffffff};
    for (const uint32_t value : nobody)
        r.guest.kick(value);
    r.run();
    EXPECT_EQ(r.count(VMMIO_DIAG_NOTIFY_ABSENT), std::size(nobody));
    EXPECT_TRUE(r.memory.log.empty());
    EXPECT_EQ(r.queue(0).used_idx(), 0u);
}

TEST_F(queues, notify_with_data_names_the_queue_in_its_low_half)
{
    ROWS("MMIO-QNOTIFY-02", "DNOT-03", "DNOT-05", "A-NDATA");
    r.go_live(feature_set({VMMIO_F_VERSION_1, VMMIO_F_NOTIFICATION_DATA}), 2);
    virtqueue &q = r.queue(1);
    for (const uint32_t hint : {0x00010000u, 0x7fff0000u, 0xffff0000u, 0u}) {
        const uint16_t before = q.used_idx();
        q.offer(q.add({r.writable(8)}));
        r.guest.kick(hint | 1);
        r.guest.kick(hint | 1);
        r.run();
        EXPECT_EQ(q.used_idx(), static_cast<uint16_t>(before + 1))
            << "the ring counts, not the hint";
        q.reap();
    }
    EXPECT_EQ(r.queue(0).used_idx(), 0u);
    EXPECT_EQ(r.guest.status(), 0x0fu);
}

class queue_reset : public queues
{
protected:
    queue_reset() { r.go_live(feature_set({VMMIO_F_VERSION_1, VMMIO_F_RING_RESET}), 2); }
    uint32_t reset_bit() { return r.read(VMMIO_REG_QUEUE_RESET); }
};

TEST_F(queue_reset, reads_0_after_device_reset_and_after_enable)
{
    ROWS("MMIO-QRESET-02", "MMIO-QRESET-03");
    for (uint32_t i = 0; i < 2; i++)
        EXPECT_EQ(r.read_queue(i, VMMIO_REG_QUEUE_RESET), 0u);
    r.guest.reset();
    for (uint32_t i = 0; i < 2; i++)
        EXPECT_EQ(r.read_queue(i, VMMIO_REG_QUEUE_RESET), 0u);
}

TEST_F(queue_reset, ends_with_both_registers_0)
{
    ROWS("MMIO-QRESET-01", "MMIO-QRESET-05", "MMIO-DRV-15", "VQ-06", "A-QRESET-5");
    r.write_queue(0, VMMIO_REG_QUEUE_RESET, 1);
    EXPECT_EQ(reset_bit(), 0u);
    EXPECT_EQ(r.read(ready), 0u) << "without selecting again";
    for (const uint32_t offset : {0x038u, 0x080u, 0x084u, 0x090u, 0x094u, 0x0a0u, 0x0a4u})
        EXPECT_EQ(vmmio_block_peek(&r.device.block, offset), 0u);
    EXPECT_EQ(r.read(VMMIO_REG_QUEUE_SIZE_MAX), 256u);
    EXPECT_EQ(r.read_queue(1, ready), 1u) << "the other one is not concerned";
    r.write_queue(0, ready, 1);
    EXPECT_EQ(r.read(ready), 0u) << "it has to be programmed again";
}

TEST_F(queue_reset, nothing_of_the_old_queue_is_touched)
{
    ROWS("VQ-04", "VQ-05", "VQ-08", "H-39");
    function.hold();
    r.serve({r.writable(8)}); /* in flight */
    r.queue(0).offer(r.queue(0).add({r.writable(8)}));
    r.guest.kick(0);
    r.write_queue(0, VMMIO_REG_QUEUE_RESET, 1);
    ASSERT_EQ(function.held.size(), 1u);
    const std::vector<uint8_t> ram = r.memory.bytes(ram_base, ram_size);
    r.memory.log.clear();
    EXPECT_FALSE(vmmio_request_write(function.held[0], 0, "x", 1));
    vmmio_request_complete(function.held[0], 1);
    r.guest.kick(0);
    r.run();
    EXPECT_TRUE(r.memory.log.empty());
    EXPECT_TRUE(ram == r.memory.bytes(ram_base, ram_size));
    EXPECT_EQ(r.guest.interrupts(), 0u);
}

TEST_F(queue_reset, a_new_queue_starts_at_0_where_the_driver_says)
{
    ROWS("VQ-06", "VQ-09", "MMIO-DRV-16");
    for (int i = 0; i < 5; i++)
        r.exchange({r.writable(8)});
    r.write_queue(0, VMMIO_REG_QUEUE_RESET, 1);
    r.memory.withdraw_all();
    r.memory.fill(r.queue(0).desc, 0x300, 0xee);
    virtqueue q = r.make_queue(4);
    r.guest.enable_queue(0, q);
    EXPECT_EQ(r.read(ready), 1u);
    for (int i = 0; i < 9; i++) {
        q.offer(q.add({r.writable(8)}));
        r.guest.kick(0);
        r.run();
        EXPECT_TRUE(q.reap().has_value());
    }
    EXPECT_EQ(q.used_idx(), 9u);
    EXPECT_EQ(r.memory.bytes(r.queue(0).desc, 0x300), std::vector<uint8_t>(0x300, 0xee));
}

TEST_F(queue_reset, reads_1_while_it_runs)
{
    ROWS("MMIO-QRESET-04", "MMIO-DRV-15", "A-QRESET-4", "H-64");
    rig_options options;
    options.mode = dma_mode::transaction;
    rig s(function.function(), options);
    s.go_live(feature_set({VMMIO_F_VERSION_1, VMMIO_F_RING_RESET}));
    s.memory.on_transaction = [&](const dma_access &) {
        s.memory.on_transaction = nullptr;
        s.write_queue(0, VMMIO_REG_QUEUE_RESET, 1);
        EXPECT_EQ(s.read(VMMIO_REG_QUEUE_RESET), 1u);
        EXPECT_EQ(s.read(ready), 1u);
        s.write(ready, 1);
        s.write(VMMIO_REG_QUEUE_SIZE, 4);
        EXPECT_EQ(s.count(VMMIO_DIAG_QUEUE_LOCKED), 2u);
    };
    s.serve({s.writable(8)});
    EXPECT_EQ(s.read(VMMIO_REG_QUEUE_RESET), 0u);
    EXPECT_EQ(s.read(ready), 0u);
    EXPECT_EQ(s.queue(0).used_idx(), 0u);
}

TEST_F(queue_reset, odd_uses_are_ignored)
{
    ROWS("A-QRESET-1", "A-QRESET-2", "A-QRESET-3", "MMIO-QRESET-01");
    for (const uint32_t value : {0u, 2u, 3u, 0xffffffffu}) {
        r.write_queue(0, VMMIO_REG_QUEUE_RESET, value);
        EXPECT_EQ(reset_bit(), 0u);
        EXPECT_EQ(r.read(ready), 1u);
    }
    EXPECT_EQ(r.count(VMMIO_DIAG_QUEUE_RESET_REFUSED), 4u);
    r.write(VMMIO_REG_QUEUE_RESET, 1);
    r.write(VMMIO_REG_QUEUE_RESET, 1); /* of a queue that is not ready */
    EXPECT_EQ(reset_bit(), 0u);
    EXPECT_EQ(r.read(ready), 0u);

    r.go_live();
    r.forget();
    r.write_queue(0, VMMIO_REG_QUEUE_RESET, 1);
    EXPECT_EQ(reset_bit(), 0u);
    EXPECT_EQ(r.read(ready), 1u) << "not negotiated";
    EXPECT_EQ(r.count(VMMIO_DIAG_QUEUE_RESET_REFUSED), 1u);
}

TEST_F(queue_reset, leaves_the_interrupt_pending)
{
    ROWS("A-QRESET-6");
    r.serve({r.writable(8)});
    r.write_queue(0, VMMIO_REG_QUEUE_RESET, 1);
    EXPECT_EQ(r.guest.interrupts(), 1u);
}

/* Queues that come with a feature: here the second one comes with bit 0. */
class optional_queues : public ::testing::Test
{
protected:
    optional_queues()
    {
        vmmio_features_add(&function.function().features, 0);
        function.on_usable_queues = [](const vmmio_features &negotiated) {
            return vmmio_features_has(&negotiated, 0) ? 2u : 1u;
        };
        r = std::make_unique<rig>(function.function());
        second = std::make_unique<virtqueue>(r->make_queue(16));
    }

    test_function function;
    std::unique_ptr<rig> r;
    std::unique_ptr<virtqueue> second;
};

TEST_F(optional_queues, come_with_their_feature)
{
    ROWS("FEAT-10");
    r->go_live(feature_set({VMMIO_F_VERSION_1, 0}), 2);
    EXPECT_EQ(r->read_queue(1, ready), 1u);
    r->go_live(feature_set({VMMIO_F_VERSION_1}), 1);
    r->guest.enable_queue(1, *second);
    EXPECT_EQ(r->read(ready), 0u);
    EXPECT_EQ(r->read_queue(0, ready), 1u);
}

TEST_F(optional_queues, are_never_served_when_enabled_too_early)
{
    ROWS("FEAT-10");
    for (const bool with : {false, true}) {
        r->guest.reset();
        r->guest.set_status(VMMIO_STATUS_ACKNOWLEDGE | VMMIO_STATUS_DRIVER);
        second = std::make_unique<virtqueue>(r->make_queue(16));
        r->guest.enable_queue(1, *second);
        ASSERT_EQ(r->read(ready), 1u);
        r->guest.accept(with ? feature_set({VMMIO_F_VERSION_1, 0})
                             : feature_set({VMMIO_F_VERSION_1}));
        r->guest.add_status(VMMIO_STATUS_FEATURES_OK);
        second->offer(second->add({r->writable(4)}));
        r->guest.start();
        r->run();
        r->guest.kick(1);
        r->run();
        EXPECT_EQ(second->used_idx(), with ? 1u : 0u);
        EXPECT_EQ(r->read_queue(1, ready), 1u);
        r->write(ready, 0);
        EXPECT_EQ(r->read(ready), 0u);
    }
}

} // namespace
} // namespace vmmio::tb
