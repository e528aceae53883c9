/* SPDX-License-Identifier: Apache-2.0 */
/* The network device's features, configuration and queues. */
#include "net_parts.h"

#define BIT(name) (1ull << VMMIO_NET_F_##name)

#define GUEST_OFFLOADS                                                                             \
    (BIT(GUEST_CSUM) | BIT(GUEST_TSO4) | BIT(GUEST_TSO6) | BIT(GUEST_ECN) | BIT(GUEST_USO4) |      \
     BIT(GUEST_USO6))

#define SPEED_UNKNOWN 0xffffffffu

/* NET-06, NET-07, NET-08; "one of two" is in vmmio_net_either_tso. */
static const struct vmmio_feature_dependency dependencies[] = {
    {VMMIO_NET_F_GUEST_TSO4, VMMIO_NET_F_GUEST_CSUM},
    {VMMIO_NET_F_GUEST_TSO6, VMMIO_NET_F_GUEST_CSUM},
    {VMMIO_NET_F_GUEST_USO4, VMMIO_NET_F_GUEST_CSUM},
    {VMMIO_NET_F_GUEST_USO6, VMMIO_NET_F_GUEST_CSUM},
    {VMMIO_NET_F_HOST_TSO4, VMMIO_NET_F_CSUM},
    {VMMIO_NET_F_HOST_TSO6, VMMIO_NET_F_CSUM},
    {VMMIO_NET_F_HOST_USO, VMMIO_NET_F_CSUM},
    {VMMIO_NET_F_CTRL_RX, VMMIO_NET_F_CTRL_VQ},
    {VMMIO_NET_F_CTRL_VLAN, VMMIO_NET_F_CTRL_VQ},
    {VMMIO_NET_F_GUEST_ANNOUNCE, VMMIO_NET_F_CTRL_VQ},
    {VMMIO_NET_F_MQ, VMMIO_NET_F_CTRL_VQ},
    {VMMIO_NET_F_CTRL_MAC_ADDR, VMMIO_NET_F_CTRL_VQ},
};

enum { DEPENDENCIES = sizeof(dependencies) / sizeof(dependencies[0]) };

bool vmmio_net_either_tso(const struct vmmio_features *features)
{
    const bool host = vmmio_features_has(features, VMMIO_NET_F_HOST_TSO4) ||
                      vmmio_features_has(features, VMMIO_NET_F_HOST_TSO6);
    const bool guest = vmmio_features_has(features, VMMIO_NET_F_GUEST_TSO4) ||
                       vmmio_features_has(features, VMMIO_NET_F_GUEST_TSO6);

    return (host || !vmmio_features_has(features, VMMIO_NET_F_HOST_ECN)) &&
           (guest || !vmmio_features_has(features, VMMIO_NET_F_GUEST_ECN));
}

static uint64_t word64(const struct vmmio_features *features)
{
    return features->word[0] | (uint64_t)features->word[1] << 32;
}

uint32_t vmmio_net_offloads_of(uint64_t bits)
{
    uint32_t offloads = 0;

    if (bits & BIT(GUEST_CSUM))
        offloads |= VMMIO_NET_OFFLOAD_CSUM;
    if (bits & BIT(GUEST_TSO4))
        offloads |= VMMIO_NET_OFFLOAD_TSO4;
    if (bits & BIT(GUEST_TSO6))
        offloads |= VMMIO_NET_OFFLOAD_TSO6;
    if (bits & BIT(GUEST_ECN))
        offloads |= VMMIO_NET_OFFLOAD_ECN;
    if (bits & BIT(GUEST_USO4) && bits & BIT(GUEST_USO6))
        offloads |= VMMIO_NET_OFFLOAD_USO;
    return offloads;
}

void vmmio_net_use_guest_offloads(struct vmmio_net *net, uint32_t offloads)
{
    net->guest_offloads = offloads;
    if (net->is.backend.welcome)
        net->is.backend.welcome(net->is.backend.context, offloads & net->is.backend.gives);
}

void vmmio_net_set_guest_offloads(struct vmmio_net *net, uint64_t bits)
{
    vmmio_net_use_guest_offloads(net, vmmio_net_offloads_of(bits));
}

/* The control queue, if there is one, comes next (NET-01). */
static uint32_t data_queues(const struct vmmio_net *net, const struct vmmio_features *negotiated)
{
    return vmmio_features_has(negotiated, VMMIO_NET_F_MQ) ? 2u * net->is.pairs : 2;
}

static uint32_t usable_queues(const struct vmmio_function *function,
                              const struct vmmio_features *negotiated)
{
    return data_queues((const struct vmmio_net *)function, negotiated) +
           vmmio_features_has(negotiated, VMMIO_NET_F_CTRL_VQ); /* NET-02 */
}

static bool turn(struct vmmio_function *function, struct vmmio_engine *engine, uint32_t queue)
{
    struct vmmio_net *net = (struct vmmio_net *)function;

    net->engine = engine;
    if (queue % 2 || queue >= data_queues(net, &net->negotiated))
        return false;
    vmmio_net_deliver(net, (uint16_t)(queue / 2));
    return true;
}

