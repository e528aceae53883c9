/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file driver.h
 * A small driver written from the specification alone: it knows a bus and the guest's memory,
 * nothing of the device behind them.
 */
#ifndef VMMIO_TB_DRIVER_H
#define VMMIO_TB_DRIVER_H

#include "guest_memory.h"
#include "vmmio/registers.h"
#include "vmmio/virtio.h"

#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace vmmio::tb
{

/** The way to the registers; offsets and widths in bytes. */
class bus
{
public:
    virtual ~bus() = default;
    virtual uint32_t read(uint32_t offset, uint32_t width = 4) = 0;
    virtual void write(uint32_t offset, uint32_t value, uint32_t width = 4) = 0;
};

/** A piece of a buffer. */
struct piece {
    uint64_t address;
    uint32_t length;
    bool writable;
};

/** What a used entry says. */
struct used_entry {
    uint32_t id;
    uint32_t length;
};

/** What the driver tells the device of a ring of either format. */
struct ring_place {
    uint64_t desc, driver, device; /**< addresses of the parts */
    uint32_t size;
};

/** Flags of a descriptor of either format (2.7.5, 2.8.1). */
constexpr unsigned next_flag = 1, write_flag = 2, indirect_flag = 4;

constexpr uint64_t align_up(uint64_t value, uint64_t alignment)
{
    return (value + alignment - 1) / alignment * alignment;
}

/** The driver's end of one split virtqueue (2.7). */
class virtqueue : public ring_place
{
public:
    /** Lays the three parts out from base, all zero, and names them to the device. */
    virtqueue(guest_memory &memory, uint64_t base, uint32_t size);

    /** The same with the parts where the caller wants them. */
    virtqueue(guest_memory &memory, uint64_t desc, uint64_t driver, uint64_t device, uint32_t size);

    /** Writes one descriptor as it stands, for tests that break rules. */
    void set_desc(uint32_t index, uint64_t address, uint32_t length, unsigned flags, unsigned next);

    /** Puts a chain into the table, named to the device, and returns its head. Not offered yet. */
    uint16_t add(const std::vector<piece> &pieces);

    /** The same with the pieces from `direct` on in an indirect table at table. */
    uint16_t add_indirect(const std::vector<piece> &pieces, uint64_t table, size_t direct = 0);

    /** Writes head into the next slot of the available ring; publish makes it count. */
    void queue(uint16_t head);
    void publish();
    void offer(uint16_t head)
    {
        queue(head);
        publish();
    }

    /**
     * The next used entry, if there is one; its descriptors are free again. With `in_order` the
     * next buffer in the order of `queue`, be it that an entry stands for several of them (2.7.9).
     */
    std::optional<used_entry> reap();

    uint16_t used_idx() const { return memory_.load16(device + 2); }
    uint16_t used_flags() const { return memory_.load16(device); }
    uint16_t avail_event() const { return memory_.load16(device + 4 + 8 * size); }
    void set_avail_flags(uint16_t flags) { memory_.store16(driver, flags); }
    void set_used_event(uint16_t value) { memory_.store16(driver + 4 + 2 * size, value); }

    uint16_t avail_idx = 0;  /**< next position; publish stores it */
    uint16_t last_used = 0;  /**< position up to which reap has read */
    bool in_order = false;   /**< IN_ORDER was negotiated */
    size_t entries_read = 0; /**< used entries that reap has read */

    uint64_t desc_bytes() const { return 16ull * size; }
    uint64_t driver_bytes() const { return 6 + 2ull * size; }
    uint64_t device_bytes() const { return 6 + 8ull * size; }

private:
    struct chain {
        std::vector<uint16_t> descriptors;
        std::vector<piece> named;
    };

    uint16_t take_free();
    used_entry next_in_order();
    void name(chain &c, uint64_t address, uint32_t length, bool writable);

    guest_memory &memory_;
    std::vector<uint16_t> free_;
    std::map<uint16_t, chain> chains_;
    std::deque<uint16_t> order_;      /* heads in the order of their use */
    std::optional<used_entry> batch_; /* what the last entry said, not all of it reaped yet */
};

/** Initialisation as in 3.1.1 and 4.2.3. */
class driver
{
public:
    explicit driver(bus &registers) : bus_(registers) {}

    vmmio_features offered();
    /** Writes the words of the driver's choice. */
    void accept(const vmmio_features &features);
    /** Reset to FEATURES_OK; true if it reads back. */
    bool negotiate(const vmmio_features &features);
    /** Selects the queue and writes size and addresses; enable also writes QueueReady. */
    void set_queue(uint32_t index, const ring_place &ring);
    void enable_queue(uint32_t index, const ring_place &ring);
    /** DRIVER_OK on top of what Status reads. */
    void start() { add_status(VMMIO_STATUS_DRIVER_OK); }
    void add_status(uint32_t bits) { set_status(status() | bits); }
    void set_status(uint32_t value) { bus_.write(VMMIO_REG_STATUS, value); }
    uint32_t status() { return bus_.read(VMMIO_REG_STATUS); }
    void reset() { set_status(0); }
    void kick(uint32_t value) { bus_.write(VMMIO_REG_QUEUE_NOTIFY, value); }
    uint32_t interrupts() { return bus_.read(VMMIO_REG_INTERRUPT_STATUS); }
    void acknowledge(uint32_t bits) { bus_.write(VMMIO_REG_INTERRUPT_ACK, bits); }

private:
    bus &bus_;
};

/** A feature set from bit numbers. */
vmmio_features feature_set(std::initializer_list<unsigned> bits);

} // namespace vmmio::tb
#endif
