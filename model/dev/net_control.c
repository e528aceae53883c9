/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of the control queue (5.1.9.5): class, command, data, and a byte for the answer. */
#include "net_parts.h"

enum {
    COMMAND_BYTES = 2, /* class and command */
    ADDRESS_BYTES = 6,
    COUNT_BYTES = 4,
    VLAN_LIMIT = 4096,
};

/* Data of a command; all that is read is inside of it. */
struct command {
    struct vmmio_request *request;
    uint32_t length;
};

static bool read(const struct command *command, uint32_t offset, void *data, uint32_t length)
{
    return vmmio_request_read(command->request, COMMAND_BYTES + offset, data, length);
}

static bool read_all(const struct command *command, void *data, uint32_t length)
{
    return command->length == length && read(command, 0, data, length);
}

static bool set_mode(struct vmmio_net *net, const struct command *command, uint8_t which)
{
    const enum vmmio_net_feature needed =
        which <= VMMIO_NET_CTRL_RX_ALLMULTI ? VMMIO_NET_F_CTRL_RX : VMMIO_NET_F_CTRL_RX_EXTRA;
    uint8_t on;

    if (which > VMMIO_NET_CTRL_RX_NOBCAST || !vmmio_net_has(net, needed) || /* NET-59 */
        !read_all(command, &on, 1) || on > 1)
        return false;
    net->mode[which] = on;
    return true;
}

/* One table at offset; its length in bytes, or 0 if it reaches beyond the data (NET-64). */
static uint32_t read_table(const struct command *command, uint32_t offset,
                           struct vmmio_net_addresses *table)
{
    uint8_t count[COUNT_BYTES];

    if (offset > command->length || command->length - offset < COUNT_BYTES ||
        !read(command, offset, count, COUNT_BYTES))
        return 0;
    table->count = vmmio_le32(count);
    if (table->count > (command->length - offset - COUNT_BYTES) / ADDRESS_BYTES)
        return 0;
    if (table->count <= VMMIO_NET_FILTER_MAX && table->count &&
        !read(command, offset + COUNT_BYTES, table->address, table->count * ADDRESS_BYTES))
        return 0;
    return COUNT_BYTES + table->count * ADDRESS_BYTES;
}

static bool set_table(struct vmmio_net *net, const struct command *command)
{
    struct vmmio_net_addresses unicast, multicast;

    if (!vmmio_net_has(net, VMMIO_NET_F_CTRL_RX))
        return false;
    const uint32_t first = read_table(command, 0, &unicast);
    const uint32_t second = first ? read_table(command, first, &multicast) : 0;

    if (!second || first + second != command->length)
        return false;
    net->unicast = unicast;
    net->multicast = multicast;
    return true;
}

static bool set_address(struct vmmio_net *net, const struct command *command)
{
    uint8_t address[ADDRESS_BYTES];

    if (!vmmio_net_has(net, VMMIO_NET_F_CTRL_MAC_ADDR) ||
        !read_all(command, address, ADDRESS_BYTES) || address[0] & 1)
        return false;
    memcpy(net->config_bytes + VMMIO_NET_CONFIG_MAC, address, ADDRESS_BYTES);
    vmmio_engine_config_changed(command->request->engine, false); /* NET-62 */
    return true;
}

static bool set_vlan(struct vmmio_net *net, const struct command *command, uint8_t which)
{
    uint8_t bytes[2];

    if (which > VMMIO_NET_CTRL_VLAN_DEL || !vmmio_net_has(net, VMMIO_NET_F_CTRL_VLAN) ||
        !read_all(command, bytes, 2))
        return false;
    const uint32_t id = vmmio_le16(bytes);

    if (id >= VLAN_LIMIT)
        return false;
    const uint8_t bit = (uint8_t)(1u << id % 8);

    if (which == VMMIO_NET_CTRL_VLAN_ADD)
        net->vlans[id / 8] |= bit;
    else
        net->vlans[id / 8] &= (uint8_t)~bit;
    return true;
}

