/* SPDX-License-Identifier: Apache-2.0 */
/* What a block device offers and tells (5.2.3, 5.2.4, 5.2.5). */
#include "blk_rig.h"

#include <cstddef>
#include <linux/virtio_blk.h>

namespace vmmio::tb
{
namespace
{

constexpr uint32_t generation = VMMIO_REG_CONFIG_GENERATION;

uint32_t offered_bits(blk_rig &b) { return b.r->guest.offered().word[0] & 0x00ffffff; }

uint32_t bits(std::initializer_list<unsigned> list) { return feature_set(list).word[0]; }

TEST(blk_constants, match_linux)
{
    ROWS("BLK-01", "BLK-02", "BLK-03", "BLK-04", "BLK-05", "BLK-22");
    EXPECT_EQ(VMMIO_ID_BLOCK, 2);
    EXPECT_EQ(VMMIO_BLK_F_SIZE_MAX, VIRTIO_BLK_F_SIZE_MAX);
    EXPECT_EQ(VMMIO_BLK_F_SEG_MAX, VIRTIO_BLK_F_SEG_MAX);
    EXPECT_EQ(VMMIO_BLK_F_GEOMETRY, VIRTIO_BLK_F_GEOMETRY);
    EXPECT_EQ(VMMIO_BLK_F_RO, VIRTIO_BLK_F_RO);
    EXPECT_EQ(VMMIO_BLK_F_BLK_SIZE, VIRTIO_BLK_F_BLK_SIZE);
    EXPECT_EQ(VMMIO_BLK_F_FLUSH, VIRTIO_BLK_F_FLUSH);
    EXPECT_EQ(VMMIO_BLK_F_TOPOLOGY, VIRTIO_BLK_F_TOPOLOGY);
    EXPECT_EQ(VMMIO_BLK_F_CONFIG_WCE, VIRTIO_BLK_F_CONFIG_WCE);
    EXPECT_EQ(VMMIO_BLK_F_MQ, VIRTIO_BLK_F_MQ);
    EXPECT_EQ(VMMIO_BLK_F_DISCARD, VIRTIO_BLK_F_DISCARD);
    EXPECT_EQ(VMMIO_BLK_F_WRITE_ZEROES, VIRTIO_BLK_F_WRITE_ZEROES);
    using linux_config = struct virtio_blk_config;
    EXPECT_EQ(VMMIO_BLK_CONFIG_CAPACITY, offsetof(linux_config, capacity));
    EXPECT_EQ(VMMIO_BLK_CONFIG_SIZE_MAX, offsetof(linux_config, size_max));
    EXPECT_EQ(VMMIO_BLK_CONFIG_SEG_MAX, offsetof(linux_config, seg_max));
    EXPECT_EQ(VMMIO_BLK_CONFIG_GEOMETRY, offsetof(linux_config, geometry));
    EXPECT_EQ(VMMIO_BLK_CONFIG_BLK_SIZE, offsetof(linux_config, blk_size));
    EXPECT_EQ(VMMIO_BLK_CONFIG_PHYSICAL_BLOCK_EXP, offsetof(linux_config, physical_block_exp));
    EXPECT_EQ(VMMIO_BLK_CONFIG_ALIGNMENT_OFFSET, offsetof(linux_config, alignment_offset));
    EXPECT_EQ(VMMIO_BLK_CONFIG_MIN_IO_SIZE, offsetof(linux_config, min_io_size));
    EXPECT_EQ(VMMIO_BLK_CONFIG_OPT_IO_SIZE, offsetof(linux_config, opt_io_size));
    EXPECT_EQ(VMMIO_BLK_CONFIG_WRITEBACK, offsetof(linux_config, wce));
    EXPECT_EQ(VMMIO_BLK_CONFIG_NUM_QUEUES, offsetof(linux_config, num_queues));
    EXPECT_EQ(VMMIO_BLK_CONFIG_MAX_DISCARD_SECTORS, offsetof(linux_config, max_discard_sectors));
    EXPECT_EQ(VMMIO_BLK_CONFIG_MAX_DISCARD_SEG, offsetof(linux_config, max_discard_seg));
    EXPECT_EQ(VMMIO_BLK_CONFIG_DISCARD_SECTOR_ALIGNMENT,
              offsetof(linux_config, discard_sector_alignment));
    EXPECT_EQ(VMMIO_BLK_CONFIG_MAX_WRITE_ZEROES_SECTORS,
              offsetof(linux_config, max_write_zeroes_sectors));
    EXPECT_EQ(VMMIO_BLK_CONFIG_MAX_WRITE_ZEROES_SEG, offsetof(linux_config, max_write_zeroes_seg));
    EXPECT_EQ(VMMIO_BLK_CONFIG_WRITE_ZEROES_MAY_UNMAP,
              offsetof(linux_config, write_zeroes_may_unmap));
    EXPECT_EQ(VMMIO_BLK_T_IN, VIRTIO_BLK_T_IN);
    EXPECT_EQ(VMMIO_BLK_T_OUT, VIRTIO_BLK_T_OUT);
    EXPECT_EQ(VMMIO_BLK_T_FLUSH, VIRTIO_BLK_T_FLUSH);
    EXPECT_EQ(VMMIO_BLK_T_GET_ID, VIRTIO_BLK_T_GET_ID);
    EXPECT_EQ(VMMIO_BLK_T_DISCARD, VIRTIO_BLK_T_DISCARD);
    EXPECT_EQ(VMMIO_BLK_T_WRITE_ZEROES, VIRTIO_BLK_T_WRITE_ZEROES);
    EXPECT_EQ(VMMIO_BLK_S_OK, VIRTIO_BLK_S_OK);
    EXPECT_EQ(VMMIO_BLK_S_IOERR, VIRTIO_BLK_S_IOERR);
    EXPECT_EQ(VMMIO_BLK_S_UNSUPP, VIRTIO_BLK_S_UNSUPP);
    EXPECT_EQ(VMMIO_BLK_ID_BYTES, unsigned(VIRTIO_BLK_ID_BYTES));
}

/* Numbers that the linux-libc-dev of Debian 12 does not have are taken from 5.2.3 and 5.2.4. */
TEST(blk_constants, match_the_text_where_linux_is_silent)
{
    ROWS("BLK-02", "BLK-03", "BLK-04", "BLK-05");
    EXPECT_EQ(VMMIO_BLK_F_LIFETIME, 15);
    EXPECT_EQ(VMMIO_BLK_F_SECURE_ERASE, 16);
    EXPECT_EQ(VMMIO_BLK_F_ZONED, 17);
    EXPECT_EQ(VMMIO_BLK_CONFIG_MAX_SECURE_ERASE_SECTORS, 60);
    EXPECT_EQ(VMMIO_BLK_CONFIG_ZONED, 72);
    EXPECT_EQ(VMMIO_BLK_CONFIG_BYTES, 96);
}

TEST(blk_features, offers_what_it_can_do)
{
    ROWS("BLK-02", "BLK-11", "BLK-12", "BLK-15", "BLK-38", "BLK-39", "BLK-L3");
    blk_rig plain;
    EXPECT_EQ(offered_bits(plain), bits({1, 2, 6, 9, 10, 11, 13, 14}));
    EXPECT_EQ(plain.r->read(VMMIO_REG_DEVICE_ID), 2u);

    blk_options several;
    several.config.queue_count = 3;
    blk_rig mq(several);
    EXPECT_EQ(offered_bits(mq), bits({1, 2, 6, 9, 10, 11, 12, 13, 14}));

    blk_options ro;
    ro.config.read_only = true;
    blk_rig read_only(ro);
    EXPECT_EQ(offered_bits(read_only), bits({1, 2, 5, 6, 9, 10, 11}));
}

TEST(blk_features, withheld_bits_are_not_offered)
{
    ROWS("BLK-12");
    blk_options o;
    o.config.withheld = 1u << VMMIO_BLK_F_FLUSH | 1u << VMMIO_BLK_F_DISCARD;
    blk_rig b(o);
    EXPECT_EQ(offered_bits(b), bits({1, 2, 6, 10, 14})) << "CONFIG_WCE needs FLUSH offered";
    o.config.withheld = ~0u;
    o.config.read_only = true;
    blk_rig nothing(o);
    EXPECT_EQ(offered_bits(nothing), bits({5})) << "a read-only disk always says so";
}

TEST(blk_features, a_bit_that_is_not_offered_is_refused)
{
    ROWS("FEAT-04", "BLK-38");
    blk_rig b;
    for (const unsigned bit : {0u, 4u, 5u, 7u, 12u, 15u, 16u, 17u})
        EXPECT_FALSE(b.r->guest.negotiate(feature_set({VMMIO_F_VERSION_1, bit}))) << bit;
    EXPECT_TRUE(b.r->guest.negotiate(feature_set({VMMIO_F_VERSION_1})));
}

blk_options all_fields()
{
    blk_options o;
    o.sectors = 64;
    o.direct = false;
    o.config.block_size = 4096;
    o.config.size_max = 0x11223344;
    o.config.seg_max = 0x55;
    o.config.physical_block_exp = 3;
    o.config.alignment_offset = 7;
    o.config.min_io_size = 0x0809;
    o.config.opt_io_size = 0x0a0b0c0d;
    o.config.queue_count = 5;
    o.config.max_discard_sectors = 0x01020304;
    o.config.max_discard_seg = 0x0102;
    o.config.discard_sector_alignment = 0x21222324;
    o.config.max_write_zeroes_sectors = 0x31323334;
    o.config.max_write_zeroes_seg = 0x0203;
    return o;
}

TEST(blk_config, every_field_is_at_its_offset)
{
    ROWS("BLK-04", "BLK-06", "BLK-14", "CFG-01");
    blk_rig b(all_fields());
    EXPECT_EQ(b.field(0, 4), 64u) << "sectors of 512 bytes, whatever blk_size is";
    EXPECT_EQ(b.field(4, 4), 0u);
    EXPECT_EQ(b.field(8, 4), 0x11223344u);
    EXPECT_EQ(b.field(12, 4), 0x55u);
    EXPECT_EQ(b.field(16, 4), 0u) << "no geometry";
    EXPECT_EQ(b.field(20, 4), 4096u);
    EXPECT_EQ(b.field(24, 1), 3u);
    EXPECT_EQ(b.field(25, 1), 7u);
    EXPECT_EQ(b.field(26, 2), 0x0809u);
    EXPECT_EQ(b.field(28, 4), 0x0a0b0c0du);
    EXPECT_EQ(b.field(32, 1), 1u);
    EXPECT_EQ(b.field(33, 1), 0u);
    EXPECT_EQ(b.field(34, 2), 5u);
    EXPECT_EQ(b.field(36, 4), 0x01020304u);
    EXPECT_EQ(b.field(40, 4), 0x0102u);
    EXPECT_EQ(b.field(44, 4), 0x21222324u);
    EXPECT_EQ(b.field(48, 4), 0x31323334u);
    EXPECT_EQ(b.field(52, 4), 0x0203u);
    EXPECT_EQ(b.field(56, 1), 1u);
    for (uint32_t i = 57; i < 60; i++)
        EXPECT_EQ(b.field(i, 1), 0u) << i;
    for (uint32_t i = 60; i < 96; i += 4)
        EXPECT_EQ(b.field(i, 4), 0u) << "secure erase and zones at " << i;
    EXPECT_TRUE(b.r->diagnostics.empty());
}

TEST(blk_config, fields_without_their_feature_read_0)
{
    ROWS("BLK-04", "BLK-17", "BLK-36");
    blk_options o = all_fields();
    o.config.withheld = ~0u;
    blk_rig b(o);
    for (uint32_t i = 8; i < 96; i += 4)
        EXPECT_EQ(b.field(i, 4), 0u) << i;
    blk_rig direct;
    EXPECT_EQ(direct.field(56, 1), 0u) << "RAM never deallocates";
}

TEST(blk_config, the_default_alignment_of_discards_is_a_block)
{
    ROWS("BLK-04");
    blk_options o;
    o.config.block_size = 2048;
    blk_rig b(o);
    EXPECT_EQ(b.field(44, 4), 4u);
}

TEST(blk_config, has_the_queues_that_it_announces)
{
    ROWS("BLK-01", "MMIO-QSEL-02");
    blk_rig one;
    EXPECT_NE(one.r->read_queue(0, VMMIO_REG_QUEUE_SIZE_MAX), 0u);
    EXPECT_EQ(one.r->read_queue(1, VMMIO_REG_QUEUE_SIZE_MAX), 0u);
    blk_rig five(all_fields());
    for (uint32_t i = 0; i < 5; i++)
        EXPECT_NE(five.r->read_queue(i, VMMIO_REG_QUEUE_SIZE_MAX), 0u) << i;
    EXPECT_EQ(five.r->read_queue(5, VMMIO_REG_QUEUE_SIZE_MAX), 0u);
}

TEST(blk_config, has_only_queue_0_without_multi_queue)
{
    ROWS("BLK-01");
    blk_rig b(all_fields());
    b.go_live({VMMIO_BLK_F_MQ});
    const virtqueue second = b.r->make_queue(16);

    b.r->guest.enable_queue(1, second);
    EXPECT_EQ(b.r->read(VMMIO_REG_QUEUE_READY), 0u);
    EXPECT_EQ(b.r->read_queue(0, VMMIO_REG_QUEUE_READY), 1u);
    EXPECT_EQ(b.ask(GET_ID, 0, {}, 20).status, OK);
    b.go_live();
    b.r->guest.enable_queue(1, second);
    EXPECT_EQ(b.r->read(VMMIO_REG_QUEUE_READY), 1u);
}

TEST(blk_writeback, is_a_toggle_for_drivers_that_negotiated_it)
{
    ROWS("BLK-30b", "A-GEN");
    blk_rig b;
    b.go_live();
    const uint32_t before = b.r->read(generation);
    for (const uint32_t value : {0u, 0u, 1u, 1u, 0u}) {
        b.r->write(0x120, value, 1);
        EXPECT_EQ(b.field(32, 1), value);
    }
    EXPECT_EQ(b.r->read(generation), before);
    EXPECT_TRUE(b.r->diagnostics.empty());
    for (const uint32_t value : {2u, 0x80u, 0xffu}) {
        b.r->write(0x120, value, 1);
        EXPECT_EQ(b.field(32, 1), 0u) << "neither 0 nor 1 is ignored";
    }
    EXPECT_EQ(b.r->count(VMMIO_DIAG_CONFIG_READ_ONLY), 3u);
}

TEST(blk_writeback, takes_wide_writes_that_leave_the_neighbours_alone)
{
    ROWS("BLK-30b", "A-CFG-WIDTH", "INIT-04");
    blk_options o;
    o.config.queue_count = 2;
    blk_rig b(o);
    b.go_live();
    b.r->write(0x120, 0x0000, 2);
    EXPECT_EQ(b.field(32, 1), 0u);
    b.r->write(0x120, 0x00020001, 4);
    EXPECT_EQ(b.field(32, 4), 0x00020001u);
    b.r->write(0x120, 0x00030000, 4);
    b.r->write(0x120, 0x0100, 2);
    b.r->write(0x121, 0, 1);
    b.r->write(0x122, 1, 2);
    b.r->write(0x100, 1, 4);
    EXPECT_EQ(b.field(32, 4), 0x00020001u) << "num_queues is read-only";
    EXPECT_EQ(b.field(0, 4), 64u);
    EXPECT_EQ(b.r->count(VMMIO_DIAG_CONFIG_READ_ONLY), 5u);
}

TEST(blk_writeback, is_read_only_without_the_feature)
{
    ROWS("BLK-30b", "INIT-04");
    blk_rig b;
    b.r->write(0x120, 0, 1);
    EXPECT_EQ(b.field(32, 1), 1u) << "before negotiation";
    b.go_live({VMMIO_BLK_F_CONFIG_WCE});
    b.r->write(0x120, 0, 1);
    EXPECT_EQ(b.field(32, 1), 1u);
    EXPECT_EQ(b.r->count(VMMIO_DIAG_CONFIG_READ_ONLY), 2u);
}

TEST(blk_writeback, starts_as_the_rules_and_the_platform_say)
{
    ROWS("BLK-13", "BLK-09");
    blk_rig b;
    EXPECT_EQ(b.field(32, 1), 1u) << "an early read is answered";
    b.go_live({VMMIO_BLK_F_FLUSH});
    EXPECT_EQ(b.field(32, 1), 0u) << "CONFIG_WCE without FLUSH";
    b.go_live();
    EXPECT_EQ(b.field(32, 1), 1u);
    b.r->write(0x120, 0, 1);
    b.r->guest.reset();
    EXPECT_EQ(b.field(32, 1), 1u) << "a reset forgets what the driver chose";

    blk_options o;
    o.config.write_through = true;
    blk_rig through(o);
    through.go_live();
    EXPECT_EQ(through.field(32, 1), 0u);
}

TEST(blk_resize, is_told_with_generation_and_interrupt)
{
    ROWS("BLK-36", "BLK-06", "CFG-03", "A-CFG-ATOMIC");
    blk_options o;
    o.sectors = 64;
    blk_rig b(o);
    b.go_live();
    EXPECT_EQ(b.ask(IN, 63, {}, 512).status, OK);
    const uint32_t before = b.r->read(generation);
    b.r->guest.acknowledge(3);
    ASSERT_EQ(vmmio_blk_resize(&b.blk, 16), VMMIO_ERROR_OK);
    vmmio_device_config_changed(&b.r->device);
    EXPECT_EQ(b.r->guest.interrupts(), 2u);
    EXPECT_NE(b.r->read(generation), before);
    EXPECT_EQ(b.field(0, 4), 16u);
    EXPECT_EQ(b.ask(IN, 16, {}, 512).status, IOERR);
    EXPECT_EQ(b.ask(IN, 15, {}, 512).status, OK);
    ASSERT_EQ(vmmio_blk_resize(&b.blk, 64), VMMIO_ERROR_OK);
    vmmio_device_config_changed(&b.r->device);
    EXPECT_EQ(b.ask(IN, 63, {}, 512).status, OK);
}

TEST(blk_resize, is_told_after_resume_if_the_device_is_suspended)
{
    ROWS("BLK-36", "SUSP-07");
    blk_rig b;
    b.go_live();
    b.r->guest.acknowledge(3);
    b.r->guest.add_status(VMMIO_STATUS_SUSPEND);
    ASSERT_EQ(vmmio_blk_resize(&b.blk, 16), VMMIO_ERROR_OK);
    vmmio_device_config_changed(&b.r->device);
    EXPECT_EQ(b.field(0, 4), 64u);
    EXPECT_EQ(b.r->guest.interrupts(), 0u);
    b.r->guest.add_status(VMMIO_STATUS_DRIVER_OK);
    EXPECT_EQ(b.field(0, 4), 16u);
    EXPECT_EQ(b.r->guest.interrupts(), 2u);
}

TEST(blk_resize, survives_a_reset)
{
    ROWS("BLK-06");
    blk_rig b;
    ASSERT_EQ(vmmio_blk_resize(&b.blk, 8), VMMIO_ERROR_OK);
    b.go_live();
    EXPECT_EQ(b.field(0, 4), 8u);
}

TEST(blk_resize, beyond_the_storage_is_refused)
{
    blk_options o;
    o.config.block_size = 1024;
    blk_rig b(o);
    EXPECT_EQ(vmmio_blk_resize(&b.blk, 66), VMMIO_ERROR_BLK_SIZE);
    EXPECT_EQ(vmmio_blk_resize(&b.blk, 63), VMMIO_ERROR_BLK_CAPACITY) << "half a block";
    EXPECT_EQ(vmmio_blk_resize(&b.blk, 1ull << 54), VMMIO_ERROR_BLK_CAPACITY);
    b.go_live();
    EXPECT_EQ(b.field(0, 4), 64u);
}

TEST(blk_init, says_what_is_wrong)
{
    uint8_t bytes[1024] = {};
    vmmio_blk_ram ram = {bytes, sizeof(bytes)};
    const auto jobs = std::make_unique<vmmio_blk_job>();
    vmmio_blk blk;
    const auto init = [&](auto change) {
        vmmio_blk_config config = {};
        config.storage = vmmio_blk_use_ram(&ram);
        config.capacity = 2;
        config.jobs = jobs.get();
        config.job_count = 1;
        change(config);
        return vmmio_blk_init(&blk, &config);
    };
    using c = vmmio_blk_config;
    EXPECT_EQ(init([](c &) {}), VMMIO_ERROR_OK);
    EXPECT_EQ(vmmio_blk_init(&blk, nullptr), VMMIO_ERROR_NULL_ARGUMENT);
    EXPECT_EQ(init([](c &is) { is.jobs = nullptr; }), VMMIO_ERROR_NULL_ARGUMENT);
    EXPECT_EQ(init([](c &is) { is.job_count = 0; }), VMMIO_ERROR_NULL_ARGUMENT);
    EXPECT_EQ(init([](c &is) { is.storage.submit = nullptr; }), VMMIO_ERROR_NULL_ARGUMENT);
    for (const uint32_t size : {1u, 256u, 513u, 1536u})
        EXPECT_EQ(init([size](c &is) { is.block_size = size; }), VMMIO_ERROR_BLK_CAPACITY) << size;
    EXPECT_EQ(init([](c &is) { is.block_size = 2048; }), VMMIO_ERROR_BLK_CAPACITY);
    EXPECT_EQ(init([](c &is) { is.capacity = 1ull << 54; }), VMMIO_ERROR_BLK_CAPACITY);
    EXPECT_EQ(init([](c &is) { is.capacity = 3; }), VMMIO_ERROR_BLK_SIZE);
    EXPECT_EQ(init([](c &is) { is.max_discard_seg = 4097; }), VMMIO_ERROR_BLK_LIMIT);
    EXPECT_EQ(init([](c &is) { is.max_write_zeroes_seg = 4097; }), VMMIO_ERROR_BLK_LIMIT);
}

} // namespace
} // namespace vmmio::tb
