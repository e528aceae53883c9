/* SPDX-License-Identifier: Apache-2.0 */
/* The network device's identity, features and configuration. */
#include "net_rig.h"

#include <algorithm>
#include <tuple>

namespace vmmio::tb
{

namespace
{

/* What QueueReady reads after the driver has tried. */
uint32_t can_enable(net_rig &n, uint32_t index)
{
    const virtqueue queue = n.r->make_queue(16);
    n.r->guest.enable_queue(index, queue);
    return n.r->read_queue(index, VMMIO_REG_QUEUE_READY);
}

constexpr uint32_t every_offload = VMMIO_NET_OFFLOAD_CSUM | VMMIO_NET_OFFLOAD_TSO4 |
                                   VMMIO_NET_OFFLOAD_TSO6 | VMMIO_NET_OFFLOAD_ECN |
                                   VMMIO_NET_OFFLOAD_USO;

} // namespace

TEST(net_config, device_id_and_queues)
{
    ROWS("NET-01", "NET-02");
    net_rig n;
    EXPECT_EQ(n.r->read(VMMIO_REG_DEVICE_ID), 1u);
    n.go_live();
    EXPECT_EQ(n.control(0, 0, {1}), 0u) << "without MQ the control queue is number 2";

    net_rig m(with_pairs(4));
    m.go_live();
    EXPECT_EQ(m.control_queue, 8u);
    EXPECT_EQ(m.control(4, 0, le16(4)), 0u) << "with MQ and 4 pairs it is number 8";
    m.go_live({VMMIO_NET_F_MQ});
    EXPECT_EQ(can_enable(m, 3), 0u) << "there is no such queue";
    EXPECT_EQ(m.control_queue, 2u);
    EXPECT_EQ(m.control(0, 0, {1}), 0u) << "MQ declined: number 2 again";
}

TEST(net_config, no_control_queue_without_its_feature)
{
    ROWS("NET-02");
    net_rig n;
    n.go_live({}, 2);
    EXPECT_EQ(can_enable(n, 2), 1u);
    n.go_live({VMMIO_NET_F_CTRL_VQ, VMMIO_NET_F_CTRL_RX, VMMIO_NET_F_CTRL_VLAN,
               VMMIO_NET_F_GUEST_ANNOUNCE, VMMIO_NET_F_CTRL_MAC_ADDR},
              2);
    EXPECT_EQ(can_enable(n, 2), 0u) << "there is no such queue";

    net_options options;
    options.config.withheld = 1ull << VMMIO_NET_F_CTRL_VQ;
    net_rig without(options);
    EXPECT_EQ(without.net.function.queue_count, 2u);
}

TEST(net_config, feature_numbers)
{
    ROWS("NET-03", "NET-04", "NET-05");
    /* 5.1.3; the first of each pair is the text's. */
    const std::pair<unsigned, unsigned> numbers[] = {{0, VMMIO_NET_F_CSUM},
                                                     {1, VMMIO_NET_F_GUEST_CSUM},
                                                     {2, VMMIO_NET_F_CTRL_GUEST_OFFLOADS},
                                                     {3, VMMIO_NET_F_MTU},
                                                     {5, VMMIO_NET_F_MAC},
                                                     {7, VMMIO_NET_F_GUEST_TSO4},
                                                     {8, VMMIO_NET_F_GUEST_TSO6},
                                                     {9, VMMIO_NET_F_GUEST_ECN},
                                                     {10, VMMIO_NET_F_GUEST_UFO},
                                                     {11, VMMIO_NET_F_HOST_TSO4},
                                                     {12, VMMIO_NET_F_HOST_TSO6},
                                                     {13, VMMIO_NET_F_HOST_ECN},
                                                     {14, VMMIO_NET_F_HOST_UFO},
                                                     {15, VMMIO_NET_F_MRG_RXBUF},
                                                     {16, VMMIO_NET_F_STATUS},
                                                     {17, VMMIO_NET_F_CTRL_VQ},
                                                     {18, VMMIO_NET_F_CTRL_RX},
                                                     {19, VMMIO_NET_F_CTRL_VLAN},
                                                     {20, VMMIO_NET_F_CTRL_RX_EXTRA},
                                                     {21, VMMIO_NET_F_GUEST_ANNOUNCE},
                                                     {22, VMMIO_NET_F_MQ},
                                                     {23, VMMIO_NET_F_CTRL_MAC_ADDR},
                                                     {50, VMMIO_NET_F_DEVICE_STATS},
                                                     {51, VMMIO_NET_F_HASH_TUNNEL},
                                                     {52, VMMIO_NET_F_VQ_NOTF_COAL},
                                                     {53, VMMIO_NET_F_NOTF_COAL},
                                                     {54, VMMIO_NET_F_GUEST_USO4},
                                                     {55, VMMIO_NET_F_GUEST_USO6},
                                                     {56, VMMIO_NET_F_HOST_USO},
                                                     {57, VMMIO_NET_F_HASH_REPORT},
                                                     {59, VMMIO_NET_F_GUEST_HDRLEN},
                                                     {60, VMMIO_NET_F_RSS},
                                                     {61, VMMIO_NET_F_RSC_EXT},
                                                     {62, VMMIO_NET_F_STANDBY},
                                                     {63, VMMIO_NET_F_SPEED_DUPLEX},
                                                     {64, VMMIO_NET_F_RSS_CONTEXT},
                                                     {65, VMMIO_NET_F_GUEST_UDP_TUNNEL_GSO},
                                                     {66, VMMIO_NET_F_GUEST_UDP_TUNNEL_CSUM},
                                                     {67, VMMIO_NET_F_HOST_UDP_TUNNEL_GSO},
                                                     {68, VMMIO_NET_F_HOST_UDP_TUNNEL_CSUM},
                                                     {69, VMMIO_NET_F_OUT_NET_HEADER},
                                                     {70, VMMIO_NET_F_IPSEC}};
    for (const auto &[text, ours] : numbers)
        EXPECT_EQ(text, ours);

    net_options all = with_pairs(2);
    all.config.mtu = 1500;
    all.config.speed = 1000;
    all.config.backend.gives = every_offload;
    net_rig n(all);
    const vmmio_features offered = n.r->guest.offered();
    const std::vector<unsigned> never = {10, 14, 50, 51, 52, 53, 57, 59, 60,
                                         61, 62, 64, 65, 66, 67, 68, 69, 70};
    for (const auto &[text, ours] : numbers)
        EXPECT_EQ(vmmio_features_has(&offered, text),
                  std::find(never.begin(), never.end(), ours) == never.end())
            << text;
}

TEST(net_config, what_is_offered_is_closed_and_what_is_accepted_must_be)
{
    ROWS("NET-06", "NET-07", "NET-08", "NET-23");
    const std::pair<unsigned, unsigned> needs[] = {{7, 1},   {8, 1},   {11, 0},  {12, 0},
                                                   {18, 17}, {19, 17}, {21, 17}, {22, 17},
                                                   {23, 17}, {54, 1},  {55, 1},  {56, 0}};
    net_options all = with_pairs(2);
    all.config.backend.gives = every_offload;
    net_rig n(all);
    for (const auto &[bit, needed] : needs) {
        EXPECT_TRUE(n.r->guest.negotiate(feature_set({VMMIO_F_VERSION_1, bit, needed}))) << bit;
        EXPECT_FALSE(n.r->guest.negotiate(feature_set({VMMIO_F_VERSION_1, bit}))) << bit;
    }
    for (const auto &[ecn, csum, tso] :
         {std::tuple(9u, 1u, 7u), {9u, 1u, 8u}, {13u, 0u, 11u}, {13u, 0u, 12u}}) {
        EXPECT_TRUE(n.r->guest.negotiate(feature_set({VMMIO_F_VERSION_1, ecn, csum, tso})));
        EXPECT_FALSE(n.r->guest.negotiate(feature_set({VMMIO_F_VERSION_1, ecn, csum})));
    }

    for (const unsigned gone : {0u, 1u, 17u}) {
        net_options options;
        options.config.backend.gives = every_offload;
        options.config.withheld = 1ull << gone;
        net_rig less(options);
        const vmmio_features offered = less.r->guest.offered();
        for (const auto &[bit, needed] : needs)
            EXPECT_FALSE(vmmio_features_has(&offered, bit) && !vmmio_features_has(&offered, needed))
                << bit << " without " << needed;
        EXPECT_FALSE(gone == 17 && vmmio_features_has(&offered, VMMIO_NET_F_CTRL_RX_EXTRA));
        EXPECT_FALSE(gone == 0 && vmmio_features_has(&offered, VMMIO_NET_F_HOST_ECN));
        EXPECT_FALSE(gone == 1 && vmmio_features_has(&offered, VMMIO_NET_F_GUEST_ECN));
    }
}

TEST(net_config, guest_segments_are_offered_only_if_the_back_end_gives_them)
{
    ROWS("NET-49", "NET-06");
    net_rig n;
    const vmmio_features offered = n.r->guest.offered();
    for (const unsigned bit : {7u, 8u, 9u, 54u, 55u})
        EXPECT_FALSE(vmmio_features_has(&offered, bit)) << bit;
    EXPECT_TRUE(vmmio_features_has(&offered, VMMIO_NET_F_GUEST_CSUM));
}

TEST(net_config, fields_at_their_offsets)
{
    ROWS("NET-09", "NET-13", "NET-20");
    net_options options = with_pairs(4);
    const uint8_t mac[6] = {2, 3, 4, 5, 6, 7};
    std::copy(mac, mac + 6, options.config.mac);
    options.config.mtu = 1400;
    options.config.speed = 0x7fffffff;
    options.config.duplex = 1;
    net_rig n(options);
    EXPECT_EQ(n.mac(), (bytes{2, 3, 4, 5, 6, 7}));
    EXPECT_EQ(n.field(6, 2), 1u);
    EXPECT_EQ(n.field(8, 2), 4u);
    EXPECT_EQ(n.field(10, 2), 1400u);
    EXPECT_EQ(n.field(12, 4), 0x7fffffffu);
    EXPECT_EQ(n.field(16, 1), 1u) << "full duplex";
    EXPECT_EQ(n.field(20, 4), 0u);

    net_rig plain;
    EXPECT_EQ(plain.field(8, 2), 0u) << "no field without its feature";
    EXPECT_EQ(plain.field(10, 2), 0u);
    EXPECT_EQ(plain.field(12, 4), 0u);
}

TEST(net_config, the_driver_writes_nothing)
{
    ROWS("NET-11", "NET-24");
    net_rig n(with_pairs(2));
    n.go_live();
    for (uint32_t offset = 0; offset < VMMIO_NET_CONFIG_BYTES; offset++) {
        const uint32_t before = n.field(offset, 1);
        n.r->write(0x100 + offset, ~before & 0xff, 1);
        EXPECT_EQ(n.field(offset, 1), before) << offset;
    }
    EXPECT_EQ(n.r->count(VMMIO_DIAG_CONFIG_READ_ONLY), size_t(VMMIO_NET_CONFIG_BYTES));
}

TEST(net_config, link_changes_at_run_time)
{
    ROWS("NET-12", "NET-21");
    net_options options;
    options.config.speed = 100;
    net_rig n(options);
    n.go_live();
    EXPECT_FALSE(vmmio_net_set_speed(&n.net, 1000, 1)) << "constant while the link is up";
    const uint32_t generation = n.r->read(VMMIO_REG_CONFIG_GENERATION);
    vmmio_net_set_link(&n.net, false);
    vmmio_device_config_changed(&n.r->device);
    EXPECT_EQ(n.field(6, 2), 0u);
    EXPECT_EQ(n.r->guest.interrupts(), 2u);
    EXPECT_NE(n.r->read(VMMIO_REG_CONFIG_GENERATION), generation);
    n.r->guest.acknowledge(2);

    EXPECT_TRUE(n.send(plain_frame(60))) << "frames come back and go nowhere";
    EXPECT_TRUE(n.sent.empty());
    EXPECT_FALSE(n.pass(plain_frame(60)).has_value());
    EXPECT_TRUE(vmmio_net_set_speed(&n.net, 1000, 1));
    EXPECT_FALSE(vmmio_net_set_speed(&n.net, 0x80000000, 1));

    vmmio_net_set_link(&n.net, true);
    vmmio_device_config_changed(&n.r->device);
    EXPECT_EQ(n.field(6, 2), 1u);
    EXPECT_EQ(n.field(12, 4), 1000u);
    EXPECT_TRUE(n.arrive(plain_frame(60)));
    EXPECT_TRUE(n.take().has_value());
}

TEST(net_config, impossible_configurations_are_refused)
{
    ROWS("NET-14", "NET-15", "NET-20");
    static vmmio_net net;
    static vmmio_net_frame frame;
    vmmio_net_config good = {};
    good.backend.send = [](void *, const vmmio_net_header *, const uint8_t *, uint32_t) {
        return true;
    };
    good.frames = &frame;
    good.frame_count = 1;
    EXPECT_EQ(vmmio_net_init(&net, &good), VMMIO_ERROR_OK);
    const auto error_of = [&](auto change) {
        vmmio_net_config config = good;
        change(config);
        return vmmio_net_init(&net, &config);
    };
    EXPECT_EQ(vmmio_net_init(nullptr, &good), VMMIO_ERROR_NULL_ARGUMENT);
    EXPECT_EQ(vmmio_net_init(&net, nullptr), VMMIO_ERROR_NULL_ARGUMENT);
    EXPECT_EQ(error_of([](auto &c) { c.backend.send = nullptr; }), VMMIO_ERROR_NULL_ARGUMENT);
    EXPECT_EQ(error_of([](auto &c) { c.frames = nullptr; }), VMMIO_ERROR_NULL_ARGUMENT);
    EXPECT_EQ(error_of([](auto &c) { c.frame_count = 0; }), VMMIO_ERROR_NET_FRAMES);
    EXPECT_EQ(error_of([](auto &c) { c.mac[0] = 1; }), VMMIO_ERROR_NET_MAC);
    EXPECT_EQ(error_of([](auto &c) { c.pairs = 65; }), VMMIO_ERROR_NET_PAIRS);
    EXPECT_EQ(error_of([](auto &c) { c.pairs = 64; }), VMMIO_ERROR_OK);
    EXPECT_EQ(error_of([](auto &c) {
                  c.pairs = 2;
                  c.withheld = 1ull << VMMIO_NET_F_CTRL_VQ;
              }),
              VMMIO_ERROR_NET_PAIRS);
    EXPECT_EQ(error_of([](auto &c) { c.mtu = 67; }), VMMIO_ERROR_NET_MTU);
    EXPECT_EQ(error_of([](auto &c) { c.mtu = 68; }), VMMIO_ERROR_OK);
    EXPECT_EQ(error_of([](auto &c) { c.mtu = 65535; }), VMMIO_ERROR_OK);
    EXPECT_EQ(error_of([](auto &c) { c.speed = 0x80000000; }), VMMIO_ERROR_NET_SPEED);
    EXPECT_EQ(error_of([](auto &c) { c.speed = 0xffffffff; }), VMMIO_ERROR_OK);
    EXPECT_EQ(error_of([](auto &c) { c.duplex = 2; }), VMMIO_ERROR_NET_SPEED);
}

TEST(net_config, a_reset_restores_what_the_driver_changed)
{
    ROWS("NET-15", "NET-62");
    net_options options;
    options.config.mtu = 1280;
    net_rig n(options);
    n.go_live();
    const bytes before = n.mac();
    EXPECT_EQ(n.control(1, 1, {2, 9, 9, 9, 9, 9}), 0u);
    EXPECT_EQ(n.mac(), (bytes{2, 9, 9, 9, 9, 9}));
    n.r->guest.reset();
    EXPECT_EQ(n.mac(), before);
    EXPECT_EQ(n.field(10, 2), 1280u);
}

} // namespace vmmio::tb
