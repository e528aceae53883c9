// SPDX-License-Identifier: Apache-2.0
/// @file vfio_user_client.h
/// A client for tests, written from the protocol's text and independent of the server: it puts
/// messages together byte by byte, so that it can send wrong ones as well.
#ifndef VMMIO_TB_VFIO_USER_CLIENT_H
#define VMMIO_TB_VFIO_USER_CLIENT_H

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <gtest/gtest.h>
#include <linux/vfio.h>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

namespace vmmio_test
{

enum : std::uint16_t {
    VERSION = 1,
    DMA_MAP = 2,
    DMA_UNMAP = 3,
    GET_INFO = 4,
    GET_REGION_INFO = 5,
    GET_REGION_IO_FDS = 6,
    GET_IRQ_INFO = 7,
    SET_IRQS = 8,
    REGION_READ = 9,
    REGION_WRITE = 10,
    DEVICE_RESET = 13,
};
enum : std::uint32_t { REPLY = 1, NO_REPLY = 0x10, ERROR = 0x20 };
constexpr std::size_t header_size = 16;
constexpr std::uint64_t page = 0x1000;
constexpr std::uint32_t connect_irq = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;

/// Bytes in host order, one field after the other.
class bytes
{
public:
    bytes &u8(std::uint8_t value) { return add(&value, 1); }
    bytes &u16(std::uint16_t value) { return add(&value, 2); }
    bytes &u32(std::uint32_t value) { return add(&value, 4); }
    bytes &u64(std::uint64_t value) { return add(&value, 8); }
    bytes &text(const std::string &value) { return add(value.c_str(), value.size() + 1); }
    bytes &raw(const std::vector<std::uint8_t> &value) { return add(value.data(), value.size()); }
    const std::vector<std::uint8_t> &get() const { return data_; }

private:
    bytes &add(const void *from, std::size_t count)
    {
        const auto *first = static_cast<const std::uint8_t *>(from);
        data_.insert(data_.end(), first, first + count);
        return *this;
    }
    std::vector<std::uint8_t> data_;
};

struct answer {
    std::uint16_t id;
    std::uint16_t command;
    std::uint32_t flags;
    std::uint32_t error;
    std::vector<std::uint8_t> payload;

    template <typename T>
    T at(std::size_t offset) const
    {
        T value{};
        if (offset + sizeof(T) <= payload.size())
            std::memcpy(&value, payload.data() + offset, sizeof(T));
        else
            ADD_FAILURE() << "the answer to command " << command << " is too short";
        return value;
    }
};

inline std::vector<std::uint8_t> message(std::uint16_t command, const bytes &payload,
                                         std::uint32_t flags = 0, std::uint16_t id = 1)
{
    const auto size = static_cast<std::uint32_t>(header_size + payload.get().size());
    return bytes().u16(id).u16(command).u32(size).u32(flags).u32(0).raw(payload.get()).get();
}

/// Guest memory that can be shared: a memfd.
class shared_memory
{
public:
    explicit shared_memory(std::size_t size)
        : size_(size), fd_(::memfd_create("guest", MFD_CLOEXEC))
    {
        EXPECT_EQ(::ftruncate(fd_, static_cast<off_t>(size)), 0);
        data_ = static_cast<std::uint8_t *>(
            ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0));
    }
    ~shared_memory()
    {
        ::munmap(data_, size_);
        ::close(fd_);
    }
    shared_memory(const shared_memory &) = delete;
    shared_memory &operator=(const shared_memory &) = delete;

    int fd() const { return fd_; }
    std::uint8_t *data() const { return data_; }

private:
    std::size_t size_;
    int fd_;
    std::uint8_t *data_;
};

