// SPDX-License-Identifier: Apache-2.0
// The network device behind TLM sockets, with back ends of the test and networks of the host.
#include "vmmio/tlm/net_device.h"
#include "net_rig.h"
#include "platform.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <map>
#include <net/if.h>
#include <netinet/in.h>
#include <numeric>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace vmmio::tb
{

namespace
{

const bytes guest_mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
constexpr std::uint32_t guest_ip = 0x0a00020f, gateway_ip = 0x0a000202;

/// The driver's end of such a device: the first queue pair.
class driven_nic
{
public:
    explicit driven_nic(surroundings &platform) : p(platform) {}

    void go_live(std::initializer_list<unsigned> without = {})
    {
        vmmio_features features = p.guest.offered();
        for (const unsigned bit : without)
            vmmio_features_remove(&features, bit);
        vmmio_features_remove(&features, VMMIO_F_NOTIFICATION_DATA);
        vmmio_features_remove(&features, VMMIO_F_EVENT_IDX);
        p.go_live(features, 3, 64);
        for (unsigned i = 0; i < 32; i++)
            post(p.writable(2048));
        out = p.readable(70000);
        p.cpu.write(VMMIO_REG_QUEUE_NOTIFY, 0);
    }

    /// Sends a frame and waits until it has left.
    void send(const bytes &frame, const wire_header &header = {})
    {
        const bytes all = header.encoded() + frame;
        p.memory.set_bytes(out.address, all);
        p.offer({{out.address, static_cast<std::uint32_t>(all.size()), false}}, 1);
        for (unsigned i = 0; i < 1000; i++) {
            if (p.queues[1]->reap())
                return;
            p.cpu.sync(ns(1000));
        }
        ADD_FAILURE() << "a frame did not leave";
    }

    /// The next frame for which the test is true; others are passed over. The host has 20 s.
    template <typename Test>
    bytes await(Test test)
    {
        for (unsigned idle = 0; idle < 20000; idle++) {
            while (const auto used = p.queues[0]->reap()) {
                const piece buffer = posted.at(static_cast<std::uint16_t>(used->id));
                const bytes all = p.memory.bytes(buffer.address, used->length);
                post(buffer);
                p.cpu.write(VMMIO_REG_QUEUE_NOTIFY, 0);
                EXPECT_GE(all.size(), 26u);
                last = wire_header::decode(all);
                const bytes frame(all.begin() + 12, all.end());
                if (test(frame))
                    return frame;
            }
            p.cpu.sync(ns(1000));
            ::usleep(1000);
        }
        ADD_FAILURE() << "the frame did not come";
        return bytes(64, 0);
    }
    bytes await()
    {
        return await([](const bytes &) { return true; });
    }

    wire_header last;

private:
    void post(const piece &buffer)
    {
        virtqueue &rx = *p.queues[0];
        const std::uint16_t head = rx.add({buffer});
        posted[head] = buffer;
        rx.offer(head);
    }

    surroundings &p;
    std::map<std::uint16_t, piece> posted;
    piece out{};
};

std::uint32_t get16(const bytes &frame, std::size_t at) { return frame[at] << 8 | frame[at + 1]; }

std::uint32_t get32(const bytes &frame, std::size_t at)
{
    return get16(frame, at) << 16 | get16(frame, at + 2);
}

bytes ethernet(const bytes &to, std::uint32_t type) { return to + guest_mac + be16(type); }

/// An IPv4 packet of the guest to the gateway; the payload includes the transport header.
bytes packet(const bytes &gateway_mac, std::uint8_t protocol, const bytes &payload)
{
    bytes ip = bytes{0x45, 0} + be16(static_cast<std::uint32_t>(20 + payload.size())) +
               bytes{0, 1, 0x40, 0, 64, protocol, 0, 0} + be32(guest_ip) + be32(gateway_ip);
    const bytes sum = be16(internet_checksum(ip));
    std::copy(sum.begin(), sum.end(), ip.begin() + 10);
    return ethernet(gateway_mac, 0x0800) + ip + payload;
}

bool is_ip(const bytes &frame, std::uint8_t protocol)
{
    return frame.size() >= 34 && get16(frame, 12) == 0x0800 && frame[23] == protocol;
}

/// Sums of transport header and payload as the receiver checks them: 0 if they are right.
unsigned transport_fault(const bytes &frame)
{
    const std::uint32_t length = get16(frame, 16) - 20;
    const bytes pseudo =
        bytes(frame.begin() + 26, frame.begin() + 34) + bytes{0, frame[23]} + be16(length);
    return internet_checksum(pseudo + bytes(frame.begin() + 34, frame.begin() + 34 + long(length)));
}

/// Asks the gateway for its address.
bytes resolve_gateway(driven_nic &nic)
{
    nic.send(ethernet(bytes(6, 0xff), 0x0806) + bytes{0, 1, 8, 0, 6, 4, 0, 1} + guest_mac +
             be32(guest_ip) + bytes(6, 0) + be32(gateway_ip));
    const bytes answer = nic.await([](const bytes &frame) {
        return frame.size() >= 42 && get16(frame, 12) == 0x0806 && get16(frame, 20) == 2;
    });
    EXPECT_EQ(get32(answer, 28), gateway_ip);
    return bytes(answer.begin() + 22, answer.begin() + 28);
}

/// A socket of the host's loopback, and its port.
struct loopback_socket {
    explicit loopback_socket(int type) : fd(::socket(AF_INET, type | SOCK_CLOEXEC, 0))
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr *>(&address), sizeof(address)), 0);
        socklen_t length = sizeof(address);
        EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr *>(&address), &length), 0);
        port = ntohs(address.sin_port);
        const timeval patience{30, 0};
        ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    }
    ~loopback_socket() { ::close(fd); }
    int fd;
    std::uint16_t port = 0;
};

