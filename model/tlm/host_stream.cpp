// SPDX-License-Identifier: Apache-2.0
#include "vmmio/tlm/host_stream.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <unistd.h>

namespace vmmio
{

namespace
{

constexpr std::size_t box_most = 65536;       // bytes that wait in a direction
constexpr std::size_t emergency_most = 65536; // more of them than that come by emergency writes
constexpr std::size_t piece_most = 4096;      // a pipe that is writable takes as many at once
constexpr int patience_ms = 1000;             // for a slow reader when the stream ends
constexpr short broken = POLLHUP | POLLERR | POLLNVAL;

using piece = std::array<std::uint8_t, piece_most>;

std::size_t copy_front(const std::deque<std::uint8_t> &from, piece &to)
{
    const std::size_t length = std::min(from.size(), to.size());
    std::copy_n(from.begin(), length, to.begin());
    return length;
}

void drop_front(std::deque<std::uint8_t> &from, std::size_t length)
{
    from.erase(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(length));
}

bool try_again() { return errno == EAGAIN || errno == EINTR; }

} // namespace

host_stream::host_stream(bool returns) : host_thread("host_stream"), returns_(returns) {}

// In the simulation.

void host_stream::attach(bool patient, std::function<void()> woken)
{
    patient_ = patient && returns_;
    start(std::move(woken));
}

std::uint32_t host_stream::take(const std::uint8_t *data, std::uint32_t length)
{
    const std::lock_guard<std::mutex> lock(mutex_);
    const std::size_t room = box_most - std::min(outbox_.size(), box_most);
    const auto taken = static_cast<std::uint32_t>(std::min<std::size_t>(length, room));
    const bool nobody_waited = outbox_.empty();
    outbox_.insert(outbox_.end(), data, data + taken);
    if (taken && nobody_waited)
        wake();
    if (taken < length && nobody_reads() && !patient_) {
        lost_ += length - taken;
        return length;
    }
    refused_ = taken < length;
    return taken;
}

bool host_stream::take_emergency(std::uint8_t character)
{
    const std::lock_guard<std::mutex> lock(mutex_);
    if (outbox_.size() >= box_most + emergency_most)
        return false;
    outbox_.push_back(character);
    wake();
    return true;
}

// In the device's process.
void host_stream::pump(vmmio_console &console, std::uint32_t port)
{
    bool writable, here;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        here = connected_; // what comes later wakes again
        writable = refused_ && (outbox_.size() < box_most || (nobody_reads() && !patient_));
        refused_ = refused_ && !writable;
    }
    bool all = false, was_full = false;
    for (bool room = true; room && !all;) {
        piece bytes;
        std::size_t length;
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            length = copy_front(inbox_, bytes);
        }
        const std::uint32_t taken =
            vmmio_console_receive(&console, port, bytes.data(), static_cast<std::uint32_t>(length));
        const std::lock_guard<std::mutex> lock(mutex_);
        was_full = was_full || inbox_.size() >= box_most;
        drop_front(inbox_, taken);
        room = taken == length;
        all = inbox_.empty();
    }
    if (was_full)
        wake();
    if (here || all) // who has left is there until all of it is taken
        vmmio_console_set_open(&console, port, here);
    if (writable)
        vmmio_console_writable(&console, port);
}

// In the host thread.

void host_stream::connect(int in, int out)
{
    in_ = in;
    out_ = out;
    input_over_ = in < 0;
    output_over_ = out < 0;
    connected_ = true;
}

int host_stream::want(std::vector<pollfd> &wanted)
{
    if (!connected_)
        return await(wanted);
    const std::lock_guard<std::mutex> lock(mutex_);
    const bool reads = !input_over_ && inbox_.size() < box_most;
    const bool writes = !output_over_ && !outbox_.empty();
    const short in = reads ? POLLIN : 0, out = writes ? POLLOUT : 0;
    if (in_ == out_) { // also while there is nothing to do: that tells when somebody leaves
        wanted.push_back({in_, static_cast<short>(in | out), 0});
        return -1;
    }
    if (reads)
        wanted.push_back({in_, in, 0});
    if (writes)
        wanted.push_back({out_, out, 0});
    return -1;
}

void host_stream::serve(const std::vector<pollfd> &polled)
{
    const bool before = nobody_reads();
    if (!connected_)
        attend();
    else
        for (const pollfd &each : polled)
            serve(each);
    if (connected_ && input_over_ && output_over_) {
        connected_ = false;
        disconnected();
    }
    if (nobody_reads() != before)
        wake_simulation();
}

void host_stream::serve(const pollfd &polled)
{
    if (polled.events & POLLIN && polled.revents)
        read_some();
    if (polled.fd == out_ && polled.revents & broken) {
        while (in_ == out_ && read_some()) { // what was sent before; there is an end to that
        }
        input_over_ = input_over_ || in_ == out_;
        output_over_ = true;
    } else if (polled.revents & POLLOUT) {
        write_some();
    }
}

// False if nothing came.
bool host_stream::read_some()
{
    piece bytes;
    const ssize_t length = ::read(in_, bytes.data(), bytes.size());
    if (length <= 0) {
        input_over_ = length == 0 || !try_again();
        return false;
    }
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        inbox_.insert(inbox_.end(), bytes.begin(), bytes.begin() + length);
    }
    wake_simulation();
    return true;
}

void host_stream::write_some()
{
    piece bytes;
    std::size_t length;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        length = copy_front(outbox_, bytes);
    }
    const ssize_t written = ::write(out_, bytes.data(), length);
    if (written < 0 && try_again())
        return;
    if (written < 0)
        output_over_ = true;
    bool tell;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        drop_front(outbox_, static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
        tell = refused_;
    }
    if (tell)
        wake_simulation();
}

// What the driver has sent before the end still goes out, to a reader that reads.
void host_stream::conclude()
{
    pollfd out{out_, POLLOUT, 0};
    while (!nobody_reads() && ::poll(&out, 1, patience_ms) == 1 && !(out.revents & broken)) {
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (outbox_.empty())
                return;
        }
        write_some();
    }
}

} // namespace vmmio
