// SPDX-License-Identifier: Apache-2.0
/// @file host_net.h
/// Networks of the host for vmmio::net_device: a TAP interface, a UNIX datagram socket, and a
/// network in user mode.
///
/// Each has a host thread that waits for the host and hands frames over; it touches neither the
/// device nor SystemC. Time is the host's. While a simulation with such a network runs, the kernel
/// does not run out of work: it waits for frames, and sc_stop ends it.
///
/// A frame waits in a queue of 256 until the device takes it, and the host is not read meanwhile.
#ifndef VMMIO_TLM_HOST_NET_H
#define VMMIO_TLM_HOST_NET_H

#include "vmmio/dev/net.h"
#include "vmmio/tlm/host_wake.h"

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <poll.h>
#include <string>
#include <vector>

namespace vmmio
{

/// What the networks share. To make another one, implement the four private functions, and call
/// stop() in your destructor.
class host_net : public host_thread
{
public:
    /// Frames that were lost because the other side did not take them, in either direction.
    std::uint64_t lost() const { return lost_; }

protected:
    /// @throws std::runtime_error if the host has no descriptors left.
    explicit host_net(std::uint32_t takes = 0, std::uint32_t gives = 0);

    /// In the host thread: a frame has come.
    void arrived(const vmmio_net_header &header, const std::uint8_t *frame, std::size_t length);
    void count_lost() { lost_++; }

private:
    friend class net_device;

    /// In the host thread: adds what to wait for. @param accepting frames are welcome
    /// @return milliseconds to wait at most, -1 for ever
    virtual int prepare(std::vector<pollfd> &wanted, bool accepting) = 0;
    /// In the host thread: something of it happened, or wake() was called.
    virtual void process(const std::vector<pollfd> &polled, bool accepting) = 0;
    /// In the simulation: a frame leaves; false: it is lost.
    virtual bool send(const vmmio_net_header &header, const std::uint8_t *frame,
                      std::uint32_t length) = 0;
    /// In the simulation: the driver takes these offloads.
    virtual void welcome(std::uint32_t) {}

    struct received_frame {
        vmmio_net_header header;
        std::vector<std::uint8_t> bytes;
    };

    vmmio_net_backend backend();
    void pump(vmmio_net &net);
    int want(std::vector<pollfd> &wanted) override;
    void serve(const std::vector<pollfd> &polled) override;

    std::uint32_t takes_, gives_;
    std::function<void()> resume_; ///< the device's
    bool accepting_ = false;       ///< of the host thread
    std::atomic<std::uint64_t> lost_{0};
    std::mutex mutex_;
    std::deque<received_frame> inbox_; ///< under mutex_
};

/// A TAP interface of the host (Linux; needs CAP_NET_ADMIN, or an interface that was made for the
/// user). It takes and gives checksums and TCP segments undone.
class tap_net : public host_net
{
public:
    /// @param interface name of an existing or new interface, at most 15 characters.
    /// @throws std::runtime_error that says what to change.
    explicit tap_net(const std::string &interface);
    ~tap_net() override;

private:
    int prepare(std::vector<pollfd> &wanted, bool accepting) override;
    void process(const std::vector<pollfd> &polled, bool accepting) override;
    bool send(const vmmio_net_header &header, const std::uint8_t *frame,
              std::uint32_t length) override;
    void welcome(std::uint32_t offloads) override;

    int fd_;
    std::vector<std::uint8_t> buffer_;
};

/// A UNIX datagram socket: one frame a datagram, without header, as QEMU's "-netdev dgram" has it.
class socket_net : public host_net
{
public:
    /// @param local path to receive at; a file that nobody listens at any more is replaced.
    /// @param remote path to send to; frames are lost while nobody listens there.
    /// @throws std::runtime_error that says what to change.
    socket_net(const std::string &local, const std::string &remote);

    /// A connected datagram socket, e.g. one of a socketpair; owned from now on.
    explicit socket_net(int descriptor);
    ~socket_net() override;

private:
    int prepare(std::vector<pollfd> &wanted, bool accepting) override;
    void process(const std::vector<pollfd> &polled, bool accepting) override;
    bool send(const vmmio_net_header &header, const std::uint8_t *frame,
              std::uint32_t length) override;

    int fd_;
    std::string local_, remote_;
    std::vector<std::uint8_t> buffer_;
};

/// A port of the host's loopback that leads to a port of the guest, 10.0.2.15.
struct port_forward {
    bool udp = false;
    std::uint16_t host_port = 0;
    std::uint16_t guest_port = 0;
};

/// What a network in user mode is like: 10.0.2.0/24, gateway 10.0.2.2, name server 10.0.2.3, and
/// DHCP, which gives out 10.0.2.15. Needs no rights on the host.
struct user_net_options {
    std::vector<port_forward> forwards;
    bool restricted = false; ///< no way out to the host and its networks, but for forwards
};

/// A network in user mode (libslirp): the guest reaches what the process reaches, and the host's
/// loopback as 10.0.2.2.
class user_net : public host_net
{
public:
    /// False if the library was built without libslirp.
    static bool available();

    /// @throws std::runtime_error that says what to change, also if it is not available.
    explicit user_net(const user_net_options &options);
    ~user_net() override;

private:
    struct stack;

    int prepare(std::vector<pollfd> &wanted, bool accepting) override;
    void process(const std::vector<pollfd> &polled, bool accepting) override;
    bool send(const vmmio_net_header &header, const std::uint8_t *frame,
              std::uint32_t length) override;

    std::unique_ptr<stack> stack_;
};

} // namespace vmmio

#endif
