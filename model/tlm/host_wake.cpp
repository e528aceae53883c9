// SPDX-License-Identifier: Apache-2.0
#include "vmmio/tlm/host_wake.h"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace vmmio
{

void host_wake::update()
{
    if (woken)
        woken();
}

host_thread::host_thread(const char *name)
    : wake_(name), event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
{
    if (event_ < 0)
        throw std::runtime_error("the host has no file descriptor left: raise the limit "
                                 "(ulimit -n)");
}

host_thread::~host_thread() { ::close(event_); }

void host_thread::start(std::function<void()> woken)
{
    if (thread_.joinable())
        return;
    wake_.woken = [this, woken = std::move(woken)] {
        if (const int error = failed_.exchange(0))
            SC_REPORT_ERROR("/vmmio/platform",
                            (std::string("the host cannot wait for descriptors any more: ") +
                             std::strerror(error))
                                .c_str());
        woken();
    };
    stopping_ = false;
    wake_.hold();
    thread_ = std::thread(&host_thread::run, this);
}

void host_thread::stop()
{
    if (!thread_.joinable())
        return;
    stopping_ = true;
    wake();
    thread_.join();
    wake_.woken = nullptr;
    wake_.release();
}

void host_thread::wake()
{
    const std::uint64_t one = 1;
    while (::write(event_, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
}

void host_thread::run()
{
    sigset_t all; // signals are for the program's own thread; SIGPIPE is an error of write(2)
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    std::vector<pollfd> polled;
    while (!stopping_ && failed_ == 0)
        wait_and_serve(polled);
    if (failed_)
        wake_.notify();
    conclude();
}

void host_thread::wait_and_serve(std::vector<pollfd> &polled)
{
    polled.clear();
    const int timeout = want(polled);
    polled.push_back({event_, POLLIN, 0});
    if (::poll(polled.data(), polled.size(), timeout) < 0) {
        if (errno != EINTR)
            failed_ = errno;
        return;
    }
    std::uint64_t count;
    if (polled.back().revents && ::read(event_, &count, sizeof(count)) < 0 && errno != EAGAIN)
        failed_ = errno;
    polled.pop_back();
    if (!stopping_)
        serve(polled);
}

} // namespace vmmio
