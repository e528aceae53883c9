// SPDX-License-Identifier: Apache-2.0
#include "vfio_user_pci.h"

#include <algorithm>
#include <linux/pci_regs.h>
#include <poll.h>
#include <unistd.h>

namespace vmmio::vfu
{

pci_function::pci_function(const vfio_user_config &config)
{
    set(PCI_VENDOR_ID, config.vendor_id, 2);
    set(PCI_DEVICE_ID, config.device_id, 2);
    set(PCI_REVISION_ID, config.revision_id, 1);
    set(PCI_CLASS_PROG, config.class_code, 3);
    set(PCI_SUBSYSTEM_VENDOR_ID, config.subsystem_vendor_id, 2);
    set(PCI_SUBSYSTEM_ID, config.subsystem_id, 2);
    set(PCI_INTERRUPT_PIN, config.interrupts > 0 ? 1 : 0, 1);

    const auto writable = [this](std::size_t offset, std::uint32_t bits, std::size_t bytes) {
        for (std::size_t i = 0; i < bytes; ++i)
            writable_[offset + i] = static_cast<std::uint8_t>(bits >> (8 * i));
    };
    writable(PCI_COMMAND,
             PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR |
                 PCI_COMMAND_INTX_DISABLE,
             2);
    writable(PCI_CACHE_LINE_SIZE, 0xff, 1);
    writable(PCI_LATENCY_TIMER, 0xff, 1);
    writable(PCI_BASE_ADDRESS_0, static_cast<std::uint32_t>(~(config.bar0_size - 1)), 4);
    writable(PCI_INTERRUPT_LINE, 0xff, 1);
}

void pci_function::reset()
{
    for (std::size_t i = 0; i < size; ++i)
        bytes_[i] = static_cast<std::uint8_t>(bytes_[i] & ~writable_[i]);
}

void pci_function::read(std::size_t offset, std::uint8_t *data, std::size_t count) const
{
    std::copy_n(bytes_.begin() + offset, count, data);
}

void pci_function::write(std::size_t offset, const std::uint8_t *data, std::size_t count)
{
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint8_t mask = writable_[offset + i];
        std::uint8_t &byte = bytes_[offset + i];
        byte = static_cast<std::uint8_t>((byte & ~mask) | (data[i] & mask));
    }
}

bool pci_function::memory_enabled() const { return get(PCI_COMMAND, 2) & PCI_COMMAND_MEMORY; }

bool pci_function::interrupt_disabled() const
{
    return get(PCI_COMMAND, 2) & PCI_COMMAND_INTX_DISABLE;
}

std::uint32_t pci_function::bar0() const { return get(PCI_BASE_ADDRESS_0, 4); }

void pci_function::show_interrupt(bool pending)
{
    const std::uint32_t others = get(PCI_STATUS, 2) & ~PCI_STATUS_INTERRUPT;
    set(PCI_STATUS, others | (pending ? PCI_STATUS_INTERRUPT : 0u), 2);
}

std::uint32_t pci_function::get(std::size_t offset, std::size_t bytes) const
{
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < bytes; ++i)
        value |= static_cast<std::uint32_t>(bytes_[offset + i]) << (8 * i);
    return value;
}

void pci_function::set(std::size_t offset, std::uint32_t value, std::size_t bytes)
{
    for (std::size_t i = 0; i < bytes; ++i)
        bytes_[offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

void interrupt_line::set_level(bool high)
{
    level_ = high;
    update();
}

void interrupt_line::set_disabled(bool disabled)
{
    disabled_ = disabled;
    update();
}

void interrupt_line::connect(unique_fd eventfd)
{
    eventfd_ = std::move(eventfd);
    unmask();
}

void interrupt_line::unmask()
{
    masked_ = false;
    update();
}

void interrupt_line::trigger()
{
    // The client owns the eventfd and may have filled it: a write must not wait for it.
    pollfd room{eventfd_.get(), POLLOUT, 0};
    const std::uint64_t one = 1;
    if (eventfd_ && ::poll(&room, 1, 0) == 1 && (room.revents & POLLOUT) != 0 &&
        ::write(eventfd_.get(), &one, sizeof(one)) == sizeof(one))
        ++triggers_;
}

void interrupt_line::update()
{
    if (!level_ || masked_ || disabled_ || !eventfd_)
        return;
    masked_ = true;
    trigger();
}

} // namespace vmmio::vfu
