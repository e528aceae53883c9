/* SPDX-License-Identifier: Apache-2.0 */
/* Streams that are damaged, cut short, or made by somebody who means no good. */
#include "blk_rig.h"
#include "console_rig.h"
#include "net_rig.h"

#include <algorithm>
#include <random>

namespace vmmio::tb
{
namespace
{

constexpr size_t header_bytes = 24, checksum_at = 12;

/* The checksum that zlib has; "123456789" gives 0xcbf43926. */
uint32_t crc32(const uint8_t *data, size_t length)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < length; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            const bool odd = (crc ^ data[i] >> bit) & 1;
            crc = crc >> 1 ^ (odd ? 0xedb88320u : 0);
        }
    return ~crc;
}

void sign(bytes &state)
{
    const uint32_t crc = crc32(state.data() + header_bytes, state.size() - header_bytes);
    for (unsigned i = 0; i < 4; i++)
        state[checksum_at + i] = uint8_t(crc >> 8 * i);
}

/* A device in the middle of its work. */
struct victim {
    virtual ~victim() = default;
    virtual rig &r() = 0;
    /** Ends what the function has begun in a state that nobody chose. */
    virtual void settle() {}
};

struct configured_function : test_function {
    configured_function()
    {
        config = {1, 2, 3, 4};
        use_config();
    }
};

struct holding_victim : victim {
    configured_function function;
    rig it{function.function()};
    holding_victim()
    {
        it.go_live(feature_set({VMMIO_F_VERSION_1, VMMIO_F_EVENT_IDX, VMMIO_F_SUSPEND}), 2);
        EXPECT_TRUE(it.exchange({it.writable(4)}));
        function.hold();
        it.serve({it.readable(4), it.writable(100)});
        it.serve({it.writable(4)});
        it.queue(1).offer(it.queue(1).add({it.readable(7)}));
        it.guest.kick(1);
        it.run();
    }
    rig &r() override { return it; }
    void settle() override
    {
        for (vmmio_request *request : std::exchange(function.held, {}))
            vmmio_request_complete(request, 0);
    }
};

/* A packed ring in order, on its second lap; the second of three requests waits for the first. */
struct packed_victim : victim {
    configured_function function;
    rig it{function.function(), options()};
    static rig_options options()
    {
        rig_options o;
        vmmio_features_add(&o.features, VMMIO_F_RING_PACKED);
        vmmio_features_add(&o.features, VMMIO_F_IN_ORDER);
        return o;
    }
    packed_victim()
    {
        it.go_live(feature_set({VMMIO_F_VERSION_1, VMMIO_F_EVENT_IDX, VMMIO_F_RING_PACKED,
                                VMMIO_F_IN_ORDER}),
                   2, 5);
        for (unsigned i = 0; i < 3; i++)
            EXPECT_TRUE(it.exchange_packed({it.readable(4), it.writable(4)}));
        function.hold();
        it.packed(0).offer({it.writable(4)});
        it.packed(0).offer({it.readable(4), it.writable(4)});
        it.packed(0).offer({it.writable(4)});
        it.guest.kick(0);
        it.run();
        EXPECT_EQ(function.held.size(), 3u);
        vmmio_request_complete(function.held[1], 4);
        function.held.erase(function.held.begin() + 1);
    }
    rig &r() override { return it; }
    void settle() override
    {
        for (vmmio_request *request : std::exchange(function.held, {}))
            vmmio_request_complete(request, 0);
    }
};

struct blk_victim : victim {
    blk_rig b;
    blk_victim()
    {
        b.go_live();
        b.r->write(0x120, 0, 1);
        EXPECT_EQ(b.ask(OUT, 1, pattern(512, 2)).status, OK);
    }
    rig &r() override { return *b.r; }
};

struct console_victim : victim {
    console_rig c;
    static console_options options()
    {
        console_options o;
        o.ports = 3;
        o.prepare = [](std::vector<vmmio_console_port> &ports) { ports[1].name = "one"; };
        return o;
    }
    console_victim() : c(options())
    {
        c.greet();
        c.tell(1, 6, 1);
        c.budget = 2;
        c.offer(1, {c.readable(bytes_of("half of it"))});
        EXPECT_EQ(c.arrive(bytes_of("typed ahead"), 1), 11u);
    }
    rig &r() override { return *c.r; }
};

