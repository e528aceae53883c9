// SPDX-License-Identifier: Apache-2.0
/// @file devices.h
/// The devices of the platform, made from its options: each has a page of BAR0, in this order.
#ifndef VMMIO_PLATFORM_DEVICES_H
#define VMMIO_PLATFORM_DEVICES_H

#include "options.h"
#include "vmmio/tlm/device.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vmmio::platform
{

/// A device with what it works on, and what the report tells of it.
struct attachment {
    std::uint32_t device_id; ///< DeviceID
    std::shared_ptr<void> backing;
    std::unique_ptr<device> module;
    std::function<std::uint64_t()> requests; ///< completed so far
    std::function<std::uint64_t()> bytes;    ///< moved so far, both ways
    /// Gives it another size, or throws what is wrong with it (an sc_report or a
    /// std::runtime_error). Empty: its size is fixed.
    std::function<void(const std::string &)> resize{};
};

/// An entropy device, then whatever else was asked for.
/// @throws std::runtime_error that says what to change if a file or folder cannot be used.
std::vector<attachment> make_devices(const options &chosen);

} // namespace vmmio::platform
#endif
