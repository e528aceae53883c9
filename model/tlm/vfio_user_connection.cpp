// SPDX-License-Identifier: Apache-2.0
#include "vfio_user_connection.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <stdexcept>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace vmmio::vfu
{

namespace
{

constexpr int send_timeout_ms = 1000;

sockaddr_un address_of(const std::string &path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(path.begin(), path.end(), address.sun_path);
    return address;
}

bool somebody_listens(const sockaddr_un &address)
{
    const unique_fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto *name = reinterpret_cast<const sockaddr *>(&address);
    return ::connect(probe.get(), name, sizeof(address)) == 0 || errno == EAGAIN;
}

void make_room(const std::string &path, const sockaddr_un &address)
{
    struct stat found {
    };
    if (::lstat(path.c_str(), &found) != 0)
        return;
    if (!S_ISSOCK(found.st_mode))
        throw std::runtime_error("\"" + path +
                                 "\" exists and is not a socket: remove it, or "
                                 "choose another socket path");
    if (somebody_listens(address))
        throw std::runtime_error("another process listens on \"" + path +
                                 "\": end it, or "
                                 "choose another socket path");
    ::unlink(path.c_str());
}

unique_fd any_descriptor() { return unique_fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

} // namespace

unique_fd &unique_fd::operator=(unique_fd &&other) noexcept
{
    std::swap(fd_, other.fd_);
    return *this;
}

unique_fd::~unique_fd()
{
    if (fd_ >= 0)
        ::close(fd_);
}

listener::listener(const std::string &path) : path_(path), spare_(any_descriptor())
{
    if (path.empty())
        throw std::runtime_error("the socket path is empty: set socket_path");
    if (path.size() >= sizeof(sockaddr_un::sun_path))
        throw std::runtime_error("the socket path \"" + path + "\" is longer than " +
                                 std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
                                 " bytes: choose a shorter one");
    const sockaddr_un address = address_of(path);
    make_room(path, address);
    unique_fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto *name = reinterpret_cast<const sockaddr *>(&address);
    if (::bind(socket.get(), name, sizeof(address)) != 0)
        throw std::runtime_error("cannot listen on \"" + path + "\" (" + std::strerror(errno) +
                                 "): choose a socket path in a directory that exists and is "
                                 "writable");
    socket_ = std::move(socket);
    if (::listen(socket_.get(), 1) != 0)
        throw std::runtime_error("cannot listen on \"" + path + "\": " + std::strerror(errno));
}

listener::~listener()
{
    if (socket_)
        ::unlink(path_.c_str());
}

unique_fd listener::accept() const
{
    return unique_fd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

void listener::turn_away()
{
    spare_ = unique_fd();
    accept();
    spare_ = any_descriptor();
}

connection::status connection::receive(message &out)
{
    std::copy(buffer_.begin() + consumed_, buffer_.begin() + filled_, buffer_.begin());
    filled_ -= consumed_;
    fds_end_ -= std::min(fds_end_, consumed_);
    consumed_ = 0;

    for (;;) {
        if (filled_ >= sizeof(header)) {
            std::memcpy(&out.head, buffer_.data(), sizeof(header));
            const std::size_t size = out.head.size;
            if (size < sizeof(header) || size > max_message_size)
                return give_up("a message header claims " + std::to_string(size) + " bytes; " +
                               std::to_string(sizeof(header)) + " to " +
                               std::to_string(max_message_size) + " are possible");
            if (filled_ >= size) {
                consumed_ = size;
                out.payload = buffer_.data() + sizeof(header);
                out.payload_size = size - sizeof(header);
                out.fds.clear();
                out.fds_lost = false;
                if (fds_end_ <= size) {
                    out.fds.swap(fds_);
                    std::swap(out.fds_lost, fds_lost_);
                }
                return status::received;
            }
        }
        const status more = read_more();
        if (more != status::received)
            return more;
    }
}

connection::status connection::read_more()
{
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * max_message_fds)];
    iovec bytes{buffer_.data() + filled_, buffer_.size() - filled_};
    msghdr into{};
    into.msg_iov = &bytes;
    into.msg_iovlen = 1;
    into.msg_control = control;
    into.msg_controllen = sizeof(control);

    ssize_t count;
    do
        count = ::recvmsg(socket_.get(), &into, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (count < 0 && errno == EINTR);

    if (count > 0) {
        filled_ += static_cast<std::size_t>(count);
        take_fds(into);
        return status::received;
    }
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return status::nothing;
    if (count < 0 && errno != ECONNRESET)
        return give_up(std::string("the socket failed: ") + std::strerror(errno));
    if (filled_ > 0)
        return give_up("the peer closed the connection inside a message");
    return status::closed;
}

void connection::take_fds(msghdr &from)
{
    for (cmsghdr *part = CMSG_FIRSTHDR(&from); part; part = CMSG_NXTHDR(&from, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd;
            std::memcpy(&fd, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
            unique_fd owned(fd);
            if (fds_.size() < max_message_fds)
                fds_.push_back(std::move(owned));
            else
                fds_lost_ = true;
        }
        fds_end_ = filled_;
    }
    if (from.msg_flags & MSG_CTRUNC) {
        fds_lost_ = true;
        fds_end_ = filled_;
    }
}

bool connection::send(const void *data, std::size_t size)
{
    const auto *next = static_cast<const std::uint8_t *>(data);
    while (size > 0) {
        const ssize_t sent = ::send(socket_.get(), next, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            next += sent;
            size -= static_cast<std::size_t>(sent);
            continue;
        }
        if (sent < 0 && errno == EINTR)
            continue;
        pollfd room{socket_.get(), POLLOUT, 0};
        if (sent < 0 && errno == EAGAIN && ::poll(&room, 1, send_timeout_ms) > 0)
            continue;
        give_up("the peer does not take replies");
        return false;
    }
    return true;
}

connection::status connection::give_up(std::string why)
{
    error_ = std::move(why);
    return status::broken;
}

} // namespace vmmio::vfu
