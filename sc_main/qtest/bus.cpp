// SPDX-License-Identifier: Apache-2.0
#include "bus.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <iterator>
#include <stdexcept>
#include <sys/mman.h>

namespace vmmio::qtest
{

namespace
{

constexpr unsigned widest_register = 4;

unsigned aligned_width(std::uint64_t offset, std::size_t length)
{
    unsigned width = widest_register;
    while (width > length || offset % width != 0)
        width /= 2;
    return width;
}

} // namespace

ram::ram(const std::string &what, std::uint64_t length) : length_(length)
{
    void *got = ::mmap(nullptr, length_, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (got == MAP_FAILED)
        throw std::runtime_error(
            fmt::format("the host does not give {} bytes for {}: make it smaller", length, what));
    memory_ = static_cast<std::uint8_t *>(got);
}

ram::~ram() { ::munmap(memory_, length_); }

void ram::read(std::uint64_t offset, std::uint8_t *data, std::size_t length)
{
    std::memcpy(data, memory_ + offset, length);
}

void ram::write(std::uint64_t offset, const std::uint8_t *data, std::size_t length)
{
    std::memcpy(memory_ + offset, data, length);
}

void register_page::read(std::uint64_t offset, std::uint8_t *data, std::size_t length)
{
    while (length > 0) {
        const unsigned width = aligned_width(offset, length);
        std::uint32_t value = read_register(static_cast<std::uint32_t>(offset), width);
        for (unsigned i = 0; i < width; i++, value >>= 8)
            *data++ = static_cast<std::uint8_t>(value);
        offset += width;
        length -= width;
    }
}

void register_page::write(std::uint64_t offset, const std::uint8_t *data, std::size_t length)
{
    while (length > 0) {
        const unsigned width = aligned_width(offset, length);
        std::uint32_t value = 0;
        for (unsigned i = 0; i < width; i++)
            value |= std::uint32_t{*data++} << 8 * i;
        write_register(static_cast<std::uint32_t>(offset), width, value);
        offset += width;
        length -= width;
    }
}

void bus::attach(const std::string &name, std::uint64_t base, std::uint64_t length,
                 bus_target &target)
{
    if (length == 0)
        throw std::invalid_argument(fmt::format("{} has length 0: leave it out instead", name));
    const std::uint64_t last = base + (length - 1);
    if (last < base)
        throw std::invalid_argument(
            fmt::format("{} ends above 2^64: lower its base or its length", name));
    const auto above = entries_.upper_bound(base);
    const entry *other = nullptr;
    if (above != entries_.end() && above->first <= last)
        other = &above->second;
    else if (above != entries_.begin() && std::prev(above)->second.last >= base)
        other = &std::prev(above)->second;
    if (other)
        throw std::invalid_argument(
            fmt::format("{} (0x{:x} to 0x{:x}) overlaps {}: move it or make it smaller", name, base,
                        last, other->name));
    entries_.emplace(base, entry{name, last, &target});
}

bus::place bus::locate(std::uint64_t address) const
{
    const auto above = entries_.upper_bound(address);
    if (above != entries_.begin()) {
        const auto found = std::prev(above);
        if (address <= found->second.last)
            return {found->second.last, address - found->first, found->second.target};
    }
    return {above != entries_.end() ? above->first - 1 : UINT64_MAX, 0, nullptr};
}

bool bus::read(std::uint64_t address, std::uint8_t *data, std::size_t length)
{
    bool answered = true;
    while (length > 0) {
        const place here = locate(address);
        const std::size_t piece = std::min<std::uint64_t>(length - 1, here.last - address) + 1;
        if (here.target)
            here.target->read(here.offset, data, piece);
        else
            std::fill_n(data, piece, std::uint8_t{0});
        answered = answered && here.target;
        address += piece;
        data += piece;
        length -= piece;
    }
    return answered;
}

bool bus::write(std::uint64_t address, const std::uint8_t *data, std::size_t length)
{
    bool answered = true;
    while (length > 0) {
        const place here = locate(address);
        const std::size_t piece = std::min<std::uint64_t>(length - 1, here.last - address) + 1;
        if (here.target)
            here.target->write(here.offset, data, piece);
        answered = answered && here.target;
        address += piece;
        data += piece;
        length -= piece;
    }
    return answered;
}

std::optional<bus::span> bus::memory(std::uint64_t address)
{
    const place here = locate(address);
    if (!here.target || !here.target->memory())
        return std::nullopt;
    return span{address - here.offset, here.last, here.target->memory()};
}

} // namespace vmmio::qtest
