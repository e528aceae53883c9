/* SPDX-License-Identifier: Apache-2.0 */
/* EVENT_IDX: when the device interrupts, and when it wants to be kicked (2.7.7, 2.7.10). */
#include "rig.h"

#include <random>

namespace vmmio::tb
{
namespace
{

class event_idx : public ::testing::TestWithParam<dma_mode>
{
protected:
    event_idx()
    {
        rig_options options;
        options.mode = GetParam();
        r = std::make_unique<rig>(null.function, options);
        r->go_live(feature_set({VMMIO_F_VERSION_1, VMMIO_F_EVENT_IDX}), 1, 64);
        buffer = r->alloc(4);
    }
    virtqueue &q() { return r->queue(0); }
    /* Offers count buffers in one publish and lets the device use them in one turn. */
    void batch(int count)
    {
        for (int i = 0; i < count; i++)
            q().queue(q().add({{buffer, 4, true}}));
        q().publish();
        r->guest.kick(0);
        r->run();
        while (q().reap())
            ;
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

INSTANTIATE_TEST_SUITE_P(memory, event_idx, every_dma_mode(), dma_mode_name);

TEST_P(event_idx, interrupts_exactly_at_used_event)
{
    ROWS("SPLIT-33", "SPLIT-34");
    q().set_used_event(5);
    for (int i = 0; i < 20; i++) {
        batch(1);
        EXPECT_EQ(interrupted(), i == 5) << i;
    }
}

TEST_P(event_idx, interrupts_once_for_a_batch_that_crosses)
{
    ROWS("SPLIT-33", "SPLIT-34", "A-EVENT");
    std::minstd_rand random(7);
    uint16_t position = 0;
    for (int i = 0; i < 5000; i++) {
        const int count = static_cast<int>(random() % 40 + 1);
        const uint16_t event = static_cast<uint16_t>(position + random() % 60 - 10);
        q().set_used_event(event);
        batch(count);
        /* 2.7.7.2: due if one of the entries was placed at index `event`. */
        bool due = false;
        for (int k = 0; k < count; k++)
            due = due || static_cast<uint16_t>(position + k) == event;
        ASSERT_EQ(interrupted(), due) << "position " << position << " event " << event;
        position = static_cast<uint16_t>(position + count);
    }
    EXPECT_EQ(position, q().used_idx());
}

TEST_P(event_idx, crosses_the_wrap_at_65535)
{
    ROWS("SPLIT-33", "H-65");
    q().set_used_event(0x8000);
    while (q().used_idx() != 65530)
        batch(65530 - q().used_idx() < 60 ? 65530 - q().used_idx() : 60);
    interrupted();
    q().set_used_event(65535);
    batch(5);
    EXPECT_FALSE(interrupted());
    batch(3); /* 65535, 0, 1 */
    EXPECT_TRUE(interrupted());
    EXPECT_EQ(q().used_idx(), 2u);
    q().set_used_event(2);
    batch(1);
    EXPECT_TRUE(interrupted());
}

TEST_P(event_idx, flags_mean_nothing)
{
    ROWS("SPLIT-32", "SPLIT-27");
    q().set_avail_flags(1);
    q().set_used_event(0);
    batch(1);
    EXPECT_TRUE(interrupted());
}

TEST_P(event_idx, any_used_event_is_harmless)
{
    ROWS("H-25", "SPLIT-34");
    std::minstd_rand random(3);
    for (int i = 0; i < 2000; i++) {
        q().set_used_event(static_cast<uint16_t>(random()));
        batch(3);
        interrupted();
    }
    EXPECT_EQ(r->guest.status(), 0x0fu);
    EXPECT_EQ(q().used_idx(), 6000u);
}

TEST_P(event_idx, asks_for_the_next_kick)
{
    ROWS("SPLIT-48", "SPLIT-51");
    EXPECT_EQ(q().avail_event(), 0u);
    for (int i = 1; i <= 100; i++) {
        batch(i % 7 + 1);
        EXPECT_EQ(q().avail_event(), q().avail_idx) << "drained: the next buffer needs a kick";
    }
}

/* The driver kicks only if avail_event says so, and its stores fall between any two accesses. */
TEST_P(event_idx, loses_no_kick_in_any_interleaving)
{
    ROWS("SPLIT-48", "SPLIT-51");
    std::minstd_rand random(11);
    uint32_t offered = 0, reaped = 0;
    bool inside = false;
    const auto add_some = [&] {
        if (static_cast<uint16_t>(q().avail_idx - q().last_used) > 50 || random() % 3)
            return;
        const uint16_t old = q().avail_idx;
        for (uint32_t n = random() % 3 + 1; n; n--, offered++)
            q().queue(q().add({{buffer, 4, true}}));
        q().publish();
        const uint16_t fresh = q().avail_idx, event = q().avail_event();
        if (static_cast<uint16_t>(fresh - event - 1) < static_cast<uint16_t>(fresh - old))
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
