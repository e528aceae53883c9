/* SPDX-License-Identifier: Apache-2.0 */
/* What a hostile driver does to a console device, and what the bus does to it. */
#include "console_rig.h"

#include <random>

namespace vmmio::tb
{
namespace
{

console_options three_ports(dma_mode mode = dma_mode::pointer)
{
    console_options options;
    options.mode = mode;
    options.ports = 3;
    options.prepare = [](std::vector<vmmio_console_port> &ports) {
        ports[0].console = true;
        ports[1].name = "first";
        ports[2].absent = true;
    };
    return options;
}

class console_victim : public ::testing::TestWithParam<dma_mode>
{
protected:
    console_victim() : c(three_ports(GetParam()))
    {
        c.greet();
        c.told();
        c.r->forget();
    }

    /* Nothing came of it, and everything still works. */
    void expect_it_works()
    {
        EXPECT_EQ(c.r->guest.status(), 0x0fu);
        EXPECT_EQ(c.told().size(), 0u);
        c.tell(1, 6, 1);
        EXPECT_TRUE(c.send(bytes_of("out"), 1));
        EXPECT_EQ(c.output[1], bytes_of("out"));
        EXPECT_EQ(c.arrive(bytes_of("in"), 1), 2u);
        c.post({4}, 1);
        EXPECT_EQ(c.input(1), bytes_of("in"));
    }
    console_rig c;
};

INSTANTIATE_TEST_SUITE_P(memory, console_victim, every_dma_mode(), dma_mode_name);

TEST_P(console_victim, H_53_messages_that_are_too_short)
{
    ROWS("H-53", "H-14");
    for (uint32_t length = 0; length < 8; length++) {
        const auto whole = control_message(1, 6, 1);
        EXPECT_TRUE(c.tell({whole.begin(), whole.begin() + length})) << length;
    }
    EXPECT_EQ(c.r->count(VMMIO_DIAG_REQUEST_SHORT), 8u);
    EXPECT_TRUE(c.openings.empty());
    EXPECT_TRUE(c.tell(control_message(1, 6, 1, stream(5000)))) << "longer than anything";
    EXPECT_EQ(c.openings.size(), 1u) << "what is behind has no meaning";
    expect_it_works();
}

TEST_P(console_victim, H_53_ports_and_events_that_there_are_not)
{
    ROWS("H-53", "CON-14");
    unsigned refused = 0;
    for (const uint32_t port : {2u, 3u, 4u, 255u, 256u, 0x80000000u, 0xffffffffu})
        for (const unsigned event : {3u, 6u, 5u, 0xffffu}) {
            EXPECT_TRUE(c.tell(port, event, 1)) << port << " " << event;
            refused++;
        }
    for (const unsigned event : {1u, 2u, 4u, 5u, 7u, 8u, 0x0600u, 0xffffu}) {
        EXPECT_TRUE(c.tell(1, event, 1)) << event;
        refused++;
    }
    EXPECT_TRUE(c.tell(control_message(1, 7, 1, std::vector<uint8_t>(2000, 'x'))))
        << "a name without end, from the driver";
    refused++;
    EXPECT_EQ(c.r->count(VMMIO_DIAG_CONSOLE_CONTROL), refused);
    EXPECT_TRUE(c.openings.empty());
    expect_it_works();
}

TEST_P(console_victim, H_53_a_flood_of_emergency_writes)
{
    ROWS("H-53", "CON-05");
    for (unsigned i = 0; i < 10000; i++)
        c.r->write(0x108, i);
    EXPECT_EQ(c.emergencies.size(), 10000u);
    EXPECT_EQ(c.console.emergency, 10000u);
    expect_it_works();
}

TEST_P(console_victim, H_53_message_buffers_of_every_odd_sort)
{
    ROWS("H-53", "CON-09", "CON-10");
    c.go_live();
    for (const uint32_t size : {0u, 1u, 7u})
        c.post_control(1, size);
    c.offer(2, {c.readable(bytes_of("for the device to read"))});
    c.tell(0, 0, 1);
    EXPECT_EQ(c.r->count(VMMIO_DIAG_REQUEST_SHORT), 4u);
    EXPECT_EQ(c.r->count(VMMIO_DIAG_REQUEST_DIRECTION), 1u);
    for (unsigned i = 0; i < 4; i++)
        EXPECT_EQ(c.r->queue(2).reap()->length, 0u);
    c.post_control(2, 8);
    EXPECT_EQ(c.told().size(), 2u) << "nothing was lost";
    c.offer(3, {c.readable(control_message(1, 6, 1)), c.r->writable(8)});
    EXPECT_EQ(c.r->queue(3).reap()->length, 0u);
    EXPECT_EQ(c.r->count(VMMIO_DIAG_REQUEST_DIRECTION), 2u);
    EXPECT_EQ(c.openings.size(), 1u) << "its readable part counts";
}

TEST_P(console_victim, H_53_random_messages_and_buffers)
{
    ROWS("H-53");
    std::mt19937 random(53);
    for (unsigned i = 0; i < 3000; i++) {
        if (i % 200 == 0)
            c.greet();
        c.tell(random() % 4, random() % 8, random() % 2);
        if (random() % 8 == 0)
            vmmio_console_set_open(&c.console, random() % 4, random() % 2);
        if (random() % 16 == 0)
            vmmio_console_add_port(&c.console, random() % 4);
        if (random() % 16 == 0)
            vmmio_console_remove_port(&c.console, random() % 4);
        c.r->run();
        for (const auto &message : c.told())
            ASSERT_TRUE(message.size() >= 8 && message[0] < 3) << "no port beyond the last";
        c.send(stream(random() % 100), random() % 3);
        c.budget = random() % 2 ? 50 : UINT32_MAX;
        vmmio_console_writable(&c.console, random() % 4);
        c.r->run();
        while (c.tx().reap() || c.tx(1).reap() || c.tx(2).reap()) {
        }
        if (c.tx().avail_idx - c.tx().used_idx() > 8 || c.tx(1).avail_idx - c.tx(1).used_idx() > 8)
            c.greet();
    }
    EXPECT_EQ(c.r->guest.status(), 0x0fu);
}

TEST_P(console_victim, H_12_a_length_of_four_gigabytes)
{
    ROWS("H-12");
    const uint64_t start = ram_base + ram_size - 0x10000;
    c.r->memory.judge(false);
    c.offer(1, {{start, 0xffffffff, false}});
    EXPECT_EQ(c.r->guest.status() & 0x40, 0x40u) << "it leaves the memory at some time";
    EXPECT_EQ(c.output[0].size(), 0x10000u);
    c.r->memory.judge(true);
    c.output.clear();
    c.greet();
    c.told();
    expect_it_works();
}

/* Each way of each sort of queue. */
void everything_at_once(console_rig &c)
{
    c.tell(0, 0, 1);
    c.tell(0, 3, 1);
    c.tell(1, 3, 1);
    c.tell(1, 6, 1);
    c.offer(1, {c.readable(bytes_of("abc"))});
    c.offer(5, {c.readable(bytes_of("abc"))});
    c.arrive(stream(5), 1);
    c.post({3, 3}, 1);
    c.r->run();
}

void expect_all_works(console_rig &c)
{
    c.r->memory.fail_none();
    c.r->memory.on_transaction = nullptr;
    while (c.ports[1].count) { /* what no driver has taken yet */
        c.greet();
        c.tell(1, 6, 1);
        c.post({64}, 1);
    }
    c.output.clear();
    c.greet();
    c.tell(1, 6, 1);
    EXPECT_TRUE(c.send(bytes_of("out"), 1));
    EXPECT_EQ(c.output[1], bytes_of("out"));
    c.arrive(bytes_of("in"), 1);
    c.post({4}, 1);
    EXPECT_EQ(c.input(1), bytes_of("in"));
}

TEST(console_bus, H_60_an_error_in_each_access)
{
    ROWS("H-60");
    console_rig c(three_ports(dma_mode::transaction));
    const auto live = [&] {
        c.go_live();
        c.post_control(16);
    };
    live();
    const uint64_t before = c.r->memory.transactions;
    everything_at_once(c);
    const uint64_t count = c.r->memory.transactions - before;
    ASSERT_GT(count, 50u);
    for (uint64_t k = 0; k < count; k++) {
        live();
        c.r->memory.fail_transaction(k);
        everything_at_once(c);
        EXPECT_EQ(c.r->guest.status() & 0x40, 0x40u) << k;
        c.r->memory.fail_none();
        if (k % 8 == 0)
            expect_all_works(c);
    }
    expect_all_works(c);
}

TEST(console_bus, H_34_a_reset_in_each_access)
{
    ROWS("H-34", "A-RESET-INFLIGHT");
    for (const uint32_t queue : {0u, 1u, 2u, 3u, 4u, 5u, 99u}) {
        console_rig c(three_ports(dma_mode::transaction));
        for (uint64_t k = 0; k < 80; k++) {
            c.go_live({}, 0, 16);
            c.post_control(16);
            uint64_t left = k;
            c.r->memory.on_transaction = [&](const dma_access &) {
                if (left-- != 0)
                    return;
                if (queue == 99)
                    vmmio_device_write(&c.r->device, VMMIO_REG_STATUS, 4, 0);
                else
                    c.r->write_queue(queue, VMMIO_REG_QUEUE_RESET, 1);
            };
            everything_at_once(c);
            c.r->memory.on_transaction = nullptr; /* it speaks of this turn's variables */
            if (k % 8 == 0)
                expect_all_works(c);
        }
        expect_all_works(c);
    }
}

} // namespace
} // namespace vmmio::tb
