/* SPDX-License-Identifier: Apache-2.0 */
/* IN_ORDER in both ring formats: what the function gives back early waits for its turn. */
#include "requests.h"
#include "rig.h"

#include <random>

namespace vmmio::tb
{
namespace
{

using way = std::tuple<dma_mode, bool>; /* and whether rings are packed */

class in_order : public ::testing::TestWithParam<way>
{
protected:
    in_order()
    {
        function.hold();
        rig_options options;
        options.mode = std::get<0>(GetParam());
        vmmio_features_add(&options.features, VMMIO_F_RING_PACKED);
        vmmio_features_add(&options.features, VMMIO_F_IN_ORDER);
        options.requests = 8;
        r = std::make_unique<rig>(function.function(), options);
        go_live();
    }
    bool is_packed() const { return std::get<1>(GetParam()); }
    void go_live(std::initializer_list<unsigned> more = {})
    {
        vmmio_features features = feature_set({VMMIO_F_VERSION_1, VMMIO_F_IN_ORDER});
        if (is_packed())
            vmmio_features_add(&features, VMMIO_F_RING_PACKED);
        for (const unsigned bit : more)
            vmmio_features_add(&features, bit);
        function.held.clear();
        r->go_live(features, 2, 16);
    }
    /* Offers a buffer of so many writable bytes in so many descriptors; its head or id. */
    uint16_t offer(uint32_t bytes = 4, uint32_t descriptors = 1, uint32_t queue = 0)
    {
        const std::vector<piece> pieces =
            cut(r->alloc(bytes * descriptors), bytes * descriptors, true, bytes);
        if (is_packed())
            return r->packed(queue).offer(pieces);
        const uint16_t head = r->queue(queue).add(pieces);
        r->queue(queue).offer(head);
        return head;
    }
    std::optional<used_entry> reap(uint32_t queue = 0)
    {
        if (!is_packed())
            return r->queue(queue).reap();
        const std::optional<packed_used> used = r->packed(queue).reap();
        return used ? std::optional<used_entry>({used->id, used->length}) : std::nullopt;
    }
    size_t entries() { return is_packed() ? r->packed(0).entries_read : r->queue(0).entries_read; }
    /* Reaps all that there is. */
    std::vector<uint16_t> drain()
    {
        std::vector<uint16_t> ids;
        while (const std::optional<used_entry> used = reap())
            ids.push_back(static_cast<uint16_t>(used->id));
        return ids;
    }
    void kick(uint32_t queue = 0)
    {
        r->guest.kick(queue);
        r->run();
    }
    std::vector<uint16_t> hold(size_t count)
    {
        std::vector<uint16_t> ids;
        for (size_t i = 0; i < count; i++)
            ids.push_back(offer());
        kick();
        EXPECT_EQ(function.held.size(), count);
        return ids;
    }

