// SPDX-License-Identifier: Apache-2.0
// The console device behind TLM sockets, and the host's ends of its ports.
#include "vmmio/tlm/console_device.h"
#include "console_rig.h"
#include "platform.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <map>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

namespace vmmio::tb
{

namespace
{

using bytes = std::vector<std::uint8_t>;

constexpr std::size_t mebibyte = 1 << 20;

/// The driver's end of such a device.
class driven_console
{
public:
    explicit driven_console(surroundings &platform) : p(platform) {}

    static unsigned rx_of(std::uint32_t port) { return port ? 4 + 2 * (port - 1) : 0; }

    /// Two queues for each port, and those of control if there are several.
    void go_live(unsigned ports = 1)
    {
        vmmio_features features = p.guest.offered();
        vmmio_features_remove(&features, VMMIO_F_NOTIFICATION_DATA);
        vmmio_features_remove(&features, VMMIO_F_EVENT_IDX);
        posted.clear();
        p.go_live(features, ports > 1 ? 2 * ports + 2 : 2, 32);
        out = p.readable(70000);
    }

    /// What a driver of several ports says at first; opens those that were added.
    void greet(unsigned ports)
    {
        go_live(ports);
        for (unsigned i = 0; i < 16; i++)
            post(300, 2);
        tell(control_message(0, 0, 1));
        for (std::uint32_t port = 0; port < ports; port++) {
            tell(control_message(port, 3, 1));
            tell(control_message(port, 6, 1));
        }
    }

    void post(std::uint32_t size, unsigned queue)
    {
        const piece buffer = p.writable(size);
        const std::uint16_t head = p.queues[queue]->add({buffer});
        posted[queue][head] = buffer;
        p.queues[queue]->offer(head);
        p.cpu.write(VMMIO_REG_QUEUE_NOTIFY, queue);
    }

    /// Offers output; false if the device does not take it yet.
    bool offer(const bytes &data, std::uint32_t port = 0)
    {
        p.memory.set_bytes(out.address, data);
        p.offer({{out.address, static_cast<std::uint32_t>(data.size()), false}}, rx_of(port) + 1);
        p.cpu.sync(ns(1000));
        return sent(port);
    }
    /// The last output came back; a driver uses its memory for something else then.
    bool sent(std::uint32_t port = 0) { return p.queues[rx_of(port) + 1]->reap().has_value(); }
    void send(const bytes &data, std::uint32_t port = 0)
    {
        if (!offer(data, port))
            until([&] { return sent(port); });
    }
    void tell(const bytes &control)
    {
        p.memory.set_bytes(out.address, control);
        p.exchange({{out.address, static_cast<std::uint32_t>(control.size()), false}}, 3);
    }

    /// What has come on a queue; its buffers are posted again.
    bytes take(unsigned queue)
    {
        bytes all;
        while (const auto used = p.queues[queue]->reap()) {
            const piece buffer = posted[queue].at(static_cast<std::uint16_t>(used->id));
            const bytes part = p.memory.bytes(buffer.address, used->length);
            all.insert(all.end(), part.begin(), part.end());
            const std::uint16_t head = p.queues[queue]->add({buffer});
            posted[queue][head] = buffer;
            p.queues[queue]->offer(head);
            p.cpu.write(VMMIO_REG_QUEUE_NOTIFY, queue);
        }
        return all;
    }
    /// So many bytes of input. The host has a while.
    bytes input(std::size_t length, std::uint32_t port = 0)
    {
        bytes all;
        until([&] {
            const bytes more = take(rx_of(port));
            all.insert(all.end(), more.begin(), more.end());
            return all.size() >= length;
        });
        return all;
    }
    /// Waits until the device has said this.
    void await(const bytes &control)
    {
        until([&] {
            const bytes more = take(2);
            told.insert(told.end(), more.begin(), more.end());
            const auto found =
                std::search(told.begin(), told.end(), control.begin(), control.end());
            const bool yes = found != told.end();
            if (yes)
                told.erase(told.begin(), found + static_cast<std::ptrdiff_t>(control.size()));
            return yes;
        });
    }

