/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums and segmentation in software, for whoever cannot do it (NET-31 .. NET-39). */
#include "net_parts.h"

enum {
    ETHERTYPE_OFFSET = 12,
    TAG_BYTES = 4,
    IPV4_BYTES = 20,
    IPV6_BYTES = 40,
    TCP_BYTES = 20,
    TCP_CHECKSUM = 16,
    TCP_FLAGS = 13,
    TCP_FIN = 1,
    TCP_PSH = 8,
    TCP_CWR = 0x80,
    UDP_BYTES = 8,
    UDP_CHECKSUM = 6,
};

struct vmmio_net_header vmmio_net_header_decode(const uint8_t *bytes)
{
    return (struct vmmio_net_header){
        .flags = bytes[0],
        .gso_type = bytes[1],
        .hdr_len = vmmio_le16(bytes + 2),
        .gso_size = vmmio_le16(bytes + 4),
        .csum_start = vmmio_le16(bytes + 6),
        .csum_offset = vmmio_le16(bytes + 8), /* num_buffers is not looked at (NET-30) */
    };
}

void vmmio_net_header_encode(const struct vmmio_net_header *header, uint32_t buffers,
                             uint8_t *bytes)
{
    bytes[0] = header->flags;
    bytes[1] = header->gso_type;
    vmmio_put_le16(bytes + 2, header->hdr_len);
    vmmio_put_le16(bytes + 4, header->gso_size);
    vmmio_put_le16(bytes + 6, header->csum_start);
    vmmio_put_le16(bytes + 8, header->csum_offset);
    vmmio_put_le16(bytes + 10, (uint16_t)buffers);
}

struct vmmio_net_layer3 vmmio_net_find_layer3(const uint8_t *frame, uint32_t length)
{
    struct vmmio_net_layer3 found = {0, ETHERTYPE_OFFSET};

    for (unsigned tags = 0; tags <= 2 && found.offset + 2 <= length; tags++) {
        found.type = vmmio_be16(frame + found.offset);
        if (found.type != VMMIO_NET_TYPE_VLAN && found.type != VMMIO_NET_TYPE_QINQ)
            break;
        found.offset += TAG_BYTES;
    }
    found.offset += 2;
    return found;
}

uint32_t vmmio_net_gso_offload(const struct vmmio_net_header *header)
{
    switch (header->gso_type & ~VMMIO_NET_HDR_GSO_ECN) {
    case VMMIO_NET_HDR_GSO_TCPV4:
        return VMMIO_NET_OFFLOAD_TSO4;
    case VMMIO_NET_HDR_GSO_TCPV6:
        return VMMIO_NET_OFFLOAD_TSO6;
    case VMMIO_NET_HDR_GSO_UDP_L4:
        return VMMIO_NET_OFFLOAD_USO;
    default:
        return 0;
    }
}

bool vmmio_net_header_fits(const struct vmmio_net_header *header, uint32_t length)
{
    const bool sums = header->flags & VMMIO_NET_HDR_F_NEEDS_CSUM;

    if (sums && (uint32_t)header->csum_start + header->csum_offset + 2 > length) /* NET-33 */
        return false;
    if (header->gso_type == VMMIO_NET_HDR_GSO_NONE)
        return true;
    return sums && header->gso_size && vmmio_net_gso_offload(header); /* NET-32 */
}

/* One's complement sum of 16-bit words, the last one padded with 0. */
static uint64_t sum_up(uint64_t sum, const uint8_t *data, uint32_t length)
{
    uint32_t i = 0;

    for (; i + 1 < length; i += 2)
        sum += vmmio_be16(data + i);
    if (i < length)
        sum += (uint32_t)data[i] << 8;
    return sum;
}

static uint16_t fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* 0 would mean "no checksum" in UDP; both stand for the same number. */
static uint16_t finish(uint64_t sum)
{
    const uint16_t checksum = (uint16_t)~fold(sum);

    return checksum ? checksum : 0xffff;
}

void vmmio_net_finish_checksum(const struct vmmio_net_header *header, uint8_t *frame,
                               uint32_t length)
{
    const uint32_t start = header->csum_start;

    vmmio_put_be16(frame + start + header->csum_offset,
                   finish(sum_up(0, frame + start, length - start)));
}

/* The transport header lies where the checksum starts; all before it stays as it is. */
static bool find_payload(struct vmmio_net_cutter *cutter)
{
    const uint32_t at = cutter->transport;

    if (at + (cutter->udp ? UDP_BYTES : TCP_BYTES) > cutter->length)
        return false;
    if (cutter->udp) {
        cutter->payload = at + UDP_BYTES;
        return cutter->header->csum_offset == UDP_CHECKSUM;
    }
    const uint32_t header = 4u * (cutter->frame[at + 12] >> 4);

    cutter->payload = at + header;
    return header >= TCP_BYTES && cutter->payload <= cutter->length &&
           cutter->header->csum_offset == TCP_CHECKSUM;
}

