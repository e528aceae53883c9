/* SPDX-License-Identifier: Apache-2.0 */
/* The shared memory registers (2.10, 4.2.2). */
#include "rig.h"

#include <algorithm>

namespace vmmio::tb
{
namespace
{

constexpr uint64_t absent = UINT64_MAX;

class shm : public ::testing::Test
{
protected:
    void select(uint32_t sel) { r.write(0x0ac, sel); }
    uint64_t length() { return r.read(0x0b0) | static_cast<uint64_t>(r.read(0x0b4)) << 32; }
    uint64_t base() { return r.read(0x0b8) | static_cast<uint64_t>(r.read(0x0bc)) << 32; }
    vmmio_error add(uint8_t id, uint64_t base_address, uint64_t bytes)
    {
        const vmmio_shm_region region = {id, base_address, bytes};
        return vmmio_shm_add(vmmio_device_shm(&r.device), &region);
    }
    vmmio_error change(uint8_t id, uint64_t base_address, uint64_t bytes)
    {
        const vmmio_shm_region region = {id, base_address, bytes};
        return vmmio_shm_change(vmmio_device_shm(&r.device), &region);
    }
    void expect(uint32_t sel, uint64_t base_address, uint64_t bytes)
    {
        select(sel);
        EXPECT_EQ(length(), bytes) << "id " << sel;
        EXPECT_EQ(base(), base_address) << "id " << sel;
    }