static bool acknowledge_announce(struct vmmio_net *net, const struct command *command)
{
    if (!vmmio_net_has(net, VMMIO_NET_F_GUEST_ANNOUNCE) || command->length)
        return false;
    net->config_bytes[VMMIO_NET_CONFIG_STATUS] &= (uint8_t)~VMMIO_NET_S_ANNOUNCE;
    vmmio_engine_config_changed(command->request->engine, false); /* NET-67 */
    return true;
}

static bool set_pairs(struct vmmio_net *net, const struct command *command)
{
    uint8_t bytes[2];

    if (!vmmio_net_has(net, VMMIO_NET_F_MQ) || !read_all(command, bytes, 2))
        return false;
    const uint16_t pairs = vmmio_le16(bytes);

    if (pairs == 0 || pairs > net->is.pairs) /* NET-73 */
        return false;
    net->active_pairs = pairs;
    for (uint16_t pair = pairs; pair < net->is.pairs; pair++) /* NET-69 */
        vmmio_net_drop_backlog(net, pair);
    return true;
}

static bool set_offloads(struct vmmio_net *net, const struct command *command)
{
    uint8_t bytes[8];

    if (!vmmio_net_has(net, VMMIO_NET_F_CTRL_GUEST_OFFLOADS) || !read_all(command, bytes, 8))
        return false;
    const uint64_t wanted = vmmio_le64(bytes);

    if (wanted & ~net->guest_mask) /* NET-78 */
        return false;
    vmmio_net_set_guest_offloads(net, wanted);
    return true;
}

static bool execute(struct vmmio_net *net, const struct command *command, const uint8_t *what)
{
    switch (what[0]) {
    case VMMIO_NET_CTRL_RX:
        return set_mode(net, command, what[1]);
    case VMMIO_NET_CTRL_MAC:
        return what[1] == VMMIO_NET_CTRL_MAC_TABLE_SET  ? set_table(net, command)
               : what[1] == VMMIO_NET_CTRL_MAC_ADDR_SET ? set_address(net, command)
                                                        : false;
    case VMMIO_NET_CTRL_VLAN:
        return set_vlan(net, command, what[1]);
    case VMMIO_NET_CTRL_ANNOUNCE:
        return what[1] == VMMIO_NET_CTRL_ANNOUNCE_ACK && acknowledge_announce(net, command);
    case VMMIO_NET_CTRL_MQ:
        return what[1] == VMMIO_NET_CTRL_MQ_VQ_PAIRS_SET && set_pairs(net, command);
    case VMMIO_NET_CTRL_GUEST_OFFLOADS:
        return what[1] == VMMIO_NET_CTRL_GUEST_OFFLOADS_SET && set_offloads(net, command);
    default:
        return false;
    }
}

void vmmio_net_control(struct vmmio_net *net, struct vmmio_request *request)
{
    uint8_t what[COMMAND_BYTES] = {0xff, 0xff};
    uint8_t answer = VMMIO_NET_ERR;

    if (request->writable_bytes == 0) { /* no place for an answer: do nothing (H-14) */
        vmmio_request_report(request, VMMIO_DIAG_REQUEST_SHORT, 0);
        vmmio_request_complete(request, 0);
        return;
    }
    if (vmmio_request_read(request, 0, what, COMMAND_BYTES)) {
        const struct command command = {request, request->readable_bytes - COMMAND_BYTES};

        if (execute(net, &command, what))
            answer = VMMIO_NET_OK;
    }
    if (answer != VMMIO_NET_OK)
        vmmio_request_report(request, VMMIO_DIAG_NET_CONTROL, (uint64_t)what[0] << 8 | what[1]);
    vmmio_request_complete(request, vmmio_request_write(request, 0, &answer, 1) ? 1 : 0);
}
