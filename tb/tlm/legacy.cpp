// SPDX-License-Identifier: Apache-2.0
// The legacy register layout behind TLM sockets.
#include "platform.h"

namespace vmmio::tb
{

namespace
{

constexpr std::uint32_t page = 4096;

device_options legacy_layout(bool use_dmi = true)
{
    device_options options;
    options.legacy = true;
    options.use_dmi = use_dmi;
    return options;
}

/// Initialisation without FEATURES_OK, and a queue by its page number (3.1.2, 4.2.4).
void go_live(surroundings &p, std::uint32_t size)
{
    const std::uint64_t desc = p.alloc(4 * page, page);
    const std::uint64_t driver = desc + 16 * size;
    const std::uint64_t device = (driver + 6 + 2 * size + page - 1) / page * page;
    p.queues.push_back(std::make_unique<virtqueue>(p.memory, desc, driver, device, size));
    p.guest.reset();
    p.guest.add_status(VMMIO_STATUS_ACKNOWLEDGE);
    p.guest.add_status(VMMIO_STATUS_DRIVER);
    p.cpu.write(VMMIO_REG_GUEST_PAGE_SIZE, page);
    p.cpu.write(VMMIO_REG_QUEUE_SEL, 0);
    p.cpu.write(VMMIO_REG_QUEUE_SIZE, size);
    p.cpu.write(VMMIO_REG_QUEUE_ALIGN, page);
    p.cpu.write(VMMIO_REG_QUEUE_PFN, static_cast<std::uint32_t>(desc / page));
    p.guest.start();
}

template <bool UseDmi>
void serve_a_legacy_driver()
{
    counting_source source;
    const vmmio_entropy_config config = source.config();
    platform<entropy_device> p(legacy_layout(UseDmi), &config);
    p.run([&] {
        EXPECT_EQ(p.cpu.read(VMMIO_REG_VERSION), 1u);
        go_live(p, 64);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_STATUS), 0x07u);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_QUEUE_PFN), p.queues[0]->desc / page);
        const piece buffer = p.writable(100);
        EXPECT_EQ(p.exchange({buffer}).length, 100u);
        EXPECT_EQ(p.memory.bytes(buffer.address + 97, 3), (std::vector<std::uint8_t>{98, 99, 100}));
        EXPECT_EQ(p.cpu.read(VMMIO_REG_INTERRUPT_STATUS), 1u);
        p.guest.reset();
        EXPECT_EQ(p.cpu.read(VMMIO_REG_QUEUE_PFN), 0u);
    });
}

SC_TEST(Legacy, ServesADriverByPointer)
{
    ROWS("MMIOL-01", "MMIOL-07", "MMIOL-09", "MMIOL-12", "INIT-L1");
    serve_a_legacy_driver<true>();
}

SC_TEST(Legacy, ServesADriverByTransactions)
{
    ROWS("MMIOL-12", "SPLIT-L1");
    serve_a_legacy_driver<false>();
}

SC_TEST(Legacy, IsAnErrorForTypesWithoutIt)
{
    ROWS("FEAT-L4");
    static unsigned char memory[page];
    expect_mistake({"pmem", "has no legacy interface"}, [] {
        pmem_device pmem("pmem", {0x80000000, sizeof memory, memory, {}}, legacy_layout());
    });
}

} // namespace

} // namespace vmmio::tb
