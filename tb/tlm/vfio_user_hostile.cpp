// SPDX-License-Identifier: Apache-2.0
// A client that is broken or malicious gets an error or loses its connection; the process, its
// descriptors and the next client are none the worse.
#include "vfio_user_platform.h"

#include <cerrno>
#include <memory>
#include <random>
#include <sys/resource.h>

using namespace vmmio_test;

namespace
{

/// The connection still works.
void expect_alive(vfio_user_client &client)
{
    client.done(GET_INFO, bytes().u32(16).u32(0).u32(0).u32(0));
}

bytes info_request(std::uint32_t argsz, std::uint32_t index)
{
    return bytes().u32(argsz).u32(0).u32(index).u32(0).u64(0).u64(0);
}

bytes access_request(std::uint64_t offset, std::uint32_t region, std::uint32_t count)
{
    return bytes().u64(offset).u32(region).u32(count);
}

/// A client that does no harm; it has gone for good when this returns.
void come_in_peace(const std::string &path)
{
    vfio_user_client client(path);
    client.hello();
    client.finish();
}

/// A client that says hello and leaves a mapping and an interrupt behind.
void come_and_go(const std::string &path, const shared_memory &memory)
{
    const interrupt_fd irq;
    vfio_user_client client(path);
    client.hello();
    client.map(memory, 0, page);
    client.set_irqs(connect_irq, {irq.fd()});
}

} // namespace

