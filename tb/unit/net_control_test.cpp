/* SPDX-License-Identifier: Apache-2.0 */
/* The control queue, the filters that it sets, and the queue pairs that it opens. */
#include "net_rig.h"

#include <functional>
#include <set>
#include <utility>

namespace vmmio::tb
{

namespace
{

constexpr uint8_t RX = 0, MAC = 1, VLAN = 2, ANNOUNCE = 3, MQ = 4; /* 5.1.9.5 */
constexpr unsigned NET_OK = 0, NET_ERR = 1;

const bytes ours = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
const bytes other = {0x52, 0x54, 0, 0x12, 0x34, 0x57};
const bytes group = {0x33, 0x33, 0, 0, 0, 1};
const bytes all = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

bytes le32(uint32_t value) { return le16(value & 0xffff) + le16(value >> 16); }

bytes tagged_frame(unsigned id)
{
    return ours + bytes{2, 0, 0, 0, 0, 1} + be16(0x8100) + be16(0xe000 | id) + be16(0x88b5) +
           bytes(46, uint8_t(id));
}

bool passes(net_rig &n, const bytes &frame)
{
    n.post({200});
    EXPECT_TRUE(n.arrive(frame));
    const auto got = n.take();
    if (got) {
        EXPECT_EQ(got->frame, frame);
    }
    return got.has_value();
}

/* Which of ours, other, group, broadcast the driver gets. */
std::string filter(net_rig &n)
{
    std::string seen;
    for (const auto &[name, address] :
         {std::pair('o', ours), {'x', other}, {'g', group}, {'b', all}})
        if (passes(n, plain_frame(60, address)))
            seen += name;
    return seen;
}

bytes flow(unsigned number)
{
    frame_options options;
    options.udp = true;
    options.source_port = uint16_t(1000 + number);
    options.destination_port = 53;
    return make_frame({1, 2, 3}, options);
}

/* The answer to such a frame: addresses and ports are exchanged. */
bytes answer_to(const bytes &frame)
{
    bytes answer = frame;
    std::copy(frame.begin() + 26, frame.begin() + 30, answer.begin() + 30);
    std::copy(frame.begin() + 30, frame.begin() + 34, answer.begin() + 26);
    std::copy(frame.begin() + 34, frame.begin() + 36, answer.begin() + 36);
    std::copy(frame.begin() + 36, frame.begin() + 38, answer.begin() + 34);
    return answer;
}

} // namespace

TEST(net_control, unknown_commands_are_answered_with_an_error)
{
    ROWS("NET-55", "H-52");
    net_rig n(with_pairs(2));
    n.go_live();
    const std::set<std::pair<unsigned, unsigned>> known = {{0, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 4},
                                                           {0, 5}, {1, 0}, {1, 1}, {2, 0}, {2, 1},
                                                           {3, 0}, {4, 0}, {5, 0}};
    for (unsigned type = 0; type < 256; type++)
        for (unsigned command = 0; command < 256; command++) {
            if (known.count({type, command}))
                continue;
            /* Every tenth one, for the time it takes; all of the classes that exist. */
            if (type > 7 && (type * 256 + command) % 10)
                continue;
            if ((type * 256 + command) % 200 == 0)
                n.go_live();
            ASSERT_EQ(n.control(uint8_t(type), uint8_t(command), bytes(type % 3, 1)), NET_ERR)
                << type << " " << command;
        }
    EXPECT_EQ(n.r->guest.status(), 0x0fu);
}

TEST(net_control, the_answer_is_the_first_writable_byte)
{
    ROWS("NET-56", "H-14");
    net_rig n;
    n.go_live();
    const piece room = n.r->writable(8);
    n.r->memory.fill(room.address, 8, 0xee);
    EXPECT_EQ(n.control_pieces({n.readable({RX, 0, 1}), room}), NET_OK) << "in one piece";
    EXPECT_EQ(n.r->memory.bytes(room.address + 1, 7), bytes(7, 0xee));
    EXPECT_EQ(
        n.control_pieces({n.readable({RX}), n.readable({0}), n.readable({0}), n.r->writable(1)}),
        NET_OK)
        << "in pieces";

    virtqueue &queue = n.r->queue(2);
    queue.offer(queue.add({n.readable({RX, 0, 1})}));
    n.r->guest.kick(2);
    n.r->run();
    EXPECT_EQ(queue.reap()->length, 0u);
    EXPECT_EQ(filter(n), "ob") << "without a place for the answer nothing is done";
}

TEST(net_control, commands_without_their_feature_are_refused)
{
    ROWS("NET-59", "H-52");
    const struct {
        unsigned feature;
        uint8_t type, command;
        bytes data;
    } commands[] = {{VMMIO_NET_F_CTRL_RX, RX, 0, {1}},
                    {VMMIO_NET_F_CTRL_RX, RX, 1, {1}},
                    {VMMIO_NET_F_CTRL_RX_EXTRA, RX, 2, {1}},
                    {VMMIO_NET_F_CTRL_RX_EXTRA, RX, 3, {1}},
                    {VMMIO_NET_F_CTRL_RX_EXTRA, RX, 4, {1}},
                    {VMMIO_NET_F_CTRL_RX_EXTRA, RX, 5, {1}},
                    {VMMIO_NET_F_CTRL_RX, MAC, 0, bytes(8, 0)},
                    {VMMIO_NET_F_CTRL_MAC_ADDR, MAC, 1, other},
                    {VMMIO_NET_F_CTRL_VLAN, VLAN, 0, {1, 0}},
                    {VMMIO_NET_F_CTRL_VLAN, VLAN, 1, {1, 0}},
                    {VMMIO_NET_F_GUEST_ANNOUNCE, ANNOUNCE, 0, {}},
                    {VMMIO_NET_F_MQ, MQ, 0, {1, 0}},
                    {VMMIO_NET_F_CTRL_GUEST_OFFLOADS, 5, 0, bytes(8, 0)}};
    net_rig n(with_pairs(2));
    for (const auto &c : commands) {
        n.go_live();
        EXPECT_EQ(n.control(c.type, c.command, c.data), NET_OK) << int(c.type) << int(c.command);
        bytes longer = c.data + bytes{0};
        EXPECT_EQ(n.control(c.type, c.command, longer), NET_ERR) << "trailing byte";
        if (!c.data.empty()) {
            longer.resize(c.data.size() - 1);
            EXPECT_EQ(n.control(c.type, c.command, longer), NET_ERR) << "cut short";
        }
        n.go_live({c.feature});
        EXPECT_EQ(n.control(c.type, c.command, c.data), NET_ERR) << int(c.type) << int(c.command);
    }
}

TEST(net_filter, modes)
{
    ROWS("NET-57", "NET-58", "NET-63");
    net_rig n;
    const struct {
        std::vector<uint8_t> on;
        const char *seen;
    } table[] = {
        {{}, "ob"},     {{0}, "oxgb"},   {{1}, "ogb"},     {{2}, "oxb"},          {{1, 2}, "oxgb"},
        {{3}, "ob"},    {{1, 3}, "ob"},  {{4}, "b"},       {{2, 4}, "b"},         {{5}, "o"},
        {{1, 5}, "og"}, {{3, 4, 5}, ""}, {{0, 5}, "oxgb"}, {{0, 3, 4, 5}, "oxgb"}};
    for (const auto &row : table) {
        n.go_live();
        for (const uint8_t mode : row.on)
            EXPECT_EQ(n.control(RX, mode, {1}), NET_OK);
        EXPECT_EQ(filter(n), row.seen);
        for (const uint8_t mode : row.on)
            EXPECT_EQ(n.control(RX, mode, {0}), NET_OK);
        EXPECT_EQ(filter(n), "ob") << "all off again";
    }
    EXPECT_EQ(n.control(RX, 0, {2}), NET_ERR);
    n.go_live({VMMIO_NET_F_CTRL_RX, VMMIO_NET_F_CTRL_RX_EXTRA});
    EXPECT_EQ(filter(n), "oxgb") << "who cannot ask for more gets all";
}

TEST(net_filter, address_tables)
{
    ROWS("NET-60", "NET-61", "NET-63", "NET-64");
    net_rig n;
    n.go_live();
    EXPECT_EQ(n.control(MAC, 0, le32(1) + other + le32(1) + group), NET_OK);
    EXPECT_EQ(filter(n), "oxgb");
    EXPECT_EQ(n.control(MAC, 0, le32(0) + le32(1) + group), NET_OK);
    EXPECT_EQ(filter(n), "ogb") << "replaced";

    for (const bytes &bad :
         {le32(0xffffffff) + le32(0), le32(0x2aaaaaab) + le32(0) + ours, le32(1) + other,
          le32(1) + other + le32(1), le32(0) + le32(2) + group, le32(0), bytes{0, 0, 0}, bytes{},
          le32(0) + le32(0) + bytes{0}, le32(2) + other + le32(0), le32(0) + le32(0xffffffff)})
        EXPECT_EQ(n.control(MAC, 0, bad), NET_ERR);
    EXPECT_EQ(filter(n), "ogb") << "unchanged by what was refused";

    n.go_live();
    EXPECT_EQ(filter(n), "ob") << "empty after a reset";
    bytes many = le32(65);
    for (unsigned i = 0; i < 65; i++)
        many = many + bytes{2, 2, 2, 2, 2, uint8_t(i)};
    EXPECT_EQ(n.control(MAC, 0, many + le32(0)), NET_OK);
    EXPECT_EQ(filter(n), "oxb") << "more than the filter holds: all of that sort";
}

TEST(net_filter, the_address_can_be_set)
{
    ROWS("NET-62");
    net_rig n;
    n.go_live();
    const uint32_t generation = n.r->read(VMMIO_REG_CONFIG_GENERATION);
    EXPECT_EQ(n.control(MAC, 1, other), NET_OK);
    EXPECT_EQ(n.mac(), other);
    EXPECT_NE(n.r->read(VMMIO_REG_CONFIG_GENERATION), generation);
    EXPECT_EQ(n.r->guest.interrupts() & 2, 0u) << "the driver's own change";
    EXPECT_EQ(filter(n), "xb");
    EXPECT_EQ(n.control(MAC, 1, group), NET_ERR);
    EXPECT_EQ(n.mac(), other);
}

/* What a driver sees at the moment that its command comes back (5.1.9.5.2.1, 5.1.9.5.4.2). */
TEST(net_control, a_command_is_carried_out_before_its_buffer_is_used)
{
    ROWS("NET-61", "NET-62", "NET-67");
    net_options options;
    options.mode = dma_mode::transaction;
    net_rig n(options);
    n.go_live();
    EXPECT_TRUE(vmmio_net_announce(&n.net));
    vmmio_device_config_changed(&n.r->device);
    n.post({200, 200, 200});
    const virtqueue &queue = n.r->queue(2);
    unsigned used = 0;
    std::function<void()> look;
    n.r->memory.on_transaction = [&](const dma_access &access) {
        const bool ring =
            access.address >= queue.device && access.address < queue.device + queue.device_bytes();
        if (access.write && ring && used++ == 0)
            look();
    };
    const auto command = [&](uint8_t type, uint8_t number, const bytes &data,
                             std::function<void()> what) {
        used = 0;
        look = std::move(what);
        EXPECT_EQ(n.control(type, number, data), NET_OK);
        EXPECT_GT(used, 0u) << "nobody has looked";
    };
    command(ANNOUNCE, 0, {}, [&] { EXPECT_EQ(n.field(6, 2), 1u); });
    command(MAC, 1, other, [&] { EXPECT_EQ(n.mac(), other); });
    const bytes wanted = plain_frame(60, group), unwanted = plain_frame(61, ours);
    command(MAC, 0, le32(0) + le32(1) + group, [&] {
        for (const bytes &frame : {wanted, unwanted})
            vmmio_net_receive(&n.net, nullptr, frame.data(), uint32_t(frame.size()));
    });
    n.r->memory.on_transaction = nullptr;
    n.r->run();
    EXPECT_EQ(n.take()->frame, wanted);
    EXPECT_FALSE(n.take().has_value());
}

TEST(net_filter, vlans)
{
    ROWS("NET-65", "NET-66");
    net_rig n;
    n.go_live({VMMIO_NET_F_CTRL_VLAN});
    EXPECT_TRUE(passes(n, tagged_frame(5)));
    n.go_live();
    EXPECT_FALSE(passes(n, tagged_frame(5))) << "the table starts empty";
    EXPECT_TRUE(passes(n, plain_frame(60)));
    for (const unsigned id : {0u, 5u, 4095u}) {
        EXPECT_EQ(n.control(VLAN, 0, le16(id)), NET_OK);
        EXPECT_TRUE(passes(n, tagged_frame(id)));
        EXPECT_FALSE(passes(n, tagged_frame((id + 1) % 4096)));
        EXPECT_EQ(n.control(VLAN, 1, le16(id)), NET_OK);
        EXPECT_FALSE(passes(n, tagged_frame(id)));
    }
    for (const unsigned id : {4096u, 0x8000u, 0xffffu}) {
        EXPECT_EQ(n.control(VLAN, 0, le16(id)), NET_ERR);
        EXPECT_EQ(n.control(VLAN, 1, le16(id)), NET_ERR);
    }
    EXPECT_EQ(n.control(VLAN, 0, le16(5)), NET_OK);
    n.go_live();
    EXPECT_FALSE(passes(n, tagged_frame(5))) << "and is empty after a reset";
}

TEST(net_announce, is_asked_for_and_acknowledged)
{
    ROWS("NET-67", "NET-12");
    net_rig n;
    n.go_live({VMMIO_NET_F_GUEST_ANNOUNCE});
    EXPECT_FALSE(vmmio_net_announce(&n.net));
    n.go_live();
    EXPECT_TRUE(vmmio_net_announce(&n.net));
    vmmio_device_config_changed(&n.r->device);
    EXPECT_EQ(n.r->guest.interrupts() & 2, 2u);
    EXPECT_EQ(n.field(6, 2), 3u);
    EXPECT_EQ(n.control(ANNOUNCE, 0), NET_OK);
    EXPECT_EQ(n.field(6, 2), 1u);
    EXPECT_TRUE(vmmio_net_announce(&n.net));
    vmmio_device_config_changed(&n.r->device);
    n.r->guest.reset();
    EXPECT_EQ(n.field(6, 2), 1u) << "a reset ends it";
}

TEST(net_pairs, only_the_first_receives_at_first)
{
    ROWS("NET-68");
    net_rig n(with_pairs(4));
    n.go_live();
    n.post(std::vector<uint32_t>(40, 200));
    for (unsigned pair = 0; pair < 4; pair++) {
        n.send(flow(pair), {}, pair);
        EXPECT_TRUE(n.arrive(answer_to(flow(pair))));
    }
    for (unsigned i = 0; i < 30; i++)
        EXPECT_TRUE(n.arrive(flow(100 + i)));
    EXPECT_EQ(n.rx(0).used_idx(), 34u);
}

TEST(net_pairs, flows_return_to_where_they_were_sent)
{
    ROWS("NET-70");
    net_rig n(with_pairs(4));
    n.go_live();
    EXPECT_EQ(n.control(MQ, 0, le16(4)), NET_OK);
    for (unsigned round = 0; round < 12; round++) {
        const unsigned pair = (round * 3 + round / 4) % 4;
        EXPECT_TRUE(n.send(flow(round), {}, pair));
        n.post({200}, pair);
        EXPECT_TRUE(n.arrive(answer_to(flow(round))));
        const auto got = n.take(pair);
        ASSERT_TRUE(got.has_value()) << round;
        EXPECT_EQ(got->frame, answer_to(flow(round)));
    }
    EXPECT_TRUE(n.send(flow(0), {}, 1)) << "the flow moves to another processor";
    n.post({200}, 1);
    EXPECT_TRUE(n.arrive(answer_to(flow(0))));
    EXPECT_TRUE(n.take(1).has_value());
}

TEST(net_pairs, no_frame_goes_above_the_number_that_was_set)
{
    ROWS("NET-69", "NET-73");
    net_rig n(with_pairs(4));
    n.go_live();
    for (unsigned pair = 0; pair < 4; pair++)
        n.post(std::vector<uint32_t>(60, 200), pair);
    EXPECT_EQ(n.control(MQ, 0, le16(4)), NET_OK);
    for (unsigned i = 0; i < 40; i++) {
        n.send(flow(i), {}, i % 4);
        EXPECT_TRUE(n.arrive(answer_to(flow(i))));
    }
    std::vector<uint16_t> before;
    for (unsigned pair = 0; pair < 4; pair++) {
        before.push_back(n.rx(pair).used_idx());
        EXPECT_GT(before.back(), 0u) << pair;
    }
    EXPECT_EQ(n.control(MQ, 0, le16(2)), NET_OK);
    for (const unsigned bad : {0u, 5u, 0x8001u, 0xffffu})
        EXPECT_EQ(n.control(MQ, 0, le16(bad)), NET_ERR);
    for (unsigned i = 0; i < 40; i++)
        EXPECT_TRUE(n.arrive(answer_to(flow(i))));
    EXPECT_EQ(n.rx(2).used_idx(), before[2]);
    EXPECT_EQ(n.rx(3).used_idx(), before[3]);
    EXPECT_EQ(n.rx(0).used_idx() + n.rx(1).used_idx(), before[0] + before[1] + 40);
}

TEST(net_pairs, a_queue_in_reset_gets_nothing)
{
    ROWS("NET-71", "NET-72");
    net_rig n(with_pairs(2));
    n.go_live();
    EXPECT_EQ(n.control(MQ, 0, le16(2)), NET_OK);
    for (unsigned pair = 0; pair < 2; pair++)
        n.post(std::vector<uint32_t>(60, 200), pair);
    for (unsigned i = 0; i < 20; i++) {
        EXPECT_TRUE(n.send(flow(i), {}, 1));
        EXPECT_TRUE(n.arrive(answer_to(flow(i))));
    }
    EXPECT_EQ(n.rx(1).used_idx(), 20u) << "where these flows belong";
    n.r->write_queue(2, VMMIO_REG_QUEUE_RESET, 1);
    for (unsigned i = 0; i < 20; i++)
        EXPECT_TRUE(n.arrive(answer_to(flow(i))));
    EXPECT_EQ(n.rx(0).used_idx(), 20u) << "the other queue is chosen";
    n.r->write_queue(0, VMMIO_REG_QUEUE_RESET, 1);
    for (unsigned i = 0; i < 20; i++)
        EXPECT_TRUE(n.arrive(answer_to(flow(i))));
    EXPECT_EQ(n.net.dropped, 20u);
    EXPECT_EQ(n.rx(0).used_idx(), 20u);
}

TEST(net_pairs, an_idle_queue_does_not_block_the_others)
{
    ROWS("NET-70");
    net_options options = with_pairs(2);
    options.frames = 4;
    net_rig n(options);
    n.go_live();
    EXPECT_EQ(n.control(MQ, 0, le16(2)), NET_OK);
    n.send(flow(1), {}, 0);
    n.send(flow(2), {}, 1);
    for (unsigned i = 0; i < 10; i++)
        EXPECT_TRUE(n.arrive(answer_to(flow(1)))) << "nobody has to wait for pair 0";
    EXPECT_EQ(n.net.dropped, 8u) << "it has its share of the backlog";
    n.post({200}, 1);
    EXPECT_TRUE(n.arrive(answer_to(flow(2))));
    EXPECT_TRUE(n.take(1).has_value());
}

TEST(net_suspend, frames_wait_and_the_link_is_told_afterwards)
{
    ROWS("SUSP-07", "NET-12");
    net_rig n;
    n.go_live();
    n.post({200, 200});
    n.r->guest.set_status(0x1f);
    EXPECT_EQ(n.r->guest.status(), 0x1bu) << "nothing is held";
    EXPECT_TRUE(n.arrive(plain_frame(60)));
    EXPECT_EQ(n.rx().used_idx(), 0u);
    vmmio_net_set_link(&n.net, false);
    vmmio_device_config_changed(&n.r->device);
    EXPECT_EQ(n.field(6, 2), 1u);
    n.r->guest.set_status(0x1f & ~0x10u);
    n.r->run();
    EXPECT_EQ(n.field(6, 2), 0u);
    EXPECT_EQ(n.take()->frame, plain_frame(60));
}

} // namespace vmmio::tb
