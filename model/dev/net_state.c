/* SPDX-License-Identifier: Apache-2.0 */
/* Save and restore of a network device: what the control queue set, and frames that wait. */
#include "net_parts.h"

#include "vmmio/state.h"

enum { MODES = 6, MAC_BYTES = 6, HEADER_FIELDS = 10 };

/* Besides the backlog. */
struct kept {
    bool started; /* had a turn since the last reset */
    bool link_up;
    uint32_t speed;
    uint8_t duplex;
    uint8_t mac[MAC_BYTES];
    bool announce;
    uint16_t active_pairs;
    uint32_t guest_offloads;
    uint8_t mode[MODES];
    struct vmmio_net_addresses unicast, multicast;
    uint8_t vlans[512];
    uint16_t flows[256];
};

/* Of a table that was too long only the length counts. */
static uint32_t listed(const struct vmmio_net_addresses *table)
{
    return table->count <= VMMIO_NET_FILTER_MAX ? table->count : 0;
}

static void visit_table(struct vmmio_net_addresses *table, struct vmmio_state *state)
{
    vmmio_state_u32(state, &table->count);
    vmmio_state_bytes(state, table->address, listed(table) * sizeof(table->address[0]));
}

static void visit(struct kept *kept, struct vmmio_state *state)
{
    vmmio_state_bool(state, &kept->started);
    vmmio_state_bool(state, &kept->link_up);
    vmmio_state_u32(state, &kept->speed);
    vmmio_state_u8(state, &kept->duplex);
    vmmio_state_bytes(state, kept->mac, sizeof(kept->mac));
    vmmio_state_bool(state, &kept->announce);
    vmmio_state_u16(state, &kept->active_pairs);
    vmmio_state_u32(state, &kept->guest_offloads);
    vmmio_state_bytes(state, kept->mode, sizeof(kept->mode));
    visit_table(&kept->unicast, state);
    visit_table(&kept->multicast, state);
    vmmio_state_bytes(state, kept->vlans, sizeof(kept->vlans));
    for (uint32_t i = 0; i < 256; i++)
        vmmio_state_u16(state, &kept->flows[i]);
}

static void save_frame(const struct vmmio_net_frame *frame, struct vmmio_state *state)
{
    uint8_t header[VMMIO_NET_HEADER_BYTES];
    uint32_t length = frame->length;

    vmmio_net_header_encode(&frame->header, 0, header);
    vmmio_state_put(state, header, HEADER_FIELDS);
    vmmio_state_u32(state, &length);
    vmmio_state_put(state, frame->bytes, length);
}

enum vmmio_error vmmio_net_save(const struct vmmio_function *function, struct vmmio_state *state)
{
    const struct vmmio_net *net = (const struct vmmio_net *)function;
    const uint8_t *config = net->config_bytes;
    struct kept kept = {.started = net->engine != NULL,
                        .link_up = net->link_up,
                        .speed = net->is.speed,
                        .duplex = net->is.duplex,
                        .announce = (config[VMMIO_NET_CONFIG_STATUS] & VMMIO_NET_S_ANNOUNCE) != 0,
                        .active_pairs = net->active_pairs,
                        .guest_offloads = net->guest_offloads,
                        .unicast = net->unicast,
                        .multicast = net->multicast};

    memcpy(kept.mac, config + VMMIO_NET_CONFIG_MAC, sizeof(kept.mac));
    memcpy(kept.mode, net->mode, sizeof(kept.mode));
    memcpy(kept.vlans, net->vlans, sizeof(kept.vlans));
    memcpy(kept.flows, net->flows, sizeof(kept.flows));
    visit(&kept, state);
    for (uint16_t pair = 0; pair < net->is.pairs; pair++) {
        uint32_t count = net->backlog[pair].count;

        vmmio_state_u32(state, &count);
        for (struct vmmio_net_frame *f = net->backlog[pair].first; f; f = f->next)
            save_frame(f, state);
    }
    return VMMIO_ERROR_OK;
}

