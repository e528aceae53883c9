// SPDX-License-Identifier: Apache-2.0
/// @file register_form.h
/// The register block of a `vmmio::device` in another form than the C model, such as the Verilog
/// one.
#ifndef VMMIO_TLM_REGISTER_FORM_H
#define VMMIO_TLM_REGISTER_FORM_H

#include "vmmio/device.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <systemc>

namespace vmmio
{

/// Stands between the C register block and the engine of a device, and answers the register
/// accesses in place of the C block. One device has one.
class register_form
{
public:
    /// Clocks since the start: those in which something moved, and those that the simulation
    /// skipped.
    struct clock_count {
        std::uint64_t run = 0;
        std::uint64_t skipped = 0;
    };

    virtual ~register_form() = default;

    /// For the device's config; the model is not built yet.
    virtual vmmio_between between() = 0;

    /// The model is built, no access has come.
    /// @param line is called at each change of the interrupt line's level.
    virtual void start(vmmio_device &model, std::function<void()> line) = 0;

    /// Register accesses, as vmmio_device_read and vmmio_device_write.
    virtual std::uint32_t read(std::uint32_t offset, std::uint32_t width) = 0;
    virtual void write(std::uint32_t offset, std::uint32_t width, std::uint32_t value) = 0;

    /// As vmmio_block_poke.
    virtual bool poke(std::uint32_t offset, std::uint32_t value) = 0;

    /// As vmmio_device_regions_changed.
    virtual void regions_changed() = 0;

    /// Level of the interrupt line.
    virtual bool interrupt() const = 0;

    /// Time that accesses took since the last call.
    virtual sc_core::sc_time take_time() = 0;

    virtual clock_count clocks() const = 0;
};

/// Makes the form for the device of this name, with SC_ERROR reports about what cannot be.
using register_form_factory =
    std::function<std::unique_ptr<register_form>(const std::string &name)>;

} // namespace vmmio

#endif
