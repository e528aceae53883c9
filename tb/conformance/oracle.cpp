/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle.h"

namespace vmmio::tb
{

namespace
{

void set_low(uint64_t &value, uint32_t half) { value = (value & ~uint64_t{0xffffffff}) | half; }

void set_high(uint64_t &value, uint32_t half)
{
    value = (value & 0xffffffff) | static_cast<uint64_t>(half) << 32;
}

uint32_t low(uint64_t value) { return static_cast<uint32_t>(value); }

uint32_t high(uint64_t value) { return static_cast<uint32_t>(value >> 32); }

constexpr unsigned pmem_shmem_region = 0;

} // namespace

uint64_t oracle::region(bool length) const
{
    if (shm_sel_ != 0 || !is_.has_region)
        return UINT64_MAX; /* MMIO-SHM-03, MMIO-SHM-05 */
    return length ? is_.region_length : is_.region_base;
}

/* PMEM-03, PMEM-04; every other device here has no fields. */
uint32_t oracle::config_word(uint32_t offset) const
{
    const bool hidden = status_ & 0x08 && vmmio_features_has(&accepted_, pmem_shmem_region);
    if (is_.device_id != VMMIO_ID_PMEM || hidden || offset >= 0x110)
        return 0;
    const uint64_t field = offset < 0x108 ? is_.region_base : is_.region_length;
    return offset & 4 ? high(field) : low(field);
}

std::optional<uint32_t> oracle::expect(uint32_t offset, uint32_t width) const
{
    if (width != 4)
        return 0; /* A-WIDTH, A-64 */
    if (offset >= 0x100)
        return config_word(offset);
    switch (offset) {
    case 0x000:
        return 0x74726976;
    case 0x004:
        return 2;
    case 0x008:
        return is_.device_id;
    case 0x00c:
        return is_.vendor_id;
    case 0x010:
        return offered_word(device_features_sel_);
    case 0x034:
        return queue_sel_ < is_.queue_count ? is_.queue_size_max : 0;
    case 0x044:
        return queue_ready(queue_sel_);
    case 0x060:
        return interrupts_;
    case 0x070:
        return status_;
    case 0x0b0:
        return low(region(true));
    case 0x0b4:
        return high(region(true));
    case 0x0b8:
        return low(region(false));
    case 0x0bc:
        return high(region(false));
    case 0x0fc:
        return generation_; /* MMIO-GEN-01: the same while nothing changes */
    default:
        return 0; /* A-WDIR, A-HOLE; QueueReset at rest */
    }
}

void oracle::saw(uint32_t offset, uint32_t value)
{
    if (offset == 0x0fc)
        generation_ = value;
}

bool oracle::acceptable() const
{
    for (int i = 0; i < 4; i++)
        if (accepted_.word[i] & ~is_.offered.word[i])
            return false;
    return vmmio_features_has(&accepted_, VMMIO_F_VERSION_1);
}

/* 2.1, 4.2.2: bits are added; 0 is a reset. */
void oracle::wrote_status(uint32_t value)
{
    generation_.reset(); /* reset and FEATURES_OK may change the config space */
    if (value == 0) {
        const datasheet sheet = is_;
        *this = oracle(sheet);
        return;
    }
    if ((value & 0x08) && !acceptable())
        value &= ~0x0cu;
    status_ |= value;
}

void oracle::wrote(uint32_t offset, uint32_t value)
{
    queue_state unused;
    queue_state &q = queue_sel_ < is_.queue_count ? queues_[queue_sel_] : unused;

    switch (offset) {
    case 0x014:
        device_features_sel_ = value;
        return;
    case 0x020:
        if (driver_features_sel_ < 4 && !(status_ & 0x08))
            accepted_.word[driver_features_sel_] = value;
        return;
    case 0x024:
        driver_features_sel_ = value;
        return;
    case 0x030:
        queue_sel_ = value;
        return;
    case 0x044:
        q.ready = value == 1 && q.size != 0;
        return;
    case 0x064:
        interrupts_ &= ~value;
        return;
    case 0x070:
        wrote_status(value);
        return;
    case 0x0ac:
        shm_sel_ = value;
        return;
    default:
        break;
    }
    if (q.ready)
        return; /* MMIO-DRV-11 */
    switch (offset) {
    case 0x038:
        q.size = value;
        return;
    case 0x080:
        return set_low(q.desc, value);
    case 0x084:
        return set_high(q.desc, value);
    case 0x090:
        return set_low(q.driver, value);
    case 0x094:
        return set_high(q.driver, value);
    case 0x0a0:
        return set_low(q.device, value);
    case 0x0a4:
        return set_high(q.device, value);
    default:
        return;
    }
}

} // namespace vmmio::tb
