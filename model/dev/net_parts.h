/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file net_parts.h
 * What the files of the network device share.
 */
#ifndef VMMIO_MODEL_DEV_NET_PARTS_H
#define VMMIO_MODEL_DEV_NET_PARTS_H

#include "vmmio/dev/net.h"

#include "ring.h"

static inline bool vmmio_net_has(const struct vmmio_net *net, enum vmmio_net_feature bit)
{
    return vmmio_features_has(&net->negotiated, bit);
}

/* Legacy frames that are not merged come without the last field of the header (NET-L2). */
static inline uint32_t vmmio_net_header_bytes(const struct vmmio_net *net)
{
    return net->function.legacy && !vmmio_net_has(net, VMMIO_NET_F_MRG_RXBUF)
               ? VMMIO_NET_LEGACY_HEADER_BYTES
               : VMMIO_NET_HEADER_BYTES;
}

static inline uint16_t vmmio_be16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

static inline void vmmio_put_be16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

/* Where the network header of a frame starts, behind up to two tags, and what it is. */
struct vmmio_net_layer3 {
    uint16_t type;
    uint32_t offset;
};
struct vmmio_net_layer3 vmmio_net_find_layer3(const uint8_t *frame, uint32_t length);

enum vmmio_net_ethertype {
    VMMIO_NET_TYPE_IPV4 = 0x0800,
    VMMIO_NET_TYPE_VLAN = 0x8100,
    VMMIO_NET_TYPE_QINQ = 0x88a8,
    VMMIO_NET_TYPE_IPV6 = 0x86dd,
};

/* The offload that a header asks for besides the checksum: 0 for none, or unknown. */
uint32_t vmmio_net_gso_offload(const struct vmmio_net_header *header);

/* True if the header fits a frame of this length, so that the work can be done. */
bool vmmio_net_header_fits(const struct vmmio_net_header *header, uint32_t length);

/* Completes the checksum that header asks for; it fits. */
void vmmio_net_finish_checksum(const struct vmmio_net_header *header, uint8_t *frame,
                               uint32_t length);

/* Makes segments out of a frame that stays as it is. */
struct vmmio_net_cutter {
    const struct vmmio_net_header *header;
    const uint8_t *frame;
    uint32_t length;
    uint32_t network;   /* offset of the network header */
    uint32_t transport; /* offset of the transport header */
    uint32_t payload;   /* offset of the payload */
    uint32_t next;      /* offset of what is left of it */
    uint32_t index;     /* of the next segment */
    uint32_t count;     /* of segments */
    bool v6, udp;
};

/* False if that is no frame to be cut. */
bool vmmio_net_cut_start(struct vmmio_net_cutter *cutter, const struct vmmio_net_header *header,
                         const uint8_t *frame, uint32_t length);

/* The next segment, whole with its checksums, into segment; its length, 0 after the last one. */
uint32_t vmmio_net_cut_next(struct vmmio_net_cutter *cutter, uint8_t *segment);

/* True if the driver wants the frame. */
bool vmmio_net_wants(const struct vmmio_net *net, const uint8_t *frame, uint32_t length);
void vmmio_net_clear_filter(struct vmmio_net *net);

/* Flows: who sent last gets the answers. */
void vmmio_net_learn_flow(struct vmmio_net *net, uint16_t pair, const uint8_t *frame,
                          uint32_t length);
uint16_t vmmio_net_pair_of_flow(const struct vmmio_net *net, const uint8_t *frame, uint32_t length);

void vmmio_net_transmit(struct vmmio_net *net, struct vmmio_request *request);
void vmmio_net_control(struct vmmio_net *net, struct vmmio_request *request);
void vmmio_net_deliver(struct vmmio_net *net, uint16_t pair);
void vmmio_net_drop_backlog(struct vmmio_net *net, uint16_t pair);

/* True if a frame without GSO is longer than the negotiated MTU allows. */
bool vmmio_net_above_mtu(const struct vmmio_net *net, const uint8_t *frame, uint32_t length);

/* The next frame of a pair's backlog, to be filled in; there is a free one. */
struct vmmio_net_frame *vmmio_net_append(struct vmmio_net *net, uint16_t pair);

/* Puts link and speed into the config space (NET-12, NET-20). */
void vmmio_net_show_link(struct vmmio_net *net);

/* What the table of dependencies cannot say: ECN needs one of two (NET-06). */
bool vmmio_net_either_tso(const struct vmmio_features *features);
bool vmmio_net_speed_fits(uint32_t speed, uint8_t duplex);

/* net_state.c */
enum vmmio_error vmmio_net_save(const struct vmmio_function *function, struct vmmio_state *state);
enum vmmio_error vmmio_net_restore(struct vmmio_function *function, struct vmmio_state *state);

/* Tells the back end which offloads the driver takes from now on. */
void vmmio_net_set_guest_offloads(struct vmmio_net *net, uint64_t feature_bits);

/* The same as offloads: which of the driver's features stand for them. */
uint32_t vmmio_net_offloads_of(uint64_t feature_bits);
void vmmio_net_use_guest_offloads(struct vmmio_net *net, uint32_t offloads);

#endif
