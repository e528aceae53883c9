/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A seeded random driver that does anything at any time, also from inside the device's own
 * accesses. VMMIO_SEED chooses another run; a failure prints the seed that repeats it.
 */
#include "rig.h"
#include "seed.h"

#include <random>

namespace vmmio::tb
{
namespace
{

class attacker : public ::testing::TestWithParam<dma_mode>
{
protected:
    static constexpr uint32_t size = 8;
    static constexpr int places = 4, buffers = 24;

    attacker() : random(seed())
    {
        function.config = {1, 2, 3, 4, 5, 6, 7, 8};
        function.use_config();
        function.on_request = [this](vmmio_request *request) { serve(request); };
        function.on_config_write = [](uint32_t at, const uint8_t *, uint32_t) { return at == 0; };
        function.on_reset = [this] {
            if (one_in(2))
                complete_held();
        };
        rig_options options;
        options.mode = GetParam();
        options.requests = 5;
        options.queue_size_max = 64;
        r = std::make_unique<rig>(function.function(), options);
        for (int i = 0; i < places; i++)
            rings.push_back(r->make_queue(size));
        for (int i = 0; i < buffers; i++)
            pool.push_back({r->alloc(64), 64, true});
        pool.push_back({0xdead0000, 64, true}); /* nothing there */
        pool.push_back({registers_base, 64, true});
        for (int i = 0; i < places; i++)
            tables.push_back({r->alloc(16 * size), 16 * size, false});
        honest_base = r->alloc(32 * size);
        name_everything();
        r->memory.on_transaction = [this](const dma_access &) {
            if (!inside && one_in(8)) {
                inside = true;
                step();
                inside = false;
            }
        };
        r->memory.add_registers(
            registers_base, 0x200,
            [this](uint64_t offset, void *data, uint32_t length) {
                std::fill_n(static_cast<uint8_t *>(data), length, uint8_t{0});
                r->read(static_cast<uint32_t>(offset), std::min(length, 4u));
            },
            [this](uint64_t offset, const void *, uint32_t length) {
                r->write(static_cast<uint32_t>(offset), any(), std::min(length, 4u));
            });
    }

    uint32_t any() { return static_cast<uint32_t>(random()); }
    uint32_t below(size_t limit) { return static_cast<uint32_t>(random() % limit); }
    bool one_in(uint32_t n) { return below(n) == 0; }

    void name_everything()
    {
        r->memory.withdraw_all();
        for (const virtqueue &q : rings) {
            r->memory.name(q.desc, q.desc_bytes(), may_read);
            r->memory.name(q.driver, q.driver_bytes(), may_read);
            r->memory.name(q.device, q.device_bytes(), may_write);
        }
        for (const piece &p : pool)
            r->memory.name(p.address, p.length, may_read | may_write);
        for (const piece &t : tables)
            r->memory.name(t.address, t.length, may_read);
    }

    void serve(vmmio_request *request)
    {
        uint8_t data[32] = {0x5a};
        vmmio_request_read(request, below(40), data, below(sizeof(data)));
        vmmio_request_write(request, below(40), data, below(sizeof(data)));
        if (one_in(4) && function.held.size() < 4)
            function.held.push_back(request);
        else if (one_in(50))
            vmmio_request_fail(request, VMMIO_DIAG_SOURCE_EMPTY, 0);
        else
            vmmio_request_complete(request, below(100));
    }

    void complete_held()
    {
        while (!function.held.empty()) {
            const size_t i = below(function.held.size());
            vmmio_request *request = function.held[i];
            function.held.erase(function.held.begin() + static_cast<long>(i));
            vmmio_request_complete(request, below(100));
        }
    }

