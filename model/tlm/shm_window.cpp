// SPDX-License-Identifier: Apache-2.0
#include "vmmio/tlm/shm_window.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <limits>

namespace vmmio
{

shm_window::shm_window(const char *name, vmmio_shm *table, unmapped policy,
                       sc_core::sc_time latency)
    : socket(name), table_(table), policy_(policy), latency_(latency)
{
    socket.register_b_transport(this, &shm_window::b_transport);
    socket.register_transport_dbg(this, &shm_window::transport_dbg);
    socket.register_get_direct_mem_ptr(this, &shm_window::get_direct_mem_ptr);
}

std::vector<shm_window::mapping>::iterator shm_window::region::from(std::uint64_t offset)
{
    return std::partition_point(mappings.begin(), mappings.end(),
                                [=](const mapping &m) { return m.end() <= offset; });
}

shm_window::region *shm_window::find(std::uint8_t id)
{
    for (region &r : regions_)
        if (r.id == id)
            return &r;
    return nullptr;
}

vmmio_error shm_window::changed(vmmio_error error) const
{
    if (error == VMMIO_ERROR_OK && on_change)
        on_change();
    return error;
}

vmmio_error shm_window::add_region(std::uint8_t id, std::uint64_t base, std::uint64_t length)
{
    const vmmio_shm_region fresh{id, base, length};
    const vmmio_error error = vmmio_shm_add(table_, &fresh);
    if (error != VMMIO_ERROR_OK)
        return error;
    regions_.push_back({id, {}});
    return changed(error);
}

vmmio_error shm_window::remove_region(std::uint8_t id)
{
    const vmmio_shm_region *where = vmmio_shm_find(table_, id);
    region *old = find(id);
    if (!where || !old)
        return VMMIO_ERROR_REGION_ID_UNKNOWN;
    invalidate(*where, *old, 0, where->length);
    regions_.erase(regions_.begin() + (old - regions_.data()));
    return changed(vmmio_shm_remove(table_, id));
}

// The table checks a change before pointers are taken back, and pointers are taken back before
// anything moves: so the checks run on a copy first.
vmmio_error shm_window::move_region(std::uint8_t id, std::uint64_t base)
{
    const vmmio_shm_region *where = vmmio_shm_find(table_, id);
    region *moved = find(id);
    if (!where || !moved)
        return VMMIO_ERROR_REGION_ID_UNKNOWN;
    const vmmio_shm_region target{id, base, where->length};
    vmmio_shm trial = *table_;
    const vmmio_error error = vmmio_shm_change(&trial, &target);
    if (error != VMMIO_ERROR_OK)
        return error;
    invalidate(*where, *moved, 0, where->length);
    return changed(vmmio_shm_change(table_, &target));
}

vmmio_error shm_window::resize_region(std::uint8_t id, std::uint64_t length)
{
    const vmmio_shm_region *where = vmmio_shm_find(table_, id);
    region *resized = find(id);
    if (!where || !resized)
        return VMMIO_ERROR_REGION_ID_UNKNOWN;
    const vmmio_shm_region target{id, where->base, length};
    vmmio_shm trial = *table_;
    const vmmio_error error = vmmio_shm_change(&trial, &target);
    if (error != VMMIO_ERROR_OK)
        return error;
    if (length < where->length) {
        invalidate(*where, *resized, length, where->length - length);
        cut(*resized, length, where->length - length);
    }
    return changed(vmmio_shm_change(table_, &target));
}

bool shm_window::range_ok(std::uint8_t id, std::uint64_t offset, std::uint64_t length) const
{
    const vmmio_shm_region *where = vmmio_shm_find(table_, id);
    return where && length > 0 && offset <= where->length && length <= where->length - offset;
}

bool shm_window::map(std::uint8_t id, std::uint64_t offset, unsigned char *memory,
                     std::uint64_t length, rights access, lifetime until)
{
    if (!memory || !unmap(id, offset, length))
        return false;
    region &r = *find(id);
    r.mappings.insert(r.from(offset), {offset, length, memory, access, until, false});
    return true;
}

bool shm_window::unmap(std::uint8_t id, std::uint64_t offset, std::uint64_t length)
{
    if (!range_ok(id, offset, length))
        return false;
    region &r = *find(id);
    invalidate(*vmmio_shm_find(table_, id), r, offset, length);
    cut(r, offset, length);
    return true;
}

void shm_window::reset()
{
    for (region &r : regions_) {
        const vmmio_shm_region *where = vmmio_shm_find(table_, r.id);
        invalidate(*where, r, 0, where->length);
        r.mappings.erase(
            std::remove_if(r.mappings.begin(), r.mappings.end(),
                           [](const mapping &m) { return m.until == lifetime::until_reset; }),
            r.mappings.end());
    }
}

// A grant spans a whole mapping, so a whole mapping is taken back even if only a part goes away.
void shm_window::invalidate(const vmmio_shm_region &where, region &changed, std::uint64_t offset,
                            std::uint64_t length)
{
    std::uint64_t first = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t end = 0;
    for (auto m = changed.from(offset); m != changed.mappings.end() && m->offset < offset + length;
         ++m) {
        if (m->granted) {
            first = std::min(first, m->offset);
            end = m->end();
            m->granted = false;
        }
    }
    if (first < end) {
        taking_back_ = true;
        socket->invalidate_direct_mem_ptr(where.base + first, where.base + (end - 1));
        taking_back_ = false;
    }
}

void shm_window::cut(region &changed, std::uint64_t offset, std::uint64_t length)
{
    const std::uint64_t end = offset + length;
    auto m = changed.from(offset);
    if (m == changed.mappings.end() || end <= m->offset)
        return;
    if (m->offset < offset && end < m->end()) { // a hole in one mapping: its rest becomes another
        mapping rest = *m;
        rest.memory += end - m->offset;
        rest.length = m->end() - end;
        rest.offset = end;
        m->length = offset - m->offset;
        changed.mappings.insert(m + 1, rest);
        return;
    }
    if (m->offset < offset) {
        m->length = offset - m->offset;
        ++m;
    }
    const auto gone = m;
    while (m != changed.mappings.end() && m->end() <= end)
        ++m;
    if (m != changed.mappings.end() && m->offset < end) {
        m->memory += end - m->offset;
        m->length = m->end() - end;
        m->offset = end;
    }
    changed.mappings.erase(gone, m);
}

namespace
{

// Narrows [first, last], which holds address, so that it ends before a range that does not.
void keep_clear(std::uint64_t address, std::uint64_t from, std::uint64_t to, std::uint64_t &first,
                std::uint64_t &last)
{
    if (to < address)
        first = std::max(first, to + 1);
    else
        last = std::min(last, from - 1);
}

} // namespace

shm_window::place shm_window::locate(std::uint64_t address)
{
    place hole{nullptr, false, 0, std::numeric_limits<std::uint64_t>::max()};
    for (region &r : regions_) {
        const vmmio_shm_region *where = vmmio_shm_find(table_, r.id);
        const std::uint64_t end = where->base + (where->length - 1);
        if (address < where->base || address > end) {
            keep_clear(address, where->base, end, hole.first, hole.last);
            continue;
        }
        hole = {nullptr, true, where->base, end};
        const std::uint64_t offset = address - where->base;
        const auto next = r.from(offset);
        if (next != r.mappings.end() && next->offset <= offset)
            return {&*next, true, where->base + next->offset, where->base + (next->end() - 1)};
        if (next != r.mappings.begin())
            hole.first = where->base + std::prev(next)->end();
        if (next != r.mappings.end())
            hole.last = where->base + (next->offset - 1);
        break; // regions do not overlap
    }
    return hole;
}

namespace
{

// One piece of an access; byte enables repeat over the whole transaction.
void copy(tlm::tlm_generic_payload &tx, unsigned done, unsigned char *memory, unsigned length)
{
    unsigned char *data = tx.get_data_ptr() + done;
    const unsigned char *enable = tx.get_byte_enable_ptr();
    const unsigned enable_length = tx.get_byte_enable_length();

    if (!enable) {
        if (tx.is_read())
            std::memcpy(data, memory, length);
        else
            std::memcpy(memory, data, length);
        return;
    }
    for (unsigned i = 0; i < length; i++) {
        if (enable[(done + i) % enable_length] != TLM_BYTE_ENABLED)
            continue;
        if (tx.is_read())
            data[i] = memory[i];
        else
            memory[i] = data[i];
    }
}

} // namespace

tlm::tlm_response_status shm_window::check(tlm::tlm_generic_payload &tx)
{
    const unsigned length = tx.get_data_length();
    if (!tx.is_read() && !tx.is_write())
        return tlm::TLM_COMMAND_ERROR_RESPONSE;
    if (!tx.get_data_ptr() || length == 0)
        return tlm::TLM_GENERIC_ERROR_RESPONSE;
    if (tx.get_streaming_width() < length)
        return tlm::TLM_BURST_ERROR_RESPONSE;
    if (tx.get_byte_enable_ptr() && tx.get_byte_enable_length() == 0)
        return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
    if (tx.get_address() + (length - 1) < tx.get_address())
        return tlm::TLM_ADDRESS_ERROR_RESPONSE;

    for (unsigned done = 0; done < length;) { // nothing is written before all of it may be
        const place at = locate(tx.get_address() + done);
        if (!at.found && (!at.in_region || policy_ == unmapped::address_error))
            return tlm::TLM_ADDRESS_ERROR_RESPONSE;
        if (at.found && tx.is_write() && at.found->access == rights::read)
            return tlm::TLM_COMMAND_ERROR_RESPONSE; // H-48
        const std::uint64_t rest = at.last - (tx.get_address() + done);
        if (rest >= length - done)
            break;
        done += static_cast<unsigned>(rest) + 1;
    }
    return tlm::TLM_OK_RESPONSE;
}

tlm::tlm_response_status shm_window::access(tlm::tlm_generic_payload &tx)
{
    const tlm::tlm_response_status status = check(tx);
    const unsigned length = tx.get_data_length();
    if (status != tlm::TLM_OK_RESPONSE)
        return status;
    for (unsigned done = 0; done < length;) {
        const std::uint64_t address = tx.get_address() + done;
        const place at = locate(address);
        const std::uint64_t rest = at.last - address;
        const unsigned piece =
            rest < length - done ? static_cast<unsigned>(rest) + 1 : length - done;
        if (at.found)
            copy(tx, done, at.found->memory + (address - at.first), piece);
        else if (tx.is_read())
            std::memset(tx.get_data_ptr() + done, 0xff, piece);
        done += piece;
    }
    tx.set_dmi_allowed(locate(tx.get_address()).found != nullptr);
    return status;
}

void shm_window::b_transport(tlm::tlm_generic_payload &tx, sc_core::sc_time &delay)
{
    tx.set_dmi_allowed(false);
    if (tx.get_command() == tlm::TLM_IGNORE_COMMAND) {
        tx.set_response_status(tlm::TLM_OK_RESPONSE);
        return;
    }
    delay += latency_;
    tx.set_response_status(access(tx));
}

unsigned shm_window::transport_dbg(tlm::tlm_generic_payload &tx)
{
    return tx.get_command() != tlm::TLM_IGNORE_COMMAND && access(tx) == tlm::TLM_OK_RESPONSE
               ? tx.get_data_length()
               : 0;
}

bool shm_window::get_direct_mem_ptr(tlm::tlm_generic_payload &tx, tlm::tlm_dmi &dmi)
{
    const place at = locate(tx.get_address());
    dmi.init();
    dmi.set_start_address(at.first);
    dmi.set_end_address(at.last);
    // Asked from inside an invalidation, the pointer would never be taken back.
    if (!at.found || taking_back_ || (tx.is_write() && at.found->access == rights::read))
        return false;
    at.found->granted = true;
    dmi.set_dmi_ptr(at.found->memory);
    dmi.set_read_latency(latency_);
    dmi.set_write_latency(latency_);
    if (at.found->access == rights::read_write)
        dmi.allow_read_write();
    else
        dmi.allow_read();
    return true;
}

} // namespace vmmio