std::uint64_t fingerprint(std::uint64_t sum, const std::uint8_t *data, std::size_t length)
{
    for (std::size_t i = 0; i < length; i++)
        sum = (sum ^ data[i]) * 0x100000001b3;
    return sum;
}

constexpr std::uint64_t no_bytes = 0xcbf29ce484222325;

/// Just enough TCP for a host that loses nothing: in order, or not at all.
class tcp_client
{
public:
    tcp_client(driven_nic &nic, const bytes &gateway_mac, std::uint16_t port)
        : nic_(nic), mac_(gateway_mac), port_(port)
    {
    }

    void connect()
    {
        send(0x02);
        const bytes answer = await();
        EXPECT_EQ(answer[47] & 0x12, 0x12) << "SYN, ACK";
        sequence_++;
        acknowledged_ = get32(answer, 38) + 1;
        send(0x10);
    }

    /// Takes what comes until the other side ends.
    void receive()
    {
        for (bool more = true; more && !::testing::Test::HasFailure();) {
            const bytes frame = await();
            const std::size_t header = 34 + 4u * (frame[46] >> 4), end = 14 + get16(frame, 16);
            if (get32(frame, 38) == acknowledged_) {
                received += end - header;
                sum = fingerprint(sum, frame.data() + header, end - header);
                acknowledged_ += static_cast<std::uint32_t>(end - header) + (frame[47] & 1);
                more = !(frame[47] & 1);
            }
            send(0x10);
        }
    }

    /// Sends it in frames of up to 8 KiB that the device cuts.
    void transmit(const bytes &data)
    {
        for (std::size_t at = 0; at < data.size() && !::testing::Test::HasFailure();) {
            const std::size_t length = std::min<std::size_t>(data.size() - at, 8192);
            send(0x18, {data.begin() + long(at), data.begin() + long(at + length)});
            sequence_ += static_cast<std::uint32_t>(length);
            at += length;
            while (get32(await(), 42) != sequence_ && !::testing::Test::HasFailure()) {
            }
        }
        send(0x11);
        sequence_++;
    }

