/* SPDX-License-Identifier: Apache-2.0 */
#include "net_rig.h"

#include <stdexcept>

namespace vmmio::tb
{

bytes be16(uint32_t value) { return {uint8_t(value >> 8), uint8_t(value)}; }

bytes be32(uint32_t value) { return be16(value >> 16) + be16(value & 0xffff); }

bytes le16(uint32_t value) { return {uint8_t(value), uint8_t(value >> 8)}; }

namespace
{

uint32_t words(const bytes &data)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < data.size(); i++) {
        sum += i % 2 ? data[i] : uint32_t(data[i]) << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return sum;
}

} // namespace

uint16_t internet_checksum(const bytes &data) { return uint16_t(~words(data)); }

uint32_t transport_of(const frame_options &options)
{
    return 14 + (options.tagged ? 4 : 0) + (options.v6 ? 40 : 20);
}

bytes make_frame(const bytes &payload, const frame_options &o)
{
    bytes ethernet = {0x52, 0x54, 0, 0x12, 0x34, 0x56, 2, 0, 0, 0, 0, 1};
    if (o.tagged)
        ethernet = ethernet + be16(0x8100) + be16(0x0005);
    ethernet = ethernet + be16(o.v6 ? 0x86dd : 0x0800);

    const uint32_t header = o.udp ? 8 : 20 + o.tcp_options;
    const auto length = uint32_t(header + payload.size());
    const uint8_t protocol = o.udp ? 17 : 6;
    bytes addresses = {10, 0, 2, 15, 10, 0, 2, 2};
    if (o.v6) {
        addresses.assign(32, 0);
        addresses[0] = addresses[16] = 0xfe;
        addresses[15] = 7;
        addresses[31] = 9;
    }
    bytes ip;
    if (o.v6) {
        ip = bytes{0x60, 0, 0, 0} + be16(length) + bytes{protocol, 64} + addresses;
    } else {
        ip = bytes{0x45, 0} + be16(20 + length) + be16(o.id) + bytes{0x40, 0, 64, protocol, 0, 0} +
             addresses;
        const bytes sum = be16(internet_checksum(ip));
        ip[10] = sum[0];
        ip[11] = sum[1];
    }
    bytes transport = be16(o.source_port) + be16(o.destination_port);
    if (o.udp)
        transport = transport + be16(length) + be16(0);
    else
        transport = transport + be32(o.sequence) + be32(0x0a0b0c0d) +
                    bytes{uint8_t(header / 4 << 4), o.tcp_flags} + be16(0x4000) + be16(0) +
                    be16(0) + bytes(o.tcp_options, 1);
    const bytes pseudo = addresses + bytes{0, protocol} + be32(length);
    uint16_t field;
    if (o.partial) {
        field = uint16_t(words(pseudo));
    } else {
        field = internet_checksum(pseudo + transport + payload);
        field = field ? field : 0xffff;
    }
    const size_t at = o.udp ? 6 : 16;
    transport[at] = uint8_t(field >> 8);
    transport[at + 1] = uint8_t(field);
    return ethernet + ip + transport + payload;
}

bytes plain_frame(uint32_t length, const bytes &to)
{
    bytes frame = to + bytes{2, 0, 0, 0, 0, 1} + be16(0x88b5);
    for (uint32_t i = 0; frame.size() < length; i++)
        frame.push_back(uint8_t(i * 7 + length));
    return frame;
}

bytes wire_header::encoded() const
{
    return bytes{flags, gso_type} + le16(hdr_len) + le16(gso_size) + le16(csum_start) +
           le16(csum_offset) + le16(num_buffers);
}

wire_header wire_header::decode(const bytes &d)
{
    const auto field = [&](size_t i) { return uint16_t(d.at(i) | d.at(i + 1) << 8); };
    return {d.at(0), d.at(1), field(2), field(4), field(6), field(8), field(10)};
}

net_options with_pairs(uint16_t pairs)
{
    net_options options;
    options.config.pairs = pairs;
    return options;
}

net_rig::net_rig(const net_options &options) : frames_(options.frames)
{
    vmmio_net_config config = options.config;
    config.backend.context = this;
    config.backend.send = [](void *self, const vmmio_net_header *header, const uint8_t *frame,
                             uint32_t length) {
        net_rig &rig = *static_cast<net_rig *>(self);
        if (rig.refuse)
            return false;
        rig.sent.push_back({*header, bytes(frame, frame + length)});
        if (rig.echo) {
            EXPECT_TRUE(vmmio_net_receive(&rig.net, header, frame, length));
        }
        return true;
    };
    config.backend.welcome = [](void *self, uint32_t offloads) {
        net_rig &rig = *static_cast<net_rig *>(self);
        if (!rig.r || !rig.r->moving())
            rig.welcomes.push_back(offloads);
    };
    config.backend.room = [](void *self) {
        net_rig &rig = *static_cast<net_rig *>(self);
        rig.rooms += !rig.r->moving();
    };
    config.frames = frames_.data();
    config.frame_count = options.frames;
    const vmmio_error error = vmmio_net_init(&net, &config);
    if (error != VMMIO_ERROR_OK)
        throw std::invalid_argument(vmmio_error_text(error));
    rig_options surroundings;
    surroundings.mode = options.mode;
    surroundings.requests = options.requests;
    surroundings.legacy = options.legacy;
    r = std::make_unique<rig>(net.function, surroundings);
    r->renew = [this, config] { make_anew(config); };
}

