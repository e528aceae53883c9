/* SPDX-License-Identifier: Apache-2.0 */
/* Storages that take their time: order, durability, and what a reset overtakes. */
#include "blk_rig.h"

namespace vmmio::tb
{
namespace
{

blk_options slow_disk(uint32_t jobs = 4)
{
    blk_options o;
    o.direct = false;
    o.job_count = jobs;
    return o;
}

class blk_durable : public ::testing::Test
{
protected:
    blk_durable()
    {
        b.slow.on_job = [this](const vmmio_blk_job &job) {
            if (job.operation == VMMIO_BLK_T_FLUSH)
                used_at_flush = b.r->queue(0).used_idx();
        };
    }
    /* What the storage saw of one request; a flush came before the driver saw the answer. */
    std::vector<uint32_t> seen(uint32_t type, const std::vector<uint8_t> &data)
    {
        b.slow.log.clear();
        const uint16_t before = b.r->queue(0).used_idx();
        EXPECT_EQ(b.ask(type, 0, data).status, OK);
        if (b.slow.log.back() == FLUSH) {
            EXPECT_EQ(used_at_flush, before);
        }
        return b.slow.log;
    }

    blk_rig b{slow_disk()};
    uint16_t used_at_flush = 0;
};

using operations = std::vector<uint32_t>;

TEST_F(blk_durable, writes_are_volatile_with_a_writeback_cache_until_a_flush)
{
    ROWS("BLK-37");
    b.go_live();
    EXPECT_EQ(seen(OUT, pattern(512, 1)), operations{OUT});
    EXPECT_EQ(seen(WRITE_ZEROES, segment(0, 1)), operations{WRITE_ZEROES});
    EXPECT_EQ(seen(FLUSH, {}), operations{FLUSH});
    b.go_live({VMMIO_BLK_F_CONFIG_WCE});
    EXPECT_EQ(seen(OUT, pattern(512, 1)), operations{OUT});
    EXPECT_EQ(seen(FLUSH, {}), operations{FLUSH});
}

TEST_F(blk_durable, writes_are_stable_when_answered_if_writeback_is_0)
{
    ROWS("BLK-37", "BLK-30b");
    b.go_live();
    b.r->write(0x120, 0, 1);
    EXPECT_EQ(seen(OUT, pattern(512, 1)), (operations{OUT, FLUSH}));
    EXPECT_EQ(seen(OUT, pattern(VMMIO_BLK_PIECE / 4, 1)), (operations{OUT, FLUSH}));
    EXPECT_EQ(seen(WRITE_ZEROES, segment(0, 1) + segment(2, 1)),
              (operations{WRITE_ZEROES, WRITE_ZEROES, FLUSH}));
    EXPECT_EQ(seen(DISCARD, segment(0, 1)), (operations{DISCARD, FLUSH}));
    b.r->write(0x120, 1, 1);
    EXPECT_EQ(seen(OUT, pattern(512, 1)), operations{OUT});
    b.go_live({VMMIO_BLK_F_FLUSH});
    EXPECT_EQ(seen(OUT, pattern(512, 1)), (operations{OUT, FLUSH})) << "BLK-13 says 0";
}

TEST_F(blk_durable, writes_are_stable_when_answered_for_drivers_that_do_not_know_flush)
{
    ROWS("BLK-37");
    b.go_live({VMMIO_BLK_F_FLUSH, VMMIO_BLK_F_CONFIG_WCE});
    EXPECT_EQ(seen(OUT, pattern(512, 1)), (operations{OUT, FLUSH}));
    b.slow.log.clear();
    EXPECT_EQ(b.ask(IN, 0, {}, 512).status, OK);
    EXPECT_EQ(b.slow.log, operations{IN});
}

TEST(blk_durable_ram, a_storage_that_is_copied_to_directly_is_flushed_too)
{
    ROWS("BLK-37");
    test_storage memory(512 * 64);
    const auto jobs = std::make_unique<vmmio_blk_job>();
    vmmio_blk_config config = {};
    config.storage = memory.storage();
    config.storage.map = [](void *self, uint64_t offset, uint64_t) {
        return static_cast<test_storage *>(self)->bytes.data() + offset;
    };
    config.capacity = 64;
    config.jobs = jobs.get();
    config.job_count = 1;
    blk_rig b;
    ASSERT_EQ(vmmio_blk_init(&b.blk, &config), VMMIO_ERROR_OK);
    b.go_live();
    EXPECT_EQ(b.ask(OUT, 0, pattern(512, 1)).status, OK);
    EXPECT_TRUE(memory.log.empty());
    b.r->write(0x120, 0, 1);
    EXPECT_EQ(b.ask(OUT, 1, pattern(512, 2)).status, OK);
    EXPECT_EQ(memory.log.back(), FLUSH);
    EXPECT_EQ(b.ask(IN, 1, {}, 512).data, pattern(512, 2));
}

TEST(blk_unflushed, a_device_without_flush_promises_nothing)
{
    ROWS("BLK-37");
    blk_options o = slow_disk();
    o.config.withheld = 1u << VMMIO_BLK_F_FLUSH;
    blk_rig b(o);
    b.go_live();
    EXPECT_EQ(b.ask(OUT, 0, pattern(512, 1)).status, OK);
    EXPECT_EQ(b.slow.log, operations{OUT});
}

class blk_late : public ::testing::TestWithParam<dma_mode>
{
protected:
    blk_late()
    {
        b.go_live();
        b.slow.hold = true;
    }
    static blk_options options()
    {
        blk_options o = slow_disk(2);
        o.mode = GetParam();
        return o;
    }
    blk_rig b{options()};
};

INSTANTIATE_TEST_SUITE_P(ways, blk_late, every_dma_mode(),
                         [](const auto &p) { return name_of(p.param); });

TEST_P(blk_late, requests_end_in_the_order_of_the_storage)
{
    ROWS("BLK-22", "SPLIT-36");
    b.slow.bytes = pattern(512 * 64, 3);
    const auto first = b.offer(IN, 1, {}, 512);
    const auto second = b.offer(OUT, 2, pattern(512, 9));
    ASSERT_EQ(b.slow.held.size(), 2u);
    EXPECT_FALSE(b.r->queue(0).reap().has_value());
    b.slow.finish(1);
    EXPECT_EQ(b.wakes, 1u);
    EXPECT_FALSE(b.r->queue(0).reap().has_value()) << "nothing reaches the guest before the poll";
    b.poll();
    EXPECT_TRUE(b.r->queue(0).reap().has_value());
    EXPECT_EQ(b.status_of(second), OK);
    EXPECT_EQ(b.status_of(first), no_status);
    b.r->guest.acknowledge(3);
    b.slow.finish(0);
    b.poll();
    EXPECT_EQ(b.r->guest.interrupts(), 1u);
    EXPECT_TRUE(b.r->queue(0).reap().has_value());
    EXPECT_EQ(b.status_of(first), OK);
    const std::vector<uint8_t> disk = pattern(512 * 64, 3);
    EXPECT_EQ(b.r->memory.bytes(first[1].address, 512),
              std::vector<uint8_t>(disk.begin() + 512, disk.begin() + 1024));
}

TEST_P(blk_late, requests_wait_for_a_job_in_their_order)
{
    ROWS("BLK-23");
    std::vector<std::vector<piece>> all;
    for (unsigned i = 0; i < 6; i++)
        all.push_back(b.offer(OUT, i, pattern(512, i)));
    EXPECT_EQ(b.slow.held.size(), 2u);
    while (!b.slow.held.empty()) {
        b.slow.finish(0);
        b.poll();
    }
    for (const auto &request : all) {
        EXPECT_TRUE(b.r->queue(0).reap().has_value());
        EXPECT_EQ(b.status_of(request), OK);
    }
    for (unsigned i = 0; i < 6; i++)
        EXPECT_EQ(b.slow.bytes[512 * i], pattern(512, i)[0]);
    EXPECT_FALSE(vmmio_blk_poll(&b.blk)) << "nothing is left";
}

TEST_P(blk_late, long_requests_go_on_piece_by_piece)
{
    ROWS("BLK-23");
    blk_options o = options();
    o.sectors = 1024;
    blk_rig big(o);
    big.go_live();
    big.slow.hold = true;
    const std::vector<uint8_t> data = pattern(2 * VMMIO_BLK_PIECE + 1024, 6);
    const auto write = big.offer(OUT, 1, data);
    unsigned pieces = 0;
    for (; !big.slow.held.empty(); pieces++) {
        EXPECT_EQ(big.status_of(write), no_status);
        big.slow.finish(0);
        big.poll();
    }
    EXPECT_EQ(pieces, 3u);
    EXPECT_EQ(big.status_of(write), OK);
    EXPECT_TRUE(std::equal(data.begin(), data.end(), big.slow.bytes.begin() + 512));
}

TEST_P(blk_late, a_failure_is_told_late_too)
{
    ROWS("BLK-22");
    const auto write = b.offer(OUT, 0, pattern(512, 1));
    b.slow.finish(0, false);
    b.poll();
    EXPECT_EQ(b.status_of(write), IOERR);
}

TEST_P(blk_late, nothing_reaches_a_guest_that_has_reset_the_device)
{
    ROWS("A-RESET-INFLIGHT", "H-34", "RST-03");
    const auto one = b.offer(IN, 1, {}, 512);
    const auto two = b.offer(IN, 2, {}, 512);
    const auto waits = b.offer(IN, 3, {}, 512);
    b.r->guest.reset();
    EXPECT_EQ(b.r->guest.status(), 0u);
    b.r->memory.withdraw_all();
    const uint64_t transactions = b.r->memory.transactions;
    b.slow.finish_all();
    b.poll();
    EXPECT_EQ(b.r->memory.transactions, transactions);
    EXPECT_EQ(b.blk.requests, 0u);
    for (const auto &request : {one, two, waits})
        EXPECT_EQ(b.r->memory.bytes(request[1].address, 512), std::vector<uint8_t>(512, no_status));
    EXPECT_EQ(b.r->guest.interrupts(), 0u);
    b.slow.hold = false;
    b.go_live();
    EXPECT_EQ(b.ask(IN, 0, {}, 512).status, OK);
}

TEST_P(blk_late, the_next_driver_comes_after_the_last_ones_writes)
{
    ROWS("A-RESET-INFLIGHT", "H-34");
    b.offer(OUT, 4, pattern(512, 1));
    b.offer(OUT, 5, pattern(512, 1));
    b.go_live();
    const std::vector<uint8_t> fresh = pattern(512, 2);
    const auto write = b.offer(OUT, 5, fresh);
    const auto read = b.offer(IN, 4, {}, 512);
    EXPECT_EQ(b.slow.held.size(), 2u) << "the old writes are not over";
    b.slow.finish(0);
    b.poll();
    EXPECT_EQ(b.slow.held.size(), 1u) << "one of them is not";
    b.slow.finish(0);
    b.poll();
    EXPECT_EQ(b.slow.held.size(), 2u);
    b.slow.finish_all();
    b.poll();
    EXPECT_EQ(b.status_of(write), OK);
    EXPECT_EQ(b.status_of(read), OK);
    EXPECT_EQ(b.r->memory.bytes(read[1].address, 512), pattern(512, 1));
    EXPECT_TRUE(
        std::equal(b.slow.bytes.begin() + 5 * 512, b.slow.bytes.begin() + 6 * 512, fresh.begin()));
}

TEST_P(blk_late, a_queue_reset_overtakes_the_requests_of_its_queue)
{
    ROWS("A-RESET-INFLIGHT", "H-34", "MMIO-QRESET-05");
    const auto old = b.offer(IN, 1, {}, 512);
    b.r->write_queue(0, VMMIO_REG_QUEUE_RESET, 1);
    EXPECT_EQ(b.r->read_queue(0, VMMIO_REG_QUEUE_RESET), 0u);
    b.r->memory.withdraw_all();
    b.r->queues[0] = std::make_unique<virtqueue>(b.r->make_queue(64));
    b.r->guest.enable_queue(0, b.r->queue(0));
    const auto fresh = b.offer(IN, 2, {}, 512);
    EXPECT_EQ(b.slow.held.size(), 1u);
    b.slow.finish_all();
    b.poll();
    b.slow.finish_all();
    b.poll();
    EXPECT_EQ(b.status_of(old), no_status);
    EXPECT_EQ(b.status_of(fresh), OK);
    EXPECT_TRUE(b.r->queue(0).reap().has_value());
    EXPECT_FALSE(b.r->queue(0).reap().has_value());
}

TEST_P(blk_late, suspend_waits_for_the_storage)
{
    ROWS("SUSP-09");
    const auto read = b.offer(IN, 1, {}, 512);
    b.r->guest.add_status(VMMIO_STATUS_SUSPEND);
    EXPECT_FALSE(b.r->guest.status() & VMMIO_STATUS_SUSPEND);
    b.slow.finish_all();
    b.poll();
    EXPECT_EQ(b.status_of(read), OK);
    EXPECT_TRUE(b.r->guest.status() & VMMIO_STATUS_SUSPEND);
}

TEST_P(blk_late, more_requests_than_the_device_can_hold_wait_in_the_ring)
{
    ROWS("BLK-23");
    blk_options o = options();
    o.requests = 3;
    blk_rig few(o);
    few.go_live();
    few.slow.hold = true;
    std::vector<std::vector<piece>> all;
    for (unsigned i = 0; i < 9; i++)
        all.push_back(few.offer(OUT, i, pattern(512, i)));
    for (unsigned rounds = 0; !few.slow.held.empty(); rounds++) {
        ASSERT_LT(rounds, 20u);
        few.slow.finish_all();
        few.poll();
    }
    for (const auto &request : all)
        EXPECT_EQ(few.status_of(request), OK);
}

TEST(blk_bus, a_reset_during_the_dma_of_a_late_request_is_done_after_it)
{
    ROWS("A-RESET-INFLIGHT", "H-34");
    blk_options o = slow_disk(2);
    o.mode = dma_mode::transaction;
    blk_rig b(o);
    b.go_live();
    b.slow.hold = true;
    const auto read = b.offer(IN, 1, {}, 512);
    const auto behind = b.offer(IN, 2, {}, 512);
    b.slow.finish_all();
    bool reset_asked = false;
    b.r->memory.on_transaction = [&](const dma_access &) {
        if (reset_asked)
            return;
        reset_asked = true;
        b.r->guest.reset();
        EXPECT_NE(b.r->guest.status(), 0u) << "an access is on its way";
        EXPECT_TRUE(vmmio_blk_poll(&b.blk)) << "busy";
    };
    EXPECT_FALSE(vmmio_blk_poll(&b.blk));
    EXPECT_TRUE(reset_asked);
    EXPECT_EQ(b.r->guest.status(), 0u);
    EXPECT_EQ(b.status_of(read), no_status);
    EXPECT_EQ(b.r->memory.bytes(behind[1].address, 1)[0], no_status);
    b.r->memory.on_transaction = nullptr;
    b.slow.hold = false;
    b.go_live();
    EXPECT_EQ(b.ask(IN, 0, {}, 512).status, OK);
}

TEST(blk_storage_mistakes, a_job_ends_once)
{
    blk_rig b(slow_disk());
    b.go_live();
    b.slow.hold = true;
    const auto write = b.offer(OUT, 0, pattern(512, 1));
    vmmio_blk_job *job = b.slow.held[0];
    b.slow.finish(0);
    vmmio_blk_job_done(job, false);
    b.poll();
    EXPECT_EQ(b.status_of(write), OK);
    vmmio_blk_job_done(job, false);
    EXPECT_FALSE(vmmio_blk_poll(&b.blk));
}

} // namespace
} // namespace vmmio::tb