    /// Lets time pass for device and host; a test failure after 20 s.
    template <typename Condition>
    void until(Condition condition)
    {
        for (unsigned i = 0; i < 20000; i++) {
            if (condition())
                return;
            p.cpu.sync(ns(1000));
            ::usleep(1000);
        }
        ADD_FAILURE() << "it did not happen";
    }

    bytes told;

private:
    surroundings &p;
    std::map<unsigned, std::map<std::uint16_t, piece>> posted;
    piece out{};
};

/// A descriptor of the host that the test reads and writes; -1: not open.
class host_end
{
public:
    explicit host_end(int descriptor = -1) : fd(descriptor) {}
    host_end(const host_end &) = delete;
    host_end &operator=(const host_end &) = delete;
    ~host_end() { close(); }
    void close()
    {
        if (fd >= 0)
            ::close(fd);
        fd = -1;
    }

    /// So many bytes, waited for.
    bytes read(std::size_t length) const
    {
        bytes data(length);
        std::size_t got = 0;
        ssize_t more;
        while (got < length && (more = ::read(fd, data.data() + got, length - got)) > 0)
            got += static_cast<std::size_t>(more);
        data.resize(got);
        return data;
    }
    void write(const bytes &data) const
    {
        for (std::size_t at = 0; at < data.size();) {
            const ssize_t more = ::write(fd, data.data() + at, data.size() - at);
            if (more <= 0)
                break;
            at += static_cast<std::size_t>(more);
        }
    }

    int fd;
};

std::string fresh_path(const char *what)
{
    const std::string path =
        "/tmp/vmmio-console-" + std::to_string(::getpid()) + "-" + std::string(what);
    ::unlink(path.c_str());
    return path;
}

sockaddr_un address_of(const std::string &path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::snprintf(address.sun_path, sizeof(address.sun_path), "%s", path.c_str());
    return address;
}

int connect_to(const std::string &path)
{
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = address_of(path);
    EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr *>(&address), sizeof(address)), 0);
    return fd;
}

bytes contents(const std::string &path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<console_port> two_ports(host_stream *first, host_stream *second)
{
    std::vector<console_port> ports(2);
    ports[0].host = first;
    ports[0].console = true;
    ports[0].cols = 80;
    ports[0].rows = 25;
    ports[1].host = second;
    ports[1].name = "org.vmmio.test";
    return ports;
}

} // namespace

SC_TEST(ConsoleDevice, PortsWithoutAHostAreThePlatforms)
{
    ROWS("CON-04", "CON-07", "CON-08", "CON-11", "CON-12");
    platform<console_device> p(two_ports(nullptr, nullptr));
    driven_console tty(p);
    std::map<std::uint32_t, bytes> output;
    std::uint32_t room = 100;
    p.dut.on_output = [&](std::uint32_t port, const std::uint8_t *data, std::uint32_t length) {
        const std::uint32_t taken = std::min(length, room);
        output[port].insert(output[port].end(), data, data + taken);
        room -= taken;
        return taken;
    };
    std::vector<std::uint32_t> rooms;
    p.dut.on_room = [&](std::uint32_t port) { rooms.push_back(port); };
    std::vector<std::pair<std::uint32_t, bool>> openings;
    p.dut.on_opened = [&](std::uint32_t port, bool open) { openings.emplace_back(port, open); };
    p.run([&] {
        EXPECT_EQ(p.cpu.read(VMMIO_REG_DEVICE_ID), 3u);
        p.cpu.write(0x108, 'E');
        EXPECT_EQ(output[0], bytes_of("E")) << "before anything is negotiated";
        tty.greet(2);
        EXPECT_EQ(openings, (std::vector<std::pair<std::uint32_t, bool>>{{0, true}, {1, true}}));
        tty.await(control_message(0, 4, 1));
        tty.await(control_message(0, 5, 1) + bytes{80, 0, 25, 0});
        tty.await(control_message(1, 7, 1) + bytes_of("org.vmmio.test"));

        EXPECT_TRUE(tty.offer(bytes_of("to port 1"), 1));
        EXPECT_EQ(output[1], bytes_of("to port 1"));
        EXPECT_FALSE(tty.offer(bytes(100, 'x'))) << "there are 90 left";
        room = 1000;
        p.dut.writable(0);
        p.cpu.sync(ns(1000));
        EXPECT_TRUE(tty.sent());
        EXPECT_EQ(output[0].size(), 101u);

        const bytes data = noise(5000);
        EXPECT_EQ(p.dut.receive(1, data.data(), 5000), 4096u);
        for (unsigned i = 0; i < 3; i++)
            tty.post(1500, driven_console::rx_of(1));
        p.cpu.sync(ns(1000));
        EXPECT_EQ(rooms, std::vector<std::uint32_t>{1});
        EXPECT_EQ(p.dut.receive(1, data.data() + 4096, 904), 904u);
        EXPECT_EQ(tty.input(5000, 1), data);

        p.dut.set_open(1, false);
        tty.await(control_message(1, 6, 0));
        p.guest.acknowledge(3);
        p.dut.resize(0, 132, 43);
        EXPECT_EQ(p.cpu.read(0x100, 2), 132u);
        EXPECT_EQ(p.cpu.read(0x102, 2), 43u);
        EXPECT_EQ(p.guest.interrupts() & 2, 2u);
        tty.await(control_message(0, 5, 1) + bytes{132, 0, 43, 0});
        EXPECT_TRUE(p.dut.remove_port(1));
        tty.await(control_message(1, 2, 1));
        EXPECT_TRUE(p.dut.add_port(1));
        tty.await(control_message(1, 1, 1));
        EXPECT_FALSE(p.dut.add_port(1));
    });
}

