/* SPDX-License-Identifier: Apache-2.0 */
/* Frames from the driver: what leaves, and what is dropped. */
#include "net_rig.h"

#include <tuple>

namespace vmmio::tb
{

namespace
{

bytes numbers(size_t length)
{
    bytes data;
    for (size_t i = 0; i < length; i++)
        data.push_back(uint8_t(i * 31 + i / 251));
    return data;
}

/* Asks for the checksum of such a frame. */
wire_header needs_checksum(const frame_options &options)
{
    wire_header header;
    header.flags = 1;
    header.csum_start = uint16_t(transport_of(options));
    header.csum_offset = options.udp ? 6 : 16;
    return header;
}

bool nothing_to_do(const vmmio_net_header &h)
{
    return h.flags == 0 && h.gso_type == 0 && h.gso_size == 0 && h.csum_start == 0;
}

net_options taking(uint32_t offloads)
{
    net_options options;
    options.config.backend.takes = offloads;
    return options;
}

} // namespace

class net_transmit : public ::testing::TestWithParam<dma_mode>
{
protected:
    net_transmit()
    {
        net_options options;
        options.mode = GetParam();
        n = std::make_unique<net_rig>(options);
        n->go_live();
    }
    std::unique_ptr<net_rig> n;
};

INSTANTIATE_TEST_SUITE_P(by, net_transmit, every_dma_mode(), dma_mode_name);

TEST_P(net_transmit, a_frame_leaves_as_it_is)
{
    ROWS("NET-27", "NET-29", "NET-30", "NET-40");
    wire_header header;
    header.num_buffers = 77;
    for (const uint32_t length : {14u, 60u, 1514u, 9000u, 65553u}) {
        const bytes frame = plain_frame(length);
        n->sent.clear();
        EXPECT_TRUE(n->send(frame, header));
        ASSERT_EQ(n->sent.size(), 1u) << length;
        EXPECT_EQ(n->sent[0].frame, frame);
        EXPECT_TRUE(nothing_to_do(n->sent[0].header));
    }
    bytes bad = make_frame(numbers(100));
    bad[transport_of({}) + 16] ^= 0x55;
    EXPECT_TRUE(n->send(bad));
    EXPECT_EQ(n->sent.back().frame, bad) << "a wrong checksum is not the device's business";
    EXPECT_EQ(n->net.sent, 6u);
}

TEST_P(net_transmit, descriptors_may_cut_header_and_frame_anywhere)
{
    ROWS("NET-27", "H-50");
    const bytes all = wire_header{}.encoded() + plain_frame(60);
    for (size_t cut = 1; cut < 40; cut++) {
        n->sent.clear();
        EXPECT_TRUE(n->send_pieces({n->readable({all.begin(), all.begin() + long(cut)}),
                                    n->readable({all.begin() + long(cut), all.end()})}));
        ASSERT_EQ(n->sent.size(), 1u) << cut;
        EXPECT_EQ(n->sent[0].frame, plain_frame(60));
    }
}

TEST(net_transmit_rules, flags_that_mean_nothing_are_ignored)
{
    ROWS("NET-31", "NET-34", "NET-37", "NET-38", "NET-41");
    net_rig n;
    n.go_live();
    const bytes frame = make_frame(numbers(50));
    for (const unsigned flags : {0x02u, 0x04u, 0x08u, 0xf8u, 0xfeu}) {
        wire_header header;
        header.flags = uint8_t(flags);
        header.csum_start = 0xffff;
        header.csum_offset = 0xffff;
        header.gso_size = 0xffff;
        EXPECT_TRUE(n.send(frame, header));
        EXPECT_EQ(n.sent.back().frame, frame) << flags;
        EXPECT_TRUE(nothing_to_do(n.sent.back().header));
    }
    EXPECT_EQ(n.sent.size(), 5u);

    n.go_live({VMMIO_NET_F_CSUM, VMMIO_NET_F_HOST_TSO4, VMMIO_NET_F_HOST_TSO6, VMMIO_NET_F_HOST_ECN,
               VMMIO_NET_F_HOST_USO});
    wire_header header = needs_checksum({});
    EXPECT_TRUE(n.send(frame, header));
    EXPECT_EQ(n.sent.back().frame, frame) << "without CSUM nobody asks for a checksum";
}

TEST(net_transmit_rules, segmentation_that_was_not_negotiated_is_dropped)
{
    ROWS("NET-31", "NET-36", "NET-41");
    net_rig n;
    n.go_live(
        {VMMIO_NET_F_HOST_TSO4, VMMIO_NET_F_HOST_TSO6, VMMIO_NET_F_HOST_ECN, VMMIO_NET_F_HOST_USO});
    frame_options options;
    options.partial = true;
    /* Also types that do not exist, UFO, and the tunnel bits of 1.4. */
    for (unsigned type = 1; type < 256; type++) {
        wire_header header = needs_checksum(options);
        header.gso_type = uint8_t(type);
        header.gso_size = 100;
        EXPECT_TRUE(n.send(make_frame(numbers(300), options), header)) << type;
    }
    EXPECT_TRUE(n.sent.empty());
    EXPECT_EQ(n.net.send_dropped, 255u);
    EXPECT_EQ(n.r->count(VMMIO_DIAG_NET_HEADER), 255u);
    EXPECT_TRUE(n.send(plain_frame(60))) << "the queue goes on";
    EXPECT_EQ(n.sent.size(), 1u);

    n.go_live({VMMIO_NET_F_HOST_ECN});
    wire_header ecn = needs_checksum(options);
    ecn.gso_type = 0x81;
    ecn.gso_size = 100;
    EXPECT_TRUE(n.send(make_frame(numbers(300), options), ecn));
    EXPECT_TRUE(n.sent.empty()) << "ECN has a bit of its own";
}

TEST(net_transmit_rules, mtu)
{
    ROWS("NET-18", "NET-26");
    net_options options;
    options.config.mtu = 1400;
    net_rig n(options);
    n.go_live();
    EXPECT_TRUE(n.send(plain_frame(1414)));
    ASSERT_EQ(n.sent.size(), 1u);
    EXPECT_EQ(n.sent[0].frame, plain_frame(1414)) << "whole";
    EXPECT_TRUE(n.send(plain_frame(1415)));
    EXPECT_EQ(n.sent.size(), 1u);
    EXPECT_EQ(n.r->count(VMMIO_DIAG_NET_FRAME), 1u);
    EXPECT_TRUE(n.send(plain_frame(60)));
    EXPECT_EQ(n.sent.size(), 2u) << "the queue goes on";
    n.go_live({VMMIO_NET_F_MTU});
    EXPECT_TRUE(n.send(plain_frame(9000)));
    EXPECT_EQ(n.sent.size(), 1u);
}

TEST(net_transmit_rules, a_back_end_that_cannot_send_loses_the_frame)
{
    net_rig n;
    n.go_live();
    n.refuse = true;
    EXPECT_TRUE(n.send(plain_frame(60)));
    EXPECT_EQ(n.net.sent, 0u);
    EXPECT_EQ(n.net.send_dropped, 1u);
}

TEST(net_checksum, is_completed_for_a_back_end_that_does_not)
{
    ROWS("NET-33", "NET-48");
    net_rig n;
    n.go_live();
    for (const bool v6 : {false, true})
        for (const bool udp : {false, true})
            for (const bool tagged : {false, true})
                for (const size_t length : {0u, 1u, 7u, 1000u, 1001u}) {
                    frame_options options;
                    options.v6 = v6;
                    options.udp = udp;
                    options.tagged = tagged;
                    const bytes whole = make_frame(numbers(length), options);
                    options.partial = true;
                    EXPECT_TRUE(
                        n.send(make_frame(numbers(length), options), needs_checksum(options)));
                    EXPECT_EQ(n.sent.back().frame, whole) << v6 << udp << tagged << length;
                    EXPECT_TRUE(nothing_to_do(n.sent.back().header));
                }
}

TEST(net_checksum, a_sum_of_zero_is_written_as_ones)
{
    ROWS("NET-33");
    net_rig n;
    n.go_live();
    frame_options options;
    options.udp = true;
    options.partial = true;
    /* What is left to reach 0xffff, as the payload: the checksum comes out as 0. */
    bytes frame = make_frame({0, 0}, options);
    const uint16_t rest = internet_checksum({frame.begin() + 34, frame.end()});
    frame[42] = uint8_t(rest >> 8);
    frame[43] = uint8_t(rest);
    EXPECT_TRUE(n.send(frame, needs_checksum(options)));
    EXPECT_EQ(n.sent.back().frame[40], 0xff);
    EXPECT_EQ(n.sent.back().frame[41], 0xff);
}

TEST(net_checksum, is_left_to_a_back_end_that_wants_it)
{
    ROWS("NET-33");
    net_rig n(taking(VMMIO_NET_OFFLOAD_CSUM));
    n.go_live();
    frame_options options;
    options.partial = true;
    const bytes frame = make_frame(numbers(90), options);
    EXPECT_TRUE(n.send(frame, needs_checksum(options)));
    ASSERT_EQ(n.sent.size(), 1u);
    EXPECT_EQ(n.sent[0].frame, frame);
    EXPECT_EQ(n.sent[0].header.flags, 1u);
    EXPECT_EQ(n.sent[0].header.csum_start, 34u);
    EXPECT_EQ(n.sent[0].header.csum_offset, 16u);
}

TEST(net_checksum, outside_of_the_frame_is_dropped)
{
    ROWS("NET-33", "H-50");
    net_rig n;
    n.go_live();
    const bytes frame = plain_frame(60);
    for (const auto &[start, offset, sent] : {std::tuple(58u, 0u, true),
                                              {59u, 0u, false},
                                              {60u, 0u, false},
                                              {0u, 58u, true},
                                              {0u, 59u, false},
                                              {0xffffu, 0xffffu, false},
                                              {0xffffu, 0u, false},
                                              {0u, 0xffffu, false},
                                              {30u, 28u, true},
                                              {30u, 29u, false}}) {
        n.sent.clear();
        wire_header header;
        header.flags = 1;
        header.csum_start = uint16_t(start);
        header.csum_offset = uint16_t(offset);
        EXPECT_TRUE(n.send(frame, header));
        EXPECT_EQ(n.sent.size(), sent ? 1u : 0u) << start << " " << offset;
    }
}

namespace
{

/* Asks for segments of this size. */
wire_header cut_into(uint16_t size, const frame_options &options, bool ecn = false)
{
    wire_header header = needs_checksum(options);
    header.gso_type = uint8_t((options.udp ? 5 : options.v6 ? 4 : 1) | (ecn ? 0x80 : 0));
    header.gso_size = size;
    header.hdr_len = uint16_t(transport_of(options) + (options.udp ? 8 : 20 + options.tcp_options));
    return header;
}

/* The segments as a sender without offload would have made them. */
std::vector<bytes> segments_of(const bytes &payload, size_t size, frame_options options)
{
    std::vector<bytes> made;
    const uint8_t flags = options.tcp_flags;
    for (size_t at = 0; at < payload.size(); at += size) {
        const bool last = at + size >= payload.size();
        const size_t end = last ? payload.size() : at + size;
        options.tcp_flags = uint8_t(flags & ~(last ? 0 : 0x09) & ~(at ? 0x80 : 0));
        made.push_back(
            make_frame({payload.begin() + long(at), payload.begin() + long(end)}, options));
        options.sequence += uint32_t(size);
        options.id++;
    }
    return made;
}

} // namespace

TEST(net_segments, are_made_for_a_back_end_that_does_not)
{
    ROWS("NET-31", "NET-32", "NET-39", "NET-35");
    net_rig n;
    n.go_live();
    for (const bool v6 : {false, true})
        for (const bool udp : {false, true})
            for (const size_t size : {100u, 101u, 1448u})
                for (const size_t length : {1u, 100u, 101u, 2896u, 20001u}) {
                    frame_options options;
                    options.v6 = v6;
                    options.udp = udp;
                    options.tagged = size == 101;
                    options.tcp_options = size == 1448 ? 12 : 0;
                    options.tcp_flags = 0x99; /* CWR, ACK, PSH, FIN */
                    options.sequence = 0xffffff00;
                    options.id = 0xfffe;
                    const auto expected = segments_of(numbers(length), size, options);
                    options.partial = true;
                    for (const unsigned hint : {0u, 54u, 0xffffu}) {
                        wire_header header = cut_into(uint16_t(size), options, !udp);
                        header.hdr_len = uint16_t(hint);
                        n.sent.clear();
                        EXPECT_TRUE(n.send(make_frame(numbers(length), options), header));
                        ASSERT_EQ(n.sent.size(), expected.size());
                        for (size_t i = 0; i < expected.size(); i++) {
                            EXPECT_EQ(n.sent[i].frame, expected[i])
                                << v6 << udp << size << " " << length << " segment " << i;
                            EXPECT_TRUE(nothing_to_do(n.sent[i].header));
                        }
                    }
                }
}

TEST(net_segments, the_largest_frame)
{
    ROWS("NET-32");
    net_rig n;
    n.go_live();
    frame_options options;
    const bytes payload = numbers(65535 - 40);
    const auto expected = segments_of(payload, 1448, options);
    options.partial = true;
    EXPECT_TRUE(n.send(make_frame(payload, options), cut_into(1448, options)));
    ASSERT_EQ(n.sent.size(), expected.size());
    for (size_t i = 0; i < expected.size(); i++)
        EXPECT_EQ(n.sent[i].frame, expected[i]) << i;
}

TEST(net_segments, are_left_to_a_back_end_that_makes_them)
{
    ROWS("NET-32", "NET-39");
    net_rig n(taking(VMMIO_NET_OFFLOAD_CSUM | VMMIO_NET_OFFLOAD_TSO4));
    n.go_live();
    frame_options options;
    options.partial = true;
    const bytes frame = make_frame(numbers(5000), options);
    wire_header header = cut_into(1000, options);
    header.hdr_len = 1;
    EXPECT_TRUE(n.send(frame, header));
    ASSERT_EQ(n.sent.size(), 1u);
    EXPECT_EQ(n.sent[0].frame, frame);
    EXPECT_EQ(n.sent[0].header.gso_type, 1u);
    EXPECT_EQ(n.sent[0].header.gso_size, 1000u);
    EXPECT_EQ(n.sent[0].header.hdr_len, 54u) << "as it really is";

    n.sent.clear();
    EXPECT_TRUE(n.send(frame, cut_into(1000, options, true)));
    EXPECT_EQ(n.sent.size(), 5u) << "it does not know ECN";
    options.v6 = true;
    n.sent.clear();
    EXPECT_TRUE(n.send(make_frame(numbers(5000), options), cut_into(1000, options)));
    EXPECT_EQ(n.sent.size(), 5u) << "nor IPv6";
}

TEST(net_segments, what_cannot_be_cut_is_dropped)
{
    ROWS("NET-32", "NET-33", "H-50");
    net_rig n;
    n.go_live();
    frame_options options;
    options.partial = true;
    const bytes frame = make_frame(numbers(3000), options);
    const wire_header good = cut_into(1000, options);
    const auto drops = [&](auto change, const char *what) {
        wire_header header = good;
        bytes changed = frame;
        change(header, changed);
        n.sent.clear();
        EXPECT_TRUE(n.send(changed, header));
        EXPECT_TRUE(n.sent.empty()) << what;
    };
    drops([](auto &h, auto &) { h.gso_size = 0; }, "no size");
    drops([](auto &h, auto &) { h.flags = 0; }, "no checksum");
    drops([](auto &h, auto &) { h.gso_size = 1; }, "too many segments");
    drops([](auto &h, auto &) { h.csum_start = 33; }, "inside the IP header");
    drops([](auto &h, auto &) { h.csum_start = 0; }, "before it");
    drops([](auto &h, auto &) { h.csum_start = 3040; }, "header beyond the end");
    drops([](auto &h, auto &) { h.csum_offset = 6; }, "not where TCP has it");
    drops([](auto &h, auto &) { h.gso_type = 4; }, "not IPv6");
    drops([](auto &h, auto &) { h.gso_type = 3; }, "UFO");
    drops([](auto &h, auto &) { h.gso_type = 0x21; }, "tunnel");
    drops([](auto &, auto &f) { f[14] = 0x44; }, "IP header of 16 bytes");
    drops([](auto &, auto &f) { f[14] = 0x4f; }, "IP header of 60 bytes");
    drops([](auto &, auto &f) { f[46] = 0x40; }, "TCP header of 16 bytes");
    drops([](auto &, auto &f) { f[12] = 0x12; }, "not IP");
    drops([](auto &, auto &f) { f.resize(50); }, "cut in the TCP header");
    n.sent.clear();
    EXPECT_TRUE(n.send(frame, good));
    EXPECT_EQ(n.sent.size(), 3u);
}

} // namespace vmmio::tb
