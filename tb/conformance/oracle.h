/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file oracle.h
 * What the specification says that a device answers to a driver's accesses. It follows the
 * accesses, and knows of the device what a datasheet would tell.
 */
#ifndef VMMIO_TB_ORACLE_H
#define VMMIO_TB_ORACLE_H

#include "vmmio/virtio.h"

#include <cstdint>
#include <optional>

namespace vmmio::tb
{

/** The datasheet. */
struct datasheet {
    uint32_t device_id;
    uint32_t vendor_id;
    vmmio_features offered;
    uint32_t queue_count;
    uint32_t queue_size_max;
    bool has_region;                     /**< shared memory region 0 */
    uint64_t region_base, region_length; /**< valid if it has one */
};

class oracle
{
public:
    explicit oracle(const datasheet &sheet) : is_(sheet) {}

    /** What a read has to give; nothing if the specification leaves it open. */
    std::optional<uint32_t> expect(uint32_t offset, uint32_t width) const;

    /** The value was read: a later answer may depend on it. */
    void saw(uint32_t offset, uint32_t value);

    /** The driver wrote. */
    void wrote(uint32_t offset, uint32_t value);

    /** The device used a buffer. */
    void used_a_buffer() { interrupts_ |= 1; }
    /** The device told of a change. */
    void changed() { interrupts_ |= 2; }

    bool line() const { return interrupts_ != 0; }
    bool live() const { return (status_ & 0x84) == 0x04; }
    bool queue_ready(uint32_t queue) const
    {
        return queue < is_.queue_count && queues_[queue].ready;
    }
    uint32_t selected_queue() const { return queue_sel_; }

    struct queue_state {
        uint32_t size = 0;
        uint64_t desc = 0, driver = 0, device = 0;
        bool ready = false;
    };
    const queue_state &queue_at(uint32_t index) const { return queues_[index]; }
    /** The driver's words, cut down to what this device offers. */
    uint32_t offered_word(uint32_t sel) const { return sel < 4 ? is_.offered.word[sel] : 0; }
    uint32_t driver_features_sel() const { return driver_features_sel_; }

private:
    void wrote_status(uint32_t value);
    bool acceptable() const;
    uint64_t region(bool length) const;
    uint32_t config_word(uint32_t offset) const;

    datasheet is_;
    uint32_t status_ = 0, interrupts_ = 0;
    uint32_t device_features_sel_ = 0, driver_features_sel_ = 0, queue_sel_ = 0, shm_sel_ = 0;
    vmmio_features accepted_ = {};
    queue_state queues_[2];
    std::optional<uint32_t> generation_; /* known and not outdated */
};

} // namespace vmmio::tb
#endif
