/* SPDX-License-Identifier: Apache-2.0 */
/* The packed virtqueue (2.8), by pointer, by transaction, and with pointers that come and go. */
#include "requests.h"
#include "rig.h"

namespace vmmio::tb
{
namespace
{

constexpr unsigned avail_flag = 1 << 7, used_flag = 1 << 15;

class packed : public ::testing::TestWithParam<dma_mode>
{
protected:
    packed()
    {
        function.on_request = [](vmmio_request *request) { increment(request, 7); };
        rig_options options;
        options.mode = GetParam();
        vmmio_features_add(&options.features, VMMIO_F_RING_PACKED);
        options.queue_size_max = 32768;
        options.requests = 4;
        r = std::make_unique<rig>(function.function(), options);
    }
    void go_live(uint32_t size = 16, std::initializer_list<unsigned> more = {})
    {
        vmmio_features features =
            feature_set({VMMIO_F_VERSION_1, VMMIO_F_RING_PACKED, VMMIO_F_INDIRECT_DESC});
        for (const unsigned bit : more)
            vmmio_features_add(&features, bit);
        r->go_live(features, 2, size);
    }
    packed_queue &q() { return r->packed(0); }
    void kick()
    {
        r->guest.kick(0);
        r->run();
    }
    /* Offers what must come back as it went with 1 added. */
    void exchange(const std::vector<piece> &pieces, uint64_t table = 0)
    {
        const uint16_t id = table ? q().add_indirect(pieces, table) : q().add(pieces);
        q().publish();
        kick();
        const std::optional<packed_used> used = q().reap();
        ASSERT_TRUE(used.has_value());
        EXPECT_EQ(used->id, id);
    }

