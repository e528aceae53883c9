// SPDX-License-Identifier: Apache-2.0
/// @file net_device.h
/// A network device as a SystemC module: `vmmio::device` together with its function.
///
///     vmmio::user_net net({});                     // or tap_net, socket_net: host_net.h
///     vmmio::net_device nic("nic", net);
///     nic.registers.bind(...); nic.dma().bind(...); nic.interrupt.bind(...);
///     nic.shared_memory() stays unbound: there is no region
///
/// A MAC of your own is a vmmio_net_backend instead, which calls nic.receive().
#ifndef VMMIO_TLM_NET_DEVICE_H
#define VMMIO_TLM_NET_DEVICE_H

#include "vmmio/dev/net.h"
#include "vmmio/tlm/device.h"
#include "vmmio/tlm/devices.h"
#include "vmmio/tlm/host_net.h"

#include <cstdint>
#include <vector>

namespace vmmio
{

/// A network function and its backlog.
struct net_function {
    vmmio_net net{};
    std::vector<vmmio_net_frame> frames;
};

/// Network device (NET-01 .. NET-73, NET-77, NET-78, see vmmio/dev/net.h).
class net_device : private function_holder<net_function>, public device
{
public:
    /// A device on a network of the host.
    /// @param net must outlive the device; one device for each.
    /// @param config copied; its back end is the network's.
    net_device(sc_core::sc_module_name name, host_net &net, vmmio_net_config config = {},
               const device_options &options = {});

    /// A device with a back end of your own. frames and frame_count may be 0: then the device has
    /// some. options.requests is raised to 64, the most buffers of one received frame.
    net_device(sc_core::sc_module_name name, const vmmio_net_config &config,
               const device_options &options = {});

    ~net_device() override;

    /// A frame from a back end of your own; see vmmio_net_receive. In any process.
    bool receive(const vmmio_net_header *header, const std::uint8_t *frame, std::uint32_t length);

    /// Link up or down; the driver is told at once (NET-12).
    void set_link(bool up);

    /// Asks the driver to announce itself; false if it does not know how.
    bool announce();

    /// The function inside: what it offers, and what it has done so far.
    const vmmio_net &state() const { return function.net; }

private:
    static vmmio_function &prepare(net_function &function, const char *name,
                                   vmmio_net_config config);
    void start_of_simulation() override;

    host_net *host_ = nullptr;
};

} // namespace vmmio

#endif