    std::uint64_t received = 0, sum = no_bytes;

private:
    bytes await()
    {
        const bytes frame = nic_.await([this](const bytes &f) {
            return is_ip(f, 6) && get16(f, 34) == port_ && get16(f, 36) == 4000;
        });
        EXPECT_EQ(transport_fault(frame), 0u);
        EXPECT_EQ(frame[47] & 4, 0) << "the connection was reset";
        return frame;
    }

    void send(std::uint8_t flags, const bytes &data = {})
    {
        const bytes addresses = be32(guest_ip) + be32(gateway_ip);
        const auto length = static_cast<std::uint32_t>(20 + data.size());
        const bytes pseudo = addresses + bytes{0, 6} + be16(length);
        /* The device completes checksum and segments. */
        const std::uint16_t partial = static_cast<std::uint16_t>(~internet_checksum(pseudo));
        const bytes tcp = be16(4000) + be16(port_) + be32(sequence_) + be32(acknowledged_) +
                          bytes{0x50, flags} + be16(0xffff) + be16(partial) + be16(0);
        wire_header header;
        header.flags = 1;
        header.csum_start = 34;
        header.csum_offset = 16;
        if (data.size() > 1460) {
            header.gso_type = 1;
            header.gso_size = 1460;
            header.hdr_len = 54;
        }
        nic_.send(packet(mac_, 6, tcp + data), header);
    }

    driven_nic &nic_;
    bytes mac_;
    std::uint16_t port_;
    std::uint32_t sequence_ = 0x1000, acknowledged_ = 0;
};

} // namespace

SC_TEST(NetDevice, FramesGoAndComeByABackEndOfTheTest)
{
    ROWS("NET-01", "NET-12", "NET-27");
    std::vector<bytes> sent;
    vmmio_net_config config{};
    config.backend.context = &sent;
    config.backend.send = [](void *self, const vmmio_net_header *, const std::uint8_t *frame,
                             std::uint32_t length) {
        static_cast<std::vector<bytes> *>(self)->emplace_back(frame, frame + length);
        return true;
    };
    platform<net_device> p(config);
    driven_nic nic(p);
    p.run([&] {
        EXPECT_EQ(p.cpu.read(VMMIO_REG_DEVICE_ID), 1u);
        nic.go_live();
        nic.send(plain_frame(100));
        ASSERT_EQ(sent.size(), 1u);
        EXPECT_EQ(sent[0], plain_frame(100));
        const bytes frame = plain_frame(4000);
        EXPECT_TRUE(p.dut.receive(nullptr, frame.data(), 1500));
        p.cpu.sync(ns(1000));
        EXPECT_EQ(nic.await(), bytes(frame.begin(), frame.begin() + 1500));
        EXPECT_TRUE(p.irq.read());
        p.guest.acknowledge(3);

        p.dut.set_link(false);
        EXPECT_EQ(p.cpu.read(0x106, 2), 0u);
        EXPECT_EQ(p.guest.interrupts(), 2u);
        p.dut.set_link(true);
        EXPECT_TRUE(p.dut.announce());
        EXPECT_EQ(p.cpu.read(0x106, 2), 3u);
        EXPECT_EQ(p.dut.state().sent, 1u);
    });
}

SC_TEST(NetDevice, MistakesOfThePlatformAreReported)
{
    vmmio_net_config config{};
    config.mac[0] = 1;
    config.backend.send = [](void *, const vmmio_net_header *, const std::uint8_t *,
                             std::uint32_t) { return true; };
    EXPECT_THROW(net_device("nic", config), sc_core::sc_report);
    EXPECT_THROW(tap_net("much-too-long-a-name"), std::runtime_error);
    EXPECT_THROW(socket_net("", "/tmp/x"), std::runtime_error);
    EXPECT_THROW(socket_net("/nowhere/at/all", "/tmp/x"), std::runtime_error);
}

