// SPDX-License-Identifier: Apache-2.0
// The commands of the protocol that concern the device: memory, registers, interrupts.
#include "vfio_user_server.h"

#include <cerrno>
#include <linux/vfio.h>
#include <sys/stat.h>

namespace vmmio::vfu
{

namespace
{

bool is_one_bit(std::uint32_t value) { return value != 0 && (value & (value - 1)) == 0; }

/// Writing to anything else could wait, or raise SIGPIPE. An eventfd has no file type.
bool may_be_eventfd(int fd)
{
    struct stat what {
    };
    return ::fstat(fd, &what) == 0 && (what.st_mode & S_IFMT) == 0;
}

} // namespace

int server::map_memory()
{
    dma_map range;
    if (!request_.get(range) || range.argsz < sizeof(range))
        return refuse(EINVAL, "DMA_MAP is too short");
    if (request_.fds.size() > 1)
        return refuse(EINVAL, "DMA_MAP with more than one file descriptor");
    const int fd = request_.fds.empty() ? -1 : request_.fds.front().get();
    const int error = memory_.map(range.address, range.size, range.flags, fd, range.offset);
    if (error)
        return refuse(error, "DMA_MAP of a range that overlaps, wraps, is not made of whole "
                             "pages, is not in its file, or is one too many");
    ++counters_.dma_maps;
    return 0;
}

int server::unmap_memory()
{
    dma_unmap range;
    if (!request_.get(range) || range.argsz < sizeof(range))
        return refuse(EINVAL, "DMA_UNMAP is too short");
    if (range.flags == VFIO_DMA_UNMAP_FLAG_ALL && range.address == 0 && range.size == 0) {
        devices_.memory_goes(0, UINT64_MAX);
        memory_.clear();
    } else {
        if (range.flags != 0)
            return refuse(ENOTSUP, "DMA_UNMAP with flags");
        const dma_range *mapped = memory_.exact(range.address, range.size);
        if (!mapped)
            return refuse(ENOENT, "DMA_UNMAP of a range that is not mapped as such");
        devices_.memory_goes(mapped->start, mapped->last);
        memory_.unmap(*mapped);
    }
    reply_.append(range);
    return 0;
}

int server::describe_device()
{
    device_info info;
    if (!request_.get(info) || info.argsz < sizeof(info))
        return refuse(EINVAL, "DEVICE_GET_INFO is too short");
    reply_.append(device_info{sizeof(info), VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI,
                              VFIO_PCI_NUM_REGIONS, VFIO_PCI_NUM_IRQS});
    return 0;
}

int server::describe_region()
{
    region_info info;
    if (!request_.get(info) || info.argsz < sizeof(info))
        return refuse(EINVAL, "DEVICE_GET_REGION_INFO is too short");
    if (info.index >= VFIO_PCI_NUM_REGIONS)
        return refuse(EINVAL, "a region index that does not exist");
    region_info answer{};
    answer.argsz = sizeof(answer);
    answer.index = info.index;
    answer.size = region_size(info.index);
    if (answer.size > 0)
        answer.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
    reply_.append(answer);
    return 0;
}

int server::describe_irq()
{
    irq_info info;
    if (!request_.get(info) || info.argsz < sizeof(info))
        return refuse(EINVAL, "DEVICE_GET_IRQ_INFO is too short");
    if (info.index >= VFIO_PCI_NUM_IRQS)
        return refuse(EINVAL, "an interrupt index that does not exist");
    irq_info answer{sizeof(answer), 0, info.index, irq_count(info.index)};
    if (answer.count > 0)
        answer.flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
    reply_.append(answer);
    return 0;
}

int server::set_irqs()
{
    irq_set set;
    if (!request_.get(set) || set.argsz < sizeof(set))
        return refuse(EINVAL, "SET_IRQS is too short");
    const std::uint32_t data = set.flags & VFIO_IRQ_SET_DATA_TYPE_MASK;
    const std::uint32_t action = set.flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;
    if (set.flags != (data | action) || !is_one_bit(data) || !is_one_bit(action))
        return refuse(EINVAL, "SET_IRQS takes one kind of data and one action");
    if (set.index >= VFIO_PCI_NUM_IRQS)
        return refuse(EINVAL, "an interrupt index that does not exist");

    const bool takes_all_away = set.count == 0 && set.start == 0 &&
                                data == VFIO_IRQ_SET_DATA_NONE &&
                                action == VFIO_IRQ_SET_ACTION_TRIGGER;
    if (takes_all_away) {
        if (irq_count(set.index) > 0)
            interrupt_.connect(unique_fd());
        return 0;
    }
    const unsigned existing = irq_count(set.index);
    if (set.count == 0 || set.start >= existing || set.count > existing - set.start)
        return refuse(EINVAL, "SET_IRQS of interrupts that do not exist");

    if (data == VFIO_IRQ_SET_DATA_EVENTFD) {
        if (action != VFIO_IRQ_SET_ACTION_TRIGGER)
            return refuse(ENOTSUP, "an eventfd for masking");
        if (request_.fds.size() > set.count)
            return refuse(EINVAL, "SET_IRQS with more file descriptors than interrupts");
        if (request_.fds.empty())
            interrupt_.connect(unique_fd());
        else if (may_be_eventfd(request_.fds.front().get()))
            interrupt_.connect(std::move(request_.fds.front()));
        else
            return refuse(EINVAL, "SET_IRQS with a file descriptor that is not an eventfd");
        return 0;
    }
    if (data == VFIO_IRQ_SET_DATA_BOOL) {
        if (request_.payload_size - sizeof(set) < set.count)
            return refuse(EINVAL, "SET_IRQS is too short for its booleans");
        if (request_.payload[sizeof(set)] == 0)
            return 0;
    }
    if (action == VFIO_IRQ_SET_ACTION_MASK)
        interrupt_.mask();
    else if (action == VFIO_IRQ_SET_ACTION_UNMASK)
        interrupt_.unmask();
    else
        interrupt_.trigger();
    return 0;
}

int server::read_region()
{
    region_access access;
    const int error = check_access(access);
    if (error)
        return error;
    reply_.append(access);
    std::uint8_t *data = reply_.extend(access.count);
    if (access.region == VFIO_PCI_CONFIG_REGION_INDEX) {
        pci_.show_interrupt(interrupt_.level());
        pci_.read(access.offset, data, access.count);
    } else {
        ++counters_.bar0_reads;
        if (!devices_.read(access.offset, data, access.count)) {
            ++counters_.bar0_failures;
            std::memset(data, 0xff, access.count);
        }
    }
    return 0;
}

int server::write_region()
{
    region_access access;
    const int error = check_access(access);
    if (error)
        return error;
    if (request_.payload_size - sizeof(access) != access.count)
        return refuse(EINVAL, "REGION_WRITE whose count is not that of its data");
    const std::uint8_t *data = request_.payload + sizeof(access);
    if (access.region == VFIO_PCI_CONFIG_REGION_INDEX) {
        pci_.write(access.offset, data, access.count);
        config_written();
    } else {
        ++counters_.bar0_writes;
        if (!devices_.write(access.offset, data, access.count))
            ++counters_.bar0_failures;
    }
    reply_.append(access);
    return 0;
}

int server::check_access(region_access &access)
{
    if (!request_.get(access))
        return refuse(EINVAL, "a region access is too short");
    const std::uint64_t size = region_size(access.region);
    if (access.count == 0 || access.offset >= size || access.count > size - access.offset)
        return refuse(EINVAL, "an access outside of the region");
    if (access.region == VFIO_PCI_BAR0_REGION_INDEX &&
        (!is_one_bit(access.count) || access.count > 8))
        return refuse(EINVAL, "an access to BAR0 that is not of 1, 2, 4 or 8 bytes");
    return 0;
}

int server::reset_device()
{
    ++counters_.resets;
    pci_.reset();
    interrupt_.set_disabled(false);
    devices_.reset(vfio_user::reset_cause::message);
    return 0;
}

std::uint64_t server::region_size(std::uint32_t index) const
{
    switch (index) {
    case VFIO_PCI_BAR0_REGION_INDEX:
        return config_.bar0_size;
    case VFIO_PCI_CONFIG_REGION_INDEX:
        return pci_function::size;
    default:
        return 0;
    }
}

unsigned server::irq_count(std::uint32_t index) const
{
    return index == VFIO_PCI_INTX_IRQ_INDEX && config_.interrupts > 0 ? 1 : 0;
}

} // namespace vmmio::vfu
