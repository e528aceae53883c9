/* SPDX-License-Identifier: Apache-2.0 */
/* Frames from the driver: judged, finished as far as the back end asks for it, and sent. */
#include "net_parts.h"

static bool send(struct vmmio_net *net, const struct vmmio_net_header *header, const uint8_t *frame,
                 uint32_t length)
{
    const struct vmmio_net_backend *backend = &net->is.backend;
    const bool ok = net->link_up && backend->send(backend->context, header, frame, length);

    net->sent += ok;
    net->bytes_sent += ok ? length : 0;
    net->send_dropped += !ok;
    return ok;
}

/* True if the driver may ask for this kind of segmentation. */
static bool gso_negotiated(const struct vmmio_net *net, const struct vmmio_net_header *header)
{
    if (header->gso_type & VMMIO_NET_HDR_GSO_ECN && !vmmio_net_has(net, VMMIO_NET_F_HOST_ECN))
        return false;
    switch (vmmio_net_gso_offload(header)) {
    case VMMIO_NET_OFFLOAD_TSO4:
        return vmmio_net_has(net, VMMIO_NET_F_HOST_TSO4);
    case VMMIO_NET_OFFLOAD_TSO6:
        return vmmio_net_has(net, VMMIO_NET_F_HOST_TSO6);
    case VMMIO_NET_OFFLOAD_USO:
        return vmmio_net_has(net, VMMIO_NET_F_HOST_USO);
    default:
        return false;
    }
}

/* Takes out what has no meaning; false if what is left cannot be done. */
static bool judge_header(const struct vmmio_net *net, struct vmmio_net_header *header,
                         uint32_t length)
{
    header->flags &= VMMIO_NET_HDR_F_NEEDS_CSUM; /* NET-34, NET-37 */
    if (!vmmio_net_has(net, VMMIO_NET_F_CSUM))
        header->flags = 0;
    if (!header->flags) { /* NET-38 */
        header->csum_start = 0;
        header->csum_offset = 0;
    }
    if (header->gso_type == VMMIO_NET_HDR_GSO_NONE) {
        header->gso_size = 0;
        header->hdr_len = 0;
    } else if (!gso_negotiated(net, header)) {
        return false;
    }
    return vmmio_net_header_fits(header, length);
}

static bool takes(const struct vmmio_net *net, const struct vmmio_net_header *header)
{
    uint32_t needed = vmmio_net_gso_offload(header);

    if (header->flags)
        needed |= VMMIO_NET_OFFLOAD_CSUM;
    if (header->gso_type & VMMIO_NET_HDR_GSO_ECN)
        needed |= VMMIO_NET_OFFLOAD_ECN;
    return (needed & ~net->is.backend.takes) == 0;
}

/* False if the frame cannot be cut into what its header says. */
static bool send_frame(struct vmmio_net *net, struct vmmio_net_header *header, uint32_t length)
{
    static const struct vmmio_net_header nothing;
    struct vmmio_net_cutter cutter;
    uint32_t bytes;

    if (header->gso_type != VMMIO_NET_HDR_GSO_NONE &&
        !vmmio_net_cut_start(&cutter, header, net->frame, length))
        return false;
    if (takes(net, header)) {
        if (header->gso_type != VMMIO_NET_HDR_GSO_NONE)
            header->hdr_len = (uint16_t)cutter.payload; /* the driver's is a hint (NET-39) */
        send(net, header, net->frame, length);
    } else if (header->gso_type == VMMIO_NET_HDR_GSO_NONE) {
        vmmio_net_finish_checksum(header, net->frame, length);
        send(net, &nothing, net->frame, length);
    } else {
        while ((bytes = vmmio_net_cut_next(&cutter, net->segment)))
            send(net, &nothing, net->segment, bytes);
    }
    return true;
}

bool vmmio_net_above_mtu(const struct vmmio_net *net, const uint8_t *frame, uint32_t length)
{
    const uint32_t layer2 = vmmio_net_find_layer3(frame, length).offset;

    return vmmio_net_has(net, VMMIO_NET_F_MTU) && length > (uint32_t)net->is.mtu + layer2;
}

static void drop(struct vmmio_net *net, struct vmmio_request *request, enum vmmio_diag_id id,
                 uint64_t value)
{
    net->send_dropped++;
    vmmio_request_report(request, id, value);
}

static void transmit(struct vmmio_net *net, struct vmmio_request *request)
{
    const uint32_t header_bytes = vmmio_net_header_bytes(net);
    uint8_t bytes[VMMIO_NET_HEADER_BYTES] = {0};

    if (request->readable_bytes < header_bytes + VMMIO_NET_FRAME_MIN ||
        request->readable_bytes > header_bytes + VMMIO_NET_FRAME_MAX) {
        drop(net, request, VMMIO_DIAG_NET_FRAME, request->readable_bytes);
        return;
    }
    const uint32_t length = request->readable_bytes - header_bytes;

    if (!vmmio_request_read(request, 0, bytes, header_bytes) ||
        !vmmio_request_read(request, header_bytes, net->frame, length))
        return;
    struct vmmio_net_header header = vmmio_net_header_decode(bytes);

    if (!judge_header(net, &header, length)) {
        drop(net, request, VMMIO_DIAG_NET_HEADER, (uint64_t)bytes[1] << 8 | bytes[0]);
        return;
    }
    if (header.gso_type == VMMIO_NET_HDR_GSO_NONE &&
        vmmio_net_above_mtu(net, net->frame, length)) { /* NET-26 */
        drop(net, request, VMMIO_DIAG_NET_FRAME, length);
        return;
    }
    vmmio_net_learn_flow(net, (uint16_t)(request->queue / 2), net->frame, length);
    if (!send_frame(net, &header, length))
        drop(net, request, VMMIO_DIAG_NET_HEADER, (uint64_t)bytes[1] << 8 | bytes[0]);
}

void vmmio_net_transmit(struct vmmio_net *net, struct vmmio_request *request)
{
    transmit(net, request);
    vmmio_request_complete(request, 0);
}
