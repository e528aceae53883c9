// SPDX-License-Identifier: Apache-2.0
#include "vfio_user_memory.h"

#include "vfio_user_protocol.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <linux/vfio.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace vmmio::vfu
{

namespace
{

constexpr std::uint32_t all_rights = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE;

bool is_page_multiple(std::uint64_t value) { return value % page_size == 0; }

/// Touching a page behind the end of a file would end the process with SIGBUS.
bool file_holds(int fd, std::uint64_t offset, std::uint64_t size)
{
    struct stat file {
    };
    if (::fstat(fd, &file) != 0 || !S_ISREG(file.st_mode) || file.st_size < 0)
        return false;
    const auto length = static_cast<std::uint64_t>(file.st_size);
    return offset <= length && size <= length - offset;
}

} // namespace

int guest_memory::map(std::uint64_t address, std::uint64_t size, std::uint32_t flags, int fd,
                      std::uint64_t offset)
{
    if (size == 0 || !is_page_multiple(address) || !is_page_multiple(size) ||
        !is_page_multiple(offset) || (flags & ~all_rights) != 0 || address + (size - 1) < address)
        return EINVAL;
    const std::uint64_t last = address + (size - 1);
    const auto above = ranges_.upper_bound(last);
    if (above != ranges_.begin() && std::prev(above)->second.last >= address)
        return EEXIST;
    if (ranges_.size() >= max_ranges_)
        return ENOSPC;

    std::uint8_t *host = nullptr;
    if (fd >= 0) {
        if (!file_holds(fd, offset, size))
            return EINVAL;
        const int protection = (flags & VFIO_DMA_MAP_FLAG_READ ? PROT_READ : 0) |
                               (flags & VFIO_DMA_MAP_FLAG_WRITE ? PROT_WRITE : 0);
        void *mapped =
            ::mmap(nullptr, size, protection, MAP_SHARED, fd, static_cast<off_t>(offset));
        if (mapped == MAP_FAILED)
            return errno;
        host = static_cast<std::uint8_t *>(mapped);
    }
    ranges_.emplace(address, dma_range{address, last, host, flags});
    return 0;
}

const dma_range *guest_memory::exact(std::uint64_t address, std::uint64_t size) const
{
    const auto found = ranges_.find(address);
    if (found == ranges_.end() || found->second.last - address != size - 1)
        return nullptr;
    return &found->second;
}

const dma_range *guest_memory::find(std::uint64_t address) const
{
    const auto above = ranges_.upper_bound(address);
    if (above == ranges_.begin() || std::prev(above)->second.last < address)
        return nullptr;
    return &std::prev(above)->second;
}

void guest_memory::unmap(const dma_range &range)
{
    if (range.host)
        ::munmap(range.host, range.last - range.start + 1);
    ranges_.erase(range.start);
}

void guest_memory::clear()
{
    while (!ranges_.empty())
        unmap(ranges_.begin()->second);
}

template <typename Visit>
std::size_t guest_memory::walk(std::uint64_t address, std::size_t size, std::uint32_t rights,
                               Visit visit) const
{
    std::size_t done = 0;
    while (done < size) {
        const dma_range *range = find(address + done);
        if (!range || !range->allows(rights) || address + done < address)
            break;
        const std::uint64_t room = range->last - (address + done);
        const std::size_t piece =
            room < size - done ? static_cast<std::size_t>(room) + 1 : size - done;
        visit(range->host + (address + done - range->start), done, piece);
        done += piece;
    }
    return done;
}

std::size_t guest_memory::copy(std::uint64_t address, std::uint8_t *data, std::size_t size,
                               std::uint32_t rights) const
{
    const bool reads = rights == VFIO_DMA_MAP_FLAG_READ;
    return walk(address, size, rights,
                [data, reads](std::uint8_t *host, std::size_t at, std::size_t count) {
                    if (reads)
                        std::memcpy(data + at, host, count);
                    else
                        std::memcpy(host, data + at, count);
                });
}

std::size_t guest_memory::reach(std::uint64_t address, std::size_t size, std::uint32_t rights) const
{
    return walk(address, size, rights, [](std::uint8_t *, std::size_t, std::size_t) {});
}

} // namespace vmmio::vfu