static void handle(struct vmmio_function *function, struct vmmio_request *request)
{
    struct vmmio_net *net = (struct vmmio_net *)function;

    if (request->queue < data_queues(net, &net->negotiated))
        vmmio_net_transmit(net, request);
    else
        vmmio_net_control(net, request);
}

static bool features_ok(struct vmmio_function *function, const struct vmmio_features *negotiated)
{
    struct vmmio_net *net = (struct vmmio_net *)function;

    if (!vmmio_net_either_tso(negotiated))
        return false;
    net->negotiated = *negotiated;
    net->guest_mask = word64(negotiated) & GUEST_OFFLOADS;
    vmmio_net_set_guest_offloads(net, net->guest_mask); /* NET-77 */
    return true;
}

void vmmio_net_show_link(struct vmmio_net *net)
{
    const struct vmmio_features *features = &net->function.features;

    net->config_bytes[VMMIO_NET_CONFIG_STATUS] &= (uint8_t)~VMMIO_NET_S_LINK_UP;
    if (net->link_up && vmmio_features_has(features, VMMIO_NET_F_STATUS))
        net->config_bytes[VMMIO_NET_CONFIG_STATUS] |= VMMIO_NET_S_LINK_UP;
    if (vmmio_features_has(features, VMMIO_NET_F_SPEED_DUPLEX)) {
        vmmio_put_le32(net->config_bytes + VMMIO_NET_CONFIG_SPEED, net->is.speed);
        net->config_bytes[VMMIO_NET_CONFIG_DUPLEX] = net->is.duplex;
    }
}

static void reset(struct vmmio_function *function)
{
    struct vmmio_net *net = (struct vmmio_net *)function;

    net->engine = NULL;
    net->negotiated = (struct vmmio_features){{0}};
    net->active_pairs = 1; /* NET-68 */
    net->guest_mask = 0;
    vmmio_net_set_guest_offloads(net, 0);
    vmmio_net_clear_filter(net); /* NET-60, NET-65 */
    memcpy(net->config_bytes + VMMIO_NET_CONFIG_MAC, net->is.mac, sizeof(net->is.mac));
    net->config_bytes[VMMIO_NET_CONFIG_STATUS] &= (uint8_t)~VMMIO_NET_S_ANNOUNCE;
    for (uint16_t pair = 0; pair < net->is.pairs; pair++)
        vmmio_net_drop_backlog(net, pair);
}

/* A legacy driver sets its address here, byte by byte if it likes (NET-L3). */
static bool config_write(struct vmmio_function *function, uint32_t offset, const uint8_t *data,
                         uint32_t length)
{
    struct vmmio_net *net = (struct vmmio_net *)function;

    if (!function->legacy || offset + length > VMMIO_NET_CONFIG_MAC + sizeof(net->is.mac))
        return false;
    if (offset == VMMIO_NET_CONFIG_MAC && data[0] & 1) /* no group's */
        return false;
    memcpy(net->config_bytes + offset, data, length);
    return true;
}

static const struct vmmio_function_type type = {
    .name = "net",
    .device_id = VMMIO_ID_NET,
    .dependencies = dependencies,
    .dependency_count = DEPENDENCIES,
    .handle = handle,
    .turn = turn,
    .features_ok = features_ok,
    .usable_queues = usable_queues,
    .reset = reset,
    .config_write = config_write,
    .save = vmmio_net_save,
    .restore = vmmio_net_restore,
};

void vmmio_net_set_link(struct vmmio_net *net, bool up)
{
    net->link_up = up;
    vmmio_net_show_link(net);
}

bool vmmio_net_announce(struct vmmio_net *net)
{
    if (!vmmio_net_has(net, VMMIO_NET_F_GUEST_ANNOUNCE) || !vmmio_net_has(net, VMMIO_NET_F_STATUS))
        return false;
    net->config_bytes[VMMIO_NET_CONFIG_STATUS] |= VMMIO_NET_S_ANNOUNCE;
    return true;
}

bool vmmio_net_speed_fits(uint32_t speed, uint8_t duplex)
{
    return (speed <= 0x7fffffff || speed == SPEED_UNKNOWN) && /* NET-20 */
           (duplex <= VMMIO_NET_DUPLEX_FULL || duplex == VMMIO_NET_DUPLEX_UNKNOWN);
}

bool vmmio_net_set_speed(struct vmmio_net *net, uint32_t speed, uint8_t duplex)
{
    if (net->link_up || !vmmio_net_speed_fits(speed, duplex))
        return false;
    net->is.speed = speed;
    net->is.duplex = duplex;
    vmmio_net_show_link(net);
    return true;
}

static void use_defaults(struct vmmio_net_config *is)
{
    static const uint8_t none[6], usual[6] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

    if (memcmp(is->mac, none, sizeof(none)) == 0)
        memcpy(is->mac, usual, sizeof(usual));
    if (is->pairs == 0)
        is->pairs = 1;
}

