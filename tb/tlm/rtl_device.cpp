// SPDX-License-Identifier: Apache-2.0
// The Verilog register block behind the sockets of a device. What it has in common with the C model
// is tested by the other files: VMMIO_FORM=rtl or lockstep chooses it there.
#include "platform.h"

#include <filesystem>
#include <unistd.h>

namespace vmmio::tb
{

namespace
{

vmmio::device_options verilog(const rtl_options &options = {})
{
    vmmio::device_options made;
    made.form = rtl_form(options);
    return made;
}

rtl_options without_time()
{
    rtl_options options;
    options.clock_period = sc_core::SC_ZERO_TIME;
    return options;
}

vmmio::device_options lockstep()
{
    vmmio::device_options made;
    made.form = lockstep_form(without_time());
    return made;
}

register_form::clock_count clocks(const device &dut) { return dut.form()->clocks(); }

vmmio_features with(unsigned bit) { return feature_set({VMMIO_F_VERSION_1, bit}); }

/// The C model of a device is the test's to damage.
vmmio_block &c_block(device &dut) { return const_cast<vmmio_device &>(dut.model()).block; }

} // namespace

SC_TEST(RtlDevice, TakesThePlaceOfADevice)
{
    ROWS("MMIO-MAGIC-01", "MMIO-VERSION-01", "MMIO-DEVID-01", "MMIO-VENDOR-01", "MMIO-LE-01");
    vmmio_null function;
    vmmio_null_init(&function);
    platform<rtl_device> p(function.function);
    p.run([&] {
        ASSERT_NE(p.dut.form(), nullptr);
        const std::uint64_t before = clocks(p.dut).run;
        EXPECT_EQ(p.cpu.read(VMMIO_REG_MAGIC_VALUE), 0x74726976u);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_VERSION), 2u);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_DEVICE_ID), 42u);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_VENDOR_ID), 0x4f4d4d56u);
        EXPECT_GT(clocks(p.dut).run, before);
        p.go_live();
        p.exchange({p.writable(16)});
        EXPECT_EQ(function.requests, 1u);
        EXPECT_TRUE(p.irq.read());
    });
}

SC_TEST(RtlDevice, AnswersWhateverTheModelBehindItThinks)
{
    platform<vmmio::null_device> p(verilog());
    p.run([&] {
        p.cpu.write(VMMIO_REG_STATUS, VMMIO_STATUS_ACKNOWLEDGE);
        c_block(p.dut).status = VMMIO_STATUS_FAILED;
        EXPECT_EQ(p.cpu.read(VMMIO_REG_STATUS), 1u) << "the Verilog's";
    });
}

SC_TEST(RtlDevice, TakesItsClocksAndStandsStillOtherwise)
{
    rtl_options options;
    options.clock_period = ns(8);
    platform<vmmio::null_device> p(verilog(options));
    p.run([&] {
        const auto cost = [&](const std::function<void()> &access) {
            const register_form::clock_count before = clocks(p.dut);
            p.cpu.local = sc_core::SC_ZERO_TIME;
            access();
            const std::uint64_t run = clocks(p.dut).run - before.run;
            EXPECT_EQ(p.cpu.local, ns(10) + static_cast<double>(run) * ns(8));
            EXPECT_EQ(clocks(p.dut).skipped, before.skipped);
            return run;
        };
        EXPECT_LE(cost([&] { p.cpu.read(VMMIO_REG_MAGIC_VALUE); }), 3u);
        EXPECT_LE(cost([&] { p.cpu.write(VMMIO_REG_SHM_SEL, 0); }), 4u);
        EXPECT_LE(cost([&] { p.cpu.write(VMMIO_REG_QUEUE_SEL, 1); }), 5u);

        p.cpu.local = sc_core::SC_ZERO_TIME;
        const register_form::clock_count before = clocks(p.dut);
        p.cpu.sync(ns(8000000));
        EXPECT_EQ(clocks(p.dut).run, before.run) << "nothing moves";
        p.cpu.read(VMMIO_REG_MAGIC_VALUE);
        const register_form::clock_count after = clocks(p.dut);
        EXPECT_EQ(after.skipped + before.run, 1000000u) << "but time has passed";
    });
}

