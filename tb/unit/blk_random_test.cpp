/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random requests, good and bad, cut at random, against a plain byte array. Requests that are out
 * at the same time work on different parts of the disk, so that what they do has one right answer
 * whatever the order in which a storage ends them.
 */
#include "blk_rig.h"

#include <algorithm>
#include <random>
#include <tuple>

namespace vmmio::tb
{
namespace
{

constexpr uint32_t zones = 8, zone_sectors = 12, zoned_sectors = zones * zone_sectors;
constexpr uint32_t queues = 2;

using seeded_way = std::tuple<dma_mode, bool, unsigned>; /* DMA, RAM storage or jobs, seed */

class blk_random : public ::testing::TestWithParam<seeded_way>
{
protected:
    struct request {
        std::vector<uint8_t> out, in; /* what is sent; what shall come back, status included */
        uint64_t address;             /* of the buffers in guest memory */
        uint16_t head;
        uint32_t queue;
        bool out_there;
    };

    static blk_options with_way()
    {
        blk_options o;
        o.mode = std::get<0>(GetParam());
        o.direct = std::get<1>(GetParam());
        o.steady = o.direct && o.mode == dma_mode::pointer;
        o.sectors = zoned_sectors;
        o.job_count = 3;
        o.config.queue_count = queues;
        o.config.max_discard_seg = 3;
        o.config.max_write_zeroes_seg = 3;
        o.config.write_through = std::get<2>(GetParam()) % 2;
        return o;
    }

    blk_random() : b(with_way()), random(std::get<2>(GetParam())), model(512 * zoned_sectors)
    {
        for (request &r : slots)
            r.address = b.r->alloc(4 * 512 * zone_sectors);
        restart();
    }

    uint32_t below(uint32_t limit) { return static_cast<uint32_t>(random() % limit); }
    bool once_in(uint32_t n) { return below(n) == 0; }

    void restart()
    {
        b.go_live({}, queues, 256);
        for (request &r : slots)
            r.out_there = false;
    }

    void fill(request &r, uint32_t zone);
    void transfer(request &r, uint32_t zone, uint32_t type);
    void ranges(request &r, uint32_t zone, uint32_t type);
    void refuse(request &r, unsigned status)
    {
        r.in.assign(r.in.size(), no_status);
        r.in.back() = static_cast<uint8_t>(status);
    }
    std::vector<piece> cut(uint64_t address, size_t length, bool writable);
    void send(request &r);
    void exercise(const std::function<void()> &in_between);
    void collect();

