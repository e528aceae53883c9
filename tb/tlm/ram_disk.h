// SPDX-License-Identifier: Apache-2.0
/// @file ram_disk.h
/// A disk of 32 KiB in RAM, to be made before the device that has it.
#ifndef VMMIO_TB_RAM_DISK_H
#define VMMIO_TB_RAM_DISK_H

#include "vmmio/dev/blk_storage.h"

#include <cstdint>
#include <vector>

namespace vmmio::tb
{

struct ram_disk {
    std::vector<std::uint8_t> bytes = std::vector<std::uint8_t>(64 * 512);
    vmmio_blk_ram ram{bytes.data(), bytes.size()};

    /// @param queue_count as in vmmio_blk_config; 0: its default.
    vmmio_blk_config config(std::uint16_t queue_count = 0)
    {
        vmmio_blk_config made{};
        made.storage = vmmio_blk_use_ram(&ram);
        made.queue_count = queue_count;
        made.capacity = 64;
        return made;
    }
};

} // namespace vmmio::tb
#endif
