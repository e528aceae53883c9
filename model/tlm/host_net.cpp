// SPDX-License-Identifier: Apache-2.0
#include "vmmio/tlm/host_net.h"

#include <cerrno>
#include <stdexcept>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace vmmio
{

namespace
{

constexpr std::size_t inbox_usual = 256; // the host is not read beyond
constexpr std::size_t inbox_most = 4096; // frames that cannot be helped are lost beyond

} // namespace

host_net::host_net(std::uint32_t takes, std::uint32_t gives)
    : sc_prim_channel(sc_core::sc_gen_unique_name("host_net")), takes_(takes), gives_(gives),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
{
    if (wake_ < 0)
        throw std::runtime_error("the host has no file descriptor left: raise the limit "
                                 "(ulimit -n)");
}

host_net::~host_net()
{
    stop();
    ::close(wake_);
}

vmmio_net_backend host_net::backend()
{
    vmmio_net_backend backend{};
    backend.context = this;
    backend.takes = takes_;
    backend.gives = gives_;
    backend.send = [](void *self, const vmmio_net_header *header, const std::uint8_t *bytes,
                      std::uint32_t length) {
        return static_cast<host_net *>(self)->send(*header, bytes, length);
    };
    backend.welcome = [](void *self, std::uint32_t offloads) {
        static_cast<host_net *>(self)->welcome(offloads);
    };
    backend.room = [](void *self) {
        const auto *that = static_cast<host_net *>(self);
        if (that->resume_)
            that->resume_();
    };
    return backend;
}

void host_net::start(std::function<void()> resume)
{
    if (thread_.joinable())
        return;
    resume_ = std::move(resume);
    stopping_ = false;
    async_attach_suspending();
    thread_ = std::thread(&host_net::run, this);
}

void host_net::stop()
{
    if (!thread_.joinable())
        return;
    stopping_ = true;
    wake();
    thread_.join();
    resume_ = nullptr;
    async_detach_suspending();
}

void host_net::wake()
{
    const std::uint64_t one = 1;
    while (::write(wake_, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
}

void host_net::run()
{
    std::vector<pollfd> polled;
    while (!stopping_) {
        bool accepting;
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            accepting = inbox_.size() < inbox_usual;
        }
        polled.clear();
        const int timeout = prepare(polled, accepting);
        polled.push_back({wake_, POLLIN, 0});
        if (::poll(polled.data(), polled.size(), timeout) < 0)
            continue; // interrupted: nothing is set
        std::uint64_t count;
        if (polled.back().revents && ::read(wake_, &count, sizeof(count)) < 0 && errno != EAGAIN)
            return;
        polled.pop_back();
        if (!stopping_)
            process(polled, accepting);
    }
}

void host_net::arrived(const vmmio_net_header &header, const std::uint8_t *bytes,
                       std::size_t length)
{
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        if (inbox_.size() == inbox_most) {
            count_lost();
            return;
        }
        inbox_.push_back({header, {bytes, bytes + length}});
    }
    async_request_update();
}

void host_net::update()
{
    if (resume_)
        resume_();
}

// In the device's process. What does not fit now comes again when the backlog has room.
void host_net::pump(vmmio_net &net)
{
    bool was_full = false;
    for (;;) {
        received_frame next;
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (inbox_.empty())
                break;
            was_full = was_full || inbox_.size() >= inbox_usual;
            next = std::move(inbox_.front());
            inbox_.pop_front();
        }
        if (!vmmio_net_receive(&net, &next.header, next.bytes.data(),
                               static_cast<std::uint32_t>(next.bytes.size()))) {
            const std::lock_guard<std::mutex> lock(mutex_);
            inbox_.push_front(std::move(next));
            break;
        }
    }
    if (was_full)
        wake();
}

} // namespace vmmio
