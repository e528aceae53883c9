// SPDX-License-Identifier: Apache-2.0
// What a driver does once; what it does for each buffer is in the header.
#include "guest.h"

#include "measure.h"

namespace vmmio_bench
{

void negotiate(bus_master &bus, vmmio_features features)
{
    vmmio_features_add(&features, VMMIO_F_VERSION_1);
    bus.write(VMMIO_REG_STATUS, 0);
    bus.write(VMMIO_REG_STATUS, VMMIO_STATUS_ACKNOWLEDGE);
    bus.write(VMMIO_REG_STATUS, VMMIO_STATUS_ACKNOWLEDGE | VMMIO_STATUS_DRIVER);
    for (std::uint32_t word = 0; word < 2; word++) {
        bus.write(VMMIO_REG_DRIVER_FEATURES_SEL, word);
        bus.write(VMMIO_REG_DRIVER_FEATURES, features.word[word]);
    }
    bus.write(VMMIO_REG_STATUS,
              VMMIO_STATUS_ACKNOWLEDGE | VMMIO_STATUS_DRIVER | VMMIO_STATUS_FEATURES_OK);
}

void split_driver::lay_out(const shape &s)
{
    const auto length = static_cast<std::uint32_t>(s.parts.size());
    const std::uint32_t chains = size / length;
    std::uint64_t address = buffer_address;

    std::memset(memory_, 0, memory_bytes);
    for (std::uint32_t i = 0; i < chains * length; i++) {
        const part &p = s.parts[i % length];
        const bool last = i % length == length - 1;
        const std::uint32_t next = s.indirect ? i % length + 1 : i + 1;
        put(s.indirect ? table_address : desc_address, i,
            {base_ + address, p.bytes,
             std::uint16_t((p.writable ? VMMIO_DESC_WRITE : 0) | (last ? 0 : VMMIO_DESC_NEXT)),
             std::uint16_t(last ? 0 : next)});
        places_[i] = memory_ + address;
        address += (p.bytes + 63) / 64 * 64; // each has cache lines of its own
    }
    require(address <= memory_bytes, "the buffers do not fit");
    for (std::uint32_t i = 0; s.indirect && i < chains * length; i += length)
        put(desc_address, i,
            {base_ + table_address + std::uint64_t(VMMIO_DESC_BYTES) * i, VMMIO_DESC_BYTES * length,
             VMMIO_DESC_INDIRECT, 0});
    for (std::uint32_t i = 0; i < size; i++)
        heads_[i] = static_cast<std::uint16_t>(i % chains * length);
    next_avail_ = next_used_ = 0;
}

void start_queue(bus_master &bus, std::uint32_t queue, const ring_place &ring)
{
    bus.write(VMMIO_REG_QUEUE_SEL, queue);
    bus.write(VMMIO_REG_QUEUE_SIZE, ring.size);
    bus.write(VMMIO_REG_QUEUE_DESC_LOW, ring.desc);
    bus.write(VMMIO_REG_QUEUE_DRIVER_LOW, ring.driver);
    bus.write(VMMIO_REG_QUEUE_DEVICE_LOW, ring.device);
    bus.write(VMMIO_REG_QUEUE_READY, 1);
}

void start_device(bus_master &bus)
{
    bus.write(VMMIO_REG_STATUS, running);
    require(bus.read(VMMIO_REG_STATUS) == running && bus.errors == 0, "the device did not start");
}

void split_driver::start(const vmmio_features &features, const shape &s)
{
    lay_out(s);
    event_idx_ = vmmio_features_has(&features, VMMIO_F_EVENT_IDX);
    negotiate(bus_, features);
    enable(0);
    start_device(bus_);
}

void split_driver::enable(std::uint32_t queue)
{
    start_queue(bus_, queue,
                {base_ + desc_address, base_ + avail_address, base_ + used_address, size});
}

void packed_driver::start(vmmio_features features, const split_driver::shape &)
{
    std::memset(memory_, 0, memory_bytes);
    for (std::uint32_t i = 0; i < size; i++) {
        ring()[i].address = buffer_address + std::uint64_t(buffer_bytes) * i;
        fresh_[i] =
            buffer_bytes | std::uint64_t(i) << 32 | std::uint64_t(VMMIO_DESC_WRITE) << 48 | avail;
    }
    next_avail_ = next_used_ = 0;
    used_ = both;
    event_idx_ = vmmio_features_has(&features, VMMIO_F_EVENT_IDX);
    vmmio_features_add(&features, VMMIO_F_RING_PACKED);
    negotiate(bus_, features);
    start_queue(bus_, 0, {desc_address, driver_address, device_address, size});
    start_device(bus_);
}

void split_driver::put(std::uint64_t table, std::uint32_t index, const descriptor &d)
{
    std::memcpy(memory_ + table + sizeof(d) * index, &d, sizeof(d));
}

} // namespace vmmio_bench
