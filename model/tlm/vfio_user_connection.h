// SPDX-License-Identifier: Apache-2.0
/// @file vfio_user_connection.h
/// A UNIX stream socket that carries vfio-user messages and file descriptors. Nothing here
/// waits for the peer to say something.
#ifndef VMMIO_TLM_VFIO_USER_CONNECTION_H
#define VMMIO_TLM_VFIO_USER_CONNECTION_H

#include "vfio_user_protocol.h"

#include <array>
#include <cstring>
#include <string>
#include <sys/socket.h>
#include <utility>
#include <vector>

namespace vmmio::vfu
{

/// Owns a file descriptor; -1 = none.
class unique_fd
{
public:
    explicit unique_fd(int fd = -1) : fd_(fd) {}
    unique_fd(unique_fd &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    unique_fd &operator=(unique_fd &&other) noexcept;
    ~unique_fd();

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

private:
    int fd_;
};

/// The listening end; its socket file goes when it goes.
class listener
{
public:
    /// Takes the place of a socket file that nobody listens on any more.
    /// @throws std::runtime_error that says what to change.
    explicit listener(const std::string &path);
    ~listener();
    listener(const listener &) = delete;
    listener &operator=(const listener &) = delete;

    int fd() const { return socket_.get(); }

    /// The next client, or none: errno says why.
    unique_fd accept() const;

    /// Hangs up on the next client although the process has no descriptor left. As long as it
    /// waited, whoever polls the listener would be woken without an end.
    void turn_away();

private:
    std::string path_;
    unique_fd socket_;
    unique_fd spare_; ///< given up to turn a client away
};

/// One message as it came.
struct message {
    header head{};
    const std::uint8_t *payload = nullptr; ///< valid until the connection receives again
    std::size_t payload_size = 0;
    std::vector<unique_fd> fds;
    bool fds_lost = false; ///< there were more than max_message_fds

    /// Copies the fixed part of the payload. @return false if it is too short for that.
    template <typename T>
    bool get(T &value) const
    {
        if (payload_size < sizeof(T))
            return false;
        std::memcpy(&value, payload, sizeof(T));
        return true;
    }
};

/// The connected end.
class connection
{
public:
    enum class status {
        received,
        nothing, ///< no complete message has come yet
        closed,  ///< the peer has closed between two messages
        broken,  ///< the stream cannot be followed any further; error() says why
    };

    explicit connection(unique_fd socket) : socket_(std::move(socket)) {}

    int fd() const { return socket_.get(); }

    /// Takes the next message, at most one recvmsg(2) for one that was sent in one piece.
    status receive(message &out);

    /// Sends size bytes. A peer that does not read is waited for, a second at most.
    /// @return false if the connection is of no use any more.
    bool send(const void *data, std::size_t size);

    /// Why the stream is broken.
    const std::string &error() const { return error_; }

private:
    status read_more();
    void take_fds(msghdr &from);
    status give_up(std::string why);

    unique_fd socket_;
    std::string error_;
    std::array<std::uint8_t, max_message_size> buffer_;
    std::size_t filled_ = 0;   ///< bytes in buffer_
    std::size_t consumed_ = 0; ///< of which belong to the message given out last

    // Descriptors that have come belong to the message that holds byte fds_end_ - 1.
    std::vector<unique_fd> fds_;
    std::size_t fds_end_ = 0;
    bool fds_lost_ = false;
};

} // namespace vmmio::vfu
#endif
