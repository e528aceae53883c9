// SPDX-License-Identifier: Apache-2.0
#include "vmmio/tlm/host_net.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace vmmio
{

namespace
{

constexpr unsigned frames_at_once = 64;

sockaddr_un address_of(const std::string &path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof(address.sun_path))
        throw std::runtime_error("the path of a socket has 1 to 107 characters, unlike \"" + path +
                                 "\"");
    std::memcpy(address.sun_path, path.c_str(), path.size());
    return address;
}

const sockaddr *generic(const sockaddr_un &address)
{
    return reinterpret_cast<const sockaddr *>(&address);
}

// A socket file that nobody listens at is what an earlier process left behind.
void remove_left_over(int fd, const sockaddr_un &address)
{
    if (::connect(fd, generic(address), sizeof(address)) == 0) {
        sockaddr_un none{};
        none.sun_family = AF_UNSPEC;
        ::connect(fd, generic(none), sizeof(none));
    } else if (errno == ECONNREFUSED) {
        ::unlink(address.sun_path);
    }
}

int bind_at(const std::string &path)
{
    const sockaddr_un address = address_of(path);
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        remove_left_over(fd, address);
    if (fd < 0 || ::bind(fd, generic(address), sizeof(address)) != 0) {
        const std::string why = std::strerror(errno);
        if (fd >= 0)
            ::close(fd);
        throw std::runtime_error("cannot receive frames at \"" + path + "\": " + why);
    }
    return fd;
}

} // namespace

socket_net::socket_net(const std::string &local, const std::string &remote)
    : fd_(-1), local_(local), remote_(remote), buffer_(VMMIO_NET_FRAME_MAX + 1)
{
    address_of(remote);
    fd_ = bind_at(local);
}

socket_net::socket_net(int descriptor) : fd_(descriptor), buffer_(VMMIO_NET_FRAME_MAX + 1) {}

socket_net::~socket_net()
{
    stop();
    ::close(fd_);
    if (!local_.empty())
        ::unlink(local_.c_str());
}

int socket_net::prepare(std::vector<pollfd> &wanted, bool accepting)
{
    if (accepting)
        wanted.push_back({fd_, POLLIN, 0});
    return -1;
}

void socket_net::process(const std::vector<pollfd> &polled, bool)
{
    for (unsigned i = 0; !polled.empty() && i < frames_at_once; i++) {
        const ssize_t length = ::recv(fd_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
        if (length < 0)
            return;
        arrived({}, buffer_.data(), static_cast<std::size_t>(length));
    }
}

bool socket_net::send(const vmmio_net_header &, const std::uint8_t *frame, std::uint32_t length)
{
    ssize_t sent;
    if (remote_.empty()) {
        sent = ::send(fd_, frame, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    } else {
        const sockaddr_un address = address_of(remote_);
        sent = ::sendto(fd_, frame, length, MSG_DONTWAIT | MSG_NOSIGNAL, generic(address),
                        sizeof(address));
    }
    if (sent != static_cast<ssize_t>(length))
        count_lost();
    return sent == static_cast<ssize_t>(length);
}

} // namespace vmmio
