/* SPDX-License-Identifier: Apache-2.0 */
/* Frames for the driver: finished as far as it asks for it, kept, and put into its buffers. */
#include "net_parts.h"

enum { FRAMES_A_TURN = 64 };

/* The backlog. */

static struct vmmio_net_frame *take_free(struct vmmio_net *net)
{
    struct vmmio_net_frame *frame = net->free_frames;

    net->free_frames = frame->next;
    net->free_count--;
    return frame;
}

static void give_back(struct vmmio_net *net, struct vmmio_net_frame *frame)
{
    frame->next = net->free_frames;
    net->free_frames = frame;
    net->free_count++;
}

struct vmmio_net_frame *vmmio_net_append(struct vmmio_net *net, uint16_t pair)
{
    struct vmmio_net_frame *frame = take_free(net);

    frame->next = NULL;
    if (net->backlog[pair].first)
        net->backlog[pair].last->next = frame;
    else
        net->backlog[pair].first = frame;
    net->backlog[pair].last = frame;
    net->backlog[pair].count++;
    return frame;
}

static void remove_first(struct vmmio_net *net, uint16_t pair)
{
    struct vmmio_net_frame *frame = net->backlog[pair].first;

    net->backlog[pair].first = frame->next;
    net->backlog[pair].count--;
    give_back(net, frame);
}

static void tell_of_room(struct vmmio_net *net)
{
    if (!net->starved)
        return;
    net->starved = false;
    if (net->is.backend.room)
        net->is.backend.room(net->is.backend.context);
}

void vmmio_net_drop_backlog(struct vmmio_net *net, uint16_t pair)
{
    while (net->backlog[pair].first) {
        remove_first(net, pair);
        net->dropped++;
    }
    tell_of_room(net);
}

/* Into guest memory. */

/* Buffers for one frame, the last one taken first. */
struct collection {
    struct vmmio_request *last;
    uint32_t count;
    uint64_t room;
};

/* The next buffer that is of any use; a driver gets others back as they are (NET-43). */
static struct vmmio_request *take_useful(struct vmmio_net *net, uint32_t queue, uint32_t least)
{
    for (;;) {
        struct vmmio_request *request = vmmio_queue_take(net->engine, queue);

        if (!request || request->writable_bytes >= least)
            return request;
        vmmio_request_report(request, VMMIO_DIAG_NET_BUFFER, request->writable_bytes);
        vmmio_request_complete(request, 0);
    }
}

static void collect(struct vmmio_net *net, uint32_t queue, uint64_t bytes, struct collection *c)
{
    const bool merge = vmmio_net_has(net, VMMIO_NET_F_MRG_RXBUF);
    const uint32_t least = vmmio_net_header_bytes(net) + (merge ? 0 : VMMIO_NET_FRAME_MIN);

    *c = (struct collection){NULL, 0, 0};
    while (c->room < bytes && (merge || c->count == 0)) {
        /* A used buffer cannot be followed by one that is put back. */
        struct vmmio_request *request =
            c->count ? vmmio_queue_take(net->engine, queue) : take_useful(net, queue, least);

        if (!request)
            return;
        request->next = c->last;
        c->last = request;
        c->count++;
        c->room += request->writable_bytes;
    }
}

static void put_back(struct collection *c)
{
    while (c->last) {
        struct vmmio_request *request = c->last;

        c->last = request->next;
        vmmio_request_return(request);
    }
}

static struct vmmio_request *in_order(struct collection *c)
{
    struct vmmio_request *first = NULL;

    while (c->last) {
        struct vmmio_request *request = c->last;

        c->last = request->next;
        request->next = first;
        first = request;
    }
    return first;
}

/* All is written before anything is used (NET-46), and the number of buffers is known (NET-44). */
static bool fill(struct vmmio_net *net, const struct vmmio_net_frame *frame, struct collection *c)
{
    const uint32_t header_bytes = vmmio_net_header_bytes(net);
    const uint32_t total = header_bytes + frame->length;
    struct vmmio_request *first = in_order(c);
    uint8_t header[VMMIO_NET_HEADER_BYTES];
    bool ok = true;
    uint32_t done = 0;

    vmmio_net_header_encode(&frame->header, c->count, header);
    for (struct vmmio_request *request = first; request && ok; request = request->next) {
        const uint32_t skip = request == first ? header_bytes : 0;
        const uint32_t room = request->writable_bytes - skip;
        const uint32_t left = frame->length - done;
        const uint32_t bytes = room < left ? room : left;

        ok = (skip == 0 || vmmio_request_write(request, 0, header, skip)) &&
             (bytes == 0 || vmmio_request_write(request, skip, frame->bytes + done, bytes));
        done += bytes;
    }
    for (uint32_t used = 0; first;) {
        struct vmmio_request *next = first->next;
        const uint32_t left = total - used;
        const uint32_t bytes = first->writable_bytes < left ? first->writable_bytes : left;

        vmmio_request_complete(first, ok ? bytes : 0);
        used += bytes;
        first = next;
    }
    net->received += ok;
    net->bytes_received += ok ? frame->length : 0;
    net->dropped += !ok;
    return ok;
}

/* False if the frame has to wait for buffers. */
static bool deliver_first(struct vmmio_net *net, uint16_t pair)
{
    const struct vmmio_net_frame *frame = net->backlog[pair].first;
    const uint64_t bytes = (uint64_t)vmmio_net_header_bytes(net) + frame->length;
    struct collection c;

    collect(net, 2u * pair, bytes, &c);
    if (c.count == 0)
        return false;
    if (c.room < bytes) { /* to wait for more could be for ever */
        vmmio_request_report(c.last, VMMIO_DIAG_NET_ROOM, frame->length);
        put_back(&c);
        net->dropped++;
    } else {
        fill(net, frame, &c);
    }
    if (net->backlog[pair].first == frame) /* no reset came in between */
        remove_first(net, pair);
    return true;
}