    null_function null;
    rig r{null.function};
};

TEST_F(shm, selector_chooses_the_region)
{
    ROWS("SHM-01", "MMIO-SHM-01", "MMIO-SHM-02", "MMIO-SHM-04", "A-SHM-2");
    ASSERT_EQ(add(0, 0x100000000, 0x100001000), VMMIO_ERROR_OK);
    ASSERT_EQ(add(7, 0xfffffff000, 4096), VMMIO_ERROR_OK);
    ASSERT_EQ(add(255, 0x80000000, 0x40000000), VMMIO_ERROR_OK);
    select(0);
    EXPECT_EQ(r.read(0x0b0), 0x1000u);
    EXPECT_EQ(r.read(0x0b4), 1u);
    EXPECT_EQ(r.read(0x0b8), 0u);
    EXPECT_EQ(r.read(0x0bc), 1u);
    expect(7, 0xfffffff000, 4096);
    expect(255, 0x80000000, 0x40000000);
    expect(0, 0x100000000, 0x100001000);
    std::vector<uint32_t> present;
    for (uint32_t id = 0; id < 256; id++) {
        select(id);
        if (length() != absent)
            present.push_back(id);
    }
    EXPECT_EQ(present, (std::vector<uint32_t>{0, 7, 255}));
}

TEST_F(shm, ids_without_a_region_read_all_ones)
{
    ROWS("MMIO-SHM-03", "MMIO-SHM-05", "MMIO-SHM-06", "A-SHM-1", "A-SHM-2", "H-30", "H-44");
    ASSERT_EQ(add(0, 0x100000000, 4096), VMMIO_ERROR_OK);
    ASSERT_EQ(add(2, 0x200000000, 4096), VMMIO_ERROR_OK);
    for (const uint32_t sel : {1u, 3u, 255u, 256u, 0x102u, 0x10000u, 0x10002u, 1u << 27, 1u << 31,
                               0x80000002u, 0xffffff00u, 0xffffffffu}) {
        select(sel);
        for (const uint32_t offset : {0x0b0u, 0x0b4u, 0x0b8u, 0x0bcu})
            EXPECT_EQ(r.read(offset), 0xffffffffu) << sel;
    }
}

TEST_F(shm, devices_without_regions_read_all_ones_for_every_id)
{
    ROWS("MMIO-SHM-07", "MMIO-SHM-08");
    EXPECT_EQ(length(), absent) << "without a write to SHMSel, too";
    EXPECT_EQ(base(), absent);
    for (uint32_t id = 0; id < 300; id++)
        expect(id, absent, absent);
}

TEST_F(shm, shows_region_0_before_the_first_selection)
{
    ROWS("A-SHM-3", "A-SHM-8");
    ASSERT_EQ(add(0, 0x100000000, 8192), VMMIO_ERROR_OK);
    EXPECT_EQ(r.guest.status(), 0u);
    EXPECT_EQ(length(), 8192u);
    EXPECT_EQ(base(), 0x100000000u);
    expect(0, 0x100000000, 8192);
}

TEST_F(shm, latch_is_never_torn)
{
    ROWS("A-SHM-4", "A-SHM-5", "H-44");
    ASSERT_EQ(add(1, 0x100000000, 0x100001000), VMMIO_ERROR_OK);
    select(1);
    const uint32_t length_low = r.read(0x0b0);
    ASSERT_EQ(change(1, 0x200000000, 0x300002000), VMMIO_ERROR_OK);
    EXPECT_EQ(length_low, 0x1000u);
    EXPECT_EQ(r.read(0x0b4), 1u);
    EXPECT_EQ(base(), 0x100000000u);
    ASSERT_EQ(vmmio_shm_remove(vmmio_device_shm(&r.device), 1), VMMIO_ERROR_OK);
    EXPECT_EQ(length(), 0x100001000u);
    expect(1, absent, absent);
    ASSERT_EQ(add(1, 0x400000000, 4096), VMMIO_ERROR_OK);
    EXPECT_EQ(length(), absent) << "seen at the next write to SHMSel only";
    expect(1, 0x400000000, 4096);
}

TEST_F(shm, reset_selects_id_0_again)
{
    ROWS("A-SHM-6", "A-RESET-SCOPE");
    ASSERT_EQ(add(0, 0x100000000, 4096), VMMIO_ERROR_OK);
    ASSERT_EQ(add(5, 0x200000000, 8192), VMMIO_ERROR_OK);
    select(5);
    ASSERT_EQ(change(0, 0x300000000, 16384), VMMIO_ERROR_OK);
    r.guest.reset();
    EXPECT_EQ(length(), 16384u) << "the latch is loaded anew";
    EXPECT_EQ(base(), 0x300000000u);
    expect(5, 0x200000000, 8192);
}

TEST_F(shm, registers_work_in_every_status)
{
    ROWS("A-SHM-8");
    ASSERT_EQ(add(3, 0x100000000, 4096), VMMIO_ERROR_OK);
    for (const uint32_t status : {0x1u, 0x3u, 0x8fu}) {
        r.guest.set_status(status);
        expect(3, 0x100000000, 4096);
    }
}

TEST_F(shm, platform_mistakes_are_refused_and_change_nothing)
{
    ROWS("A-SHM-7", "H-41", "H-45");
    ASSERT_EQ(add(1, 0x1000, 0x1000), VMMIO_ERROR_OK);
    EXPECT_EQ(add(2, 0x10000, 0), VMMIO_ERROR_REGION_ZERO);
    EXPECT_EQ(add(2, UINT64_MAX - 0xffe, 0x1000), VMMIO_ERROR_REGION_WRAP);
    EXPECT_EQ(add(2, 0x1fff, 1), VMMIO_ERROR_REGION_OVERLAP);
    EXPECT_EQ(add(2, 0x800, 0x801), VMMIO_ERROR_REGION_OVERLAP);
    EXPECT_EQ(add(2, 0x0, 0x4000), VMMIO_ERROR_REGION_OVERLAP);
    EXPECT_EQ(add(2, 0x1400, 0x10), VMMIO_ERROR_REGION_OVERLAP);
    EXPECT_EQ(add(2, 0x1000, 0x1000), VMMIO_ERROR_REGION_OVERLAP);
    EXPECT_EQ(add(1, 0x10000, 0x1000), VMMIO_ERROR_REGION_ID_USED);
    EXPECT_EQ(change(9, 0x10000, 0x1000), VMMIO_ERROR_REGION_ID_UNKNOWN);
    EXPECT_EQ(vmmio_shm_remove(vmmio_device_shm(&r.device), 9), VMMIO_ERROR_REGION_ID_UNKNOWN);
    expect(2, absent, absent);
    expect(1, 0x1000, 0x1000);

    EXPECT_EQ(add(2, UINT64_MAX - 0xfff, 0x1000), VMMIO_ERROR_OK) << "ends exactly at 2^64";
    EXPECT_EQ(change(2, 0x1800, 0x1000), VMMIO_ERROR_REGION_OVERLAP);
    EXPECT_EQ(change(1, 0x1800, 0x1000), VMMIO_ERROR_OK) << "over its own old place";
    expect(1, 0x1800, 0x1000);
}

TEST_F(shm, table_is_bounded_and_its_places_are_used_again)
{
    ROWS("H-45");
    for (uint8_t id = 0; id < VMMIO_SHM_REGIONS_MAX; id++)
        ASSERT_EQ(add(id, 0x1000 * (id + 1ull), 0x1000), VMMIO_ERROR_OK);
    EXPECT_EQ(add(100, 0x100000, 0x1000), VMMIO_ERROR_REGION_TABLE_FULL);
    for (int i = 0; i < 1000; i++) {
        ASSERT_EQ(vmmio_shm_remove(vmmio_device_shm(&r.device), 3), VMMIO_ERROR_OK);
        ASSERT_EQ(add(3, 0x4000, 0x1000), VMMIO_ERROR_OK);
    }
    for (uint8_t id = 0; id < VMMIO_SHM_REGIONS_MAX; id++)
        expect(id, 0x1000 * (id + 1ull), 0x1000);
    EXPECT_EQ(vmmio_shm_find(vmmio_device_shm(&r.device), 0x103), nullptr);
}

} // namespace
} // namespace vmmio::tb
