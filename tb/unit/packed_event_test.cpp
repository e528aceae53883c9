/* SPDX-License-Identifier: Apache-2.0 */
/* Event suppression of the packed ring: when the device interrupts, and wants kicks (2.8.10). */
#include "rig.h"

#include <random>

namespace vmmio::tb
{
namespace
{

constexpr uint16_t enable = 0, disable = 1, at_descriptor = 2, no_mode = 3;

class packed_event_test : public ::testing::TestWithParam<dma_mode>
{
protected:
    packed_event_test()
    {
        rig_options options;
        options.mode = GetParam();
        vmmio_features_add(&options.features, VMMIO_F_RING_PACKED);
        r = std::make_unique<rig>(null.function, options);
        go_live(13, true);
        buffer = r->alloc(4);
    }
    void go_live(uint32_t size, bool event_idx)
    {
        vmmio_features features = feature_set({VMMIO_F_VERSION_1, VMMIO_F_RING_PACKED});
        if (event_idx)
            vmmio_features_add(&features, VMMIO_F_EVENT_IDX);
        r->go_live(features, 1, size);
    }
    packed_queue &q() { return r->packed(0); }
    /* Offers lists of these lengths together and lets the device use them in one turn. */
    void batch(const std::vector<uint32_t> &lengths)
    {
        for (const uint32_t length : lengths)
            q().add(std::vector<piece>(length, {buffer, 4, true}));
        q().publish();
        r->guest.kick(0);
        r->run();
        for (size_t i = 0; i < lengths.size(); i++)
            ASSERT_TRUE(q().reap().has_value());
    }
    bool interrupted()
    {
        const bool raised = r->guest.interrupts() == 1;
        r->guest.acknowledge(1);
        return raised;
    }