SC_TEST(NetDevice, DatagramSocketPair)
{
    ROWS("NET-27");
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
    socket_net net(ends[0]);
    platform<net_device> p(net);
    driven_nic nic(p);
    p.run([&] {
        nic.go_live();
        nic.send(plain_frame(60));
        bytes got(2000);
        got.resize(static_cast<std::size_t>(::recv(ends[1], got.data(), got.size(), 0)));
        EXPECT_EQ(got, plain_frame(60));
        for (std::uint32_t length = 100; length < 200; length++)
            EXPECT_EQ(::send(ends[1], plain_frame(length).data(), length, 0), long(length));
        for (std::uint32_t length = 100; length < 200; length++)
            EXPECT_EQ(nic.await(), plain_frame(length));
        EXPECT_EQ(net.lost(), 0u);
        ::close(ends[1]);
        nic.send(plain_frame(60));
        EXPECT_EQ(net.lost(), 1u) << "nobody is there any more";
    });
}

SC_TEST(NetDevice, DatagramSocketFiles)
{
    const std::string base = "/tmp/vmmio-net-" + std::to_string(::getpid());
    const std::string here = base + "-a", there = base + "-b";
    {
        socket_net left_over(here, there);
        EXPECT_THROW(socket_net(here, there), std::runtime_error) << "somebody is there";
    }
    const int peer = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::snprintf(address.sun_path, sizeof(address.sun_path), "%s", here.c_str());
    /* What a process that was killed leaves behind. */
    ASSERT_EQ(::bind(peer, reinterpret_cast<sockaddr *>(&address), sizeof(address)), 0);
    ::close(peer);
    socket_net a(here, there), b(there, here);
    sc_core::sc_signal<bool> irq{"irq_b"};
    platform<net_device> p(a);
    driven_nic nic(p);
    p.run([&] {
        nic.go_live();
        nic.send(plain_frame(60));
        EXPECT_EQ(a.lost(), 0u);
        const int sender = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(::sendto(sender, plain_frame(99).data(), 99, 0,
                           reinterpret_cast<sockaddr *>(&address), sizeof(address)),
                  99);
        EXPECT_EQ(nic.await(), plain_frame(99));
        ::close(sender);
    });
}

SC_TEST(NetDevice, AHostThatIsNotReadLosesNothing)
{
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
    socket_net net(ends[0]);
    platform<net_device> p(net);
    driven_nic nic(p);
    constexpr std::uint32_t frames = 1500; // more than buffers, backlog and queue hold together
    p.run([&] {
        nic.go_live();
        std::thread peer([&] { // blocks while the socket is full
            for (std::uint32_t i = 0; i < frames; i++) {
                const bytes frame = plain_frame(60 + i % 1000);
                ::send(ends[1], frame.data(), frame.size(), 0);
            }
        });
        for (unsigned i = 0; i < 100; i++) { // the driver does not look
            p.cpu.sync(ns(1000));
            ::usleep(1000);
        }
        EXPECT_LE(p.dut.state().received, 32u);
        for (std::uint32_t i = 0; i < frames && !::testing::Test::HasFailure(); i++)
            EXPECT_EQ(nic.await(), plain_frame(60 + i % 1000)) << i;
        peer.join();
        EXPECT_EQ(net.lost(), 0u);
        EXPECT_EQ(p.dut.state().dropped, 0u);
    });
    ::close(ends[1]);
}

