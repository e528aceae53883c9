/* SPDX-License-Identifier: Apache-2.0 */
/* Frames for the driver: into which buffers, with which header, and when. */
#include "net_rig.h"

#include <numeric>

namespace vmmio::tb
{

namespace
{

constexpr uint32_t gives_all = VMMIO_NET_OFFLOAD_CSUM | VMMIO_NET_OFFLOAD_TSO4 |
                               VMMIO_NET_OFFLOAD_TSO6 | VMMIO_NET_OFFLOAD_ECN |
                               VMMIO_NET_OFFLOAD_USO;

net_options giving(uint32_t offloads)
{
    net_options options;
    options.config.backend.gives = offloads;
    return options;
}

vmmio_net_header partial(const frame_options &options)
{
    vmmio_net_header header = {};
    header.flags = 1;
    header.csum_start = uint16_t(transport_of(options));
    header.csum_offset = options.udp ? 6 : 16;
    return header;
}

vmmio_net_header segments(const frame_options &options, uint16_t size, bool ecn = false)
{
    vmmio_net_header header = partial(options);
    header.gso_type = uint8_t((options.udp ? 5 : options.v6 ? 4 : 1) | (ecn ? 0x80 : 0));
    header.gso_size = size;
    return header;
}

bytes ramp(size_t length)
{
    bytes data(length);
    std::iota(data.begin(), data.end(), uint8_t(1));
    return data;
}

} // namespace

class net_receive : public ::testing::TestWithParam<dma_mode>
{
protected:
    net_receive()
    {
        net_options options;
        options.mode = GetParam();
        n = std::make_unique<net_rig>(options);
        n->go_live();
    }
    std::unique_ptr<net_rig> n;
};

INSTANTIATE_TEST_SUITE_P(by, net_receive, every_dma_mode(), dma_mode_name);

TEST_P(net_receive, a_frame_fits_one_buffer)
{
    ROWS("NET-27", "NET-29", "NET-44", "NET-47");
    n->go_live({VMMIO_NET_F_MRG_RXBUF});
    for (const uint32_t length : {14u, 60u, 1514u}) {
        n->post({1526});
        EXPECT_TRUE(n->arrive(plain_frame(length)));
        const auto got = n->take();
        ASSERT_TRUE(got.has_value());
        EXPECT_EQ(got->frame, plain_frame(length));
        EXPECT_EQ(got->used, (std::vector<uint32_t>{12 + length}));
        EXPECT_EQ(got->header.num_buffers, 1u);
        EXPECT_EQ(got->header.flags, 0u);
        EXPECT_EQ(got->header.gso_type, 0u);
    }
    EXPECT_EQ(n->r->guest.interrupts() & 1, 1u);
    EXPECT_EQ(n->net.received, 3u);
}

TEST_P(net_receive, a_buffer_may_be_scattered)
{
    ROWS("NET-27", "NET-44");
    for (const uint32_t cut : {1u, 5u, 11u, 12u, 13u, 40u}) {
        std::vector<piece> pieces;
        for (uint32_t at = 0; at < 100; at += cut)
            pieces.push_back(n->r->writable(std::min(cut, 100 - at)));
        n->go_live({}, 0, 128);
        n->rx().offer(n->rx().add(pieces));
        EXPECT_TRUE(n->arrive(plain_frame(60)));
        const auto used = n->rx().reap();
        ASSERT_TRUE(used.has_value());
        EXPECT_EQ(used->length, 72u);
        bytes all;
        for (const piece &p : pieces)
            all = all + n->r->memory.bytes(p.address, p.length);
        EXPECT_EQ(bytes(all.begin() + 12, all.begin() + 72), plain_frame(60)) << cut;
    }
}

TEST_P(net_receive, a_frame_is_merged_from_buffers)
{
    ROWS("NET-44", "NET-45", "NET-46");
    const std::vector<std::vector<uint32_t>> sizes = {
        {12, 60}, {13, 1, 1, 100}, {100, 61, 1514}, {12, 0, 37, 23}, {1526, 1526}};
    for (const auto &posted : sizes) {
        n->go_live();
        n->post(posted);
        uint32_t room = std::accumulate(posted.begin(), posted.end(), 0u);
        const uint32_t length = std::min(room - 12, 1600u);
        unsigned jumps = 0;
        uint16_t seen = n->rx().used_idx();
        n->r->memory.on_transaction = [&](const dma_access &) {
            const uint16_t now = n->rx().used_idx();
            jumps += now != seen;
            if (now != seen) {
                EXPECT_EQ(uint16_t(now - seen), posted.size()) << "all together";
            }
            seen = now;
        };
        EXPECT_TRUE(n->arrive(plain_frame(length)));
        n->r->memory.on_transaction = nullptr;
        EXPECT_EQ(n->rx().used_idx(), posted.size());
        const auto got = n->take();
        ASSERT_TRUE(got.has_value());
        EXPECT_EQ(got->frame, plain_frame(length));
        EXPECT_EQ(got->header.num_buffers, posted.size());
        ASSERT_EQ(got->used.size(), posted.size());
        for (size_t i = 0; i + 1 < posted.size(); i++)
            EXPECT_EQ(got->used[i], posted[i]) << "all but the last are full";
        EXPECT_LE(jumps, 1u);
    }
}

TEST(net_backlog, frames_wait_for_buffers_in_order)
{
    net_options options;
    options.frames = 3;
    net_rig n(options);
    n.go_live();
    for (uint32_t i = 0; i < 3; i++)
        EXPECT_TRUE(n.arrive(plain_frame(60 + i)));
    EXPECT_FALSE(n.arrive(plain_frame(70))) << "full: nothing happened";
    EXPECT_EQ(n.net.dropped, 0u);
    EXPECT_EQ(n.rooms, 0u);
    n.post({1526});
    EXPECT_EQ(n.rooms, 1u) << "the back end hears of it once";
    EXPECT_EQ(n.take()->frame, plain_frame(60));
    n.post({1526, 1526, 1526});
    EXPECT_EQ(n.take()->frame, plain_frame(61));
    EXPECT_EQ(n.take()->frame, plain_frame(62));
    EXPECT_FALSE(n.take().has_value());
    EXPECT_EQ(n.rooms, 1u);
    EXPECT_TRUE(n.arrive(plain_frame(71)));
    EXPECT_EQ(n.take()->frame, plain_frame(71));
}

TEST(net_backlog, a_long_one_is_delivered_in_slices)
{
    net_options options;
    options.frames = 200;
    net_rig n(options);
    n.go_live({}, 0, 256);
    for (uint32_t i = 0; i < 200; i++)
        EXPECT_TRUE(n.arrive(plain_frame(60 + i)));
    n.post(std::vector<uint32_t>(200, 300));
    for (uint32_t i = 0; i < 200; i++)
        EXPECT_EQ(n.take()->frame, plain_frame(60 + i));
}

TEST(net_backlog, is_empty_after_a_reset)
{
    net_rig n;
    n.go_live();
    EXPECT_TRUE(n.arrive(plain_frame(60)));
    n.go_live();
    n.post({1526});
    EXPECT_FALSE(n.take().has_value());
    EXPECT_EQ(n.net.dropped, 1u);
}

TEST(net_backlog, a_kick_is_asked_for_when_buffers_run_out)
{
    ROWS("SPLIT-33");
    net_rig n;
    vmmio_features features = n.r->guest.offered();
    vmmio_features_remove(&features, VMMIO_F_NOTIFICATION_DATA);
    n.r->go_live(features, 3, 16);
    n.post({1526});
    EXPECT_TRUE(n.arrive(plain_frame(60)));
    EXPECT_TRUE(n.arrive(plain_frame(61)));
    EXPECT_EQ(n.rx().avail_event(), 1u) << "the next buffer is worth a kick";
    n.post({1526});
    EXPECT_EQ(n.take()->frame, plain_frame(60));
    EXPECT_EQ(n.take()->frame, plain_frame(61));
}

TEST(net_rooms, a_frame_that_no_buffer_can_hold_is_dropped_and_the_buffers_stay)
{
    ROWS("NET-42", "NET-44", "H-51");
    for (const bool merge : {false, true}) {
        net_rig n;
        merge ? n.go_live() : n.go_live({VMMIO_NET_F_MRG_RXBUF});
        n.post({100, 200});
        EXPECT_TRUE(n.arrive(plain_frame(merge ? 289 : 89)));
        EXPECT_EQ(n.rx().used_idx(), 0u);
        EXPECT_EQ(n.net.dropped, 1u);
        EXPECT_EQ(n.r->count(VMMIO_DIAG_NET_ROOM), 1u);
        EXPECT_TRUE(n.arrive(plain_frame(88)));
        EXPECT_EQ(n.take()->frame, plain_frame(88)) << "in the first buffer";
        EXPECT_TRUE(n.arrive(plain_frame(188)));
        EXPECT_EQ(n.take()->frame, plain_frame(188)) << "in the second";
        EXPECT_EQ(n.r->guest.status(), 0x0fu);
    }
}

TEST(net_rooms, more_buffers_than_requests_are_too_many_for_one_frame)
{
    ROWS("NET-44", "H-51");
    net_options options;
    options.requests = 4;
    net_rig n(options);
    n.go_live();
    n.post({30, 30, 30, 30, 30});
    EXPECT_TRUE(n.arrive(plain_frame(109)));
    EXPECT_EQ(n.net.dropped, 1u);
    EXPECT_TRUE(n.arrive(plain_frame(108)));
    EXPECT_EQ(n.take()->used.size(), 4u);
    EXPECT_TRUE(n.send(plain_frame(60))) << "nothing is held";
}

TEST(net_rules, mtu_of_received_frames)
{
    ROWS("NET-17", "NET-18");
    net_options options;
    options.config.mtu = 1280;
    net_rig n(options);
    n.go_live();
    EXPECT_EQ(n.pass(plain_frame(1294))->frame, plain_frame(1294));
    n.post({2000});
    EXPECT_TRUE(n.arrive(plain_frame(1295)));
    EXPECT_FALSE(n.take().has_value());
    EXPECT_EQ(n.net.dropped, 1u);
    n.go_live({VMMIO_NET_F_MTU});
    EXPECT_EQ(n.pass(plain_frame(1295))->frame, plain_frame(1295));
}

TEST(net_rules, a_frame_of_impossible_length_is_dropped)
{
    ROWS("H-51");
    net_rig n;
    n.go_live();
    n.post({70000});
    for (const uint32_t length : {0u, 1u, 13u})
        EXPECT_TRUE(n.arrive(bytes(length, 0xff)));
    EXPECT_TRUE(n.arrive(plain_frame(VMMIO_NET_FRAME_MAX + 1)));
    EXPECT_FALSE(n.take().has_value());
    EXPECT_EQ(n.net.dropped, 4u);
    EXPECT_TRUE(n.arrive(plain_frame(VMMIO_NET_FRAME_MAX)));
    EXPECT_EQ(n.take()->frame, plain_frame(VMMIO_NET_FRAME_MAX));
}

TEST(net_guest_offload, a_partial_checksum_is_completed_for_whoever_did_not_ask_for_it)
{
    ROWS("NET-47", "NET-48", "NET-51");
    net_rig n(giving(VMMIO_NET_OFFLOAD_CSUM));
    n.go_live({VMMIO_NET_F_GUEST_CSUM});
    frame_options options;
    const bytes whole = make_frame(ramp(333), options);
    options.partial = true;
    const vmmio_net_header header = partial(options);
    const auto got = n.pass(make_frame(ramp(333), options), &header);
    ASSERT_TRUE(got.has_value());
    EXPECT_EQ(got->frame, whole);
    EXPECT_EQ(got->header.flags, 0u);
    EXPECT_EQ(got->header.csum_start, 0u);

    n.go_live();
    const auto left = n.pass(make_frame(ramp(333), options), &header);
    ASSERT_TRUE(left.has_value());
    EXPECT_EQ(left->frame, make_frame(ramp(333), options));
    EXPECT_EQ(left->header.flags, 1u);
    EXPECT_EQ(left->header.csum_start, 34u);
    EXPECT_EQ(left->header.csum_offset, 16u);
}

TEST(net_guest_offload, nothing_is_said_to_be_verified)
{
    ROWS("NET-40", "NET-51", "NET-52");
    net_rig n(giving(gives_all));
    n.go_live();
    bytes bad = make_frame(ramp(50));
    bad[60] ^= 1;
    for (const unsigned flags : {0u, 2u, 4u, 0xfeu}) {
        vmmio_net_header header = {};
        header.flags = uint8_t(flags);
        const auto got = n.pass(bad, &header);
        ASSERT_TRUE(got.has_value());
        EXPECT_EQ(got->header.flags, 0u);
        EXPECT_EQ(got->frame, bad);
    }
}

TEST(net_guest_offload, a_header_that_does_not_fit_the_frame_is_dropped)
{
    ROWS("NET-50", "NET-51");
    net_rig n(giving(gives_all));
    n.go_live();
    n.post({70000});
    frame_options options;
    options.partial = true;
    const bytes frame = make_frame(ramp(200), options);
    for (auto change : std::vector<std::function<void(vmmio_net_header &)>>{
             [](auto &h) { h.csum_start = 0xffff; }, [](auto &h) { h.gso_size = 0; },
             [](auto &h) { h.flags = 0; }, [](auto &h) { h.gso_type = 3; },
             [](auto &h) { h.csum_offset = 7; }}) {
        vmmio_net_header header = segments(options, 100);
        change(header);
        EXPECT_TRUE(n.arrive(frame, &header));
    }
    EXPECT_FALSE(n.take().has_value());
    EXPECT_EQ(n.net.dropped, 5u);
}

TEST(net_guest_offload, segments_go_whole_to_whoever_takes_them_and_cut_to_others)
{
    ROWS("NET-49", "NET-50", "NET-53");
    for (const bool v6 : {false, true})
        for (const bool udp : {false, true}) {
            net_rig n(giving(gives_all));
            n.go_live();
            frame_options options;
            options.v6 = v6;
            options.udp = udp;
            options.partial = true;
            const bytes frame = make_frame(ramp(4000), options);
            const vmmio_net_header header = segments(options, 1400);
            const auto whole = n.pass(frame, &header);
            ASSERT_TRUE(whole.has_value());
            EXPECT_EQ(whole->frame, frame);
            EXPECT_EQ(whole->header.flags, 1u);
            EXPECT_EQ(whole->header.gso_type, header.gso_type);
            EXPECT_EQ(whole->header.gso_size, 1400u);
            EXPECT_EQ(whole->header.hdr_len, transport_of(options) + (udp ? 8 : 20));

            n.go_live({VMMIO_NET_F_GUEST_TSO4, VMMIO_NET_F_GUEST_TSO6, VMMIO_NET_F_GUEST_ECN,
                       VMMIO_NET_F_GUEST_USO4, VMMIO_NET_F_GUEST_USO6});
            n.post({1526, 1526, 1526});
            EXPECT_TRUE(n.arrive(frame, &header));
            const bytes data = ramp(4000);
            options.partial = false;
            for (uint32_t at = 0; at < 4000; at += 1400) {
                const auto got = n.take();
                ASSERT_TRUE(got.has_value());
                EXPECT_EQ(got->header.gso_type, 0u);
                EXPECT_EQ(got->header.flags, 0u);
                frame_options one = options;
                one.id = uint16_t(one.id + at / 1400);
                one.sequence += at;
                one.tcp_flags = at + 1400 >= 4000 ? 0x18 : 0x10;
                EXPECT_EQ(got->frame, make_frame({data.begin() + at,
                                                  data.begin() + std::min<long>(at + 1400, 4000)},
                                                 one))
                    << v6 << udp << at;
            }
        }
}

TEST(net_guest_offload, ecn_only_to_whoever_takes_it)
{
    ROWS("NET-53");
    net_rig n(giving(gives_all));
    frame_options options;
    options.partial = true;
    options.tcp_flags = 0x90;
    const vmmio_net_header header = segments(options, 1000, true);
    n.go_live();
    EXPECT_EQ(n.pass(make_frame(ramp(2000), options), &header)->header.gso_type, 0x81u);
    n.go_live({VMMIO_NET_F_GUEST_ECN});
    n.post({3000});
    EXPECT_EQ(n.pass(make_frame(ramp(2000), options), &header)->header.gso_type, 0u);
}

TEST(net_guest_offload, can_be_switched_at_run_time)
{
    ROWS("NET-77", "NET-78");
    net_rig n(giving(gives_all));
    n.go_live({VMMIO_NET_F_GUEST_TSO6});
    EXPECT_EQ(n.welcomes.back(), gives_all & ~uint32_t(VMMIO_NET_OFFLOAD_TSO6))
        << "what was negotiated is on from the start";
    frame_options options;
    options.partial = true;
    const vmmio_net_header header = partial(options);
    EXPECT_EQ(n.pass(make_frame(ramp(20), options), &header)->header.flags, 1u);
    EXPECT_EQ(n.control(5, 0, bytes(8, 0)), 0u);
    EXPECT_EQ(n.welcomes.back(), 0u);
    EXPECT_EQ(n.pass(make_frame(ramp(20), options), &header)->header.flags, 0u);
    const bytes some = {0x82, 0, 0, 0, 0, 0, 0, 0}; /* GUEST_CSUM, GUEST_TSO4 */
    EXPECT_EQ(n.control(5, 0, some), 0u);
    EXPECT_EQ(n.welcomes.back(), uint32_t(VMMIO_NET_OFFLOAD_CSUM | VMMIO_NET_OFFLOAD_TSO4));

    const size_t before = n.welcomes.size();
    for (unsigned bit = 0; bit < 64; bit++) {
        if (bit == 1 || bit == 7 || bit == 9 || bit == 54 || bit == 55)
            continue;
        bytes mask(8, 0);
        mask[bit / 8] = uint8_t(1 << bit % 8);
        EXPECT_EQ(n.control(5, 0, mask), 1u) << bit;
    }
    EXPECT_EQ(n.welcomes.size(), before) << "unchanged";
}

TEST(net_loop, what_leaves_comes_back)
{
    ROWS("NET-48");
    net_options options = giving(gives_all);
    options.config.backend.takes = gives_all;
    net_rig n(options);
    n.go_live({VMMIO_NET_F_GUEST_CSUM, VMMIO_NET_F_GUEST_TSO4, VMMIO_NET_F_GUEST_TSO6,
               VMMIO_NET_F_GUEST_ECN, VMMIO_NET_F_GUEST_USO4, VMMIO_NET_F_GUEST_USO6});
    n.echo = true;
    n.post({2000, 2000});
    frame_options of;
    const bytes whole = make_frame(ramp(99), of);
    of.partial = true;
    wire_header header;
    header.flags = 1;
    header.csum_start = 34;
    header.csum_offset = 16;
    EXPECT_TRUE(n.send(make_frame(ramp(99), of), header));
    const auto got = n.take();
    ASSERT_TRUE(got.has_value());
    EXPECT_EQ(got->frame, whole);
    EXPECT_EQ(got->header.flags, 0u);
}

} // namespace vmmio::tb
