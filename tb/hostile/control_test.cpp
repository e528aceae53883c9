/* SPDX-License-Identifier: Apache-2.0 */
/* Registers, reset at any point, re-entrancy. */
#include "victim.h"

#include <random>

namespace vmmio::tb
{
namespace
{

class control : public victim
{
protected:
    control()
    {
        r->memory.add_registers(
            registers_base, 0x200,
            [this](uint64_t offset, void *data, uint32_t length) {
                const uint32_t value = r->read(static_cast<uint32_t>(offset), length);
                for (uint32_t i = 0; i < length; i++)
                    static_cast<uint8_t *>(data)[i] = static_cast<uint8_t>(value >> 8 * i);
            },
            [this](uint64_t offset, const void *data, uint32_t length) {
                uint32_t value = 0;
                for (uint32_t i = 0; i < length && i < 4; i++)
                    value |= static_cast<uint32_t>(static_cast<const uint8_t *>(data)[i]) << 8 * i;
                r->write(static_cast<uint32_t>(offset), value, length);
                run_from_inside();
            });
    }
    /* A platform that serves kicks at once would call the device from inside its own access. */
    void run_from_inside()
    {
        EXPECT_EQ(vmmio_device_run(&r->device, 64), 0u);
        depth_seen = true;
    }
    /* Makes the device write 4 bytes of this value to one of its own registers. */
    void write_own_register(uint32_t offset, uint32_t value)
    {
        function.on_request = [value](vmmio_request *request) {
            const uint8_t bytes[4] = {static_cast<uint8_t>(value), static_cast<uint8_t>(value >> 8),
                                      static_cast<uint8_t>(value >> 16),
                                      static_cast<uint8_t>(value >> 24)};
            vmmio_request_write(request, 0, bytes, 4);
            vmmio_request_complete(request, 4);
        };
        r->memory.name(registers_base + offset, 4, may_write);
        q().set_desc(0, registers_base + offset, 4, write_flag, 0);
        attack(0);
    }

