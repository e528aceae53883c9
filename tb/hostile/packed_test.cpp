/* SPDX-License-Identifier: Apache-2.0 */
/* What a driver can do wrong with a packed ring. */
#include "victim.h"

namespace vmmio::tb
{
namespace
{

constexpr unsigned avail_flag = 1 << 7, used_flag = 1 << 15;
constexpr unsigned lap_0 = avail_flag, lap_1 = used_flag; /* available in even and odd laps */

class packed_victim : public victim
{
protected:
    packed_victim() { live_packed(); }

    void live_packed(bool indirect = true, uint32_t size = queue_size)
    {
        vmmio_features features = feature_set({VMMIO_F_VERSION_1, VMMIO_F_RING_PACKED});
        if (indirect)
            vmmio_features_add(&features, VMMIO_F_INDIRECT_DESC);
        r->go_live(features, 2, size);
        r->forget();
        r->edges.clear();
        buffer = r->alloc(64);
        r->memory.name(buffer, 64, may_read | may_write);
    }
    packed_queue &p() { return r->packed(0); }
    /* A descriptor of the buffer. */
    void put(uint32_t slot, unsigned flags) { p().set_desc(slot, buffer, 8, slot, flags); }
    uint64_t table_of(const std::vector<piece> &entries)
    {
        const uint64_t table = r->alloc(16 * entries.size());
        r->memory.name(table, 16 * entries.size(), may_read);
        for (size_t i = 0; i < entries.size(); i++) {
            r->memory.store64(table + 16 * i, entries[i].address);
            r->memory.store32(table + 16 * i + 8, entries[i].length);
            r->memory.store16(table + 16 * i + 14, entries[i].writable ? write_flag : 0);
        }
        return table;
    }
    void expect_fatal_and_more(vmmio_diag_id id)
    {
        expect_fatal(id); /* and a split ring after it */
        live_packed();
        EXPECT_TRUE(r->exchange_packed({r->writable(8)}).has_value());
        live_packed();
    }