static bool possible(const struct vmmio_net *net, const struct kept *kept,
                     const struct vmmio_features *negotiated)
{
    static const struct vmmio_features none;
    const struct vmmio_features *with = negotiated ? negotiated : &none;
    const uint64_t bits = with->word[0] | (uint64_t)with->word[1] << 32;
    const uint16_t most = vmmio_features_has(with, VMMIO_NET_F_MQ) ? net->is.pairs : 1;

    for (uint32_t i = 0; i < MODES; i++)
        if (kept->mode[i] > 1)
            return false;
    for (uint32_t i = 0; i < 256; i++)
        if (kept->flows[i] > net->is.pairs)
            return false;
    return vmmio_net_either_tso(with) && kept->active_pairs >= 1 && kept->active_pairs <= most &&
           !(kept->guest_offloads & ~vmmio_net_offloads_of(bits)) && !(kept->mac[0] & 1) &&
           vmmio_net_speed_fits(kept->speed, kept->duplex);
}

static void take_over(struct vmmio_net *net, const struct kept *kept, struct vmmio_engine *engine)
{
    uint8_t *config = net->config_bytes;

    net->engine = kept->started ? engine : NULL;
    net->link_up = kept->link_up;
    net->is.speed = kept->speed;
    net->is.duplex = kept->duplex;
    net->active_pairs = kept->active_pairs;
    net->unicast = kept->unicast;
    net->multicast = kept->multicast;
    memcpy(net->mode, kept->mode, sizeof(net->mode));
    memcpy(net->vlans, kept->vlans, sizeof(net->vlans));
    memcpy(net->flows, kept->flows, sizeof(net->flows));
    memcpy(config + VMMIO_NET_CONFIG_MAC, kept->mac, sizeof(kept->mac));
    if (kept->announce)
        config[VMMIO_NET_CONFIG_STATUS] |= VMMIO_NET_S_ANNOUNCE;
    vmmio_net_show_link(net);
    vmmio_net_use_guest_offloads(net, kept->guest_offloads);
}

/* One frame of the backlog, which is empty before. */
static bool restore_frame(struct vmmio_net *net, uint16_t pair, struct vmmio_state *state)
{
    const uint8_t *fields = vmmio_state_view(state, HEADER_FIELDS);
    uint8_t header[VMMIO_NET_HEADER_BYTES] = {0};
    uint32_t length;

    vmmio_state_u32(state, &length);
    const uint8_t *bytes = vmmio_state_view(state, length);

    if (!fields || !bytes || length < VMMIO_NET_FRAME_MIN || length > VMMIO_NET_FRAME_MAX)
        return false;
    memcpy(header, fields, HEADER_FIELDS);
    const struct vmmio_net_header decoded = vmmio_net_header_decode(header);

    if (!vmmio_net_header_fits(&decoded, length))
        return false;
    if (state->commit) {
        struct vmmio_net_frame *frame = vmmio_net_append(net, pair);

        frame->header = decoded;
        frame->length = length;
        memcpy(frame->bytes, bytes, length);
    }
    return true;
}

enum vmmio_error vmmio_net_restore(struct vmmio_function *function, struct vmmio_state *state)
{
    struct vmmio_net *net = (struct vmmio_net *)function;
    struct kept kept = {.started = false};
    uint32_t room = net->is.frame_count;

    visit(&kept, state);
    if (!possible(net, &kept, state->negotiated))
        return VMMIO_ERROR_STATE_INVALID;
    if (state->commit)
        take_over(net, &kept, state->engine);
    for (uint16_t pair = 0; pair < net->is.pairs; pair++) {
        uint32_t count;

        vmmio_state_u32(state, &count);
        if (count > room) /* more than it has frame structs for */
            return VMMIO_ERROR_STATE_DEVICE;
        room -= count;
        for (; count; count--)
            if (!restore_frame(net, pair, state))
                return VMMIO_ERROR_STATE_INVALID;
    }
    return VMMIO_ERROR_OK;
}
