/* SPDX-License-Identifier: Apache-2.0 */
#include "guest_memory.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace vmmio::tb
{

namespace
{

constexpr uint64_t page = 4096;

bool inside(uint64_t address, uint64_t length, uint64_t base, uint64_t size)
{
    return address >= base && length <= size && address - base <= size - length;
}

} // namespace

std::string name_of(dma_mode mode)
{
    switch (mode) {
    case dma_mode::pointer:
        return "by_pointer";
    case dma_mode::transaction:
        return "by_transaction";
    case dma_mode::mixed:
        return "mixed";
    case dma_mode::fleeting:
        return "pointers_taken_away";
    case dma_mode::whole:
        return "ranges_taken_away";
    }
    return "unknown";
}

guest_memory::guest_memory(dma_mode mode) : mode_(mode) {}

guest_memory::~guest_memory()
{
    drop(aliases_);
    drop(revoked_);
    for (const ram &r : rams_) {
        munmap(r.bytes, r.size);
        close(r.file);
    }
}

void guest_memory::add_ram(uint64_t base, uint64_t size, bool writable)
{
    const int file = memfd_create("guest", 0);
    if (file < 0 || ftruncate(file, static_cast<off_t>(size)) != 0)
        throw std::runtime_error("no memory for the guest");
    void *bytes = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (bytes == MAP_FAILED)
        throw std::runtime_error("no address space for the guest");
    rams_.push_back({base, size, writable, file, static_cast<uint8_t *>(bytes)});
}

void guest_memory::add_registers(uint64_t base, uint64_t size,
                                 std::function<void(uint64_t, void *, uint32_t)> read,
                                 std::function<void(uint64_t, const void *, uint32_t)> write)
{
    registers_.push_back({base, size, std::move(read), std::move(write)});
}

const guest_memory::ram *guest_memory::find(uint64_t address, uint64_t length) const
{
    for (const ram &r : rams_)
        if (inside(address, length, r.base, r.size))
            return &r;
    return nullptr;
}

const guest_memory::registers *guest_memory::find_registers(uint64_t address, uint32_t length) const
{
    for (const registers &r : registers_)
        if (inside(address, length, r.base, r.size))
            return &r;
    return nullptr;
}

uint8_t *guest_memory::at(uint64_t address, uint64_t length) const
{
    const ram *r = find(address, length);
    if (!r)
        throw std::out_of_range("the test itself left the guest's memory");
    return r->bytes + (address - r->base);
}

uint16_t guest_memory::load16(uint64_t address) const
{
    const uint8_t *p = at(address, 2);
    return static_cast<uint16_t>(p[0] | p[1] << 8);
}

uint32_t guest_memory::load32(uint64_t address) const
{
    return load16(address) | static_cast<uint32_t>(load16(address + 2)) << 16;
}

uint64_t guest_memory::load64(uint64_t address) const
{
    return load32(address) | static_cast<uint64_t>(load32(address + 4)) << 32;
}

void guest_memory::store16(uint64_t address, uint16_t value)
{
    uint8_t *p = at(address, 2);
    p[0] = static_cast<uint8_t>(value);
    p[1] = static_cast<uint8_t>(value >> 8);
}

void guest_memory::store32(uint64_t address, uint32_t value)
{
    store16(address, static_cast<uint16_t>(value));
    store16(address + 2, static_cast<uint16_t>(value >> 16));
}

void guest_memory::store64(uint64_t address, uint64_t value)
{
    store32(address, static_cast<uint32_t>(value));
    store32(address + 4, static_cast<uint32_t>(value >> 32));
}

std::vector<uint8_t> guest_memory::bytes(uint64_t address, uint64_t length) const
{
    const uint8_t *p = at(address, length);
    return {p, p + length};
}

void guest_memory::set_bytes(uint64_t address, const std::vector<uint8_t> &data)
{
    std::copy(data.begin(), data.end(), at(address, data.size()));
}

void guest_memory::fill(uint64_t address, uint64_t length, uint8_t value)
{
    std::memset(at(address, length), value, length);
}

void guest_memory::name(uint64_t address, uint64_t length, unsigned rights)
{
    names_.push_back({address, length, rights});
}

void guest_memory::withdraw(uint64_t address, uint64_t length)
{
    for (auto it = names_.begin(); it != names_.end(); ++it) {
        if (it->address == address && it->length == length) {
            names_.erase(it);
            return;
        }
    }
}

void guest_memory::note(const dma_access &access)
{
    log.push_back(access);
    if (!judging_)
        return;
    const unsigned needed = access.write ? may_write : may_read;
    for (const range &r : names_)
        if (r.rights & needed && inside(access.address, access.length, r.address, r.length))
            return;
    violations.push_back(std::string(access.map ? "map" : "access") +
                         (access.write ? " for writing" : " for reading") + " of " +
                         std::to_string(access.length) + " bytes at " +
                         std::to_string(access.address));
}

bool guest_memory::begin_transaction(uint64_t address, uint32_t length, bool write)
{
    const dma_access access = {address, length, write, false};

    note(access);
    const bool ok = transactions++ != fail_at_;
    if (on_transaction)
        on_transaction(access);
    return ok;
}

/* One map in three takes all earlier pointers away, in a fixed but irregular order. */
bool guest_memory::take_fleeting_decision() { return (maps_++ * 2654435761u >> 16) % 3 == 0; }

void guest_memory::drop(std::vector<alias> &aliases)
{
    for (const alias &a : aliases)
        munmap(a.start, a.length);
    aliases.clear();
}

/* Whoever still uses a revoked pointer ends in a segmentation fault. */
void guest_memory::revoke()
{
    if (revoked_.size() > 1000)
        drop(revoked_);
    for (const alias &a : aliases_)
        mprotect(a.start, a.length, PROT_NONE);
    revoked_.insert(revoked_.end(), aliases_.begin(), aliases_.end());
    aliases_.clear();
    if (on_invalidate)
        on_invalidate();
}

void guest_memory::take_pointers_away()
{
    if (mode_ == dma_mode::fleeting || mode_ == dma_mode::whole)
        revoke();
}

void *guest_memory::make_alias(const ram &r, uint64_t address, uint64_t length)
{
    const uint64_t offset = address - r.base;
    const uint64_t start = offset / page * page;
    const size_t span = offset - start + length;
    void *bytes =
        mmap(nullptr, span, PROT_READ | PROT_WRITE, MAP_SHARED, r.file, static_cast<off_t>(start));

    if (bytes == MAP_FAILED)
        return nullptr;
    aliases_.push_back({bytes, span});
    return static_cast<uint8_t *>(bytes) + (offset - start);
}

bool guest_memory::map_all(uint64_t address, bool write, vmmio_memory_range &all)
{
    note({address, 1, write, true});
    const ram *r = find(address, 1);
    if (!r || (write && !r->writable))
        return false;
    if (take_fleeting_decision())
        revoke();
    all = {r->base, r->size, static_cast<uint8_t *>(make_alias(*r, r->base, r->size))};
    return all.pointer != nullptr;
}

void *guest_memory::map(uint64_t address, uint64_t length, bool write)
{
    note({address, length, write, true});
    const ram *r = find(address, length);
    if (!r || (write && !r->writable))
        return nullptr;
    switch (mode_) {
    case dma_mode::pointer:
        return r->bytes + (address - r->base);
    case dma_mode::mixed:
        return maps_++ % 2 ? r->bytes + (address - r->base) : nullptr;
    case dma_mode::fleeting:
    case dma_mode::whole:
        if (take_fleeting_decision())
            revoke();
        return make_alias(*r, address, length);
    case dma_mode::transaction:
        break;
    }
    return nullptr;
}

bool guest_memory::read(uint64_t address, void *data, uint32_t length)
{
    if (!begin_transaction(address, length, false))
        return false;
    if (const registers *r = find_registers(address, length)) {
        r->read(address - r->base, data, length);
        return true;
    }
    const ram *r = find(address, length);
    if (r)
        std::memcpy(data, r->bytes + (address - r->base), length);
    return r != nullptr;
}

bool guest_memory::write(uint64_t address, const void *data, uint32_t length)
{
    if (!begin_transaction(address, length, true))
        return false;
    if (const registers *r = find_registers(address, length)) {
        r->write(address - r->base, data, length);
        return true;
    }
    const ram *r = find(address, length);
    if (!r || !r->writable)
        return false;
    std::memcpy(r->bytes + (address - r->base), data, length);
    return true;
}

vmmio_memory guest_memory::port()
{
    vmmio_memory port = {
        this,
        [](void *self, uint64_t address, uint64_t length, bool write) {
            return static_cast<guest_memory *>(self)->map(address, length, write);
        },
        [](void *self, uint64_t address, void *data, uint32_t length) {
            return static_cast<guest_memory *>(self)->read(address, data, length);
        },
        [](void *self, uint64_t address, const void *data, uint32_t length) {
            return static_cast<guest_memory *>(self)->write(address, data, length);
        },
        nullptr,
    };
    if (mode_ == dma_mode::whole)
        port.range = [](void *self, uint64_t address, bool write, vmmio_memory_range *all) {
            return static_cast<guest_memory *>(self)->map_all(address, write, *all);
        };
    return port;
}

} // namespace vmmio::tb
