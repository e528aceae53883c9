// SPDX-License-Identifier: Apache-2.0
/// @file machine.h
/// The part of QEMU's arm `virt` machine that a virtio-mmio device needs.
#ifndef VMMIO_QTEST_MACHINE_H
#define VMMIO_QTEST_MACHINE_H

#include "dut.h"
#include "dut_c.h"

#include <bitset>
#include <functional>
#include <memory>
#include <vector>

namespace vmmio::qtest
{

constexpr std::uint64_t ram_base = 0x40000000;
constexpr std::uint64_t slots_base = 0x0a000000;
constexpr std::uint64_t slot_bytes = 0x200;
constexpr unsigned slots = 32;

/// The device is in the highest slot; slot i has input 16 + i of the interrupt controller.
constexpr unsigned device_interrupt = 16 + slots - 1;

class machine
{
public:
    /// @throws std::invalid_argument or std::runtime_error with what to change.
    explicit machine(const options &chosen);
    machine(const machine &) = delete;
    machine &operator=(const machine &) = delete;

    /// Called at each change of the device's interrupt line.
    std::function<void(bool level)> on_interrupt;

    qtest::bus &bus() { return bus_; }
    dut &device() { return *dut_; }

private:
    machine_side side();
    void say(const vmmio_diagnostic &diagnostic);

    options chosen_;
    qtest::bus bus_;
    ram ram_;
    std::vector<std::unique_ptr<placeholder>> placeholders_;
    function function_;
    std::unique_ptr<dut> dut_;
    std::bitset<VMMIO_DIAG_COUNT> said_;
};

} // namespace vmmio::qtest

#endif
