// SPDX-License-Identifier: Apache-2.0
// Save and restore in simulation: time, the interrupt line, DMI and processes that wait.
#include "platform.h"

#include <random>

namespace vmmio::tb
{

namespace
{

using state = std::vector<std::uint8_t>;

} // namespace

SC_TEST(State, driver_goes_on_after_the_device_forgot_everything)
{
    platform<null_device> p;
    p.run([&] {
        p.go_live();
        p.exchange({p.writable(4)});
        p.cpu.sync(ns(1000));
        EXPECT_TRUE(p.irq.read());
        const state live = saved(p.dut);
        const std::uint16_t last = p.queues[0]->last_used;

        p.guest.reset();
        p.cpu.sync(ns(1000));
        EXPECT_FALSE(p.irq.read());
        const state fresh = saved(p.dut);
        EXPECT_EQ(p.dut.restore(live), VMMIO_ERROR_OK);
        p.cpu.sync(ns(1));
        EXPECT_TRUE(p.irq.read()) << "the line follows InterruptStatus";
        EXPECT_EQ(p.guest.status(), 15u);
        p.exchange({p.writable(4)});
        EXPECT_EQ(p.queues[0]->last_used, last + 1);

        EXPECT_EQ(p.dut.restore(fresh), VMMIO_ERROR_OK);
        p.cpu.sync(ns(1));
        EXPECT_FALSE(p.irq.read());
        EXPECT_EQ(p.guest.status(), 0u);
    });
}

SC_TEST(State, refused_streams_leave_the_device_as_it_was)
{
    platform<null_device> p;
    p.run([&] {
        const state fresh = saved(p.dut);
        p.go_live();
        const state live = saved(p.dut);
        state damaged = fresh;
        damaged[30] ^= 1;
        EXPECT_EQ(p.dut.restore(damaged), VMMIO_ERROR_STATE_DAMAGED);
        EXPECT_EQ(p.dut.restore({}), VMMIO_ERROR_STATE_MAGIC);
        EXPECT_EQ(saved(p.dut), live);
        p.exchange({p.writable(4)});
    });
}

SC_TEST(State, running_reset_ends_after_the_time_that_was_left)
{
    device_options options;
    options.reset_latency = ns(1000);
    platform<null_device> p(options);
    p.run([&] {
        p.guest.add_status(1);
        p.guest.reset();
        p.cpu.sync(ns(300));
        const state resetting = saved(p.dut);
        p.cpu.sync(ns(5000));
        EXPECT_EQ(p.guest.status(), 0u);

        EXPECT_EQ(p.dut.restore(resetting), VMMIO_ERROR_OK);
        EXPECT_EQ(p.guest.status(), 1u);
        p.cpu.sync(ns(600));
        EXPECT_EQ(p.guest.status(), 1u) << "700 ns less what the accesses took";
        p.cpu.sync(ns(150));
        EXPECT_EQ(p.guest.status(), 0u);
        p.guest.add_status(1);
        EXPECT_EQ(p.guest.status(), 1u) << "and nothing resets it again";
        p.cpu.sync(ns(5000));
        EXPECT_EQ(p.guest.status(), 1u);
        EXPECT_EQ(p.dut.restore(saved(p.dut)), VMMIO_ERROR_OK);
        p.cpu.sync(ns(5000));
        EXPECT_EQ(p.guest.status(), 1u) << "a restore is no reset";
    });
}

SC_TEST(State, pending_work_is_done_after_the_restore)
{
    device_options options;
    options.serve_in_access = false;
    platform<null_device> p(options);
    p.run([&] {
        p.go_live();
        p.cpu.sync(ns(1000));
        p.cpu.local = ns(500); // the kick comes from ahead of time
        p.offer({p.writable(4)});
        const state kicked = saved(p.dut);
        p.guest.reset();
        p.cpu.sync(ns(5000));
        EXPECT_EQ(p.dut.requests(), 0u);
        EXPECT_EQ(p.queues[0]->used_idx(), 0u);

        EXPECT_EQ(p.dut.restore(kicked), VMMIO_ERROR_OK);
        p.cpu.sync(ns(400));
        EXPECT_EQ(p.dut.requests(), 0u) << "not before its time";
        p.cpu.sync(ns(400));
        EXPECT_EQ(p.dut.requests(), 1u);
        EXPECT_TRUE(p.queues[0]->reap());
        EXPECT_TRUE(p.irq.read());
    });
}

SC_TEST(State, is_refused_while_dma_waits_in_another_process)
{
    platform<null_device> p;
    p.main.dmi = false;
    unsigned asked = 0;
    p.second.program = [&] {
        for (unsigned i = 0; i < 3; i++) {
            sc_core::wait(p.main.waiting);
            state bytes;
            EXPECT_EQ(p.dut.save(bytes), VMMIO_ERROR_STATE_BUSY);
            EXPECT_TRUE(bytes.empty());
            asked++;
        }
    };
    p.run([&] {
        p.go_live();
        const state before = saved(p.dut);
        p.main.waits = ns(100);
        p.exchange({p.writable(4)});
        EXPECT_EQ(asked, 3u);
        p.main.waits = sc_core::SC_ZERO_TIME;
        EXPECT_NE(saved(p.dut), before);
    });
}

SC_TEST(State, restore_takes_pointers_into_shared_memory_back)
{
    unsigned char memory[4096] = {}, until_reset[4096] = {};
    platform<null_device> p;
    p.dut.add_region(0, at::shm, sizeof(memory), memory);
    p.dut.add_region(1, at::shm + 0x10000, sizeof(until_reset));
    p.run([&] {
        p.go_live();
        EXPECT_TRUE(p.dut.shm().map(1, 0, until_reset, sizeof(until_reset), rights::read_write,
                                    lifetime::until_reset));
        p.cpu.write(VMMIO_REG_SHM_SEL, 1);
        const state live = saved(p.dut);
        EXPECT_TRUE(p.cpu.ask(at::shm).granted);
        EXPECT_TRUE(p.cpu.ask(at::shm + 0x10000).granted);
        EXPECT_TRUE(p.cpu.invalidated.empty());

        EXPECT_EQ(p.dut.restore(live), VMMIO_ERROR_OK);
        EXPECT_EQ(p.cpu.invalidated.size(), 2u);
        EXPECT_TRUE(p.cpu.ask(at::shm).granted) << "the platform's own memory stays";
        EXPECT_FALSE(p.cpu.ask(at::shm + 0x10000).granted);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_SHM_BASE_LOW), 0x10000u) << "the latch is restored";
    });
}

