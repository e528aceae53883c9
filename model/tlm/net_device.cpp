// SPDX-License-Identifier: Apache-2.0
#include "vmmio/tlm/net_device.h"

#include <algorithm>
#include <string>

namespace vmmio
{

namespace
{

constexpr std::size_t backlog_usual = 64;
constexpr std::uint32_t requests_least = 64; // a frame of 64 KiB in buffers of 1526 bytes needs 43

device_options with_requests(device_options options)
{
    options.requests = std::max(options.requests, requests_least);
    return options;
}

} // namespace

vmmio_function &net_device::prepare(net_function &function, const char *name,
                                    vmmio_net_config config)
{
    if (!config.frames) {
        function.frames.resize(config.frame_count ? config.frame_count : backlog_usual);
        config.frames = function.frames.data();
        config.frame_count = static_cast<std::uint32_t>(function.frames.size());
    }
    const vmmio_error error = vmmio_net_init(&function.net, &config);
    if (error != VMMIO_ERROR_OK)
        SC_REPORT_ERROR("/vmmio/platform",
                        (std::string(name) + ": " + vmmio_error_text(error)).c_str());
    return function.net.function;
}

net_device::net_device(sc_core::sc_module_name name, const vmmio_net_config &config,
                       const device_options &options)
    : device(name, prepare(function_holder::function, name, config), with_requests(options))
{
}

net_device::net_device(sc_core::sc_module_name name, host_net &net, vmmio_net_config config,
                       const device_options &options)
    : device(name,
             prepare(function_holder::function, name, (config.backend = net.backend(), config)),
             with_requests(options)),
      host_(&net)
{
    on_resume = [this] {
        host_->pump(function.net);
        return false;
    };
}

net_device::~net_device()
{
    if (host_)
        host_->stop();
}

void net_device::start_of_simulation()
{
    if (!host_)
        return;
    host_->resume_ = [this] { resume_work(); };
    host_->start(host_->resume_);
}

bool net_device::receive(const vmmio_net_header *header, const std::uint8_t *frame,
                         std::uint32_t length)
{
    const bool taken = vmmio_net_receive(&function.net, header, frame, length);
    resume_work();
    return taken;
}

void net_device::set_link(bool up)
{
    vmmio_net_set_link(&function.net, up);
    config_changed();
}

bool net_device::announce()
{
    if (!vmmio_net_announce(&function.net))
        return false;
    config_changed();
    return true;
}

} // namespace vmmio
