/* SPDX-License-Identifier: Apache-2.0 */
/* The entropy device (5.4). */
#include "rig.h"

#include <algorithm>

namespace vmmio::tb
{
namespace
{

/* A source that counts, never gives 0, and can run dry. */
struct source {
    uint8_t next = 1;
    uint64_t left = UINT64_MAX;
    uint64_t calls = 0;

    static bool fill(void *self, uint8_t *data, uint32_t length)
    {
        source &s = *static_cast<source *>(self);
        s.calls++;
        if (s.left < length)
            return false;
        s.left -= length;
        for (uint32_t i = 0; i < length; i++)
            data[i] = s.next = static_cast<uint8_t>(s.next == 255 ? 1 : s.next + 1);
        return true;
    }
};

class entropy : public ::testing::TestWithParam<dma_mode>
{
protected:
    entropy() { start(0); }
    void start(uint32_t cap)
    {
        const vmmio_entropy_config config = {source::fill, &random, cap};
        vmmio_entropy_init(&function, &config);
        rig_options options;
        options.mode = GetParam();
        r = std::make_unique<rig>(function.function, options);
        r->go_live();
    }

    source random;
    vmmio_entropy function;
    std::unique_ptr<rig> r;
};

INSTANTIATE_TEST_SUITE_P(memory, entropy, every_dma_mode(), dma_mode_name);

TEST_P(entropy, has_one_queue_and_nothing_else)
{
    ROWS("RNG-01", "MMIO-DEVID-01", "MMIO-SHM-07");
    EXPECT_EQ(r->read(VMMIO_REG_DEVICE_ID), 4u);
    EXPECT_NE(r->read_queue(0, VMMIO_REG_QUEUE_SIZE_MAX), 0u);
    for (const uint32_t queue : {1u, 2u, 65535u})
        EXPECT_EQ(r->read_queue(queue, VMMIO_REG_QUEUE_SIZE_MAX), 0u);
    EXPECT_EQ(r->guest.offered().word[0] & 0x00ffffff, 0u);
    EXPECT_EQ(r->read(0x100), 0u);
    r->write(VMMIO_REG_SHM_SEL, 0);
    EXPECT_EQ(r->read(VMMIO_REG_SHM_LEN_LOW), 0xffffffffu);
}

TEST_P(entropy, fills_what_it_says_and_nothing_behind)
{
    ROWS("RNG-04", "VQ-02", "SPLIT-37");
    for (const uint32_t length : {1u, 2u, 63u, 64u, 255u, 256u, 257u, 4096u, 65536u}) {
        const uint64_t out = r->alloc(length + 16);
        r->memory.fill(out, length + 16, 0);
        const std::optional<used_entry> used = r->exchange({{out, length, true}});
        ASSERT_TRUE(used.has_value());
        EXPECT_EQ(used->length, length);
        const std::vector<uint8_t> bytes = r->memory.bytes(out, length + 16);
        EXPECT_EQ(std::count(bytes.begin(), bytes.begin() + length, 0), 0) << "each one is written";
        EXPECT_EQ(std::count(bytes.begin() + length, bytes.end(), 0), 16);
    }
}

TEST_P(entropy, fills_scattered_buffers)
{
    ROWS("RNG-04", "SPLIT-04");
    const uint64_t out = r->alloc(1000);
    const std::optional<used_entry> used =
        r->exchange({{out, 1, true}, {out + 100, 300, true}, {out + 500, 7, true}});
    ASSERT_TRUE(used.has_value());
    EXPECT_EQ(used->length, 308u);
    const std::vector<uint8_t> bytes = r->memory.bytes(out, 1000);
    EXPECT_EQ(std::count(bytes.begin(), bytes.end(), 0), 1000 - 308);
}

TEST_P(entropy, gives_no_more_than_its_cap)
{
    ROWS("RNG-05", "H-54", "H-38");
    start(100);
    const uint64_t out = r->alloc(1 << 20);
    const std::optional<used_entry> used = r->exchange({{out, 1 << 20, true}});
    ASSERT_TRUE(used.has_value());
    EXPECT_EQ(used->length, 100u);
    const std::vector<uint8_t> bytes = r->memory.bytes(out, 200);
    EXPECT_EQ(std::count(bytes.begin(), bytes.end(), 0), 100);
}

TEST_P(entropy, default_cap_bounds_gigabytes)
{
    ROWS("RNG-05", "H-54");
    r->memory.judge(false); /* the buffer is larger than RAM */
    const uint64_t out = r->alloc(65536);
    const std::optional<used_entry> used = r->exchange({{out, 0xffffffff, true}});
    ASSERT_TRUE(used.has_value());
    EXPECT_EQ(used->length, 65536u);
    EXPECT_LE(random.calls, 256u);
}

TEST_P(entropy, leaves_readable_parts_alone)
{
    ROWS("RNG-02", "SPLIT-10", "SPLIT-11", "H-13", "H-54");
    const uint64_t in = r->alloc(16), out = r->alloc(16);
    r->memory.fill(in, 16, 0xee);
    const std::optional<used_entry> used = r->exchange({{in, 16, false}, {out, 16, true}});
    ASSERT_TRUE(used.has_value());
    EXPECT_EQ(used->length, 16u) << "the writable bytes";
    EXPECT_EQ(r->memory.bytes(in, 16), std::vector<uint8_t>(16, 0xee));
    EXPECT_EQ(r->count(VMMIO_DIAG_REQUEST_DIRECTION), 1u);
}

TEST_P(entropy, gives_a_chain_without_room_back_empty)
{
    ROWS("RNG-02", "H-11", "H-14");
    for (const std::vector<piece> &chain :
         {std::vector<piece>{r->readable(8)}, {{ram_base, 0, true}}}) {
        const std::optional<used_entry> used = r->exchange(chain);
        ASSERT_TRUE(used.has_value());
        EXPECT_EQ(used->length, 0u);
    }
    EXPECT_EQ(r->count(VMMIO_DIAG_REQUEST_SHORT), 2u);
    EXPECT_EQ(r->guest.status(), 0x0fu);
}

TEST_P(entropy, a_dry_source_gives_less_or_fails)
{
    ROWS("RNG-04", "RNG-05", "STAT-11", "STAT-12");
    random.left = 300;
    const std::optional<used_entry> used = r->exchange({r->writable(1000)});
    ASSERT_TRUE(used.has_value());
    EXPECT_EQ(used->length, 256u) << "what there was";
    r->serve({r->writable(1000)});
    EXPECT_FALSE(r->queue(0).reap().has_value()) << "never an empty answer";
    EXPECT_EQ(r->guest.status(), 0x4fu);
    EXPECT_EQ(r->count(VMMIO_DIAG_SOURCE_EMPTY), 1u);
    random.left = UINT64_MAX;
    r->go_live();
    EXPECT_TRUE(r->exchange({r->writable(8)}).has_value());
}

TEST(host_entropy, comes_from_the_host_by_default)
{
    ROWS("RNG-04");
    vmmio_entropy function;
    vmmio_entropy_init(&function, nullptr);
    rig r(function.function);
    r.go_live();
    const piece a = r.writable(64), b = r.writable(64);
    r.exchange({a});
    r.exchange({b});
    EXPECT_NE(r.memory.bytes(a.address, 64), r.memory.bytes(b.address, 64));
    EXPECT_EQ(function.bytes, 128u);
}

} // namespace
} // namespace vmmio::tb
