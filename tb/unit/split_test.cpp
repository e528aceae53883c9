/* SPDX-License-Identifier: Apache-2.0 */
/* The split virtqueue (2.7), by pointer, by transaction, and with pointers that come and go. */
#include "requests.h"
#include "rig.h"

namespace vmmio::tb
{
namespace
{

class split : public ::testing::TestWithParam<dma_mode>
{
protected:
    split()
    {
        function.on_request = [](vmmio_request *request) { increment(request, 7); };
        rig_options options;
        options.mode = GetParam();
        options.queue_size_max = 32768;
        options.requests = 4;
        r = std::make_unique<rig>(function.function(), options);
    }
    void go_live(uint32_t size = 16) { r->go_live(feature_set({VMMIO_F_VERSION_1}), 2, size); }
    void go_live_indirect(uint32_t size = 16)
    {
        r->go_live(feature_set({VMMIO_F_VERSION_1, VMMIO_F_INDIRECT_DESC}), 1, size);
    }
    virtqueue &q() { return r->queue(0); }
    void kick()
    {
        r->guest.kick(0);
        r->run();
    }

    test_function function;
    std::unique_ptr<rig> r;
};

INSTANTIATE_TEST_SUITE_P(memory, split, every_dma_mode(), dma_mode_name);

TEST_P(split, request_is_the_same_however_it_is_cut)
{
    ROWS("SPLIT-04", "SPLIT-08", "SPLIT-10", "SPLIT-11", "VQ-02", "A-RING-USEDLEN");
    go_live(256);
    const std::vector<uint8_t> data = count_up(100);
    for (const uint32_t in_size : {100u, 50u, 33u, 16u, 7u, 1u}) {
        for (const uint32_t out_size : {100u, 64u, 9u, 1u}) {
            const uint64_t in = r->alloc(100), out = r->alloc(200);
            r->memory.set_bytes(in, data);
            r->memory.fill(out, 200, 0xee);
            const std::optional<used_entry> used =
                r->exchange(join(cut(in, 100, false, in_size), cut(out, 120, true, out_size)));
            ASSERT_TRUE(used.has_value());
            EXPECT_EQ(used->length, 100u);
            std::vector<uint8_t> expected = data;
            for (uint8_t &byte : expected)
                byte++;
            expected.resize(200, 0xee);
            EXPECT_EQ(r->memory.bytes(out, 200), expected) << in_size << " " << out_size;
            EXPECT_EQ(r->memory.bytes(in, 100), data) << "what is readable is never written";
        }
    }
}

TEST_P(split, golden_bytes)
{
    ROWS("SPLIT-08", "SPLIT-23", "SPLIT-35");
    go_live(4);
    const uint64_t in = r->alloc(16), out = r->alloc(16);
    r->memory.set_bytes(in, {0x10, 0x20});
    r->memory.name(in, 2, may_read);
    r->memory.name(out, 3, may_write);
    std::vector<uint8_t> table(64);
    const auto put = [&](size_t at, uint64_t value, size_t count) {
        for (size_t i = 0; i < count; i++)
            table[at + i] = static_cast<uint8_t>(value >> 8 * i);
    };
    put(3 * 16, in, 8); /* descriptor 3 */
    put(3 * 16 + 8, 2, 4);
    put(3 * 16 + 12, 1, 2); /* NEXT */
    put(3 * 16 + 14, 1, 2);
    put(1 * 16, out, 8); /* descriptor 1 */
    put(1 * 16 + 8, 3, 4);
    put(1 * 16 + 12, 2, 2); /* WRITE */
    r->memory.set_bytes(q().desc, table);
    r->memory.set_bytes(q().driver, {0, 0, 1, 0, 3, 0});
    kick();
    EXPECT_EQ(r->memory.bytes(q().device, 12),
              (std::vector<uint8_t>{0, 0, 1, 0, 3, 0, 0, 0, 2, 0, 0, 0}));
    EXPECT_EQ(r->memory.bytes(out, 3), (std::vector<uint8_t>{0x11, 0x21, 0}));
}

TEST_P(split, accesses_stay_inside_the_parts_for_every_size)
{
    ROWS("SPLIT-01", "SPLIT-12", "SPLIT-25", "MMIO-QSIZE-01");
    for (uint32_t size = 1; size <= 32768; size *= 2) {
        go_live(size);
        const uint32_t rounds = std::min(size, 64u) + 3;
        const uint64_t in = r->alloc(8), out = r->alloc(8);
        for (uint32_t i = 0; i < rounds; i++) {
            const bool two = size > 1;
            q().offer(two ? q().add({{in, 8, false}, {out, 8, true}}) : q().add({{out, 8, true}}));
            kick();
            ASSERT_TRUE(q().reap().has_value()) << "size " << size << " round " << i;
        }
        q().offer(q().add({{out, 8, true}}));
        const std::vector<uint8_t> avail_now = r->memory.bytes(q().driver, q().driver_bytes());
        const std::vector<uint8_t> table_now = r->memory.bytes(q().desc, q().desc_bytes());
        kick();
        EXPECT_EQ(r->memory.bytes(q().driver, q().driver_bytes()), avail_now);
        EXPECT_EQ(r->memory.bytes(q().desc, q().desc_bytes()), table_now);
    } /* the monitor of the rig judges every single access */
}

TEST_P(split, longest_direct_chain_is_the_queue_size)
{
    ROWS("SPLIT-09", "SPLIT-05");
    for (const uint32_t size : {1u, 2u, 16u, 256u}) {
        go_live(size);
        const uint64_t out = r->alloc(size);
        EXPECT_TRUE(r->exchange(cut(out, size, true, 1)).has_value()) << size;
        EXPECT_EQ(r->guest.status(), 0x0fu);
    }
}

TEST_P(split, index_wraps_at_65536)
{
    ROWS("SPLIT-23", "H-65");
    go_live(8);
    const uint64_t out = r->alloc(4);
    uint32_t done = 0;
    while (done < 65536 + 20) {
        for (int i = 0; i < 5; i++)
            q().queue(q().add({{out, 4, true}}));
        q().publish();
        kick();
        while (q().reap())
            done++;
    }
    EXPECT_EQ(done % 5, 0u);
    EXPECT_EQ(q().used_idx(), static_cast<uint16_t>(done));
    EXPECT_EQ(q().avail_idx, q().used_idx()) << "none lost, none repeated";
}

TEST_P(split, queues_keep_their_own_positions)
{
    ROWS("MMIO-QSEL-01", "MMIO-IRQ-03");
    go_live(4);
    const uint64_t out = r->alloc(4);
    for (int i = 0; i < 30; i++) {
        const uint32_t which = i % 3 == 0;
        virtqueue &queue = r->queue(which);
        queue.offer(queue.add({{out, 4, true}}));
        r->guest.kick(which);
        r->run();
        ASSERT_TRUE(queue.reap().has_value());
    }
    EXPECT_EQ(r->queue(0).used_idx(), 20u);
    EXPECT_EQ(r->queue(1).used_idx(), 10u);
}

TEST_P(split, indirect_table_is_walked_by_next)
{
    ROWS("SPLIT-15");
    go_live_indirect();
    const uint64_t in = r->alloc(2), out = r->alloc(2), table = r->alloc(16 * 4);
    r->memory.set_bytes(in, {5, 6});
    const uint16_t head = q().add_indirect(
        {{in, 1, false}, {in + 1, 1, false}, {out, 1, true}, {out + 1, 1, true}}, table);
    const std::vector<uint8_t> e1 = r->memory.bytes(table + 16, 16);
    const std::vector<uint8_t> e3 = r->memory.bytes(table + 48, 16);
    r->memory.set_bytes(table + 48, e1); /* 0 -> 3 -> 2 -> 1 */
    r->memory.set_bytes(table + 16, e3);
    r->memory.store16(table + 14, 3);
    r->memory.store16(table + 48 + 14, 2);
    r->memory.store16(table + 32 + 14, 1);
    q().offer(head);
    kick();
    const std::optional<used_entry> used = q().reap();
    ASSERT_TRUE(used.has_value());
    EXPECT_EQ(used->id, head);
    EXPECT_EQ(r->memory.bytes(out, 2), (std::vector<uint8_t>{6, 7}));
}

TEST_P(split, write_flag_of_a_table_means_nothing)
{
    ROWS("SPLIT-21");
    go_live_indirect();
    const uint64_t in = r->alloc(4), out = r->alloc(4), table = r->alloc(32);
    for (const unsigned flags : {indirect_flag, indirect_flag | write_flag}) {
        r->memory.set_bytes(in, {1, 2, 3, 4});
        r->memory.fill(out, 4, 0);
        const uint16_t head = q().add_indirect({{in, 4, false}, {out, 4, true}}, table);
        r->memory.store16(q().desc + 16ull * head + 12, static_cast<uint16_t>(flags));
        q().offer(head);
        kick();
        const std::optional<used_entry> used = q().reap();
        ASSERT_TRUE(used.has_value());
        EXPECT_EQ(used->length, 4u);
        EXPECT_EQ(r->memory.bytes(out, 4), (std::vector<uint8_t>{2, 3, 4, 5}));
    }
}

TEST_P(split, a_direct_chain_may_end_in_a_table)
{
    ROWS("SPLIT-22", "A-RING-INDIR-MIX", "H-09");
    go_live_indirect();
    const uint64_t in = r->alloc(8), out = r->alloc(8), table = r->alloc(16 * 8);
    const std::vector<piece> pieces =
        join(cut(in, 8, false, 2), cut(out, 8, true, 2)); /* 4 and 4 */
    for (size_t direct = 0; direct < pieces.size(); direct++) {
        r->memory.set_bytes(in, count_up(8));
        r->memory.fill(out, 8, 0);
        q().offer(q().add_indirect(pieces, table, direct));
        kick();
        const std::optional<used_entry> used = q().reap();
        ASSERT_TRUE(used.has_value()) << direct;
        EXPECT_EQ(used->length, 8u);
        EXPECT_EQ(r->memory.bytes(out, 8), (std::vector<uint8_t>{2, 3, 4, 5, 6, 7, 8, 9}));
    }
}

TEST_P(split, a_table_as_long_as_the_queue_works)
{
    ROWS("SPLIT-18", "A-RING-INDIR-LEN");
    go_live_indirect(16);
    const uint64_t out = r->alloc(16), table = r->alloc(16 * 16);
    q().offer(q().add_indirect(cut(out, 16, true, 1), table));
    kick();
    EXPECT_TRUE(q().reap().has_value());
    EXPECT_EQ(r->guest.status(), 0x0fu);
}

TEST_P(split, zero_length_pieces_add_nothing)
{
    ROWS("A-RING-ZEROLEN", "H-11");
    go_live();
    const uint64_t in = r->alloc(2), out = r->alloc(2), nowhere = 0xdead0000;
    r->memory.set_bytes(in, {1, 2});
    const std::vector<std::vector<piece>> chains = {
        {{nowhere, 0, true}},
        {{nowhere, 0, false}},
        {{nowhere, 0, false}, {nowhere, 0, true}, {nowhere, 0, true}},
        {{nowhere, 0, false},
         {in, 1, false},
         {nowhere, 0, false},
         {in + 1, 1, false},
         {nowhere, 0, true},
         {out, 1, true},
         {UINT64_MAX, 0, true},
         {out + 1, 1, true}},
    };
    for (const std::vector<piece> &chain : chains)
        EXPECT_TRUE(r->exchange(chain).has_value());
    EXPECT_EQ(r->guest.status(), 0x0fu);
    EXPECT_EQ(r->memory.bytes(out, 2), (std::vector<uint8_t>{2, 3}));
}

TEST_P(split, used_flags_stay_0)
{
    ROWS("SPLIT-45", "SPLIT-47");
    for (const bool event_idx : {false, true}) {
        vmmio_features features = feature_set({VMMIO_F_VERSION_1});
        if (event_idx)
            vmmio_features_add(&features, VMMIO_F_EVENT_IDX);
        r->go_live(features, 1, 4);
        for (int i = 0; i < 20; i++) {
            r->exchange({r->writable(4)});
            EXPECT_EQ(q().used_flags(), 0u);
        }
    }
}

TEST_P(split, interrupt_follows_every_used_entry)
{
    ROWS("SPLIT-29", "SPLIT-30", "SPLIT-26");
    go_live();
    for (const uint16_t used_event : {0, 1, 7, 0xffff}) {
        for (const uint16_t flags : {0, 0xfffe}) { /* only bit 0 has a meaning */
            q().set_used_event(used_event);
            q().set_avail_flags(flags);
            r->exchange({r->writable(4)});
            EXPECT_EQ(r->guest.interrupts(), 1u) << used_event << " " << flags;
            r->guest.acknowledge(1);
        }
    }
}

TEST_P(split, no_interrupt_is_honoured)
{
    ROWS("SPLIT-31", "SPLIT-26", "A-NOINT");
    go_live();
    for (const uint16_t flags : {1, 0xffff}) {
        q().set_avail_flags(flags);
        EXPECT_TRUE(r->exchange({r->writable(4)}).has_value());
        EXPECT_EQ(r->guest.interrupts(), 0u);
    }
    q().set_avail_flags(0);
    r->exchange({r->writable(4)});
    EXPECT_EQ(r->guest.interrupts(), 1u);
}

TEST_P(split, spurious_kicks_are_harmless)
{
    ROWS("SPLIT-49", "H-38");
    go_live();
    for (int i = 0; i < 10000; i++)
        r->guest.kick(0);
    r->memory.log.clear();
    r->run();
    EXPECT_LE(r->memory.log.size(), 4u) << "a kick is an order to look, once";
    for (int i = 0; i < 1000; i++)
        kick();
    EXPECT_EQ(q().used_idx(), 0u);
    EXPECT_EQ(r->guest.interrupts(), 0u);
}

TEST_P(split, completions_may_come_out_of_order)
{
    ROWS("VQ-03", "SPLIT-35");
    function.hold();
    go_live();
    std::vector<uint16_t> heads;
    for (int i = 0; i < 4; i++) {
        heads.push_back(q().add({r->writable(4)}));
        q().offer(heads.back());
    }
    kick();
    ASSERT_EQ(function.held.size(), 4u);
    for (const size_t i : {2u, 0u, 3u, 1u}) {
        vmmio_request_complete(function.held[i], 1);
        const std::optional<used_entry> used = q().reap();
        ASSERT_TRUE(used.has_value());
        EXPECT_EQ(used->id, heads[i]);
    }
}

TEST_P(split, waits_for_a_request_struct_and_goes_on)
{
    ROWS("H-04", "SPLIT-52");
    function.hold();
    go_live();
    for (int i = 0; i < 10; i++)
        q().offer(q().add({r->writable(4)}));
    kick();
    for (int i = 0; i < 10; i++) {
        EXPECT_LE(function.held.size(), 4u);
        ASSERT_FALSE(function.held.empty());
        vmmio_request_complete(function.held.front(), 0);
        function.held.erase(function.held.begin());
        r->run();
    }
    EXPECT_EQ(q().used_idx(), 10u);
}

TEST_P(split, a_slice_does_no_more_than_it_is_told)
{
    ROWS("H-38", "MMIO-IRQ-03");
    go_live(256);
    for (uint32_t which = 0; which < 2; which++) {
        for (int i = 0; i < 200; i++)
            r->queue(which).queue(r->queue(which).add({r->writable(4)}));
        r->queue(which).publish();
        r->guest.kick(which);
    }
    EXPECT_EQ(vmmio_device_run(&r->device, 10), 10u);
    EXPECT_EQ(q().used_idx(), 10u) << "published before it returns";
    EXPECT_EQ(vmmio_device_run(&r->device, 128), 128u);
    EXPECT_GT(r->queue(0).used_idx(), 10u);
    EXPECT_GT(r->queue(1).used_idx(), 10u) << "the queues take turns";
    r->run();
    EXPECT_EQ(r->queue(0).used_idx() + r->queue(1).used_idx(), 400);
}

TEST_P(split, buffers_changed_after_the_fetch_do_no_harm)
{
    ROWS("CLEAN-01", "A-DBLFETCH", "H-16");
    go_live();
    const uint64_t in = r->alloc(8), out = r->alloc(8);
    r->memory.set_bytes(in, count_up(8));
    const uint16_t head = q().add({{in, 8, false}, {out, 8, true}});
    function.on_request = [&](vmmio_request *request) {
        q().set_desc(head, 0xbad00000, 0xffffffff, write_flag | indirect_flag | next_flag, 0xffff);
        r->memory.store16(q().driver + 4, 0xffff);
        increment(request, 3);
    };
    q().offer(head);
    kick();
    EXPECT_EQ(q().used_idx(), 1u);
    EXPECT_EQ(r->memory.bytes(out, 8), (std::vector<uint8_t>{2, 3, 4, 5, 6, 7, 8, 9}));
    EXPECT_EQ(r->guest.status(), 0x0fu);
}

/* The order of accesses shows on the bus only. */
TEST(split_on_the_bus, fetches_every_field_once_and_in_order)
{
    ROWS("A-DBLFETCH", "SPLIT-50", "SPLIT-36", "SPLIT-37", "H-16");
    test_function function;
    function.on_request = [](vmmio_request *request) { increment(request, 8); };
    rig_options options;
    options.mode = dma_mode::transaction;
    rig r(function.function(), options);
    r.go_live();
    virtqueue &q = r.queue(0);
    const piece in = r.readable(8), out = r.writable(8);
    q.offer(q.add({in, out}));
    std::vector<dma_access> bus;
    r.memory.on_transaction = [&bus](const dma_access &access) { bus.push_back(access); };
    r.guest.kick(0);
    r.run();

    const auto first = [&bus](uint64_t address, bool write) {
        size_t i = 0;
        while (i < bus.size() && (bus[i].address != address || bus[i].write != write))
            i++;
        EXPECT_LT(i, bus.size()) << "no such access";
        return i;
    };
    const auto count = [&bus](uint64_t address) {
        return std::count_if(bus.begin(), bus.end(),
                             [address](const dma_access &a) { return a.address == address; });
    };
    EXPECT_EQ(count(q.driver + 4), 1) << "the ring entry";
    EXPECT_EQ(count(q.desc), 1);
    EXPECT_EQ(count(q.desc + 16), 1);
    EXPECT_EQ(count(in.address), 1);
    EXPECT_LT(first(q.driver + 2, false), first(q.driver + 4, false));
    EXPECT_LT(first(q.driver + 4, false), first(q.desc, false));
    EXPECT_LT(first(q.desc, false), first(out.address, true));
    EXPECT_LT(first(out.address, true), first(q.device + 4, true)) << "data, then the entry";
    EXPECT_LT(first(q.device + 4, true), first(q.device + 2, true)) << "the entry, then the index";
}

TEST_P(split, at_least_the_used_length_is_written)
{
    ROWS("SPLIT-37", "SPLIT-38", "VQ-02");
    go_live();
    const uint64_t in = r->alloc(32), out = r->alloc(32);
    r->memory.fill(in, 32, 7);
    for (uint32_t length = 1; length <= 32; length++) {
        r->memory.fill(out, 32, 0xee);
        const std::optional<used_entry> used = r->exchange({{in, length, false}, {out, 32, true}});
        ASSERT_TRUE(used.has_value());
        const std::vector<uint8_t> got = r->memory.bytes(out, 32);
        for (uint32_t i = 0; i < 32; i++)
            EXPECT_EQ(got[i], i < used->length ? 8 : 0xee);
    }
}

} // namespace
} // namespace vmmio::tb