SC_TEST(VfioUserHostile, MessagesThatMakeNoSenseGetAnErrno)
{
    struct nonsense {
        const char *what;
        std::uint16_t command;
        bytes payload;
        int error;
    };
    using client_type = vfio_user_client;
    const auto map = client_type::map_request;
    const auto irq = client_type::irq_request;
    constexpr std::uint32_t none_trigger = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER;
    const std::vector<nonsense> cases = {
        {"unknown command", 99, bytes(), ENOTSUP},
        {"command 0", 0, bytes(), ENOTSUP},
        {"DMA_READ is not a client's command", 11, bytes().u64(0).u64(8), ENOTSUP},
        {"a known command that is not implemented", GET_REGION_IO_FDS, bytes().u64(16).u64(0),
         ENOTSUP},
        {"empty GET_INFO", GET_INFO, bytes(), EINVAL},
        {"argsz too small", GET_INFO, bytes().u32(15).u32(0).u32(0).u32(0), EINVAL},
        {"short GET_REGION_INFO", GET_REGION_INFO, bytes().u32(32).u32(0).u32(0), EINVAL},
        {"argsz too small", GET_REGION_INFO, info_request(31, 0), EINVAL},
        {"region 9", GET_REGION_INFO, info_request(32, VFIO_PCI_NUM_REGIONS), EINVAL},
        {"region -1", GET_REGION_INFO, info_request(32, UINT32_MAX), EINVAL},
        {"short GET_IRQ_INFO", GET_IRQ_INFO, bytes().u32(16), EINVAL},
        {"irq 5", GET_IRQ_INFO, info_request(16, VFIO_PCI_NUM_IRQS), EINVAL},

        {"short read", REGION_READ, bytes().u64(0).u32(0), EINVAL},
        {"read of nothing", REGION_READ, access_request(0, 0, 0), EINVAL},
        {"read of 3 bytes", REGION_READ, access_request(0, 0, 3), EINVAL},
        {"read of 16 bytes", REGION_READ, access_request(0, 0, 16), EINVAL},
        {"read beyond BAR0", REGION_READ, access_request(0x10000, 0, 1), EINVAL},
        {"read across the end of BAR0", REGION_READ, access_request(0xfffd, 0, 4), EINVAL},
        {"offset that wraps", REGION_READ, access_request(UINT64_MAX, 0, 4), EINVAL},
        {"read of BAR1", REGION_READ, access_request(0, 1, 4), EINVAL},
        {"read of region 9", REGION_READ, access_request(0, 9, 4), EINVAL},
        {"read beyond config", REGION_READ, access_request(255, 7, 2), EINVAL},
        {"count of 4 GiB", REGION_READ, access_request(0, 7, UINT32_MAX), EINVAL},
        {"write without data", REGION_WRITE, access_request(0, 0, 4), EINVAL},
        {"write with too much data", REGION_WRITE, access_request(0, 0, 4).u64(0), EINVAL},
        {"write with too little data", REGION_WRITE, access_request(0, 0, 8).u32(0), EINVAL},
        {"write across the end of config", REGION_WRITE, access_request(254, 7, 4).u32(0), EINVAL},

        {"short DMA_MAP", DMA_MAP, bytes().u32(32).u32(3), EINVAL},
        {"argsz too small", DMA_MAP, bytes().u32(8).u32(3).u64(0).u64(0).u64(page), EINVAL},
        {"map of nothing", DMA_MAP, map(0, 0, 0, 3), EINVAL},
        {"map that wraps", DMA_MAP, map(UINT64_MAX - page + 1, 2 * page, 0, 3), EINVAL},
        {"map of a half page", DMA_MAP, map(0, page / 2, 0, 3), EINVAL},
        {"map at a half page", DMA_MAP, map(page / 2, page, 0, 3), EINVAL},
        {"map with unknown flags", DMA_MAP, map(0, page, 0, 7), EINVAL},
        {"short DMA_UNMAP", DMA_UNMAP, bytes().u32(24), EINVAL},
        {"unmap of nothing", DMA_UNMAP, client_type::unmap_request(0, 0), ENOENT},
        {"unmap of the unknown", DMA_UNMAP, client_type::unmap_request(0, page), ENOENT},
        {"unmap with flags", DMA_UNMAP,
         client_type::unmap_request(0, page, VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP), ENOTSUP},

        {"short SET_IRQS", SET_IRQS, bytes().u32(20).u32(none_trigger), EINVAL},
        {"argsz too small", SET_IRQS, bytes().u32(4).u32(none_trigger).u32(0).u32(0).u32(1),
         EINVAL},
        {"no flags", SET_IRQS, irq(0, 0, 0, 1), EINVAL},
        {"two kinds of data", SET_IRQS, irq(none_trigger | VFIO_IRQ_SET_DATA_BOOL, 0, 0, 1),
         EINVAL},
        {"two actions", SET_IRQS, irq(none_trigger | VFIO_IRQ_SET_ACTION_MASK, 0, 0, 1), EINVAL},
        {"unknown flags", SET_IRQS, irq(none_trigger | 0x100, 0, 0, 1), EINVAL},
        {"irq index 5", SET_IRQS, irq(none_trigger, VFIO_PCI_NUM_IRQS, 0, 1), EINVAL},
        {"MSI", SET_IRQS, irq(none_trigger, VFIO_PCI_MSI_IRQ_INDEX, 0, 1), EINVAL},
        {"start 1", SET_IRQS, irq(none_trigger, 0, 1, 1), EINVAL},
        {"count 2", SET_IRQS, irq(none_trigger, 0, 0, 2), EINVAL},
        {"range that wraps", SET_IRQS, irq(none_trigger, 0, UINT32_MAX, 2), EINVAL},
        {"mask nothing", SET_IRQS, irq(VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK, 0, 0, 0),
         EINVAL},
        {"no boolean", SET_IRQS, irq(VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_MASK, 0, 0, 1),
         EINVAL},
        {"an eventfd for masking", SET_IRQS,
         irq(VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_UNMASK, 0, 0, 1), ENOTSUP},
    };
    platform top;
    top.run([&] {
        vfio_user_client client(top.path.get());
        client.hello();
        for (const nonsense &bad : cases) {
            const answer got = client.ask(bad.command, bad.payload);
            EXPECT_EQ(got.error, unsigned(bad.error)) << bad.what;
        }
        expect_alive(client);
    });
    EXPECT_EQ(top.bridge.counters().errors, cases.size());
    EXPECT_EQ(top.bridge.counters().bar0_reads + top.bridge.counters().bar0_writes, 0u);
    EXPECT_LT(warnings().size(), 20u) << "a bad client does not fill the log";
    EXPECT_TRUE(warned_of("unknown") || warned_of("does not know"));
}