    blk_rig b;
    std::mt19937 random;
    std::vector<uint8_t> model;
    request slots[zones];
    unsigned answered = 0;
};

std::vector<uint8_t> head(uint32_t type, uint64_t sector)
{
    std::vector<uint8_t> bytes = segment(sector, 0); /* le64 sector first: swap the halves */
    std::rotate(bytes.begin(), bytes.begin() + 8, bytes.end());
    for (unsigned i = 0; i < 4; i++)
        bytes[i] = static_cast<uint8_t>(type >> 8 * i);
    return bytes;
}

void blk_random::transfer(request &r, uint32_t zone, uint32_t type)
{
    const uint32_t first = below(zone_sectors), count = 1 + below(zone_sectors - first);
    const uint32_t start = zone * zone_sectors + first;
    const bool bad_range = once_in(16), bad_length = once_in(16);
    const uint64_t sector = bad_range ? zoned_sectors - count + 1 + below(100) : start;
    const uint32_t bytes = 512 * count - (bad_length ? 1 + below(511) : 0);
    const auto at = model.begin() + 512l * start;

    r.out = head(type, sector);
    if (type == IN) {
        r.in.assign(at, at + bytes);
    } else {
        const std::vector<uint8_t> data = pattern(bytes, below(256));
        r.out = r.out + data;
        if (!bad_range && !bad_length)
            std::copy(data.begin(), data.end(), at);
    }
    r.in.push_back(OK);
    if (bad_range || bad_length)
        refuse(r, IOERR);
}

void blk_random::ranges(request &r, uint32_t zone, uint32_t type)
{
    const uint32_t segments = 1 + below(4); /* one more than allowed */
    std::vector<std::pair<uint32_t, uint32_t>> all;
    bool unknown = false, beyond = false;

    r.out = head(type, 0);
    for (uint32_t i = 0; i < segments; i++) {
        const uint32_t first = below(zone_sectors), count = below(zone_sectors - first + 1);
        const bool bad_flag = once_in(20), bad_range = once_in(20);
        const uint32_t flags = bad_flag ? 2u << below(31) : type == DISCARD ? 0 : below(2);
        const uint64_t start = bad_range ? UINT64_MAX - below(10) : zone * zone_sectors + first;
        unknown |= bad_flag;
        beyond |= bad_range;
        all.emplace_back(zone * zone_sectors + first, count);
        r.out = r.out + segment(start, count, flags);
    }
    r.in.assign(1, OK);
    if (segments > 3)
        refuse(r, IOERR);
    else if (unknown)
        refuse(r, UNSUPP);
    else if (beyond)
        refuse(r, IOERR);
    else /* both storages leave a fixed pattern behind a discard */
        for (const auto &[start, count] : all)
            std::fill_n(model.begin() + 512l * start, 512 * count,
                        uint8_t(type == DISCARD && !std::get<1>(GetParam()) ? 0xdd : 0));
}

void blk_random::fill(request &r, uint32_t zone)
{
    static const uint32_t usual[] = {IN, IN, IN, OUT, OUT, OUT, DISCARD, WRITE_ZEROES, FLUSH, 77};
    const uint32_t type = usual[below(10)];

    r.in.clear();
    if (type == IN || type == OUT) {
        transfer(r, zone, type);
    } else if (type == DISCARD || type == WRITE_ZEROES) {
        ranges(r, zone, type);
    } else {
        r.out = head(type, 0);
        r.in.assign(1 + below(3), no_status);
        r.in.back() = type == FLUSH ? OK : UNSUPP;
    }
}

std::vector<piece> blk_random::cut(uint64_t address, size_t length, bool writable)
{
    std::vector<piece> pieces;
    auto left = static_cast<uint32_t>(length);
    while (left) {
        const uint32_t n = pieces.size() == 7 || once_in(2) ? left : below(left + 1);
        pieces.push_back({address, n, writable});
        address += n;
        left -= n;
    }
    return pieces;
}

void blk_random::send(request &r)
{
    b.r->memory.set_bytes(r.address, r.out);
    const uint64_t answer = r.address + r.out.size();
    b.r->memory.fill(answer, r.in.size(), no_status);
    std::vector<piece> pieces = cut(r.address, r.out.size(), false);
    for (const piece &p : cut(answer, r.in.size(), true))
        pieces.push_back(p);
    r.queue = below(queues);
    r.head = b.r->queue(r.queue).add(pieces);
    r.out_there = true;
    b.r->queue(r.queue).offer(r.head);
}

void blk_random::collect()
{
    for (uint32_t queue = 0; queue < queues; queue++) {
        while (const auto used = b.r->queue(queue).reap()) {
            const auto found = std::find_if(std::begin(slots), std::end(slots), [&](request &r) {
                return r.out_there && r.queue == queue && r.head == used->id;
            });
            ASSERT_NE(found, std::end(slots)) << "a used entry for nothing";
            found->out_there = false;
            answered++;
            ASSERT_EQ(b.r->memory.bytes(found->address + found->out.size(), found->in.size()),
                      found->in);
            const bool whole =
                std::find(found->in.begin(), found->in.end(), no_status) == found->in.end();
            if (whole) {
                ASSERT_EQ(used->length, found->in.size());
            }
        }
    }
}

/* Every request gets its answer, and the disk ends as the model says. */
void blk_random::exercise(const std::function<void()> &in_between)
{
    unsigned sent = 0;
    b.slow.hold = true;
    for (unsigned round = 0; round < 400 && !HasFailure(); round++) {
        for (uint32_t zone = 0; zone < zones; zone++)
            if (!slots[zone].out_there && once_in(2)) {
                fill(slots[zone], zone);
                send(slots[zone]);
                sent++;
            }
        for (uint32_t queue = 0; queue < queues; queue++)
            b.r->guest.kick(queue);
        in_between();
        b.r->run();
        in_between();
        for (unsigned i = below(4); i && !b.slow.held.empty(); i--)
            b.slow.finish(below(static_cast<uint32_t>(b.slow.held.size())));
        in_between();
        b.poll();
        collect();
    }
    while (!b.slow.held.empty()) {
        b.slow.finish_all();
        b.poll();
    }
    collect();
    EXPECT_EQ(answered, sent);
    EXPECT_TRUE(b.disk() == model);
}

TEST_P(blk_random, agrees_with_a_byte_array)
{
    ROWS("BLK-21", "BLK-22", "BLK-23", "BLK-24", "BLK-27", "BLK-29", "BLK-30", "BLK-32", "BLK-34",
         "SPLIT-04", "H-15", "H-49");
    exercise([] {});
}

/* What the storage works on is done again by the new device. */
TEST_P(blk_random, agrees_with_a_byte_array_while_its_state_moves_from_device_to_device)
{
    exercise([this] {
        if (once_in(4)) {
            ASSERT_TRUE(b.r->move());
        }
    });
}

/* Whatever a reset drops: other requests are not hurt, and no byte reaches the guest. */
TEST_P(blk_random, resets_in_between_drop_only_what_is_out)
{
    ROWS("A-RESET-INFLIGHT", "H-34");
    b.slow.hold = true;
    for (unsigned round = 0; round < 40 && !HasFailure(); round++) {
        const std::vector<uint8_t> before = model;
        for (uint32_t zone = 0; zone < zones; zone++)
            if (once_in(2)) {
                fill(slots[zone], zone);
                send(slots[zone]);
            }
        for (uint32_t queue = 0; queue < queues; queue++)
            b.r->guest.kick(queue);
        b.r->run();
        for (unsigned i = below(4); i && !b.slow.held.empty(); i--)
            b.slow.finish(0);
        b.poll();
        collect();
        b.r->guest.reset();
        b.r->memory.withdraw_all();
        b.slow.finish_all();
        b.poll();
        for (const request &r : slots)
            if (r.out_there) {
                ASSERT_EQ(b.r->memory.bytes(r.address + r.out.size(), r.in.size()),
                          std::vector<uint8_t>(r.in.size(), no_status));
            }
        for (size_t i = 0; i < model.size(); i++) {
            const bool undecided = slots[i / (512 * zone_sectors)].out_there;
            ASSERT_TRUE(b.disk()[i] == model[i] || undecided) << "byte " << i;
        }
        model = b.disk();
        restart();
    }
}

INSTANTIATE_TEST_SUITE_P(ways, blk_random,
                         ::testing::Combine(every_dma_mode(), ::testing::Bool(),
                                            ::testing::Range(1u, 4u)),
                         [](const ::testing::TestParamInfo<seeded_way> &p) {
                             return name_of(std::get<0>(p.param)) +
                                    (std::get<1>(p.param) ? "_ram_" : "_jobs_") +
                                    std::to_string(std::get<2>(p.param));
                         });

} // namespace
} // namespace vmmio::tb
