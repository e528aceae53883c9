/* SPDX-License-Identifier: Apache-2.0 */
/* Ring indices, ring placement, and memory that fails. */
#include "victim.h"

namespace vmmio::tb
{
namespace
{

class rings : public victim
{
};

INSTANTIATE_TEST_SUITE_P(memory, rings, every_dma_mode(), dma_mode_name);

TEST_P(rings, H_18_the_index_jumps)
{
    ROWS("H-18", "SPLIT-24", "SPLIT-52", "A-RING-JUMP");
    for (const uint16_t jump : {17, 18, 0x7fff, 0x8000, 0xfff0, 0xffff}) {
        r->exchange({r->writable(8)});
        r->guest.acknowledge(1);
        const uint16_t used = q().used_idx();
        q().avail_idx = static_cast<uint16_t>(q().avail_idx + jump - 1);
        attack(0); /* counts once more */
        EXPECT_EQ(q().used_idx(), used) << "nothing stale is processed";
        expect_fatal(VMMIO_DIAG_RING_JUMP);
    }
}

TEST_P(rings, H_18_a_jump_of_exactly_the_queue_size_is_legal)
{
    ROWS("H-18", "SPLIT-52");
    const uint64_t out = r->alloc(8);
    r->memory.name(out, 8, may_write);
    for (uint32_t i = 0; i < queue_size; i++) {
        q().set_desc(i, out, 8, write_flag, 0);
        q().queue(static_cast<uint16_t>(i));
    }
    q().publish();
    r->guest.kick(0);
    r->run();
    EXPECT_EQ(q().used_idx(), queue_size);
    EXPECT_EQ(r->guest.status(), 0x0fu);
}

TEST_P(rings, H_19_rings_in_holes)
{
    ROWS("H-19", "A-QADDR-BAD");
    r->memory.judge(false);
    const uint64_t good = ram_base + 0x800000, hole = 0xdead0000;
    const uint64_t places[][3] = {{hole, good, good + 0x1000},
                                  {good, hole, good + 0x1000},
                                  {good, good + 0x1000, hole},
                                  {ram_base + ram_size - 16, good, good + 0x1000},
                                  {good, good + 0x1000, ram_base + ram_size - 8}};
    for (const auto &[desc, driver_area, device_area] : places) {
        ASSERT_TRUE(r->guest.negotiate(feature_set({VMMIO_F_VERSION_1})));
        virtqueue fake = r->make_queue(queue_size);
        r->memory.fill(good, 0x2000, 0);
        fake.desc = desc;
        fake.driver = driver_area;
        fake.device = device_area;
        r->guest.enable_queue(0, fake);
        EXPECT_EQ(r->read(VMMIO_REG_QUEUE_READY), 1u) << "nobody looks before the first use";
        r->forget();
        r->guest.start();
        if (driver_area != hole) { /* one buffer, in a descriptor that is there */
            r->memory.store16(driver_area + 2, 1);
            r->memory.store16(driver_area + 4, desc == ram_base + ram_size - 16 ? 1 : 0);
        }
        r->guest.kick(0);
        r->run();
        expect_fatal(VMMIO_DIAG_RING_DMA);
    }
}

TEST_P(rings, H_19_rings_in_the_register_page)
{
    ROWS("H-19", "H-35");
    r->memory.judge(false);
    r->memory.add_registers(
        registers_base, 0x200,
        [this](uint64_t offset, void *data, uint32_t length) {
            std::fill_n(static_cast<uint8_t *>(data), length, uint8_t{0});
            if (length <= 4)
                r->read(static_cast<uint32_t>(offset), length);
        },
        [this](uint64_t offset, const void *data, uint32_t length) {
            const uint8_t *bytes = static_cast<const uint8_t *>(data);
            if (length <= 4)
                r->write(static_cast<uint32_t>(offset), bytes[0], length);
        });
    for (uint64_t offset = 0; offset + 150 < 0x200; offset += 16) {
        ASSERT_TRUE(r->guest.negotiate(feature_set({VMMIO_F_VERSION_1, VMMIO_F_EVENT_IDX})));
        virtqueue fake = r->make_queue(queue_size);
        const uint64_t real_driver = fake.driver;
        fake.device = registers_base + offset;
        r->guest.enable_queue(0, fake);
        r->guest.start();
        fake.set_desc(0, r->alloc(8), 8, write_flag, 0);
        fake.offer(0);
        r->guest.kick(0);
        r->run();
        EXPECT_EQ(r->memory.load16(real_driver + 2), 1u);
        live();
        EXPECT_TRUE(r->exchange({r->writable(8)}).has_value()) << "offset " << offset;
    }
}

TEST_P(rings, H_24_the_driver_overwrites_what_the_device_wrote)
{
    ROWS("H-24");
    for (uint16_t i = 0; i < 100; i++) {
        const uint16_t head = q().add({r->writable(8)});
        r->memory.fill(q().device, q().device_bytes(), static_cast<uint8_t>(i * 37));
        q().offer(head);
        r->guest.kick(0);
        r->run();
        EXPECT_EQ(q().used_idx(), i + 1) << "it keeps its own count";
        const uint64_t slot = q().device + 4 + 8ull * (i % queue_size);
        EXPECT_EQ(r->memory.load32(slot), head);
        q().last_used = i;
        q().reap();
    }
    EXPECT_EQ(r->guest.status(), 0x0fu);
}

TEST_P(rings, H_60_every_single_transaction_may_fail)
{
    ROWS("H-60", "STAT-11", "STAT-12");
    for (uint64_t k = 0;; k++) {
        ASSERT_LT(k, 200u);
        live();
        const uint64_t first = r->memory.transactions;
        r->memory.fail_transaction(k);
        for (int i = 0; i < 3; i++)
            q().queue(q().add({r->readable(8), r->writable(8), r->writable(8)}));
        q().publish();
        r->guest.kick(0);
        r->run();
        if (r->memory.transactions - first <= k) { /* all of them worked */
            EXPECT_EQ(q().used_idx(), 3u);
            break;
        }
        EXPECT_EQ(r->guest.status(), 0x4fu) << k;
        EXPECT_EQ(r->memory.transactions - first, k + 1) << "the failed one was the last";
        EXPECT_EQ(r->guest.interrupts() & 2u, 2u) << k;
        EXPECT_EQ(r->diagnostics.size(), 1u);
    }
    r->memory.fail_none();
    live();
    EXPECT_TRUE(r->exchange({r->writable(8)}).has_value());
}

TEST_P(rings, H_38_a_driver_that_refills_for_ever_cannot_hold_the_device)
{
    ROWS("H-38");
    const uint64_t out = r->alloc(8);
    r->memory.name(out, 8, may_write);
    q().set_desc(0, out, 8, write_flag, 0);
    uint32_t requests = 0;
    function.on_request = [&](vmmio_request *request) {
        requests++;
        vmmio_request_complete(request, 0);
        q().offer(0);
        r->guest.kick(0);
    };
    q().offer(0);
    r->guest.kick(0);
    for (uint32_t budget = 1; budget < 300; budget += 50) {
        requests = 0;
        EXPECT_LE(vmmio_device_run(&r->device, budget), budget);
        EXPECT_LE(requests, budget);
        EXPECT_TRUE(vmmio_device_has_work(&r->device));
    }
    virtqueue &other = r->queue(1);
    other.offer(other.add({r->writable(8)}));
    r->guest.kick(1);
    vmmio_device_run(&r->device, 130);
    EXPECT_EQ(other.used_idx(), 1u) << "the other queue gets its turn";
}

TEST_P(rings, H_38_a_million_kicks_are_one)
{
    ROWS("H-38");
    for (int i = 0; i < 1000000; i++)
        vmmio_device_write(&r->device, VMMIO_REG_QUEUE_NOTIFY, 4, 0);
    const size_t before = r->memory.log.size();
    r->run();
    EXPECT_LE(r->memory.log.size() - before, 4u);
    EXPECT_TRUE(r->diagnostics.empty());
}

TEST_P(rings, H_64_a_ring_moves_between_two_runs)
{
    ROWS("H-64", "H-22");
    for (int i = 0; i < 20; i++) {
        r->exchange({r->writable(8)});
        r->write_queue(0, VMMIO_REG_QUEUE_READY, 0);
        r->memory.withdraw_all();
        r->memory.fill(q().desc, 0x200, 0xff); /* whoever still looks finds rubbish */
        r->queues[0] = std::make_unique<virtqueue>(r->make_queue(queue_size));
        r->guest.enable_queue(0, q());
    }
    EXPECT_TRUE(r->exchange({r->writable(8)}).has_value());
    EXPECT_EQ(r->guest.status(), 0x0fu);
}

} // namespace
} // namespace vmmio::tb
