/* SPDX-License-Identifier: Apache-2.0 */
/* The persistent memory device (5.19). */
#include "rig.h"

namespace vmmio::tb
{
namespace
{

constexpr uint64_t start = 0x123456000, region_size = 0x200003000;
constexpr unsigned shmem_region = 0;

class pmem : public ::testing::TestWithParam<dma_mode>
{
protected:
    pmem()
    {
        vmmio_pmem_config config = {};
        config.start = start;
        config.size = region_size;
        config.context = this;
        config.flush = [](void *self) { return static_cast<pmem *>(self)->flush(); };
        EXPECT_EQ(vmmio_pmem_init(&function, &config), VMMIO_ERROR_OK);
        rig_options options;
        options.mode = GetParam();
        r = std::make_unique<rig>(function.function, options);
        const vmmio_shm_region region = {VMMIO_PMEM_SHM_ID, start, region_size};
        EXPECT_EQ(vmmio_shm_add(vmmio_device_shm(&r->device), &region), VMMIO_ERROR_OK);
        response = r->alloc(16);
    }
    bool flush()
    {
        flushes++;
        used_at_flush = r->queue(0).used_idx();
        return backend_works;
    }
    uint64_t config64(uint32_t at)
    {
        return r->read(0x100 + at) | static_cast<uint64_t>(r->read(0x104 + at)) << 32;
    }
    uint64_t shm64(uint32_t low)
    {
        return r->read(low) | static_cast<uint64_t>(r->read(low + 4)) << 32;
    }
    /* A request of these bytes with that much room for the answer. */
    std::optional<used_entry> request(const std::vector<uint8_t> &data, uint32_t room)
    {
        const piece in = r->readable(16);
        r->memory.set_bytes(in.address, data);
        r->memory.fill(response, 16, 0xee);
        std::vector<piece> chain;
        if (!data.empty())
            chain.push_back({in.address, static_cast<uint32_t>(data.size()), false});
        if (room)
            chain.push_back({response, room, true});
        return r->exchange(chain);
    }
    uint32_t ret() { return r->memory.load32(response); }

