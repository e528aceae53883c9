/* SPDX-License-Identifier: Apache-2.0 */
/* The control messages of a console device with several ports (5.3.6.2). */
#include "console_rig.h"

#include <algorithm>

namespace vmmio::tb
{
namespace
{

using messages = std::vector<std::vector<uint8_t>>;

console_options four_ports()
{
    console_options options;
    options.ports = 4;
    options.prepare = [](std::vector<vmmio_console_port> &ports) {
        ports[0].console = true;
        ports[0].cols = 80;
        ports[0].rows = 25;
        ports[1].name = "org.qemu.0";
        ports[2].closed = true;
        ports[3].absent = true;
    };
    return options;
}

class console_control : public ::testing::Test
{
protected:
    console_control() : c(four_ports()) {}

    /* With buffers for messages, before DEVICE_READY. */
    void go_live()
    {
        c.go_live();
        c.post_control(16);
    }
    /* And with all that follows from a driver that plays its part. */
    void greet()
    {
        c.greet();
        c.told();
        c.r->forget();
    }
    console_rig c;
};

TEST_F(console_control, every_message_byte_by_byte)
{
    ROWS("CON-11", "CON-12");
    go_live();
    EXPECT_TRUE(c.tell({0, 0, 0, 0, 0, 0, 1, 0})) << "DEVICE_READY";
    EXPECT_EQ(
        c.told(),
        (messages{{0, 0, 0, 0, 1, 0, 1, 0}, {1, 0, 0, 0, 1, 0, 1, 0}, {2, 0, 0, 0, 1, 0, 1, 0}}))
        << "DEVICE_ADD";
    EXPECT_TRUE(c.tell({0, 0, 0, 0, 3, 0, 1, 0})) << "PORT_READY";
    EXPECT_EQ(c.told(), (messages{{0, 0, 0, 0, 4, 0, 1, 0},               /* CONSOLE_PORT */
                                  {0, 0, 0, 0, 5, 0, 1, 0, 80, 0, 25, 0}, /* RESIZE */
                                  {0, 0, 0, 0, 6, 0, 1, 0}}));            /* PORT_OPEN */
    EXPECT_TRUE(c.tell({1, 0, 0, 0, 3, 0, 1, 0}));
    EXPECT_EQ(c.told(), (messages{{1, 0, 0, 0, 7, 0, 1, 0, 'o', 'r', 'g', '.', 'q', 'e', 'm', 'u',
                                   '.', '0'}, /* PORT_NAME */
                                  {1, 0, 0, 0, 6, 0, 1, 0}}));
    EXPECT_TRUE(c.tell({2, 0, 0, 0, 3, 0, 1, 0}));
    EXPECT_EQ(c.told(), messages{}) << "nobody at the host's end of port 2";
    EXPECT_TRUE(vmmio_console_remove_port(&c.console, 1));
    c.r->run();
    EXPECT_EQ(c.told(), (messages{{1, 0, 0, 0, 2, 0, 1, 0}})) << "DEVICE_REMOVE";
    EXPECT_TRUE(c.r->diagnostics.empty());
}

TEST_F(console_control, a_size_has_columns_first)
{
    ROWS("CON-12", "CON-08");
    greet();
    EXPECT_TRUE(vmmio_console_resize(&c.console, 0, 0x1234, 0x5678));
    c.r->run();
    EXPECT_EQ(c.told(), (messages{{0, 0, 0, 0, 5, 0, 1, 0, 0x34, 0x12, 0x78, 0x56}}));
    vmmio_console_resize(&c.console, 1, 10, 20);
    c.r->run();
    EXPECT_EQ(c.told(), messages{}) << "port 1 is no console";
}

TEST_F(console_control, nothing_is_added_before_the_driver_is_ready)
{
    ROWS("CON-16");
    go_live();
    EXPECT_EQ(c.told(), messages{});
    EXPECT_TRUE(vmmio_console_add_port(&c.console, 3));
    c.r->run();
    EXPECT_EQ(c.told(), messages{});
    EXPECT_TRUE(c.tell(0, 0, 0)) << "DEVICE_READY with value 0: it failed";
    EXPECT_EQ(c.told(), messages{});
    EXPECT_TRUE(c.tell(0xffffffff, 0, 1)) << "its id is unused";
    EXPECT_EQ(c.told().size(), 4u);
    EXPECT_TRUE(c.r->diagnostics.empty());
}

TEST_F(console_control, a_port_is_added_once)
{
    ROWS("CON-13");
    go_live();
    c.tell(0, 0, 1);
    EXPECT_EQ(c.told().size(), 3u);
    c.tell(0, 0, 1);
    EXPECT_EQ(c.told(), messages{}) << "DEVICE_READY again";
    EXPECT_FALSE(vmmio_console_add_port(&c.console, 1));
    EXPECT_TRUE(vmmio_console_add_port(&c.console, 3));
    EXPECT_FALSE(vmmio_console_add_port(&c.console, 3));
    c.r->run();
    EXPECT_EQ(c.told(), messages{control_message(3, 1, 1)});
}

TEST_F(console_control, a_port_beyond_the_last_is_not_added)
{
    ROWS("CON-14");
    greet();
    for (const uint32_t port : {4u, 5u, 0x7fffffffu, 0xffffffffu})
        EXPECT_FALSE(vmmio_console_add_port(&c.console, port));
    c.r->run();
    EXPECT_EQ(c.told(), messages{});
    EXPECT_EQ(c.field(4, 4), 4u);
}

TEST_F(console_control, only_what_was_added_is_removed)
{
    ROWS("CON-15", "CON-13");
    go_live();
    EXPECT_FALSE(vmmio_console_remove_port(&c.console, 3)) << "not there";
    EXPECT_FALSE(vmmio_console_remove_port(&c.console, 4));
    EXPECT_FALSE(vmmio_console_remove_port(&c.console, 0)) << "port 0 stays";
    EXPECT_TRUE(vmmio_console_remove_port(&c.console, 1)) << "the driver never heard of it";
    c.tell(0, 0, 1);
    EXPECT_EQ(c.told(), (messages{control_message(0, 1, 1), control_message(2, 1, 1)}));
    EXPECT_TRUE(vmmio_console_remove_port(&c.console, 2));
    c.r->run();
    EXPECT_EQ(c.told(), messages{control_message(2, 2, 1)});
    EXPECT_FALSE(vmmio_console_remove_port(&c.console, 2));
    c.r->run();
    EXPECT_EQ(c.told(), messages{});
}

TEST_F(console_control, adding_and_removing_without_buffers_ends_in_the_right_state)
{
    ROWS("CON-13", "CON-15");
    c.go_live();
    c.tell(0, 0, 1);
    EXPECT_TRUE(vmmio_console_remove_port(&c.console, 2)) << "its DEVICE_ADD waits yet";
    EXPECT_TRUE(vmmio_console_add_port(&c.console, 3));
    EXPECT_TRUE(vmmio_console_remove_port(&c.console, 3));
    EXPECT_TRUE(vmmio_console_add_port(&c.console, 3));
    c.post_control(16);
    EXPECT_EQ(c.told(), (messages{control_message(0, 1, 1), control_message(1, 1, 1),
                                  control_message(3, 1, 1)}));

    c.go_live();
    c.post_control(3);
    c.tell(0, 0, 1);
    while (c.r->queue(2).reap()) {
    }
    EXPECT_TRUE(vmmio_console_remove_port(&c.console, 1));
    EXPECT_TRUE(vmmio_console_add_port(&c.console, 1));
    c.post_control(16);
    EXPECT_EQ(c.told(), (messages{control_message(1, 2, 1), control_message(1, 1, 1)}));
}

TEST_F(console_control, a_new_port_has_everything_new)
{
    ROWS("CON-15");
    greet();
    c.tell(1, 6, 1);
    c.arrive(bytes_of("old"), 1);
    EXPECT_TRUE(vmmio_console_remove_port(&c.console, 1));
    c.r->run();
    EXPECT_EQ(c.arrive(bytes_of("lost"), 1), 0u) << "no port, no input";
    EXPECT_EQ(c.openings, (std::vector<std::pair<uint32_t, bool>>{{1, true}, {1, false}}));
    EXPECT_TRUE(c.send(bytes_of("nobody"), 1)) << "the driver gets its buffer back";
    EXPECT_TRUE(c.output.empty());
    EXPECT_EQ(c.r->count(VMMIO_DIAG_REQUEST_QUEUE), 1u);
    EXPECT_TRUE(vmmio_console_add_port(&c.console, 1));
    c.r->run();
    c.told();
    c.tell(1, 3, 1);
    EXPECT_EQ(c.told(), (messages{control_message(1, 7, 1, bytes_of("org.qemu.0")),
                                  control_message(1, 6, 1)}));
    c.arrive(bytes_of("new"), 1);
    c.post({20}, 1);
    EXPECT_EQ(c.input(1), bytes_of("")) << "not open yet";
    c.tell(1, 6, 1);
    EXPECT_EQ(c.input(1), bytes_of("new"));
}

TEST_F(console_control, input_waits_until_the_driver_opens_the_port)
{
    ROWS("CON-07", "CON-17");
    greet();
    EXPECT_EQ(c.arrive(bytes_of("early"), 1), 5u);
    c.post({100, 100, 100}, 1);
    EXPECT_EQ(c.rx(1).used_idx(), 0u);
    EXPECT_FALSE(vmmio_console_is_open(&c.console, 1));
    c.tell(1, 6, 1);
    EXPECT_EQ(c.input(1), bytes_of("early"));
    EXPECT_TRUE(vmmio_console_is_open(&c.console, 1));
    c.tell(1, 6, 0);
    c.arrive(bytes_of("late"), 1);
    EXPECT_EQ(c.input(1), bytes_of(""));
    c.tell(1, 6, 1);
    EXPECT_EQ(c.input(1), bytes_of("late"));
    EXPECT_EQ(c.openings,
              (std::vector<std::pair<uint32_t, bool>>{{1, true}, {1, false}, {1, true}}));
}

TEST_F(console_control, a_console_port_that_is_not_opened_is_tolerated)
{
    ROWS("CON-17");
    greet();
    EXPECT_TRUE(c.send(bytes_of("boot"), 0));
    EXPECT_EQ(c.output[0], bytes_of("boot"));
    EXPECT_EQ(c.r->guest.status(), 0x0fu);
    EXPECT_TRUE(c.r->diagnostics.empty());
    c.tell(0, 6, 1);
    c.arrive(bytes_of("in"), 0);
    c.post({10});
    EXPECT_EQ(c.input(), bytes_of("in"));
}

TEST_F(console_control, the_host_end_opens_and_closes)
{
    ROWS("CON-11");
    greet();
    vmmio_console_set_open(&c.console, 2, true);
    c.r->run();
    EXPECT_EQ(c.told(), messages{control_message(2, 6, 1)});
    vmmio_console_set_open(&c.console, 2, true);
    c.r->run();
    EXPECT_EQ(c.told(), messages{}) << "no change, no message";
    vmmio_console_set_open(&c.console, 2, false);
    vmmio_console_set_open(&c.console, 9, false);
    c.r->run();
    EXPECT_EQ(c.told(), messages{control_message(2, 6, 0)});
}

TEST_F(console_control, the_driver_has_all_input_before_the_host_end_closes)
{
    ROWS("CON-07", "CON-11");
    greet();
    c.tell(1, 6, 1);
    c.arrive(bytes_of("the last words"), 1);
    vmmio_console_set_open(&c.console, 1, false);
    c.r->run();
    EXPECT_EQ(c.told(), messages{});
    c.post({10}, 1);
    EXPECT_EQ(c.told(), messages{}) << "four bytes wait";
    c.post({10}, 1);
    EXPECT_EQ(c.input(1), bytes_of("the last words"));
    EXPECT_EQ(c.told(), messages{control_message(1, 6, 0)});

    vmmio_console_set_open(&c.console, 1, true);
    c.arrive(bytes_of("again"), 1);
    EXPECT_EQ(c.told(), messages{control_message(1, 6, 1)}) << "that somebody came, at once";
    vmmio_console_set_open(&c.console, 1, false);
    EXPECT_TRUE(vmmio_console_remove_port(&c.console, 1)) << "what waited is dropped";
    c.r->run();
    EXPECT_EQ(c.told(), messages{control_message(1, 2, 1)});
}

TEST_F(console_control, messages_wait_for_buffers)
{
    ROWS("CON-11");
    c.go_live();
    c.tell(0, 0, 1);
    for (uint32_t i = 0; i < 3; i++) {
        c.post_control(1);
        const auto used = c.r->queue(2).reap();
        ASSERT_TRUE(used.has_value());
        EXPECT_EQ(used->length, 8u);
    }
    for (uint32_t i = 0; i < 3; i++)
        c.tell(i, 3, 1);
    c.post_control(16);
    const auto told = c.told();
    EXPECT_EQ(told.size(), 5u) << "CONSOLE_PORT, RESIZE, PORT_NAME, two PORT_OPEN";
    for (uint32_t port = 0; port < 2; port++)
        EXPECT_EQ(std::count(told.begin(), told.end(), control_message(port, 6, 1)), 1) << port;
    c.tell(0, 3, 1);
    EXPECT_EQ(c.told(), messages{}) << "PORT_READY again";
    c.tell(0, 3, 0);
    vmmio_console_resize(&c.console, 0, 1, 2);
    c.r->run();
    EXPECT_EQ(c.told(), messages{}) << "the driver could not use the port";
    c.tell(0, 3, 1);
    EXPECT_EQ(c.told().size(), 3u);
}

TEST_F(console_control, a_reset_starts_from_the_beginning)
{
    ROWS("CON-16", "RST-02");
    greet();
    c.tell(1, 6, 1);
    go_live();
    EXPECT_EQ(c.told(), messages{});
    EXPECT_EQ(c.openings.back(), (std::pair<uint32_t, bool>{1, false}));
    c.tell(0, 0, 1);
    EXPECT_EQ(c.told().size(), 3u);
    EXPECT_TRUE(c.tell(0, 3, 1));
    EXPECT_EQ(c.told().size(), 3u);
}

TEST_F(console_control, without_multiport_there_is_none)
{
    ROWS("CON-01", "CON-08");
    c.go_live({VMMIO_CONSOLE_F_MULTIPORT}, 2);
    vmmio_console_set_open(&c.console, 2, true);
    EXPECT_TRUE(vmmio_console_resize(&c.console, 0, 100, 30));
    vmmio_device_config_changed(&c.r->device);
    EXPECT_TRUE(vmmio_console_add_port(&c.console, 3));
    c.r->run();
    c.arrive(bytes_of("in"));
    c.post({8});
    EXPECT_EQ(c.input(), bytes_of("in")) << "nobody has to open port 0";
    EXPECT_EQ(c.field(0, 2), 100u);
}

TEST_F(console_control, a_message_survives_a_reset_of_its_queue)
{
    ROWS("CON-11", "CON-13");
    console_options options = four_ports();
    options.mode = dma_mode::transaction;
    console_rig t(options);
    t.go_live();
    t.post_control(4);
    const virtqueue &queue = t.r->queue(2);
    unsigned resets = 0;
    t.r->memory.on_transaction = [&](const dma_access &access) {
        const bool ring =
            access.address >= queue.device && access.address < queue.device + queue.device_bytes();
        if (access.write && access.length == 8 && !ring && resets++ == 0)
            t.r->write_queue(2, VMMIO_REG_QUEUE_RESET, 1);
    };
    t.tell(0, 0, 1);
    t.r->memory.on_transaction = nullptr;
    EXPECT_EQ(resets, 1u) << "while the first message was being written";
    t.r->queues[2] = std::make_unique<virtqueue>(t.r->make_queue(32));
    t.r->guest.enable_queue(2, t.r->queue(2));
    t.post_control(16);
    EXPECT_EQ(t.told(), (messages{control_message(0, 1, 1), control_message(1, 1, 1),
                                  control_message(2, 1, 1)}));
}

} // namespace
} // namespace vmmio::tb
