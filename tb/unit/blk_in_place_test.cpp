/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and writes that are done where their buffers and the disk are (model/dev/blk_in_place.c),
 * and everything beside them that is not. A storage that gives pointers to parts of the disk, but
 * not to all of it, never takes that way: what drivers see must be the same.
 */
#include "blk_rig.h"

#include <algorithm>

namespace vmmio::tb
{
namespace
{

constexpr uint64_t sectors_of_disk = 64;

/* RAM that notes what it is asked for. */
struct watched_ram : vmmio_blk_ram {
    bool give_all;
    unsigned parts = 0, all = 0; /* how often each was asked for */

    static uint8_t *map(void *self, uint64_t offset, uint64_t length)
    {
        auto &that = *static_cast<watched_ram *>(static_cast<vmmio_blk_ram *>(self));
        const bool all = length == that.length;
        (all ? that.all : that.parts)++;
        return all && !that.give_all ? nullptr : that.bytes + offset;
    }
};

struct watched_disk {
    explicit watched_disk(bool give_all, const vmmio_blk_config &config = {})
        : b(with_ranges(config)), ram{{bytes.data(), bytes.size()}, give_all}
    {
        b.blk.is.storage = vmmio_blk_use_ram(&ram);
        b.blk.is.storage.map = watched_ram::map;
        for (size_t i = 0; i < sectors_of_disk; i++) {
            const std::vector<uint8_t> sector = pattern(512, static_cast<unsigned>(i));
            std::copy(sector.begin(), sector.end(), bytes.begin() + static_cast<long>(512 * i));
        }
    }

    static blk_options with_ranges(const vmmio_blk_config &config)
    {
        blk_options o;
        o.steady = true;
        o.sectors = sectors_of_disk;
        o.config = config;
        return o;
    }

