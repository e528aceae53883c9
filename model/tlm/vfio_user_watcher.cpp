// SPDX-License-Identifier: Apache-2.0
#include "vfio_user_watcher.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace vmmio::vfu
{

fd_watcher::fd_watcher(const char *name)
    : wake_(name), epoll_(::epoll_create1(EPOLL_CLOEXEC)), stop_(::eventfd(0, EFD_CLOEXEC))
{
    wake_.woken = [this] { ready_.notify(sc_core::SC_ZERO_TIME); };
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = stop_.get();
    if (!epoll_ || !stop_ || ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, stop_.get(), &event) != 0)
        throw std::runtime_error("the host has no file descriptor left: raise the limit "
                                 "(ulimit -n)");
}

fd_watcher::~fd_watcher() { stop(); }

void fd_watcher::start()
{
    wake_.hold();
    thread_ = std::thread(&fd_watcher::run, this);
}

void fd_watcher::stop()
{
    if (!thread_.joinable())
        return;
    const std::uint64_t one = 1;
    while (::write(stop_.get(), &one, sizeof(one)) < 0 && errno == EINTR) {
    }
    thread_.join();
    wake_.release();
}

void fd_watcher::arm(int fd)
{
    epoll_event event{};
    event.events = EPOLLIN | EPOLLONESHOT;
    event.data.fd = fd;
    if (failed_)
        errno = failed_;
    else if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) == 0 ||
             (errno == ENOENT && ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0))
        return;
    if (errno != EPERM) // what a file says that is always readable
        throw std::runtime_error(std::string("the host cannot wait for a file descriptor: ") +
                                 std::strerror(errno));
    ready_.notify(sc_core::SC_ZERO_TIME);
}

void fd_watcher::run()
{
    for (;;) {
        epoll_event event;
        if (::epoll_wait(epoll_.get(), &event, 1, -1) < 0) {
            if (errno == EINTR)
                continue;
            failed_ = errno; // the next arm() tells
        } else if (event.data.fd == stop_.get()) {
            return;
        }
        wake_.notify();
        if (failed_)
            return;
    }
}

} // namespace vmmio::vfu
