/* SPDX-License-Identifier: Apache-2.0 */
/* The queue engine by itself: behind other registers than ours, on a bus that other tests lack. */
#include "rig.h"

namespace vmmio::tb
{
namespace
{

/* An engine behind other registers may get fewer segments than the queue is long. */
TEST(engine, chains_longer_than_the_segments_are_refused)
{
    ROWS("SPLIT-05", "H-04");
    null_function null;
    guest_memory memory(dma_mode::pointer);
    memory.add_ram(ram_base, ram_size);
    bool failed = false;
    const vmmio_front_side front = {
        [](void *) {}, [](void *f) { *static_cast<bool *>(f) = true; },
        [](void *) {}, [](void *, uint32_t) {},
        [](void *) {}, [](void *, const uint8_t *, bool) { return true; },
    };
    vmmio_queue queues[2];
    vmmio_request request;
    std::vector<vmmio_segment> segments(4); /* on the heap: sanitizers guard its end */
    vmmio_engine_config config = {};
    config.function = &null.function;
    config.memory = memory.port();
    config.queues = queues;
    config.queue_count = 2;
    config.requests = &request;
    config.request_count = 1;
    config.segments = segments.data();
    config.segment_count = 4;
    config.front = &front;
    config.front_context = &failed;
    vmmio_engine engine;
    ASSERT_EQ(vmmio_engine_init(&engine, &config), VMMIO_ERROR_OK);

    virtqueue q(memory, ram_base, 16);
    vmmio_queue_registers registers = {};
    registers.size = 16;
    registers.desc = q.desc;
    registers.driver = q.driver;
    registers.device = q.device;
    const vmmio_back_side &back = vmmio_engine_back_side;
    ASSERT_TRUE(back.queue_enable(&engine, 0, &registers));
    back.driver_ok(&engine);
    for (const uint64_t count : {4u, 5u}) {
        std::vector<piece> pieces;
        for (uint64_t i = 0; i < count; i++)
            pieces.push_back({ram_base + 0x10000 + 8 * i, 8, true});
        q.offer(q.add(pieces));
        back.notify(&engine, 0, 0);
        vmmio_engine_run(&engine, 10);
        EXPECT_EQ(failed, count == 5) << count;
    }
    EXPECT_EQ(q.used_idx(), 1u);
    EXPECT_EQ(engine.segments_each, 4u);
}

/* A bus whose every grant takes all earlier ones away must not keep the device busy for ever. */
TEST(engine, works_where_no_two_pointers_live_together)
{
    ROWS("SPLIT-01", "H-38");
    static rig *self;
    static uint32_t grants;
    test_function function;
    std::vector<uint32_t> writable;
    function.on_request = [&writable](vmmio_request *request) {
        writable.push_back(request->writable_bytes);
        vmmio_request_complete(request, 0);
    };
    rig r(function.function());
    self = &r;
    grants = 0;
    r.device.engine.is.memory.map = [](void *, uint64_t, uint64_t, bool) -> void * {
        static uint8_t poison[1 << 16]; /* whoever uses it finds no ring in it */
        if (grants++ < 10000)
            vmmio_device_forget_pointers(&self->device);
        return poison;
    };
    r.go_live(feature_set({VMMIO_F_VERSION_1, VMMIO_F_INDIRECT_DESC}));
    EXPECT_TRUE(r.exchange({r.writable(8)}).has_value());
    virtqueue &q = r.queue(0);
    q.offer(q.add_indirect({r.writable(3), r.writable(6)}, r.alloc(32)));
    r.guest.kick(0);
    r.run();
    EXPECT_EQ(writable, (std::vector<uint32_t>{8, 9})) << "read through no stale pointer";
    EXPECT_LT(grants, 1000u);
}

} // namespace
} // namespace vmmio::tb
