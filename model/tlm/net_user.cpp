// SPDX-License-Identifier: Apache-2.0
#include "vmmio/tlm/host_net.h"

#include <stdexcept>

#ifdef VMMIO_WITH_SLIRP

#include <algorithm>
#include <chrono>
#include <libslirp.h>
#include <list>
#include <string>

namespace vmmio
{

namespace
{

constexpr std::size_t outbox_most = 1024; // frames of the guest that wait for the host thread

in_addr ipv4(std::uint32_t address)
{
    in_addr result{};
    result.s_addr = htonl(address);
    return result;
}

std::int64_t now_ns()
{
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

} // namespace

// All of it belongs to the host thread once that runs, but for the outbox.
struct user_net::stack {
    struct timer {
        SlirpTimerCb call;
        void *opaque;
        std::int64_t due_ms; // -1: not set
    };

    explicit stack(user_net &net) : owner(net) {}

    user_net &owner;
    Slirp *slirp = nullptr;
    SlirpCb calls{};
    std::list<timer> timers;
    std::vector<pollfd> *wanted = nullptr;
    const std::vector<pollfd> *polled = nullptr;
    std::mutex mutex;
    std::deque<std::vector<std::uint8_t>> outbox; // under mutex

    static stack &of(void *opaque) { return *static_cast<stack *>(opaque); }
    void fill_in_calls();
    int time_to_timer(int timeout) const;
    void fire_timers();
};

void user_net::stack::fill_in_calls()
{
    calls.send_packet = [](const void *frame, size_t length, void *opaque) -> ssize_t {
        of(opaque).owner.arrived({}, static_cast<const std::uint8_t *>(frame), length);
        return static_cast<ssize_t>(length);
    };
    calls.guest_error = [](const char *, void *) {}; // a guest's mistake: its frame is dropped
    calls.clock_get_ns = [](void *) -> int64_t { return now_ns(); };
    calls.timer_new = [](SlirpTimerCb call, void *call_opaque, void *opaque) -> void * {
        return &of(opaque).timers.emplace_back(timer{call, call_opaque, -1});
    };
    calls.timer_free = [](void *which, void *opaque) {
        of(opaque).timers.remove_if([which](const timer &t) { return &t == which; });
    };
    calls.timer_mod = [](void *which, int64_t due_ms, void *) {
        static_cast<timer *>(which)->due_ms = due_ms;
    };
    calls.register_poll_fd = [](int, void *) {};
    calls.unregister_poll_fd = [](int, void *) {};
    calls.notify = [](void *opaque) { of(opaque).owner.wake(); };
}

int user_net::stack::time_to_timer(int timeout) const
{
    const std::int64_t now = now_ns() / 1000000;
    for (const timer &t : timers)
        if (t.due_ms >= 0) {
            const int left = static_cast<int>(
                std::min<std::int64_t>(std::max<std::int64_t>(t.due_ms - now, 0), 60000));
            timeout = timeout < 0 ? left : std::min(timeout, left);
        }
    return timeout;
}

void user_net::stack::fire_timers()
{
    const std::int64_t now = now_ns() / 1000000;
    for (timer &t : timers)
        if (t.due_ms >= 0 && t.due_ms <= now) {
            t.due_ms = -1;
            t.call(t.opaque);
        }
}

bool user_net::available() { return true; }

user_net::user_net(const user_net_options &options) : stack_(std::make_unique<stack>(*this))
{
    SlirpConfig config{};
    config.version = 1;
    config.restricted = options.restricted;
    config.in_enabled = true;
    config.vnetwork = ipv4(0x0a000200);
    config.vnetmask = ipv4(0xffffff00);
    config.vhost = ipv4(0x0a000202);
    config.vdhcp_start = ipv4(0x0a00020f);
    config.vnameserver = ipv4(0x0a000203);
    stack_->fill_in_calls();
    stack_->slirp = slirp_new(&config, &stack_->calls, stack_.get());
    if (!stack_->slirp)
        throw std::runtime_error("libslirp cannot start a network in user mode");
    for (const port_forward &forward : options.forwards)
        if (slirp_add_hostfwd(stack_->slirp, forward.udp, ipv4(0x7f000001), forward.host_port,
                              ipv4(0x0a00020f), forward.guest_port) != 0) {
            slirp_cleanup(stack_->slirp);
            throw std::runtime_error("cannot forward port " + std::to_string(forward.host_port) +
                                     " of 127.0.0.1: choose one that is free");
        }
}

user_net::~user_net()
{
    stop();
    slirp_cleanup(stack_->slirp);
}

int user_net::prepare(std::vector<pollfd> &wanted, bool accepting)
{
    if (!accepting)
        return stack_->time_to_timer(-1);
    std::uint32_t timeout = 60000;
    stack_->wanted = &wanted;
    slirp_pollfds_fill(
        stack_->slirp, &timeout,
        [](int fd, int events, void *opaque) {
            std::vector<pollfd> &all = *stack::of(opaque).wanted;
            short bits = 0;
            if (events & SLIRP_POLL_IN)
                bits |= POLLIN;
            if (events & SLIRP_POLL_OUT)
                bits |= POLLOUT;
            if (events & SLIRP_POLL_PRI)
                bits |= POLLPRI;
            all.push_back({fd, bits, 0});
            return static_cast<int>(all.size()) - 1;
        },
        stack_.get());
    return stack_->time_to_timer(static_cast<int>(timeout));
}

void user_net::process(const std::vector<pollfd> &polled, bool accepting)
{
    stack_->fire_timers();
    std::deque<std::vector<std::uint8_t>> frames;
    {
        const std::lock_guard<std::mutex> lock(stack_->mutex);
        frames.swap(stack_->outbox);
    }
    if (accepting) {
        stack_->polled = &polled;
        slirp_pollfds_poll(
            stack_->slirp, 0,
            [](int index, void *opaque) {
                const std::vector<pollfd> &all = *stack::of(opaque).polled;
                if (index < 0 || static_cast<std::size_t>(index) >= all.size())
                    return 0;
                const short bits = all[static_cast<std::size_t>(index)].revents;
                int events = 0;
                if (bits & POLLIN)
                    events |= SLIRP_POLL_IN;
                if (bits & POLLOUT)
                    events |= SLIRP_POLL_OUT;
                if (bits & POLLPRI)
                    events |= SLIRP_POLL_PRI;
                if (bits & POLLERR)
                    events |= SLIRP_POLL_ERR;
                if (bits & POLLHUP)
                    events |= SLIRP_POLL_HUP;
                return events;
            },
            stack_.get());
    }
    for (const std::vector<std::uint8_t> &frame : frames)
        slirp_input(stack_->slirp, frame.data(), static_cast<int>(frame.size()));
}

bool user_net::send(const vmmio_net_header &, const std::uint8_t *frame, std::uint32_t length)
{
    {
        const std::lock_guard<std::mutex> lock(stack_->mutex);
        if (stack_->outbox.size() == outbox_most) {
            count_lost();
            return false;
        }
        stack_->outbox.emplace_back(frame, frame + length);
    }
    wake();
    return true;
}

} // namespace vmmio

#else

namespace vmmio
{

struct user_net::stack {
};

bool user_net::available() { return false; }

user_net::user_net(const user_net_options &)
{
    throw std::runtime_error("vmmio was built without a network in user mode: install libslirp "
                             "(Debian: libslirp-dev, libglib2.0-dev) and configure again");
}

user_net::~user_net() = default;

int user_net::prepare(std::vector<pollfd> &, bool) { return -1; }

void user_net::process(const std::vector<pollfd> &, bool) {}

bool user_net::send(const vmmio_net_header &, const std::uint8_t *, std::uint32_t) { return false; }

} // namespace vmmio

#endif
