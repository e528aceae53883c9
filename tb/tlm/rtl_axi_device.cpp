// SPDX-License-Identifier: Apache-2.0
// The Verilog register block on its AXI4-Lite pins.
#include "vmmio/tlm/rtl_axi_device.h"
#include "platform.h"

namespace vmmio::tb
{

namespace
{

/// An AXI4-Lite master on signals, with a clock; both address and data of a write come at once.
class axi_master : public sc_core::sc_module, public bus
{
public:
    sc_core::sc_clock aclk{"aclk", ns(10)};
    sc_core::sc_signal<bool> aresetn{"aresetn", true};
    sc_core::sc_signal<sc_dt::sc_uint<12>> awaddr{"awaddr"}, araddr{"araddr"};
    sc_core::sc_signal<sc_dt::sc_uint<3>> prot{"prot"};
    sc_core::sc_signal<sc_dt::sc_uint<32>> wdata{"wdata"}, rdata{"rdata"};
    sc_core::sc_signal<sc_dt::sc_uint<4>> wstrb{"wstrb"};
    sc_core::sc_signal<sc_dt::sc_uint<2>> bresp{"bresp"}, rresp{"rresp"};
    sc_core::sc_signal<bool> awvalid{"awvalid"}, awready{"awready"}, wvalid{"wvalid"},
        wready{"wready"}, bvalid{"bvalid"}, bready{"bready"}, arvalid{"arvalid"},
        arready{"arready"}, rvalid{"rvalid"}, rready{"rready"};
    unsigned stall = 0; ///< clocks before an answer is taken
    std::function<void()> program;

    explicit axi_master(sc_core::sc_module_name name) : sc_module(name)
    {
        SC_HAS_PROCESS(axi_master);
        SC_THREAD(run);
    }

    void bind(rtl_axi_device &dut)
    {
        dut.aclk(aclk);
        dut.aresetn(aresetn);
        dut.s_axil_awaddr(awaddr);
        dut.s_axil_awprot(prot);
        dut.s_axil_awvalid(awvalid);
        dut.s_axil_awready(awready);
        dut.s_axil_wdata(wdata);
        dut.s_axil_wstrb(wstrb);
        dut.s_axil_wvalid(wvalid);
        dut.s_axil_wready(wready);
        dut.s_axil_bresp(bresp);
        dut.s_axil_bvalid(bvalid);
        dut.s_axil_bready(bready);
        dut.s_axil_araddr(araddr);
        dut.s_axil_arprot(prot);
        dut.s_axil_arvalid(arvalid);
        dut.s_axil_arready(arready);
        dut.s_axil_rdata(rdata);
        dut.s_axil_rresp(rresp);
        dut.s_axil_rvalid(rvalid);
        dut.s_axil_rready(rready);
    }

    void clocks(unsigned count)
    {
        while (count--)
            sc_core::wait(aclk.posedge_event());
    }

    std::uint32_t read(std::uint32_t offset, std::uint32_t) override
    {
        araddr = offset;
        hand_over(arvalid, arready);
        clocks(stall);
        rready = true;
        wait_for(rvalid);
        rready = false;
        return data_;
    }

    void write(std::uint32_t offset, std::uint32_t value, std::uint32_t) override
    {
        awaddr = offset;
        wdata = value;
        wstrb = 0xf;
        wvalid = true;
        hand_over(awvalid, awready); // the data is taken at the same edge: both are idle
        wvalid = false;
        clocks(stall);
        bready = true;
        wait_for(bvalid);
        bready = false;
    }

private:
    /// Until the edge at which it is high.
    void wait_for(const sc_core::sc_signal<bool> &pin)
    {
        for (int i = 0; i < 1000; i++) {
            const bool high = pin.read();
            data_ = static_cast<std::uint32_t>(rdata.read()); // not later than the handshake
            clocks(1);
            if (high)
                return;
        }
        FAIL() << "no answer on " << pin.name();
    }

    void hand_over(sc_core::sc_signal<bool> &valid, const sc_core::sc_signal<bool> &ready)
    {
        valid = true;
        sc_core::wait(sc_core::SC_ZERO_TIME);
        wait_for(ready);
        valid = false;
        sc_core::wait(sc_core::SC_ZERO_TIME);
    }

    void run()
    {
        clocks(2);
        program();
        sc_core::sc_stop();
    }

    std::uint32_t data_ = 0; // on the bus before the last edge
};

struct axi_platform {
    vmmio_null function{};
    guest_memory memory{dma_mode::pointer};
    ram main{"ram", memory, at::ram, at::ram_size};
    router to_memory{"bus", 1, {{at::ram, at::ram_size}}};
    axi_master master{"master"};
    rtl_axi_device dut;
    sc_core::sc_signal<bool> irq{"irq"};
    driver guest{master};

