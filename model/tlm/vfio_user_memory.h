// SPDX-License-Identifier: Apache-2.0
/// @file vfio_user_memory.h
/// The guest's memory as far as the client has shared it (DMA_MAP, DMA_UNMAP).
#ifndef VMMIO_TLM_VFIO_USER_MEMORY_H
#define VMMIO_TLM_VFIO_USER_MEMORY_H

#include <cstddef>
#include <cstdint>
#include <map>

namespace vmmio::vfu
{

/// One range of guest physical addresses.
struct dma_range {
    std::uint64_t start;
    std::uint64_t last;  ///< inclusive: a range may end at 2^64 - 1
    std::uint8_t *host;  ///< its first byte; nullptr = came without a descriptor
    std::uint32_t flags; ///< VFIO_DMA_MAP_FLAG_READ and _WRITE
    bool allows(std::uint32_t rights) const { return host && (flags & rights) == rights; }
};

/// Ranges that do not overlap.
class guest_memory
{
public:
    explicit guest_memory(std::size_t max_ranges) : max_ranges_(max_ranges) {}
    ~guest_memory() { clear(); }
    guest_memory(const guest_memory &) = delete;
    guest_memory &operator=(const guest_memory &) = delete;

    /// Maps size bytes of fd from offset on to address; fd -1 = known, but out of reach. Does
    /// not keep fd.
    /// @return 0, or an errno: EINVAL for a range or a file that cannot be, EEXIST for an
    /// overlap, ENOSPC beyond max_ranges, and what mmap(2) says.
    int map(std::uint64_t address, std::uint64_t size, std::uint32_t flags, int fd,
            std::uint64_t offset);

    /// The range of exactly this address and size, or nullptr.
    const dma_range *exact(std::uint64_t address, std::uint64_t size) const;

    /// The range that holds address, or nullptr. Valid until the next map or unmap.
    const dma_range *find(std::uint64_t address) const;

    /// Forgets one range of ours.
    void unmap(const dma_range &range);

    /// Forgets all.
    void clear();

    bool empty() const { return ranges_.empty(); }

    /// Copies between data and the guest, over as many adjacent ranges as it takes, up to the
    /// first byte that may not be accessed.
    /// @param rights VFIO_DMA_MAP_FLAG_READ copies to data, _WRITE from it.
    /// @return the bytes copied.
    std::size_t copy(std::uint64_t address, std::uint8_t *data, std::size_t size,
                     std::uint32_t rights) const;

    /// The bytes from address on, size at most, that copy() would copy.
    std::size_t reach(std::uint64_t address, std::size_t size, std::uint32_t rights) const;

private:
    template <typename Visit>
    std::size_t walk(std::uint64_t address, std::size_t size, std::uint32_t rights,
                     Visit visit) const;

    std::size_t max_ranges_;
    std::map<std::uint64_t, dma_range> ranges_; ///< by start
};

} // namespace vmmio::vfu
#endif
