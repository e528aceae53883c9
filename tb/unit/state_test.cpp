/* SPDX-License-Identifier: Apache-2.0 */
/* Save and restore: everything that a driver can see survives it, and nothing else gets in. */
#include "rig.h"

#include <random>

namespace vmmio::tb
{
using bytes = std::vector<uint8_t>;

namespace
{

/* All that a driver can read, whatever it has selected. */
bytes all_registers(rig &r)
{
    bytes seen;
    for (uint32_t offset = 0; offset < 0x100 + VMMIO_CONFIG_MAX; offset += 4) {
        const uint32_t value = vmmio_block_peek(&r.device.block, offset);
        for (unsigned i = 0; i < 4; i++)
            seen.push_back(uint8_t(value >> 8 * i));
    }
    for (uint32_t i = 0; i < r.device.block.is.queue_count; i++) {
        const vmmio_queue_registers &q = r.device.block.is.queues[i];
        for (const uint64_t value :
             {uint64_t{q.size}, q.desc, q.driver, q.device, uint64_t{q.ready}, uint64_t{q.reset}})
            for (unsigned n = 0; n < 8; n++)
                seen.push_back(uint8_t(value >> 8 * n));
    }
    return seen;
}

/* A new device in the same state reads the same, and saves the same. */
void expect_round_trip(rig &r)
{
    const bytes state = r.save();
    const bytes seen = all_registers(r);
    ASSERT_TRUE(r.move());
    EXPECT_EQ(all_registers(r), seen);
    EXPECT_EQ(r.save(), state);
}

struct subject {
    test_function function;
    std::unique_ptr<rig> r;

