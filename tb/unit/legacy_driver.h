/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file legacy_driver.h
 * A driver of the legacy interface on the rig (2.7.2, 3.1.2, 4.2.4).
 */
#ifndef VMMIO_TB_LEGACY_DRIVER_H
#define VMMIO_TB_LEGACY_DRIVER_H

#include "rig.h"

namespace vmmio::tb
{

/** What a legacy driver says about its memory, bytes. */
struct legacy_pages {
    uint32_t page = 4096;
    uint32_t align = 4096;
};

class legacy_driver
{
public:
    explicit legacy_driver(rig &device) : r_(device) {}

    /** Reset, ACKNOWLEDGE, DRIVER, and features: word 0 is all that there is. */
    void begin(uint32_t features = 0)
    {
        r_.guest.reset();
        r_.guest.add_status(VMMIO_STATUS_ACKNOWLEDGE);
        r_.guest.add_status(VMMIO_STATUS_DRIVER);
        r_.write(VMMIO_REG_DRIVER_FEATURES_SEL, 0);
        r_.write(VMMIO_REG_DRIVER_FEATURES, features);
    }

    /** A ring in one piece: descriptors, available ring, and the used one at the next `align`. */
    virtqueue lay_out(uint32_t size, legacy_pages pages = {})
    {
        const uint64_t desc =
            r_.alloc(24ull * size + pages.align + 64, std::max(pages.page, 4096u));
        const uint64_t driver = desc + 16ull * size;
        const uint64_t end = driver + 6 + 2ull * size;
        const uint64_t device = (end + pages.align - 1) / pages.align * pages.align;
        return {r_.memory, desc, driver, device, size};
    }

    void enable(uint32_t index, const virtqueue &queue, legacy_pages pages = {})
    {
        r_.write(VMMIO_REG_GUEST_PAGE_SIZE, pages.page);
        r_.write_queue(index, VMMIO_REG_QUEUE_SIZE, queue.size);
        r_.write(VMMIO_REG_QUEUE_ALIGN, pages.align);
        r_.write(VMMIO_REG_QUEUE_PFN, static_cast<uint32_t>(queue.desc / pages.page));
    }

    uint32_t pfn(uint32_t queue) { return r_.read_queue(queue, VMMIO_REG_QUEUE_PFN); }

    /** The queues without DRIVER_OK. */
    void make_queues(uint32_t count = 1, uint32_t size = 16, legacy_pages pages = {})
    {
        r_.memory.withdraw_all();
        r_.queues.clear();
        for (uint32_t i = 0; i < count; i++) {
            r_.queues.push_back(std::make_unique<virtqueue>(lay_out(size, pages)));
            enable(i, *r_.queues.back(), pages);
        }
    }

    /** All of it. */
    void go_live(uint32_t features = 0, uint32_t queues = 1, uint32_t size = 16,
                 legacy_pages pages = {})
    {
        begin(features);
        make_queues(queues, size, pages);
        r_.guest.start();
        r_.run();
    }

private:
    rig &r_;
};

} // namespace vmmio::tb
#endif