SC_TEST(VfioUserHostile, MappingsThatClashAreRefused)
{
    vmmio::vfio_user_config config = two_interrupts();
    config.max_dma_maps = 3;
    platform top(config);
    top.run([&] {
        const shared_memory memory(8 * page);
        const auto request = [](std::uint64_t address, std::uint64_t size,
                                std::uint64_t offset = 0) {
            return vfio_user_client::map_request(address, size, offset);
        };
        vfio_user_client client(top.path.get());
        client.hello();
        client.map(memory, 4 * page, 2 * page);
        const std::vector<int> fd = {memory.fd()};
        EXPECT_EQ(client.ask(DMA_MAP, request(4 * page, 2 * page), fd).error, unsigned(EEXIST));
        EXPECT_EQ(client.ask(DMA_MAP, request(5 * page, 2 * page), fd).error, unsigned(EEXIST));
        EXPECT_EQ(client.ask(DMA_MAP, request(3 * page, 2 * page), fd).error, unsigned(EEXIST));
        EXPECT_EQ(client.ask(DMA_MAP, request(3 * page, 4 * page), fd).error, unsigned(EEXIST));
        EXPECT_EQ(client.ask(DMA_UNMAP, vfio_user_client::unmap_request(4 * page, page)).error,
                  unsigned(ENOENT))
            << "only as a whole";

        EXPECT_EQ(client.ask(DMA_MAP, request(0, page, 8 * page), fd).error, unsigned(EINVAL))
            << "behind the end of the file";
        EXPECT_EQ(client.ask(DMA_MAP, request(0, 9 * page), fd).error, unsigned(EEXIST));
        EXPECT_EQ(client.ask(DMA_MAP, request(16 * page, 9 * page), fd).error, unsigned(EINVAL))
            << "longer than the file: touching it would end the process";
        EXPECT_EQ(client.ask(DMA_MAP, request(0, page, UINT64_MAX - page + 1), fd).error,
                  unsigned(EINVAL));
        EXPECT_EQ(client.ask(DMA_MAP, request(16 * page, std::uint64_t(1) << 62), fd).error,
                  unsigned(EINVAL));
        EXPECT_EQ(client.ask(DMA_MAP, request(0, page), {memory.fd(), memory.fd()}).error,
                  unsigned(EINVAL));
        int pipes[2];
        ASSERT_EQ(::pipe(pipes), 0);
        EXPECT_EQ(client.ask(DMA_MAP, request(0, page), {pipes[0]}).error, unsigned(EINVAL));
        EXPECT_EQ(
            client.ask(SET_IRQS, vfio_user_client::irq_request(connect_irq), {pipes[1]}).error,
            unsigned(EINVAL))
            << "writing to a pipe could wait or raise SIGPIPE";
        ::close(pipes[0]);
        ::close(pipes[1]);

        client.map(memory, 0, page);
        client.map(memory, page, page);
        EXPECT_EQ(client.ask(DMA_MAP, request(2 * page, page), fd).error, unsigned(ENOSPC));
        expect_alive(client);
    });
}

SC_TEST(VfioUserHostile, TooManyDescriptorsAreClosed)
{
    platform top;
    std::size_t before = 0, after = 0;
    top.run([&] {
        const shared_memory memory(page);
        vfio_user_client client(top.path.get());
        client.hello();
        before = open_descriptors();
        const std::vector<int> many(200, memory.fd());
        const bytes info = bytes().u32(16).u32(0).u32(0).u32(0);
        EXPECT_EQ(client.ask(GET_INFO, info, many).error, unsigned(EINVAL));
        EXPECT_EQ(client.ask(DMA_MAP, vfio_user_client::map_request(0, page), many).error,
                  unsigned(EINVAL));
        EXPECT_EQ(client.ask(GET_INFO, info, {memory.fd()}).error, 0u)
            << "where none are expected they are dropped";
        expect_alive(client);
        after = open_descriptors();
    });
    EXPECT_EQ(after, before);
}

