// SPDX-License-Identifier: Apache-2.0
// Register accesses of a device on the verilated register block.
#include "baselines.h"
#include "bus_master.h"
#include "cases.h"
#include "vmmio/registers.h"
#include "vmmio/tlm/devices.h"
#include "vmmio/tlm/rtl_device.h"

namespace vmmio_bench
{

namespace
{

const sc_core::sc_time period(10, sc_core::SC_NS);

vmmio::device_options on_verilog()
{
    vmmio::rtl_options registers;
    registers.clock_period = period;
    vmmio::device_options options;
    options.form = vmmio::rtl_form(registers);
    return options;
}

class rtl_fixture : public fixture
{
public:
    rtl_fixture()
    {
        bus_.socket.bind(device_.registers);
        device_.dma().bind(memory_.socket);
        device_.interrupt(interrupt_);
    }

    void add_cases(std::vector<bench_case> &cases) override
    {
        const auto clock = [this] { return clocks(); };
        cases.push_back({"rtl_read_magic", [] {}, [this](std::uint64_t n) { read(n); }, clock});
        cases.push_back(
            {"rtl_write_queue_sel", [] {}, [this](std::uint64_t n) { write(n); }, clock});
        cases.push_back({"rtl_idle", [] {}, [this](std::uint64_t n) { idle(n); }, clock});
    }

private:
    std::uint64_t clocks() const { return device_.form()->clocks().run; }

    void read(std::uint64_t n)
    {
        std::uint32_t value = VMMIO_MAGIC;
        for (std::uint64_t i = 0; i < n && value == VMMIO_MAGIC; i++)
            value = bus_.read(VMMIO_REG_MAGIC_VALUE);
        require(bus_.errors == 0 && value == VMMIO_MAGIC, "a read went wrong");
    }

    void write(std::uint64_t n)
    {
        for (std::uint64_t i = 0; i < n; i++)
            bus_.write(VMMIO_REG_QUEUE_SEL, static_cast<std::uint32_t>(i));
        require(bus_.errors == 0, "a write went wrong");
    }

    // One operation is a clock in which nothing moves.
    void idle(std::uint64_t n)
    {
        const std::uint64_t before = clocks();
        sc_core::wait(static_cast<double>(n) * period);
        require(clocks() == before, "the clock ran for nothing");
    }

    vmmio::null_device device_{"rtl_device", on_verilog()};
    empty_target memory_{"rtl_memory"};
    bus_master bus_{"rtl_bus"};
    sc_core::sc_signal<bool> interrupt_;
};

} // namespace

std::unique_ptr<fixture> make_rtl_fixture() { return std::make_unique<rtl_fixture>(); }

} // namespace vmmio_bench