static enum vmmio_error check(const struct vmmio_net_config *is)
{
    if (is->frame_count == 0)
        return VMMIO_ERROR_NET_FRAMES;
    if (is->mac[0] & 1)
        return VMMIO_ERROR_NET_MAC;
    if (is->pairs > VMMIO_NET_PAIRS_MAX ||
        (is->pairs > 1 && is->withheld & (BIT(CTRL_VQ) | BIT(MQ))))
        return VMMIO_ERROR_NET_PAIRS;
    if (is->mtu && is->mtu < 68)
        return VMMIO_ERROR_NET_MTU;
    return vmmio_net_speed_fits(is->speed, is->duplex) ? VMMIO_ERROR_OK : VMMIO_ERROR_NET_SPEED;
}

static uint64_t guest_features(uint32_t gives)
{
    uint64_t bits = 0;

    if (!(gives & VMMIO_NET_OFFLOAD_CSUM))
        return 0;
    if (gives & VMMIO_NET_OFFLOAD_TSO4)
        bits |= BIT(GUEST_TSO4);
    if (gives & VMMIO_NET_OFFLOAD_TSO6)
        bits |= BIT(GUEST_TSO6);
    if (bits && gives & VMMIO_NET_OFFLOAD_ECN)
        bits |= BIT(GUEST_ECN);
    if (gives & VMMIO_NET_OFFLOAD_USO)
        bits |= BIT(GUEST_USO4) | BIT(GUEST_USO6);
    return bits;
}

static struct vmmio_features offered(const struct vmmio_net_config *is)
{
    uint64_t bits = BIT(CSUM) | BIT(GUEST_CSUM) | BIT(CTRL_GUEST_OFFLOADS) | BIT(MAC) |
                    BIT(HOST_TSO4) | BIT(HOST_TSO6) | BIT(HOST_ECN) | BIT(HOST_USO) |
                    BIT(MRG_RXBUF) | BIT(STATUS) | BIT(CTRL_VQ) | BIT(CTRL_RX) | BIT(CTRL_VLAN) |
                    BIT(CTRL_RX_EXTRA) | BIT(GUEST_ANNOUNCE) | BIT(CTRL_MAC_ADDR);

    bits |= guest_features(is->backend.gives);
    if (is->mtu)
        bits |= BIT(MTU);
    if (is->pairs > 1)
        bits |= BIT(MQ);
    if (is->speed)
        bits |= BIT(SPEED_DUPLEX);
    bits &= ~is->withheld;
    for (uint32_t i = 0; i < DEPENDENCIES; i++)
        if (!(bits >> dependencies[i].requires & 1))
            bits &= ~(1ull << dependencies[i].bit);
    if (!(bits & BIT(CTRL_VQ))) /* NET-23 */
        bits &= ~(BIT(CTRL_RX_EXTRA) | BIT(CTRL_GUEST_OFFLOADS));
    if (!(bits & (BIT(HOST_TSO4) | BIT(HOST_TSO6))))
        bits &= ~BIT(HOST_ECN);
    if (!(bits & (BIT(GUEST_TSO4) | BIT(GUEST_TSO6))))
        bits &= ~BIT(GUEST_ECN);
    return (struct vmmio_features){{(uint32_t)bits, (uint32_t)(bits >> 32)}};
}

/* A field without its feature reads 0. */
static void fill_config(struct vmmio_net *net)
{
    const struct vmmio_features *features = &net->function.features;

    memcpy(net->config_bytes + VMMIO_NET_CONFIG_MAC, net->is.mac, sizeof(net->is.mac));
    if (vmmio_features_has(features, VMMIO_NET_F_MQ))
        vmmio_put_le16(net->config_bytes + VMMIO_NET_CONFIG_MAX_VIRTQUEUE_PAIRS, net->is.pairs);
    if (vmmio_features_has(features, VMMIO_NET_F_MTU))
        vmmio_put_le16(net->config_bytes + VMMIO_NET_CONFIG_MTU, net->is.mtu);
    vmmio_net_show_link(net);
}

enum vmmio_error vmmio_net_init(struct vmmio_net *net, const struct vmmio_net_config *config)
{
    if (!net || !config || !config->backend.send || !config->frames)
        return VMMIO_ERROR_NULL_ARGUMENT;
    struct vmmio_net_config is = *config;

    use_defaults(&is);
    const enum vmmio_error error = check(&is);

    if (error != VMMIO_ERROR_OK)
        return error;
    memset(net, 0, sizeof(*net));
    net->is = is;
    net->link_up = !is.link_down;
    net->active_pairs = 1;
    net->function = (struct vmmio_function){.type = &type,
                                            .features = offered(&is),
                                            .queue_count = 2u * is.pairs,
                                            .config = net->config_bytes,
                                            .config_length = sizeof(net->config_bytes)};
    if (vmmio_features_has(&net->function.features, VMMIO_NET_F_CTRL_VQ))
        net->function.queue_count++;
    for (uint32_t i = is.frame_count; i > 0; i--) {
        is.frames[i - 1].next = net->free_frames;
        net->free_frames = &is.frames[i - 1];
    }
    net->free_count = is.frame_count;
    fill_config(net);
    return VMMIO_ERROR_OK;
}