struct net_victim : victim {
    net_rig n;
    static net_options options()
    {
        net_options o;
        o.config.pairs = 2;
        return o;
    }
    net_victim() : n(options())
    {
        n.go_live();
        EXPECT_EQ(n.control(1, 1, {0x52, 1, 2, 3, 4, 5}), 0u);
        EXPECT_EQ(n.control(0, 1, {1}), 0u);
        EXPECT_EQ(n.control(4, 0, {2, 0}), 0u);
        EXPECT_TRUE(n.arrive(plain_frame(60, {0x52, 1, 2, 3, 4, 5})));
        EXPECT_TRUE(n.arrive(plain_frame(64, {0x52, 1, 2, 3, 4, 5})));
        EXPECT_EQ(n.net.backlog[0].count + n.net.backlog[1].count, 2u);
    }
    rig &r() override { return *n.r; }
};

std::unique_ptr<victim> make(const std::string &kind)
{
    if (kind == "blk")
        return std::make_unique<blk_victim>();
    if (kind == "console")
        return std::make_unique<console_victim>();
    if (kind == "net")
        return std::make_unique<net_victim>();
    if (kind == "packed")
        return std::make_unique<packed_victim>();
    return std::make_unique<holding_victim>();
}

class state_damage : public ::testing::TestWithParam<const char *>
{
protected:
    state_damage() : v(make(GetParam())), state(r().save()) {}
    rig &r() { return v->r(); }

    void expect_refusal(const bytes &damaged, const std::string &what)
    {
        const vmmio_error error =
            vmmio_device_restore(&r().device, nullptr, damaged.data(), damaged.size());
        ASSERT_NE(error, VMMIO_ERROR_OK) << what;
        ASSERT_GE(error, VMMIO_ERROR_STATE_MAGIC) << what;
    }
    void expect_untouched() { EXPECT_EQ(r().save(), state); }

    std::unique_ptr<victim> v;
    const bytes state;
};

TEST_P(state_damage, every_byte_is_guarded)
{
    ROWS("H-67");
    for (size_t i = 0; i < state.size(); i++)
        for (const uint8_t flip : {1, 0x80, 0xff}) {
            bytes damaged = state;
            damaged[i] = uint8_t(damaged[i] ^ flip);
            expect_refusal(damaged, "byte " + std::to_string(i));
        }
    expect_untouched();
}

TEST_P(state_damage, every_length_is_guarded)
{
    ROWS("H-67");
    for (size_t length = 0; length < state.size(); length++)
        expect_refusal({state.begin(), state.begin() + long(length)}, std::to_string(length));
    expect_refusal(state + bytes{0}, "one more");
    for (size_t length = header_bytes; length < state.size(); length++) { /* and made to fit */
        bytes cut(state.begin(), state.begin() + long(length));
        for (unsigned i = 0; i < 8; i++)
            cut[16 + i] = uint8_t(uint64_t{length} >> 8 * i);
        sign(cut);
        expect_refusal(cut, "made to fit " + std::to_string(length));
    }
    expect_untouched();
}

TEST_P(state_damage, says_what_is_wrong)
{
    const auto error_of = [this](size_t at, uint8_t flip) {
        bytes damaged = state;
        damaged[at] = uint8_t(damaged[at] ^ flip);
        return r().restore(damaged);
    };
    EXPECT_EQ(error_of(0, 1), VMMIO_ERROR_STATE_MAGIC);
    EXPECT_EQ(error_of(8, 3), VMMIO_ERROR_STATE_VERSION);
    EXPECT_EQ(error_of(11, 1), VMMIO_ERROR_STATE_VERSION);
    EXPECT_EQ(error_of(12, 1), VMMIO_ERROR_STATE_DAMAGED);
    EXPECT_EQ(error_of(16, 1), VMMIO_ERROR_STATE_DAMAGED);
    EXPECT_EQ(error_of(24, 1), VMMIO_ERROR_STATE_DAMAGED);
    EXPECT_EQ(r().restore({}), VMMIO_ERROR_STATE_MAGIC);
    for (int error = VMMIO_ERROR_STATE_BUSY; error <= VMMIO_ERROR_STATE_SESSION; error++)
        EXPECT_NE(std::string(vmmio_error_text(vmmio_error(error))).find(": "), std::string::npos);
    expect_untouched();
}

/*
 * With a good checksum anything may come. It is refused, or makes a state that a hostile driver
 * could have made: nothing outside of the device is hurt, and a reset makes it as new.
 */
