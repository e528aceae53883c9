/* SPDX-License-Identifier: Apache-2.0 */
/* Which received frames the driver wants, and on which of its queues (5.1.9.5.1 .. 5.1.9.5.6). */
#include "net_parts.h"

enum { ADDRESS_BYTES = 6, TAG_OFFSET = 14, VLAN_ID = 0xfff };

void vmmio_net_clear_filter(struct vmmio_net *net)
{
    memset(net->mode, 0, sizeof(net->mode));
    net->unicast.count = 0;
    net->multicast.count = 0;
    memset(net->vlans, 0, sizeof(net->vlans));
    memset(net->flows, 0, sizeof(net->flows));
}

static bool listed(const struct vmmio_net_addresses *list, const uint8_t *address)
{
    if (list->count > VMMIO_NET_FILTER_MAX)
        return true;
    for (uint32_t i = 0; i < list->count; i++)
        if (memcmp(list->address[i], address, ADDRESS_BYTES) == 0)
            return true;
    return false;
}

static bool wants_vlan(const struct vmmio_net *net, const uint8_t *frame, uint32_t length)
{
    if (!vmmio_net_has(net, VMMIO_NET_F_CTRL_VLAN) || length < TAG_OFFSET + 2 ||
        vmmio_be16(frame + 2 * ADDRESS_BYTES) != VMMIO_NET_TYPE_VLAN)
        return true;
    const unsigned id = vmmio_be16(frame + TAG_OFFSET) & VLAN_ID;

    return (net->vlans[id / 8] >> id % 8 & 1) != 0;
}

bool vmmio_net_wants(const struct vmmio_net *net, const uint8_t *frame, uint32_t length)
{
    static const uint8_t broadcast[ADDRESS_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    const uint8_t *mode = net->mode;

    if (mode[VMMIO_NET_CTRL_RX_PROMISC])
        return true;
    if (!wants_vlan(net, frame, length))
        return false;
    if (!vmmio_net_has(net, VMMIO_NET_F_CTRL_RX)) /* the driver has no way to say more */
        return true;
    if (memcmp(frame, broadcast, ADDRESS_BYTES) == 0)
        return !mode[VMMIO_NET_CTRL_RX_NOBCAST];
    if (frame[0] & 1)
        return !mode[VMMIO_NET_CTRL_RX_NOMULTI] &&
               (mode[VMMIO_NET_CTRL_RX_ALLMULTI] || listed(&net->multicast, frame));
    return !mode[VMMIO_NET_CTRL_RX_NOUNI] &&
           (mode[VMMIO_NET_CTRL_RX_ALLUNI] || listed(&net->unicast, frame) ||
            memcmp(frame, net->config_bytes + VMMIO_NET_CONFIG_MAC, ADDRESS_BYTES) == 0);
}

/* The same for both directions of a flow: addresses and ports of IP, else the addresses. */
static uint32_t hash_flow(const uint8_t *frame, uint32_t length)
{
    const struct vmmio_net_layer3 layer3 = vmmio_net_find_layer3(frame, length);
    const uint8_t *ip = frame + layer3.offset;
    uint32_t header = 0, addresses = 0, bytes = 0, hash = 0;
    uint8_t protocol = 0;

    if (layer3.type == VMMIO_NET_TYPE_IPV4 && layer3.offset + 20 <= length) {
        header = 4u * (ip[0] & 15u);
        addresses = 12;
        bytes = 8;
        protocol = vmmio_be16(ip + 6) & 0x3fff ? 0 : ip[9]; /* fragments go by address */
    } else if (layer3.type == VMMIO_NET_TYPE_IPV6 && layer3.offset + 40 <= length) {
        header = 40;
        addresses = 8;
        bytes = 32;
        protocol = ip[6];
    } else {
        ip = frame;
        bytes = 2 * ADDRESS_BYTES;
    }
    for (uint32_t i = 0; i < bytes; i += 2)
        hash += vmmio_be16(ip + addresses + i) * 0x9e37u;
    if ((protocol == 6 || protocol == 17) && layer3.offset + header + 4 <= length)
        hash += (uint32_t)vmmio_be16(ip + header) + vmmio_be16(ip + header + 2);
    hash *= 0x9e3779b1u;
    return hash >> 24;
}

void vmmio_net_learn_flow(struct vmmio_net *net, uint16_t pair, const uint8_t *frame,
                          uint32_t length)
{
    if (net->active_pairs > 1)
        net->flows[hash_flow(frame, length)] = (uint16_t)(pair + 1);
}

static bool usable(const struct vmmio_net *net, uint16_t pair)
{
    return vmmio_queue_usable(net->engine, 2u * pair);
}

uint16_t vmmio_net_pair_of_flow(const struct vmmio_net *net, const uint8_t *frame, uint32_t length)
{
    uint16_t pair = 0;

    if (net->active_pairs > 1) {
        const uint32_t hash = hash_flow(frame, length);
        const uint16_t known = net->flows[hash];

        if (known && known <= net->active_pairs)
            pair = (uint16_t)(known - 1);
        else
            pair = (uint16_t)(hash % net->active_pairs);
    }
    for (uint16_t i = 0; i < net->active_pairs && !usable(net, pair); i++) /* NET-71 */
        pair = (uint16_t)((pair + 1) % net->active_pairs);
    return pair;
}