void vmmio_net_deliver(struct vmmio_net *net, uint16_t pair)
{
    for (uint32_t i = 0; net->backlog[pair].first; i++) {
        if (i == FRAMES_A_TURN) {
            vmmio_queue_wake(net->engine, 2u * pair);
            break;
        }
        if (!deliver_first(net, pair))
            break;
    }
    if (net->free_count)
        tell_of_room(net);
}

/* From the back end. */

/* True if the driver takes what is left to do. */
static bool acceptable(const struct vmmio_net *net, const struct vmmio_net_header *header)
{
    uint32_t needed = vmmio_net_gso_offload(header);

    if (header->flags)
        needed |= VMMIO_NET_OFFLOAD_CSUM;
    if (header->gso_type & VMMIO_NET_HDR_GSO_ECN)
        needed |= VMMIO_NET_OFFLOAD_ECN; /* NET-53 */
    if (needed & VMMIO_NET_OFFLOAD_USO &&
        !(vmmio_net_has(net, VMMIO_NET_F_GUEST_USO4) && vmmio_net_has(net, VMMIO_NET_F_GUEST_USO6)))
        return false;
    return (needed & ~net->guest_offloads) == 0;
}

/* At most its share of the backlog for one queue, so that a driver's idle one blocks no other. */
static bool has_room(struct vmmio_net *net, uint16_t pair, uint32_t frames)
{
    const uint32_t share = net->is.frame_count / net->active_pairs;

    return net->free_count >= frames && net->backlog[pair].count + frames <= (share ? share : 1);
}

static void keep(struct vmmio_net *net, uint16_t pair, const struct vmmio_net_header *header,
                 const uint8_t *bytes, uint32_t length)
{
    struct vmmio_net_frame *frame = vmmio_net_append(net, pair);

    frame->header = *header;
    frame->length = length;
    memcpy(frame->bytes, bytes, length);
}

static void keep_segments(struct vmmio_net *net, uint16_t pair, struct vmmio_net_cutter *cutter)
{
    static const struct vmmio_net_header nothing;

    for (;;) {
        if (cutter->index == cutter->count)
            return;
        struct vmmio_net_frame *frame = vmmio_net_append(net, pair);

        frame->header = nothing;
        frame->length = vmmio_net_cut_next(cutter, frame->bytes);
    }
}

/* One frame, or its segments, into the backlog; false: there is no room now. */
static bool store(struct vmmio_net *net, uint16_t pair, const struct vmmio_net_header *header,
                  const uint8_t *bytes, uint32_t length)
{
    const bool whole = acceptable(net, header);
    struct vmmio_net_cutter cutter = {.count = 1};

    if (header->gso_type != VMMIO_NET_HDR_GSO_NONE &&
        !vmmio_net_cut_start(&cutter, header, bytes, length)) {
        net->dropped++;
        return true;
    }
    const uint32_t frames = whole ? 1 : cutter.count;

    if (frames > net->is.frame_count / net->active_pairs) { /* it will never fit */
        if (frames > 1) {
            net->dropped++;
            return true;
        }
    }
    if (!has_room(net, pair, frames)) {
        if (net->active_pairs > 1 && net->free_count >= frames) { /* only this queue is full */
            net->dropped++;
            return true;
        }
        net->starved = true;
        return false;
    }
    if (whole || header->gso_type == VMMIO_NET_HDR_GSO_NONE) {
        struct vmmio_net_header rest = *header;

        if (!whole)
            rest = (struct vmmio_net_header){0};
        else if (header->gso_type != VMMIO_NET_HDR_GSO_NONE)
            rest.hdr_len = (uint16_t)cutter.payload;
        keep(net, pair, &rest, bytes, length);
        if (!whole) /* NET-48 */
            vmmio_net_finish_checksum(header, net->backlog[pair].last->bytes, length);
    } else {
        keep_segments(net, pair, &cutter);
    }
    return true;
}

/* True if a frame can go to the driver at all; counts what is not. */
static bool admit(struct vmmio_net *net, const struct vmmio_net_header *header,
                  const uint8_t *frame, uint32_t length)
{
    if (!net->engine || !net->link_up || length < VMMIO_NET_FRAME_MIN ||
        length > VMMIO_NET_FRAME_MAX || !vmmio_net_header_fits(header, length) ||
        (header->gso_type == VMMIO_NET_HDR_GSO_NONE &&
         vmmio_net_above_mtu(net, frame, length))) { /* NET-17 */
        net->dropped++;
        return false;
    }
    if (!vmmio_net_wants(net, frame, length)) {
        net->filtered++;
        return false;
    }
    return true;
}

bool vmmio_net_receive(struct vmmio_net *net, const struct vmmio_net_header *header,
                       const uint8_t *frame, uint32_t length)
{
    struct vmmio_net_header todo = {0};

    if (header && (header->flags & VMMIO_NET_HDR_F_NEEDS_CSUM || header->gso_type)) {
        todo = *header;
        todo.flags &= VMMIO_NET_HDR_F_NEEDS_CSUM; /* nothing was verified (NET-51), NET-52 */
    }
    if (!admit(net, &todo, frame, length))
        return true;
    const uint16_t pair = vmmio_net_pair_of_flow(net, frame, length);

    if (!vmmio_queue_usable(net->engine, 2u * pair)) { /* NET-72 */
        vmmio_net_drop_backlog(net, pair);
        net->dropped++;
        return true;
    }
    if (!store(net, pair, &todo, frame, length))
        return false;
    vmmio_queue_wake(net->engine, 2u * pair);
    return true;
}
