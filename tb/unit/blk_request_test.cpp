/* SPDX-License-Identifier: Apache-2.0 */
/* What block requests do and how they are answered (5.2.6), with every storage and kind of DMA. */
#include "blk_rig.h"
#include "requests.h"

#include <algorithm>
#include <tuple>

namespace vmmio::tb
{
namespace
{

using way = std::tuple<dma_mode, bool>; /* how guest memory is reached; RAM storage or jobs */

class blk : public ::testing::TestWithParam<way>
{
protected:
    static blk_options with_way()
    {
        blk_options o;
        std::tie(o.mode, o.direct) = GetParam();
        o.steady = o.direct && o.mode == dma_mode::pointer;
        return o;
    }
    blk() : b(with_way()) { b.go_live(); }

    std::vector<uint8_t> sectors(uint64_t first, uint64_t count)
    {
        const auto at = b.disk().begin() + static_cast<long>(512 * first);
        return {at, at + static_cast<long>(512 * count)};
    }

    blk_rig b;
};

INSTANTIATE_TEST_SUITE_P(ways, blk, ::testing::Combine(every_dma_mode(), ::testing::Bool()),
                         [](const ::testing::TestParamInfo<way> &p) {
                             return name_of(std::get<0>(p.param)) +
                                    (std::get<1>(p.param) ? "_ram" : "_jobs");
                         });

TEST_P(blk, writes_and_reads_sectors)
{
    ROWS("BLK-22", "BLK-23", "BLK-06", "SPLIT-37");
    for (const auto &[sector, count] : {std::pair(0u, 1u), {31u, 2u}, {63u, 1u}, {0u, 64u}}) {
        const std::vector<uint8_t> data = pattern(512 * count, sector + count);
        const outcome write = b.ask(OUT, sector, data);
        EXPECT_EQ(write.status, OK);
        EXPECT_EQ(write.used, 1u);
        EXPECT_EQ(sectors(sector, count), data);
        const outcome read = b.ask(IN, sector, {}, 512 * count);
        EXPECT_EQ(read.status, OK);
        EXPECT_EQ(read.used, 512 * count + 1);
        EXPECT_EQ(read.data, data);
    }
    EXPECT_EQ(b.blk.requests, 8u);
    EXPECT_EQ(b.blk.bytes_read, 512u * 68);
    EXPECT_EQ(b.blk.bytes_written, 512u * 68);
    EXPECT_TRUE(b.r->diagnostics.empty());
}

TEST_P(blk, descriptors_may_cut_a_request_anywhere)
{
    ROWS("BLK-21", "BLK-27", "SPLIT-04", "H-49");
    const std::vector<uint8_t> data = pattern(1024, 1);
    for (const uint32_t length : {1u, 8u, 15u}) {
        std::vector<piece> pieces = cut(b.header(OUT, 7), length);
        pieces = join(pieces, cut(b.readable(data), 100));
        pieces.push_back(b.status());
        EXPECT_EQ(b.ask(pieces).status, OK) << length;
        EXPECT_EQ(sectors(7, 2), data);
        b.fill_disk(std::vector<uint8_t>(b.disk().size()));
    }
    /* Header and data in one piece, and status behind an empty one. */
    piece whole = b.header(OUT, 9);
    b.r->alloc(1024);
    whole.length += 1024;
    b.r->memory.set_bytes(whole.address + 16, data);
    EXPECT_EQ(b.ask({whole, {b.status().address, 0, true}, b.status()}).status, OK);
    EXPECT_EQ(sectors(9, 2), data);

    const outcome read = b.ask({b.header(IN, 9), b.writable(1025)});
    EXPECT_EQ(read.status, OK) << "the status is the last byte of the last descriptor";
    EXPECT_EQ(read.data, data);
    EXPECT_EQ(read.used, 1025u);
    std::vector<piece> drops = cut(b.writable(513), 40);
    drops.insert(drops.begin(), b.header(IN, 9));
    const outcome cut_read = b.ask(drops);
    EXPECT_EQ(cut_read.status, OK);
    EXPECT_EQ(cut_read.data, std::vector<uint8_t>(data.begin(), data.begin() + 512));
}

TEST_P(blk, the_status_goes_to_the_very_end_and_nothing_else_is_written)
{
    ROWS("BLK-27", "SPLIT-37");
    const std::vector<uint8_t> untouched(9, no_status);
    for (const uint32_t type : {OUT, FLUSH, 99u}) {
        const outcome o = b.ask({b.header(type, 0), b.readable(pattern(512, 3)), b.writable(10)});
        EXPECT_EQ(o.status, type == 99 ? UNSUPP : OK);
        EXPECT_EQ(o.data, untouched);
        EXPECT_EQ(o.used, 0u) << "no byte was written from the first one on";
    }
    const outcome late = b.ask(IN, 64, {}, 512);
    EXPECT_EQ(late.status, IOERR);
    EXPECT_EQ(late.data, std::vector<uint8_t>(512, no_status));
    EXPECT_EQ(late.used, 0u);
}

TEST_P(blk, types_that_it_does_not_have_are_unsupported)
{
    ROWS("BLK-28", "BLK-40", "BLK-26", "BLK-L3", "H-49");
    const std::vector<uint8_t> before = b.disk();
    const std::vector<uint32_t> types = {2,  3,  5,          6,          7,         9,  10,
                                         12, 14, 15,         16,         18,        20, 22,
                                         24, 26, 0x7fffffff, 0x80000000, 0x80000001};
    for (const uint32_t type : types) {
        EXPECT_EQ(b.ask(type, 0, pattern(512, 5), 512).status, UNSUPP) << type;
        EXPECT_EQ(b.ask(type, 0).status, UNSUPP) << type;
    }
    EXPECT_EQ(b.r->count(VMMIO_DIAG_REQUEST_UNKNOWN), 2 * types.size());
    EXPECT_EQ(b.disk(), before);
    EXPECT_TRUE(b.slow.log.empty());
}

TEST_P(blk, nothing_beyond_the_capacity_is_touched)
{
    ROWS("BLK-29", "H-15", "H-49");
    const std::vector<uint8_t> before = b.disk();
    const std::vector<std::pair<uint64_t, uint32_t>> outside = {{64, 1},
                                                                {63, 2},
                                                                {0, 65},
                                                                {UINT64_MAX, 1},
                                                                {UINT64_MAX, 2},
                                                                {1ull << 55, 1},
                                                                {(1ull << 55) - 1, 1},
                                                                {UINT64_MAX / 512, 1},
                                                                {UINT64_MAX - 62, 64}};
    for (const auto &[sector, count] : outside) {
        EXPECT_EQ(b.ask(OUT, sector, pattern(512 * count, 9)).status, IOERR) << sector;
        EXPECT_EQ(b.ask(IN, sector, {}, 512 * count).status, IOERR) << sector;
        EXPECT_EQ(b.ask(DISCARD, 0, segment(sector, count)).status, IOERR) << sector;
        EXPECT_EQ(b.ask(WRITE_ZEROES, 0, segment(0, 1) + segment(sector, count)).status, IOERR);
    }
    EXPECT_EQ(b.disk(), before);
    EXPECT_TRUE(b.slow.log.empty());
    EXPECT_EQ(b.r->count(VMMIO_DIAG_REQUEST_RANGE), 4 * outside.size());
}

TEST_P(blk, lengths_that_cannot_be_are_errors)
{
    ROWS("BLK-30", "BLK-30a", "H-15", "H-49");
    const std::vector<uint8_t> before = b.disk();
    for (const uint32_t length : {1u, 511u, 513u, 1023u}) {
        EXPECT_EQ(b.ask(OUT, 0, pattern(length, 1)).status, IOERR) << length;
        EXPECT_EQ(b.ask(IN, 0, {}, length).status, IOERR) << length;
    }
    for (const uint32_t length : {1u, 19u, 21u, 512u})
        EXPECT_EQ(b.ask(GET_ID, 0, {}, length).status, IOERR) << length;
    EXPECT_EQ(b.ask(GET_ID).status, IOERR);
    for (const uint32_t type : {DISCARD, WRITE_ZEROES}) {
        EXPECT_EQ(b.ask(type).status, IOERR);
        EXPECT_EQ(b.ask(type, 0, pattern(15, 0)).status, IOERR);
        EXPECT_EQ(b.ask(type, 0, pattern(17, 0)).status, IOERR);
    }
    EXPECT_EQ(b.r->count(VMMIO_DIAG_REQUEST_LENGTH), 8u + 5u + 6u);
    EXPECT_EQ(b.disk(), before);
    EXPECT_TRUE(b.slow.log.empty());
    EXPECT_EQ(b.ask(FLUSH, 77, pattern(512, 1), 512).status, OK) << "its sector and data are idle";
    EXPECT_EQ(b.ask(OUT, 64).status, OK) << "nothing, at the very end";
    EXPECT_EQ(b.ask(OUT, 65).status, IOERR);
}

TEST_P(blk, a_request_without_a_place_for_its_status_has_no_effect)
{
    ROWS("BLK-27", "H-13", "H-14", "H-49");
    const std::vector<uint8_t> before = b.disk();
    const auto back = b.r->exchange({b.header(OUT, 0), b.readable(pattern(513, 1))});
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->length, 0u);
    EXPECT_EQ(b.r->count(VMMIO_DIAG_REQUEST_SHORT), 1u);
    EXPECT_EQ(b.disk(), before);
    EXPECT_EQ(b.ask(IN, 0, {}, 512).status, OK) << "the queue goes on";
}

TEST_P(blk, short_headers_and_wrong_directions_are_errors)
{
    ROWS("H-13", "H-14", "BLK-21");
    const std::vector<uint8_t> before = b.disk();
    for (const uint32_t length : {1u, 8u, 15u}) {
        const piece h = b.header(OUT, 0);
        EXPECT_EQ(b.ask({{h.address, length, false}, b.status()}).status, IOERR) << length;
    }
    EXPECT_EQ(b.ask({b.writable(16), b.status()}).status, IOERR) << "a writable header";
    EXPECT_EQ(b.r->count(VMMIO_DIAG_REQUEST_SHORT), 4u);
    EXPECT_EQ(b.ask({b.header(IN, 0), b.readable(pattern(512, 1)), b.status()}).status, IOERR);
    EXPECT_EQ(b.ask({b.header(OUT, 0), b.writable(512), b.status()}).status, IOERR);
    EXPECT_EQ(b.r->count(VMMIO_DIAG_REQUEST_DIRECTION), 2u);
    EXPECT_EQ(b.disk(), before);
}

TEST_P(blk, zeroed_ranges_read_zero)
{
    ROWS("BLK-24", "BLK-34", "BLK-35");
    for (const uint32_t unmap : {0u, 1u}) {
        std::vector<uint8_t> expected = pattern(512 * 64, 40);
        b.fill_disk(expected);
        std::vector<uint8_t> list;
        for (const auto &[sector, count] : {std::pair(0u, 1u), {3u, 7u}, {20u, 0u}, {60u, 4u}}) {
            list = list + segment(sector, count, unmap);
            std::fill_n(expected.begin() + 512 * sector, 512 * count, uint8_t(0));
        }
        const outcome o = b.ask(WRITE_ZEROES, 0, list);
        EXPECT_EQ(o.status, OK);
        EXPECT_EQ(o.used, 1u);
        EXPECT_EQ(b.disk(), expected);
    }
}

TEST_P(blk, discards_leave_the_rest_alone)
{
    ROWS("BLK-24", "BLK-35");
    std::vector<uint8_t> expected = pattern(512 * 64, 41);
    b.fill_disk(expected);
    EXPECT_EQ(b.ask(DISCARD, 0, segment(8, 8) + segment(62, 2)).status, OK);
    for (uint64_t sector = 0; sector < 64; sector++) {
        const bool kept = (sector < 8 || sector > 15) && sector < 62;
        const auto at = expected.begin() + static_cast<long>(512 * sector);
        EXPECT_TRUE(!kept || b.ask(IN, sector, {}, 512).data == std::vector<uint8_t>(at, at + 512));
    }
    EXPECT_EQ(b.ask(IN, 8, {}, 512).status, OK) << "but says nothing about what it reads";
}

TEST_P(blk, unknown_flags_are_unsupported)
{
    ROWS("BLK-32", "BLK-33", "BLK-30c");
    const std::vector<uint8_t> before = b.disk();
    for (unsigned bit = 0; bit < 32; bit++) {
        const std::vector<uint8_t> list = segment(0, 1) + segment(1, 1, 1u << bit);
        EXPECT_EQ(b.ask(DISCARD, 0, list).status, UNSUPP) << bit;
        EXPECT_EQ(b.ask(DISCARD, 0, list + segment(UINT64_MAX, 1)).status, UNSUPP) << bit;
        EXPECT_EQ(b.ask(WRITE_ZEROES, 0, list).status, bit ? UNSUPP : OK) << bit;
    }
    EXPECT_EQ(b.disk(), before);
    EXPECT_EQ(b.slow.log.size(), std::get<1>(GetParam()) ? 0u : 2u) << "only for bit 0";
}

TEST_P(blk, a_bus_error_stops_the_queue_and_a_reset_helps)
{
    ROWS("H-60", "H-12");
    for (unsigned k = 0; k < 8; k++) {
        b.go_live();
        const uint64_t before = b.r->memory.transactions;
        b.r->memory.fail_transaction(k);
        b.r->serve(
            b.chain(k % 2 ? IN : OUT, 0, k % 2 ? pattern(0, 0) : pattern(512, 1), k % 2 ? 512 : 0));
        const bool failed = b.r->memory.transactions > before + k;
        EXPECT_EQ((b.r->guest.status() & VMMIO_STATUS_NEEDS_RESET) != 0, failed) << k;
        b.r->memory.fail_transaction(UINT64_MAX - b.r->memory.transactions);
    }
    b.go_live();
    EXPECT_EQ(b.ask(IN, 0, {}, 512).status, OK);
}

/* Settings that the tests above leave at their defaults. */

TEST(blk_limits, longer_lists_and_ranges_than_announced_are_errors)
{
    ROWS("BLK-30", "BLK-29");
    blk_options o;
    o.config.max_discard_seg = 2;
    o.config.max_discard_sectors = 4;
    o.config.max_write_zeroes_seg = 1;
    o.config.max_write_zeroes_sectors = 3;
    blk_rig b(o);
    b.go_live();
    EXPECT_EQ(b.ask(DISCARD, 0, segment(0, 4) + segment(8, 4)).status, OK);
    EXPECT_EQ(b.ask(DISCARD, 0, segment(0, 1) + segment(1, 1) + segment(2, 1)).status, IOERR);
    EXPECT_EQ(b.ask(DISCARD, 0, segment(0, 5)).status, IOERR);
    EXPECT_EQ(b.ask(WRITE_ZEROES, 0, segment(0, 3)).status, OK);
    EXPECT_EQ(b.ask(WRITE_ZEROES, 0, segment(0, 4)).status, IOERR);
    EXPECT_EQ(b.ask(WRITE_ZEROES, 0, segment(0, 1) + segment(1, 1)).status, IOERR);
}

TEST(blk_limits, more_data_than_size_max_times_seg_max_is_an_error)
{
    ROWS("BLK-02");
    blk_options o;
    o.config.size_max = 1024;
    o.config.seg_max = 3;
    blk_rig b(o);
    b.go_live();
    EXPECT_EQ(b.ask(IN, 0, {}, 3072).status, OK);
    EXPECT_EQ(b.ask(IN, 0, {}, 3584).status, IOERR);
    EXPECT_EQ(b.ask(OUT, 0, pattern(3584, 0)).status, IOERR);
}

TEST(blk_limits, transfers_of_many_pieces_are_whole)
{
    ROWS("BLK-23");
    blk_options o;
    o.direct = false;
    o.sectors = 1024;
    blk_rig b(o);
    b.go_live();
    const std::vector<uint8_t> data = pattern(3 * VMMIO_BLK_PIECE + 512, 8);
    EXPECT_EQ(b.ask(OUT, 5, data).status, OK);
    EXPECT_EQ(b.slow.log.size(), 4u);
    EXPECT_EQ(b.ask(IN, 5, {}, uint32_t(data.size())).data, data);
}

TEST(blk_hostile, what_another_master_may_change_is_read_once)
{
    ROWS("H-16", "A-DBLFETCH");
    blk_options o;
    o.mode = dma_mode::transaction;
    blk_rig b(o);
    b.go_live();
    for (const auto &pieces :
         {b.chain(DISCARD, 0, segment(0, 1) + segment(2, 1)), b.chain(OUT, 1, pattern(512, 1))}) {
        b.r->memory.log.clear();
        EXPECT_EQ(b.ask(pieces).status, OK);
        for (const piece &p : pieces) {
            const auto touches = [&p](const dma_access &a) {
                return !a.map && a.address < p.address + p.length &&
                       p.address < a.address + a.length;
            };
            EXPECT_EQ(std::count_if(b.r->memory.log.begin(), b.r->memory.log.end(), touches), 1);
        }
    }
}

TEST(blk_features_used, requests_without_their_feature_are_unsupported)
{
    ROWS("BLK-28");
    blk_rig b;
    b.go_live({VMMIO_BLK_F_DISCARD, VMMIO_BLK_F_WRITE_ZEROES});
    EXPECT_EQ(b.ask(DISCARD, 0, segment(0, 1)).status, UNSUPP);
    EXPECT_EQ(b.ask(WRITE_ZEROES, 0, segment(0, 1)).status, UNSUPP);
}

TEST(blk_id, is_20_bytes_and_no_more)
{
    ROWS("BLK-25", "H-49");
    for (const std::string text :
         {"", "disk", "1234567890123456789", "12345678901234567890", "123456789012345678901"}) {
        blk_options o;
        o.config.id = text.c_str();
        blk_rig b(o);
        b.go_live();
        const outcome id = b.ask(GET_ID, 0, {}, 20);
        std::vector<uint8_t> expected(text.begin(),
                                      text.begin() + long(std::min<size_t>(text.size(), 20)));
        expected.resize(20);
        EXPECT_EQ(id.status, OK);
        EXPECT_EQ(id.data, expected);
        EXPECT_EQ(id.used, 21u);
    }
}

TEST(blk_read_only, takes_no_write_whether_the_driver_accepts_it_or_not)
{
    ROWS("BLK-07", "BLK-31", "H-49");
    blk_options o;
    o.config.read_only = true;
    for (const bool accepted : {true, false}) {
        blk_rig b(o);
        b.fill_disk(pattern(512 * 64, 2));
        const std::vector<uint8_t> before = b.disk();
        if (accepted)
            b.go_live();
        else
            b.go_live({VMMIO_BLK_F_RO});
        EXPECT_EQ(b.ask(OUT, 0, pattern(512, 7)).status, IOERR);
        EXPECT_EQ(b.ask(OUT, 0, pattern(100, 7)).status, IOERR);
        EXPECT_EQ(b.r->count(VMMIO_DIAG_REQUEST_READ_ONLY), 2u);
        EXPECT_EQ(b.ask(DISCARD, 0, segment(0, 1)).status, UNSUPP) << "not offered";
        EXPECT_EQ(b.ask(WRITE_ZEROES, 0, segment(0, 1)).status, UNSUPP);
        EXPECT_EQ(b.ask(IN, 3, {}, 512).status, OK);
        EXPECT_EQ(b.ask(FLUSH).status, OK);
        EXPECT_EQ(b.disk(), before);
    }
}

TEST(blk_errors, a_storage_that_fails_is_reported)
{
    ROWS("BLK-22");
    blk_options o;
    o.direct = false;
    blk_rig b(o);
    b.go_live();
    b.slow.fail = true;
    EXPECT_EQ(b.ask(OUT, 0, pattern(512, 1)).status, IOERR);
    const outcome read = b.ask(IN, 0, {}, 512);
    EXPECT_EQ(read.status, IOERR);
    EXPECT_EQ(read.data, std::vector<uint8_t>(512, no_status)) << "no old data leaks";
    EXPECT_EQ(b.ask(FLUSH).status, IOERR);
    EXPECT_EQ(b.ask(DISCARD, 0, segment(0, 1) + segment(1, 1)).status, IOERR);
    EXPECT_EQ(b.slow.log, (std::vector<uint32_t>{OUT, IN, FLUSH, DISCARD}));
    EXPECT_EQ(b.r->count(VMMIO_DIAG_REQUEST_BACKEND), 4u);
    b.slow.fail = false;
    EXPECT_EQ(b.ask(IN, 0, {}, 512).status, OK);
}

TEST(blk_queues, all_of_them_serve)
{
    ROWS("BLK-01");
    blk_options o;
    o.config.queue_count = 4;
    blk_rig b(o);
    b.go_live({}, 4);
    for (uint32_t queue = 0; queue < 4; queue++) {
        const auto pieces = b.offer(OUT, queue, pattern(512, queue), 0, queue);
        EXPECT_TRUE(b.r->queue(queue).reap().has_value());
        EXPECT_EQ(b.status_of(pieces), OK);
    }
    for (uint32_t queue = 0; queue < 4; queue++)
        EXPECT_EQ(b.ask(IN, queue, {}, 512).data, pattern(512, queue));
}

} // namespace
} // namespace vmmio::tb
