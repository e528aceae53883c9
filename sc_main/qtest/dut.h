// SPDX-License-Identifier: Apache-2.0
/// @file dut.h
/// The device under test as the machine sees it, in whatever form it is.
#ifndef VMMIO_QTEST_DUT_H
#define VMMIO_QTEST_DUT_H

#include "bus.h"
#include "function.h"
#include "options.h"
#include "vmmio/error.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace vmmio::qtest
{

/// What the forms have in common.
constexpr std::uint32_t vendor_id = 0x4f4d4d56; // "VMMO"
constexpr std::uint32_t queue_size_max = 256;
constexpr std::uint32_t requests = 64; // in the device at once; the most buffers of one frame

/// Work between two commands comes in slices of so many requests, and ends after so many slices: a
/// ring that is refilled by its own device cannot keep the client waiting for ever. The rest is
/// done at the next command.
constexpr std::uint32_t slice = 64;
constexpr unsigned slices_per_command = 1024;

/// The machine as the device sees it; every member is required.
struct machine_side {
    bus &memory;                         ///< for DMA
    std::function<void(bool)> interrupt; ///< called at each change of the line's level
    std::function<void(const vmmio_diagnostic &)> diagnostic;
};

class dut
{
public:
    virtual ~dut() = default;

    virtual bus_target &registers() = 0;

    /// The memory of the region with this index in options::regions.
    virtual bus_target &region(std::size_t index) = 0;

    /// Runs the commands; every other call is made from inside of it.
    virtual void run(const std::function<void()> &commands) = 0;

    /// Lets the device do what it has been told to, slices_per_command at most.
    virtual void settle() = 0;

    /// The state of the device, see vmmio/state.h.
    virtual vmmio_error save(std::vector<std::uint8_t> &state) = 0;
    virtual vmmio_error restore(const std::vector<std::uint8_t> &state) = 0;

    /// Lets ns nanoseconds pass.
    virtual void advance(std::uint64_t ns) = 0;
};

/// Builds the form of device that chosen.dut names, with chosen.regions as they are. function and
/// side must outlive it.
/// @throws std::invalid_argument with what to change.
std::unique_ptr<dut> make_dut(const options &chosen, function &what, const machine_side &side);

} // namespace vmmio::qtest

#endif