SC_TEST(ConsoleDevice, MistakesOfThePlatformAreReported)
{
    EXPECT_THROW(console_device("none", std::vector<console_port>{}), sc_core::sc_report);
    std::vector<console_port> ports(1);
    ports[0].name = std::string(256, 'x');
    EXPECT_THROW(console_device("long_name", ports), sc_core::sc_report);
    EXPECT_THROW(file_stream("/nowhere/at/all"), std::runtime_error);
    EXPECT_THROW(file_stream("/dev/null", "/nowhere/at/all"), std::runtime_error);
    EXPECT_THROW(pty_stream("/nowhere/at/all"), std::runtime_error);
    EXPECT_THROW(socket_stream("/nowhere/at/all"), std::runtime_error);
    const std::string path = fresh_path("taken");
    socket_stream first(path);
    EXPECT_THROW(socket_stream{path}, std::runtime_error) << "somebody listens there";
    EXPECT_THROW(socket_stream("", socket_stream::role::connect), std::runtime_error);
}

SC_TEST(ConsoleDevice, AMebibyteEachWayThroughASocket)
{
    ROWS("CON-07");
    const std::string path = fresh_path("socket");
    socket_stream stream(path);
    platform<console_device> p(stream);
    driven_console tty(p);
    const bytes there = noise(mebibyte), back = noise(mebibyte - 77);
    host_end peer(connect_to(path));
    bytes got;
    std::thread writer([&] { peer.write(there); });
    std::thread reader([&] { got = peer.read(back.size()); });
    p.run([&] {
        tty.go_live();
        tty.until([&] { return stream.connected(); });
        for (unsigned i = 0; i < 8; i++)
            tty.post(4000, 0);
        bytes input;
        std::size_t sent = 0;
        bool waits = false;
        tty.until([&] {
            for (unsigned i = 0; i < 50; i++) {
                if (!waits && sent < back.size()) {
                    const std::size_t part = std::min<std::size_t>(9000, back.size() - sent);
                    waits = !tty.offer({back.begin() + static_cast<std::ptrdiff_t>(sent),
                                        back.begin() + static_cast<std::ptrdiff_t>(sent + part)});
                    sent += part;
                } else if (waits) {
                    waits = !tty.sent();
                }
                const bytes more = tty.take(0);
                input.insert(input.end(), more.begin(), more.end());
            }
            return input.size() >= there.size() && sent == back.size() && !waits;
        });
        EXPECT_TRUE(input == there);
    });
    writer.join();
    reader.join();
    EXPECT_TRUE(got == back);
    EXPECT_EQ(stream.lost(), 0u);
}

