// SPDX-License-Identifier: Apache-2.0
// Mistakes of the platform: each stops elaboration with a message that says what to change.
#include "platform.h"

namespace vmmio::tb
{

namespace
{

template <typename Change>
device_options options_with(Change change)
{
    device_options options;
    change(options);
    return options;
}

void expect_refused(const std::vector<std::string> &words, const device_options &options)
{
    expect_mistake(words, [&] { null_device dut("dut", options); });
}

/// A complete platform but for one binding.
enum class unbound { dma, interrupt };

void elaborate_without(unbound which)
{
    guest_memory memory(dma_mode::pointer);
    ram main("ram", memory, at::ram, at::ram_size);
    processor cpu("cpu");
    null_device dut("dut");
    sc_core::sc_signal<bool> irq("irq");
    cpu.socket.bind(dut.registers);
    if (which != unbound::dma)
        dut.dma().bind(main.socket);
    if (which != unbound::interrupt)
        dut.interrupt.bind(irq);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
}

pmem_range range(std::uint64_t base, std::uint64_t length)
{
    static unsigned char memory[4096];
    return {base, length, memory, {}};
}

} // namespace

SC_TEST(Construction, QueueSizesMustBePowersOfTwoUpTo32768)
{
    ROWS("H-45", "H-21");
    for (const std::uint32_t size : {0u, 3u, 100u, 32769u, 65536u, 0x80000000u, 0xffffffffu})
        expect_refused({"dut", "queue_size_max", "power of 2 from 1 to 32768"},
                       options_with([&](device_options &o) { o.queue_size_max = size; }));
    for (const std::uint32_t size : {1u, 2u, 32768u}) {
        const null_device dut(sc_core::sc_gen_unique_name("fine"),
                              options_with([&](device_options &o) { o.queue_size_max = size; }));
        EXPECT_EQ(dut.diagnostics(VMMIO_DIAG_HOLE), 0u);
    }
}

SC_TEST(Construction, ThereMustBeRoomForARequest)
{
    ROWS("H-45");
    expect_refused({"dut", "at least one request"},
                   options_with([](device_options &o) { o.requests = 0; }));
}

SC_TEST(Construction, OnlyFeaturesThatExistMayBeOffered)
{
    ROWS("H-36", "FEAT-03");
    expect_refused(
        {"dut", "not implemented", "subset of vmmio_device_features()"},
        options_with([](device_options &o) { vmmio_features_add(&o.features, VMMIO_F_SR_IOV); }));
}

SC_TEST(Construction, RegionsMustNotOverlapWrapBeEmptyOrShareAnId)
{
    ROWS("H-45", "H-44");
    null_device dut("dut");
    unsigned char memory[16] = {};
    dut.add_region(0, 0x10000, 0x1000);
    expect_mistake({"dut", "region 1 at 0x10fff of 0x10 bytes", "overlap", "move one"},
                   [&] { dut.add_region(1, 0x10fff, 0x10); });
    expect_mistake({"dut", "region 1", "length 0", "leave it out"},
                   [&] { dut.add_region(1, 0x20000, 0); });
    expect_mistake({"dut", "region 1", "above 2^64", "lower"},
                   [&] { dut.add_region(1, ~0ull, 2); });
    expect_mistake({"dut", "region 0", "id exists already", "choose another"},
                   [&] { dut.add_region(0, 0x20000, 16); });
    expect_mistake({"dut", "region 1", "no memory", "give"},
                   [&] { dut.add_region(1, 0x20000, 16, nullptr); });
    for (std::uint8_t id = 1; id < VMMIO_SHM_REGIONS_MAX; id++)
        dut.add_region(id, 0x100000ull * id, sizeof(memory), memory);
    expect_mistake({"dut", "region 99", "at most"}, [&] { dut.add_region(99, 0, 16); });
}

SC_TEST(Construction, APmemRangeMustExist)
{
    ROWS("H-45", "PMEM-01");
    for (const pmem_range &bad : {range(0, 4096), range(at::shm, 0), range(~0ull, 2)})
        expect_mistake({"pmem", "range", "start and size"}, [&] { pmem_device pmem("pmem", bad); });
    pmem_range no_memory = range(at::shm, 4096);
    no_memory.memory = nullptr;
    expect_mistake({"pmem", "region 0", "no memory"}, [&] { pmem_device pmem("pmem", no_memory); });
}

SC_TEST(Construction, AnUnboundDmaSocketStopsElaborationWithItsName)
{
    ROWS("H-45");
    expect_error("complete binding failed", {"dut.dma"}, [] { elaborate_without(unbound::dma); });
}

SC_TEST(Construction, AnUnboundInterruptStopsElaborationWithItsName)
{
    ROWS("H-45");
    expect_error("complete binding failed", {"dut.interrupt"},
                 [] { elaborate_without(unbound::interrupt); });
}

SC_TEST(Construction, SharedMemoryOfADeviceWithoutRegionsMayStayUnbound)
{
    direct_platform p;
    p.run([&] {
        std::uint32_t magic = 0;
        EXPECT_EQ(p.cpu.load(0, &magic, 4), tlm::TLM_OK_RESPONSE);
        std::uint32_t zero = 0;
        EXPECT_EQ(p.cpu.store(VMMIO_REG_STATUS, &zero, 4), tlm::TLM_OK_RESPONSE);
        EXPECT_EQ(magic, 0x74726976u);
    });
}

SC_TEST(Construction, PartsHaveNamesThatTellTheirDevice)
{
    direct_platform p;
    EXPECT_STREQ(p.dut.registers.name(), "dut.registers");
    EXPECT_STREQ(p.dut.dma().name(), "dut.dma");
    EXPECT_STREQ(p.dut.shared_memory().name(), "dut.shared_memory");
    EXPECT_STREQ(p.dut.interrupt.name(), "dut.interrupt");
    EXPECT_TRUE(reports::get().seen().empty());
}

} // namespace vmmio::tb