SC_TEST(RtlDevice, DebugReadsCostNoClock)
{
    platform<vmmio::null_device> p(verilog(without_time()));
    reports::get().expect("/vmmio/driver");
    p.run([&] {
        p.cpu.write(VMMIO_REG_QUEUE_SEL, 1);
        const std::uint64_t before = clocks(p.dut).run;
        std::uint32_t value = 0;
        EXPECT_EQ(p.cpu.peek(at::registers + VMMIO_REG_QUEUE_SEL, &value, 4), 4u);
        EXPECT_EQ(value, 1u);
        EXPECT_EQ(clocks(p.dut).run, before);
        value = 0;
        EXPECT_EQ(p.cpu.poke(at::registers + VMMIO_REG_QUEUE_SEL, &value, 4), 4u);
        p.cpu.write(VMMIO_REG_QUEUE_READY, 1);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_QUEUE_READY), 0u);
        EXPECT_EQ(p.dut.diagnostics(VMMIO_DIAG_QUEUE_SIZE_BAD), 1u);
    });
}

// A-SHM-5.
SC_TEST(RtlDevice, TellsALiveDriverThatARegionMoved)
{
    ROWS("SHM-01", "MMIO-INTSTAT-01");
    platform<vmmio::null_device> p(lockstep());
    p.dut.add_region(3, at::shm, 0x1000);
    p.run([&] {
        p.go_live(with(VMMIO_F_SUSPEND));
        EXPECT_EQ(p.cpu.read(VMMIO_REG_INTERRUPT_STATUS), 0u) << "added before";
        EXPECT_EQ(p.dut.shm().move_region(3, at::shm + 0x1000), VMMIO_ERROR_OK);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_INTERRUPT_STATUS), VMMIO_INTERRUPT_CONFIG_CHANGE);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_CONFIG_GENERATION), 0u);
        p.cpu.write(VMMIO_REG_SHM_SEL, 3);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_SHM_BASE_LOW), 0x1000u);
    });
}

SC_TEST(RtlDevice, TellsASuspendedDriverWhenItResumes)
{
    ROWS("SUSP-08");
    platform<vmmio::null_device> p(lockstep());
    p.dut.add_region(3, at::shm, 0x1000);
    p.run([&] {
        p.go_live(with(VMMIO_F_SUSPEND));
        const std::uint32_t live = p.guest.status();
        p.guest.set_status(live | VMMIO_STATUS_SUSPEND);
        ASSERT_EQ(p.guest.status() & VMMIO_STATUS_SUSPEND, std::uint32_t{VMMIO_STATUS_SUSPEND});
        EXPECT_EQ(p.dut.shm().resize_region(3, 0x2000), VMMIO_ERROR_OK);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_INTERRUPT_STATUS), 0u);
        p.guest.set_status(live);
        EXPECT_EQ(p.guest.status(), live);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_INTERRUPT_STATUS), VMMIO_INTERRUPT_CONFIG_CHANGE);
    });
}

// The Verilog is in its reset then, the C block not yet.
SC_TEST(Lockstep, HoldsWhenAResetMovesARegion)
{
    ROWS("MMIO-RST-01", "SHM-01");
    static vmmio::device *moved;
    vmmio_null function;
    vmmio_null_init(&function);
    vmmio_function_type type = *function.function.type;
    type.reset = [](vmmio_function *) {
        EXPECT_EQ(moved->shm().move_region(3, at::shm + 0x1000), VMMIO_ERROR_OK);
    };
    function.function.type = &type;
    vmmio::device_options options = lockstep();
    options.reset_latency = ns(1000);
    platform<vmmio::device> p(function.function, options);
    moved = &p.dut;
    p.dut.add_region(3, at::shm, 0x1000);
    p.run([&] {
        for (const std::uint32_t bit : {VMMIO_STATUS_ACKNOWLEDGE, VMMIO_STATUS_DRIVER})
            p.guest.add_status(bit);
        p.guest.accept(feature_set({VMMIO_F_VERSION_1}));
        p.guest.add_status(VMMIO_STATUS_FEATURES_OK);
        p.guest.start();
        ASSERT_TRUE(p.dut.form() && p.guest.status() & VMMIO_STATUS_DRIVER_OK);
        p.guest.reset();
        EXPECT_EQ(p.cpu.read(VMMIO_REG_INTERRUPT_STATUS), 0u);
        p.cpu.sync(ns(2000));
        EXPECT_EQ(p.guest.status(), 0u);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_INTERRUPT_STATUS), 0u);
        p.cpu.write(VMMIO_REG_SHM_SEL, 3);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_SHM_BASE_LOW), 0x1000u);
    });
}