SC_TEST(ConsoleDevice, ADriverWithoutBuffersHoldsTheHostBackAndLosesNothing)
{
    ROWS("CON-07");
    const std::string path = fresh_path("socket");
    socket_stream stream(path);
    platform<console_device> p(stream);
    driven_console tty(p);
    const bytes data = noise(mebibyte);
    host_end peer(connect_to(path));
    ::fcntl(peer.fd, F_SETFL, O_NONBLOCK);
    p.run([&] {
        tty.go_live();
        std::size_t at = 0;
        unsigned refused = 0;
        tty.until([&] { // the host writes until nothing goes for a while
            const ssize_t more = ::write(peer.fd, data.data() + at, data.size() - at);
            at += static_cast<std::size_t>(std::max<ssize_t>(more, 0));
            refused = more < 0 && errno == EAGAIN ? refused + 1 : 0;
            return refused == 200 || at == data.size();
        });
        EXPECT_LT(at, data.size()) << "somebody has taken it all";
        for (unsigned i = 0; i < 8; i++)
            tty.post(1000, 0);
        bytes input;
        tty.until([&] {
            const ssize_t more = ::write(peer.fd, data.data() + at, data.size() - at);
            at += static_cast<std::size_t>(std::max<ssize_t>(more, 0));
            for (unsigned i = 0; i < 50; i++) {
                const bytes part = tty.take(0);
                input.insert(input.end(), part.begin(), part.end());
                p.cpu.sync(ns(1000));
            }
            return input.size() >= data.size();
        });
        EXPECT_TRUE(input == data);
    });
}

SC_TEST(ConsoleDevice, AHostThatDoesNotReadHoldsTheDriverBackAndLosesNothing)
{
    ROWS("CON-07");
    const std::string path = fresh_path("socket");
    socket_stream stream(path);
    platform<console_device> p(stream);
    driven_console tty(p);
    const bytes data = noise(60000);
    host_end peer(connect_to(path));
    bytes got;
    std::size_t sent = 0;
    p.run([&] {
        tty.go_live();
        tty.until([&] { return stream.connected(); });
        while (sent < 100 && tty.offer(data))
            sent++;
        EXPECT_LT(sent, 100u) << "somebody has taken it all";
        std::thread reader([&] { got = peer.read((sent + 1) * data.size()); });
        tty.until([&] { return tty.sent(); });
        reader.join();
    });
    ASSERT_EQ(got.size(), (sent + 1) * data.size());
    for (std::size_t i = 0; i <= sent; i++)
        EXPECT_TRUE(std::equal(data.begin(), data.end(),
                               got.begin() + static_cast<std::ptrdiff_t>(i * data.size())))
            << i;
    EXPECT_EQ(stream.lost(), 0u);
}

SC_TEST(ConsoleDevice, TheHostLeavesAndComesAgain)
{
    ROWS("CON-07", "CON-11");
    const std::string path = fresh_path("socket");
    socket_stream stream(path);
    platform<console_device> p(two_ports(nullptr, &stream));
    driven_console tty(p);
    p.run([&] {
        tty.greet(2);
        EXPECT_FALSE(stream.connected());
        EXPECT_TRUE(tty.offer(bytes_of("for the first who comes"), 1));
        for (unsigned round = 0; round < 3; round++) {
            host_end peer(connect_to(path));
            tty.await(control_message(1, 6, 1));
            if (round == 0) {
                EXPECT_EQ(peer.read(23), bytes_of("for the first who comes"));
            }
            tty.send(bytes_of("hello"), 1);
            EXPECT_EQ(peer.read(5), bytes_of("hello"));
            peer.write(bytes_of("goodbye"));
            peer.close();
            tty.until([&] { return !stream.connected(); });
            EXPECT_EQ(tty.take(2), bytes{}) << "it has not got everything";
            if (round == 0)
                tty.post(100, driven_console::rx_of(1));
            EXPECT_EQ(tty.input(7, 1), bytes_of("goodbye"));
            tty.await(control_message(1, 6, 0));
        }
        /* A port waits for the next one, with all that it has. */
        const bytes data = noise(65000);
        EXPECT_TRUE(tty.offer(data, 1));
        EXPECT_FALSE(tty.offer(data, 1));
        host_end peer(connect_to(path));
        bytes got;
        std::thread reader([&] { got = peer.read(130000); });
        tty.until([&] { return tty.sent(1); });
        reader.join();
        EXPECT_TRUE(got == data + data);
        EXPECT_EQ(stream.lost(), 0u);
    });
}

