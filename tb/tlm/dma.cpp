// SPDX-License-Identifier: Apache-2.0
// DMA: by pointer and by transaction, over borders, and when the bus fails.
#include "platform.h"

namespace vmmio::tb
{

namespace
{

using bytes = std::vector<std::uint8_t>;

/// first, first + 1, ...
bytes count_from(std::uint8_t first, std::size_t length)
{
    bytes all(length);
    for (std::uint8_t &b : all)
        b = first++;
    return all;
}

struct entropy_platform : counting_source, platform<entropy_device> {
    explicit entropy_platform(const device_options &options = {})
        : entropy_platform(options, config())
    {
    }

private:
    entropy_platform(const device_options &options, const vmmio_entropy_config &source)
        : platform(options, &source)
    {
    }
};

/// Chains of several pieces in both RAMs, direct and indirect; every byte must be as foretold.
void fill_buffers(entropy_platform &p)
{
    const vmmio_features features = feature_set({VMMIO_F_VERSION_1, VMMIO_F_INDIRECT_DESC});
    p.go_live(features);
    const std::uint64_t far = at::other_ram + 0x100;
    std::uint8_t next = 1;
    const auto check = [&](const std::vector<piece> &pieces) {
        std::uint32_t total = 0;
        for (const piece &part : pieces) {
            EXPECT_EQ(p.memory.bytes(part.address, part.length), count_from(next, part.length));
            EXPECT_EQ(p.memory.load16(part.address + part.length), 0u) << "not beyond the end";
            next = static_cast<std::uint8_t>(next + part.length);
            total += part.length;
        }
        return total;
    };
    for (int round = 0; round < 3; round++) {
        p.memory.fill(far, 10000, 0);
        const std::vector<piece> direct = {
            p.writable(1), {far, 5000, true}, p.writable(300), {far + 6001, 999, true}};
        p.alloc(4);
        const used_entry used = p.exchange(direct);
        EXPECT_EQ(used.length, check(direct));

        p.memory.fill(far, 10000, 0);
        const std::vector<piece> indirect = {{far + 2, 4096, true}, p.writable(77)};
        const std::uint64_t table = round % 2 ? p.alloc(64) : far + 0x4000;
        p.memory.name(table, 32, may_read);
        p.queues[0]->offer(p.queues[0]->add_indirect(indirect, table));
        p.alloc(4);
        p.guest.kick(0);
        p.cpu.sync(ns(1000000));
        const std::optional<used_entry> second = p.queues[0]->reap();
        ASSERT_TRUE(second.has_value());
        EXPECT_EQ(second->length, check(indirect));
    }
    EXPECT_EQ(p.queues[0]->used_idx(), 6u);
}

} // namespace

SC_TEST(Dma, ByPointer)
{
    ROWS("SPLIT-36", "RNG-04");
    entropy_platform p;
    p.run([&] {
        fill_buffers(p);
        EXPECT_EQ(p.main.transactions + p.other.transactions, 0u);
        EXPECT_EQ(p.main.grants, 1u) << "one grant for all of a RAM";
    });
}

SC_TEST(Dma, ByTransactionGivesTheSameBytes)
{
    ROWS("SPLIT-36", "RNG-04");
    entropy_platform p;
    p.main.dmi = p.other.dmi = false;
    p.run([&] {
        fill_buffers(p);
        EXPECT_GT(p.main.transactions, 0u);
        EXPECT_GT(p.other.transactions, 0u);
        EXPECT_EQ(p.dut.dma_statistics().grants, 0u);
    });
}

SC_TEST(Dma, BothWaysMixedGiveTheSameBytes)
{
    entropy_platform p;
    p.other.dmi = false;
    p.run([&] {
        fill_buffers(p);
        EXPECT_EQ(p.main.transactions, 0u);
        EXPECT_GT(p.other.transactions, 0u);
    });
}

SC_TEST(Dma, PointersTakenBackInBetweenGiveTheSameBytes)
{
    ROWS("H-42");
    entropy_platform p;
    p.other.dmi = false;
    p.other.on_transaction = [&](tlm::tlm_generic_payload &) { p.main.invalidate(); };
    p.run([&] {
        fill_buffers(p);
        EXPECT_GE(p.main.grants, 6u) << "asked for again for each chain";
    });
}

SC_TEST(Dma, PointersThatAreTakenBackAreNotUsedAgain)
{
    ROWS("H-42");
    entropy_platform p;
    p.run([&] {
        p.go_live();
        p.exchange({p.writable(16)});
        EXPECT_EQ(p.main.transactions, 0u);
        p.main.dmi = false;
        p.main.invalidate();
        const used_entry used = p.exchange({p.writable(16)});
        EXPECT_EQ(used.length, 16u);
        EXPECT_GT(p.main.transactions, 0u);
    });
}

SC_TEST(Dma, MemoryThatOnlyMayBeReadByPointerIsWrittenByTransaction)
{
    entropy_platform p;
    p.main.dmi_writable = p.other.dmi_writable = false;
    p.run([&] {
        fill_buffers(p);
        EXPECT_GT(p.main.transactions, 0u);
        EXPECT_GT(p.main.grants, 0u);
    });
}

SC_TEST(Dma, AsksForPointersAgainWhenATargetOffersThem)
{
    entropy_platform p;
    p.main.dmi = false;
    p.run([&] {
        p.go_live();
        p.exchange({p.writable(16)});
        EXPECT_EQ(p.main.grants, 0u);
        p.main.dmi = true; // and says so in its next responses
        p.exchange({p.writable(16)});
        p.exchange({p.writable(16)});
        EXPECT_GT(p.main.grants, 0u);
    });
}

SC_TEST(Dma, NeverAsksForPointersIfToldSo)
{
    device_options options;
    options.use_dmi = false;
    entropy_platform p(options);
    p.run([&] {
        fill_buffers(p);
        EXPECT_EQ(p.main.grants + p.other.grants, 0u);
    });
}

SC_TEST(Dma, ABufferMayLieAcrossTwoTargets)
{
    ROWS("H-12");
    entropy_platform p;
    p.run([&] {
        p.go_live();
        for (const bool dmi : {true, false}) {
            p.main.dmi = p.other.dmi = dmi;
            p.main.invalidate();
            p.other.invalidate();
            p.memory.fill(at::other_ram - 100, 100, 0);
            p.memory.fill(at::other_ram, 100, 0);
            p.next = 1;
            // Named in two parts, since it lies in two memories of the guest.
            p.memory.name(at::other_ram - 20, 20, may_write);
            p.memory.name(at::other_ram, 30, may_write);
            const used_entry used = p.exchange({{at::other_ram - 20, 50, true}});
            EXPECT_EQ(used.length, 50u);
            EXPECT_EQ(p.memory.bytes(at::other_ram - 20, 20), count_from(1, 20));
            EXPECT_EQ(p.memory.bytes(at::other_ram, 30), count_from(21, 30));
            EXPECT_EQ(p.memory.load16(at::other_ram - 22), 0u);
            EXPECT_EQ(p.memory.load16(at::other_ram + 30), 0u);
        }
    });
}

SC_TEST(Dma, ABusErrorInAnyTransactionEndsInNeedsResetAndAResetHelps)
{
    ROWS("H-60", "STAT-11", "STAT-12");
    entropy_platform p;
    reports::get().expect("/vmmio/ring");
    reports::get().expect("/vmmio/driver"); // the late kick
    p.main.dmi = false;
    p.run([&] {
        const std::uint64_t table = p.alloc(32);
        const piece buffer = p.writable(16), second = p.writable(16);
        const std::uint64_t rings = p.alloc(1024);
        unsigned failures = 0;
        for (std::uint64_t k = 0; failures == k; k++) {
            ASSERT_TRUE(p.guest.negotiate(
                feature_set({VMMIO_F_VERSION_1, VMMIO_F_INDIRECT_DESC, VMMIO_F_EVENT_IDX})));
            p.memory.withdraw_all();
            p.memory.name(table, 32, may_read);
            virtqueue queue(p.memory, rings, 16);
            p.guest.enable_queue(0, queue);
            queue.offer(queue.add_indirect({buffer, second}, table));
            p.memory.fail_transaction(k);
            p.guest.start();
            p.cpu.sync(ns(1000));
            const std::uint32_t status = p.guest.status();
            if (!(status & VMMIO_STATUS_NEEDS_RESET)) {
                EXPECT_EQ(queue.used_idx(), 1u);
                break;
            }
            failures++;
            EXPECT_TRUE(status & VMMIO_STATUS_DRIVER_OK);
            EXPECT_TRUE(p.cpu.read(VMMIO_REG_INTERRUPT_STATUS) & VMMIO_INTERRUPT_CONFIG_CHANGE);
            EXPECT_TRUE(p.irq.read());
            const std::uint64_t before = p.main.transactions;
            p.guest.kick(0);
            EXPECT_EQ(p.main.transactions, before) << "the queue is left alone";
        }
        EXPECT_GE(failures, 8u) << "index, head, descriptors, data, used entry, index, event";
    });
}

SC_TEST(Dma, AnAddressThatNobodyDecodesIsABusError)
{
    ROWS("H-12", "H-19");
    entropy_platform p;
    reports::get().expect("/vmmio/ring");
    p.run([&] {
        p.go_live();
        p.offer({{0x1000, 16, true}});
        p.cpu.sync(ns(1000));
        EXPECT_TRUE(p.guest.status() & VMMIO_STATUS_NEEDS_RESET);
        EXPECT_EQ(p.dut.diagnostics(VMMIO_DIAG_BUFFER_DMA), 1u);
    });
}

SC_TEST(Dma, ATargetThatThrowsIsABusError)
{
    ROWS("H-60");
    entropy_platform p;
    reports::get().expect("/vmmio/ring");
    reports::get().expect("/vmmio/dma");
    p.main.dmi = false;
    p.run([&] {
        for (int kind = 0; kind < 3; kind++) {
            p.main.on_transaction = nullptr;
            p.go_live();
            EXPECT_EQ(p.exchange({p.writable(16)}).length, 16u);
            p.main.on_transaction = [kind](tlm::tlm_generic_payload &) {
                if (kind == 0)
                    throw std::runtime_error("out of order");
                if (kind == 1)
                    SC_REPORT_ERROR("/foreign", "out of order too");
                throw kind;
            };
            p.offer({p.writable(16)});
            p.cpu.sync(ns(1000));
            EXPECT_TRUE(p.guest.status() & VMMIO_STATUS_NEEDS_RESET) << kind;
        }
        EXPECT_EQ(reports::get().count("out of order"), 2u);
        EXPECT_EQ(reports::get().count("/vmmio/dma"), 3u);
    });
}

SC_TEST(Dma, ATargetThatThrowsWhenAskedForAPointerIsUsedByTransaction)
{
    entropy_platform p;
    reports::get().expect("/vmmio/dma");
    p.main.on_dmi = [] { throw std::runtime_error("no such thing"); };
    p.run([&] {
        p.go_live();
        EXPECT_EQ(p.exchange({p.writable(16)}).length, 16u);
        EXPECT_GE(reports::get().count("dut.dma: the target threw: no such thing"), 1u);
    });
}

SC_TEST(Dma, ATargetThatAlwaysThrowsDoesNotFillTheLog)
{
    ROWS("H-38");
    entropy_platform p;
    reports::get().expect("/vmmio/ring");
    reports::get().expect("/vmmio/dma");
    p.main.dmi = false;
    p.run([&] {
        p.main.on_transaction = [](tlm::tlm_generic_payload &) {
            throw std::runtime_error("out of order");
        };
        const std::uint64_t rings = p.alloc(1024);
        for (int i = 0; i < 1000; i++) {
            ASSERT_TRUE(p.guest.negotiate(feature_set({VMMIO_F_VERSION_1})));
            virtqueue queue(p.memory, rings, 16);
            p.guest.enable_queue(0, queue);
            p.guest.start();
        }
        EXPECT_LE(reports::get().count("/vmmio/dma"), 16u);
    });
}

} // namespace vmmio::tb
