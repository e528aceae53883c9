// SPDX-License-Identifier: Apache-2.0
// Time: what an access costs, when the interrupt line moves, and when work is done.
#include "platform.h"

namespace vmmio::tb
{

namespace
{

/// When the interrupt line changed, and to what.
class line_watch : public sc_core::sc_module
{
public:
    sc_core::sc_in<bool> line{"line"};
    struct edge {
        sc_time when;
        bool level;
    };
    std::vector<edge> edges;

    explicit line_watch(sc_core::sc_module_name name) : sc_module(name)
    {
        SC_HAS_PROCESS(line_watch);
        SC_METHOD(note);
        sensitive << line;
        dont_initialize();
    }

private:
    void note() { edges.push_back({sc_core::sc_time_stamp(), line.read()}); }
};

template <typename Device>
struct watched : platform<Device> {
    line_watch watch{"watch"};

    explicit watched(const device_options &options = {}) : platform<Device>(options)
    {
        watch.line.bind(this->irq);
    }
};
using watched_platform = watched<null_device>;

device_options in_own_process()
{
    device_options options;
    options.serve_in_access = false;
    return options;
}

} // namespace

SC_TEST(Timing, AnAccessAddsItsLatencyAndDoesNotWait)
{
    device_options options;
    options.register_latency = ns(7);
    platform<null_device> p(options);
    p.run([&] {
        p.cpu.local = ns(100);
        p.cpu.read(VMMIO_REG_MAGIC_VALUE);
        EXPECT_EQ(p.cpu.local, ns(107));
        p.cpu.write(VMMIO_REG_QUEUE_SEL, 0);
        EXPECT_EQ(p.cpu.local, ns(114));
        EXPECT_EQ(sc_core::sc_time_stamp(), sc_core::SC_ZERO_TIME);
    });
}

SC_TEST(Timing, TheInterruptComesAtTheLocalTimeOfTheKick)
{
    ROWS("MMIO-IRQ-01");
    watched_platform p;
    p.run([&] {
        p.go_live();
        const sc_time now = sc_core::sc_time_stamp();
        p.cpu.local = ns(500); // ahead of the simulation
        p.offer({p.writable(16)});
        EXPECT_EQ(p.cpu.read(VMMIO_REG_INTERRUPT_STATUS), 1u) << "the program is there already";
        EXPECT_FALSE(p.irq.read()) << "the others are not";
        p.cpu.sync(ns(1000));
        ASSERT_EQ(p.watch.edges.size(), 1u);
        EXPECT_EQ(p.watch.edges[0].when, now + ns(510)) << "500 and the latency of one access";
    });
}

SC_TEST(Timing, TheLineFallsWithTheAcknowledge)
{
    ROWS("MMIO-INTACK-01", "MMIO-IRQ-01", "H-37");
    device_options options;
    options.register_latency = sc_core::SC_ZERO_TIME;
    watched_platform p(options);
    p.run([&] {
        p.go_live();
        p.offer({p.writable(16)});
        p.cpu.sync();
        EXPECT_TRUE(p.irq.read()) << "without a delay, at once";
        const sc_time now = sc_core::sc_time_stamp();
        p.cpu.local = ns(30);
        p.guest.acknowledge(VMMIO_INTERRUPT_USED_BUFFER);
        p.cpu.sync(ns(10));
        ASSERT_EQ(p.watch.edges.size(), 2u);
        EXPECT_FALSE(p.watch.edges[1].level);
        EXPECT_EQ(p.watch.edges[1].when, now + ns(30));
    });
}

SC_TEST(Timing, TheLineEndsAtTheLevelOfTheStatusWhateverTheOrder)
{
    ROWS("H-37");
    watched_platform p;
    p.run([&] {
        p.go_live();
        p.cpu.local = ns(500);
        p.offer({p.writable(16)});
        p.cpu.local = ns(100); // another initiator, less far ahead
        p.guest.acknowledge(VMMIO_INTERRUPT_USED_BUFFER);
        p.cpu.sync(ns(1000));
        EXPECT_FALSE(p.irq.read());
        EXPECT_EQ(p.cpu.read(VMMIO_REG_INTERRUPT_STATUS), 0u);
    });
}

SC_TEST(Timing, TimeOfDmaMovesTheInterruptAndNotTheCaller)
{
    watched_platform p;
    p.main.dmi = false;
    p.main.latency = ns(100);
    p.run([&] {
        p.go_live();
        const sc_time now = sc_core::sc_time_stamp();
        const std::uint64_t before = p.main.transactions;
        p.offer({p.writable(16)});
        EXPECT_EQ(p.cpu.local, ns(10));
        const std::uint64_t sent = p.main.transactions - before;
        p.cpu.sync(ns(10000));
        ASSERT_EQ(p.watch.edges.size(), 1u);
        // The flags of the available ring come last and are read before the line rises.
        EXPECT_EQ(p.watch.edges[0].when, now + ns(10) + static_cast<double>(sent) * ns(100));
    });
}

SC_TEST(Timing, APointerToABufferCostsTheLatencyOfItsGrant)
{
    watched<entropy_device> p;
    p.main.dmi_latency = ns(40);
    p.run([&] {
        p.go_live();
        p.exchange({p.writable(16)}); // the rings are looked up once
        p.guest.acknowledge(VMMIO_INTERRUPT_USED_BUFFER);
        p.cpu.sync(ns(1000));
        const sc_time now = sc_core::sc_time_stamp();
        p.watch.edges.clear();
        p.offer({p.writable(16), p.writable(16)});
        EXPECT_EQ(p.cpu.local, ns(10)) << "not the caller's time";
        p.cpu.sync(ns(1000));
        ASSERT_EQ(p.watch.edges.size(), 1u);
        EXPECT_EQ(p.watch.edges[0].when, now + ns(10) + 2 * ns(40));
    });
}

SC_TEST(Timing, ADeviceInItsOwnProcessServesAtTheTimeOfTheKick)
{
    watched_platform p(in_own_process());
    p.run([&] {
        p.go_live();
        const sc_time now = sc_core::sc_time_stamp();
        p.cpu.local = ns(500);
        p.offer({p.writable(16)});
        EXPECT_EQ(p.queues[0]->used_idx(), 0u) << "not inside the access";
        p.cpu.sync(ns(1000));
        EXPECT_EQ(p.queues[0]->used_idx(), 1u);
        ASSERT_EQ(p.watch.edges.size(), 1u);
        EXPECT_EQ(p.watch.edges[0].when, now + ns(510));
    });
}

SC_TEST(Timing, WhatIsMoreThanASliceIsDoneLater)
{
    ROWS("H-38");
    device_options options;
    options.slice = 4;
    options.slice_interval = ns(1000);
    watched_platform p(options);
    p.run([&] {
        p.go_live();
        for (int i = 0; i < 10; i++)
            p.queues[0]->offer(p.queues[0]->add({p.writable(16)}));
        const sc_time now = sc_core::sc_time_stamp();
        p.guest.kick(0);
        EXPECT_EQ(p.queues[0]->used_idx(), 4u);
        const auto done_at = [&](sc_time when) {
            p.cpu.local = sc_core::SC_ZERO_TIME;
            sc_core::wait(now + when - sc_core::sc_time_stamp());
            return p.queues[0]->used_idx();
        };
        EXPECT_EQ(done_at(ns(1009)), 4u);
        EXPECT_EQ(done_at(ns(1011)), 8u);
        EXPECT_EQ(done_at(ns(2009)), 8u);
        EXPECT_EQ(done_at(ns(2011)), 10u);
    });
}

SC_TEST(Timing, ADriverThatRefillsForEverDoesNotStopTime)
{
    ROWS("H-38");
    device_options options;
    options.slice = 8;
    platform<null_device> p(options);
    p.main.dmi = false;
    std::uint64_t refills = 0;
    p.run([&] {
        p.go_live(feature_set({VMMIO_F_VERSION_1, VMMIO_F_EVENT_IDX}));
        virtqueue &queue = *p.queues[0];
        const std::uint16_t head = queue.add({p.writable(16)});
        // A new buffer as soon as the device looks for one.
        p.main.on_transaction = [&](tlm::tlm_generic_payload &tx) {
            if (tx.is_read() && tx.get_address() == queue.driver + 2 - at::ram) {
                queue.offer(head);
                refills++;
            }
        };
        queue.offer(head);
        p.guest.kick(0);
        EXPECT_LE(p.dut.requests(), 8u) << "the access itself is bounded";
        p.cpu.sync(ns(100000));
        p.main.on_transaction = nullptr;
        EXPECT_GT(refills, 100u);
        EXPECT_LE(p.dut.requests(), 8 * 1000u) << "no more than a slice each 100 ns";
        p.guest.reset();
        EXPECT_EQ(p.guest.status(), 0u);
    });
}

SC_TEST(Timing, AResetTakesItsLatency)
{
    ROWS("RST-03", "RST-04", "H-33");
    device_options options;
    options.reset_latency = ns(1000);
    platform<null_device> p(options);
    reports::get().expect("/vmmio/driver");
    p.run([&] {
        const auto finish = [&] { p.cpu.sync(ns(1001)); };
        p.guest.reset();
        finish();
        p.guest.add_status(VMMIO_STATUS_ACKNOWLEDGE);
        p.cpu.sync();

        p.guest.reset();
        EXPECT_EQ(p.guest.status(), 1u) << "the old value until it is done";
        p.cpu.sync(ns(900));
        EXPECT_EQ(p.guest.status(), 1u);
        p.guest.set_status(3);
        EXPECT_EQ(p.dut.diagnostics(VMMIO_DIAG_WRITE_DURING_RESET), 1u);
        p.guest.reset(); // a second one does not start again
        finish();
        EXPECT_EQ(p.guest.status(), 0u);
    });
}

SC_TEST(Timing, AResetIsDoneInTheAccessByDefault)
{
    ROWS("STAT-01");
    platform<null_device> p;
    p.run([&] {
        p.guest.add_status(VMMIO_STATUS_ACKNOWLEDGE);
        p.guest.reset();
        EXPECT_EQ(p.guest.status(), 0u);
    });
}

SC_TEST(Timing, TheLineFallsWithAReset)
{
    ROWS("MMIO-INTSTAT-04", "RST-01");
    watched_platform p;
    p.run([&] {
        p.go_live();
        p.exchange({p.writable(16)});
        EXPECT_TRUE(p.irq.read());
        p.guest.reset();
        p.cpu.sync(ns(1));
        EXPECT_FALSE(p.irq.read());
        EXPECT_EQ(p.watch.edges.size(), 2u);
    });
}

} // namespace vmmio::tb