    explicit subject(rig_options options = {})
    {
        function.config = {1, 2, 3, 4, 5, 6};
        function.use_config();
        options.queue_size_max = 64;
        r = std::make_unique<rig>(function.function(), options);
        const vmmio_shm_region zero = {0, 0x100000000, 0x10000}, other = {7, 0x200000000, 1};
        EXPECT_EQ(vmmio_shm_add(vmmio_device_shm(&r->device), &other), VMMIO_ERROR_OK);
        EXPECT_EQ(vmmio_shm_add(vmmio_device_shm(&r->device), &zero), VMMIO_ERROR_OK);
        r->renew = [this] { function.held.clear(); };
    }
};

TEST(state, every_step_of_a_driver_survives)
{
    subject s;
    rig &r = *s.r;
    const auto step = [&r](uint32_t offset, uint32_t value) {
        r.write(offset, value);
        SCOPED_TRACE("after a write to offset " + std::to_string(offset));
        expect_round_trip(r);
    };

    expect_round_trip(r);
    step(VMMIO_REG_STATUS, 0);
    step(VMMIO_REG_STATUS, 1);
    step(VMMIO_REG_STATUS, 3);
    step(VMMIO_REG_DEVICE_FEATURES_SEL, 1);
    step(VMMIO_REG_DRIVER_FEATURES_SEL, 0);
    step(VMMIO_REG_DRIVER_FEATURES, 1u << VMMIO_F_EVENT_IDX | 1u << VMMIO_F_INDIRECT_DESC);
    step(VMMIO_REG_DRIVER_FEATURES_SEL, 1);
    step(VMMIO_REG_DRIVER_FEATURES, 1 | 1u << (VMMIO_F_SUSPEND - 32));
    step(VMMIO_REG_STATUS, 11);
    ASSERT_EQ(r.read(VMMIO_REG_STATUS), 11u);
    step(VMMIO_REG_SHM_SEL, 7);
    EXPECT_EQ(r.read(VMMIO_REG_SHM_LEN_LOW), 1u);
    step(VMMIO_REG_SHM_SEL, 0);
    EXPECT_EQ(r.read(VMMIO_REG_SHM_BASE_HIGH), 1u);
    step(VMMIO_REG_SHM_SEL, 300);
    EXPECT_EQ(r.read(VMMIO_REG_SHM_BASE_HIGH), UINT32_MAX);
    virtqueue queue = r.make_queue(16);
    step(VMMIO_REG_QUEUE_SEL, 1);
    step(VMMIO_REG_QUEUE_SIZE, 16);
    step(VMMIO_REG_QUEUE_DESC_LOW, uint32_t(queue.desc));
    step(VMMIO_REG_QUEUE_DRIVER_LOW, uint32_t(queue.driver));
    step(VMMIO_REG_QUEUE_DEVICE_LOW, uint32_t(queue.device));
    step(VMMIO_REG_QUEUE_READY, 1);
    EXPECT_EQ(r.read(VMMIO_REG_QUEUE_READY), 1u);
    step(VMMIO_REG_STATUS, 15);
    queue.offer(queue.add({r.readable(8), r.writable(8)}));
    step(VMMIO_REG_QUEUE_NOTIFY, 1);
    EXPECT_TRUE(vmmio_device_has_work(&r.device)); /* the kick is remembered */
    r.run();
    EXPECT_TRUE(queue.reap());
    expect_round_trip(r);
    EXPECT_TRUE(r.line);
    s.function.config[3] = 77;
    vmmio_device_config_changed(&r.device);
    expect_round_trip(r);
    EXPECT_EQ(r.read(VMMIO_REG_INTERRUPT_STATUS), 3u);
    EXPECT_EQ(r.read(VMMIO_REG_CONFIG_GENERATION), 1u);
    step(VMMIO_REG_INTERRUPT_ACK, 1);
    step(VMMIO_REG_INTERRUPT_ACK, 2);
    EXPECT_FALSE(r.line);
    step(VMMIO_REG_STATUS, 31);
    EXPECT_EQ(r.read(VMMIO_REG_STATUS), 27u);
    vmmio_device_regions_changed(&r.device); /* told when it resumes (SUSP-08) */
    expect_round_trip(r);
    step(VMMIO_REG_STATUS, 15);
    EXPECT_EQ(r.read(VMMIO_REG_INTERRUPT_STATUS), 2u);
    vmmio_device_needs_reset(&r.device);
    expect_round_trip(r);
    EXPECT_EQ(r.read(VMMIO_REG_STATUS), 0x4fu);
    step(VMMIO_REG_STATUS, 0x80);
    step(VMMIO_REG_STATUS, 0);
    EXPECT_EQ(r.read(VMMIO_REG_STATUS), 0u);
    EXPECT_EQ(r.count(VMMIO_DIAG_STATUS_AFTER_FAILED), 0u);
}

TEST(state, a_reset_that_is_held_goes_on)
{
    rig_options options;
    options.hold_reset = true;
    subject s(options);
    rig &r = *s.r;
    r.write(VMMIO_REG_STATUS, 0);
    vmmio_device_complete_reset(&r.device);
    r.guest.add_status(1);
    r.write(VMMIO_REG_STATUS, 0);
    ASSERT_EQ(r.read(VMMIO_REG_STATUS), 1u);
    expect_round_trip(r);
    EXPECT_TRUE(vmmio_device_reset_held(&r.device));
    EXPECT_EQ(r.read(VMMIO_REG_STATUS), 1u);
    vmmio_device_complete_reset(&r.device);
    EXPECT_EQ(r.read(VMMIO_REG_STATUS), 0u);
    expect_round_trip(r);

    r.guest.add_status(1);
    r.write(VMMIO_REG_STATUS, 0);
    subject without; /* nobody would end it there */
    EXPECT_EQ(without.r->restore(r.save()), VMMIO_ERROR_STATE_DEVICE);
}

/* SUSP-09: it waits for requests that the restored function completes. */
TEST(state, a_suspend_that_waits_goes_on)
{
    ROWS("SUSP-09");
    subject s;
    rig &r = *s.r;
    s.function.hold();
    r.go_live(feature_set({VMMIO_F_VERSION_1, VMMIO_F_SUSPEND}), 1);
    r.serve({r.readable(4), r.writable(4)});
    r.guest.set_status(31);
    ASSERT_EQ(r.read(VMMIO_REG_STATUS), 15u);
    ASSERT_TRUE(r.move());
    EXPECT_EQ(r.read(VMMIO_REG_STATUS), 15u);
    r.run();
    ASSERT_EQ(s.function.held.size(), 1u);
    EXPECT_EQ(r.read(VMMIO_REG_STATUS), 15u);
    vmmio_request_complete(s.function.held[0], 4);
    EXPECT_EQ(r.read(VMMIO_REG_STATUS), 27u);
    EXPECT_TRUE(r.queue(0).reap());
}

TEST(state, requests_in_the_function_are_handed_over_again)
{
    subject s;
    rig &r = *s.r;
    s.function.hold();
    r.go_live(2);
    const piece in = r.readable(6), empty = r.readable(0), out = r.writable(10);
    r.memory.set_bytes(in.address, {1, 2, 3, 4, 5, 6});
    r.queue(1).offer(r.queue(1).add({in, empty, out}));
    r.guest.kick(1);
    r.run();
    const uint16_t first = r.queue(1).add({r.writable(3)});
    r.queue(1).offer(first);
    r.guest.kick(1);
    r.run();
    ASSERT_EQ(s.function.held.size(), 2u);
    /* What is in the table by now is nobody's business. */
    r.memory.fill(r.queue(1).desc, 16 * 16, 0xff);

    ASSERT_TRUE(r.move());
    ASSERT_TRUE(s.function.held.empty());
    EXPECT_TRUE(vmmio_device_has_work(&r.device));
    const bytes state = r.save(); /* not yet handed over: still there */
    ASSERT_TRUE(r.move());
    EXPECT_EQ(r.save().size(), state.size());
    r.run();
    ASSERT_EQ(s.function.held.size(), 2u);
    const auto long_one = std::find_if(s.function.held.begin(), s.function.held.end(),
                                       [](vmmio_request *q) { return q->readable_bytes == 6; });
    ASSERT_NE(long_one, s.function.held.end());
    EXPECT_EQ((*long_one)->writable_bytes, 10u);
    EXPECT_EQ((*long_one)->queue, 1u);
    bytes data(6);
    EXPECT_TRUE(vmmio_request_read(*long_one, 0, data.data(), 6));
    EXPECT_EQ(data, (bytes{1, 2, 3, 4, 5, 6}));
    EXPECT_TRUE(vmmio_request_write(*long_one, 0, data.data(), 6));
    for (vmmio_request *request : s.function.held)
        vmmio_request_complete(request, 3);
    EXPECT_EQ(r.memory.bytes(out.address, 6), data);
    EXPECT_TRUE(r.queue(1).reap());
    EXPECT_TRUE(r.queue(1).reap());
    EXPECT_FALSE(r.queue(1).reap());
}

/* Ids, slots and the order come from the stream; the ring's slots may be others' by now. */
TEST(state, requests_of_a_packed_ring_keep_their_order)
{
    rig_options options;
    vmmio_features_add(&options.features, VMMIO_F_RING_PACKED);
    vmmio_features_add(&options.features, VMMIO_F_IN_ORDER);
    subject s(options);
    rig &r = *s.r;
    r.go_live(feature_set({VMMIO_F_VERSION_1, VMMIO_F_RING_PACKED, VMMIO_F_IN_ORDER}), 1, 7);
    for (unsigned lap = 0; lap < 20; lap++) {
        s.function.hold();
        std::vector<uint16_t> ids;
        ids.push_back(r.packed(0).offer({r.readable(2), r.writable(8)}));
        ids.push_back(r.packed(0).offer({r.writable(8)}));
        ids.push_back(r.packed(0).offer({r.readable(1), r.readable(1), r.writable(8)}));
        r.guest.kick(0);
        r.run();
        ASSERT_EQ(s.function.held.size(), 3u);
        vmmio_request_complete(s.function.held[1], 5); /* waits for the first one */
        s.function.held.erase(s.function.held.begin() + 1);
        ASSERT_FALSE(r.packed(0).reap());

        const bytes state = r.save();
        ASSERT_TRUE(r.move());
        EXPECT_EQ(r.save(), state);
        r.run();
        ASSERT_EQ(s.function.held.size(), 2u) << "the other one is done";
        EXPECT_EQ(s.function.held[0]->readable_bytes, 2u);
        vmmio_request_complete(s.function.held[1], 7);
        EXPECT_FALSE(r.packed(0).reap());
        ASSERT_TRUE(r.move()); /* the third waits now */
        r.run();
        vmmio_request_complete(s.function.held.back(), 6);
        const uint32_t lengths[] = {6, 5, 7};
        for (unsigned i = 0; i < 3; i++) {
            const auto used = r.packed(0).reap();
            ASSERT_TRUE(used) << i;
            EXPECT_EQ(used->id, ids[i]);
            EXPECT_EQ(used->length, lengths[i]);
        }
        EXPECT_FALSE(r.packed(0).reap());
        s.function.held.clear();
    }
}

/* A stop or a reset that comes before the function got them takes them back. */
/* It was judged as a split ring when it was made ready, and its driver area is one's. */
TEST(state, a_ring_of_before_features_ok_stays_ready)
{
    rig_options options;
    vmmio_features_add(&options.features, VMMIO_F_RING_PACKED);
    subject s(options);
    rig &r = *s.r;
    r.guest.set_status(VMMIO_STATUS_ACKNOWLEDGE | VMMIO_STATUS_DRIVER);
    r.guest.accept(feature_set({VMMIO_F_VERSION_1, VMMIO_F_RING_PACKED}));
    r.guest.enable_queue(0, {ram_base, ram_base + 0x1002, ram_base + 0x2000, 64});
    EXPECT_EQ(r.read(VMMIO_REG_QUEUE_READY), 1u);
    expect_round_trip(r);
    r.guest.add_status(VMMIO_STATUS_FEATURES_OK);
    EXPECT_EQ(r.read(VMMIO_REG_QUEUE_READY), 1u);
    expect_round_trip(r);
    r.guest.start();
    expect_round_trip(r);
}

TEST(state, a_reset_drops_what_was_not_handed_over_yet)
{
    ROWS("A-RESET-INFLIGHT");
    rig_options options;
    options.requests = 2;
    subject s(options);
    rig &r = *s.r;
    s.function.hold();
    for (const bool whole : {false, true}) {
        r.go_live(1);
        for (unsigned i = 0; i < 2; i++)
            r.serve({r.writable(3)});
        ASSERT_EQ(s.function.held.size(), 2u);
        ASSERT_TRUE(r.move());
        EXPECT_FALSE(r.device.engine.free_requests);
        if (whole)
            r.guest.reset();
        else
            r.write_queue(0, VMMIO_REG_QUEUE_READY, 0);
        r.run();
        EXPECT_TRUE(s.function.held.empty());
        EXPECT_TRUE(r.device.engine.free_requests && r.device.engine.free_requests->next);
    }
}

TEST(state, is_refused_inside_of_an_access)
{
    subject s;
    rig &r = *s.r;
    unsigned asked = 0;
    s.function.on_request = [&](vmmio_request *request) {
        size_t length = 0;
        bytes buffer(65536);
        EXPECT_EQ(vmmio_device_save(&r.device, nullptr, buffer.data(), buffer.size(), &length),
                  VMMIO_ERROR_STATE_BUSY);
        asked++;
        vmmio_request_complete(request, 0);
    };
    const bytes state = r.save();
    r.on_interrupt = [&](bool) {
        EXPECT_EQ(r.restore(state), VMMIO_ERROR_STATE_BUSY);
        asked++;
    };
    r.go_live();
    EXPECT_TRUE(r.exchange({r.writable(1)}));
    EXPECT_EQ(asked, 2u);
}

/* Registers in Verilog stand between block and engine: they say what may be, and follow. */
TEST(state, asks_whoever_stands_between_block_and_engine)
{
    struct somebody {
        vmmio_error answer = VMMIO_ERROR_OK;
        unsigned judged = 0, followed = 0;
    } s;
    subject device;
    const bytes state = device.r->save();
    vmmio_between &between = device.r->device.between;
    size_t length = 0;

    between.back = &vmmio_engine_back_side;
    between.context = &s;
    EXPECT_EQ(vmmio_device_save(&device.r->device, nullptr, nullptr, 0, &length),
              VMMIO_ERROR_STATE_FORM);
    EXPECT_EQ(device.r->restore(state), VMMIO_ERROR_STATE_FORM);

    between.may_pass = [](void *context, const vmmio_block *block) {
        somebody &that = *static_cast<somebody *>(context);
        that.judged += block != nullptr;
        return block ? that.answer : VMMIO_ERROR_OK;
    };
    between.follow = [](void *context) { static_cast<somebody *>(context)->followed++; };
    device.r->go_live();
    const bytes live = device.r->save();
    s.answer = VMMIO_ERROR_STATE_FORM;
    EXPECT_EQ(device.r->restore(state), VMMIO_ERROR_STATE_FORM);
    EXPECT_EQ(device.r->save(), live);
    EXPECT_EQ(s.followed, 0u);
    s.answer = VMMIO_ERROR_OK;
    EXPECT_EQ(device.r->restore(state), VMMIO_ERROR_OK);
    EXPECT_EQ(device.r->save(), state);
    EXPECT_EQ(s.judged, 2u);
    EXPECT_EQ(s.followed, 1u);
}

TEST(state, says_how_much_room_it_needs)
{
    subject s;
    size_t length = 0;
    bytes buffer(10000, 0x77);
    EXPECT_EQ(vmmio_device_save(&s.r->device, nullptr, nullptr, 0, &length),
              VMMIO_ERROR_STATE_ROOM);
    const size_t needed = length;
    ASSERT_LT(needed, buffer.size());
    EXPECT_EQ(vmmio_device_save(&s.r->device, nullptr, buffer.data(), needed - 1, &length),
              VMMIO_ERROR_STATE_ROOM);
    EXPECT_EQ(length, needed);
    EXPECT_EQ(buffer, bytes(10000, 0x77)); /* not a byte of it was touched */
    EXPECT_EQ(vmmio_device_save(&s.r->device, nullptr, buffer.data(), needed, &length),
              VMMIO_ERROR_OK);
    EXPECT_EQ(buffer[needed], 0x77);
    EXPECT_EQ(vmmio_device_save(nullptr, nullptr, buffer.data(), needed, &length),
              VMMIO_ERROR_NULL_ARGUMENT);
    EXPECT_EQ(vmmio_device_save(&s.r->device, nullptr, nullptr, 1, &length),
              VMMIO_ERROR_NULL_ARGUMENT);
    EXPECT_EQ(vmmio_device_restore(&s.r->device, nullptr, nullptr, 1), VMMIO_ERROR_NULL_ARGUMENT);
}

TEST(state, keeps_the_times_of_a_host)
{
    subject s;
    const vmmio_state_times times = {123456789012345, 5};
    bytes buffer(10000);
    size_t length = 0;
    ASSERT_EQ(vmmio_device_save(&s.r->device, &times, buffer.data(), buffer.size(), &length),
              VMMIO_ERROR_OK);
    vmmio_state_times restored = {};
    ASSERT_EQ(vmmio_device_restore(&s.r->device, &restored, buffer.data(), length), VMMIO_ERROR_OK);
    EXPECT_EQ(restored.reset_in, times.reset_in);
    EXPECT_EQ(restored.work_in, times.work_in);
}

/* Into a device that is in the middle of something else. */
TEST(state, replaces_whatever_the_device_did)
{
    subject s;
    rig &r = *s.r;
    const bytes fresh = r.save();
    r.go_live(2);
    EXPECT_TRUE(r.exchange({r.writable(1)}));
    ASSERT_TRUE(r.line);
    const bytes live = r.save();
    const bytes seen = all_registers(r);
    const uint16_t position = r.queue(0).last_used;

    EXPECT_EQ(r.restore(fresh), VMMIO_ERROR_OK);
    EXPECT_FALSE(r.line);
    EXPECT_EQ(r.read(VMMIO_REG_STATUS), 0u);
    EXPECT_EQ(r.save(), fresh);
    EXPECT_EQ(r.restore(live), VMMIO_ERROR_OK);
    EXPECT_TRUE(r.line);
    EXPECT_EQ(all_registers(r), seen);
    EXPECT_TRUE(r.exchange({r.writable(1)}));
    EXPECT_EQ(r.queue(0).last_used, position + 1);
}

/* What the function holds of an earlier state is dropped, and its struct is not there yet. */
TEST(state, waits_for_requests_of_an_earlier_state)
{
    rig_options options;
    options.requests = 2;
    subject s(options);
    rig &r = *s.r;
    s.function.hold();
    r.go_live(1);
    r.serve({r.writable(3)});
    const bytes one = r.save();
    r.serve({r.writable(3)});
    const bytes two = r.save();

    EXPECT_EQ(r.restore(two), VMMIO_ERROR_STATE_BUSY);
    EXPECT_EQ(r.save(), two); /* as it was */
    vmmio_request_complete(s.function.held[1], 0);
    s.function.held.pop_back();
    EXPECT_EQ(r.restore(one), VMMIO_ERROR_OK);
    r.run();
    ASSERT_EQ(s.function.held.size(), 2u);
    vmmio_request_complete(s.function.held[0], 3); /* of the earlier state */
    EXPECT_EQ(r.queue(0).used_idx(), 1u);
    vmmio_request_complete(s.function.held[1], 3);
    EXPECT_EQ(r.queue(0).used_idx(), 1u); /* the position is the restored one */
    EXPECT_EQ(r.device.engine.is.queues[0].next_used, 1u);

    rig_options small;
    small.requests = 1;
    subject other(small);
    EXPECT_EQ(other.r->restore(two), VMMIO_ERROR_STATE_DEVICE); /* it can never hold two */
}

TEST(state, a_function_that_refuses_the_features_needs_a_reset)
{
    subject s;
    rig &r = *s.r;
    r.go_live();
    const bytes state = r.save();
    s.function.on_features_ok = [](const vmmio_features &) { return false; };
    EXPECT_EQ(r.restore(state), VMMIO_ERROR_OK);
    EXPECT_EQ(r.read(VMMIO_REG_STATUS), 0x4fu);
    EXPECT_TRUE(r.line);
}

/* What the platform changed meanwhile is told as usual. */
TEST(state, tells_the_driver_of_a_configuration_that_differs)
{
    subject s;
    rig &r = *s.r;
    r.go_live();
    const bytes state = r.save();
    s.function.config[0] = 99;
    EXPECT_EQ(r.restore(state), VMMIO_ERROR_OK);
    EXPECT_EQ(r.read(0x100, 1), 99u);
    EXPECT_EQ(r.read(VMMIO_REG_CONFIG_GENERATION), 1u);
    EXPECT_EQ(r.read(VMMIO_REG_INTERRUPT_STATUS), 2u);
}

} // namespace
} // namespace vmmio::tb
