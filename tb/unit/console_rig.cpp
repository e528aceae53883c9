/* SPDX-License-Identifier: Apache-2.0 */
#include "console_rig.h"

#include <stdexcept>

namespace vmmio::tb
{

std::vector<uint8_t> control_message(uint32_t id, unsigned event, unsigned value,
                                     const std::vector<uint8_t> &more)
{
    const std::vector<uint8_t> head = {uint8_t(id),       uint8_t(id >> 8),   uint8_t(id >> 16),
                                       uint8_t(id >> 24), uint8_t(event),     uint8_t(event >> 8),
                                       uint8_t(value),    uint8_t(value >> 8)};
    return head + more;
}

std::vector<uint8_t> bytes_of(const std::string &text) { return {text.begin(), text.end()}; }

std::vector<uint8_t> stream(size_t length, unsigned seed)
{
    std::vector<uint8_t> data(length);
    for (size_t i = 0; i < length; i++)
        data[i] = uint8_t(i % 251 + seed * 3);
    return data;
}

console_rig::console_rig(const console_options &options)
    : ports(options.ports),
      buffers_(options.ports, std::vector<uint8_t>(options.buffer_bytes, 0xdd))
{
    for (uint32_t i = 0; i < options.ports; i++) {
        ports[i].buffer = buffers_[i].data();
        ports[i].buffer_bytes = options.buffer_bytes;
    }
    if (options.prepare)
        options.prepare(ports);
    vmmio_console_config config = {};
    config.backend.context = this;
    config.backend.write = [](void *self, uint32_t port, const uint8_t *data, uint32_t length) {
        console_rig &that = *static_cast<console_rig *>(self);
        EXPECT_TRUE(length >= 1 && length <= VMMIO_CONSOLE_PIECE) << length;
        const uint32_t taken = std::min(length, that.budget);
        that.budget -= that.budget == UINT32_MAX ? 0 : taken;
        std::vector<uint8_t> &out = that.output[port];
        out.insert(out.end(), data, data + taken);
        if (that.echo)
            return vmmio_console_receive(&that.console, port, data, taken);
        return taken;
    };
    if (options.with_emergency)
        config.backend.emergency = [](void *self, uint8_t character) {
            static_cast<console_rig *>(self)->emergencies.push_back(character);
            return true;
        };
    config.backend.room = [](void *self, uint32_t port) {
        console_rig &that = *static_cast<console_rig *>(self);
        if (!that.r->moving())
            that.rooms.push_back(port);
        if (that.echo)
            vmmio_console_writable(&that.console, port);
    };
    config.backend.opened = [](void *self, uint32_t port, bool open) {
        console_rig &that = *static_cast<console_rig *>(self);
        if (!that.r->moving())
            that.openings.emplace_back(port, open);
    };
    config.ports = ports.data();
    config.port_count = options.ports;
    config.multiport = options.multiport || options.ports > 1;
    config.withheld = options.withheld;
    const vmmio_error error = vmmio_console_init(&console, &config);
    if (error != VMMIO_ERROR_OK)
        throw std::invalid_argument(vmmio_error_text(error));
    rig_options surroundings;
    surroundings.mode = options.mode;
    surroundings.requests = options.requests;
    surroundings.legacy = options.legacy;
    r = std::make_unique<rig>(console.function, surroundings);
    r->renew = [this, config, at_first = ports] { make_anew(config, at_first); };
}

/* Its counters are no state, and whether the host waits is the host's own. */
void console_rig::make_anew(const vmmio_console_config &config,
                            const std::vector<vmmio_console_port> &at_first)
{
    const vmmio_console old = console;
    for (size_t i = 0; i < ports.size(); i++) {
        const bool starved = ports[i].starved;
        ports[i] = at_first[i];
        ports[i].starved = starved;
        std::fill(buffers_[i].begin(), buffers_[i].end(), uint8_t(0xdd));
    }
    EXPECT_EQ(vmmio_console_init(&console, &config), VMMIO_ERROR_OK);
    console.requests = old.requests;
    console.bytes_in = old.bytes_in;
    console.bytes_out = old.bytes_out;
    console.emergency = old.emergency;
    console.emergency_lost = old.emergency_lost;
}

void console_rig::go_live(std::initializer_list<unsigned> without, uint32_t queue_count,
                          uint32_t size)
{
    vmmio_features features = r->guest.offered();
    for (const unsigned bit : without)
        vmmio_features_remove(&features, bit);
    vmmio_features_remove(&features, VMMIO_F_NOTIFICATION_DATA);
    vmmio_features_remove(&features, VMMIO_F_EVENT_IDX);
    posted_.clear();
    const bool multiport = vmmio_features_has(&features, 1);
    r->go_live(features,
               queue_count ? queue_count
               : multiport ? 2 * console.is.port_count + 2
                           : 2,
               size);
    r->forget();
}

void console_rig::greet(uint32_t size)
{
    go_live({}, 0, size);
    post_control(size);
    EXPECT_TRUE(tell(0, 0, 1));
    for (const auto &message : told())
        EXPECT_TRUE(tell(message.at(0), 3, 1));
}

void console_rig::offer(uint32_t queue, const std::vector<piece> &pieces)
{
    r->queue(queue).offer(r->queue(queue).add(pieces));
    r->guest.kick(queue);
    r->run();
}

piece console_rig::readable(const std::vector<uint8_t> &data)
{
    const piece p = r->readable(static_cast<uint32_t>(data.size()));
    r->memory.set_bytes(p.address, data);
    return p;
}

bool console_rig::send(const std::vector<uint8_t> &data, uint32_t port)
{
    offer(rx_of(port) + 1, {readable(data)});
    const auto used = tx(port).reap();
    return used && used->length == 0;
}

void console_rig::post_on(uint32_t queue, uint32_t size)
{
    const piece p = r->writable(size);
    if (size)
        r->memory.fill(p.address, size, 0xee);
    const uint16_t head = r->queue(queue).add({p});
    posted_[queue][head] = p;
    r->queue(queue).offer(head);
}

void console_rig::post(const std::vector<uint32_t> &sizes, uint32_t port)
{
    for (const uint32_t size : sizes)
        post_on(rx_of(port), size);
    r->guest.kick(rx_of(port));
    r->run();
}

void console_rig::post_control(uint32_t count, uint32_t size)
{
    for (uint32_t i = 0; i < count; i++)
        post_on(2, size);
    r->guest.kick(2);
    r->run();
}

uint32_t console_rig::arrive(const std::vector<uint8_t> &data, uint32_t port)
{
    const uint32_t taken =
        vmmio_console_receive(&console, port, data.data(), static_cast<uint32_t>(data.size()));
    r->run();
    return taken;
}

std::vector<uint8_t> console_rig::take(uint32_t queue)
{
    std::vector<uint8_t> all;
    while (const auto used = r->queue(queue).reap()) {
        const piece p = posted_[queue].at(used->id);
        posted_[queue].erase(used->id);
        EXPECT_LE(used->length, p.length);
        all = all + r->memory.bytes(p.address, used->length);
        for (const uint8_t rest :
             r->memory.bytes(p.address + used->length, p.length - used->length))
            EXPECT_EQ(rest, 0xee) << "written behind what was used";
    }
    return all;
}

bool console_rig::tell(const std::vector<uint8_t> &message)
{
    offer(3, {readable(message)});
    const auto used = r->queue(3).reap();
    return used && used->length == 0;
}

std::vector<std::vector<uint8_t>> console_rig::told()
{
    std::vector<std::vector<uint8_t>> messages;
    while (const auto used = r->queue(2).reap()) {
        const piece p = posted_[2].at(used->id);
        posted_[2].erase(used->id);
        messages.push_back(r->memory.bytes(p.address, used->length));
        post_on(2, p.length);
    }
    r->guest.kick(2);
    r->run();
    return messages;
}

} // namespace vmmio::tb