SC_TEST(UserNet, ArpPingAndDatagrams)
{
    if (!user_net::available())
        GTEST_SKIP() << "built without libslirp";
    loopback_socket server(SOCK_DGRAM);
    user_net net({});
    platform<net_device> p(net);
    driven_nic nic(p);
    p.run([&] {
        nic.go_live();
        const bytes gateway = resolve_gateway(nic);

        bytes echo = bytes{8, 0, 0, 0} + be16(77) + be16(1) + noise(56);
        const bytes sum = be16(internet_checksum(echo));
        std::copy(sum.begin(), sum.end(), echo.begin() + 2);
        nic.send(packet(gateway, 1, echo));
        const bytes pong = nic.await([](const bytes &f) { return is_ip(f, 1); });
        EXPECT_EQ(pong[34], 0u) << "echo reply";
        EXPECT_EQ(bytes(pong.begin() + 42, pong.begin() + 98), noise(56));

        const bytes data = noise(300);
        nic.send(packet(gateway, 17, be16(4000) + be16(server.port) + be16(308) + be16(0) + data));
        bytes got(1000);
        sockaddr_in from{};
        socklen_t from_length = sizeof(from);
        got.resize(static_cast<std::size_t>(
            std::max<ssize_t>(0, ::recvfrom(server.fd, got.data(), got.size(), 0,
                                            reinterpret_cast<sockaddr *>(&from), &from_length))));
        EXPECT_EQ(got, data);
        EXPECT_EQ(::sendto(server.fd, data.data(), 200, 0, reinterpret_cast<sockaddr *>(&from),
                           from_length),
                  200);
        const bytes answer = nic.await([](const bytes &f) { return is_ip(f, 17); });
        EXPECT_EQ(get16(answer, 34), server.port);
        EXPECT_EQ(get16(answer, 36), 4000u);
        EXPECT_EQ(bytes(answer.begin() + 42, answer.begin() + 242),
                  bytes(data.begin(), data.begin() + 200));
    });
}

SC_TEST(UserNet, AMegabyteOfTcpFromTheHost)
{
    if (!user_net::available())
        GTEST_SKIP() << "built without libslirp";
    const bytes data = noise(1 << 20);
    loopback_socket server(SOCK_STREAM);
    ASSERT_EQ(::listen(server.fd, 1), 0);
    user_net net({});
    platform<net_device> p(net);
    driven_nic nic(p);
    std::thread host([&] {
        const int client = ::accept(server.fd, nullptr, nullptr);
        for (std::size_t at = 0; at < data.size();) {
            const ssize_t sent = ::send(client, data.data() + at, data.size() - at, MSG_NOSIGNAL);
            if (sent <= 0)
                break;
            at += static_cast<std::size_t>(sent);
        }
        ::close(client);
    });
    p.run([&] {
        nic.go_live();
        tcp_client tcp(nic, resolve_gateway(nic), server.port);
        tcp.connect();
        tcp.receive();
        EXPECT_EQ(tcp.received, data.size());
        EXPECT_EQ(tcp.sum, fingerprint(no_bytes, data.data(), data.size()));
    });
    ::shutdown(server.fd, SHUT_RDWR);
    host.join();
}

SC_TEST(UserNet, AMegabyteOfTcpToTheHostInSegments)
{
    ROWS("NET-32", "NET-33");
    if (!user_net::available())
        GTEST_SKIP() << "built without libslirp";
    const bytes data = noise(1 << 20);
    loopback_socket server(SOCK_STREAM);
    ASSERT_EQ(::listen(server.fd, 1), 0);
    std::uint64_t received = 0, sum = no_bytes;
    std::thread host([&] {
        const int client = ::accept(server.fd, nullptr, nullptr);
        bytes part(65536);
        for (;;) {
            const ssize_t length = ::recv(client, part.data(), part.size(), 0);
            if (length <= 0)
                break;
            received += static_cast<std::uint64_t>(length);
            sum = fingerprint(sum, part.data(), static_cast<std::size_t>(length));
        }
        ::close(client);
    });
    {
        user_net net({});
        platform<net_device> p(net);
        driven_nic nic(p);
        p.run([&] {
            nic.go_live();
            tcp_client tcp(nic, resolve_gateway(nic), server.port);
            tcp.connect();
            tcp.transmit(data);
            tcp.receive(); // until the server has closed, too
        });
    }
    ::shutdown(server.fd, SHUT_RDWR);
    host.join();
    EXPECT_EQ(received, data.size());
    EXPECT_EQ(sum, fingerprint(no_bytes, data.data(), data.size()));
}

