// SPDX-License-Identifier: Apache-2.0
/// @file vfio_user_protocol.h
/// What goes over a vfio-user socket. Flags and indexes of the payloads are those of
/// <linux/vfio.h>. All numbers are in host byte order.
#ifndef VMMIO_TLM_VFIO_USER_PROTOCOL_H
#define VMMIO_TLM_VFIO_USER_PROTOCOL_H

#include <cstddef>
#include <cstdint>

namespace vmmio::vfu
{

enum class command : std::uint16_t {
    version = 1,
    dma_map = 2,
    dma_unmap = 3,
    device_get_info = 4,
    device_get_region_info = 5,
    device_get_irq_info = 7,
    device_set_irqs = 8,
    region_read = 9,
    region_write = 10,
    device_reset = 13,
};

constexpr std::uint16_t version_major = 0;
constexpr std::uint16_t version_minor = 0;

/// In front of every message.
struct header {
    std::uint16_t id; ///< chosen by the sender of a command, repeated in the reply
    std::uint16_t command;
    std::uint32_t size; ///< bytes of the whole message, this header included
    std::uint32_t flags;
    std::uint32_t error; ///< errno, in an error reply
};
constexpr std::uint32_t flag_type_mask = 0xf;
constexpr std::uint32_t flag_type_command = 0;
constexpr std::uint32_t flag_type_reply = 1;
constexpr std::uint32_t flag_no_reply = 1u << 4;
constexpr std::uint32_t flag_error = 1u << 5;

/// Followed by JSON and a NUL, or by nothing.
struct version_info {
    std::uint16_t major;
    std::uint16_t minor;
};

struct dma_map {
    std::uint32_t argsz;
    std::uint32_t flags; ///< VFIO_DMA_MAP_FLAG_READ and _WRITE
    std::uint64_t offset;
    std::uint64_t address;
    std::uint64_t size;
};

struct dma_unmap {
    std::uint32_t argsz;
    std::uint32_t flags;
    std::uint64_t address;
    std::uint64_t size;
};

struct device_info {
    std::uint32_t argsz;
    std::uint32_t flags;
    std::uint32_t num_regions;
    std::uint32_t num_irqs;
};

struct region_info {
    std::uint32_t argsz;
    std::uint32_t flags;
    std::uint32_t index;
    std::uint32_t cap_offset;
    std::uint64_t size;
    std::uint64_t offset;
};

struct irq_info {
    std::uint32_t argsz;
    std::uint32_t flags;
    std::uint32_t index;
    std::uint32_t count;
};

/// Followed by one byte per interrupt with VFIO_IRQ_SET_DATA_BOOL.
struct irq_set {
    std::uint32_t argsz;
    std::uint32_t flags;
    std::uint32_t index;
    std::uint32_t start;
    std::uint32_t count;
};

/// Followed by the data in a write and in the reply to a read.
struct region_access {
    std::uint64_t offset;
    std::uint32_t region;
    std::uint32_t count;
};

static_assert(sizeof(header) == 16 && sizeof(version_info) == 4 && sizeof(dma_map) == 32 &&
              sizeof(dma_unmap) == 24 && sizeof(device_info) == 16 && sizeof(region_info) == 32 &&
              sizeof(irq_info) == 16 && sizeof(irq_set) == 20 && sizeof(region_access) == 16);

/// Our limits, told to the client in the reply to VERSION.
constexpr std::size_t max_data_xfer_size = 4096;
constexpr std::size_t max_message_fds = 8;
constexpr std::size_t page_size = 4096;

/// The longest message that this server takes or sends.
constexpr std::size_t max_message_size =
    sizeof(header) + sizeof(region_access) + max_data_xfer_size;

} // namespace vmmio::vfu
#endif