    blk_rig b;
    std::vector<uint8_t> bytes = std::vector<uint8_t>(512 * sectors_of_disk);
    watched_ram ram;
};

TEST(blk_in_place, most_reads_and_writes_ask_for_no_part_of_the_disk)
{
    ROWS("BLK-22", "BLK-23", "BLK-27", "SPLIT-37");
    watched_disk d(true);
    d.b.go_live({VMMIO_F_IN_ORDER, VMMIO_F_RING_PACKED});
    for (unsigned i = 0; i < 100; i++) {
        const uint64_t sector = i % 50;
        const std::vector<uint8_t> data = pattern(1024, 100 + i);
        const outcome write = d.b.ask(OUT, sector, data);
        EXPECT_EQ(write.status, OK);
        EXPECT_EQ(write.used, 1u);
        const outcome read = d.b.ask(IN, sector, {}, 1024);
        EXPECT_EQ(read.status, OK);
        EXPECT_EQ(read.used, 1025u);
        EXPECT_EQ(read.data, data);
    }
    EXPECT_EQ(d.ram.parts, 1u) << "by then no pointers were known";
    EXPECT_EQ(d.b.blk.requests, 200u);
    EXPECT_EQ(d.b.blk.bytes_read, 102400u);
    EXPECT_EQ(d.b.blk.bytes_written, 102400u);
}

TEST(blk_in_place, chains_in_indirect_tables_are_served_there_too)
{
    ROWS("BLK-22");
    watched_disk d(true);
    d.b.go_live({VMMIO_F_IN_ORDER, VMMIO_F_RING_PACKED});
    const uint64_t table = d.b.r->alloc(4096);
    for (unsigned i = 0; i < 100; i++) {
        const std::vector<piece> pieces = d.b.chain(IN, i % sectors_of_disk, {}, 512);
        virtqueue &q = d.b.r->queue(0);
        q.offer(q.add_indirect(pieces, table, i % 2));
        d.b.r->guest.kick(0);
        d.b.r->run();
        const auto used = q.reap();
        ASSERT_TRUE(used);
        EXPECT_EQ(used->length, 513u);
        EXPECT_EQ(d.b.status_of(pieces), OK);
        EXPECT_EQ(d.b.r->memory.bytes(pieces[1].address, 512), pattern(512, i % sectors_of_disk));
    }
    EXPECT_EQ(d.ram.parts, 51u) << "the first one, and those whose headers are in the ring";
}

TEST(blk_in_place, unusual_requests_end_as_they_do_elsewhere)
{
    ROWS("BLK-27", "BLK-37", "H-13", "H-14", "H-49");
    vmmio_blk_config read_only = {};
    read_only.read_only = true;
    vmmio_blk_config small = {};
    small.size_max = 512;
    small.seg_max = 2;
    for (const vmmio_blk_config &config : {vmmio_blk_config{}, read_only, small}) {
        watched_disk place(true, config), elsewhere(false, config);
        place.b.go_live({VMMIO_F_IN_ORDER, VMMIO_F_RING_PACKED});
        elsewhere.b.go_live({VMMIO_F_IN_ORDER, VMMIO_F_RING_PACKED});
        const auto same = [&](const char *what, auto &&chain) {
            for (unsigned i = 0; i < 8; i++) {
                const outcome a = place.b.ask(chain(place.b));
                const outcome b = elsewhere.b.ask(chain(elsewhere.b));
                EXPECT_EQ(a.status, b.status) << what;
                EXPECT_EQ(a.used, b.used) << what;
                EXPECT_EQ(a.data, b.data) << what;
                EXPECT_EQ(place.bytes, elsewhere.bytes) << what;
            }
        };
        using chain = std::vector<piece>;
        same("read", [](blk_rig &b) { return b.chain(IN, 3, {}, 512); });
        same("write", [](blk_rig &b) { return b.chain(OUT, 4, pattern(512, 9)); });
        same("last", [](blk_rig &b) { return b.chain(IN, sectors_of_disk - 1, {}, 512); });
        same("beyond", [](blk_rig &b) { return b.chain(IN, sectors_of_disk, {}, 512); });
        same("over the end", [](blk_rig &b) { return b.chain(OUT, 63, pattern(1024, 9)); });
        same("far away", [](blk_rig &b) { return b.chain(IN, UINT64_MAX, {}, 512); });
        same("wraps", [](blk_rig &b) { return b.chain(IN, UINT64_MAX / 512 + 1, {}, 512); });
        same("too long", [](blk_rig &b) { return b.chain(IN, 0, {}, 2048); });
        same("odd", [](blk_rig &b) { return b.chain(IN, 0, {}, 511); });
        same("empty", [](blk_rig &b) { return chain{b.header(IN, 0), b.status()}; });
        same("flush", [](blk_rig &b) { return b.chain(FLUSH, 0); });
        same("unknown", [](blk_rig &b) { return b.chain(99, 0, {}, 512); });
        same("read into readable", [](blk_rig &b) { return b.chain(IN, 0, pattern(512, 1)); });
        same("write of writable", [](blk_rig &b) { return b.chain(OUT, 0, {}, 512); });
        same("two statuses", [](blk_rig &b) {
            return chain{b.header(IN, 1), b.writable(512), b.writable(2)};
        });
        same("long header", [](blk_rig &b) {
            return chain{b.readable(pattern(17, 0)), b.writable(512), b.status()};
        });
        same("no status", [](blk_rig &b) {
            return chain{b.header(OUT, 5), b.readable(pattern(512, 2)), b.readable({0})};
        });
        place.b.r->write(0x120, 0, 1); /* write through */
        elsewhere.b.r->write(0x120, 0, 1);
        same("write through", [](blk_rig &b) { return b.chain(OUT, 6, pattern(512, 3)); });
        EXPECT_EQ(place.b.blk.requests, elsewhere.b.blk.requests);
        EXPECT_EQ(place.b.blk.bytes_read, elsewhere.b.blk.bytes_read);
        EXPECT_EQ(place.b.blk.bytes_written, elsewhere.b.blk.bytes_written);
        EXPECT_LT(place.ram.parts, elsewhere.ram.parts);
    }
}

TEST(blk_in_place, impossible_tables_and_chains_are_fatal_as_elsewhere)
{
    ROWS("H-01", "H-03", "H-06");
    const unsigned next = VMMIO_DESC_NEXT, write = VMMIO_DESC_WRITE, indirect = VMMIO_DESC_INDIRECT;
    for (const vmmio_diag_id fault : {VMMIO_DIAG_INDIRECT_SIZE, VMMIO_DIAG_INDIRECT_NEXT,
                                      VMMIO_DIAG_RING_NEXT, VMMIO_DIAG_RING_LOOP}) {
        watched_disk d(true);
        d.b.go_live({VMMIO_F_IN_ORDER, VMMIO_F_RING_PACKED}, 1, 4);
        d.b.ask({d.b.header(FLUSH, 0), d.b.status()}); /* memory's pointers are known */
        virtqueue &q = d.b.r->queue(0);
        const uint64_t header = d.b.header(IN, 0).address, data = d.b.writable(512).address;
        const uint64_t table = d.b.r->alloc(1 << 20);
        if (fault == VMMIO_DIAG_INDIRECT_SIZE)
            q.set_desc(0, table, 16 * 32769, indirect, 0);
        else if (fault == VMMIO_DIAG_INDIRECT_NEXT)
            q.set_desc(0, table, 48, indirect | next, 1);
        else
            q.set_desc(0, header, 16, next, fault == VMMIO_DIAG_RING_NEXT ? 4 : 1);
        q.set_desc(1, data, 512, next | write, 1);
        q.offer(0);
        d.b.r->guest.kick(0);
        d.b.r->run();
        ASSERT_EQ(d.b.r->diagnostics.size(), 1u);
        EXPECT_EQ(d.b.r->diagnostics[0].id, fault);
        EXPECT_EQ(d.b.r->guest.status() & VMMIO_STATUS_NEEDS_RESET, VMMIO_STATUS_NEEDS_RESET);
        EXPECT_EQ(q.used_idx(), 1u);
    }
}

TEST(blk_in_place, a_batch_is_bounded_and_comes_back_in_its_order)
{
    ROWS("BLK-22");
    watched_disk d(true);
    d.b.go_live({VMMIO_F_IN_ORDER, VMMIO_F_RING_PACKED});
    d.b.ask(OUT, 0, pattern(512, 1));
    d.b.ask(IN, 0, {}, 512);
    std::vector<uint16_t> heads;
    std::vector<std::vector<piece>> requests;
    virtqueue &q = d.b.r->queue(0);
    for (unsigned i = 0; i < 9; i++) { /* every third one takes the general way */
        requests.push_back(i % 3 == 1 ? d.b.chain(FLUSH, 0) : d.b.chain(IN, i, {}, 512));
        heads.push_back(q.add(requests.back()));
        q.offer(heads.back());
    }
    d.b.r->guest.kick(0);
    for (unsigned i = 0; i < 9; i++) {
        EXPECT_EQ(vmmio_device_run(&d.b.r->device, 1), 1u);
        const auto used = q.reap();
        ASSERT_TRUE(used) << i;
        EXPECT_EQ(used->id, heads[i]);
        EXPECT_FALSE(q.reap());
        EXPECT_EQ(d.b.status_of(requests[i]), OK);
    }
    EXPECT_EQ(vmmio_device_run(&d.b.r->device, 1), 0u);
}

} // namespace
} // namespace vmmio::tb