// At random moments, between any two accesses of a driver that has requests out.
SC_TEST(State, driver_under_load_does_not_notice)
{
    device_options options;
    options.serve_in_access = false;
    options.slice = 3;
    platform<null_device> p(options);
    p.run([&] {
        std::mt19937 random(7);
        unsigned offered = 0, came_back = 0, moves = 0;
        p.go_live(feature_set({VMMIO_F_VERSION_1, VMMIO_F_EVENT_IDX}), 2, 16);
        const piece buffer = p.writable(8);
        for (unsigned round = 0; round < 3000; round++) {
            const unsigned queue = random() % 2;
            if (offered - came_back < 12) {
                p.offer({buffer}, queue);
                offered++;
            }
            if (random() % 3 == 0)
                p.cpu.sync(ns(random() % 300));
            if (random() % 4 == 0) {
                const state now = saved(p.dut);
                p.guest.reset(); // all of it is gone
                EXPECT_EQ(p.dut.restore(now), VMMIO_ERROR_OK);
                EXPECT_EQ(saved(p.dut), now);
                moves++;
            }
            for (const auto &q : p.queues)
                while (q->reap())
                    came_back++;
        }
        p.cpu.sync(ns(100000));
        for (const auto &q : p.queues)
            while (q->reap())
                came_back++;
        EXPECT_EQ(came_back, offered);
        EXPECT_GT(moves, 500u);
    });
}

} // namespace vmmio::tb