    vmmio_pmem function;
    std::unique_ptr<rig> r;
    uint64_t response;
    unsigned flushes = 0;
    uint16_t used_at_flush = 0xffff;
    bool backend_works = true;
};

INSTANTIATE_TEST_SUITE_P(memory, pmem, every_dma_mode(), dma_mode_name);

TEST_P(pmem, identity)
{
    ROWS("PMEM-01", "MMIO-DEVID-01");
    EXPECT_EQ(r->read(VMMIO_REG_DEVICE_ID), 27u);
    EXPECT_NE(r->read_queue(0, VMMIO_REG_QUEUE_SIZE_MAX), 0u);
    EXPECT_EQ(r->read_queue(1, VMMIO_REG_QUEUE_SIZE_MAX), 0u);
    EXPECT_EQ(r->guest.offered().word[0] & 0x00ffffff, 1u);
    EXPECT_EQ(r->read(0x110), 0u) << "the config space ends behind start and size";
}

TEST_P(pmem, region_0_is_the_range)
{
    ROWS("PMEM-02", "A-SHM-8");
    r->write(VMMIO_REG_SHM_SEL, 0);
    EXPECT_EQ(shm64(VMMIO_REG_SHM_LEN_LOW), region_size);
    EXPECT_EQ(shm64(VMMIO_REG_SHM_BASE_LOW), start);
    r->go_live(feature_set({VMMIO_F_VERSION_1, shmem_region}));
    r->write(VMMIO_REG_SHM_SEL, 0);
    EXPECT_EQ(shm64(VMMIO_REG_SHM_LEN_LOW), region_size);
    EXPECT_EQ(shm64(VMMIO_REG_SHM_BASE_LOW), start);
}

TEST_P(pmem, config_hides_the_range_once_the_region_is_negotiated)
{
    ROWS("PMEM-03", "CFG-07", "MMIO-GEN-02");
    const uint32_t generation = r->read(VMMIO_REG_CONFIG_GENERATION);
    EXPECT_EQ(config64(0), start);
    EXPECT_EQ(config64(8), region_size);
    r->go_live(feature_set({VMMIO_F_VERSION_1, shmem_region}));
    EXPECT_EQ(config64(0), 0u);
    EXPECT_EQ(config64(8), 0u);
    EXPECT_NE(r->read(VMMIO_REG_CONFIG_GENERATION), generation);
    EXPECT_EQ(r->guest.interrupts(), 0u) << "the driver asked for it";
    r->guest.reset();
    EXPECT_EQ(config64(0), start);
    EXPECT_EQ(config64(8), region_size);
}

TEST_P(pmem, config_shows_the_range_to_others)
{
    ROWS("PMEM-04");
    r->go_live(feature_set({VMMIO_F_VERSION_1}));
    EXPECT_EQ(config64(0), start);
    EXPECT_EQ(config64(8), region_size);
    r->write(0x100, 0);
    EXPECT_EQ(config64(0), start) << "read-only";
}

TEST_P(pmem, flush_is_answered_after_the_backing_is_durable)
{
    ROWS("PMEM-06", "PMEM-07", "PMEM-08", "SPLIT-36");
    r->go_live();
    const std::optional<used_entry> used = request({0, 0, 0, 0}, 4);
    ASSERT_TRUE(used.has_value());
    EXPECT_EQ(used->length, 4u);
    EXPECT_EQ(r->memory.bytes(response, 8),
              (std::vector<uint8_t>{0, 0, 0, 0, 0xee, 0xee, 0xee, 0xee}));
    EXPECT_EQ(flushes, 1u);
    EXPECT_EQ(used_at_flush, 0u) << "the driver knew nothing yet";
}

TEST_P(pmem, a_failing_backend_is_minus_1)
{
    ROWS("PMEM-08", "H-55");
    r->go_live();
    backend_works = false;
    const std::optional<used_entry> used = request({0, 0, 0, 0}, 4);
    ASSERT_TRUE(used.has_value());
    EXPECT_EQ(ret(), 0xffffffffu);
    EXPECT_EQ(r->count(VMMIO_DIAG_REQUEST_BACKEND), 1u);
    EXPECT_EQ(function.flushes, 0u);
    backend_works = true;
    request({0, 0, 0, 0}, 4);
    EXPECT_EQ(ret(), 0u);
    EXPECT_EQ(function.flushes, 1u);
}

TEST_P(pmem, unknown_types_are_minus_1)
{
    ROWS("PMEM-09", "H-55");
    r->go_live();
    for (const std::vector<uint8_t> &type :
         {std::vector<uint8_t>{1, 0, 0, 0}, {0, 0, 0, 1}, {0xff, 0xff, 0xff, 0xff}}) {
        const std::optional<used_entry> used = request(type, 4);
        ASSERT_TRUE(used.has_value());
        EXPECT_EQ(used->length, 4u);
        EXPECT_EQ(ret(), 0xffffffffu);
    }
    EXPECT_EQ(flushes, 0u);
    EXPECT_EQ(r->count(VMMIO_DIAG_REQUEST_UNKNOWN), 3u);
}

TEST_P(pmem, short_requests_are_minus_1)
{
    ROWS("PMEM-09", "H-14", "H-55");
    r->go_live();
    for (size_t length = 0; length < 4; length++) {
        const std::optional<used_entry> used = request(std::vector<uint8_t>(length), 4);
        ASSERT_TRUE(used.has_value()) << length;
        EXPECT_EQ(ret(), 0xffffffffu);
    }
    EXPECT_EQ(flushes, 0u);
    EXPECT_EQ(r->count(VMMIO_DIAG_REQUEST_SHORT), 4u);
}

TEST_P(pmem, short_responses_stay_untouched)
{
    ROWS("PMEM-09", "H-13", "H-14", "H-55");
    r->go_live();
    for (uint32_t room = 0; room < 4; room++) {
        const std::optional<used_entry> used = request({0, 0, 0, 0}, room);
        ASSERT_TRUE(used.has_value()) << room;
        EXPECT_EQ(used->length, 0u);
        EXPECT_EQ(r->memory.bytes(response, 16), std::vector<uint8_t>(16, 0xee));
    }
    EXPECT_EQ(flushes, 0u);
    EXPECT_EQ(r->guest.status(), 0x0fu);
}

TEST_P(pmem, requests_may_be_cut_anywhere)
{
    ROWS("SPLIT-04", "PMEM-06");
    r->go_live();
    const uint64_t in = r->alloc(8);
    r->memory.fill(in, 8, 0);
    r->memory.fill(response, 16, 0xee);
    const std::optional<used_entry> used = r->exchange({{in, 1, false},
                                                        {in + 1, 3, false},
                                                        {in + 4, 2, false},
                                                        {response, 1, true},
                                                        {response + 1, 2, true},
                                                        {response + 3, 9, true}});
    ASSERT_TRUE(used.has_value());
    EXPECT_EQ(used->length, 4u);
    EXPECT_EQ(ret(), 0u);
    EXPECT_EQ(r->memory.load32(response + 4), 0xeeeeeeeeu);
}

TEST_P(pmem, range_survives_reset)
{
    ROWS("PMEM-10", "A-SHM-10");
    r->go_live(feature_set({VMMIO_F_VERSION_1, shmem_region}));
    request({0, 0, 0, 0}, 4);
    r->guest.reset();
    EXPECT_EQ(shm64(VMMIO_REG_SHM_LEN_LOW), region_size);
    EXPECT_EQ(shm64(VMMIO_REG_SHM_BASE_LOW), start);
    EXPECT_EQ(function.is.start, start);
    EXPECT_EQ(function.flushes, 1u);
}

} // namespace
} // namespace vmmio::tb
