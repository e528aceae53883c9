// SPDX-License-Identifier: Apache-2.0
/// @file vfio_user_server.h
/// The server's side of the protocol: from messages to accesses, interrupts and guest memory.
/// It knows nothing of SystemC and never waits for the client.
#ifndef VMMIO_TLM_VFIO_USER_SERVER_H
#define VMMIO_TLM_VFIO_USER_SERVER_H

#include "vfio_user_connection.h"
#include "vfio_user_memory.h"
#include "vfio_user_pci.h"
#include "vmmio/tlm/vfio_user.h"

#include <array>
#include <cstring>
#include <optional>
#include <string>

namespace vmmio::vfu
{

/// What the server needs from the device's side.
class backend
{
public:
    virtual ~backend() = default;

    /// An access to BAR0; size is 1, 2, 4 or 8 and the span lies in the BAR.
    /// @return false if the device answered with an error.
    virtual bool read(std::uint64_t offset, std::uint8_t *data, unsigned size) = 0;
    virtual bool write(std::uint64_t offset, const std::uint8_t *data, unsigned size) = 0;

    /// Guest memory from start to last goes when this returns.
    virtual void memory_goes(std::uint64_t start, std::uint64_t last) = 0;

    virtual void reset(vfio_user::reset_cause cause) = 0;

    /// Something that the user should know; one sentence.
    virtual void warn(const std::string &text) = 0;
};

/// A reply under construction: a header, filled in last, and a payload.
class reply
{
public:
    void clear() { size_ = sizeof(header); }

    /// Room for count more bytes; what is there already stays below max_message_size.
    std::uint8_t *extend(std::size_t count);

    template <typename T>
    void append(const T &value)
    {
        std::memcpy(extend(sizeof(T)), &value, sizeof(T));
    }

    /// The whole message, as an answer to a command; an error goes without payload.
    std::size_t finish(const header &command, int error);
    const std::uint8_t *data() const { return bytes_.data(); }

private:
    std::array<std::uint8_t, max_message_size> bytes_;
    std::size_t size_ = sizeof(header);
};

/// Serves one client at a time.
class server
{
public:
    /// @throws std::runtime_error that says what to change in config.
    server(const vfio_user_config &config, backend &devices);

    /// Takes one step, if there is one to take: a client that connects, a message, or a client
    /// that goes.
    /// @return false if nothing has come.
    bool step();

    /// Lets go of the client, if any: its memory, its descriptors and its connection.
    void disconnect();

    /// Readable when step() has something to do. Changes with each step.
    int fd() const { return connection_ ? connection_->fd() : listener_.fd(); }

    bool connected() const { return connection_.has_value(); }

    void set_interrupt(bool high);

    const guest_memory &memory() const { return memory_; }
    std::uint64_t bar0_address() const { return bar0_address_; }
    const vfio_user_counters &counters() const { return counters_; }

private:
    void take_client();
    void serve();

    // Each carries request_ out, puts the payload of the answer into reply_, and returns 0 or
    // an errno.
    int carry_out();
    int negotiate();
    int map_memory();
    int unmap_memory();
    int describe_device();
    int describe_region();
    int describe_irq();
    int set_irqs();
    int read_region();
    int write_region();
    int reset_device();

    int check_access(region_access &access);
    void config_written();
    std::uint64_t region_size(std::uint32_t index) const; ///< 0 = no such region
    unsigned irq_count(std::uint32_t index) const;

    /// Lets the user know why request_ is refused; returns error.
    int refuse(int error, const std::string &why);
    void complain(const std::string &text);

    vfio_user_config config_;
    backend &devices_;
    listener listener_;
    std::optional<connection> connection_;
    message request_;
    reply reply_;
    bool negotiated_ = false;
    bool hopeless_ = false;   ///< the client cannot be served: to be dropped after the reply
    unsigned complaints_ = 0; ///< of this connection

    vfio_user_counters counters_;
    guest_memory memory_;
    pci_function pci_;
    interrupt_line interrupt_;
    std::uint64_t bar0_address_ = 0;
};

} // namespace vmmio::vfu
#endif