    test_function function;
    std::unique_ptr<rig> r;
};

INSTANTIATE_TEST_SUITE_P(memory, packed, every_dma_mode(), dma_mode_name);

TEST_P(packed, request_is_the_same_however_it_is_cut)
{
    ROWS("SPLIT-04", "PACK-08", "PACK-09", "PACK-27", "PACK-28", "PACK-37", "VQ-02",
         "A-RING-USEDLEN");
    go_live(255);
    const std::vector<uint8_t> data = count_up(100);
    for (const uint32_t in_size : {100u, 50u, 33u, 16u, 7u, 1u}) {
        for (const uint32_t out_size : {100u, 64u, 9u, 1u}) {
            for (const bool indirect : {false, true}) {
                const uint64_t in = r->alloc(100), out = r->alloc(200), table = r->alloc(4096);
                r->memory.set_bytes(in, data);
                r->memory.fill(out, 200, 0xee);
                const std::vector<piece> pieces =
                    join(cut(in, 100, false, in_size), cut(out, 120, true, out_size));
                const uint16_t id = indirect ? q().add_indirect(pieces, table) : q().add(pieces);
                q().publish();
                kick();
                const std::optional<packed_used> used = q().reap();
                ASSERT_TRUE(used.has_value());
                EXPECT_EQ(used->id, id);
                EXPECT_EQ(used->length, 100u);
                EXPECT_TRUE(used->written);
                std::vector<uint8_t> expected = count_up(100, 2);
                expected.resize(200, 0xee);
                EXPECT_EQ(r->memory.bytes(out, 200), expected) << in_size << " " << out_size;
                EXPECT_EQ(r->memory.bytes(in, 100), data) << "what is readable is never written";
            }
        }
    }
}

TEST_P(packed, golden_bytes)
{
    ROWS("PACK-02", "PACK-05", "PACK-11", "PACK-12");
    go_live(3);
    const uint64_t in = r->alloc(16), out = r->alloc(16);
    r->memory.set_bytes(in, {0x10, 0x20});
    r->memory.name(in, 2, may_read);
    r->memory.name(out, 3, may_write);
    std::vector<uint8_t> ring(48);
    const auto put = [&](size_t at, uint64_t value, size_t count) {
        for (size_t i = 0; i < count; i++)
            ring[at + i] = static_cast<uint8_t>(value >> 8 * i);
    };
    put(0, in, 8);
    put(8, 2, 4);
    put(12, 0xbeef, 2);
    put(14, 0x0081, 2); /* AVAIL, NEXT */
    put(16, out, 8);
    put(24, 3, 4);
    put(28, 0x1234, 2);
    put(30, 0x0082, 2); /* AVAIL, WRITE */
    r->memory.set_bytes(q().desc, ring);
    kick();
    put(8, 2, 4);
    put(12, 0x1234, 2); /* the last one's id */
    put(14, 0x8082, 2); /* AVAIL, USED, WRITE */
    EXPECT_EQ(r->memory.bytes(q().desc, 48), ring) << "one used descriptor, nothing else";
    EXPECT_EQ(r->memory.bytes(out, 3), (std::vector<uint8_t>{0x11, 0x21, 0}));
}

TEST_P(packed, any_size_works)
{
    ROWS("PACK-01", "PACK-03", "PACK-05", "PACK-22", "MMIO-QSIZE-01");
    for (const uint32_t size : {1u, 2u, 3u, 5u, 7u, 16u, 100u, 255u, 32767u, 32768u}) {
        go_live(size);
        const uint64_t in = r->alloc(8), out = r->alloc(8);
        const uint32_t rounds = size > 1000 ? 70 : 3 * size + 3; /* three laps */
        for (uint32_t i = 0; i < rounds; i++) {
            const uint32_t slot = q().used_position() & 0x7fff;
            const bool lap = q().used_position() & 0x8000;
            ASSERT_NO_FATAL_FAILURE(
                exchange(size > 1 ? std::vector<piece>{{in, 8, false}, {out, 8, true}}
                                  : std::vector<piece>{{out, 8, true}}))
                << "size " << size << " round " << i;
            EXPECT_EQ(q().flags(slot) & (avail_flag | used_flag),
                      lap ? avail_flag | used_flag : 0u);
        }
    } /* the monitor of the rig judges every single access */
}

TEST_P(packed, a_size_may_wrap_in_the_midst_of_a_list)
{
    ROWS("PACK-01", "PACK-03", "PACK-12");
    go_live(7);
    const uint64_t in = r->alloc(2), out = r->alloc(3);
    for (int i = 0; i < 50; i++) {
        r->memory.set_bytes(in, {uint8_t(i), uint8_t(i + 1)});
        exchange(join(cut(in, 2, false, 1), cut(out, 3, true, 1)));
        EXPECT_EQ(r->memory.bytes(out, 2), (std::vector<uint8_t>{uint8_t(i + 1), uint8_t(i + 2)}));
    }
}

TEST_P(packed, longest_list_is_the_queue_size)
{
    ROWS("PACK-10", "PACK-38", "PACK-41");
    for (const uint32_t size : {1u, 2u, 17u, 256u}) {
        go_live(size);
        const uint64_t out = r->alloc(size), table = r->alloc(16 * size);
        for (int i = 0; i < 3; i++) {
            exchange(cut(out, size, true, 1));
            exchange(cut(out, size, true, 1), table);
        }
        EXPECT_EQ(r->guest.status(), 0x0fu);
    }
}

TEST_P(packed, only_what_is_available_is_used)
{
    ROWS("PACK-04", "PACK-06", "PACK-29");
    go_live(4);
    const uint64_t out = r->alloc(4);
    r->memory.name(out, 4, may_write);
    function.hold();
    for (const unsigned lap : {0u, 1u, 2u}) {
        const unsigned available = lap % 2 ? used_flag : avail_flag;
        for (uint32_t slot = 0; slot < 4; slot++) {
            /* neither both, nor none, nor the wrong one */
            for (const unsigned stale :
                 {0u, avail_flag | used_flag, available ^ (avail_flag | used_flag)}) {
                q().set_desc(slot, out, 4, slot, stale | write_flag);
                kick();
                EXPECT_TRUE(function.held.empty()) << lap << " " << slot << " " << stale;
            }
            /* a later one does not count before */
            if (slot < 3)
                q().set_desc(slot + 1, out, 4, 9, available | write_flag);
            kick();
            EXPECT_TRUE(function.held.empty());
            if (slot < 3)
                q().set_flags(slot + 1, available ^ (avail_flag | used_flag));
            q().set_flags(slot, available | write_flag);
            kick();
            ASSERT_EQ(function.held.size(), 1u) << lap << " " << slot;
            vmmio_request_complete(function.held[0], 0);
            function.held.clear();
        }
    }
}

TEST_P(packed, write_flag_of_a_used_descriptor_tells_of_data)
{
    ROWS("PACK-07", "PACK-08");
    go_live(8);
    for (const uint32_t length : {0u, 1u, 4u}) {
        function.on_request = [length](vmmio_request *request) {
            const uint8_t data[4] = {1, 2, 3, 4};
            if (length)
                vmmio_request_write(request, 0, data, length);
            vmmio_request_complete(request, length);
        };
        const std::optional<packed_used> used =
            r->exchange_packed({r->readable(4), r->writable(4)});
        ASSERT_TRUE(used.has_value());
        EXPECT_EQ(used->written, length != 0);
        EXPECT_EQ(used->length, length);
    }
    function.on_request = [](vmmio_request *request) { vmmio_request_complete(request, 0); };
    EXPECT_FALSE(r->exchange_packed({r->readable(4)})->written);
}

TEST_P(packed, a_table_is_read_in_its_order_and_only_its_write_flags)
{
    ROWS("PACK-14", "PACK-15", "PACK-16", "PACK-40", "A-PACK-INDIR");
    go_live(8);
    const uint64_t in = r->alloc(4), out = r->alloc(4), table = r->alloc(64);
    for (const unsigned noise : {0u, 1u, 4u, 0xfffdu, 0x8080u, 0x8000u, 0x0080u}) {
        for (const unsigned head_noise : {0u, write_flag}) {
            r->memory.set_bytes(in, count_up(4));
            r->memory.fill(out, 4, 0);
            const uint32_t slot = q().position() & 0x7fff;
            q().add_indirect(join(cut(in, 4, false, 2), cut(out, 4, true, 2)), table);
            for (uint32_t i = 0; i < 4; i++) {
                r->memory.store16(table + 16 * i + 12, static_cast<uint16_t>(noise * 3 + i));
                r->memory.store16(table + 16 * i + 14,
                                  static_cast<uint16_t>(noise | (i > 1 ? write_flag : 0)));
            }
            const std::vector<uint8_t> before = r->memory.bytes(table, 64);
            q().publish();
            q().set_flags(slot, q().flags(slot) | head_noise);
            kick();
            const std::optional<packed_used> used = q().reap();
            ASSERT_TRUE(used.has_value());
            EXPECT_EQ(used->length, 4u);
            EXPECT_EQ(r->memory.bytes(out, 4), count_up(4, 2)) << noise;
            EXPECT_EQ(r->memory.bytes(table, 64), before);
        }
    }
}

TEST_P(packed, completions_may_come_out_of_order)
{
    ROWS("VQ-03", "PACK-13", "PACK-24", "PACK-25", "PACK-26");
    function.hold();
    go_live(11);
    for (int lap = 0; lap < 20; lap++) {
        std::vector<uint16_t> ids;
        for (uint32_t i = 1; i <= 3; i++) /* lists of 1, 2 and 3 */
            ids.push_back(q().add(cut(r->alloc(4), i, true, 1)));
        q().publish();
        kick();
        ASSERT_EQ(function.held.size(), 3u);
        for (uint32_t i = 0; i < 3; i++)
            EXPECT_EQ(function.held[i]->writable_bytes, i + 1) << "started in ring order";
        for (const size_t i : {1u, 2u, 0u}) {
            const uint64_t slot = q().desc + 16ull * (q().used_position() & 0x7fff);
            vmmio_request_complete(function.held[i], 1);
            EXPECT_EQ(r->memory.load16(slot + 12), ids[i]) << "at the next used slot";
            const std::optional<packed_used> used = q().reap();
            ASSERT_TRUE(used.has_value());
            EXPECT_EQ(used->id, ids[i]);
        }
        function.held.clear();
    }
}

TEST_P(packed, the_same_id_may_be_there_twice)
{
    ROWS("H-17");
    function.hold();
    go_live(4);
    const uint64_t out = r->alloc(4);
    r->memory.name(out, 4, may_write);
    for (uint32_t slot = 0; slot < 4; slot++)
        q().set_desc(slot, out, 4, 7, avail_flag | write_flag);
    kick();
    ASSERT_EQ(function.held.size(), 4u);
    for (vmmio_request *request : function.held)
        vmmio_request_complete(request, 0);
    for (uint32_t slot = 0; slot < 4; slot++)
        EXPECT_EQ(q().flags(slot), avail_flag | used_flag);
    EXPECT_EQ(r->guest.status(), 0x0fu);
}

TEST_P(packed, waits_for_a_request_struct_and_goes_on)
{
    ROWS("H-04", "PACK-31");
    function.hold();
    go_live();
    for (int i = 0; i < 10; i++)
        q().offer({r->writable(4)});
    kick();
    for (int i = 0; i < 10; i++) {
        EXPECT_LE(function.held.size(), 4u);
        ASSERT_FALSE(function.held.empty());
        vmmio_request_complete(function.held.front(), 0);
        function.held.erase(function.held.begin());
        r->run();
        EXPECT_TRUE(q().reap().has_value());
    }
    EXPECT_EQ(q().free_slots(), 16u);
}

TEST_P(packed, a_slice_does_no_more_than_it_is_told)
{
    ROWS("H-38", "MMIO-IRQ-03");
    go_live(255);
    for (uint32_t which = 0; which < 2; which++) {
        for (int i = 0; i < 200; i++)
            r->packed(which).add({r->writable(4)});
        r->packed(which).publish();
        r->guest.kick(which);
    }
    const auto used = [this](uint32_t which) {
        uint32_t count = 0;
        while (r->packed(which).reap())
            count++;
        return count;
    };
    EXPECT_EQ(vmmio_device_run(&r->device, 10), 10u);
    EXPECT_EQ(used(0), 10u) << "published before it returns";
    EXPECT_EQ(vmmio_device_run(&r->device, 128), 128u);
    const uint32_t first = used(0), second = used(1);
    EXPECT_GT(first, 0u);
    EXPECT_GT(second, 0u) << "the queues take turns";
    r->run();
    EXPECT_EQ(first + second + used(0) + used(1), 390u);
}

TEST_P(packed, buffers_changed_after_the_fetch_do_no_harm)
{
    ROWS("CLEAN-01", "A-DBLFETCH", "H-16", "PACK-31");
    go_live();
    const uint64_t in = r->alloc(8), out = r->alloc(8);
    r->memory.set_bytes(in, count_up(8));
    function.on_request = [&](vmmio_request *request) {
        for (uint32_t slot = 0; slot < 2; slot++)
            q().set_desc(slot, 0xbad00000, 0xffffffff, 0xffff, 0xffff);
        increment(request, 3);
    };
    const uint16_t id = q().offer({{in, 8, false}, {out, 8, true}});
    kick();
    EXPECT_EQ(r->memory.bytes(out, 8), count_up(8, 2));
    const std::optional<packed_used> used = q().reap();
    ASSERT_TRUE(used.has_value());
    EXPECT_EQ(used->id, id);
    EXPECT_EQ(r->guest.status(), 0x0fu);
}

TEST_P(packed, queue_reset_starts_again_at_slot_0_and_wrap_1)
{
    ROWS("VQ-06", "VQ-09", "PACK-03", "MMIO-DRV-16");
    go_live(5, {VMMIO_F_RING_RESET});
    for (const uint32_t size : {3u, 16u, 1u, 100u}) {
        for (int i = 0; i < 7; i++)
            ASSERT_TRUE(r->exchange_packed({r->writable(4)}).has_value());
        r->write_queue(0, VMMIO_REG_QUEUE_RESET, 1);
        EXPECT_EQ(r->read(VMMIO_REG_QUEUE_RESET), 0u);
        r->packed_queues[0] = std::make_unique<packed_queue>(r->make_packed_queue(size));
        r->guest.enable_queue(0, q());
        EXPECT_EQ(r->read(VMMIO_REG_QUEUE_READY), 1u);
    }
    EXPECT_TRUE(r->exchange_packed({r->writable(4)}).has_value());
}

TEST_P(packed, suspend_waits_for_what_is_in_flight_and_resume_goes_on)
{
    ROWS("SUSP-07", "SUSP-11");
    function.hold();
    go_live(7, {VMMIO_F_SUSPEND});
    for (int i = 0; i < 3; i++)
        q().offer({r->writable(4)});
    kick();
    ASSERT_EQ(function.held.size(), 3u);
    r->guest.add_status(VMMIO_STATUS_SUSPEND);
    EXPECT_EQ(r->guest.status() & VMMIO_STATUS_SUSPEND, 0u);
    q().offer({r->writable(4)});
    for (const size_t i : {2u, 0u, 1u})
        vmmio_request_complete(function.held[i], 0);
    function.held.clear();
    for (int i = 0; i < 3; i++)
        EXPECT_TRUE(q().reap().has_value());
    EXPECT_EQ(r->guest.interrupts(), 1u);
    EXPECT_NE(r->guest.status() & VMMIO_STATUS_SUSPEND, 0u);
    r->memory.log.clear();
    r->guest.kick(0);
    r->run();
    EXPECT_TRUE(r->memory.log.empty()) << "the ring is left alone";
    r->guest.add_status(VMMIO_STATUS_DRIVER_OK);
    r->run();
    EXPECT_EQ(function.held.size(), 1u) << "what came meanwhile";
}

TEST_P(packed, spurious_kicks_are_harmless)
{
    ROWS("PACK-33", "H-38");
    go_live();
    for (int i = 0; i < 10000; i++)
        r->guest.kick(0);
    r->memory.log.clear();
    r->run();
    EXPECT_LE(r->memory.log.size(), 4u) << "a kick is an order to look, once";
    EXPECT_EQ(r->guest.interrupts(), 0u);
}

TEST_P(packed, hints_of_a_notification_are_not_trusted)
{
    ROWS("DNOT-04", "DNOT-05", "PACK-32", "A-NDATA");
    go_live(5, {VMMIO_F_NOTIFICATION_DATA});
    for (const uint32_t hint : {0x00030000u, 0x7fff0000u, 0xffff0000u, 0x80000000u, 0u}) {
        q().offer({r->writable(8)});
        r->guest.kick(hint);
        r->guest.kick(hint);
        r->run();
        EXPECT_TRUE(q().reap().has_value()) << hint;
        EXPECT_FALSE(q().reap().has_value());
    }
    EXPECT_EQ(r->guest.status(), 0x0fu);
}

/* The order of accesses shows on the bus only. */
TEST(packed_on_the_bus, fetches_every_field_once_and_in_order)
{
    ROWS("A-DBLFETCH", "PACK-12", "PACK-24", "PACK-30", "PACK-43", "H-16");
    test_function function;
    function.on_request = [](vmmio_request *request) { increment(request, 8); };
    rig_options options;
    options.mode = dma_mode::transaction;
    options.features = feature_set({VMMIO_F_VERSION_1, VMMIO_F_RING_PACKED});
    rig r(function.function(), options);
    r.go_live(options.features);
    packed_queue &q = r.packed(0);
    const piece in = r.readable(8), out = r.writable(8);
    q.offer({in, out});
    std::vector<dma_access> bus;
    r.memory.on_transaction = [&bus](const dma_access &access) { bus.push_back(access); };
    r.guest.kick(0);
    r.run();
    r.memory.on_transaction = nullptr;

    const std::vector<dma_access> expected = {
        {q.desc + 14, 2, false, false},  /* flags */
        {q.desc, 14, false, false},      /* the rest */
        {q.desc + 16, 16, false, false}, /* the second descriptor */
        {in.address, 8, false, false},   {out.address, 8, true, false},
        {q.desc + 46, 2, false, false}, /* is there another buffer? */
        {q.desc + 8, 8, true, false},   /* length, id and flags of the one used descriptor */
    };
    ASSERT_GE(bus.size(), expected.size());
    for (size_t i = 0; i < expected.size(); i++) {
        EXPECT_EQ(bus[i].address, expected[i].address) << i;
        EXPECT_EQ(bus[i].length, expected[i].length) << i;
        EXPECT_EQ(bus[i].write, expected[i].write) << i;
    }
    for (size_t i = expected.size(); i < bus.size(); i++)
        EXPECT_FALSE(bus[i].write) << "what is used is not written again";
}

TEST(packed_on_the_bus, the_first_of_a_batch_is_marked_last)
{
    ROWS("PACK-18", "PACK-30");
    null_function null;
    rig_options options;
    options.mode = dma_mode::transaction;
    options.features = feature_set({VMMIO_F_VERSION_1, VMMIO_F_RING_PACKED});
    rig r(null.function, options);
    r.go_live(options.features);
    packed_queue &q = r.packed(0);
    for (int i = 0; i < 5; i++)
        q.add({r.writable(8)});
    q.publish();
    std::vector<uint64_t> marked; /* slots, in the order of their flags */
    r.memory.on_transaction = [&](const dma_access &a) {
        for (uint32_t slot = 0; slot < 16; slot++)
            if (a.write && a.address <= q.desc + 16 * slot + 14 &&
                a.address + a.length >= q.desc + 16 * slot + 16)
                marked.push_back(slot);
    };
    r.guest.kick(0);
    r.run();
    r.memory.on_transaction = nullptr;
    EXPECT_EQ(marked, (std::vector<uint64_t>{1, 2, 3, 4, 0}));
}

TEST(packed_set_up, sizes_and_places_are_judged)
{
    ROWS("PACK-01", "PACK-23", "MMIO-DRV-10", "A-QSIZE-BAD", "A-QADDR-BAD");
    test_function function;
    rig_options options;
    options.features = feature_set({VMMIO_F_VERSION_1, VMMIO_F_RING_PACKED});
    options.queue_size_max = 100;
    rig r(function.function(), options);
    EXPECT_EQ(r.read_queue(0, VMMIO_REG_QUEUE_SIZE_MAX), 100u);
    const uint64_t at = r.alloc(0x1000, 4096);
    const ring_place good = {at, at + 0x800, at + 0x900, 3};
    const auto enabled = [&r](const ring_place &place, std::initializer_list<unsigned> bits) {
        vmmio_features features = feature_set({VMMIO_F_VERSION_1});
        for (const unsigned bit : bits)
            vmmio_features_add(&features, bit);
        EXPECT_TRUE(r.guest.negotiate(features));
        r.guest.enable_queue(0, place);
        return r.read(VMMIO_REG_QUEUE_READY) == 1;
    };
    EXPECT_TRUE(enabled(good, {VMMIO_F_RING_PACKED}));
    EXPECT_FALSE(enabled(good, {})) << "a split ring of 3";
    for (const uint32_t size : {1u, 99u, 100u}) {
        ring_place place = good;
        place.size = size;
        EXPECT_TRUE(enabled(place, {VMMIO_F_RING_PACKED})) << size;
    }
    for (const uint32_t size : {0u, 101u, 128u, 0x10003u, 0xffffffffu}) {
        ring_place place = good;
        place.size = size;
        EXPECT_FALSE(enabled(place, {VMMIO_F_RING_PACKED})) << size;
    }
    const ring_place bad[] = {
        {at + 8, good.driver, good.device, 3},
        {at, good.driver + 2, good.device, 3},
        {at, good.driver, good.device + 2, 3},
        {at, good.driver, good.driver, 3},
        {at, at + 44, good.device, 3},
        {at, good.driver, at + 4, 3},
        {UINT64_MAX - 31, good.driver, good.device, 3},
    };
    for (const ring_place &place : bad)
        EXPECT_FALSE(enabled(place, {VMMIO_F_RING_PACKED}));
    const ring_place edge = {UINT64_MAX - 47, good.driver, good.device, 3};
    EXPECT_TRUE(enabled(edge, {VMMIO_F_RING_PACKED})) << "it ends at 2^64";
}

TEST(packed_set_up, packed_is_refused_once_a_queue_is_enabled)
{
    ROWS("H-31", "FEAT-11");
    test_function function;
    rig_options options;
    options.features = feature_set({VMMIO_F_VERSION_1, VMMIO_F_RING_PACKED});
    rig r(function.function(), options);
    r.guest.reset();
    r.guest.add_status(VMMIO_STATUS_ACKNOWLEDGE | VMMIO_STATUS_DRIVER);
    const virtqueue split = r.make_queue(16);
    r.guest.enable_queue(0, split);
    r.guest.accept(options.features);
    r.guest.add_status(VMMIO_STATUS_FEATURES_OK);
    EXPECT_EQ(r.guest.status() & VMMIO_STATUS_FEATURES_OK, 0u);
    r.go_live(options.features);
    EXPECT_TRUE(r.exchange_packed({r.writable(8)}).has_value()) << "a reset recovers";
}

TEST(packed_set_up, an_odd_maximum_needs_packed_rings)
{
    ROWS("PACK-01", "SPLIT-03");
    null_function null;
    rig_options options;
    options.queue_size_max = 100;
    EXPECT_THROW(rig(null.function, options), std::invalid_argument);
    vmmio_features_add(&options.features, VMMIO_F_RING_PACKED);
    EXPECT_NO_THROW(rig(null.function, options));
    for (const uint32_t size : {0u, 32769u}) {
        options.queue_size_max = size;
        EXPECT_THROW(rig(null.function, options), std::invalid_argument);
    }
}

} // namespace
} // namespace vmmio::tb