    uint64_t buffer = 0;
};

INSTANTIATE_TEST_SUITE_P(memory, packed_victim, every_dma_mode(), dma_mode_name);

TEST_P(packed_victim, H_01_a_list_without_an_end)
{
    ROWS("H-01", "H-26", "PACK-34");
    for (const uint32_t start : {0u, 5u}) { /* from there on, and across the end of the ring */
        for (uint32_t slot = 0; slot < start; slot++)
            put(slot, lap_0 | write_flag);
        attack();
        for (uint32_t slot = 0; slot < queue_size; slot++)
            put(slot, (slot < start ? lap_1 : lap_0) | next_flag | write_flag);
        attack();
        expect_fatal_and_more(VMMIO_DIAG_RING_LOOP);
    }
}

TEST_P(packed_victim, H_26_a_list_whose_tail_is_not_available)
{
    ROWS("H-26", "PACK-36", "PACK-29");
    for (const unsigned tail : {0u, lap_1, avail_flag | used_flag}) {
        put(0, lap_0 | next_flag | write_flag);
        put(1, lap_0 | next_flag | write_flag);
        put(2, tail | write_flag);
        const std::vector<uint8_t> before = r->memory.bytes(buffer, 64);
        attack();
        EXPECT_EQ(r->memory.bytes(buffer, 64), before);
        expect_fatal_and_more(VMMIO_DIAG_RING_TAIL);
    }
}

TEST_P(packed_victim, H_26_the_wrap_is_wrong_after_the_last_slot)
{
    ROWS("H-26", "PACK-03");
    for (uint32_t slot = 0; slot + 1 < queue_size; slot++)
        put(slot, lap_0 | write_flag);
    attack();
    put(queue_size - 1, lap_0 | next_flag | write_flag);
    put(0, lap_0 | write_flag); /* it should be lap_1 */
    attack();
    expect_fatal_and_more(VMMIO_DIAG_RING_TAIL);
}

TEST_P(packed_victim, H_18_more_is_available_than_there_are_slots)
{
    ROWS("H-18", "H-26", "SPLIT-52");
    function.hold();
    for (uint32_t slot = 0; slot < queue_size; slot++)
        put(slot, lap_0 | write_flag);
    attack();
    ASSERT_EQ(function.held.size(), queue_size);
    put(0, lap_1 | write_flag); /* it is in flight */
    attack();
    function.on_request = [](vmmio_request *request) { vmmio_request_complete(request, 0); };
    expect_fatal_and_more(VMMIO_DIAG_RING_JUMP);
    for (vmmio_request *request : function.held)
        vmmio_request_complete(request, 0);
}

TEST_P(packed_victim, H_18_a_list_runs_into_slots_in_flight)
{
    ROWS("H-18", "PACK-34");
    function.hold();
    for (uint32_t slot = 0; slot < 12; slot++)
        put(slot, lap_0 | write_flag);
    attack();
    ASSERT_EQ(function.held.size(), 12u);
    for (uint32_t slot = 12; slot < queue_size; slot++)
        put(slot, lap_0 | next_flag | write_flag);
    put(0, lap_1 | write_flag);
    attack();
    function.on_request = [](vmmio_request *request) { vmmio_request_complete(request, 0); };
    expect_fatal_and_more(VMMIO_DIAG_RING_LOOP);
    for (vmmio_request *request : function.held)
        vmmio_request_complete(request, 0);
}

TEST_P(packed_victim, H_26_any_flags_are_bounded)
{
    ROWS("H-26", "PACK-04", "PACK-06");
    for (uint32_t flags = 0; flags < 0x10000; flags += 0x7f) {
        for (uint32_t slot = 0; slot < queue_size; slot++)
            put(slot, flags);
        attack();
        EXPECT_LE(work, 8u * queue_size + 8) << flags;
        if (r->guest.status() != 0x0f) {
            EXPECT_EQ(r->guest.status(), 0x4fu) << flags;
        }
        live_packed();
    }
    EXPECT_TRUE(r->exchange_packed({r->writable(8)}).has_value());
}

TEST_P(packed_victim, H_08_indirect_with_next)
{
    ROWS("H-08", "PACK-42", "PACK-09");
    const uint64_t table = table_of({{buffer, 8, true}});
    p().set_desc(0, table, 16, 1, lap_0 | indirect_flag | next_flag);
    put(1, lap_0 | write_flag);
    attack();
    expect_fatal_and_more(VMMIO_DIAG_INDIRECT_NEXT);
}

TEST_P(packed_victim, H_08_indirect_inside_a_list)
{
    ROWS("H-08", "PACK-42", "PACK-09");
    for (const unsigned more : {0u, next_flag}) {
        const uint64_t table = table_of({{buffer, 8, true}});
        put(0, lap_0 | next_flag);
        p().set_desc(1, table, 16, 1, lap_0 | indirect_flag | more);
        put(2, lap_0 | write_flag);
        attack();
        expect_fatal_and_more(VMMIO_DIAG_INDIRECT_IN_LIST);
    }
}

TEST_P(packed_victim, H_07_indirect_is_not_negotiated)
{
    ROWS("H-07", "PACK-39");
    live_packed(false);
    const uint64_t table = table_of({{buffer, 8, true}});
    p().set_desc(0, table, 16, 1, lap_0 | indirect_flag);
    const size_t before = r->memory.log.size();
    attack();
    for (size_t i = before; i < r->memory.log.size(); i++)
        EXPECT_NE(r->memory.log[i].address, table) << "the table is not fetched";
    expect_fatal_and_more(VMMIO_DIAG_INDIRECT_REFUSED);
}

TEST_P(packed_victim, H_07_indirect_inside_a_table_is_ignored)
{
    ROWS("H-07", "PACK-14");
    const uint64_t table = table_of({{buffer, 8, true}, {buffer + 8, 8, true}});
    r->memory.store16(table + 14, indirect_flag | next_flag | write_flag);
    p().set_desc(0, table, 32, 1, lap_0 | indirect_flag);
    attack();
    EXPECT_EQ(r->guest.status(), 0x0fu);
    EXPECT_EQ(p().flags(0), avail_flag | used_flag | write_flag);
    EXPECT_EQ(r->memory.load32(p().desc + 8), 16u) << "both entries are plain buffers";
}

TEST_P(packed_victim, H_06_size_of_a_table)
{
    ROWS("H-06", "H-04", "PACK-41", "A-PACK-INDIR");
    const std::vector<piece> entries(queue_size + 1, {buffer, 1, true});
    for (const uint32_t length : {0u, 1u, 15u, 17u, 0xfffffff0u, 16u * (queue_size + 1)}) {
        const uint64_t table = table_of(entries);
        p().set_desc(0, table, length, 1, lap_0 | indirect_flag);
        attack();
        expect_fatal_and_more(length == 16 * (queue_size + 1) ? VMMIO_DIAG_RING_LOOP
                                                              : VMMIO_DIAG_INDIRECT_SIZE);
    }
}

TEST_P(packed_victim, H_06_place_of_a_table)
{
    ROWS("H-06", "H-12");
    r->memory.judge(false);
    p().set_desc(0, 0xdead0000, 32, 1, lap_0 | indirect_flag);
    attack();
    expect_fatal_and_more(VMMIO_DIAG_RING_DMA);
    p().set_desc(0, UINT64_MAX - 15, 32, 1, lap_0 | indirect_flag);
    attack();
    expect_fatal_and_more(VMMIO_DIAG_RING_ADDRESS);
    /* unaligned is no reason to refuse */
    const uint64_t table = table_of({{buffer, 8, true}, {0, 0, false}});
    r->memory.set_bytes(table + 1, r->memory.bytes(table, 16));
    p().set_desc(0, table + 1, 16, 1, lap_0 | indirect_flag);
    attack();
    EXPECT_EQ(r->memory.load32(p().desc + 8), 8u);
}

TEST_P(packed_victim, H_10_readable_after_writable)
{
    ROWS("H-10", "PACK-35");
    put(0, lap_0 | next_flag | write_flag);
    put(1, lap_0);
    attack();
    expect_fatal_and_more(VMMIO_DIAG_RING_ORDER);
    const uint64_t table = table_of({{buffer, 8, true}, {buffer + 8, 8, false}});
    p().set_desc(0, table, 32, 1, lap_0 | indirect_flag);
    attack();
    expect_fatal_and_more(VMMIO_DIAG_RING_ORDER);
}

TEST_P(packed_victim, H_11_empty_descriptors)
{
    ROWS("H-11", "A-RING-ZEROLEN");
    const uint32_t lengths[][3] = {{0, 0, 0}, {0, 8, 0}, {8, 0, 8}, {0, 0, 8}};
    for (const auto &l : lengths) {
        live_packed();
        for (uint32_t i = 0; i < 3; i++)
            p().set_desc(i, buffer + 8 * i, l[i], 7, lap_0 | write_flag | (i < 2 ? next_flag : 0));
        attack();
        EXPECT_EQ(r->guest.status(), 0x0fu);
        EXPECT_EQ(r->memory.load32(p().desc + 8), l[0] + l[1] + l[2]);
    }
}

TEST_P(packed_victim, H_12_addresses_and_totals)
{
    ROWS("H-12", "H-04", "A-RING-TOTAL");
    r->memory.judge(false);
    p().set_desc(0, UINT64_MAX - 3, 8, 1, lap_0 | write_flag);
    attack();
    expect_fatal_and_more(VMMIO_DIAG_RING_ADDRESS);
    p().set_desc(0, 0xdead0000, 8, 1, lap_0 | write_flag);
    attack();
    expect_fatal_and_more(VMMIO_DIAG_BUFFER_DMA);
    for (uint32_t slot = 0; slot < 2; slot++)
        p().set_desc(slot, ram_base, 0x80000000, 1,
                     lap_0 | write_flag | (slot == 0 ? next_flag : 0));
    attack();
    expect_fatal_and_more(VMMIO_DIAG_RING_TOTAL);
}

TEST_P(packed_victim, H_19_rings_in_holes)
{
    ROWS("H-19", "A-QADDR-BAD");
    r->memory.judge(false);
    const uint64_t hole = 0xdead0000;
    for (int part = 0; part < 3; part++) {
        ASSERT_TRUE(r->guest.negotiate(
            feature_set({VMMIO_F_VERSION_1, VMMIO_F_RING_PACKED, VMMIO_F_EVENT_IDX})));
        packed_queue fake = r->make_packed_queue(queue_size);
        (part == 0 ? fake.desc : part == 1 ? fake.driver : fake.device) = hole;
        r->guest.enable_queue(0, fake);
        EXPECT_EQ(r->read(VMMIO_REG_QUEUE_READY), 1u) << "nobody looks before the first use";
        r->forget();
        if (part != 0)
            fake.set_desc(0, buffer, 8, 1, lap_0 | write_flag);
        r->guest.start();
        r->run();
        expect_fatal_and_more(VMMIO_DIAG_RING_DMA);
    }
}

TEST_P(packed_victim, H_24_the_driver_overwrites_what_the_device_wrote)
{
    ROWS("H-24", "PACK-30");
    for (uint32_t i = 0; i < 100; i++) {
        const uint32_t slot = i % queue_size;
        const unsigned lap = i / queue_size % 2 ? lap_1 : lap_0;
        for (uint32_t other = 0; other < queue_size; other++)
            p().set_desc(other, 0xbad00000, i, i, i % 2 ? avail_flag | used_flag : 0);
        r->memory.fill(p().device, 4, static_cast<uint8_t>(i * 37));
        p().set_desc(slot, buffer, 8, 1000 + i, lap | write_flag);
        attack();
        EXPECT_EQ(p().flags(slot) & (avail_flag | used_flag),
                  lap == lap_0 ? avail_flag | used_flag : 0u)
            << "it keeps its own count";
        EXPECT_EQ(r->memory.load16(p().desc + 16 * slot + 12), 1000 + i);
    }
    EXPECT_EQ(r->guest.status(), 0x0fu);
}

TEST_P(packed_victim, H_60_every_single_transaction_may_fail)
{
    ROWS("H-60", "STAT-11", "STAT-12");
    for (uint64_t k = 0;; k++) {
        ASSERT_LT(k, 200u);
        live_packed();
        const uint64_t first = r->memory.transactions;
        r->memory.fail_transaction(k);
        for (int i = 0; i < 3; i++)
            p().add({r->readable(8), r->writable(8), r->writable(8)});
        p().publish();
        attack();
        if (r->memory.transactions - first <= k) { /* all of them worked */
            for (int i = 0; i < 3; i++)
                EXPECT_TRUE(p().reap().has_value());
            break;
        }
        EXPECT_EQ(r->guest.status(), 0x4fu) << k;
        EXPECT_EQ(r->memory.transactions - first, k + 1) << "the failed one was the last";
        EXPECT_EQ(r->guest.interrupts() & 2u, 2u) << k;
        EXPECT_EQ(r->diagnostics.size(), 1u);
    }
    r->memory.fail_none();
    live_packed();
    EXPECT_TRUE(r->exchange_packed({r->writable(8)}).has_value());
}

TEST_P(packed_victim, H_38_a_driver_that_refills_for_ever_cannot_hold_the_device)
{
    ROWS("H-38");
    uint32_t requests = 0;
    function.on_request = [&requests](vmmio_request *request) {
        requests++;
        vmmio_request_complete(request, 0);
    };
    const auto refill = [this] {
        while (p().reap()) {
        }
        while (p().free_slots())
            p().offer({{buffer, 8, true}});
        r->guest.kick(0);
    };
    r->on_interrupt = [&](bool level) {
        if (level) {
            r->guest.acknowledge(1);
            refill();
        }
    };
    refill();
    for (uint32_t budget = 1; budget < 300; budget += 50) {
        requests = 0;
        EXPECT_LE(vmmio_device_run(&r->device, budget), budget);
        EXPECT_LE(requests, budget);
        EXPECT_TRUE(vmmio_device_has_work(&r->device));
    }
    packed_queue &other = r->packed(1);
    other.offer({{buffer + 8, 8, true}});
    r->guest.kick(1);
    vmmio_device_run(&r->device, 130);
    EXPECT_TRUE(other.reap().has_value()) << "the other queue gets its turn";
    r->on_interrupt = nullptr;
}

TEST_P(packed_victim, H_64_a_ring_moves_between_two_runs)
{
    ROWS("H-64", "H-22");
    for (uint32_t i = 1; i < 20; i++) {
        ASSERT_TRUE(r->exchange_packed({r->writable(8)}).has_value());
        r->write_queue(0, VMMIO_REG_QUEUE_READY, 0);
        r->memory.withdraw_all();
        r->memory.fill(p().desc, 0x200, 0xff); /* whoever still looks finds rubbish */
        r->packed_queues[0] = std::make_unique<packed_queue>(r->make_packed_queue(i));
        r->guest.enable_queue(0, p());
    }
    EXPECT_TRUE(r->exchange_packed({r->writable(8)}).has_value());
    EXPECT_EQ(r->guest.status(), 0x0fu);
}

} // namespace
} // namespace vmmio::tb