class vfio_user_client
{
public:
    explicit vfio_user_client(const std::string &path)
        : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::copy(path.begin(), path.end(), address.sun_path);
        EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr *>(&address), sizeof(address)), 0);
    }
    ~vfio_user_client() { close(); }
    vfio_user_client(const vfio_user_client &) = delete;
    vfio_user_client &operator=(const vfio_user_client &) = delete;

    void close()
    {
        if (socket_ >= 0)
            ::close(socket_);
        socket_ = -1;
    }

    /// Closes when the server has looked at everything that was sent.
    void finish()
    {
        ::shutdown(socket_, SHUT_WR);
        EXPECT_TRUE(is_closed());
        close();
    }

    /// False if the server has closed.
    bool send(const std::vector<std::uint8_t> &data, const std::vector<int> &fds = {})
    {
        iovec part{const_cast<std::uint8_t *>(data.data()), data.size()};
        msghdr head{};
        head.msg_iov = &part;
        head.msg_iovlen = 1;
        std::vector<std::uint8_t> control(CMSG_SPACE(fds.size() * sizeof(int)));
        if (!fds.empty()) {
            head.msg_control = control.data();
            head.msg_controllen = control.size();
            cmsghdr *rights = CMSG_FIRSTHDR(&head);
            rights->cmsg_level = SOL_SOCKET;
            rights->cmsg_type = SCM_RIGHTS;
            rights->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
            std::memcpy(CMSG_DATA(rights), fds.data(), fds.size() * sizeof(int));
        }
        return ::sendmsg(socket_, &head, MSG_NOSIGNAL) == static_cast<ssize_t>(data.size());
    }

    /// The next answer, or none if the server has closed. Gives up after ten seconds.
    std::optional<answer> receive()
    {
        std::uint8_t head[header_size];
        if (!receive_exactly(head, sizeof(head)))
            return std::nullopt;
        answer got{};
        std::uint32_t size;
        std::memcpy(&got.id, head, 2);
        std::memcpy(&got.command, head + 2, 2);
        std::memcpy(&size, head + 4, 4);
        std::memcpy(&got.flags, head + 8, 4);
        std::memcpy(&got.error, head + 12, 4);
        EXPECT_GE(size, header_size);
        got.payload =
            std::vector<std::uint8_t>(std::max<std::size_t>(size, header_size) - header_size);
        if (!receive_exactly(got.payload.data(), got.payload.size()))
            return std::nullopt;
        return got;
    }

    /// Sends a command and expects an answer, right or wrong.
    answer ask(std::uint16_t command, const bytes &payload, const std::vector<int> &fds = {})
    {
        const std::uint16_t id = next_id_++;
        EXPECT_TRUE(send(message(command, payload, 0, id), fds));
        const std::optional<answer> got = receive();
        if (!got) {
            ADD_FAILURE() << "no answer to command " << command;
            return answer{};
        }
        EXPECT_EQ(got->id, id);
        EXPECT_EQ(got->command, command);
        EXPECT_EQ(got->flags & 0xf, REPLY);
        EXPECT_EQ((got->flags & ERROR) != 0, got->error != 0);
        EXPECT_TRUE(got->error == 0 || got->payload.empty()) << "an error reply is a header only";
        return *got;
    }

    /// Sends a command that is to be carried out.
    answer done(std::uint16_t command, const bytes &payload, const std::vector<int> &fds = {})
    {
        answer got = ask(command, payload, fds);
        EXPECT_EQ(got.error, 0u) << "command " << command << ": " << std::strerror(got.error);
        return got;
    }

    answer hello() { return done(VERSION, bytes().u16(0).u16(0)); }

    std::uint64_t read(std::uint64_t offset, std::uint32_t count,
                       std::uint32_t region = VFIO_PCI_BAR0_REGION_INDEX)
    {
        const answer got = done(REGION_READ, bytes().u64(offset).u32(region).u32(count));
        EXPECT_EQ(got.payload.size(), 16 + count);
        std::uint64_t value = 0;
        std::memcpy(&value, got.payload.data() + 16, std::min(count, 8u));
        return value;
    }

    void write(std::uint64_t offset, std::uint64_t value, std::uint32_t count,
               std::uint32_t region = VFIO_PCI_BAR0_REGION_INDEX)
    {
        bytes payload;
        payload.u64(offset).u32(region).u32(count).u64(value);
        std::vector<std::uint8_t> cut(payload.get().begin(), payload.get().begin() + 16 + count);
        done(REGION_WRITE, bytes().raw(cut));
    }

    std::uint64_t read_config(std::uint64_t offset, std::uint32_t count)
    {
        return read(offset, count, VFIO_PCI_CONFIG_REGION_INDEX);
    }
    void write_config(std::uint64_t offset, std::uint64_t value, std::uint32_t count)
    {
        write(offset, value, count, VFIO_PCI_CONFIG_REGION_INDEX);
    }

    static bytes map_request(std::uint64_t address, std::uint64_t size, std::uint64_t offset = 0,
                             std::uint32_t flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)
    {
        return bytes().u32(32).u32(flags).u64(offset).u64(address).u64(size);
    }
    static bytes unmap_request(std::uint64_t address, std::uint64_t size, std::uint32_t flags = 0)
    {
        return bytes().u32(24).u32(flags).u64(address).u64(size);
    }
    static bytes irq_request(std::uint32_t flags, std::uint32_t index = VFIO_PCI_INTX_IRQ_INDEX,
                             std::uint32_t start = 0, std::uint32_t count = 1)
    {
        return bytes().u32(20).u32(flags).u32(index).u32(start).u32(count);
    }

    void map(const shared_memory &memory, std::uint64_t address, std::uint64_t size,
             std::uint64_t offset = 0)
    {
        done(DMA_MAP, map_request(address, size, offset), {memory.fd()});
    }
    void set_irqs(std::uint32_t flags, const std::vector<int> &fds = {})
    {
        done(SET_IRQS, irq_request(flags), fds);
    }

    /// True if the server closes the connection, after any answers that are still to come.
    bool is_closed()
    {
        while (receive()) {
        }
        std::uint8_t byte;
        return ::recv(socket_, &byte, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET;
    }

private:
    bool receive_exactly(std::uint8_t *into, std::size_t count)
    {
        while (count > 0) {
            pollfd ready{socket_, POLLIN, 0};
            if (::poll(&ready, 1, 10'000) != 1) {
                ADD_FAILURE() << "the server does not answer";
                return false;
            }
            const ssize_t got = ::recv(socket_, into, count, 0);
            if (got <= 0)
                return false;
            into += got;
            count -= static_cast<std::size_t>(got);
        }
        return true;
    }

    int socket_;
    std::uint16_t next_id_ = 1;
};

/// What a client gets its interrupts through.
class interrupt_fd
{
public:
    interrupt_fd() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
    ~interrupt_fd() { ::close(fd_); }
    interrupt_fd(const interrupt_fd &) = delete;
    interrupt_fd &operator=(const interrupt_fd &) = delete;

    int fd() const { return fd_; }

    /// Triggers since the last look.
    std::uint64_t take() const
    {
        std::uint64_t count = 0;
        return ::read(fd_, &count, sizeof(count)) == sizeof(count) ? count : 0;
    }

    /// Waits for a trigger, two seconds at most.
    bool comes() const
    {
        pollfd ready{fd_, POLLIN, 0};
        return ::poll(&ready, 1, 2'000) == 1 && take() > 0;
    }

private:
    int fd_;
};

} // namespace vmmio_test
#endif
