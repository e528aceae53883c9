/* SPDX-License-Identifier: Apache-2.0 */
/* What a hostile driver does to a network device, and what the bus does to it. */
#include "net_rig.h"

#include <random>

namespace vmmio::tb
{
namespace
{

class net_victim : public ::testing::TestWithParam<dma_mode>
{
protected:
    net_victim()
    {
        net_options options;
        options.mode = GetParam();
        options.frames = 4;
        options.config.pairs = 2;
        n = std::make_unique<net_rig>(options);
        n->go_live();
    }
    std::unique_ptr<net_rig> n;
};

INSTANTIATE_TEST_SUITE_P(memory, net_victim, every_dma_mode(), dma_mode_name);

TEST_P(net_victim, H_50_frames_of_every_odd_length)
{
    ROWS("H-50", "NET-26");
    const bytes all = wire_header{}.encoded() + plain_frame(VMMIO_NET_FRAME_MAX + 10);
    for (const uint32_t length : {0u, 1u, 11u, 12u, 13u, 25u, 26u, 12u + VMMIO_NET_FRAME_MAX,
                                  13u + VMMIO_NET_FRAME_MAX, 22u + VMMIO_NET_FRAME_MAX}) {
        n->sent.clear();
        EXPECT_TRUE(n->send_pieces({n->readable({all.begin(), all.begin() + length})}));
        const bool fits = length >= 26 && length <= 12 + VMMIO_NET_FRAME_MAX;
        ASSERT_EQ(n->sent.size(), fits ? 1u : 0u) << length;
        if (fits) {
            EXPECT_EQ(n->sent[0].frame, bytes(all.begin() + 12, all.begin() + length));
        }
    }
    EXPECT_TRUE(n->send_pieces({n->r->writable(100)})) << "nothing to read";
    EXPECT_TRUE(n->send_pieces({n->readable(all), n->r->writable(100)}));
    EXPECT_TRUE(n->send_pieces({{0, 0xffffffff, false}})) << "4 GiB are not even read";
    EXPECT_EQ(n->r->guest.status(), 0x0fu);
}

TEST_P(net_victim, H_50_random_headers)
{
    ROWS("H-50", "NET-31", "NET-35");
    std::mt19937 random(50);
    const auto pick = [&](std::initializer_list<unsigned> values) {
        return *(values.begin() + random() % values.size());
    };
    for (unsigned i = 0; i < 1500; i++) {
        if (i % 100 == 0)
            n->go_live();
        frame_options options;
        options.v6 = random() % 2;
        options.udp = random() % 2;
        options.tagged = random() % 2;
        options.partial = true;
        bytes frame = make_frame(bytes(random() % 1500, 7), options);
        for (unsigned flips = random() % 4; flips; flips--)
            frame[random() % std::min<size_t>(frame.size(), 80)] = uint8_t(random());
        if (random() % 4 == 0)
            frame.resize(14 + random() % 60);
        wire_header header;
        header.flags = uint8_t(pick({0, 1, 1, 1, 0xff}));
        header.gso_type = uint8_t(pick({0, 1, 4, 5, 0x81, 3, 0xff}));
        header.gso_size = uint16_t(pick({0, 1, 7, 100, 1448, 0xffff}));
        header.csum_start = uint16_t(
            pick({transport_of(options), transport_of(options), 0, 14, 33, 60, 1500, 0xffff}));
        header.csum_offset = uint16_t(pick({16, 6, 0, 13, 0xffff}));
        header.hdr_len = uint16_t(random());
        EXPECT_TRUE(n->send(frame, header));
        for (const sent_frame &out : n->sent)
            ASSERT_TRUE(out.frame.size() >= 14 && out.frame.size() <= VMMIO_NET_FRAME_MAX);
        n->sent.clear();
    }
    EXPECT_EQ(n->r->guest.status(), 0x0fu);
}

TEST_P(net_victim, H_51_buffers_that_are_too_small)
{
    ROWS("H-51", "NET-42", "NET-43");
    n->go_live({VMMIO_NET_F_MRG_RXBUF}, 6);
    n->post({0, 1, 11, 12, 25, 100});
    EXPECT_TRUE(n->arrive(plain_frame(60)));
    for (unsigned i = 0; i < 5; i++)
        EXPECT_EQ(n->rx().reap()->length, 0u) << "no use for the device";
    EXPECT_EQ(n->take()->frame, plain_frame(60));

    n->go_live();
    n->post({0, 1, 11, 12, 60});
    EXPECT_TRUE(n->arrive(plain_frame(60)));
    for (unsigned i = 0; i < 3; i++)
        EXPECT_EQ(n->rx().reap()->length, 0u);
    EXPECT_EQ(n->take()->frame, plain_frame(60)) << "the header alone, then the frame";
}

TEST_P(net_victim, H_51_receive_buffers_of_the_wrong_direction)
{
    ROWS("H-51");
    n->rx().offer(n->rx().add({n->readable(bytes(2000, 1))}));
    n->rx().offer(n->rx().add({n->readable(bytes(2000, 1)), n->r->writable(200)}));
    EXPECT_TRUE(n->arrive(plain_frame(60)));
    EXPECT_EQ(n->rx().reap()->length, 0u);
    EXPECT_EQ(n->rx().reap()->length, 72u) << "only the writable part counts";
}

TEST_P(net_victim, H_51_random_buffers_lose_nothing)
{
    ROWS("H-51", "NET-44", "NET-45");
    std::mt19937 random(51);
    for (const bool merge : {false, true}) {
        merge ? n->go_live() : n->go_live({VMMIO_NET_F_MRG_RXBUF}, 6);
        uint64_t posted = 0, got = 0, unfit = 0, frames = 0;
        const uint64_t received = n->net.received, dropped = n->net.dropped;
        for (unsigned i = 0; i < 400; i++) {
            if (random() % 2 && posted - got - unfit < 30) {
                n->post({uint32_t(random() % 40 ? 12 + random() % 300 : random() % 12)});
                posted++;
            } else if (n->arrive(plain_frame(14 + random() % 400))) {
                frames++;
            }
            while (n->rx().last_used != n->rx().used_idx()) {
                const auto one = n->take();
                ASSERT_TRUE(one.has_value());
                if (one->frame.empty())
                    unfit += one->used.size();
                else
                    got += one->used.size();
                if (!one->frame.empty()) {
                    EXPECT_EQ(one->frame, plain_frame(uint32_t(one->frame.size())));
                }
            }
        }
        EXPECT_EQ(n->rx().used_idx(), got + unfit);
        EXPECT_GT(n->net.received - received, 20u);
        EXPECT_LE(frames - (n->net.received - received) - (n->net.dropped - dropped), 4u)
            << "but for those that wait";
    }
    EXPECT_EQ(n->r->guest.status(), 0x0fu);
}

TEST_P(net_victim, H_52_random_commands)
{
    ROWS("H-52", "NET-55", "NET-64");
    std::mt19937 random(52);
    for (unsigned i = 0; i < 2000; i++) {
        if (i % 200 == 0)
            n->go_live();
        bytes data(random() % 5 ? random() % 12 : random() % 900);
        for (uint8_t &byte : data)
            byte = uint8_t(random() % 3 ? random() % 3 : random());
        EXPECT_LE(n->control(uint8_t(random() % 7), uint8_t(random() % 7), data), 1u);
    }
    virtqueue &queue = n->r->queue(4);
    for (const auto &pieces :
         std::vector<std::vector<piece>>{{n->r->writable(1)},
                                         {n->r->readable(2)},
                                         {n->r->readable(1), n->r->writable(1)},
                                         {n->r->readable(0), n->r->writable(0)}}) {
        queue.offer(queue.add(pieces));
        n->r->guest.kick(4);
        n->r->run();
        EXPECT_TRUE(queue.reap().has_value());
    }
    EXPECT_EQ(n->r->guest.status(), 0x0fu);
    n->go_live();
    EXPECT_EQ(n->pass(plain_frame(60))->frame, plain_frame(60));
}

/* Offers something of each sort; the caller disturbs it. */
void everything_at_once(net_rig &n)
{
    n.r->guest.kick(0);
    vmmio_net_receive(&n.net, nullptr, plain_frame(200).data(), 200);
    virtqueue &rx = n.rx();
    for (unsigned i = 0; i < 3; i++)
        rx.offer(rx.add({n.r->writable(100)}));
    n.tx().offer(n.tx().add({n.readable(wire_header{}.encoded()), n.readable(plain_frame(60))}));
    virtqueue &control = n.r->queue(4);
    control.offer(control.add({n.readable({1, 0, 0, 0, 0, 0, 0, 0, 0, 0}), n.r->writable(1)}));
    for (const uint32_t queue : {0u, 1u, 4u})
        n.r->guest.kick(queue);
    for (unsigned slices = 0; vmmio_device_has_work(&n.r->device) && slices < 100; slices++)
        vmmio_device_run(&n.r->device, 64);
}

void expect_it_works(net_rig &n)
{
    n.r->memory.fail_none();
    n.r->memory.on_transaction = nullptr;
    n.go_live();
    EXPECT_EQ(n.pass(plain_frame(60))->frame, plain_frame(60));
    EXPECT_TRUE(n.send(plain_frame(61)));
    EXPECT_EQ(n.sent.size(), 1u);
    EXPECT_EQ(n.control(0, 0, {1}), 0u);
}

TEST(net_bus, H_60_an_error_in_each_access)
{
    ROWS("H-60");
    net_options options;
    options.mode = dma_mode::transaction;
    options.config.pairs = 2;
    net_rig n(options);
    uint64_t count = 0;
    n.go_live();
    const uint64_t before = n.r->memory.transactions;
    everything_at_once(n);
    count = n.r->memory.transactions - before;
    ASSERT_GT(count, 20u);
    for (uint64_t k = 0; k < count; k++) {
        n.go_live();
        n.r->memory.fail_transaction(k);
        everything_at_once(n);
        EXPECT_EQ(n.r->guest.status() & 0x40, 0x40u) << k;
        if (k % 8 == 0)
            expect_it_works(n);
        n.r->memory.fail_none();
    }
    expect_it_works(n);
}

TEST(net_bus, H_34_a_reset_in_each_access)
{
    ROWS("H-34", "A-RESET-INFLIGHT");
    net_options options;
    options.mode = dma_mode::transaction;
    options.config.pairs = 2;
    net_rig n(options);
    for (const bool whole : {true, false})
        for (uint64_t k = 0; k < 60; k++) {
            n.go_live();
            uint64_t left = k;
            n.r->memory.on_transaction = [&](const dma_access &) {
                if (left-- != 0)
                    return;
                if (whole)
                    vmmio_device_write(&n.r->device, VMMIO_REG_STATUS, 4, 0);
                else
                    n.r->write_queue(0, VMMIO_REG_QUEUE_RESET, 1);
            };
            everything_at_once(n);
            expect_it_works(n);
        }
}

} // namespace
} // namespace vmmio::tb
