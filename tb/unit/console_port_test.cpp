/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes through the ports of a console device: in order, all of them, and when (5.3.6). */
#include "console_rig.h"

#include <numeric>
#include <random>

namespace vmmio::tb
{
namespace
{

class console_port : public ::testing::TestWithParam<dma_mode>
{
protected:
    console_port()
    {
        console_options options;
        options.mode = GetParam();
        c = std::make_unique<console_rig>(options);
        c->go_live();
    }
    std::unique_ptr<console_rig> c;
};

INSTANTIATE_TEST_SUITE_P(by, console_port, every_dma_mode(), dma_mode_name);

TEST_P(console_port, output_of_scattered_buffers_is_in_order)
{
    ROWS("CON-07");
    const auto data = stream(9000);
    const auto part = [&](size_t from, size_t to) {
        return c->readable({data.begin() + long(from), data.begin() + long(to)});
    };
    c->offer(1, {part(0, 1), part(1, 100), part(100, 5000)});
    c->offer(1, {part(5000, 5000), part(5000, 9000), part(9000, 9000)});
    EXPECT_EQ(c->output[0], data);
    EXPECT_EQ(c->tx().reap()->length, 0u);
    EXPECT_EQ(c->tx().reap()->length, 0u);
    EXPECT_EQ(c->console.bytes_out, 9000u);
    EXPECT_EQ(c->r->guest.interrupts() & 1, 1u);
}

TEST_P(console_port, loopback_through_small_buffers)
{
    ROWS("CON-07");
    c->echo = true;
    const auto data = stream(3000);
    std::vector<uint8_t> back;
    std::mt19937 random(7);
    size_t sent = 0;
    for (unsigned i = 0; back.size() < data.size() && i < 5000; i++) {
        if (sent < data.size() && c->tx().used_idx() == uint16_t(c->tx().avail_idx)) {
            std::vector<piece> pieces;
            for (unsigned k = 0; k < 3; k++) {
                const size_t n = std::min<size_t>(random() % 90, data.size() - sent);
                pieces.push_back(
                    c->readable({data.begin() + long(sent), data.begin() + long(sent + n)}));
                sent += n;
            }
            c->offer(1, pieces);
        }
        c->post({1 + uint32_t(random() % 7)});
        back = back + c->input();
        while (c->tx().reap()) {
        }
    }
    EXPECT_EQ(back, data);
}

TEST_P(console_port, input_waits_for_buffers_and_loses_nothing)
{
    ROWS("CON-07");
    const auto data = stream(500);
    size_t at = 0;
    std::vector<uint8_t> got;
    EXPECT_EQ(c->arrive(data), 64u) << "as much as there is room for";
    at = 64;
    EXPECT_EQ(c->arrive({data.begin() + long(at), data.end()}), 0u);
    EXPECT_TRUE(c->rooms.empty());
    std::mt19937 random(3);
    for (unsigned i = 0; got.size() < data.size() && i < 1000; i++) {
        c->rooms.clear();
        c->post({1 + uint32_t(random() % 50)});
        if (at < data.size()) {
            EXPECT_EQ(c->rooms, std::vector<uint32_t>{0}) << "the host is asked for more";
            at += c->arrive({data.begin() + long(at), data.end()});
        }
        got = got + c->input();
    }
    EXPECT_EQ(got, data);
    EXPECT_EQ(c->console.bytes_in, 500u);
    c->rooms.clear();
    c->post({10});
    EXPECT_TRUE(c->rooms.empty()) << "nobody waits";
}

TEST_P(console_port, a_buffer_is_used_as_soon_as_there_is_something)
{
    ROWS("CON-07", "A-RING-USEDLEN");
    c->post({10, 10, 10});
    EXPECT_EQ(c->rx().used_idx(), 0u);
    c->arrive({1});
    EXPECT_EQ(c->rx().used_idx(), 1u) << "not only when it is full";
    c->arrive(stream(15));
    EXPECT_EQ(c->rx().reap()->length, 1u);
    EXPECT_EQ(c->rx().reap()->length, 10u);
    EXPECT_EQ(c->rx().reap()->length, 5u);
}

TEST_P(console_port, output_waits_for_the_back_end_and_loses_nothing)
{
    ROWS("CON-07");
    const auto data = stream(10000);
    c->budget = 0;
    c->offer(1, {c->readable({data.begin(), data.begin() + 6000})});
    c->offer(1, {c->readable({data.begin() + 6000, data.end()})});
    EXPECT_EQ(c->tx().used_idx(), 0u) << "the driver waits";
    uint64_t total = 0;
    for (const uint32_t more : {1u, 4095u, 1u, 1000u, 903u, 3000u, 5000u}) {
        c->budget = more;
        vmmio_console_writable(&c->console, 0);
        c->r->run();
        total += more;
        EXPECT_EQ(c->output[0].size(), std::min<uint64_t>(total, data.size()));
        EXPECT_EQ(c->tx().used_idx(), total >= 10000 ? 2 : total >= 6000 ? 1 : 0) << total;
    }
    EXPECT_EQ(c->output[0], data);
}

TEST_P(console_port, a_stopped_queue_forgets_a_half_sent_buffer)
{
    ROWS("CON-07");
    c->budget = 3;
    c->offer(1, {c->readable(bytes_of("abcdef"))});
    EXPECT_EQ(c->output[0], bytes_of("abc"));
    c->r->write_queue(1, VMMIO_REG_QUEUE_RESET, 1);
    ASSERT_EQ(c->r->read_queue(1, VMMIO_REG_QUEUE_RESET), 0u);
    c->budget = UINT32_MAX;
    c->r->queues[1] = std::make_unique<virtqueue>(c->r->make_queue(16));
    c->r->guest.enable_queue(1, c->tx());
    EXPECT_TRUE(c->send(bytes_of("123456")));
    EXPECT_EQ(c->output[0], bytes_of("abc123456")) << "all of the new one";

    c->budget = 3;
    c->offer(1, {c->readable(bytes_of("uvwxyz"))});
    c->go_live();
    c->budget = UINT32_MAX;
    EXPECT_TRUE(c->send(bytes_of("UVWXYZ")));
    EXPECT_EQ(c->output[0], bytes_of("abc123456uvwUVWXYZ")) << "the same after a reset";
}

TEST_P(console_port, a_half_sent_buffer_does_not_hold_a_suspend_up)
{
    ROWS("SUSP-09", "SUSP-11");
    c->budget = 3;
    c->offer(1, {c->readable(bytes_of("abcdef"))});
    c->r->guest.set_status(0x1f);
    EXPECT_EQ(c->r->guest.status(), 0x1bu);
    c->budget = UINT32_MAX;
    c->arrive(bytes_of("in"));
    vmmio_console_writable(&c->console, 0);
    c->r->run();
    EXPECT_EQ(c->output[0], bytes_of("abc")) << "nothing happens while suspended";
    c->r->guest.set_status(0x1f);
    c->r->run();
    EXPECT_EQ(c->r->guest.status(), 0x0fu);
    EXPECT_EQ(c->output[0], bytes_of("abcdef"));
    EXPECT_TRUE(c->tx().reap().has_value());
    c->post({10});
    EXPECT_EQ(c->input(), bytes_of("in"));
}

TEST_P(console_port, input_stays_over_a_reset)
{
    c->arrive(bytes_of("typed early"));
    c->go_live();
    c->post({5, 50});
    EXPECT_EQ(c->input(), bytes_of("typed early"));
}

TEST_P(console_port, readable_parts_of_receive_buffers_are_not_touched)
{
    ROWS("CON-09");
    const piece first = c->readable(bytes_of("secret")), second = c->r->writable(4);
    c->rx().offer(c->rx().add({first, second}));
    c->rx().offer(c->rx().add({c->readable(bytes_of("no room at all"))}));
    c->post({10});
    c->arrive(bytes_of("12345"));
    EXPECT_EQ(c->rx().reap()->length, 4u);
    EXPECT_EQ(c->rx().reap()->length, 0u) << "nothing fits into it";
    EXPECT_EQ(c->input(), bytes_of("5"));
    EXPECT_EQ(c->r->memory.bytes(first.address, 6), bytes_of("secret"));
    EXPECT_EQ(c->r->memory.bytes(second.address, 4), bytes_of("1234"));
    EXPECT_EQ(c->r->count(VMMIO_DIAG_REQUEST_DIRECTION), 2u);
    EXPECT_TRUE(c->output.empty()) << "never taken as data";
}

TEST_P(console_port, writable_parts_of_transmit_buffers_are_not_touched)
{
    ROWS("CON-10", "H-14");
    const piece data = c->readable(bytes_of("out")), room = c->r->writable(16);
    c->r->memory.fill(room.address, 16, 0xee);
    c->offer(1, {data, room});
    EXPECT_EQ(c->output[0], bytes_of("out"));
    EXPECT_EQ(c->tx().reap()->length, 0u);
    c->offer(1, {room});
    EXPECT_EQ(c->tx().reap()->length, 0u);
    EXPECT_EQ(c->output[0], bytes_of("out"));
    EXPECT_EQ(c->r->memory.bytes(room.address, 16), std::vector<uint8_t>(16, 0xee));
    EXPECT_EQ(c->r->count(VMMIO_DIAG_REQUEST_DIRECTION), 2u);
}

TEST(console_fairness, a_port_that_waits_holds_no_other_one_up)
{
    ROWS("CON-07", "VQ-09");
    console_options options;
    options.ports = 3;
    options.requests = 1;
    console_rig c(options);
    c.greet();
    c.tell(2, 6, 1);
    c.budget = 0;
    c.offer(1, {c.readable(bytes_of("stuck"))});
    c.offer(5, {c.readable(bytes_of("stuck, too"))});
    c.budget = 3;
    EXPECT_TRUE(c.send(bytes_of("abc"), 2)) << "with a single request struct";
    EXPECT_EQ(c.output[2], bytes_of("abc"));
    c.post({10}, 2);
    c.arrive(bytes_of("in"), 2);
    EXPECT_EQ(c.input(2), bytes_of("in"));
}

TEST(console_fairness, a_long_buffer_is_sent_in_slices)
{
    ROWS("CON-07", "DNOT-05");
    console_options options;
    options.ports = 2;
    console_rig c(options);
    c.greet();
    const auto data = stream(300000);
    c.tx().offer(c.tx().add({c.readable(data)}));
    c.tx(1).offer(c.tx(1).add({c.readable(bytes_of("other"))}));
    c.r->guest.kick(1);
    c.r->guest.kick(5);
    vmmio_device_run(&c.r->device, 64);
    EXPECT_EQ(c.output[0].size(), 64u * 4096) << "its share";
    c.r->run();
    EXPECT_EQ(c.output[0], data);
    EXPECT_EQ(c.output[1], bytes_of("other"));
    EXPECT_TRUE(c.tx().reap().has_value());
}

TEST(console_fairness, many_small_buffers_each_way)
{
    ROWS("CON-07");
    console_options options;
    options.buffer_bytes = 100;
    console_rig c(options);
    c.go_live({}, 0, 256);
    for (unsigned i = 0; i < 200; i++)
        c.tx().offer(c.tx().add({c.readable({uint8_t(i)})}));
    c.r->guest.kick(1);
    c.r->run();
    std::vector<uint8_t> all(200);
    std::iota(all.begin(), all.end(), uint8_t(0));
    EXPECT_EQ(c.output[0], all);
    c.post(std::vector<uint32_t>(200, 1));
    EXPECT_EQ(c.arrive({all.begin(), all.begin() + 100}), 100u);
    EXPECT_EQ(c.arrive({all.begin() + 100, all.end()}), 100u);
    EXPECT_EQ(c.input(), all);
}

} // namespace
} // namespace vmmio::tb