SC_TEST(UserNet, APortOfTheHostLeadsToTheGuest)
{
    if (!user_net::available())
        GTEST_SKIP() << "built without libslirp";
    std::uint16_t port;
    {
        loopback_socket unused(SOCK_DGRAM);
        port = unused.port;
    }
    user_net_options options;
    options.forwards = {{true, port, 5000}};
    user_net net(options);
    EXPECT_THROW(user_net{options}, std::runtime_error) << "the port is taken";
    platform<net_device> p(net);
    driven_nic nic(p);
    p.run([&] {
        nic.go_live();
        resolve_gateway(nic); // tells the network who 10.0.2.15 is
        loopback_socket client(SOCK_DGRAM);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        to.sin_port = htons(port);
        EXPECT_EQ(::sendto(client.fd, "hello", 5, 0, reinterpret_cast<sockaddr *>(&to), sizeof(to)),
                  5);
        const bytes frame = nic.await([](const bytes &f) { return is_ip(f, 17); });
        EXPECT_EQ(get16(frame, 36), 5000u);
        EXPECT_EQ(bytes(frame.begin() + 42, frame.begin() + 47), (bytes{'h', 'e', 'l', 'l', 'o'}));
    });
}

namespace
{

/// An interface's MAC address and state, in the network namespace of the caller.
bool bring_up(const char *interface, bytes &mac)
{
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    std::snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
    bool ok = ::ioctl(fd, SIOCGIFHWADDR, &request) == 0;
    mac.assign(request.ifr_hwaddr.sa_data, request.ifr_hwaddr.sa_data + 6);
    auto *address = reinterpret_cast<sockaddr_in *>(&request.ifr_addr);
    *address = {};
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(gateway_ip);
    ok = ok && ::ioctl(fd, SIOCSIFADDR, &request) == 0;
    address->sin_addr.s_addr = htonl(0xffffff00);
    ok = ok && ::ioctl(fd, SIOCSIFNETMASK, &request) == 0;
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    ok = ok && ::ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    ::close(fd);
    return ok;
}

} // namespace

SC_TEST(TapNet, TcpWithTheKernelOfTheHost)
{
    ROWS("NET-33");
    if (::unshare(CLONE_NEWNET) != 0)
        GTEST_SKIP() << "no right to make a network namespace";
    std::unique_ptr<tap_net> net;
    try {
        net = std::make_unique<tap_net>("vmmio0");
    } catch (const std::runtime_error &error) {
        GTEST_SKIP() << error.what();
    }
    bytes mac;
    ASSERT_TRUE(bring_up("vmmio0", mac));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(gateway_ip);
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(::bind(server, reinterpret_cast<sockaddr *>(&address), sizeof(address)), 0);
    socklen_t length = sizeof(address);
    ASSERT_EQ(::getsockname(server, reinterpret_cast<sockaddr *>(&address), &length), 0);
    ASSERT_EQ(::listen(server, 1), 0);
    const bytes data = noise(100000);
    std::uint64_t received = 0, sum = no_bytes;
    std::thread host([&] {
        const int client = ::accept(server, nullptr, nullptr);
        bytes part(65536);
        ssize_t got;
        while ((got = ::recv(client, part.data(), part.size(), 0)) > 0) {
            received += static_cast<std::uint64_t>(got);
            sum = fingerprint(sum, part.data(), static_cast<std::size_t>(got));
        }
        ::close(client);
    });
    {
        platform<net_device> p(*net);
        driven_nic nic(p);
        p.run([&] {
            nic.go_live({VMMIO_NET_F_GUEST_CSUM, VMMIO_NET_F_GUEST_TSO4, VMMIO_NET_F_GUEST_TSO6,
                         VMMIO_NET_F_GUEST_ECN});
            EXPECT_EQ(resolve_gateway(nic), mac);
            tcp_client tcp(nic, mac, ntohs(address.sin_port));
            tcp.connect();
            tcp.transmit(data);
            tcp.receive();
        });
    }
    ::shutdown(server, SHUT_RDWR);
    host.join();
    ::close(server);
    EXPECT_EQ(received, data.size());
    EXPECT_EQ(sum, fingerprint(no_bytes, data.data(), data.size()));
}

} // namespace vmmio::tb
