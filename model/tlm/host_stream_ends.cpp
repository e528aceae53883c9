// SPDX-License-Identifier: Apache-2.0
// The host's ends of streams: what they are, how they are opened, and when somebody is there.
#include "vmmio/tlm/host_stream.h"

#include "vfio_user_connection.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>
#include <utility>

namespace vmmio
{

namespace
{

constexpr int call_again_ms = 50; // to a pty or a listener that nobody has opened

[[noreturn]] void refuse(const std::string &what)
{
    throw std::runtime_error(what + ": " + std::strerror(errno));
}

int open_file(const std::string &path, int flags)
{
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, 0666);
    if (fd < 0)
        refuse("cannot use \"" + path + "\" for a console");
    return fd;
}

} // namespace

struct stdio_stream::terminal {
    termios before;
};

stdio_stream::stdio_stream() : host_stream(false)
{
    termios is{};
    if (::tcgetattr(STDIN_FILENO, &is) == 0) {
        terminal_ = std::make_unique<terminal>(terminal{is});
        is.c_lflag &= static_cast<tcflag_t>(~(ICANON | ECHO));
        is.c_iflag &= static_cast<tcflag_t>(~ICRNL);
        ::tcsetattr(STDIN_FILENO, TCSADRAIN, &is);
    }
    connect(STDIN_FILENO, STDOUT_FILENO);
}

stdio_stream::~stdio_stream()
{
    stop();
    if (terminal_)
        ::tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal_->before);
}

file_stream::file_stream(const std::string &output, const std::string &input)
    : host_stream(false), output_(open_file(output, O_WRONLY | O_CREAT | O_TRUNC)), input_(-1)
{
    try {
        if (!input.empty())
            input_ = open_file(input, O_RDONLY);
    } catch (...) {
        ::close(output_);
        throw;
    }
    connect(input_, output_);
}

file_stream::~file_stream()
{
    stop();
    ::close(output_);
    if (input_ >= 0)
        ::close(input_);
}

namespace
{

int open_pty(std::string &path)
{
    const int master = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    char name[64];
    if (master < 0)
        refuse("the host has no pseudo-terminal");
    int slave = -1;
    if (::grantpt(master) == 0 && ::unlockpt(master) == 0 &&
        ::ptsname_r(master, name, sizeof(name)) == 0)
        slave = ::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    termios is{};
    if (slave < 0 || ::tcgetattr(slave, &is) != 0) {
        const int why = errno;
        ::close(master);
        errno = why;
        refuse("the host has a pseudo-terminal that cannot be opened");
    }
    ::cfmakeraw(&is);
    ::tcsetattr(slave, TCSANOW, &is);
    ::close(slave); // from now on the master tells that nobody is there
    path = name;
    return master;
}

void make_link(const std::string &to, const std::string &link)
{
    struct stat is {
    };
    if (::lstat(link.c_str(), &is) == 0 && S_ISLNK(is.st_mode))
        ::unlink(link.c_str());
    if (::symlink(to.c_str(), link.c_str()) != 0)
        refuse("cannot make the link \"" + link + "\" to a pseudo-terminal");
}

} // namespace

pty_stream::pty_stream(const std::string &link) : host_stream(true), master_(open_pty(path_))
{
    try {
        if (!link.empty())
            make_link(path_, link);
    } catch (...) {
        ::close(master_);
        throw;
    }
    link_ = link;
}

pty_stream::~pty_stream()
{
    stop();
    ::close(master_);
    if (!link_.empty())
        ::unlink(link_.c_str());
}

// A master without anybody at the other end is broken all the time: there is nothing to wait for.
int pty_stream::await(std::vector<pollfd> &) { return call_again_ms; }

void pty_stream::attend()
{
    pollfd master{master_, POLLIN, 0};
    if (::poll(&master, 1, 0) >= 0 && !(master.revents & (POLLHUP | POLLERR)))
        connect(master_, master_);
}

struct socket_stream::sockets {
    std::unique_ptr<vfu::listener> listener; ///< none: it calls
    vfu::unique_fd peer;
    bool exhausted = false; ///< the host had no descriptor for a client that waits
};

socket_stream::socket_stream(const std::string &path, role which)
    : host_stream(true), path_(path), sockets_(std::make_unique<sockets>())
{
    if (which == role::listen)
        sockets_->listener = std::make_unique<vfu::listener>(path);
    else if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path))
        throw std::runtime_error("the path of a socket has 1 to 107 characters, unlike \"" + path +
                                 "\"");
}

socket_stream::~socket_stream() { stop(); }

int socket_stream::await(std::vector<pollfd> &wanted)
{
    if (!sockets_->listener || std::exchange(sockets_->exhausted, false))
        return call_again_ms;
    wanted.push_back({sockets_->listener->fd(), POLLIN, 0});
    return -1;
}

namespace
{

vfu::unique_fd call(const std::string &path)
{
    vfu::unique_fd caller(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size());
    const auto *name = reinterpret_cast<const sockaddr *>(&address);
    return ::connect(caller.get(), name, sizeof(address)) == 0 ? std::move(caller)
                                                               : vfu::unique_fd();
}

} // namespace

void socket_stream::attend()
{
    sockets_->peer = sockets_->listener ? sockets_->listener->accept() : call(path_);
    if (sockets_->peer)
        connect(sockets_->peer.get(), sockets_->peer.get());
    else
        sockets_->exhausted = errno != EAGAIN;
}

void socket_stream::disconnected() { sockets_->peer = vfu::unique_fd(); }

} // namespace vmmio
