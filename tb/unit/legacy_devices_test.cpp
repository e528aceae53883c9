/* SPDX-License-Identifier: Apache-2.0 */
/* What block, network and console devices do behind the legacy interface. */
#include "blk_rig.h"
#include "console_rig.h"
#include "legacy_driver.h"
#include "net_rig.h"

namespace vmmio::tb
{
namespace
{

constexpr uint32_t flush = 1u << 9, config_wce = 1u << 11, mrg_rxbuf = 1u << 15;
constexpr uint32_t writeback = 0x120;

class legacy_blk : public ::testing::Test
{
protected:
    static blk_options options()
    {
        blk_options o;
        o.legacy = true;
        o.config.queue_count = 2;
        return o;
    }
    blk_rig b{options()};
    legacy_driver driver{*b.r};
};

TEST_F(legacy_blk, reads_and_writes)
{
    ROWS("BLK-L1", "BLK-L4", "BLK-L5", "SPLIT-L4", "SPLIT-L5");
    driver.go_live(flush);
    EXPECT_EQ(b.field(0, 4), 64u);
    const std::vector<uint8_t> data = pattern(1024, 3);
    EXPECT_EQ(b.ask(OUT, 3, data).status, OK);
    EXPECT_EQ(b.ask(IN, 3, {}, 1024).data, data);
    EXPECT_EQ(b.ask(IN, 64, {}, 512).status, IOERR);
}

TEST_F(legacy_blk, cuts_may_be_anywhere)
{
    ROWS("RFB-L2", "SPLIT-L4");
    driver.go_live(flush | 1u << 27);
    b.fill_disk(pattern(512 * 64, 9));
    const std::vector<uint8_t> header = {0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0};
    const outcome got =
        b.ask({b.readable({header.begin(), header.begin() + 5}),
               b.readable({header.begin() + 5, header.end()}), b.writable(100), b.writable(413)});
    EXPECT_EQ(got.status, OK);
    EXPECT_EQ(got.data,
              std::vector<uint8_t>(b.disk().begin() + 5 * 512, b.disk().begin() + 6 * 512));
}

TEST_F(legacy_blk, has_both_sorts_of_flush_and_no_zones_barriers_or_scsi)
{
    ROWS("BLK-L3", "BLK-16");
    const vmmio_features offered = b.r->guest.offered();
    for (const unsigned bit : {0u, 7u, 17u})
        EXPECT_FALSE(vmmio_features_has(&offered, bit)) << bit;
    driver.go_live(flush);
    EXPECT_EQ(b.ask(4).status, OK);
    EXPECT_EQ(b.ask(5).status, OK);
    EXPECT_EQ(b.ask(2).status, UNSUPP);
    EXPECT_EQ(b.ask(3).status, UNSUPP);
    EXPECT_EQ(b.ask(0x80000000).status, UNSUPP);
}

TEST(modern_blk, has_one_sort_of_flush)
{
    ROWS("BLK-22", "BLK-28");
    blk_rig b;
    b.go_live();
    EXPECT_EQ(b.ask(5).status, UNSUPP);
}

TEST_F(legacy_blk, keeps_the_cache_mode_that_was_chosen_early)
{
    ROWS("BLK-L2", "INIT-L2");
    const auto mode = [this] { return b.r->read(writeback, 1); };
    EXPECT_EQ(mode(), 1u);
    b.r->write(writeback, 0, 1);
    EXPECT_EQ(mode(), 0u) << "before ACKNOWLEDGE";
    b.r->guest.add_status(VMMIO_STATUS_ACKNOWLEDGE);
    b.r->guest.add_status(VMMIO_STATUS_DRIVER);
    b.r->write(VMMIO_REG_DRIVER_FEATURES, config_wce | flush);
    EXPECT_EQ(mode(), 0u);
    driver.make_queues();
    EXPECT_EQ(mode(), 0u);
    b.r->guest.start();
    EXPECT_EQ(mode(), 0u);
    b.r->write(writeback, 1, 1);
    EXPECT_EQ(mode(), 1u);

    b.r->guest.reset();
    b.r->write(writeback, 1, 1);
    b.r->write(VMMIO_REG_DRIVER_FEATURES, config_wce); /* no FLUSH: nothing changes yet */
    EXPECT_EQ(mode(), 1u);
    b.r->guest.start();
    EXPECT_EQ(mode(), 1u) << "CONFIG_WCE was accepted";
}

TEST_F(legacy_blk, without_config_wce_driver_ok_decides_the_cache_mode)
{
    ROWS("BLK-L2", "BLK-37");
    const auto mode = [this] { return b.r->read(writeback, 1); };
    driver.begin(0);
    b.r->guest.start();
    EXPECT_EQ(mode(), 0u) << "the driver never flushes";
    driver.begin(flush);
    b.r->write(writeback, 0, 1);
    b.r->guest.start();
    EXPECT_EQ(mode(), 1u);
    b.r->write(writeback, 0, 1);
    EXPECT_EQ(mode(), 1u) << "not accepted, not to be written";
}

TEST_F(legacy_blk, an_early_choice_of_cache_mode_ends_with_a_reset)
{
    b.r->write(writeback, 0, 1);
    b.r->guest.reset();
    EXPECT_EQ(b.r->read(writeback, 1), 1u);
}

class legacy_net : public ::testing::Test
{
protected:
    static net_options options()
    {
        net_options o;
        o.legacy = true;
        return o;
    }
    net_rig n{options()};
    legacy_driver driver{*n.r};
};

TEST_F(legacy_net, headers_have_10_bytes)
{
    ROWS("NET-L1", "NET-L2", "NET-L4");
    driver.go_live(0, 2);
    const std::vector<uint8_t> frame = plain_frame(100);
    EXPECT_TRUE(n.send_pieces({n.readable(std::vector<uint8_t>(10)), n.readable(frame)}));
    ASSERT_EQ(n.sent.size(), 1u);
    EXPECT_EQ(n.sent[0].frame, frame);

    const piece buffer = n.r->writable(1524);
    n.rx().offer(n.rx().add({buffer}));
    n.r->guest.kick(0);
    n.r->run();
    EXPECT_TRUE(n.arrive(frame));
    const auto used = n.rx().reap();
    ASSERT_TRUE(used);
    EXPECT_EQ(used->length, 110u);
    EXPECT_EQ(n.r->memory.bytes(buffer.address, 10), std::vector<uint8_t>(10));
    EXPECT_EQ(n.r->memory.bytes(buffer.address + 10, 100), frame);
}

TEST_F(legacy_net, the_smallest_buffer_is_that_much_smaller)
{
    ROWS("NET-L2");
    driver.go_live(0, 2);
    EXPECT_TRUE(n.send_pieces({n.readable(std::vector<uint8_t>(23))}));
    EXPECT_EQ(n.sent.size(), 0u);
    EXPECT_TRUE(n.send_pieces({n.readable(std::vector<uint8_t>(24))}));
    EXPECT_EQ(n.sent.size(), 1u);
}

TEST_F(legacy_net, merged_buffers_have_all_12)
{
    ROWS("NET-L2");
    driver.go_live(mrg_rxbuf, 2);
    const std::vector<uint8_t> frame = plain_frame(100);
    const auto got = n.pass(frame);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->header.num_buffers, 1u);
    EXPECT_EQ(got->frame, frame);
    EXPECT_TRUE(n.send(frame));
    ASSERT_EQ(n.sent.size(), 1u);
    EXPECT_EQ(n.sent[0].frame, frame);
}

TEST_F(legacy_net, the_driver_may_write_its_address)
{
    ROWS("NET-L3", "INIT-L2");
    const std::vector<uint8_t> mine = {0x52, 0x54, 0, 1, 2, 3};
    for (uint32_t i = 0; i < 6; i++)
        n.r->write(0x100 + i, mine[i], 1);
    EXPECT_EQ(n.mac(), mine);
    n.r->write(0x100, 0x01, 1);
    EXPECT_EQ(n.mac(), mine) << "a group has no device";
    n.r->write(0x106, 0, 2);
    EXPECT_EQ(n.r->count(VMMIO_DIAG_CONFIG_READ_ONLY), 2u) << "the link's state is not its own";
    n.r->guest.reset();
    EXPECT_EQ(n.mac(), (std::vector<uint8_t>{0x52, 0x54, 0, 0x12, 0x34, 0x56}));
}

TEST_F(legacy_net, has_no_bit_above_31)
{
    ROWS("NET-L5", "RFB-L2");
    const vmmio_features offered = n.r->guest.offered();
    EXPECT_EQ(offered.word[1], 0u);
    EXPECT_FALSE(vmmio_features_has(&offered, 6)) << "no GSO bit for all of them";
}

TEST(legacy_console, carries_bytes_and_messages_little_endian)
{
    ROWS("CON-L1", "CON-L2", "CON-L3");
    console_options options;
    options.legacy = true;
    options.ports = 2;
    console_rig c(options);
    legacy_driver driver(*c.r);
    EXPECT_EQ(c.field(4, 4), 2u) << "max_nr_ports";
    driver.go_live(1u << 1, 6, 32);
    c.post_control(16);
    EXPECT_TRUE(c.tell(0, 0, 1)); /* DEVICE_READY */
    EXPECT_EQ(c.told(), (std::vector<std::vector<uint8_t>>{control_message(0, 1, 1),
                                                           control_message(1, 1, 1)}));
    EXPECT_TRUE(c.send({1, 2, 3}, 1));
    EXPECT_EQ(c.output[1], (std::vector<uint8_t>{1, 2, 3}));
}

TEST(modern_net, the_address_is_read_only)
{
    ROWS("INIT-04");
    net_rig n;
    n.go_live();
    n.r->write(0x100, 0x52, 1);
    EXPECT_EQ(n.r->count(VMMIO_DIAG_CONFIG_READ_ONLY), 1u);
}

} // namespace
} // namespace vmmio::tb
