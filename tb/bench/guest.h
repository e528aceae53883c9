// SPDX-License-Identifier: Apache-2.0
/// @file guest.h
/// The driver's memory, and drivers of one virtqueue in it.
#ifndef VMMIO_TB_BENCH_GUEST_H
#define VMMIO_TB_BENCH_GUEST_H

#include "bus_master.h"
#include "vmmio/registers.h"
#include "vmmio/virtio.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_target_socket.h>
#include <vector>

namespace vmmio_bench
{

/// RAM from address 0 on.
class guest_memory : public sc_core::sc_module
{
public:
    tlm_utils::simple_target_socket<guest_memory> socket{"socket"};

    /// @param grants whether it gives DMI pointers.
    guest_memory(sc_core::sc_module_name name, std::size_t bytes, bool grants)
        : sc_module(name), bytes_(bytes), grants_(grants)
    {
        socket.register_b_transport(this, &guest_memory::b_transport);
        socket.register_get_direct_mem_ptr(this, &guest_memory::get_direct_mem_ptr);
    }

    unsigned char *data() { return bytes_.data(); }

private:
    void b_transport(tlm::tlm_generic_payload &tx, sc_core::sc_time &)
    {
        const std::uint64_t address = tx.get_address();
        const unsigned length = tx.get_data_length();
        if (length > bytes_.size() || address > bytes_.size() - length) {
            tx.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
            return;
        }
        if (tx.is_read())
            std::memcpy(tx.get_data_ptr(), &bytes_[address], length);
        else
            std::memcpy(&bytes_[address], tx.get_data_ptr(), length);
        tx.set_dmi_allowed(grants_);
        tx.set_response_status(tlm::TLM_OK_RESPONSE);
    }

    bool get_direct_mem_ptr(tlm::tlm_generic_payload &, tlm::tlm_dmi &dmi)
    {
        dmi.set_start_address(0);
        dmi.set_end_address(bytes_.size() - 1);
        dmi.set_dmi_ptr(bytes_.data());
        dmi.allow_read_write();
        return grants_;
    }

    std::vector<unsigned char> bytes_;
    bool grants_;
};

/// Status of a device that was started.
constexpr std::uint32_t running = VMMIO_STATUS_ACKNOWLEDGE | VMMIO_STATUS_DRIVER |
                                  VMMIO_STATUS_FEATURES_OK | VMMIO_STATUS_DRIVER_OK;

/// Resets the device behind the bus and negotiates VERSION_1 and these features of words 0 and 1.
void negotiate(bus_master &bus, vmmio_features features);

/// Where a ring is, all below 4 GiB.
struct ring_place {
    std::uint32_t desc, driver, device, size;
};

/// Programs a queue and enables it.
void start_queue(bus_master &bus, std::uint32_t queue, const ring_place &ring);

/// DRIVER_OK.
void start_device(bus_master &bus);

/// Drives queue 0 of a device whose registers are at address 0 of the bus. Reaches its memory by
/// pointer, as a processor model with DMI does; descriptors are written once, in `start`.
class split_driver
{
public:
    static constexpr std::uint32_t size = 256;             ///< of the queue
    static constexpr std::uint64_t memory_bytes = 0x20000; ///< that it needs, from address 0

    /// @param memory memory_bytes of it; not owned.
    /// @param base its address for the device
    split_driver(bus_master &bus, unsigned char *memory, std::uint32_t base = 0)
        : bus_(bus), memory_(memory), base_(base)
    {
    }

    /// What one descriptor points at.
    struct part {
        std::uint32_t bytes;
        bool writable;
    };

    /// How each buffer looks: every one is a chain of these parts.
    struct shape {
        std::vector<part> parts{{64, true}};
        bool indirect = false; ///< one descriptor in the ring, the chain in a table of its own
    };

    unsigned char *desc() { return memory_ + desc_address; }
    unsigned char *avail() { return memory_ + avail_address; }
    unsigned char *used() { return memory_ + used_address; }

    /// Writes rings and descriptors and starts at index 0.
    void lay_out(const shape &s);

    /// Starts the device with VERSION_1 and these features, and its queue 0.
    void start(const vmmio_features &features, const shape &s);

    /// The bytes of a part of the n-th buffer after a start.
    unsigned char *at(std::uint32_t n, std::uint32_t which) { return places_[heads_[n] + which]; }

    /// Enables a queue of a device that has been negotiated with; `kick` is for queue 0 alone.
    void enable(std::uint32_t queue);

    /// Puts one more buffer into the available ring; 64 of them can be under way.
    void push()
    {
        const std::uint32_t slot = next_avail_++ % size;
        avail16()[2 + slot] = heads_[slot];
    }

    /// Shows the device what was pushed.
    void publish()
    {
        std::atomic_thread_fence(std::memory_order_release);
        avail16()[1] = next_avail_;
    }

    void kick() { bus_.write(VMMIO_REG_QUEUE_NOTIFY, 0); }

