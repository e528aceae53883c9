// SPDX-License-Identifier: Apache-2.0
#include "vmmio/tlm/host_net.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdexcept>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

namespace vmmio
{

namespace
{

constexpr std::uint32_t offloads = VMMIO_NET_OFFLOAD_CSUM | VMMIO_NET_OFFLOAD_TSO4 |
                                   VMMIO_NET_OFFLOAD_TSO6 | VMMIO_NET_OFFLOAD_ECN;
constexpr unsigned tap_frames_at_once = 64;

[[noreturn]] void refuse(int fd, const std::string &interface, const char *what)
{
    const std::string why = std::strerror(errno);
    if (fd >= 0)
        ::close(fd);
    throw std::runtime_error("cannot use the TAP interface \"" + interface + "\": " + what + ": " +
                             why +
                             "; it needs CAP_NET_ADMIN, or an interface that was made for this "
                             "user (ip tuntap add mode tap user ...)");
}

int open_tap(const std::string &interface)
{
    ifreq request{};
    if (interface.empty() || interface.size() >= sizeof(request.ifr_name))
        throw std::runtime_error("the name of a TAP interface has 1 to 15 characters, unlike \"" +
                                 interface + "\"");
    const int fd = ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        refuse(fd, interface, "/dev/net/tun");
    std::memcpy(request.ifr_name, interface.c_str(), interface.size());
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    int header_bytes = VMMIO_NET_HEADER_BYTES, little_endian = 1;
    if (::ioctl(fd, TUNSETIFF, &request) != 0)
        refuse(fd, interface, "TUNSETIFF");
    if (::ioctl(fd, TUNSETVNETHDRSZ, &header_bytes) != 0 ||
        ::ioctl(fd, TUNSETVNETLE, &little_endian) != 0)
        refuse(fd, interface, "header of the frames");
    return fd;
}

} // namespace

tap_net::tap_net(const std::string &interface)
    : host_net(offloads, offloads), fd_(open_tap(interface)),
      buffer_(VMMIO_NET_HEADER_BYTES + VMMIO_NET_FRAME_MAX)
{
    welcome(0);
}

tap_net::~tap_net()
{
    stop();
    ::close(fd_);
}

int tap_net::prepare(std::vector<pollfd> &wanted, bool accepting)
{
    if (accepting)
        wanted.push_back({fd_, POLLIN, 0});
    return -1;
}

void tap_net::process(const std::vector<pollfd> &polled, bool)
{
    for (unsigned i = 0; !polled.empty() && i < tap_frames_at_once; i++) {
        const ssize_t length = ::read(fd_, buffer_.data(), buffer_.size());
        if (length < static_cast<ssize_t>(VMMIO_NET_HEADER_BYTES))
            return;
        arrived(vmmio_net_header_decode(buffer_.data()), buffer_.data() + VMMIO_NET_HEADER_BYTES,
                static_cast<std::size_t>(length) - VMMIO_NET_HEADER_BYTES);
    }
}

bool tap_net::send(const vmmio_net_header &header, const std::uint8_t *frame, std::uint32_t length)
{
    std::uint8_t bytes[VMMIO_NET_HEADER_BYTES];
    vmmio_net_header_encode(&header, 0, bytes);
    const iovec parts[2] = {{bytes, sizeof(bytes)}, {const_cast<std::uint8_t *>(frame), length}};
    const bool sent = ::writev(fd_, parts, 2) == static_cast<ssize_t>(sizeof(bytes) + length);
    if (!sent)
        count_lost();
    return sent;
}

// The kernel finishes what is not named here.
void tap_net::welcome(std::uint32_t wanted)
{
    unsigned flags = 0;
    if (wanted & VMMIO_NET_OFFLOAD_CSUM)
        flags |= TUN_F_CSUM;
    if (flags && wanted & VMMIO_NET_OFFLOAD_TSO4)
        flags |= TUN_F_TSO4;
    if (flags && wanted & VMMIO_NET_OFFLOAD_TSO6)
        flags |= TUN_F_TSO6;
    if (flags & (TUN_F_TSO4 | TUN_F_TSO6) && wanted & VMMIO_NET_OFFLOAD_ECN)
        flags |= TUN_F_TSO_ECN;
    if (::ioctl(fd_, TUNSETOFFLOAD, flags) != 0)
        ::ioctl(fd_, TUNSETOFFLOAD, 0); // the device finishes it then
}

} // namespace vmmio
