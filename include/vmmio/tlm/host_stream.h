// SPDX-License-Identifier: Apache-2.0
/// @file host_stream.h
/// Ends of the host for the ports of vmmio::console_device: standard input and output, a
/// pseudo-terminal, a UNIX socket, and files.
///
/// Each has a host thread that reads and writes. 64 KiB wait in each direction: then the host is
/// not read until the driver has taken some, and the driver waits until the host has. While
/// somebody is at the host's end nothing is lost. While nobody is there, output waits, too, and
/// what does not fit is lost if the driver could not know that nobody is there: see console_device.
#ifndef VMMIO_TLM_HOST_STREAM_H
#define VMMIO_TLM_HOST_STREAM_H

#include "vmmio/dev/console.h"
#include "vmmio/tlm/host_wake.h"

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace vmmio
{

/// What the streams share: two descriptors, and the bytes that wait for them.
class host_stream : public host_thread
{
public:
    /// Bytes of output that were lost because nobody was there to take them.
    std::uint64_t lost() const { return lost_; }

    /// Somebody is at the host's end, or nobody needs to be.
    bool connected() const { return connected_; }

protected:
    /// @param returns whoever leaves may come again.
    explicit host_stream(bool returns);

    /// In the host thread, or before it starts: somebody is there. Descriptors of -1 are none; both
    /// may be the same. They stay with the derived class.
    void connect(int in, int out);

private:
    friend class console_device;

    /// In the host thread, while nobody is there: adds what to wait for.
    /// @return milliseconds to wait at most, -1 for ever
    virtual int await(std::vector<pollfd> &) { return -1; }
    /// In the host thread, while nobody is there: calls connect() if somebody came.
    virtual void attend() {}
    /// In the host thread: whoever was there is gone, or reads and writes no more.
    virtual void disconnected() {}

    // In the simulation.
    void attach(bool patient, std::function<void()> woken);
    std::uint32_t take(const std::uint8_t *data, std::uint32_t length);
    bool take_emergency(std::uint8_t character);
    void pump(vmmio_console &console, std::uint32_t port);

    // In the host thread.
    int want(std::vector<pollfd> &wanted) override;
    void serve(const std::vector<pollfd> &polled) override;
    void serve(const pollfd &polled);
    void conclude() override;
    bool read_some();
    void write_some();
    bool nobody_reads() const { return !connected_ || output_over_; }

    const bool returns_;
    bool patient_ = false; // the driver knows when nobody is there
    int in_ = -1, out_ = -1;
    bool input_over_ = false; // of the host thread
    std::atomic<bool> connected_{false}, output_over_{false};
    std::atomic<std::uint64_t> lost_{0};
    std::mutex mutex_; // guards what follows
    std::deque<std::uint8_t> inbox_, outbox_;
    bool refused_ = false; // the device waits for room in the outbox
};

/// Standard input and output of the process; one stream of a process. A terminal gives what is
/// typed at once and does not show it; Ctrl-C ends the program as ever. The end of the input is not
/// the end of the stream.
class stdio_stream : public host_stream
{
public:
    stdio_stream();
    ~stdio_stream() override;

private:
    struct terminal;
    std::unique_ptr<terminal> terminal_; ///< none if standard input is something else
};

/// Files of the host.
class file_stream : public host_stream
{
public:
    /// @param output made or emptied; a pipe or device as it is.
    /// @param input read once, to its end; "": there is no input.
    /// @throws std::runtime_error that says what to change.
    explicit file_stream(const std::string &output, const std::string &input = "");
    ~file_stream() override;

private:
    int output_, input_;
};

/// A pseudo-terminal in raw mode. Somebody is there while it is open.
class pty_stream : public host_stream
{
public:
    /// @param link symbolic link to make to it, which replaces another one; "": none.
    /// @throws std::runtime_error that says what to change.
    explicit pty_stream(const std::string &link = "");
    ~pty_stream() override;

    /// What to open, e.g. "/dev/pts/3".
    const std::string &path() const { return path_; }

private:
    int await(std::vector<pollfd> &wanted) override;
    void attend() override;

    std::string path_, link_;
    int master_;
};

/// A UNIX stream socket.
class socket_stream : public host_stream
{
public:
    enum class role {
        listen, ///< clients come and go, one at a time; the next one waits
        connect ///< calls whoever listens there, again and again until somebody does
    };

    /// @param path a socket file that nobody listens at any more is replaced by a new one.
    /// @throws std::runtime_error that says what to change.
    explicit socket_stream(const std::string &path, role which = role::listen);
    ~socket_stream() override;

private:
    int await(std::vector<pollfd> &wanted) override;
    void attend() override;
    void disconnected() override;

    struct sockets;

    std::string path_;
    std::unique_ptr<sockets> sockets_;
};

} // namespace vmmio

#endif
