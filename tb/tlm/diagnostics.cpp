// SPDX-License-Identifier: Apache-2.0
// Mistakes of the driver as SystemC reports: type, text, severity, and how many of them.
#include "platform.h"

namespace vmmio::tb
{

namespace
{

/// Writes to a read-only register n times.
void err(surroundings &p, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        p.cpu.write(VMMIO_REG_VERSION, i);
}

device_options with_severity(sc_core::sc_severity severity)
{
    device_options options;
    options.severity = severity;
    return options;
}

} // namespace

SC_TEST(Diagnostics, SayWhoDidWhatWhere)
{
    platform<null_device> p;
    reports::get().expect("/vmmio/driver");
    p.run([&] {
        p.cpu.write(VMMIO_REG_VERSION, 0x1234);
        ASSERT_EQ(reports::get().seen().size(), 1u);
        EXPECT_EQ(reports::get().seen()[0].type, "/vmmio/driver");
        EXPECT_EQ(reports::get().seen()[0].text,
                  "dut: write to a read-only register [MMIO-DRV-02], offset 0x4, value 0x1234");
    });
}

SC_TEST(Diagnostics, HaveATypeForEachKind)
{
    ROWS("H-13");
    platform<entropy_device> p;
    for (const char *type : {"/vmmio/driver", "/vmmio/request", "/vmmio/ring"})
        reports::get().expect(type);
    p.run([&] {
        err(p, 1);
        p.go_live();
        p.exchange({p.readable(4), p.writable(4)});
        p.offer({{~0ull - 2, 16, true}});
        p.cpu.sync(ns(1000));
        EXPECT_EQ(reports::get().count("/vmmio/driver"), 1u);
        EXPECT_EQ(reports::get().count("/vmmio/request"), 1u);
        EXPECT_EQ(reports::get().count("/vmmio/ring"), 1u);
        EXPECT_EQ(reports::get().count("[RNG-02], queue 0x0, value 0x4"), 1u);
    });
}

SC_TEST(Diagnostics, OfOneSortComeEverMoreSeldom)
{
    ROWS("H-38");
    platform<null_device> p;
    reports::get().expect("/vmmio/driver");
    p.run([&] {
        err(p, 1000000);
        EXPECT_EQ(p.dut.diagnostics(VMMIO_DIAG_WRITE_OF_READ_ONLY), 1000000u);
        EXPECT_LE(reports::get().seen().size(), 24u);
        EXPECT_GE(reports::get().seen().size(), 4u);
        EXPECT_EQ(reports::get().count("524288 times so far"), 1u);
        p.cpu.read(VMMIO_REG_QUEUE_SEL); // of another sort: the first one
        EXPECT_EQ(reports::get().count("read of a write-only register"), 1u);
    });
}

SC_TEST(Diagnostics, MayLeadToAnAccessFromTheHook)
{
    platform<null_device> p;
    reports::get().expect("/vmmio/driver");
    bool written = false;
    p.dut.on_diagnostic = [&](const vmmio_diagnostic &) {
        if (!std::exchange(written, true))
            p.cpu.write(VMMIO_REG_QUEUE_SEL, 1);
        p.cpu.read(VMMIO_REG_STATUS);
    };
    p.run([&] {
        err(p, 1);
        EXPECT_TRUE(written);
        std::uint32_t selected = 0;
        EXPECT_EQ(p.cpu.peek(at::registers + VMMIO_REG_QUEUE_SEL, &selected, 4), 4u);
        EXPECT_EQ(selected, 1u);
        p.cpu.write(VMMIO_REG_QUEUE_SEL, 0);
        p.go_live();
        p.exchange({p.writable(16)});
    });
}

SC_TEST(Diagnostics, GoToTheHookWithoutLimit)
{
    platform<null_device> p;
    reports::get().expect("/vmmio/driver");
    std::vector<vmmio_diagnostic> seen;
    p.dut.on_diagnostic = [&](const vmmio_diagnostic &d) { seen.push_back(d); };
    p.run([&] {
        err(p, 100);
        ASSERT_EQ(seen.size(), 100u);
        EXPECT_EQ(seen[99].id, VMMIO_DIAG_WRITE_OF_READ_ONLY);
        EXPECT_EQ(seen[99].where, std::uint32_t(VMMIO_REG_VERSION));
        EXPECT_EQ(seen[99].value, 99u);
    });
}

SC_TEST(Diagnostics, MayBeInfos)
{
    platform<null_device> p(with_severity(sc_core::SC_INFO));
    p.run([&] {
        err(p, 1);
        EXPECT_EQ(p.dut.diagnostics(VMMIO_DIAG_WRITE_OF_READ_ONLY), 1u);
        EXPECT_TRUE(reports::get().seen().empty());
    });
}

SC_TEST(Diagnostics, MayEndTheSimulationIfThePlatformWantsThat)
{
    platform<null_device> p(with_severity(sc_core::SC_ERROR));
    bool reached = false;
    p.run([&] {
        expect_error("/vmmio/driver", {"write to a read-only register"}, [&] { err(p, 1); });
        EXPECT_EQ(p.cpu.read(VMMIO_REG_VERSION), 2u) << "the device itself goes on";
        reached = true;
    });
    EXPECT_TRUE(reached);
}

SC_TEST(Diagnostics, AreNotForADriverThatKeepsTheRules)
{
    unsigned char memory[4096] = {};
    platform<pmem_device> p(pmem_range{at::shm, sizeof(memory), memory, {}});
    p.dut.on_diagnostic = [](const vmmio_diagnostic &d) { ADD_FAILURE() << d.id; };
    p.run([&] {
        p.go_live(feature_set({VMMIO_F_VERSION_1, VMMIO_PMEM_F_SHMEM_REGION, VMMIO_F_EVENT_IDX,
                               VMMIO_F_INDIRECT_DESC, VMMIO_F_RING_RESET}));
        p.exchange({p.readable(4), p.writable(4)});
        p.guest.acknowledge(1);
        p.guest.reset();
    });
}

} // namespace vmmio::tb
