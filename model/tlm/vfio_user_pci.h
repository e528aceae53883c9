// SPDX-License-Identifier: Apache-2.0
/// @file vfio_user_pci.h
/// The configuration space of a PCI function with one memory BAR and INTA, and its interrupt.
#ifndef VMMIO_TLM_VFIO_USER_PCI_H
#define VMMIO_TLM_VFIO_USER_PCI_H

#include "vfio_user_connection.h"
#include "vmmio/tlm/vfio_user.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace vmmio::vfu
{

/// A type 0 header without capabilities.
class pci_function
{
public:
    static constexpr std::size_t size = 256;
    static_assert(size <= max_data_xfer_size, "a client may read all of it at once");

    explicit pci_function(const vfio_user_config &config);

    /// Registers that the guest can write go back to 0.
    void reset();

    /// offset + count is at most size.
    void read(std::size_t offset, std::uint8_t *data, std::size_t count) const;

    /// Read-only bits keep their value. offset + count is at most size.
    void write(std::size_t offset, const std::uint8_t *data, std::size_t count);

    /// True while the function answers to memory accesses.
    bool memory_enabled() const;

    bool interrupt_disabled() const;

    /// What the guest programmed, without the type bits.
    std::uint32_t bar0() const;

    /// Sets the status register's Interrupt Status.
    void show_interrupt(bool pending);

private:
    std::uint32_t get(std::size_t offset, std::size_t bytes) const;
    void set(std::size_t offset, std::uint32_t value, std::size_t bytes);

    std::array<std::uint8_t, size> bytes_{};
    std::array<std::uint8_t, size> writable_{}; ///< bits that the guest can change
};

/// A level interrupt over an eventfd, automasked: a trigger masks it, and an unmask while the
/// line is still high triggers again.
class interrupt_line
{
public:
    /// @param triggers counts what is sent.
    explicit interrupt_line(std::uint64_t &triggers) : triggers_(triggers) {}

    void set_level(bool high);
    void set_disabled(bool disabled);

    /// Replaces the eventfd, an empty one takes it away; unmasked either way.
    void connect(unique_fd eventfd);

    void mask() { masked_ = true; }
    void unmask();

    /// Triggers whatever the level is, as a client can ask for.
    void trigger();

    bool level() const { return level_; }

private:
    void update();

    unique_fd eventfd_;
    bool level_ = false;
    bool disabled_ = false;
    bool masked_ = false;
    std::uint64_t &triggers_;
};

} // namespace vmmio::vfu
#endif
