// SPDX-License-Identifier: Apache-2.0
#include "guard.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <mutex>
#include <stdexcept>
#include <sys/mman.h>
#include <unistd.h>

namespace vmmio::fs
{

namespace
{

// Written by guards, read by the handler in any thread: no lock.
struct range {
    std::atomic<std::uintptr_t> first{0};
    std::atomic<std::size_t> length{0}; // 0: free; set last, cleared first
    std::atomic<std::uint64_t> replaced{0};
};

std::array<range, 64> ranges;
std::uintptr_t page_bytes;
struct sigaction before;

bool replace(std::uintptr_t address)
{
    for (range &r : ranges) {
        const std::size_t length = r.length.load(std::memory_order_acquire);
        if (address - r.first.load(std::memory_order_relaxed) >= length)
            continue;
        void *page = reinterpret_cast<void *>(address & ~(page_bytes - 1));
        if (::mmap(page, page_bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
            return false;
        r.replaced++;
        return true;
    }
    return false;
}

void on_bus_error(int number, siginfo_t *info, void *context)
{
    const int saved = errno;
    if (info->si_code > 0 && replace(reinterpret_cast<std::uintptr_t>(info->si_addr))) {
        errno = saved;
        return;
    }
    if (before.sa_flags & SA_SIGINFO)
        before.sa_sigaction(number, info, context);
    else if (before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN)
        ::signal(number, SIG_DFL); // the access is tried again, to the usual end
    else
        before.sa_handler(number);
    errno = saved;
}

void install()
{
    struct sigaction ours {
    };
    ours.sa_sigaction = on_bus_error;
    ours.sa_flags = SA_SIGINFO;
    sigemptyset(&ours.sa_mask);
    page_bytes = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    if (::sigaction(SIGBUS, &ours, &before) != 0)
        throw std::runtime_error("the host refuses a handler for SIGBUS");
}

std::mutex installing;
bool installed = false;

} // namespace

guard::guard(void *first, std::size_t length) : slot_(0)
{
    const std::lock_guard<std::mutex> lock(installing);
    if (!installed)
        install();
    installed = true;
    while (slot_ < ranges.size() && ranges[slot_].length != 0)
        slot_++;
    if (slot_ == ranges.size())
        throw std::runtime_error("there are more than 64 DAX windows in this process");
    ranges[slot_].replaced = 0;
    ranges[slot_].first = reinterpret_cast<std::uintptr_t>(first);
    ranges[slot_].length.store(length, std::memory_order_release);
}

guard::~guard() { ranges[slot_].length = 0; }

std::uint64_t guard::replaced() const { return ranges[slot_].replaced; }

} // namespace vmmio::fs