TEST_P(state_damage, a_stream_made_on_purpose_does_no_harm)
{
    ROWS("H-67");
    std::mt19937 random(1);
    unsigned taken = 0, refused = 0;
    r().memory.judge(false);
    for (size_t i = 0; i < 3 * state.size() && !HasFailure(); i++) {
        const size_t at = header_bytes + random() % (state.size() - header_bytes - 8);
        const unsigned width = 1u << random() % 4;
        const uint64_t usual[] = {0,          1,          0x80,     0xffff,
                                  0x7fffffff, UINT64_MAX, random(), random() % 64};
        const uint64_t value = usual[random() % 8];
        bytes made = state;
        for (unsigned n = 0; n < width; n++)
            made[at + n] = uint8_t(value >> 8 * n);
        sign(made);

        const bytes before = r().save();
        if (r().restore(made) != VMMIO_ERROR_OK) {
            refused++;
            ASSERT_EQ(r().save(), before) << "offset " << at;
            continue;
        }
        taken++;
        for (unsigned slices = 0; vmmio_device_has_work(&r().device) && slices < 100; slices++)
            vmmio_device_run(&r().device, 64);
        v->settle();
        for (uint32_t offset = 0; offset < 0x200; offset += 4)
            vmmio_device_read(&r().device, offset, 4);
        const vmmio_error again = r().restore(r().save());
        ASSERT_TRUE(again == VMMIO_ERROR_OK) << vmmio_error_text(again);
        vmmio_device_write(&r().device, VMMIO_REG_STATUS, 4, 0);
        ASSERT_EQ(vmmio_device_read(&r().device, VMMIO_REG_STATUS, 4), 0u) << "offset " << at;
        v->settle();
    }
    EXPECT_GT(taken, 50u);
    EXPECT_GT(refused, 50u);
    EXPECT_EQ(r().restore(state), VMMIO_ERROR_OK);
}

INSTANTIATE_TEST_SUITE_P(of, state_damage,
                         ::testing::Values("plain", "packed", "blk", "console", "net"),
                         [](const auto &p) { return std::string(p.param); });

TEST(state_damage, the_checksum_is_that_of_zlib)
{
    const std::string digits = "123456789";
    EXPECT_EQ(crc32(reinterpret_cast<const uint8_t *>(digits.data()), digits.size()), 0xcbf43926u);
    null_function null;
    rig r(null.function);
    bytes state = r.save();
    const bytes original = state;
    sign(state);
    EXPECT_EQ(state, original);
}

/* Identity: one thing at a time is different. */
TEST(state_identity, another_device_is_refused)
{
    const auto saved = [](const rig_options &options, uint32_t queues, size_t config,
                          uint64_t region, unsigned bit) {
        test_function f(queues);
        f.config.resize(config);
        f.use_config();
        vmmio_features_add(&f.function().features, bit);
        rig r(f.function(), options);
        const vmmio_shm_region shm = {1, region, 4096};
        EXPECT_EQ(vmmio_shm_add(&r.device.block.shm, &shm), VMMIO_ERROR_OK);
        return r.save();
    };
    const rig_options usual;
    rig_options other_size, other_features;
    other_size.queue_size_max = 128;
    other_features.features = feature_set({VMMIO_F_EVENT_IDX});

    test_function f(2);
    f.config.resize(8);
    f.use_config();
    vmmio_features_add(&f.function().features, 0);
    rig r(f.function());
    const vmmio_shm_region shm = {1, 0x100000, 4096};
    ASSERT_EQ(vmmio_shm_add(&r.device.block.shm, &shm), VMMIO_ERROR_OK);
    EXPECT_EQ(r.restore(saved(usual, 2, 8, 0x100000, 0)), VMMIO_ERROR_OK);
    EXPECT_EQ(r.restore(saved(other_size, 2, 8, 0x100000, 0)), VMMIO_ERROR_STATE_DEVICE);
    EXPECT_EQ(r.restore(saved(other_features, 2, 8, 0x100000, 0)), VMMIO_ERROR_STATE_DEVICE);
    EXPECT_EQ(r.restore(saved(usual, 3, 8, 0x100000, 0)), VMMIO_ERROR_STATE_DEVICE);
    EXPECT_EQ(r.restore(saved(usual, 2, 9, 0x100000, 0)), VMMIO_ERROR_STATE_DEVICE);
    EXPECT_EQ(r.restore(saved(usual, 2, 8, 0x200000, 0)), VMMIO_ERROR_STATE_DEVICE);
    EXPECT_EQ(r.restore(saved(usual, 2, 8, 0x100000, 5)), VMMIO_ERROR_STATE_DEVICE);
    null_function null;
    rig n(null.function);
    EXPECT_EQ(r.restore(n.save()), VMMIO_ERROR_STATE_DEVICE);

    blk_options small, large;
    large.sectors = small.sectors + 8;
    blk_rig a(small), b(large);
    EXPECT_EQ(b.r->restore(a.r->save()), VMMIO_ERROR_STATE_DEVICE);
}

} // namespace
} // namespace vmmio::tb
