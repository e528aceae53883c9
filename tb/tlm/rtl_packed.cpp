// SPDX-License-Identifier: Apache-2.0
// Packed rings behind the Verilog registers, of sizes that are no power of 2.
#include "packed_driver.h"
#include "platform.h"

namespace vmmio::rtl_sets
{
extern const rtl_set packed_100; // tb/tlm/CMakeLists.txt
}

namespace vmmio::tb
{

namespace
{

using packed_platform = platform<vmmio::entropy_device>;

constexpr std::uint32_t size_max = 100;

vmmio::device_options packed_options(bool lockstep)
{
    rtl_options verilog;
    verilog.sets = {&rtl_sets::packed_100};
    verilog.lockstep = lockstep;
    vmmio::device_options options;
    options.form = rtl_form(verilog);
    options.queue_size_max = size_max;
    vmmio_features_add(&options.features, VMMIO_F_RING_PACKED);
    return options;
}

/// Four laps of a ring of this size, in buffers of 7 descriptors that are filled with 1, 2, 3, ...
void run_laps(packed_platform &p, std::uint32_t size, std::uint8_t &next)
{
    packed_queue ring(p.memory, p.alloc(16ull * size + 64), size);
    std::vector<piece> list;

    p.guest.enable_queue(0, ring);
    ASSERT_EQ(p.cpu.read(VMMIO_REG_QUEUE_READY), 1u);
    for (unsigned i = 0; i < 7; i++)
        list.push_back(p.writable(i + 1));
    for (unsigned request = 0; request < 4 * size / 7; request++) {
        const std::uint16_t id = ring.offer(list);
        p.guest.kick(0);
        p.cpu.sync(ns(10000));
        const std::optional<packed_used> used = ring.reap();
        ASSERT_TRUE(used) << "request " << request;
        EXPECT_EQ(used->id, id);
        EXPECT_TRUE(used->written);
        EXPECT_EQ(used->length, 28u);
        for (const piece &each : list)
            for (const std::uint8_t byte : p.memory.bytes(each.address, each.length))
                ASSERT_EQ(byte, next++) << "request " << request;
        EXPECT_EQ(p.guest.interrupts(), std::uint32_t{VMMIO_INTERRUPT_USED_BUFFER});
        p.guest.acknowledge(VMMIO_INTERRUPT_USED_BUFFER);
    }
}

/// QueueReady after an attempt with a ring of this size, its driver area moved by so many bytes.
std::uint32_t ready_with(packed_platform &p, std::uint32_t size, std::uint64_t moved = 0)
{
    const std::uint64_t base = at::ram;
    p.guest.enable_queue(0, {base, base + 0x1000 + moved, base + 0x2000, size});
    const std::uint32_t ready = p.cpu.read(VMMIO_REG_QUEUE_READY);
    p.cpu.write(VMMIO_REG_QUEUE_READY, 0);
    return ready;
}

void move_requests(bool lockstep)
{
    counting_source source;
    const vmmio_entropy_config config = source.config();
    packed_platform p(packed_options(lockstep), &config);
    reports::get().expect("/vmmio/driver");
    p.run([&] {
        std::uint8_t next = 1;
        ASSERT_TRUE(p.guest.negotiate(
            feature_set({VMMIO_F_VERSION_1, VMMIO_F_RING_PACKED, VMMIO_F_RING_RESET})));
        EXPECT_EQ(p.cpu.read(VMMIO_REG_QUEUE_SIZE_MAX), size_max);
        EXPECT_EQ(ready_with(p, size_max + 1), 0u);
        EXPECT_EQ(ready_with(p, 0), 0u);
        EXPECT_EQ(ready_with(p, 64, 2), 0u) << "PACK-23";
        EXPECT_EQ(p.dut.diagnostics(VMMIO_DIAG_QUEUE_SIZE_BAD), 2u);
        EXPECT_EQ(p.dut.diagnostics(VMMIO_DIAG_QUEUE_ADDRESS_BAD), 1u);
        p.guest.start();
        for (const std::uint32_t size : {100u, 7u, 64u, 99u}) {
            run_laps(p, size, next);
            p.cpu.write(VMMIO_REG_QUEUE_RESET, 1);
            EXPECT_EQ(p.cpu.read(VMMIO_REG_QUEUE_READY), 0u);
        }

        ASSERT_TRUE(p.guest.negotiate(feature_set({VMMIO_F_VERSION_1})));
        EXPECT_EQ(ready_with(p, size_max), 0u) << "a split ring";
        EXPECT_EQ(ready_with(p, 64, 2), 1u);
    });
}

} // namespace

SC_TEST(RtlPackedRing, MovesRequestsInRingsOfAnySize)
{
    ROWS("PACK-01", "PACK-23", "SPLIT-02", "SPLIT-03", "MMIO-QSZMAX-01", "MMIO-DRV-16");
    move_requests(false);
}

SC_TEST(LockstepPackedRing, MovesRequestsInRingsOfAnySize)
{
    ROWS("PACK-01", "PACK-23");
    move_requests(true);
}

} // namespace vmmio::tb