SC_TEST(ConsoleDevice, AConsoleDoesNotWaitWhileNobodyIsThere)
{
    ROWS("CON-07");
    const std::string path = fresh_path("socket");
    socket_stream stream(path);
    platform<console_device> p(two_ports(&stream, nullptr));
    driven_console tty(p);
    const bytes data = noise(60000);
    p.run([&] {
        tty.greet(2);
        for (unsigned i = 0; i < 5; i++)
            EXPECT_TRUE(tty.offer(data)) << i;
        EXPECT_EQ(stream.lost(), 300000u - 65536u);
        host_end peer(connect_to(path));
        EXPECT_TRUE(peer.read(60000) == data) << "what came first";

        /* It waits for somebody who is there, until he goes. */
        tty.await(control_message(0, 6, 1));
        std::size_t sent = 0;
        while (sent < 100 && tty.offer(data))
            sent++;
        EXPECT_LT(sent, 100u);
        peer.close();
        tty.until([&] { return tty.sent(); });
    });
}

SC_TEST(ConsoleDevice, ASocketThatCallsFindsWhoeverListensLater)
{
    const std::string path = fresh_path("listener");
    socket_stream stream(path, socket_stream::role::connect);
    platform<console_device> p(stream);
    driven_console tty(p);
    p.run([&] {
        tty.go_live();
        tty.post(100, 0);
        EXPECT_TRUE(tty.offer(bytes_of("early")));
        host_end server(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const sockaddr_un address = address_of(path);
        ASSERT_EQ(::bind(server.fd, reinterpret_cast<const sockaddr *>(&address), sizeof(address)),
                  0);
        ASSERT_EQ(::listen(server.fd, 1), 0);
        for (unsigned round = 0; round < 2; round++) {
            host_end peer(::accept(server.fd, nullptr, nullptr));
            if (round == 1)
                tty.send(bytes_of("again"));
            EXPECT_EQ(peer.read(5), bytes_of(round == 0 ? "early" : "again"));
            peer.write(bytes_of("in"));
            EXPECT_EQ(tty.input(2), bytes_of("in"));
        }
    });
    ::unlink(path.c_str());
}

SC_TEST(ConsoleDevice, AClientThatStopsWritingStillReads)
{
    const std::string path = fresh_path("socket");
    socket_stream stream(path);
    platform<console_device> p(stream);
    driven_console tty(p);
    host_end peer(connect_to(path));
    peer.write(bytes_of("question"));
    ::shutdown(peer.fd, SHUT_WR);
    p.run([&] {
        tty.go_live();
        tty.post(100, 0);
        EXPECT_EQ(tty.input(8), bytes_of("question"));
        tty.send(bytes_of("answer"));
        EXPECT_EQ(peer.read(6), bytes_of("answer"));
        peer.close();
        tty.until([&] { return !stream.connected(); });
    });
}

SC_TEST(ConsoleDevice, PtyThatIsOpenedAndClosed)
{
    ROWS("CON-07", "CON-11");
    const std::string link = fresh_path("pty");
    pty_stream stream(link);
    platform<console_device> p(two_ports(nullptr, &stream));
    driven_console tty(p);
    bytes every(256);
    for (unsigned i = 0; i < 256; i++)
        every[i] = static_cast<std::uint8_t>(i);
    p.run([&] {
        tty.greet(2);
        tty.post(1000, driven_console::rx_of(1));
        for (unsigned round = 0; round < 2; round++) {
            EXPECT_FALSE(stream.connected());
            host_end peer(::open(link.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
            ASSERT_GE(peer.fd, 0);
            tty.await(control_message(1, 6, 1));
            tty.send(every, 1);
            EXPECT_EQ(peer.read(256), every) << "raw, both ways";
            peer.write(every);
            EXPECT_EQ(tty.input(256, 1), every);
            peer.close();
            tty.await(control_message(1, 6, 0));
        }
    });
}

SC_TEST(ConsoleDevice, FilesAreReadAndWritten)
{
    ROWS("CON-07");
    const std::string output = fresh_path("out"), input = fresh_path("in");
    const bytes data = noise(200000);
    std::ofstream(input, std::ios::binary)
        .write(reinterpret_cast<const char *>(data.data()),
               static_cast<std::streamsize>(data.size()));
    {
        file_stream stream(output, input);
        platform<console_device> p(stream);
        driven_console tty(p);
        p.run([&] {
            tty.go_live();
            for (unsigned i = 0; i < 8; i++)
                tty.post(4000, 0);
            EXPECT_TRUE(tty.input(data.size()) == data);
            for (unsigned i = 0; i < 10; i++)
                tty.send(bytes(60000, static_cast<std::uint8_t>(i)));
            EXPECT_TRUE(stream.connected()) << "the end of the input is not the end";
        });
    }
    const bytes written = contents(output);
    ASSERT_EQ(written.size(), 600000u) << "all of it, also what waited at the end";
    for (std::size_t i = 0; i < 10; i++)
        EXPECT_EQ(std::count(written.begin() + static_cast<std::ptrdiff_t>(60000 * i),
                             written.begin() + static_cast<std::ptrdiff_t>(60000 * (i + 1)),
                             static_cast<std::uint8_t>(i)),
                  60000);
    ::unlink(output.c_str());
    ::unlink(input.c_str());
}

SC_TEST(ConsoleDevice, StandardInputAndOutput)
{
    ROWS("CON-07");
    std::array<int, 2> in{}, out{};
    ASSERT_EQ(::pipe(in.data()), 0);
    ASSERT_EQ(::pipe(out.data()), 0);
    const int kept = ::dup(STDOUT_FILENO);
    std::fflush(stdout);
    ::dup2(in[0], STDIN_FILENO);
    ::dup2(out[1], STDOUT_FILENO);
    ::close(out[1]);
    host_end from(out[0]), to(in[1]);
    {
        stdio_stream stream;
        platform<console_device> p(stream);
        driven_console tty(p);
        p.run([&] {
            tty.go_live();
            tty.post(100, 0);
            to.write(bytes_of("typed"));
            EXPECT_EQ(tty.input(5), bytes_of("typed"));
            to.close();
            tty.send(bytes_of("shown"));
            EXPECT_EQ(from.read(5), bytes_of("shown"));
            /* A reader that goes away neither ends the process nor holds the driver up. */
            from.close();
            for (unsigned i = 0; i < 10; i++)
                tty.send(bytes(30000, 'x'));
            EXPECT_GT(stream.lost(), 0u);
        });
    }
    ::dup2(kept, STDOUT_FILENO);
}

SC_TEST(ConsoleDevice, EmergencyWritesInEveryState)
{
    ROWS("CON-04", "CON-05", "CON-06", "H-53");
    const std::string path = fresh_path("socket");
    socket_stream stream(path);
    platform<console_device> p(two_ports(&stream, nullptr));
    driven_console tty(p);
    p.run([&] {
        p.cpu.write(0x108, 'a');
        for (const std::uint32_t status : {1u, 3u, 0x83u}) {
            p.guest.set_status(status);
            p.cpu.write(0x108, 0x12345600 | 'b');
        }
        tty.greet(2);
        p.cpu.write(0x108, 'c');
        EXPECT_TRUE(tty.offer(bytes_of("d")));
        p.cpu.write(0x108, 'e');
        host_end peer(connect_to(path));
        EXPECT_EQ(peer.read(7), bytes_of("abbbcde"));
        peer.close();
        tty.until([&] { return !stream.connected(); });
        for (unsigned i = 0; i < 200000; i++)
            p.cpu.write(0x108, 'x');
        EXPECT_EQ(p.dut.state().emergency, 200006u);
        EXPECT_EQ(p.dut.state().emergency_lost, 200000u - 131072u) << "memory has an end";
    });
}

} // namespace vmmio::tb
