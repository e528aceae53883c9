// SPDX-License-Identifier: Apache-2.0
/// @file bus.h
/// The memory map of the machine: RAM, register pages, and what lies between.
#ifndef VMMIO_QTEST_BUS_H
#define VMMIO_QTEST_BUS_H

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace vmmio::qtest
{

/// Something that answers at a range of addresses.
class bus_target
{
public:
    virtual ~bus_target() = default;

    /// offset + length stays inside the range that was attached; length is at least 1.
    virtual void read(std::uint64_t offset, std::uint8_t *data, std::size_t length) = 0;
    virtual void write(std::uint64_t offset, const std::uint8_t *data, std::size_t length) = 0;

    /// Host pointer to all of it, if it is plain memory.
    virtual std::uint8_t *memory() { return nullptr; }
};

/// Memory that is zero at first and takes host memory only where it was used.
class ram : public bus_target
{
public:
    /// @param what it is, for messages.
    /// @throws std::runtime_error if the host does not give so much memory.
    ram(const std::string &what, std::uint64_t length);
    ~ram() override;
    ram(const ram &) = delete;
    ram &operator=(const ram &) = delete;

    void read(std::uint64_t offset, std::uint8_t *data, std::size_t length) override;
    void write(std::uint64_t offset, const std::uint8_t *data, std::size_t length) override;
    std::uint8_t *memory() override { return memory_; }

private:
    std::uint8_t *memory_;
    std::size_t length_;
};

/// A register page: accesses are cut into naturally aligned ones of 1, 2 and 4 bytes in ascending
/// order, as QEMU's memory core does it for virtio-mmio (A-64, A-ALIGN).
class register_page : public bus_target
{
public:
    void read(std::uint64_t offset, std::uint8_t *data, std::size_t length) final;
    void write(std::uint64_t offset, const std::uint8_t *data, std::size_t length) final;

private:
    virtual std::uint32_t read_register(std::uint32_t offset, unsigned width) = 0;
    virtual void write_register(std::uint32_t offset, unsigned width, std::uint32_t value) = 0;
};

/// Who answers where. Addresses that nobody answers read 0 and ignore writes, as on QEMU.
class bus
{
public:
    /// Adds a target, which stays the caller's and must outlive the bus.
    /// @param name for messages.
    /// @throws std::invalid_argument if the range is empty, ends above 2^64 or overlaps another.
    void attach(const std::string &name, std::uint64_t base, std::uint64_t length,
                bus_target &target);

    /// base + length must not exceed 2^64. True if there was a target for every byte.
    bool read(std::uint64_t address, std::uint8_t *data, std::size_t length);
    bool write(std::uint64_t address, const std::uint8_t *data, std::size_t length);

    /// Addresses first to last that one plain memory answers, and the host pointer to the first.
    struct span {
        std::uint64_t first, last;
        std::uint8_t *memory;
    };

    /// The memory around an address, if there is one.
    std::optional<span> memory(std::uint64_t address);

private:
    struct entry {
        std::string name;
        std::uint64_t last; // address
        bus_target *target;
    };

    // The run of equal kind that address is in: its last address, and who answers.
    struct place {
        std::uint64_t last;
        std::uint64_t offset;
        bus_target *target; // null: nobody
    };

    place locate(std::uint64_t address) const;

    std::map<std::uint64_t, entry> entries_; // by base
};

} // namespace vmmio::qtest

#endif