SC_TEST(VfioUserHostile, AClientThatDoesNotSpeakTheProtocolIsCutOff)
{
    const auto raw = [](std::uint32_t size, std::uint32_t flags, std::uint16_t command = GET_INFO) {
        return bytes().u16(1).u16(command).u32(size).u32(flags).u32(0).get();
    };
    const auto version = [](const bytes &payload) { return message(VERSION, payload); };
    struct babble {
        std::vector<std::uint8_t> data;
        bool after_hello;
        const char *warning;
    };
    const std::vector<babble> cases = {
        {raw(15, 0), true, "claims 15 bytes"},
        {raw(0, 0), true, "claims 0 bytes"},
        {raw(UINT32_MAX, 0), true, "claims 4294967295 bytes"},
        {raw(16, REPLY), true, "nothing was asked"},
        {raw(16, 2), true, "not a command"},
        {message(GET_INFO, bytes().u32(16).u32(0).u32(0).u32(0)), false, "not VERSION"},
        {version(bytes().u16(0).u16(0)), true, "second VERSION"},
        {version(bytes().u16(1).u16(0)), false, "protocol version 1.0"},
        {version(bytes().u16(0)), false, "too short"},
        {version(bytes().u16(0).u16(0).u8('{').u8('}')), false, "NUL"},
        {version(bytes().u16(0).u16(0).text("{")), false, "JSON"},
        {version(bytes().u16(0).u16(0).text("[]")), false, "JSON"},
        {version(bytes().u16(0).u16(0).text(R"({"capabilities":3})")), false, "JSON"},
        {version(bytes().u16(0).u16(0).text(std::string(4000, '['))), false, "JSON"},
    };
    platform top;
    top.run([&] {
        for (const babble &bad : cases) {
            warnings().clear();
            vfio_user_client client(top.path.get());
            if (bad.after_hello)
                client.hello();
            client.send(bad.data);
            EXPECT_TRUE(client.is_closed()) << bad.warning;
            top.simulation.call([] {});
            EXPECT_TRUE(warned_of(bad.warning)) << bad.warning;
        }
        vfio_user_client client(top.path.get());
        client.hello();
        expect_alive(client);
    });
    EXPECT_EQ(top.bridge.counters().errors, cases.size());
    EXPECT_EQ(top.bridge.counters().connections, cases.size() + 1);
}

SC_TEST(VfioUserHostile, AClientThatGoesInsideAMessageIsNoticed)
{
    platform top;
    const auto whole = message(REGION_WRITE, access_request(0, 0, 4).u32(1));
    top.run([&] {
        for (std::size_t length = 1; length < whole.size(); ++length) {
            warnings().clear();
            vfio_user_client client(top.path.get());
            client.hello();
            client.send({whole.begin(), whole.begin() + static_cast<long>(length)});
            client.close();
            vfio_user_client next(top.path.get()); // is served when that one is gone
            next.hello();
            EXPECT_TRUE(warned_of("inside a message")) << length << " bytes";
        }
    });
    EXPECT_EQ(top.bridge.counters().bar0_writes, 0u);
}

SC_TEST(VfioUserHostile, ClientsThatComeAndGoLeaveNothingBehind)
{
    platform top;
    std::size_t before = 0, after = 0;
    top.run([&] {
        const shared_memory memory(page);
        come_and_go(top.path.get(), memory);
        come_in_peace(top.path.get());
        before = open_descriptors();
        for (int i = 0; i < 200; ++i)
            come_and_go(top.path.get(), memory);
        come_in_peace(top.path.get());
        after = open_descriptors();
    });
    EXPECT_EQ(after, before);
    EXPECT_EQ(top.resets.size(), 203u) << "every disconnect resets the devices";
    EXPECT_TRUE(warnings().empty());
}