    /* Addresses are known ones, so that the monitor knows what was named; the rest is any. */
    void write_descriptor(uint64_t at)
    {
        const unsigned flags = one_in(20)  ? any()
                               : one_in(3) ? below(8)
                                           : unsigned{VMMIO_DESC_WRITE};
        const bool indirect = (flags & VMMIO_DESC_INDIRECT) != 0;
        const piece &p = indirect ? tables[below(tables.size())] : pool[below(pool.size())];
        const uint32_t start = one_in(3) ? below(p.length) : 0;
        const uint32_t length = one_in(8) ? 0 : p.length - start;
        r->memory.store64(at, p.address + start);
        r->memory.store32(at + 8, length);
        r->memory.store16(at + 12, static_cast<uint16_t>(flags));
        r->memory.store16(at + 14, static_cast<uint16_t>(one_in(20) ? any() : below(size)));
    }

    void write_a_descriptor()
    {
        if (one_in(3)) { /* in an indirect table */
            write_descriptor(tables[below(tables.size())].address + 16 * below(size));
        } else {
            write_descriptor(rings[below(places)].desc + 16 * below(size));
        }
    }

    void offer_something()
    {
        virtqueue &q = rings[below(places)];
        const uint16_t count = static_cast<uint16_t>(one_in(100) ? any() : below(4));
        for (uint32_t i = 0; i < size; i++)
            if (one_in(2))
                r->memory.store16(q.driver + 4 + 2 * i,
                                  static_cast<uint16_t>(one_in(50) ? any() : below(size)));
        q.set_used_event(static_cast<uint16_t>(q.used_idx() + below(4)));
        r->memory.store16(q.driver, static_cast<uint16_t>(below(2)));
        q.avail_idx = static_cast<uint16_t>(r->memory.load16(q.driver + 2) + count);
        q.publish();
    }

    /* Most of the time a device that is reset for ever learns nothing: initialise it properly. */
    void initialise()
    {
        vmmio_features wanted = r->guest.offered();
        wanted.word[0] &= any() | 0x10000000;
        wanted.word[1] &= any() | 1;
        r->guest.negotiate(wanted);
        for (uint32_t i = 0; i < 2; i++) {
            virtqueue &q = rings[2 * i + below(2)];
            r->memory.fill(q.driver, q.driver_bytes(), 0);
            r->guest.enable_queue(i, q);
        }
        r->guest.start();
    }

    uint32_t interesting()
    {
        static const uint32_t values[] = {0,    1,    2,    3,       7,          8,
                                          0xb,  0xf,  0x1f, 0x40,    0x80,       0x8f,
                                          0xff, 0x10, 256,  0x10000, 0x80000000, 0xffffffff};
        if (one_in(3)) {
            const virtqueue &q = rings[below(places)];
            const uint64_t parts[] = {q.desc, q.driver, q.device};
            return static_cast<uint32_t>(parts[below(3)]);
        }
        return one_in(4) ? any() : values[below(std::size(values))];
    }

    /* Where the monitor judges, rings stay in the places that it knows. */
    void write_any_register()
    {
        uint32_t offset = below(0x110);
        if (!one_in(10))
            offset &= ~3u;
        const bool moves_a_ring =
            offset == VMMIO_REG_QUEUE_SIZE ||
            (offset >= VMMIO_REG_QUEUE_DESC_LOW && offset < VMMIO_REG_SHM_SEL);
        if (moves_a_ring && !anarchy)
            return;
        if (offset == VMMIO_REG_STATUS && !one_in(10))
            return;
        r->write(offset, interesting(), one_in(10) ? 1u << below(3) : 4);
    }

    void step()
    {
        switch (below(16)) {
        case 0:
        case 1:
            write_any_register();
            break;
        case 2:
            r->read(one_in(10) ? any() : below(0x120), one_in(10) ? below(9) : 4);
            break;
        case 3:
        case 4:
        case 5:
            write_a_descriptor();
            break;
        case 6:
        case 7:
        case 8:
            offer_something();
            r->guest.kick(below(2));
            break;
        case 9:
        case 10:
        case 11:
            vmmio_device_run(&r->device, below(20));
            break;
        case 12:
            complete_held();
            break;
        case 13:
            function.config[below(8)]++;
            vmmio_device_config_changed(&r->device);
            break;
        case 14:
            if (one_in(20))
                r->memory.fail_transaction(below(10));
            if (one_in(200))
                vmmio_device_needs_reset(&r->device);
            r->guest.acknowledge(any());
            break;
        default:
            if (one_in(10))
                initialise();
        }
        if (!vmmio_block_live(&r->device.block) && one_in(4))
            initialise();
        EXPECT_EQ(r->line, vmmio_device_interrupt(&r->device));
    }

