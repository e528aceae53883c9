/* SPDX-License-Identifier: Apache-2.0 */
/* The shared memory registers. Each access goes to both forms. */
#include "pair.h"
#include "rows.h"

#include <map>
#include <string>

namespace vmmio::tb
{
namespace
{

struct shown {
    uint64_t length, base;
    bool operator==(const shown &o) const { return length == o.length && base == o.base; }
};

constexpr shown none = {~0ull, ~0ull};

shown show(pair &p)
{
    const uint64_t length = p.read(VMMIO_REG_SHM_LEN_LOW);
    const uint64_t length_high = p.read(VMMIO_REG_SHM_LEN_HIGH);
    const uint64_t base = p.read(VMMIO_REG_SHM_BASE_LOW);
    return {length_high << 32 | length, uint64_t{p.read(VMMIO_REG_SHM_BASE_HIGH)} << 32 | base};
}

shown select(pair &p, uint32_t id)
{
    p.write(VMMIO_REG_SHM_SEL, id);
    return show(p);
}

TEST(shm, every_id_and_no_other)
{
    ROWS("SHM-01", "MMIO-SHM-01", "MMIO-SHM-02", "MMIO-SHM-03", "MMIO-SHM-04", "MMIO-SHM-05",
         "MMIO-SHM-06", "MMIO-SHM-07", "A-SHM-1", "A-SHM-2", "A-SHM-7", "A-SHM-8", "H-30");
    static const uint8_t ids[8] = {0, 1, 2, 7, 0x40, 0x80, 0xfe, 0xff};
    std::map<uint32_t, shown> regions;
    pair p;

    for (unsigned i = 0; i < region_count; i++) {
        const shown region = {0x100001000u + i, 0xfedc00000000u + 0x1000000000u * i};
        ASSERT_TRUE(p.set_region({ids[i], region.base, region.length}));
        regions[ids[i]] = region;
    }
    for (uint32_t id = 0; id < 256; id++) {
        const auto region = regions.find(id);
        EXPECT_TRUE(select(p, id) == (region == regions.end() ? none : region->second)) << id;
    }
    for (unsigned bit = 8; bit < 32; bit++)
        for (const uint8_t id : ids)
            EXPECT_TRUE(select(p, (1u << bit) + id) == none) << bit;
    for (unsigned i = 0; i < 64; i++) {
        const uint32_t id = static_cast<uint32_t>(p.random());
        EXPECT_TRUE(id < 256 || select(p, id) == none) << id;
    }
}

TEST(shm, follows_region_0_before_the_first_select_and_after_a_reset)
{
    ROWS("A-SHM-3", "A-SHM-6", "MMIO-SHM-08");
    const shown first = {0x2000, 0x1000}, second = {0x3000, 0x80000000000};
    pair p;

    EXPECT_TRUE(show(p) == none);
    EXPECT_EQ(p.set_region({0, second.base, 1}), region_count != 0);
    if (region_count == 0)
        return; // the table refuses every region
    p.set_region({0, first.base, first.length});
    EXPECT_TRUE(show(p) == first);
    p.set_region({0, second.base, second.length});
    EXPECT_TRUE(show(p) == second);
    EXPECT_TRUE(select(p, 5) == none);
    p.set_region({0, first.base, first.length});
    EXPECT_TRUE(show(p) == none);
    p.write(VMMIO_REG_STATUS, 0);
    EXPECT_TRUE(show(p) == first);
    p.remove_region(0);
    EXPECT_TRUE(show(p) == first); // from now on the driver asks
    p.write(VMMIO_REG_STATUS, 0);
    EXPECT_TRUE(show(p) == none);
}

TEST(shm, a_change_between_the_four_reads_tears_nothing)
{
    ROWS("A-SHM-4", "A-SHM-5");
    const shown first = {0x111111112222, 0x333333334444}, other = {0x5555, 0x666666666666};

    for (unsigned change_before = 0; change_before < 4; change_before++)
        for (const bool remove : {false, true}) {
            pair p;
            uint32_t half[4];
            EXPECT_EQ(p.set_region({3, first.base, first.length}), region_count != 0);
            if (region_count == 0) {
                EXPECT_TRUE(select(p, 3) == none);
                continue;
            }
            p.write(VMMIO_REG_SHM_SEL, 3);
            for (unsigned i = 0; i < 4; i++) {
                for (unsigned times = 0; i == change_before && times < 5; times++)
                    p.set_region({3, other.base + times, other.length});
                if (i == change_before && remove)
                    p.remove_region(3);
                half[i] = p.read(VMMIO_REG_SHM_LEN_LOW + 4 * i);
            }
            EXPECT_EQ(half[0] | uint64_t{half[1]} << 32, first.length);
            EXPECT_EQ(half[2] | uint64_t{half[3]} << 32, first.base);
            EXPECT_TRUE(select(p, 3) == (remove ? none : shown{other.length, other.base + 4}));
        }
}

TEST(shm, shared_memory_is_latched_whole)
{
    ROWS("MMIO-SHM-01", "MMIO-SHM-02", "MMIO-SHM-03", "MMIO-SHM-04", "MMIO-SHM-05", "MMIO-SHM-06");
    pair p;
    const auto show = [&p] {
        for (const uint32_t at : {VMMIO_REG_SHM_LEN_LOW, VMMIO_REG_SHM_LEN_HIGH,
                                  VMMIO_REG_SHM_BASE_LOW, VMMIO_REG_SHM_BASE_HIGH})
            p.read(at);
    };

    show();
    p.set_region({0, 0x123456789abcd000, 0xfedcba9876});
    show(); // followed: SHMSel was never written
    p.remove_region(0);
    show();
    for (unsigned i = 0; i < region_count; i++)
        EXPECT_TRUE(p.set_region({static_cast<uint8_t>(37 * i), 0x100000000ull * (i + 1), 0x1001}));
    for (const uint32_t sel : {0u, 37u, 74u, 259u, 256u, 0x10000u, 0x80000000u, ~0u, 0u}) {
        p.write(VMMIO_REG_SHM_SEL, sel);
        show();
        for (unsigned change = 1; change < 9; change++) { // the latch must not move
            p.set_region({0, 0x4000000000u + change * 0x10000u, 0x2000u + change});
            show();
        }
        p.remove_region(0);
        show();
        p.set_region({0, 0x5000000000, 0x3000});
        show();
    }
    p.write(VMMIO_REG_STATUS, 0);
    show();
}

} // namespace
} // namespace vmmio::tb
