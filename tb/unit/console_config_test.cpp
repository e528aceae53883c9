/* SPDX-License-Identifier: Apache-2.0 */
/* The console device's identity, features and configuration, emergency write included (5.3). */
#include "console_rig.h"

namespace vmmio::tb
{
namespace
{

uint32_t exists(console_rig &c, uint32_t queue)
{
    return c.r->read_queue(queue, VMMIO_REG_QUEUE_SIZE_MAX) != 0;
}

/* What QueueReady reads after the driver has tried. */
uint32_t can_enable(console_rig &c, uint32_t queue)
{
    const virtqueue q = c.r->make_queue(16);
    c.r->guest.enable_queue(queue, q);
    return c.r->read_queue(queue, VMMIO_REG_QUEUE_READY);
}

console_options with_ports(uint32_t ports)
{
    console_options options;
    options.ports = ports;
    return options;
}

TEST(console_config, device_id_and_queues)
{
    ROWS("CON-01");
    console_rig one;
    EXPECT_EQ(one.r->read(VMMIO_REG_DEVICE_ID), 3u);
    for (uint32_t queue = 0; queue < 6; queue++)
        EXPECT_EQ(exists(one, queue), queue < 2 ? 1u : 0u) << "no MULTIPORT, queue " << queue;

    console_rig four(with_ports(4));
    for (uint32_t queue = 0; queue < 12; queue++)
        EXPECT_EQ(exists(four, queue), queue < 10 ? 1u : 0u) << "four ports, queue " << queue;
}

TEST(console_config, each_port_has_its_queues)
{
    ROWS("CON-01", "CON-07");
    console_rig c(with_ports(3));
    c.greet();
    const std::pair<uint32_t, uint32_t> table[] = {{0, 0}, {1, 4}, {2, 6}}; /* port, its rx */
    for (const auto &[port, queue] : table) {
        c.offer(queue + 1, {c.readable({uint8_t('a' + port)})});
        EXPECT_EQ(c.output[port], bytes_of(std::string(1, char('a' + port))));
        c.tell(port, 6, 1);
        c.post({4}, port);
        EXPECT_EQ(c.arrive({uint8_t('A' + port)}, port), 1u);
        EXPECT_EQ(c.r->queue(queue).used_idx(), 1u) << "queue " << queue;
        EXPECT_EQ(c.input(port), bytes_of(std::string(1, char('A' + port))));
    }
    EXPECT_EQ(c.output.size(), 3u);
}

TEST(console_config, without_multiport_there_are_two_queues)
{
    ROWS("CON-01");
    console_rig c(with_ports(3));
    c.go_live({VMMIO_CONSOLE_F_MULTIPORT}, 2);
    for (uint32_t queue = 2; queue < 8; queue++)
        EXPECT_EQ(can_enable(c, queue), 0u) << queue;
    EXPECT_TRUE(c.send(bytes_of("x")));
    EXPECT_EQ(c.output[0], bytes_of("x"));
    c.go_live();
    EXPECT_EQ(c.r->read_queue(7, VMMIO_REG_QUEUE_READY), 1u) << "and all of them with it";
}

TEST(console_config, feature_numbers)
{
    ROWS("CON-02");
    EXPECT_EQ(VMMIO_CONSOLE_F_SIZE, 0);
    EXPECT_EQ(VMMIO_CONSOLE_F_MULTIPORT, 1);
    EXPECT_EQ(VMMIO_CONSOLE_F_EMERG_WRITE, 2);
    console_rig one, two(with_ports(2));
    EXPECT_EQ(one.r->guest.offered().word[0] & 0xffffff, 5u);
    EXPECT_EQ(two.r->guest.offered().word[0] & 0xffffff, 7u);
    console_options options;
    options.withheld = 5;
    console_rig none(options);
    EXPECT_EQ(none.r->guest.offered().word[0] & 0xffffff, 0u);
}

TEST(console_config, layout)
{
    ROWS("CON-03", "CFG-03");
    console_options options = with_ports(3);
    options.prepare = [](std::vector<vmmio_console_port> &ports) {
        ports[0].cols = 0x1234;
        ports[0].rows = 0x5678;
        ports[1].cols = 1;
    };
    console_rig c(options);
    const std::vector<uint8_t> golden = {0x34, 0x12, 0x78, 0x56, 3, 0, 0, 0, 0, 0, 0, 0, 0};
    for (uint32_t i = 0; i < golden.size(); i++)
        EXPECT_EQ(c.field(i, 1), golden[i]) << i;
    EXPECT_EQ(c.field(0, 2), 0x1234u);
    EXPECT_EQ(c.field(2, 2), 0x5678u);
    EXPECT_EQ(c.field(0, 4), 0x56781234u);
    EXPECT_EQ(c.field(4, 4), 3u);
    EXPECT_EQ(c.field(8, 4), 0u);

    options.ports = 1;
    options.withheld = 1;
    options.prepare = [](std::vector<vmmio_console_port> &ports) { ports[0].cols = 80; };
    console_rig plain(options);
    for (uint32_t i = 0; i < 12; i += 4)
        EXPECT_EQ(plain.field(i, 4), 0u) << "a field without its feature, " << i;
}

TEST(console_config, only_emerg_wr_can_be_written)
{
    ROWS("CON-03", "INIT-04");
    console_rig c(with_ports(2));
    for (const uint32_t offset : {0u, 2u, 4u}) {
        c.r->write(0x100 + offset, 0xffff, 2);
        EXPECT_NE(c.field(offset, 2), 0xffffu) << offset;
    }
    EXPECT_EQ(c.r->count(VMMIO_DIAG_CONFIG_READ_ONLY), 3u);
    EXPECT_TRUE(c.emergencies.empty());
    EXPECT_TRUE(c.output.empty());
}

TEST(console_config, emergency_write_right_after_reset)
{
    ROWS("CON-04");
    console_rig c;
    EXPECT_EQ(c.r->guest.status(), 0u);
    c.r->write(0x108, 0x41);
    EXPECT_EQ(c.emergencies, bytes_of("A"));
    c.go_live({VMMIO_CONSOLE_F_EMERG_WRITE});
    c.r->write(0x108, 0x42);
    EXPECT_EQ(c.emergencies, bytes_of("AB")) << "offered is enough";

    console_options options;
    options.with_emergency = false;
    console_rig simple(options);
    simple.r->write(0x108, 0x41);
    EXPECT_EQ(simple.output[0], bytes_of("A")) << "a back end without a call of its own for it";
    simple.budget = 0;
    simple.r->write(0x108, 0x42);
    EXPECT_EQ(simple.console.emergency, 2u);
    EXPECT_EQ(simple.console.emergency_lost, 1u);

    options.withheld = 1u << VMMIO_CONSOLE_F_EMERG_WRITE;
    console_rig without(options);
    without.r->write(0x108, 0x41);
    EXPECT_TRUE(without.output.empty());
    EXPECT_EQ(without.r->count(VMMIO_DIAG_CONFIG_READ_ONLY), 1u);
}

TEST(console_config, emergency_write_in_every_state)
{
    ROWS("CON-05");
    console_rig c;
    std::vector<uint8_t> expected;
    const auto write = [&](const char *when) {
        const uint32_t generation = c.r->read(VMMIO_REG_CONFIG_GENERATION);
        expected.push_back(uint8_t('a' + expected.size()));
        c.r->forget();
        c.r->write(0x108, expected.back());
        EXPECT_EQ(c.emergencies, expected) << when;
        EXPECT_TRUE(c.r->diagnostics.empty()) << when;
        EXPECT_EQ(c.r->read(VMMIO_REG_CONFIG_GENERATION), generation) << when;
    };
    write("status 0");
    c.r->guest.set_status(1);
    write("status 1");
    c.r->guest.set_status(3);
    write("status 3");
    c.r->guest.accept(feature_set({VMMIO_F_VERSION_1}));
    c.r->guest.add_status(8);
    ASSERT_EQ(c.r->guest.status(), 0xbu);
    write("status 0xb");
    c.r->guest.add_status(4);
    write("status 0xf");
    vmmio_device_needs_reset(&c.r->device);
    ASSERT_EQ(c.r->guest.status(), 0x4fu);
    write("DEVICE_NEEDS_RESET");
    c.r->guest.reset();
    write("reset");
    c.go_live();
    c.r->guest.add_status(0x80);
    ASSERT_EQ(c.r->guest.status(), 0x8fu);
    write("FAILED");
    c.budget = 0;
    c.go_live();
    c.offer(1, {c.readable(bytes_of("waits"))});
    write("output waits");
}

TEST(console_config, emergency_write_is_a_byte)
{
    ROWS("CON-06");
    console_rig c;
    c.r->write(0x108, 0x12345641);
    EXPECT_EQ(c.emergencies, bytes_of("A"));
    c.r->write(0x108, 0x42, 1);
    c.r->write(0x108, 0x5543, 2);
    EXPECT_EQ(c.emergencies, bytes_of("ABC")) << "whatever the width";
    c.r->write(0x109, 0x44, 1);
    c.r->write(0x10a, 0x44, 2);
    EXPECT_EQ(c.emergencies, bytes_of("ABC")) << "the other bytes have no meaning";
}

TEST(console_config, a_new_size_is_announced)
{
    ROWS("CON-08", "CFG-07");
    console_options options;
    options.prepare = [](std::vector<vmmio_console_port> &ports) {
        ports[0].cols = 80;
        ports[0].rows = 25;
    };
    console_rig c(options);
    c.go_live();
    const uint32_t generation = c.r->read(VMMIO_REG_CONFIG_GENERATION);
    EXPECT_EQ(c.field(0, 4), 25u << 16 | 80u);
    EXPECT_TRUE(vmmio_console_resize(&c.console, 0, 132, 43));
    vmmio_device_config_changed(&c.r->device);
    EXPECT_EQ(c.r->guest.interrupts() & 2, 2u);
    EXPECT_NE(c.r->read(VMMIO_REG_CONFIG_GENERATION), generation);
    EXPECT_EQ(c.field(0, 2), 132u);
    EXPECT_EQ(c.field(2, 2), 43u);
    EXPECT_FALSE(vmmio_console_resize(&c.console, 0, 132, 43)) << "the same again is no change";
    c.go_live();
    EXPECT_EQ(c.field(0, 2), 132u) << "a reset does not change the terminal";

    options.ports = 2;
    options.withheld = 1;
    console_rig without(options);
    EXPECT_FALSE(vmmio_console_resize(&without.console, 0, 132, 43)) << "no F_SIZE, no bytes";
    EXPECT_FALSE(vmmio_console_resize(&without.console, 1, 132, 43)) << "port 0 alone";
    EXPECT_FALSE(vmmio_console_resize(&without.console, 2, 132, 43)) << "no such port";
}

TEST(console_config, a_platform_gets_told_what_to_change)
{
    const auto init = [](uint32_t count, bool multiport, const vmmio_console_port &last) {
        static uint8_t input[4];
        std::vector<vmmio_console_port> ports(300);
        for (auto &port : ports) {
            port.buffer = input;
            port.buffer_bytes = 4;
        }
        if (count)
            ports[count - 1] = last;
        vmmio_console console;
        vmmio_console_config config = {};
        config.backend.write = [](void *, uint32_t, const uint8_t *, uint32_t n) { return n; };
        config.ports = ports.data();
        config.port_count = count;
        config.multiport = multiport;
        return vmmio_console_init(&console, &config);
    };
    static uint8_t input[4];
    vmmio_console_port good = {};
    good.buffer = input;
    good.buffer_bytes = 4;
    EXPECT_EQ(init(1, false, good), VMMIO_ERROR_OK);
    EXPECT_EQ(init(256, true, good), VMMIO_ERROR_OK);
    EXPECT_EQ(init(0, false, good), VMMIO_ERROR_CONSOLE_PORTS);
    EXPECT_EQ(init(257, true, good), VMMIO_ERROR_CONSOLE_PORTS);
    EXPECT_EQ(init(2, false, good), VMMIO_ERROR_CONSOLE_PORTS);
    vmmio_console_port bad = good;
    bad.absent = true;
    EXPECT_EQ(init(1, true, bad), VMMIO_ERROR_CONSOLE_PORTS) << "port 0 cannot be absent";
    EXPECT_EQ(init(2, true, bad), VMMIO_ERROR_OK);
    bad = good;
    bad.buffer = nullptr;
    EXPECT_EQ(init(2, true, bad), VMMIO_ERROR_NULL_ARGUMENT);
    bad = good;
    bad.buffer_bytes = 0;
    EXPECT_EQ(init(2, true, bad), VMMIO_ERROR_CONSOLE_PORTS);
    const std::string longest(255, 'x'), longer(256, 'x');
    for (const char *name : {"", "\xff", "a\xc3", longer.c_str()}) {
        bad = good;
        bad.name = name;
        EXPECT_EQ(init(2, true, bad), VMMIO_ERROR_CONSOLE_NAME) << name;
    }
    good.name = longest.c_str();
    EXPECT_EQ(init(2, true, good), VMMIO_ERROR_OK);
    vmmio_console_config nothing = {};
    vmmio_console console;
    EXPECT_EQ(vmmio_console_init(&console, &nothing), VMMIO_ERROR_NULL_ARGUMENT);
    EXPECT_EQ(vmmio_console_init(&console, nullptr), VMMIO_ERROR_NULL_ARGUMENT);
    EXPECT_EQ(vmmio_console_init(nullptr, &nothing), VMMIO_ERROR_NULL_ARGUMENT);
}

} // namespace
} // namespace vmmio::tb