    explicit axi_platform(const rtl_options &verilog = {})
        : dut("dut", (vmmio_null_init(&function), function.function), verilog)
    {
        master.bind(dut);
        dut.dma().bind(to_memory.in[0]);
        to_memory.out[0].bind(main.socket);
        dut.interrupt.bind(irq);
    }
    void run(std::function<void()> program)
    {
        master.program = std::move(program);
        sc_core::sc_start();
        for (const std::string &violation : memory.violations)
            ADD_FAILURE() << violation;
    }
};

} // namespace

SC_TEST(RtlPins, CarryReadsAndWrites)
{
    ROWS("MMIO-MAGIC-01", "MMIO-VERSION-01", "MMIO-DEVID-01", "STAT-01");
    axi_platform p;
    p.run([&] {
        for (const unsigned stall : {0u, 1u, 7u}) {
            p.master.stall = stall;
            EXPECT_EQ(p.master.read(VMMIO_REG_MAGIC_VALUE, 4), 0x74726976u);
            EXPECT_EQ(p.master.read(VMMIO_REG_VERSION, 4), 2u);
            EXPECT_EQ(p.master.read(VMMIO_REG_DEVICE_ID, 4), 42u);
            p.guest.set_status(1);
            EXPECT_EQ(p.guest.status(), 1u);
            p.guest.reset();
            EXPECT_EQ(p.guest.status(), 0u);
        }
    });
}

// There is nothing to compare them with.
SC_TEST(RtlPins, HaveNoLockstep)
{
    ROWS("MMIO-SHM-02", "MMIO-INTSTAT-01");
    rtl_options verilog;
    verilog.lockstep = true;
    axi_platform p(verilog);
    p.dut.add_region(3, 0x12345000, 0x1000);
    p.run([&] {
        ASSERT_TRUE(p.guest.negotiate(feature_set({VMMIO_F_VERSION_1})));
        p.guest.start();
        EXPECT_EQ(p.dut.shm().move_region(3, 0x23456000), VMMIO_ERROR_OK);
        p.master.clocks(2);
        EXPECT_EQ(p.master.read(VMMIO_REG_INTERRUPT_STATUS, 4), VMMIO_INTERRUPT_CONFIG_CHANGE);
        p.master.write(VMMIO_REG_SHM_SEL, 3, 4);
        EXPECT_EQ(p.master.read(VMMIO_REG_SHM_BASE_LOW, 4), 0x23456000u);
    });
}

// Their C block hears of no access, so it has nothing to save.
SC_TEST(RtlPins, AreNotSaved)
{
    axi_platform p;
    p.run([&] {
        p.guest.set_status(1);
        std::vector<std::uint8_t> state;
        EXPECT_EQ(p.dut.save(state), VMMIO_ERROR_STATE_FORM);
        EXPECT_TRUE(state.empty());
        EXPECT_EQ(p.dut.restore(state), VMMIO_ERROR_STATE_MAGIC);
        EXPECT_EQ(p.guest.status(), 1u);
    });
}

TEST(RtlPins, HaveTheQueuesOfTheModelBehindThem)
{
    ROWS("SPLIT-36", "MMIO-IRQ-01");
    for (const unsigned stall : {0u, 3u}) {
        vmmio_test::run_in_child([stall] {
            axi_platform p;
            p.run([&] {
                p.master.stall = stall;
                ASSERT_TRUE(p.guest.negotiate(feature_set({VMMIO_F_VERSION_1})));
                virtqueue queue(p.memory, at::ram, 16);
                p.guest.enable_queue(0, queue);
                p.guest.start();
                for (std::uint16_t i = 1; i <= 3; i++) {
                    queue.offer(queue.add({{at::ram + 0x1000, 16, true}}));
                    p.guest.kick(0);
                    p.master.clocks(50);
                    EXPECT_EQ(queue.used_idx(), i);
                    EXPECT_TRUE(p.irq.read());
                    p.guest.acknowledge(VMMIO_INTERRUPT_USED_BUFFER);
                    p.master.clocks(2);
                    EXPECT_FALSE(p.irq.read());
                }
                EXPECT_EQ(p.function.requests, 3u);
            });
        });
    }
}

SC_TEST(RtlPins, AResetOfTheBusResetsTheDeviceAndKeepsItsRegions)
{
    ROWS("MMIO-SHM-02");
    axi_platform p;
    p.dut.add_region(3, 0x12345000, 0x1000);
    p.run([&] {
        ASSERT_TRUE(p.guest.negotiate(feature_set({VMMIO_F_VERSION_1})));
        virtqueue queue(p.memory, at::ram, 16);
        p.guest.enable_queue(0, queue);
        p.guest.start();
        EXPECT_EQ(p.guest.status(), 0xfu);
        p.master.aresetn = false;
        p.master.clocks(3);
        p.master.aresetn = true;
        p.master.clocks(3);
        EXPECT_EQ(p.guest.status(), 0u);
        EXPECT_FALSE(p.dut.model().engine.live);
        p.master.write(VMMIO_REG_SHM_SEL, 3, 4);
        EXPECT_EQ(p.master.read(VMMIO_REG_SHM_BASE_LOW, 4), 0x12345000u);
        EXPECT_EQ(p.master.read(VMMIO_REG_SHM_LEN_LOW, 4), 0x1000u);
    });
}

} // namespace vmmio::tb
