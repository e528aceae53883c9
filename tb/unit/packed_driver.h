/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file packed_driver.h
 * The driver's end of a packed virtqueue, written from the specification alone (2.8).
 */
#ifndef VMMIO_TB_PACKED_DRIVER_H
#define VMMIO_TB_PACKED_DRIVER_H

#include "driver.h"

namespace vmmio::tb
{

/** A used descriptor. */
struct packed_used {
    uint16_t id;
    uint32_t length;
    bool written; /**< WRITE is set */
};

/** An event suppression structure (2.8.14). */
struct packed_event {
    uint16_t position; /**< off, and wrap in bit 15 */
    uint16_t flags;
};

class packed_queue : public ring_place
{
public:
    /** Lays the ring and both event structures out from base, all zero, and names them. */
    packed_queue(guest_memory &memory, uint64_t base, uint32_t size);

    /** Writes one descriptor as it stands, for tests that break rules. */
    void set_desc(uint32_t slot, uint64_t address, uint32_t length, unsigned id, unsigned flags);
    void set_flags(uint32_t slot, unsigned flags);
    unsigned flags(uint32_t slot) const;

    /** AVAIL and USED as an available descriptor of the driver's present lap has them. */
    unsigned available_flags() const { return wrap ? 1u << 7 : 1u << 15; }

    /**
     * Puts a list into the ring, named to the device, and returns its buffer id, which only the
     * last descriptor carries. Not available yet: the first one's flags are missing.
     */
    uint16_t add(const std::vector<piece> &pieces);

    /** The same with one descriptor that points at a table. */
    uint16_t add_indirect(const std::vector<piece> &pieces, uint64_t table);

    /** Makes what was added available. */
    void publish();
    uint16_t offer(const std::vector<piece> &pieces)
    {
        const uint16_t id = add(pieces);
        publish();
        return id;
    }

    /**
     * The next used descriptor, if there is one; its slots and its id are free again. With
     * `in_order` the next buffer, be it that a descriptor stands for several of them (2.8.8).
     */
    std::optional<packed_used> reap();

    packed_event device_event() const;
    void set_driver_event(packed_event event);

    /** The position so many slots later: off, and wrap in bit 15. */
    uint16_t position_after(uint16_t position, uint32_t slots) const;
    /** True if the driver has to kick after it made slots from old on available (2.8.21.3.1). */
    bool kick_needed(uint16_t old) const;

    uint32_t free_slots() const { return size - busy_; }
    uint16_t position() const { return static_cast<uint16_t>(next_ | (wrap ? 1u << 15 : 0)); }
    uint16_t used_position() const
    {
        return static_cast<uint16_t>(last_used_ | (used_wrap_ ? 1u << 15 : 0));
    }

    bool wrap = true;        /**< the driver's wrap counter */
    bool in_order = false;   /**< IN_ORDER was negotiated */
    size_t entries_read = 0; /**< used descriptors that reap has read */

private:
    struct buffer {
        uint32_t slots;
        std::vector<piece> named;
    };
    struct head {
        uint32_t slot;
        unsigned flags;
    };

    uint16_t take_id();
    bool is_used(uint32_t slot) const;
    packed_used next_in_order();
    void name(buffer &b, const piece &p);
    void put(const piece &p, unsigned id, unsigned flags, bool first);

    guest_memory &memory_;
    uint32_t next_ = 0, last_used_ = 0, busy_ = 0;
    bool used_wrap_ = true;
    uint16_t next_id_ = 0;
    std::vector<head> pending_;
    std::map<uint16_t, buffer> buffers_;
    std::deque<uint16_t> order_;       /* ids in the order of their use */
    std::optional<packed_used> batch_; /* what the last descriptor said, not all of it reaped yet */
};

} // namespace vmmio::tb
#endif