    bool depth_seen = false;
};

INSTANTIATE_TEST_SUITE_P(memory, control, every_dma_mode(), dma_mode_name);

TEST_P(control, H_35_a_buffer_over_queue_notify)
{
    ROWS("H-35", "A-SHM-11");
    write_own_register(VMMIO_REG_QUEUE_NOTIFY, 0);
    EXPECT_TRUE(depth_seen);
    expect_served(4);
    EXPECT_EQ(q().used_idx(), 1u) << "served once";
}

TEST_P(control, H_35_a_buffer_over_status_resets_the_device_in_the_end)
{
    ROWS("H-35", "H-34", "RST-03");
    write_own_register(VMMIO_REG_STATUS, 0);
    EXPECT_TRUE(depth_seen);
    EXPECT_EQ(r->guest.status(), 0u);
    EXPECT_EQ(q().used_idx(), 0u) << "no access after the reset";
    EXPECT_EQ(r->guest.interrupts(), 0u);
    live();
    function.on_request = [](vmmio_request *request) { vmmio_request_complete(request, 0); };
    EXPECT_TRUE(r->exchange({r->writable(8)}).has_value());
}

TEST_P(control, H_35_any_register_may_be_hit)
{
    ROWS("H-35");
    for (uint32_t offset = 0; offset < 0x200; offset += 4) {
        for (const uint32_t value : {0u, 1u, 0x80u, 0xffffffffu}) {
            live();
            write_own_register(offset, value);
            const uint32_t status = r->guest.status();
            EXPECT_TRUE(status == 0 || (status & 0xf) == 0xf) << offset;
        }
    }
    live();
    function.on_request = [](vmmio_request *request) { vmmio_request_complete(request, 0); };
    EXPECT_TRUE(r->exchange({r->writable(8)}).has_value());
}

TEST_P(control, H_35_an_interrupt_handler_inside_the_device)
{
    ROWS("H-35", "H-37");
    r->on_interrupt = [this](bool level) {
        if (!level)
            return;
        vmmio_device_write(&r->device, VMMIO_REG_INTERRUPT_ACK, 4, 3);
        vmmio_device_write(&r->device, VMMIO_REG_QUEUE_NOTIFY, 4, 0);
        vmmio_device_run(&r->device, 64);
    };
    for (int i = 0; i < 50; i++)
        EXPECT_TRUE(r->exchange({r->writable(8)}).has_value());
    EXPECT_FALSE(r->line);
    EXPECT_EQ(r->edges.size(), 100u) << "up and down each time";
}

TEST_P(control, H_34_reset_inside_every_single_transaction)
{
    ROWS("H-34", "H-33", "RST-02", "RST-03");
    for (uint64_t k = 0;; k++) {
        ASSERT_LT(k, 200u);
        live();
        const uint64_t first = r->memory.transactions;
        r->memory.on_transaction = [&](const dma_access &) {
            if (r->memory.transactions - first == k + 1) {
                r->guest.reset();
                EXPECT_NE(r->guest.status(), 0u) << "the access is still running";
            }
        };
        for (int i = 0; i < 3; i++)
            q().queue(q().add({r->readable(8), r->writable(8)}));
        q().publish();
        r->guest.kick(0);
        r->run();
        r->memory.on_transaction = nullptr;
        if (r->memory.transactions - first <= k)
            break;
        EXPECT_EQ(r->guest.status(), 0u) << k;
        EXPECT_EQ(r->memory.transactions - first, k + 1) << "it was the last one";
        EXPECT_EQ(r->guest.interrupts(), 0u);
        EXPECT_FALSE(r->line);
    }
    EXPECT_EQ(q().used_idx(), 3u);
}

TEST_P(control, H_34_reset_inside_the_function)
{
    ROWS("H-34", "A-RESET-INFLIGHT");
    function.on_request = [this](vmmio_request *request) {
        r->guest.reset();
        uint8_t byte = 1;
        EXPECT_FALSE(vmmio_request_write(request, 0, &byte, 1));
        vmmio_request_complete(request, 1);
    };
    attack(q().add({r->writable(8)}));
    EXPECT_EQ(r->guest.status(), 0u);
    EXPECT_EQ(q().used_idx(), 0u);
}

TEST_P(control, H_33_reset_after_every_single_write)
{
    ROWS("H-33", "RST-01");
    const std::vector<std::pair<uint32_t, uint32_t>> steps = [this] {
        std::vector<std::pair<uint32_t, uint32_t>> s = {{0x070, 1}, {0x070, 3}, {0x014, 1},
                                                        {0x024, 1}, {0x020, 1}, {0x070, 0xb}};
        const virtqueue v = r->make_queue(queue_size);
        const std::pair<uint32_t, uint64_t> parts[] = {
            {0x080, v.desc}, {0x090, v.driver}, {0x0a0, v.device}};
        s.push_back({0x030, 0});
        s.push_back({0x038, queue_size});
        for (const auto &[low, address] : parts) {
            s.push_back({low, static_cast<uint32_t>(address)});
            s.push_back({low + 4, static_cast<uint32_t>(address >> 32)});
        }
        s.push_back({0x044, 1});
        s.push_back({0x070, 0xf});
        s.push_back({0x050, 0});
        s.push_back({0x0ac, 3});
        s.push_back({0x064, 3});
        s.push_back({0x070, 0x8f});
        return s;
    }();
    for (size_t last = 1; last <= steps.size(); last++) {
        for (size_t i = 0; i < last; i++)
            r->write(steps[i].first, steps[i].second);
        r->run();
        r->guest.reset();
        ASSERT_EQ(r->guest.status(), 0u) << last;
        ASSERT_EQ(r->read_queue(0, VMMIO_REG_QUEUE_READY), 0u);
        ASSERT_EQ(r->guest.interrupts(), 0u);
    }
    live();
    EXPECT_TRUE(r->exchange({r->writable(8)}).has_value());
}

TEST_P(control, H_33_a_hundred_thousand_resets)
{
    ROWS("H-33", "H-65");
    for (int i = 0; i < 100000; i++) {
        vmmio_device_write(&r->device, VMMIO_REG_STATUS, 4, 1);
        vmmio_device_write(&r->device, VMMIO_REG_STATUS, 4, 0);
    }
    EXPECT_EQ(r->guest.status(), 0u);
    live();
    EXPECT_TRUE(r->exchange({r->writable(8)}).has_value());
}

TEST_P(control, H_32_status_in_any_order)
{
    ROWS("H-32", "STAT-07");
    for (uint32_t first = 0; first < 256; first++) {
        for (const uint32_t second : {0x01u, 0x02u, 0x04u, 0x08u, 0x0fu, 0x80u, 0xffu}) {
            r->guest.reset();
            r->guest.accept(feature_set({VMMIO_F_VERSION_1}));
            r->guest.set_status(first);
            const uint32_t middle = r->guest.status();
            r->guest.set_status(second);
            const uint32_t end = r->guest.status();
            ASSERT_EQ(middle & ~end, 0u) << "sticky";
            ASSERT_EQ(end & ~0x8fu, 0u) << "only bits that a driver can set";
            ASSERT_TRUE(!(end & 0x04) || (end & 0x0a) == 0x0a) << "not live too early";
            ASSERT_TRUE(!(end & 0x08) || end & 0x02);
        }
    }
    r->guest.reset();
    EXPECT_EQ(r->guest.status(), 0u);
}

TEST_P(control, H_37_the_line_follows_the_bits)
{
    ROWS("H-37", "MMIO-IRQ-01", "A-ACK");
    std::minstd_rand random(5);
    for (int i = 0; i < 2000; i++) {
        switch (random() % 4) {
        case 0:
            r->guest.acknowledge(static_cast<uint32_t>(random()));
            break;
        case 1:
            EXPECT_TRUE(r->exchange({r->writable(8)}).has_value());
            EXPECT_EQ(r->guest.interrupts() & 1u, 1u);
            break;
        case 2:
            r->guest.interrupts();
            break;
        default:
            vmmio_device_needs_reset(&r->device);
            EXPECT_TRUE(r->line);
            live();
        }
        ASSERT_EQ(r->line, r->guest.interrupts() != 0);
    }
}

TEST_P(control, H_39_kicks_in_the_wrong_place)
{
    ROWS("H-39", "A-QNOTIFY-EARLY");
    r->go_live(feature_set({VMMIO_F_VERSION_1, VMMIO_F_SUSPEND, VMMIO_F_RING_RESET}), 1,
               queue_size);
    r->guest.set_status(0x1f);
    ASSERT_EQ(r->guest.status(), 0x1bu);
    q().offer(q().add({r->writable(8)}));
    r->guest.kick(0);
    r->run();
    EXPECT_EQ(q().used_idx(), 0u) << "suspended";
    r->guest.set_status(0x0f);
    r->run();
    EXPECT_EQ(q().used_idx(), 1u);
    q().reap();
    r->write_queue(0, VMMIO_REG_QUEUE_RESET, 1);
    q().offer(q().add({r->writable(8)}));
    r->guest.kick(0);
    r->guest.kick(1);
    r->run();
    EXPECT_EQ(q().used_idx(), 1u) << "not ready, and never was";
    EXPECT_EQ(r->guest.status(), 0x0fu);
}

TEST_P(control, H_21_sizes_that_divide_by_nothing)
{
    ROWS("H-21", "A-QSIZE-BAD", "MMIO-DRV-10");
    r->write_queue(0, VMMIO_REG_QUEUE_READY, 0);
    for (const uint32_t size : {0u, 3u, 257u, 0x10000u, 0x10001u, 0xffffffffu}) {
        r->write(VMMIO_REG_QUEUE_SIZE, size);
        r->write(VMMIO_REG_QUEUE_READY, 1);
        EXPECT_EQ(r->read(VMMIO_REG_QUEUE_READY), 0u);
        const size_t before = r->memory.log.size();
        r->guest.kick(0);
        r->run();
        EXPECT_EQ(r->memory.log.size(), before);
    }
}

} // namespace
} // namespace vmmio::tb
