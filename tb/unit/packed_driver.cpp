/* SPDX-License-Identifier: Apache-2.0 */
#include "packed_driver.h"

#include <stdexcept>

namespace vmmio::tb
{

namespace
{

constexpr unsigned desc_avail = 1 << 7, desc_used = 1 << 15;

} // namespace

packed_queue::packed_queue(guest_memory &memory, uint64_t base, uint32_t entries)
    : ring_place{align_up(base, 16), align_up(base, 16) + 16ull * entries,
                 align_up(base, 16) + 16ull * entries + 4, entries},
      memory_(memory)
{
    memory_.fill(desc, 16ull * size, 0);
    memory_.fill(driver, 4, 0);
    memory_.fill(device, 4, 0);
    memory_.name(desc, 16ull * size, may_read | may_write);
    memory_.name(driver, 4, may_read);
    memory_.name(device, 4, may_write);
}

void packed_queue::set_desc(uint32_t slot, uint64_t address, uint32_t length, unsigned id,
                            unsigned flags)
{
    const uint64_t at = desc + 16ull * slot;
    memory_.store64(at, address);
    memory_.store32(at + 8, length);
    memory_.store16(at + 12, static_cast<uint16_t>(id));
    set_flags(slot, flags);
}

void packed_queue::set_flags(uint32_t slot, unsigned flags)
{
    memory_.store16(desc + 16ull * slot + 14, static_cast<uint16_t>(flags));
}

unsigned packed_queue::flags(uint32_t slot) const
{
    return memory_.load16(desc + 16ull * slot + 14);
}

/* Ids are the driver's own affair: these have no relation to slots. */
uint16_t packed_queue::take_id()
{
    do
        next_id_ = static_cast<uint16_t>(next_id_ * 5 + 0x3a7b);
    while (buffers_.count(next_id_));
    return next_id_;
}

void packed_queue::name(buffer &b, const piece &p)
{
    memory_.name(p.address, p.length, p.writable ? may_write : may_read);
    b.named.push_back(p);
}

void packed_queue::put(const piece &p, unsigned id, unsigned flags, bool first)
{
    if (busy_ == size)
        throw std::length_error("the test offers more descriptors than the queue has");
    const unsigned state = available_flags();
    const unsigned stale = this->flags(next_);
    set_desc(next_, p.address, p.length, id, first ? stale : flags | state);
    if (first)
        pending_.push_back({next_, flags | state});
    busy_++;
    if (++next_ == size) {
        next_ = 0;
        wrap = !wrap;
    }
}

uint16_t packed_queue::add(const std::vector<piece> &pieces)
{
    const uint16_t id = take_id();
    buffer b = {static_cast<uint32_t>(pieces.size()), {}};
    for (size_t i = 0; i < pieces.size(); i++) {
        const bool last = i + 1 == pieces.size();
        name(b, pieces[i]);
        put(pieces[i], last ? id : id ^ 0x5a5au,
            (pieces[i].writable ? write_flag : 0u) | (last ? 0u : next_flag), i == 0);
    }
    buffers_[id] = b;
    if (in_order)
        order_.push_back(id);
    return id;
}

uint16_t packed_queue::add_indirect(const std::vector<piece> &pieces, uint64_t table)
{
    const uint16_t id = take_id();
    const piece table_piece = {table, static_cast<uint32_t>(16 * pieces.size()), false};
    buffer b = {1, {}};
    name(b, table_piece);
    for (size_t i = 0; i < pieces.size(); i++) {
        const uint64_t at = table + 16 * i;
        memory_.store64(at, pieces[i].address);
        memory_.store32(at + 8, pieces[i].length);
        memory_.store32(at + 12, pieces[i].writable ? write_flag << 16 : 0);
        name(b, pieces[i]);
    }
    put(table_piece, id, indirect_flag, true);
    buffers_[id] = b;
    if (in_order)
        order_.push_back(id);
    return id;
}

void packed_queue::publish()
{
    for (const head &h : pending_)
        set_flags(h.slot, h.flags);
    pending_.clear();
}

bool packed_queue::is_used(uint32_t slot) const
{
    const unsigned f = flags(slot);
    return ((f & desc_avail) != 0) == used_wrap_ && ((f & desc_used) != 0) == used_wrap_;
}

/* The buffers before the one that a used descriptor names count as used to their end. */
packed_used packed_queue::next_in_order()
{
    if (order_.empty())
        throw std::logic_error("the device used a buffer that it does not have");
    const uint16_t id = order_.front();
    order_.pop_front();
    if (batch_->id == id) {
        const packed_used used = *batch_;
        batch_.reset();
        return used;
    }
    uint32_t length = 0;
    for (const piece &p : buffers_[id].named)
        length += p.writable ? p.length : 0;
    return {id, length, length != 0};
}

std::optional<packed_used> packed_queue::reap()
{
    if (!batch_ && !is_used(last_used_))
        return std::nullopt;
    const uint64_t at = desc + 16ull * last_used_;
    packed_used used = {memory_.load16(at + 12), memory_.load32(at + 8),
                        (flags(last_used_) & write_flag) != 0};

    if (in_order) {
        if (!batch_) {
            batch_ = used;
            entries_read++;
        }
        used = next_in_order();
    } else {
        entries_read++;
    }
    const auto found = buffers_.find(used.id);
    if (found == buffers_.end())
        throw std::logic_error("the device used a buffer that it does not have");
    for (const piece &p : found->second.named)
        memory_.withdraw(p.address, p.length);
    last_used_ += found->second.slots;
    busy_ -= found->second.slots;
    if (last_used_ >= size) {
        last_used_ -= size;
        used_wrap_ = !used_wrap_;
    }
    buffers_.erase(found);
    return used;
}

packed_event packed_queue::device_event() const
{
    return {memory_.load16(device), memory_.load16(device + 2)};
}

void packed_queue::set_driver_event(packed_event event)
{
    memory_.store16(driver, event.position);
    memory_.store16(driver + 2, event.flags);
}

uint16_t packed_queue::position_after(uint16_t position, uint32_t slots) const
{
    uint32_t slot = position & 0x7fffu;
    unsigned top = position & 0x8000u;
    for (; slots; slots--) {
        if (++slot == size) {
            slot = 0;
            top ^= 0x8000;
        }
    }
    return static_cast<uint16_t>(slot | top);
}

bool packed_queue::kick_needed(uint16_t old) const
{
    const packed_event event = device_event();
    if (event.flags != 2)
        return event.flags != 1;
    for (uint16_t at = old; at != position(); at = position_after(at, 1))
        if (at == event.position)
            return true;
    return false;
}

} // namespace vmmio::tb
