// SPDX-License-Identifier: Apache-2.0
#include "vmmio/tlm/host_net.h"

#include <utility>

namespace vmmio
{

namespace
{

constexpr std::size_t inbox_usual = 256; // the host is not read beyond
constexpr std::size_t inbox_most = 4096; // frames that cannot be helped are lost beyond

} // namespace

host_net::host_net(std::uint32_t takes, std::uint32_t gives)
    : host_thread("host_net"), takes_(takes), gives_(gives)
{
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
        if (that->started())
            that->resume_();
    };
    return backend;
}

int host_net::want(std::vector<pollfd> &wanted)
{
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        accepting_ = inbox_.size() < inbox_usual;
    }
    return prepare(wanted, accepting_);
}

void host_net::serve(const std::vector<pollfd> &polled) { process(polled, accepting_); }

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
    wake_simulation();
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