static bool find_network(struct vmmio_net_cutter *cutter)
{
    const uint32_t wanted = vmmio_net_gso_offload(cutter->header);
    const struct vmmio_net_layer3 layer3 = vmmio_net_find_layer3(cutter->frame, cutter->length);

    cutter->network = layer3.offset;
    cutter->udp = wanted == VMMIO_NET_OFFLOAD_USO;
    cutter->v6 = layer3.type == VMMIO_NET_TYPE_IPV6;
    if (cutter->v6)
        return wanted != VMMIO_NET_OFFLOAD_TSO4 && layer3.offset + IPV6_BYTES <= cutter->transport;
    if (layer3.type != VMMIO_NET_TYPE_IPV4 || wanted == VMMIO_NET_OFFLOAD_TSO6 ||
        layer3.offset + IPV4_BYTES > cutter->transport || cutter->transport > cutter->length)
        return false;
    const uint32_t header = 4u * (cutter->frame[layer3.offset] & 15u);

    return header >= IPV4_BYTES && layer3.offset + header == cutter->transport;
}

bool vmmio_net_cut_start(struct vmmio_net_cutter *cutter, const struct vmmio_net_header *header,
                         const uint8_t *frame, uint32_t length)
{
    *cutter = (struct vmmio_net_cutter){
        .header = header, .frame = frame, .length = length, .transport = header->csum_start};
    if (!find_network(cutter) || !find_payload(cutter))
        return false;
    const uint32_t bytes = length - cutter->payload;

    cutter->next = cutter->payload;
    cutter->count = bytes ? (bytes + header->gso_size - 1) / header->gso_size : 1;
    return cutter->count <= VMMIO_NET_SEGMENTS_MAX;
}

/* The segment is on its own: its lengths, its number, and the IPv4 checksum. */
static void fix_network(const struct vmmio_net_cutter *cutter, uint8_t *segment, uint32_t length)
{
    uint8_t *ip = segment + cutter->network;
    const uint32_t header = cutter->transport - cutter->network;

    if (cutter->v6) {
        vmmio_put_be16(ip + 4, length - cutter->network - IPV6_BYTES);
        return;
    }
    vmmio_put_be16(ip + 2, length - cutter->network);
    vmmio_put_be16(ip + 4, vmmio_be16(ip + 4) + cutter->index);
    vmmio_put_be16(ip + 10, 0);
    vmmio_put_be16(ip + 10, (uint16_t)~fold(sum_up(0, ip, header)));
}

static void fix_tcp(const struct vmmio_net_cutter *cutter, uint8_t *tcp, bool last)
{
    const uint32_t sequence = ((uint32_t)vmmio_be16(tcp + 4) << 16 | vmmio_be16(tcp + 6)) +
                              (cutter->next - cutter->payload);

    vmmio_put_be16(tcp + 4, sequence >> 16);
    vmmio_put_be16(tcp + 6, sequence);
    if (!last)
        tcp[TCP_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    if (cutter->index)
        tcp[TCP_FLAGS] &= (uint8_t)~TCP_CWR; /* the sender reduced its window once */
}

uint32_t vmmio_net_cut_next(struct vmmio_net_cutter *cutter, uint8_t *segment)
{
    if (cutter->index == cutter->count)
        return 0;
    const uint32_t left = cutter->length - cutter->next;
    const uint32_t size = cutter->header->gso_size;
    const uint32_t bytes = left < size ? left : size;
    const uint32_t length = cutter->payload + bytes;
    const uint32_t whole = cutter->length - cutter->transport;
    const uint32_t part = length - cutter->transport;
    uint8_t *transport = segment + cutter->transport;
    uint8_t *field = transport + cutter->header->csum_offset;

    memcpy(segment, cutter->frame, cutter->payload);
    memcpy(segment + cutter->payload, cutter->frame + cutter->next, bytes);
    fix_network(cutter, segment, length);
    if (cutter->udp)
        vmmio_put_be16(transport + 4, part);
    else
        fix_tcp(cutter, transport, bytes == left);
    /* The field holds the pseudo header's sum with the length of the whole. */
    vmmio_put_be16(field, finish(sum_up((uint16_t)~whole + (uint64_t)part, transport, part)));
    cutter->next += bytes;
    cutter->index++;
    return length;
}