    /// One interrupt service; how many buffers came back.
    std::uint32_t serve_interrupt()
    {
        bus_.write(VMMIO_REG_INTERRUPT_ACK, bus_.read(VMMIO_REG_INTERRUPT_STATUS));
        return drain();
    }

    /// Takes used buffers back; how many there were.
    std::uint32_t drain()
    {
        const std::uint16_t first = next_used_;
        std::uint16_t next = first;
        while (next != used16()[1])
            next++;
        next_used_ = next;
        if (event_idx_)
            avail16()[2 + size] = next; // used_event: interrupt at the next one
        return static_cast<std::uint16_t>(next - first);
    }

private:
    static constexpr std::uint32_t desc_address = 0;
    static constexpr std::uint32_t avail_address = 0x1000;
    static constexpr std::uint32_t used_address = 0x2000;
    static constexpr std::uint32_t table_address = 0x4000;
    static constexpr std::uint32_t buffer_address = 0x8000;

    struct descriptor {
        std::uint64_t address;
        std::uint32_t length;
        std::uint16_t flags, next;
    };

    void put(std::uint64_t table, std::uint32_t index, const descriptor &d);

    volatile std::uint16_t *avail16() { return reinterpret_cast<std::uint16_t *>(avail()); }
    volatile std::uint16_t *used16() { return reinterpret_cast<std::uint16_t *>(used()); }

    bus_master &bus_;
    unsigned char *memory_;
    std::uint32_t base_;
    std::array<std::uint16_t, size> heads_{};    // of the buffers, in the order of their use
    std::array<unsigned char *, size> places_{}; // what the descriptors point at, in their order
    std::uint16_t next_avail_ = 0, next_used_ = 0;
    bool event_idx_ = false;
};

/// The same with a packed ring. All but the address of a descriptor is written anew for each
/// buffer, from a copy that is toggled from lap to lap.
class packed_driver
{
public:
    static constexpr std::uint32_t size = split_driver::size;                 ///< of the queue
    static constexpr std::uint64_t memory_bytes = split_driver::memory_bytes; ///< that it needs

    /// @param memory memory_bytes of it, at address 0 of the device; not owned.
    packed_driver(bus_master &bus, unsigned char *memory) : bus_(bus), memory_(memory) {}

    /// Starts the device with VERSION_1, RING_PACKED and these features, and its queue 0.
    void start(vmmio_features features, const split_driver::shape &);

    /// Makes one more buffer available, of one device-writable descriptor; `size` of them can be
    /// under way.
    void push()
    {
        std::atomic_thread_fence(std::memory_order_release);
        ring()[next_avail_].rest = fresh_[next_avail_];
        fresh_[next_avail_] ^= both;
        next_avail_ = (next_avail_ + 1) % size;
    }

    /// There is nothing left to do: each push shows its buffer.
    void publish() {}

    void kick() { bus_.write(VMMIO_REG_QUEUE_NOTIFY, 0); }

    /// One interrupt service; how many buffers came back.
    std::uint32_t serve_interrupt()
    {
        bus_.write(VMMIO_REG_INTERRUPT_ACK, bus_.read(VMMIO_REG_INTERRUPT_STATUS));
        return drain();
    }

    /// Takes used buffers back; how many there were.
    std::uint32_t drain()
    {
        std::uint32_t count = 0, next = next_used_;
        std::uint64_t used = used_;
        while ((ring()[next].rest & both) == used) {
            count++;
            next = (next + 1) % size;
            if (next == 0)
                used ^= both;
        }
        next_used_ = next;
        used_ = used;
        if (event_idx_) // interrupt at the next one
            *reinterpret_cast<volatile std::uint32_t *>(memory_ + driver_address) =
                next_used_ | (used_ ? 1u << 15 : 0u) | VMMIO_EVENT_DESC << 16;
        return count;
    }

private:
    static constexpr std::uint32_t desc_address = 0;
    static constexpr std::uint32_t driver_address = 0x1000;
    static constexpr std::uint32_t device_address = 0x2000;
    static constexpr std::uint32_t buffer_address = 0x8000, buffer_bytes = 64;
    static constexpr std::uint64_t avail = std::uint64_t(VMMIO_DESC_AVAIL) << 48;
    static constexpr std::uint64_t both = avail | std::uint64_t(VMMIO_DESC_USED) << 48;

    struct descriptor {
        std::uint64_t address;
        volatile std::uint64_t rest; // length, id and flags: stored in one
    };

    descriptor *ring() { return reinterpret_cast<descriptor *>(memory_ + desc_address); }

    bus_master &bus_;
    unsigned char *memory_;
    std::array<std::uint64_t, size> fresh_{}; // rest of each descriptor when it is pushed next
    std::uint32_t next_avail_ = 0, next_used_ = 0;
    std::uint64_t used_ = both; // flags of what is used in this lap
    bool event_idx_ = false;
};

} // namespace vmmio_bench

#endif