/* Its counters are no state, and whether the back end waits is that one's own. */
void net_rig::make_anew(const vmmio_net_config &config)
{
    const auto old = std::make_unique<vmmio_net>(net);
    std::fill(frames_.begin(), frames_.end(), vmmio_net_frame{});
    EXPECT_EQ(vmmio_net_init(&net, &config), VMMIO_ERROR_OK);
    net.sent = old->sent;
    net.bytes_sent = old->bytes_sent;
    net.send_dropped = old->send_dropped;
    net.received = old->received;
    net.bytes_received = old->bytes_received;
    net.filtered = old->filtered;
    net.dropped = old->dropped;
    net.starved = old->starved;
}

void net_rig::go_live(std::initializer_list<unsigned> without, uint32_t queue_count, uint32_t size)
{
    vmmio_features features = r->guest.offered();
    for (const unsigned bit : without)
        vmmio_features_remove(&features, bit);
    vmmio_features_remove(&features, VMMIO_F_NOTIFICATION_DATA);
    vmmio_features_remove(&features, VMMIO_F_EVENT_IDX);
    const bool pairs = vmmio_features_has(&features, VMMIO_NET_F_MQ);
    control_queue = pairs ? 2u * net.is.pairs : 2;
    const bool control = vmmio_features_has(&features, VMMIO_NET_F_CTRL_VQ);
    posted_.clear();
    r->go_live(features, queue_count ? queue_count : control_queue + control, size);
    r->forget();
    sent.clear();
}

piece net_rig::readable(const bytes &data)
{
    const piece p = r->readable(static_cast<uint32_t>(data.size()));
    r->memory.set_bytes(p.address, data);
    return p;
}

bool net_rig::send_pieces(const std::vector<piece> &pieces, unsigned pair)
{
    tx(pair).offer(tx(pair).add(pieces));
    r->guest.kick(2 * pair + 1);
    r->run();
    const auto used = tx(pair).reap();
    return used && used->length == 0;
}

bool net_rig::send(const bytes &frame, const wire_header &header, unsigned pair)
{
    return send_pieces({readable(header.encoded()), readable(frame)}, pair);
}

void net_rig::post(const std::vector<uint32_t> &sizes, unsigned pair)
{
    for (const uint32_t size : sizes) {
        const piece p = r->writable(size);
        if (size)
            r->memory.fill(p.address, size, 0xee);
        const uint16_t head = rx(pair).add({p});
        posted_[pair][head] = p;
        rx(pair).offer(head);
    }
    r->guest.kick(2 * pair);
    r->run();
}

bool net_rig::arrive(const bytes &frame, const vmmio_net_header *header)
{
    const bool taken =
        vmmio_net_receive(&net, header, frame.data(), static_cast<uint32_t>(frame.size()));
    r->run();
    return taken;
}

std::optional<received_frame> net_rig::take(unsigned pair)
{
    received_frame got;
    bytes all;
    uint16_t buffers = 1;
    for (uint16_t i = 0; i < buffers; i++) {
        const auto used = rx(pair).reap();
        if (!used) {
            EXPECT_EQ(i, 0) << "a frame came in parts";
            return std::nullopt;
        }
        const piece p = posted_[pair].at(used->id);
        posted_[pair].erase(used->id);
        EXPECT_LE(used->length, p.length);
        got.used.push_back(used->length);
        all = all + (p.length ? r->memory.bytes(p.address, used->length) : bytes());
        if (i == 0 && all.size() >= 12)
            buffers = wire_header::decode(all).num_buffers;
    }
    if (all.size() >= 12) {
        got.header = wire_header::decode(all);
        got.frame.assign(all.begin() + 12, all.end());
    }
    return got;
}

std::optional<received_frame> net_rig::pass(const bytes &frame, const vmmio_net_header *header,
                                            unsigned pair)
{
    post({70000}, pair);
    EXPECT_TRUE(arrive(frame, header));
    return take(pair);
}

unsigned net_rig::control_pieces(const std::vector<piece> &pieces)
{
    virtqueue &queue = r->queue(control_queue);
    queue.offer(queue.add(pieces));
    r->guest.kick(control_queue);
    r->run();
    const auto used = queue.reap();
    if (!used || used->length != 1) {
        ADD_FAILURE() << "a command was not answered";
        return 0xee;
    }
    for (const piece &p : pieces)
        if (p.writable && p.length)
            return r->memory.bytes(p.address, 1)[0];
    return 0xee;
}

unsigned net_rig::control(uint8_t type, uint8_t command, const bytes &data)
{
    std::vector<piece> pieces = {readable({type, command})};
    if (!data.empty())
        pieces.push_back(readable(data));
    pieces.push_back(r->writable(1));
    r->memory.fill(pieces.back().address, 1, 0xee);
    return control_pieces(pieces);
}

bytes net_rig::mac()
{
    bytes address;
    for (uint32_t i = 0; i < 6; i++)
        address.push_back(uint8_t(field(i, 1)));
    return address;
}

} // namespace vmmio::tb