SC_TEST(VfioUserHostile, AClientThatTakesNoAnswersDoesNotStopTheSimulation)
{
    platform top;
    top.run([&] {
        vfio_user_client client(top.path.get());
        client.hello();
        const auto request = message(REGION_READ, access_request(0, 7, 256));
        while (client.send(request)) { // until the server has closed
        }
        vfio_user_client next(top.path.get());
        next.hello();
        expect_alive(next);
    });
    EXPECT_TRUE(warned_of("does not take replies"));
}

SC_TEST(VfioUserHostile, RandomMessagesDoNoHarm)
{
    platform top;
    std::size_t before = 0, after = 0;
    top.run([&] {
        const shared_memory memory(16 * page);
        const interrupt_fd irq;
        come_and_go(top.path.get(), memory);
        come_in_peace(top.path.get());
        before = open_descriptors();

        std::mt19937 random(20240229);
        const auto pick = [&random](std::uint32_t count) {
            return static_cast<std::uint32_t>(random() % count);
        };
        const std::vector<std::uint64_t> edges = {0,
                                                  1,
                                                  2,
                                                  3,
                                                  4,
                                                  7,
                                                  8,
                                                  16,
                                                  20,
                                                  24,
                                                  32,
                                                  255,
                                                  256,
                                                  page,
                                                  0xfff,
                                                  2 * page,
                                                  0x10000,
                                                  0xffff,
                                                  UINT32_MAX,
                                                  0x80000000,
                                                  std::uint64_t(1) << 63,
                                                  33,
                                                  UINT64_MAX,
                                                  0x1001,
                                                  16 * page,
                                                  UINT64_MAX - page + 1};
        for (int round = 0; round < 300; ++round) {
            vfio_user_client client(top.path.get());
            client.hello();
            for (int i = 0; i < 40; ++i) {
                bytes payload;
                for (std::uint32_t fields = pick(8); fields > 0; --fields) {
                    const std::uint64_t value = pick(4) ? edges[pick(edges.size())] : random();
                    pick(2) ? payload.u32(static_cast<std::uint32_t>(value)) : payload.u64(value);
                }
                auto data = message(static_cast<std::uint16_t>(pick(20)), payload,
                                    pick(8) ? 0u : std::uint32_t(NO_REPLY));
                if (pick(40) == 0)
                    data[pick(16)] = static_cast<std::uint8_t>(random());
                std::vector<int> fds;
                if (pick(3) == 0)
                    fds.assign(pick(12), pick(2) ? memory.fd() : irq.fd());
                if (!client.send(data, fds))
                    break;
            }
            client.finish();
        }
        vfio_user_client client(top.path.get());
        client.hello();
        expect_alive(client);
        client.finish();
        come_in_peace(top.path.get());
        after = open_descriptors();
    });
    EXPECT_EQ(after, before);
    EXPECT_GT(top.bridge.counters().messages, 3000u) << "most messages were looked at";
    EXPECT_GT(top.bridge.counters().errors, 1000u);
}

// UBSan, too, needs descriptors to look at an object whose type it has not seen yet. So it is shown
// a client and a report before, and little happens while there are none.
SC_TEST(VfioUserHostile, AClientForWhomNoDescriptorIsLeftIsTurnedAway)
{
    platform p;
    p.run([&] {
        come_in_peace(p.path.get());
        std::vector<std::unique_ptr<vfio_user_client>> clients;
        p.simulation.call([&] { // nobody accepts meanwhile
            SC_REPORT_WARNING("/test", "for UBSan");
            warnings().clear();
            for (int i = 0; i < 2; ++i)
                clients.push_back(std::make_unique<vfio_user_client>(p.path.get()));
            rlimit usual{};
            ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
            const int next = ::dup(STDERR_FILENO);
            ::close(next);
            const rlimit full{static_cast<rlim_t>(next), usual.rlim_max};
            ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &full), 0);
            while (warnings().size() < clients.size())
                sc_core::wait(sc_core::sc_time(1, sc_core::SC_NS));
            EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);
        });
        EXPECT_TRUE(warned_of("ulimit -n"));
        for (const auto &client : clients)
            EXPECT_TRUE(client->is_closed());
        come_in_peace(p.path.get());
        EXPECT_EQ(p.bridge.counters().connections, 2u);
    });
}