    test_function function;
    std::unique_ptr<rig> r;
};

std::string way_name(const ::testing::TestParamInfo<way> &info)
{
    return name_of(std::get<0>(info.param)) + (std::get<1>(info.param) ? "_packed" : "_split");
}

INSTANTIATE_TEST_SUITE_P(memory, in_order, ::testing::Combine(every_dma_mode(), ::testing::Bool()),
                         way_name);

/* A packed list has but one order. */
class in_order_split : public in_order
{
};

INSTANTIATE_TEST_SUITE_P(memory, in_order_split,
                         ::testing::Combine(every_dma_mode(), ::testing::Values(false)), way_name);

TEST_P(in_order, what_is_done_early_waits)
{
    ROWS("RFB-08", "VQ-03");
    const std::vector<uint16_t> ids = hold(4);
    vmmio_request_complete(function.held[2], 4);
    vmmio_request_complete(function.held[1], 4);
    EXPECT_FALSE(reap().has_value());
    EXPECT_EQ(r->guest.interrupts(), 0u);
    vmmio_request_complete(function.held[0], 4);
    EXPECT_EQ(r->guest.interrupts(), 1u);
    EXPECT_EQ(drain(), (std::vector<uint16_t>{ids[0], ids[1], ids[2]}));
    vmmio_request_complete(function.held[3], 4);
    EXPECT_EQ(drain(), (std::vector<uint16_t>{ids[3]}));
}

TEST_P(in_order, one_entry_stands_for_a_batch)
{
    ROWS("SPLIT-40", "SPLIT-41", "PACK-17");
    const std::vector<uint16_t> ids = hold(4);
    for (const size_t i : {1u, 2u, 3u, 0u})
        vmmio_request_complete(function.held[i], 4);
    EXPECT_EQ(drain(), ids);
    EXPECT_EQ(entries(), 1u);
    if (is_packed()) {
        EXPECT_EQ(r->packed(0).used_position(), 0x8004u);
    } else {
        EXPECT_EQ(r->queue(0).used_idx(), 4u);
        EXPECT_EQ(r->memory.load32(r->queue(0).device + 4), ids[3]) << "of the last one";
        EXPECT_EQ(r->memory.load32(r->queue(0).device + 12), 0u) << "no other entry";
    }
}

TEST_P(in_order, a_buffer_that_is_not_full_needs_its_own_entry)
{
    ROWS("SPLIT-40", "SPLIT-41", "PACK-17", "A-RING-USEDLEN");
    const std::vector<uint16_t> ids = hold(5);
    const uint32_t lengths[] = {4, 3, 4, 0, 1}; /* of 4 */
    for (const size_t i : {4u, 3u, 2u, 1u, 0u})
        vmmio_request_complete(function.held[i], lengths[i]);
    for (size_t i = 0; i < 5; i++) {
        const std::optional<used_entry> used = reap();
        ASSERT_TRUE(used.has_value());
        EXPECT_EQ(used->id, ids[i]);
        EXPECT_EQ(used->length, lengths[i]);
    }
    EXPECT_EQ(entries(), 3u) << "0 and 1, 2 and 3, 4";
}

TEST_P(in_order, buffers_without_writable_bytes_are_always_full)
{
    ROWS("SPLIT-41", "PACK-17", "PACK-07");
    function.on_request = [](vmmio_request *request) { vmmio_request_complete(request, 0); };
    for (int i = 0; i < 3; i++) {
        const std::vector<piece> pieces = {r->readable(4), r->readable(0)};
        if (is_packed())
            r->packed(0).offer(pieces);
        else
            r->queue(0).offer(r->queue(0).add(pieces));
    }
    kick();
    EXPECT_EQ(drain().size(), 3u);
    EXPECT_EQ(entries(), 1u);
}

TEST_P(in_order, laps_and_lists_of_any_length)
{
    ROWS("RFB-08", "SPLIT-40", "PACK-17", "PACK-12", "H-65");
    std::minstd_rand random(5);
    for (int i = 0; i < 2000; i++) {
        const uint32_t count = random() % 4 + 1;
        std::vector<uint16_t> ids;
        for (uint32_t k = 0; k < count; k++)
            ids.push_back(offer(1, random() % 4 + 1));
        kick();
        ASSERT_EQ(function.held.size(), count);
        while (!function.held.empty()) {
            const size_t which = random() % function.held.size();
            vmmio_request *request = function.held[which];
            vmmio_request_complete(request, random() % 3 ? request->writable_bytes
                                                         : random() % request->writable_bytes);
            function.held.erase(function.held.begin() + static_cast<long>(which));
        }
        ASSERT_EQ(drain(), ids);
    }
    EXPECT_EQ(r->guest.status(), 0x0fu);
}

TEST_P(in_order, queues_do_not_wait_for_each_other)
{
    ROWS("RFB-08");
    hold(1);
    offer(4, 1, 1);
    kick(1);
    ASSERT_EQ(function.held.size(), 2u);
    vmmio_request_complete(function.held[1], 4);
    EXPECT_TRUE(reap(1).has_value());
    EXPECT_FALSE(reap(0).has_value());
}

TEST_P(in_order, event_index_of_a_batch)
{
    ROWS("A-EVENT", "SPLIT-33", "PACK-21", "RFB-08");
    for (uint16_t event = 0; event < 6; event++) {
        go_live({VMMIO_F_EVENT_IDX});
        if (is_packed())
            r->packed(0).set_driver_event({static_cast<uint16_t>(event | 0x8000), 2});
        else
            r->queue(0).set_used_event(event);
        const std::vector<uint16_t> ids = hold(4);
        for (const size_t i : {3u, 2u, 1u, 0u})
            vmmio_request_complete(function.held[i], 4);
        EXPECT_EQ(r->guest.interrupts(), event < 4 ? 1u : 0u) << event;
        EXPECT_EQ(drain(), ids);
        function.held.clear();
    }
}

TEST_P(in_order, suspend_waits_for_all_of_them)
{
    ROWS("SUSP-11", "RFB-08");
    go_live({VMMIO_F_SUSPEND});
    const std::vector<uint16_t> ids = hold(3);
    vmmio_request_complete(function.held[1], 4);
    vmmio_request_complete(function.held[2], 4);
    r->guest.add_status(VMMIO_STATUS_SUSPEND);
    EXPECT_EQ(r->guest.status() & VMMIO_STATUS_SUSPEND, 0u);
    vmmio_request_complete(function.held[0], 4);
    EXPECT_NE(r->guest.status() & VMMIO_STATUS_SUSPEND, 0u);
    EXPECT_EQ(drain(), ids);
}

/* Request structs that wait are nobody's after a stop: they must not be lost. */
TEST_P(in_order, whatever_stops_the_queue_frees_what_waits)
{
    ROWS("VQ-04", "A-RESET-INFLIGHT", "H-34", "RFB-08");
    for (const char *how : {"queue reset", "QueueReady = 0", "reset", "needs reset"}) {
        go_live({VMMIO_F_RING_RESET});
        hold(8); /* all there are */
        for (size_t i = 1; i < 8; i++)
            vmmio_request_complete(function.held[i], 4);
        r->memory.log.clear();
        if (how[0] == 'q')
            r->write_queue(0, VMMIO_REG_QUEUE_RESET, 1);
        else if (how[0] == 'Q')
            r->write_queue(0, VMMIO_REG_QUEUE_READY, 0);
        else if (how[0] == 'r')
            r->guest.reset();
        else
            vmmio_device_needs_reset(&r->device);
        vmmio_request_complete(function.held[0], 4);
        EXPECT_TRUE(r->memory.log.empty()) << how;
        go_live();
        const std::vector<uint16_t> ids = hold(8);
        for (size_t i = 0; i < 8; i++)
            vmmio_request_complete(function.held[i], 4);
        EXPECT_EQ(drain(), ids) << how;
        function.held.clear();
    }
}

TEST_P(in_order_split, descriptors_need_not_follow_one_another)
{
    ROWS("SPLIT-14", "SPLIT-20");
    go_live({VMMIO_F_INDIRECT_DESC});
    function.on_request = [](vmmio_request *request) { increment(request, 4); };
    virtqueue &q = r->queue(0);
    const uint64_t in = r->alloc(2), out = r->alloc(2), table = r->alloc(64);
    r->memory.name(in, 2, may_read);
    r->memory.name(out, 2, may_write);
    r->memory.name(table, 64, may_read);
    r->memory.set_bytes(in, {7, 8});
    /* 9 -> 3 -> 12 -> 5, then the same in a table, 0 -> 3 -> 1 -> 2 */
    q.set_desc(9, in, 1, next_flag, 3);
    q.set_desc(3, in + 1, 1, next_flag, 12);
    q.set_desc(12, out, 1, next_flag | write_flag, 5);
    q.set_desc(5, out + 1, 1, write_flag, 0);
    q.offer(9);
    kick();
    EXPECT_EQ(r->memory.bytes(out, 2), (std::vector<uint8_t>{8, 9}));
    r->memory.set_bytes(in, {17, 18});
    const uint32_t order[] = {9, 3, 12, 5}, place[] = {0, 3, 1, 2};
    for (size_t i = 0; i < 4; i++) {
        r->memory.set_bytes(table + 16 * place[i], r->memory.bytes(q.desc + 16 * order[i], 16));
        r->memory.store16(table + 16 * place[i] + 14,
                          static_cast<uint16_t>(i < 3 ? place[i + 1] : 0));
    }
    q.set_desc(0, table, 64, indirect_flag, 0);
    q.offer(0);
    kick();
    EXPECT_EQ(r->memory.bytes(out, 2), (std::vector<uint8_t>{18, 19}));
    EXPECT_EQ(q.used_idx(), 2u);
    EXPECT_EQ(r->guest.status(), 0x0fu);
}

} // namespace
} // namespace vmmio::tb
