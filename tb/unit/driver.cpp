/* SPDX-License-Identifier: Apache-2.0 */
#include "driver.h"

#include <stdexcept>

namespace vmmio::tb
{

namespace
{

void put_desc(guest_memory &memory, uint64_t at, const piece &p, unsigned flags, unsigned next)
{
    memory.store64(at, p.address);
    memory.store32(at + 8, p.length);
    memory.store16(at + 12, static_cast<uint16_t>(flags));
    memory.store16(at + 14, static_cast<uint16_t>(next));
}

} // namespace

virtqueue::virtqueue(guest_memory &memory, uint64_t base, uint32_t entries)
    : virtqueue(memory, align_up(base, 16), align_up(base, 16) + 16ull * entries,
                align_up(align_up(base, 16) + 6 + 18ull * entries, 4), entries)
{
}

virtqueue::virtqueue(guest_memory &memory, uint64_t desc_at, uint64_t driver_at, uint64_t device_at,
                     uint32_t entries)
    : ring_place{desc_at, driver_at, device_at, entries}, memory_(memory)
{
    memory_.fill(desc, desc_bytes(), 0);
    memory_.fill(driver, driver_bytes(), 0);
    memory_.fill(device, device_bytes(), 0);
    memory_.name(desc, desc_bytes(), may_read);
    memory_.name(driver, driver_bytes(), may_read);
    memory_.name(device, device_bytes(), may_write);
    for (uint32_t i = 0; i < size; i++)
        free_.push_back(static_cast<uint16_t>(size - 1 - i));
}

void virtqueue::set_desc(uint32_t index, uint64_t address, uint32_t length, unsigned flags,
                         unsigned next)
{
    put_desc(memory_, desc + 16ull * index, {address, length, false}, flags, next);
}

uint16_t virtqueue::take_free()
{
    if (free_.empty())
        throw std::length_error("the test offers more descriptors than the queue has");
    const uint16_t index = free_.back();
    free_.pop_back();
    return index;
}

void virtqueue::name(chain &c, uint64_t address, uint32_t length, bool writable)
{
    memory_.name(address, length, writable ? may_write : may_read);
    c.named.push_back({address, length, writable});
}

uint16_t virtqueue::add(const std::vector<piece> &pieces)
{
    chain c;
    for (const piece &p : pieces) {
        c.descriptors.push_back(take_free());
        name(c, p.address, p.length, p.writable);
    }
    for (size_t i = 0; i < pieces.size(); i++) {
        const bool last = i + 1 == pieces.size();
        put_desc(memory_, desc + 16ull * c.descriptors[i], pieces[i],
                 (pieces[i].writable ? write_flag : 0u) | (last ? 0u : next_flag),
                 last ? 0 : c.descriptors[i + 1]);
    }
    const uint16_t head = c.descriptors.front();
    chains_[head] = c;
    return head;
}

uint16_t virtqueue::add_indirect(const std::vector<piece> &pieces, uint64_t table, size_t direct)
{
    const uint32_t entries = static_cast<uint32_t>(pieces.size() - direct);
    std::vector<piece> in_queue(pieces.begin(), pieces.begin() + static_cast<long>(direct));
    in_queue.push_back({table, 16 * entries, false});
    const uint16_t head = add(in_queue);
    chain &c = chains_[head];

    const uint64_t last = desc + 16ull * c.descriptors.back();
    memory_.store16(last + 12, indirect_flag);
    for (uint32_t i = 0; i < entries; i++) {
        const piece &p = pieces[direct + i];
        put_desc(memory_, table + 16ull * i, p,
                 (p.writable ? write_flag : 0u) | (i + 1 < entries ? next_flag : 0u),
                 i + 1 < entries ? i + 1 : 0);
        name(c, p.address, p.length, p.writable);
    }
    return head;
}

void virtqueue::queue(uint16_t head)
{
    memory_.store16(driver + 4 + 2 * (avail_idx % size), head);
    avail_idx++;
    if (in_order)
        order_.push_back(head);
}

void virtqueue::publish() { memory_.store16(driver + 2, avail_idx); }

/* The buffers before the one that a used entry names count as used to their end. */
used_entry virtqueue::next_in_order()
{
    if (order_.empty())
        throw std::logic_error("the device used a buffer that it does not have");
    const uint16_t head = order_.front();
    order_.pop_front();
    if (batch_->id == head) {
        const used_entry entry = *batch_;
        batch_.reset();
        return entry;
    }
    uint32_t length = 0;
    for (const piece &p : chains_[head].named)
        length += p.writable ? p.length : 0;
    return {head, length};
}

std::optional<used_entry> virtqueue::reap()
{
    if (last_used == used_idx())
        return std::nullopt;
    const uint64_t at = device + 4 + 8 * (last_used % size);
    used_entry entry = {memory_.load32(at), memory_.load32(at + 4)};

    if (in_order) {
        if (!batch_) {
            batch_ = entry;
            entries_read++;
        }
        entry = next_in_order();
    } else {
        entries_read++;
    }
    last_used++;
    const auto found = chains_.find(static_cast<uint16_t>(entry.id));
    if (found != chains_.end()) {
        for (const piece &p : found->second.named)
            memory_.withdraw(p.address, p.length);
        for (auto it = found->second.descriptors.rbegin(); it != found->second.descriptors.rend();
             ++it)
            free_.push_back(*it);
        chains_.erase(found);
    }
    return entry;
}

vmmio_features driver::offered()
{
    vmmio_features features = {};
    for (uint32_t i = 0; i < 4; i++) {
        bus_.write(VMMIO_REG_DEVICE_FEATURES_SEL, i);
        features.word[i] = bus_.read(VMMIO_REG_DEVICE_FEATURES);
    }
    return features;
}

void driver::accept(const vmmio_features &features)
{
    for (uint32_t i = 0; i < 4; i++) {
        bus_.write(VMMIO_REG_DRIVER_FEATURES_SEL, i);
        bus_.write(VMMIO_REG_DRIVER_FEATURES, features.word[i]);
    }
}

bool driver::negotiate(const vmmio_features &features)
{
    reset();
    add_status(VMMIO_STATUS_ACKNOWLEDGE);
    add_status(VMMIO_STATUS_DRIVER);
    accept(features);
    add_status(VMMIO_STATUS_FEATURES_OK);
    return (status() & VMMIO_STATUS_FEATURES_OK) != 0;
}

void driver::set_queue(uint32_t index, const ring_place &ring)
{
    bus_.write(VMMIO_REG_QUEUE_SEL, index);
    bus_.write(VMMIO_REG_QUEUE_SIZE, ring.size);
    bus_.write(VMMIO_REG_QUEUE_DESC_LOW, static_cast<uint32_t>(ring.desc));
    bus_.write(VMMIO_REG_QUEUE_DESC_HIGH, static_cast<uint32_t>(ring.desc >> 32));
    bus_.write(VMMIO_REG_QUEUE_DRIVER_LOW, static_cast<uint32_t>(ring.driver));
    bus_.write(VMMIO_REG_QUEUE_DRIVER_HIGH, static_cast<uint32_t>(ring.driver >> 32));
    bus_.write(VMMIO_REG_QUEUE_DEVICE_LOW, static_cast<uint32_t>(ring.device));
    bus_.write(VMMIO_REG_QUEUE_DEVICE_HIGH, static_cast<uint32_t>(ring.device >> 32));
}

void driver::enable_queue(uint32_t index, const ring_place &ring)
{
    set_queue(index, ring);
    bus_.write(VMMIO_REG_QUEUE_READY, 1);
}

vmmio_features feature_set(std::initializer_list<unsigned> bits)
{
    vmmio_features features = {};
    for (const unsigned bit : bits)
        vmmio_features_add(&features, bit);
    return features;
}

} // namespace vmmio::tb
