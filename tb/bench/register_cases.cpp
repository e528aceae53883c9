// SPDX-License-Identifier: Apache-2.0
// One register access each, by b_transport or transport_dbg.
#include "baselines.h"
#include "bus_master.h"
#include "cases.h"
#include "guest.h"
#include "vmmio/registers.h"
#include "vmmio/tlm/devices.h"

namespace vmmio_bench
{

namespace
{

void add_read(std::vector<bench_case> &cases, const char *name, bus_master &bus,
              std::uint64_t address, std::uint32_t expected)
{
    cases.push_back({name, [] {},
                     [&bus, address, expected](std::uint64_t n) {
                         volatile std::uint32_t value = expected;
                         for (std::uint64_t i = 0; i < n; i++)
                             value = bus.read(address);
                         require(bus.errors == 0 && value == expected, "a read went wrong");
                     }});
}

void add_debug_read(std::vector<bench_case> &cases, const char *name, bus_master &bus,
                    std::uint32_t expected)
{
    cases.push_back({name, [] {},
                     [&bus, expected](std::uint64_t n) {
                         volatile std::uint32_t value = expected;
                         for (std::uint64_t i = 0; i < n; i++)
                             value = bus.debug_read(VMMIO_REG_MAGIC_VALUE);
                         require(bus.errors == 0 && value == expected, "a debug read went wrong");
                     }});
}

void add_write(std::vector<bench_case> &cases, const char *name, bus_master &bus)
{
    cases.push_back({name, [] {},
                     [&bus](std::uint64_t n) {
                         for (std::uint64_t i = 0; i < n; i++)
                             bus.write(VMMIO_REG_QUEUE_SEL, static_cast<std::uint32_t>(i));
                         require(bus.errors == 0, "a write went wrong");
                     }});
}

class register_fixture : public fixture
{
public:
    register_fixture()
    {
        bus_.socket.bind(device_.registers);
        device_.dma().bind(memory_.socket);
        device_.interrupt(interrupt_);
        empty_bus_.socket.bind(empty_.socket);
        register_bus_.socket.bind(register_.socket);
    }

    void add_cases(std::vector<bench_case> &cases) override
    {
        add_read(cases, "base_empty_read", empty_bus_, VMMIO_REG_MAGIC_VALUE, 0);
        add_read(cases, "base_register_read", register_bus_, VMMIO_REG_MAGIC_VALUE, 0);
        add_write(cases, "base_empty_write", empty_bus_);
        add_write(cases, "base_register_write", register_bus_);
        add_debug_read(cases, "base_empty_debug", empty_bus_, 0);
        add_debug_read(cases, "base_register_debug", register_bus_, 0);

        add_read(cases, "tlm_read_magic", bus_, VMMIO_REG_MAGIC_VALUE, VMMIO_MAGIC);
        add_read(cases, "tlm_read_status", bus_, VMMIO_REG_STATUS, 0);
        add_write(cases, "tlm_write_queue_sel", bus_);
        cases.push_back({"tlm_write_status", [this] { start(); },
                         [this](std::uint64_t n) { suspend_and_resume(n); }});
        cases.push_back({"tlm_write_status_reset", [] {}, [this](std::uint64_t n) { reset(n); }});
        add_debug_read(cases, "dbg_read_magic", bus_, VMMIO_MAGIC);
    }

private:
    void start()
    {
        vmmio_features features{};
        vmmio_features_add(&features, VMMIO_F_SUSPEND);
        negotiate(bus_, features);
        bus_.write(VMMIO_REG_STATUS, running);
        require(bus_.read(VMMIO_REG_STATUS) == running, "the device did not start");
    }

    // Every write has an effect: SUSPEND and DRIVER_OK take turns.
    void suspend_and_resume(std::uint64_t n)
    {
        for (std::uint64_t i = 0; i < n; i += 2) {
            bus_.write(VMMIO_REG_STATUS, running | VMMIO_STATUS_SUSPEND);
            bus_.write(VMMIO_REG_STATUS, running);
        }
        require(bus_.errors == 0 && bus_.read(VMMIO_REG_STATUS) == running &&
                    device_.diagnostics(VMMIO_DIAG_SUSPEND_REFUSED) == 0,
                "a status write went wrong");
    }

    // A reset and ACKNOWLEDGE take turns.
    void reset(std::uint64_t n)
    {
        for (std::uint64_t i = 0; i < n; i++)
            bus_.write(VMMIO_REG_STATUS, i % 2);
        require(bus_.errors == 0 && bus_.read(VMMIO_REG_STATUS) == VMMIO_STATUS_ACKNOWLEDGE,
                "a status write went wrong");
    }

    vmmio::null_device device_{"register_device"};
    empty_target empty_{"empty_target"}, memory_{"register_memory"};
    register_target register_{"register_target"};
    bus_master bus_{"register_bus"}, empty_bus_{"to_empty"}, register_bus_{"to_register"};
    sc_core::sc_signal<bool> interrupt_;
};

} // namespace

std::unique_ptr<fixture> make_register_fixture() { return std::make_unique<register_fixture>(); }

} // namespace vmmio_bench
