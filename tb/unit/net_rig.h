/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file net_rig.h
 * A network device on the rig, a back end that records, a driver of its queues, and frames built
 * and judged by plain code that shares nothing with the device.
 */
#ifndef VMMIO_TB_NET_RIG_H
#define VMMIO_TB_NET_RIG_H

#include "rig.h"
#include "vmmio/dev/net.h"

namespace vmmio::tb
{

using bytes = std::vector<uint8_t>;

bytes be16(uint32_t value);
bytes be32(uint32_t value);
bytes le16(uint32_t value);

/** RFC 1071 over these bytes. */
uint16_t internet_checksum(const bytes &data);

/** What a test may ask of a frame. */
struct frame_options {
    bool v6 = false;
    bool udp = false;
    bool tagged = false;
    uint8_t tcp_flags = 0x18;
    uint16_t id = 0x1234;
    uint32_t sequence = 0x01020304;
    uint16_t source_port = 1111, destination_port = 2222;
    bool partial = false;     /**< the checksum field holds the pseudo header's sum */
    uint32_t tcp_options = 0; /**< bytes, a multiple of 4 */
};

/** An Ethernet frame with IP and TCP or UDP around the payload, checksums right. */
bytes make_frame(const bytes &payload, const frame_options &options = {});

/** Offset of the transport header of such a frame. */
uint32_t transport_of(const frame_options &options);

/** A frame of this length to this address; the rest tells the length. */
bytes plain_frame(uint32_t length, const bytes &to = {0x52, 0x54, 0, 0x12, 0x34, 0x56});

/** The 12 bytes of 5.1.9. */
struct wire_header {
    uint8_t flags = 0, gso_type = 0;
    uint16_t hdr_len = 0, gso_size = 0, csum_start = 0, csum_offset = 0, num_buffers = 0;
    bytes encoded() const;
    static wire_header decode(const bytes &data);
};

struct sent_frame {
    vmmio_net_header header;
    bytes frame;
};

/** What the driver got: one frame, out of so many buffers. */
struct received_frame {
    wire_header header;
    bytes frame;
    std::vector<uint32_t> used;
};

struct net_options {
    dma_mode mode = dma_mode::pointer;
    uint32_t frames = 16;
    uint32_t requests = 64;
    bool legacy = false;
    vmmio_net_config config = {};
};

net_options with_pairs(uint16_t pairs);

class net_rig
{
public:
    explicit net_rig(const net_options &options = {});

    /** Negotiates what is offered less these bits, and starts all queues or this many. */
    void go_live(std::initializer_list<unsigned> without = {}, uint32_t queue_count = 0,
                 uint32_t size = 64);
    virtqueue &rx(unsigned pair = 0) { return r->queue(2 * pair); }
    virtqueue &tx(unsigned pair = 0) { return r->queue(2 * pair + 1); }

    /** Offers header and frame on a transmit queue; true if it came back, with length 0. */
    bool send(const bytes &frame, const wire_header &header = {}, unsigned pair = 0);
    bool send_pieces(const std::vector<piece> &pieces, unsigned pair = 0);
    piece readable(const bytes &data);

    /** Posts receive buffers of these sizes, filled with 0xee. */
    void post(const std::vector<uint32_t> &sizes, unsigned pair = 0);
    /** A frame arrives. */
    bool arrive(const bytes &frame, const vmmio_net_header *header = nullptr);
    /** The next received frame, if there is one. */
    std::optional<received_frame> take(unsigned pair = 0);
    /** A frame arrives, with a buffer for it; what the driver got. */
    std::optional<received_frame> pass(const bytes &frame, const vmmio_net_header *header = nullptr,
                                       unsigned pair = 0);

    /** A command on the control queue; the answer. */
    unsigned control(uint8_t type, uint8_t command, const bytes &data = {});
    unsigned control_pieces(const std::vector<piece> &pieces);
    uint32_t field(uint32_t offset, uint32_t width) { return r->read(0x100 + offset, width); }
    bytes mac();

    vmmio_net net = {};
    std::vector<sent_frame> sent;
    std::vector<uint32_t> welcomes;
    unsigned rooms = 0;
    bool refuse = false; /**< the back end cannot send */
    bool echo = false;   /**< it gives back what it gets */
    uint32_t control_queue = 2;
    std::unique_ptr<rig> r;

private:
    void make_anew(const vmmio_net_config &config);

    std::vector<vmmio_net_frame> frames_;
    std::map<unsigned, std::map<uint32_t, piece>> posted_;
};

} // namespace vmmio::tb
#endif