    /* Whatever happened, a reset and an honest driver work. */
    void recover()
    {
        inside = true; /* no more attacks */
        r->memory.fail_none();
        complete_held();
        ASSERT_TRUE(r->guest.negotiate(feature_set({VMMIO_F_VERSION_1})));
        complete_held();
        virtqueue honest(r->memory, honest_base, size);
        r->guest.enable_queue(0, honest);
        r->guest.start();
        const auto hostile_function = function.on_request;
        function.on_request = [](vmmio_request *request) { vmmio_request_complete(request, 0); };
        honest.offer(honest.add({{pool[0].address, 64, true}}));
        r->guest.kick(0);
        r->run();
        EXPECT_EQ(honest.used_idx(), 1u);
        function.on_request = hostile_function;
        r->guest.reset();
        ASSERT_EQ(r->guest.status(), 0u);
        name_everything();
        r->memory.log.clear();
        r->forget();
        r->edges.clear();
        inside = false;
    }

    void attack()
    {
        SCOPED_TRACE("VMMIO_SEED=" + std::to_string(seed()));
        RecordProperty("seed", std::to_string(seed()));
        uint64_t served = 0;
        const auto inner = function.on_request;
        function.on_request = [&](vmmio_request *request) {
            served++;
            inner(request);
        };
        const bool slow = GetParam() == dma_mode::fleeting || GetParam() == dma_mode::whole;
        const uint64_t rounds = slow ? 100 : 1000;
        for (uint64_t round = 0; round < rounds && !HasFailure(); round++) {
            for (int i = 0; i < 1000; i++)
                step();
            recover();
        }
        function.on_request = inner;
        EXPECT_GT(served, 50 * rounds) << "the attacker never got anywhere";
    }

    std::mt19937 random;
    test_function function;
    std::unique_ptr<rig> r;
    std::vector<virtqueue> rings;
    uint64_t honest_base;
    std::vector<piece> pool, tables;
    bool inside = false;
    bool anarchy = false;
};

INSTANTIATE_TEST_SUITE_P(memory, attacker, every_dma_mode(), dma_mode_name);

TEST_P(attacker, touches_nothing_that_it_did_not_name)
{
    ROWS("H-01", "H-16", "H-20", "H-25", "H-30", "H-33", "H-35", "H-60", "SPLIT-10", "SPLIT-12",
         "SPLIT-25");
    attack();
    const std::vector<uint8_t> ram = r->memory.bytes(ram_base, ram_size);
    std::vector<bool> named(ram_size, false);
    const auto mark = [&named](uint64_t address, uint64_t length) {
        if (address >= ram_base && address < ram_base + ram_size)
            std::fill_n(named.begin() + static_cast<long>(address - ram_base), length, true);
    };
    for (const virtqueue &q : rings)
        mark(q.desc, q.device + q.device_bytes() - q.desc);
    for (const std::vector<piece> &list : {pool, tables})
        for (const piece &p : list)
            mark(p.address, p.length);
    mark(honest_base, 32 * size);
    for (uint64_t i = 0; i < ram_size; i++)
        ASSERT_TRUE(named[i] || ram[i] == 0) << "stray write at offset " << i;
}

TEST_P(attacker, survives_rings_anywhere)
{
    ROWS("H-19", "H-21", "H-22", "H-33", "H-35");
    anarchy = true;
    r->memory.judge(false);
    attack();
}

} // namespace
} // namespace vmmio::tb