    null_function null;
    std::unique_ptr<rig> r;
    uint64_t buffer = 0;
};

INSTANTIATE_TEST_SUITE_P(memory, packed_event_test, every_dma_mode(), dma_mode_name);

TEST_P(packed_event_test, a_buffer_that_comes_with_the_interrupt_waits_if_the_budget_is_spent)
{
    ROWS("PACK-44");
    const auto offer = [this] {
        q().add({{buffer, 4, true}});
        q().publish();
    };
    r->on_interrupt = [&](bool level) {
        if (level)
            offer();
    };
    offer();
    r->guest.kick(0);
    EXPECT_EQ(vmmio_device_run(&r->device, 1), 1u);
    EXPECT_EQ(null.requests, 1u);
    EXPECT_TRUE(vmmio_device_has_work(&r->device)) << "there was no kick for it";
    r->on_interrupt = nullptr;
    EXPECT_EQ(vmmio_device_run(&r->device, 1), 1u);
    EXPECT_EQ(null.requests, 2u);
    EXPECT_FALSE(vmmio_device_has_work(&r->device));
}

TEST_P(packed_event_test, flags_without_event_idx)
{
    ROWS("PACK-19", "PACK-20", "A-PACK-WRAP", "H-25");
    go_live(13, false);
    for (const uint16_t upper : {0, 0xfffc}) { /* reserved bits mean nothing */
        for (const uint16_t position : {0, 0x8000, 0x8003, 0xffff}) {
            for (const uint16_t flags : {enable, disable, at_descriptor, no_mode}) {
                q().set_driver_event({position, static_cast<uint16_t>(flags | upper)});
                batch({1});
                EXPECT_EQ(interrupted(), flags != disable) << flags;
            }
        }
    }
    EXPECT_EQ(q().device_event().flags, 0u) << "kicks are always welcome";
}

TEST_P(packed_event_test, flags_with_event_idx)
{
    ROWS("PACK-19", "PACK-20", "A-PACK-WRAP");
    for (const uint16_t flags : {enable, disable, no_mode}) {
        q().set_driver_event({q().used_position(), flags});
        batch({1});
        EXPECT_EQ(interrupted(), flags != disable) << flags;
        q().set_driver_event({0x7ffe, flags});
        batch({1});
        EXPECT_EQ(interrupted(), flags != disable) << flags;
    }
}

TEST_P(packed_event_test, interrupts_when_the_slot_is_used)
{
    ROWS("PACK-21", "A-EVENT", "SPLIT-33");
    for (const bool wrap : {true, false}) {
        for (uint16_t slot = 0; slot < 13; slot++) {
            go_live(13, true);
            q().set_driver_event(
                {static_cast<uint16_t>(slot | (wrap ? 0x8000 : 0)), at_descriptor});
            for (uint16_t i = 0; i < 3 * 13; i++) { /* the third lap is like the first */
                batch({1});
                const bool due = i % 13 == slot && (i / 13 % 2 == 0) == wrap;
                EXPECT_EQ(interrupted(), due) << slot << " " << wrap << " " << i;
            }
        }
    }
}

TEST_P(packed_event_test, interrupts_once_for_a_batch_that_crosses)
{
    ROWS("PACK-21", "A-EVENT", "PACK-12");
    std::minstd_rand random(7);
    for (int i = 0; i < 3000; i++) {
        const uint16_t start = q().used_position();
        std::vector<uint32_t> lengths;
        uint32_t slots = 0;
        for (uint32_t length; (length = random() % 5 + 1) + slots <= 13 && random() % 8;
             slots += length)
            lengths.push_back(length);
        /* somewhere in the coming lap, or in the one before */
        const uint32_t ahead = random() % 26;
        uint16_t event = q().position_after(start, ahead % 13);
        if (ahead >= 13)
            event ^= 0x8000;
        q().set_driver_event({event, at_descriptor});
        bool due = false;
        for (uint32_t k = 0; k < slots; k++)
            due = due || q().position_after(start, k) == event;
        ASSERT_NO_FATAL_FAILURE(batch(lengths));
        ASSERT_EQ(interrupted(), due) << "start " << start << " event " << event;
    }
}

TEST_P(packed_event_test, a_slot_that_does_not_exist_is_never_used)
{
    ROWS("A-PACK-WRAP", "H-25");
    for (const uint32_t slot : {13u, 14u, 0x7fffu}) {
        for (int i = 0; i < 40; i++) {
            q().set_driver_event(
                {static_cast<uint16_t>(slot | (i % 2 ? 0x8000 : 0)), at_descriptor});
            batch({2, 1, 2});
            EXPECT_FALSE(interrupted()) << slot;
        }
    }
}

TEST_P(packed_event_test, any_event_is_harmless)
{
    ROWS("H-25", "PACK-22");
    std::minstd_rand random(3);
    for (int i = 0; i < 2000; i++) {
        q().set_driver_event({static_cast<uint16_t>(random()), static_cast<uint16_t>(random())});
        ASSERT_NO_FATAL_FAILURE(batch({1, 3}));
        interrupted();
    }
    EXPECT_EQ(r->guest.status(), 0x0fu);
}

TEST_P(packed_event_test, asks_for_the_next_kick)
{
    ROWS("PACK-19", "PACK-44");
    EXPECT_EQ(q().device_event().position, 0x8000u);
    EXPECT_EQ(q().device_event().flags, 2u);
    for (uint32_t i = 1; i <= 100; i++) {
        batch({i % 3 + 1, i % 7 + 1});
        EXPECT_EQ(q().device_event().position, q().position()) << "the next buffer needs a kick";
        EXPECT_EQ(q().device_event().flags, 2u);
    }
}

/* The driver kicks only if it is asked to, and its stores fall between any two accesses. */
TEST_P(packed_event_test, loses_no_kick_in_any_interleaving)
{
    ROWS("PACK-44", "SPLIT-51");
    std::minstd_rand random(11);
    uint32_t offered = 0, reaped = 0;
    bool inside = false;
    const auto add_some = [&] {
        if (q().free_slots() < 6 || random() % 3)
            return;
        const uint16_t old = q().position();
        for (uint32_t n = random() % 3 + 1; n; n--, offered++)
            q().add(std::vector<piece>(random() % 2 + 1, {buffer, 4, true}));
        q().publish();
        if (q().kick_needed(old))
            r->guest.kick(0);
    };
    r->memory.on_transaction = [&](const dma_access &) {
        if (inside)
            return;
        inside = true;
        add_some();
        inside = false;
    };
    for (int i = 0; i < 100000; i++) {
        add_some();
        r->run();
        while (q().reap())
            reaped++;
    }
    r->memory.on_transaction = nullptr;
    r->run();
    while (q().reap())
        reaped++;
    EXPECT_GT(offered, 50000u);
    EXPECT_EQ(reaped, offered);
}

} // namespace
} // namespace vmmio::tb
