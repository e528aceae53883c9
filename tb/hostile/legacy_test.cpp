/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A seeded random driver of the legacy interface: any register, any value, any bytes where the
 * rings are. VMMIO_SEED chooses another run; a failure prints the seed that repeats it.
 */
#include "legacy_driver.h"
#include "seed.h"

#include <random>

namespace vmmio::tb
{
namespace
{

class legacy_attacker : public ::testing::TestWithParam<dma_mode>
{
protected:
    static constexpr uint32_t page = 4096, pages = 16;

    struct place {
        uint64_t desc;
        uint32_t size;
    };

    legacy_attacker() : random(seed())
    {
        r.memory.judge(false);
        r.memory.on_transaction = [this](const dma_access &) {
            if (!inside && one_in(8)) {
                inside = true;
                step();
                inside = false;
            }
        };
        function.on_request = [this](vmmio_request *request) {
            served++;
            uint8_t data[16] = {};
            vmmio_request_read(request, below(20), data, below(sizeof(data)));
            vmmio_request_write(request, below(20), data, below(sizeof(data)));
            if (one_in(4) && function.held.size() < 4)
                function.held.push_back(request);
            else
                vmmio_request_complete(request, below(100));
        };
    }

    static rig_options options()
    {
        rig_options o;
        o.mode = GetParam();
        o.requests = 5;
        o.legacy = true;
        return o;
    }

    uint32_t any() { return static_cast<uint32_t>(random()); }
    uint32_t below(size_t limit) { return static_cast<uint32_t>(random() % limit); }
    bool one_in(uint32_t n) { return below(n) == 0; }

    uint32_t interesting()
    {
        static const uint32_t values[] = {0,  1,    2,    3,    4,     7,          8,         0xf,
                                          16, 4096, 4097, 0x40, 65536, 0x80000000, 0xffffffff};
        if (one_in(3))
            return static_cast<uint32_t>(base / page) + below(pages);
        return one_in(6) ? any() : values[below(std::size(values))];
    }

    void write_descriptor()
    {
        const uint64_t at = places[below(2)].desc + 16 * below(8);
        r.memory.store64(at, one_in(20) ? any() : base + below(pages * page - 4096));
        r.memory.store32(at + 8, one_in(20) ? any() : 16 * below(8));
        r.memory.store16(at + 12,
                         static_cast<uint16_t>(one_in(3) ? below(8) : unsigned{VMMIO_DESC_WRITE}));
        r.memory.store16(at + 14, static_cast<uint16_t>(below(10)));
    }

    void offer()
    {
        const place &p = places[below(2)];
        const uint64_t avail = p.desc + 16 * p.size;
        const uint16_t more = static_cast<uint16_t>(one_in(50) ? any() : below(4));
        for (uint32_t i = 0; i < p.size; i++)
            r.memory.store16(avail + 4 + 2 * i, static_cast<uint16_t>(below(one_in(50) ? 300 : 8)));
        r.memory.store16(avail + 2, static_cast<uint16_t>(r.memory.load16(avail + 2) + more));
    }

    void start_a_queue()
    {
        static const uint32_t sizes[] = {8, 16, 256}, aligns[] = {4, 16, 64, 4096};
        const uint32_t queue = below(2);
        place &p = places[queue];
        p = {base + page * below(pages - 3), sizes[below(std::size(sizes))]};
        r.write(VMMIO_REG_GUEST_PAGE_SIZE, page);
        r.write_queue(queue, VMMIO_REG_QUEUE_PFN, 0);
        r.memory.fill(p.desc, 3 * page, 0);
        r.write(VMMIO_REG_QUEUE_SIZE, p.size);
        r.write(VMMIO_REG_QUEUE_ALIGN, aligns[below(std::size(aligns))]);
        r.write(VMMIO_REG_QUEUE_PFN, static_cast<uint32_t>(p.desc / page));
    }

    void complete_held()
    {
        while (!function.held.empty()) {
            vmmio_request *request = function.held.back();
            function.held.pop_back();
            vmmio_request_complete(request, below(100));
        }
    }

    void step()
    {
        switch (below(12)) {
        case 0:
            r.write(below(0x110) & ~3u, interesting(), one_in(10) ? 1u << below(3) : 4);
            break;
        case 1:
            r.read(below(0x120), one_in(10) ? below(9) : 4);
            break;
        case 2:
            if (one_in(4))
                start_a_queue();
            break;
        case 3:
        case 4:
            offer();
            r.guest.kick(below(3));
            break;
        case 5:
        case 6:
            vmmio_device_run(&r.device, below(20));
            break;
        case 7:
            complete_held();
            break;
        case 8:
            if (one_in(10) || r.guest.status() & (VMMIO_STATUS_NEEDS_RESET | VMMIO_STATUS_FAILED)) {
                driver.begin(one_in(2) ? any() : 0);
                start_a_queue();
            }
            break;
        case 9:
            if (one_in(20))
                r.memory.fail_transaction(below(10));
            r.guest.acknowledge(any());
            break;
        default:
            write_descriptor();
        }
        EXPECT_EQ(r.line, vmmio_device_interrupt(&r.device));
    }

    /* Whatever happened, a reset and an honest driver work. */
    void recover()
    {
        inside = true; /* no more attacks */
        r.memory.fail_none();
        driver.begin();
        complete_held();
        r.queues.clear();
        r.queues.push_back(
            std::make_unique<virtqueue>(r.memory, ring.desc, ring.driver, ring.device, ring.size));
        r.memory.fill(ring.desc, ring.device + ring.device_bytes() - ring.desc, 0);
        driver.enable(0, r.queue(0));
        r.guest.start();
        const auto hostile_function = function.on_request;
        function.on_request = [](vmmio_request *request) { vmmio_request_complete(request, 7); };
        const auto used = r.exchange({{buffer, 64, true}});
        function.on_request = hostile_function;
        ASSERT_TRUE(used);
        EXPECT_EQ(used->length, 7u);
        r.guest.reset();
        r.memory.withdraw_all();
        r.memory.log.clear();
        r.forget();
        r.edges.clear();
        inside = false;
    }

    std::mt19937 random;
    test_function function{2};
    rig r{function.function(), options()};
    legacy_driver driver{r};
    uint64_t base = r.alloc(pages * page, page);
    virtqueue ring = driver.lay_out(8);
    uint64_t buffer = r.alloc(64);
    place places[2] = {{base, 8}, {base, 8}};
    bool inside = false;
    uint64_t served = 0;
};

INSTANTIATE_TEST_SUITE_P(memory, legacy_attacker, every_dma_mode(), dma_mode_name);

TEST_P(legacy_attacker, leaves_a_device_that_works_after_a_reset)
{
    ROWS("H-21", "H-33", "MMIOL-07", "MMIOL-09", "INIT-L3");
    SCOPED_TRACE("VMMIO_SEED=" + std::to_string(seed()));
    for (int round = 0; round < 100 && !HasFailure(); round++) {
        for (int i = 0; i < 1000; i++)
            step();
        recover();
    }
    EXPECT_GT(served, 5000u) << "the attacker never got anywhere";
}

} // namespace
} // namespace vmmio::tb