SC_TEST(Lockstep, EndsWithTheFirstDifferenceOfARead)
{
    platform<vmmio::null_device> p(lockstep());
    p.run([&] {
        p.cpu.write(VMMIO_REG_STATUS, VMMIO_STATUS_ACKNOWLEDGE);
        c_block(p.dut).device_features_sel = 7;
        expect_error("/vmmio/lockstep",
                     {"dut", "value after read is 0x30000000 in Verilog, 0x0 in the C model",
                      "W 0x070 32 0x00000001 clock", "R 0x010 32 0x30000000 clock"},
                     [&] { p.cpu.read(VMMIO_REG_DEVICE_FEATURES); });
    });
}

SC_TEST(Lockstep, EndsWithTheFirstDifferenceOfStatusOrLine)
{
    platform<vmmio::null_device> p(lockstep());
    p.run([&] {
        p.go_live();
        c_block(p.dut).interrupt_status = 1;
        expect_error("/vmmio/lockstep", {"interrupt line after write is 0x0 in Verilog, 0x1"},
                     [&] { p.cpu.write(VMMIO_REG_QUEUE_SEL, 0); });
        c_block(p.dut).interrupt_status = 0;
        c_block(p.dut).status |= VMMIO_STATUS_NEEDS_RESET;
        expect_error("/vmmio/lockstep", {"Status after write is 0xf in Verilog, 0x4f"},
                     [&] { p.cpu.write(VMMIO_REG_QUEUE_SEL, 0); });
    });
}

SC_TEST(Lockstep, EndsWithTheFirstDifferenceOnTheSeam)
{
    platform<vmmio::null_device> p(lockstep());
    p.run([&] {
        p.go_live();
        c_block(p.dut).is.queues[0].ready = false;
        reports::get().expect("/vmmio/driver"); // the C model finds the kick too early
        expect_error("/vmmio/lockstep", {"Verilog block calls notify(0, 0x0", "C model does not"},
                     [&] { p.guest.kick(0); });
        c_block(p.dut).is.queues[0].ready = true;
        c_block(p.dut).is.queues[0].desc += 16;
        c_block(p.dut).is.queues[0].ready = false;
        expect_error("/vmmio/lockstep",
                     {"the C model calls queue_enable(0", "Verilog block nothing"},
                     [&] { p.cpu.write(VMMIO_REG_QUEUE_READY, 1); });
    });
}

SC_TEST(RtlConstruction, NamesTheVerilatedBlockThatIsMissing)
{
    ROWS("H-45");
    vmmio::device_options options = verilog();
    options.queue_size_max = 64;
    options.vendor_id = 0x1234;
    expect_mistake({"dut", "no verilated block has the parameters of this device",
                    "vmmio_add_rtl(TARGET NAME DEVICE_ID 42 VENDOR_ID 0x1234 FEATURES 28 29 32",
                    "QUEUE_SIZES 64 64"},
                   [&] { vmmio::null_device dut("dut", options); });
}

SC_TEST(RtlConstruction, TakesTheBlockWithTheMostRoomForRegions)
{
    ROWS("MMIO-SHM-02");
    const vmmio_features offered =
        feature_set({VMMIO_F_INDIRECT_DESC, VMMIO_F_EVENT_IDX, VMMIO_F_VERSION_1,
                     VMMIO_F_NOTIFICATION_DATA, VMMIO_F_RING_RESET, VMMIO_F_SUSPEND});
    const rtl_set no_regions{
        "no_regions",
        {42, 0x4f4d4d56, offered, feature_set({VMMIO_F_VERSION_1}), {}, {256, 256}, 0, 0},
        []() -> std::unique_ptr<rtl_top> { throw std::logic_error("taken all the same"); }};
    rtl_options options;
    options.sets = {&no_regions};
    EXPECT_NO_THROW(vmmio::null_device("dut", verilog(options)));
}

SC_TEST(RtlConstruction, MistakesAreFoundBeforeAVerilatedBlockIsLookedFor)
{
    ROWS("H-45", "H-21");
    vmmio::device_options options = verilog();
    options.queue_size_max = 3;
    expect_mistake({"dut", "queue_size_max", "power of 2 from 1 to 32768"},
                   [&] { vmmio::null_device dut("dut", options); });
}

SC_TEST(RtlTrace, IsAnFstFileOfEachDevice)
{
    char name[] = "/tmp/vmmio-fst-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    const std::filesystem::path folder(name);
    {
        rtl_options traced;
        traced.trace_folder = name;
        platform<vmmio::null_device> p(verilog(traced));
        p.run([&] {
            p.go_live();
            p.exchange({p.writable(16)});
        });
    }
    EXPECT_TRUE(std::filesystem::exists(folder / "dut.fst"));
    EXPECT_GT(std::filesystem::file_size(folder / "dut.fst"), 1000u);
    std::filesystem::remove_all(folder);
}

} // namespace vmmio::tb
