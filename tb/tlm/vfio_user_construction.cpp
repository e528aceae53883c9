// SPDX-License-Identifier: Apache-2.0
// Mistakes of the platform stop elaboration with a message that says what to change.
#include "vfio_user_platform.h"

#include <fstream>
#include <sys/stat.h>

using namespace vmmio_test;

namespace
{

/// What the construction of a bridge with config complains about; empty = nothing.
std::string mistake(const vmmio::vfio_user_config &config)
{
    try {
        vmmio::vfio_user bridge("bridge", config);
    } catch (const sc_core::sc_report &report) {
        return report.get_msg();
    }
    return "";
}

/// Answers nothing and needs nothing.
struct silent_device : sc_core::sc_module {
    tlm_utils::simple_target_socket<silent_device> regs{"regs"};
    explicit silent_device(sc_core::sc_module_name name) : sc_module(name) {}
};

struct bridge_config : vmmio::vfio_user_config {
    explicit bridge_config(const std::string &path) { socket_path = path; }
};

} // namespace

SC_TEST(VfioUserConstruction, SaysWhatIsWrongWithTheSocketPath)
{
    const socket_path path;
    EXPECT_NE(mistake(bridge_config("")).find("set socket_path"), std::string::npos);
    EXPECT_NE(mistake(bridge_config(std::string(108, 'x'))).find("choose a shorter one"),
              std::string::npos);
    EXPECT_NE(mistake(bridge_config(path.directory() + "/absent/socket")).find("directory"),
              std::string::npos);
    std::ofstream(path.get()) << "precious";
    EXPECT_NE(mistake(bridge_config(path.get())).find("is not a socket"), std::string::npos);
    std::string kept;
    std::ifstream(path.get()) >> kept;
    EXPECT_EQ(kept, "precious");
}

SC_TEST(VfioUserConstruction, TakesOverASocketThatNobodyListensOnAndCleansUp)
{
    const socket_path path;
    const int stale = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.get().copy(address.sun_path, sizeof(address.sun_path) - 1);
    ASSERT_EQ(::bind(stale, reinterpret_cast<sockaddr *>(&address), sizeof(address)), 0);
    ::close(stale);
    {
        const vmmio::vfio_user first("first", bridge_config(path.get()));
        EXPECT_NE(mistake(bridge_config(path.get())).find("another process listens"),
                  std::string::npos);
    }
    struct stat found {
    };
    EXPECT_NE(::stat(path.get().c_str(), &found), 0) << "the socket file goes with the module";
}

SC_TEST(VfioUserConstruction, SaysWhatIsWrongWithTheFunction)
{
    const socket_path path;
    const auto with = [&](auto change) {
        bridge_config config(path.get());
        change(config);
        return mistake(config);
    };
    using config = vmmio::vfio_user_config;
    for (const std::uint64_t size : {0ull, 0x800ull, 0x3000ull, 0x80000000ull, ~0ull})
        EXPECT_NE(with([size](config &c) { c.bar0_size = size; }).find("power of two"),
                  std::string::npos)
            << size;
    EXPECT_NE(with([](config &c) { c.expected_bar0 = 0x1234; }).find("expected_bar0"),
              std::string::npos);
    EXPECT_NE(with([](config &c) { c.expected_bar0 = 1ull << 32; }).find("expected_bar0"),
              std::string::npos);
    EXPECT_NE(with([](config &c) { c.class_code = 1u << 24; }).find("24 bits"), std::string::npos);
    EXPECT_NE(with([](config &c) { c.interrupts = 1025; }).find("interrupts"), std::string::npos);
    EXPECT_NE(with([](config &c) { c.max_dma_maps = 0; }).find("max_dma_maps"), std::string::npos);
    EXPECT_NE(with([](config &c) { c.max_dma_maps = 65536; }).find("max_dma_maps"),
              std::string::npos);
    EXPECT_EQ(with([](config &) {}), "");
}

SC_TEST(VfioUserConstruction, UnboundSocketsStopElaborationWithTheirName)
{
    const socket_path path;
    vmmio::vfio_user bridge("bridge", bridge_config(path.get()));
    sc_core::sc_signal<bool> line;
    bridge.irq[0].bind(line);
    try {
        sc_core::sc_start(sc_core::SC_ZERO_TIME);
        ADD_FAILURE() << "started without a device";
    } catch (const sc_core::sc_report &report) {
        EXPECT_NE(std::string(report.what()).find("bridge.bar0"), std::string::npos)
            << report.what();
    }
}

SC_TEST(VfioUserConstruction, DevicesWithoutDmaLeaveTheDmaSocketUnbound)
{
    const socket_path path;
    vmmio::vfio_user bridge("bridge", bridge_config(path.get()));
    sc_core::sc_signal<bool> line;
    into_simulation simulation("simulation");
    silent_device device("device");
    bridge.bar0.bind(device.regs);
    bridge.irq[0].bind(line);
    std::thread thread([&] {
        const shared_memory memory(0x1000);
        vfio_user_client client(path.get());
        client.hello();
        client.map(memory, 0, 0x1000);
        client.done(DMA_UNMAP, vfio_user_client::unmap_request(0, 0x1000));
        simulation.call([] { sc_core::sc_stop(); });
    });
    sc_core::sc_start();
    thread.join();
    EXPECT_EQ(bridge.counters().dma_maps, 1u);
}
