/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file console_rig.h
 * A console device on the rig, a back end that records, and a driver of its queues that knows the
 * numbers of 5.3 by itself.
 */
#ifndef VMMIO_TB_CONSOLE_RIG_H
#define VMMIO_TB_CONSOLE_RIG_H

#include "rig.h"
#include "vmmio/dev/console.h"

#include <string>

namespace vmmio::tb
{

/** 5.3.6.2: id, event, value, and what is behind. */
std::vector<uint8_t> control_message(uint32_t id, unsigned event, unsigned value,
                                     const std::vector<uint8_t> &more = {});

std::vector<uint8_t> bytes_of(const std::string &text);

/** The same numbers again and again, none of them a power of 2. */
std::vector<uint8_t> stream(size_t length, unsigned seed = 1);

/** What a test may choose; a 0 is a default. */
struct console_options {
    dma_mode mode = dma_mode::pointer;
    uint32_t ports = 1;
    bool multiport = false;
    uint32_t buffer_bytes = 64;
    uint32_t withheld = 0;
    bool with_emergency = true;
    uint32_t requests = 64;
    bool legacy = false;
    /** Changes the ports before the device is made. */
    std::function<void(std::vector<vmmio_console_port> &)> prepare;
};

class console_rig
{
public:
    explicit console_rig(const console_options &options = {});

    /** Negotiates what is offered less these bits, and starts all queues or this many. */
    void go_live(std::initializer_list<unsigned> without = {}, uint32_t queue_count = 0,
                 uint32_t size = 32);
    /** go_live, then DEVICE_READY and PORT_READY for all ports that were added. */
    void greet(uint32_t size = 32);

    static uint32_t rx_of(uint32_t port) { return port ? 4 + 2 * (port - 1) : 0; }
    virtqueue &rx(uint32_t port = 0) { return r->queue(rx_of(port)); }
    virtqueue &tx(uint32_t port = 0) { return r->queue(rx_of(port) + 1); }

    /** Offers these pieces on a queue and lets the device work. */
    void offer(uint32_t queue, const std::vector<piece> &pieces);
    piece readable(const std::vector<uint8_t> &data);
    /** Output of the driver; true if it came back, with length 0. */
    bool send(const std::vector<uint8_t> &data, uint32_t port = 0);
    /** Posts receive buffers of these sizes, filled with 0xee. */
    void post(const std::vector<uint32_t> &sizes, uint32_t port = 0);
    /** Input of the host; how much was taken. */
    uint32_t arrive(const std::vector<uint8_t> &data, uint32_t port = 0);
    /** All bytes that came to the driver since the last call. */
    std::vector<uint8_t> input(uint32_t port = 0) { return take(rx_of(port)); }

    /** A message of the driver; true if its buffer came back, with length 0. */
    bool tell(const std::vector<uint8_t> &message);
    bool tell(uint32_t id, unsigned event, unsigned value)
    {
        return tell(control_message(id, event, value));
    }
    /** The messages of the device since the last call; posts buffers again. */
    std::vector<std::vector<uint8_t>> told();
    void post_control(uint32_t count, uint32_t size = 300);

    uint32_t field(uint32_t offset, uint32_t width) { return r->read(0x100 + offset, width); }

    vmmio_console console = {};
    std::vector<vmmio_console_port> ports;
    std::map<uint32_t, std::vector<uint8_t>> output; /**< by port */
    std::vector<uint8_t> emergencies;
    std::vector<uint32_t> rooms;
    std::vector<std::pair<uint32_t, bool>> openings;
    uint32_t budget = UINT32_MAX; /**< bytes that the back end still takes */
    bool echo = false;
    std::unique_ptr<rig> r;

private:
    std::vector<uint8_t> take(uint32_t queue);
    void post_on(uint32_t queue, uint32_t size);
    void make_anew(const vmmio_console_config &config,
                   const std::vector<vmmio_console_port> &at_first);

    std::vector<std::vector<uint8_t>> buffers_;
    std::map<uint32_t, std::map<uint32_t, piece>> posted_;
};

} // namespace vmmio::tb
#endif
