// SPDX-License-Identifier: Apache-2.0
#include "vmmio/tlm/console_device.h"

#include <utility>

namespace vmmio
{

namespace
{

std::vector<console_port> one_port(host_stream &host)
{
    std::vector<console_port> ports(1);
    ports[0].host = &host;
    return ports;
}

bool has_several(const std::vector<console_port> &ports)
{
    return ports.size() > 1 || (!ports.empty() && !ports[0].name.empty());
}

} // namespace

vmmio_function &console_device::prepare(console_device &self, const char *name,
                                        std::vector<console_port> ports, std::uint32_t withheld)
{
    console_function &all = self.function;
    all.is = std::move(ports);
    for (const console_port &is : all.is) {
        all.buffers.emplace_back(is.buffer_bytes);
        vmmio_console_port port{};
        port.name = is.name.empty() ? nullptr : is.name.c_str();
        port.buffer = all.buffers.back().data();
        port.buffer_bytes = is.buffer_bytes;
        port.cols = is.cols;
        port.rows = is.rows;
        port.console = is.console;
        port.absent = is.absent;
        port.closed = is.host && !is.host->connected();
        all.ports.push_back(port);
    }
    vmmio_console_config config{};
    config.backend = backend(&self);
    config.ports = all.ports.data();
    config.port_count = static_cast<std::uint32_t>(all.ports.size());
    config.multiport = has_several(all.is);
    config.withheld = withheld;
    const vmmio_error error = vmmio_console_init(&all.console, &config);
    if (error != VMMIO_ERROR_OK)
        SC_REPORT_ERROR("/vmmio/platform",
                        (std::string(name) + ": " + vmmio_error_text(error)).c_str());
    return all.console.function;
}

console_device::console_device(sc_core::sc_module_name name, host_stream &host,
                               const device_options &options)
    : console_device(name, one_port(host), options)
{
}

console_device::console_device(sc_core::sc_module_name name, std::vector<console_port> ports,
                               const device_options &options, std::uint32_t withheld)
    : device(name, prepare(*this, name, std::move(ports), withheld), options)
{
    on_resume = [this] {
        for (std::uint32_t port = 0; port < function.is.size(); port++)
            if (host_stream *const host = host_of(port))
                host->pump(function.console, port);
        return false;
    };
}

console_device::~console_device()
{
    for (const console_port &each : function.is)
        if (each.host)
            each.host->stop();
}

void console_device::start_of_simulation()
{
    for (const console_port &each : function.is)
        if (each.host)
            each.host->attach(has_several(function.is) && !each.console, [this] { resume_work(); });
}

vmmio_console_backend console_device::backend(console_device *context)
{
    vmmio_console_backend calls{};
    calls.context = context;
    calls.write = [](void *self, std::uint32_t port, const std::uint8_t *data,
                     std::uint32_t length) {
        return static_cast<console_device *>(self)->write(port, data, length);
    };
    calls.emergency = [](void *self, std::uint8_t character) {
        return static_cast<console_device *>(self)->emergency(character);
    };
    calls.room = [](void *self, std::uint32_t port) {
        auto &that = *static_cast<console_device *>(self);
        if (that.host_of(port))
            that.resume_work();
        else if (that.on_room)
            that.on_room(port);
    };
    calls.opened = [](void *self, std::uint32_t port, bool open) {
        const auto &that = *static_cast<console_device *>(self);
        if (that.on_opened)
            that.on_opened(port, open);
    };
    return calls;
}

std::uint32_t console_device::write(std::uint32_t port, const std::uint8_t *data,
                                    std::uint32_t length)
{
    if (host_stream *const host = host_of(port))
        return host->take(data, length);
    return on_output ? on_output(port, data, length) : length;
}

bool console_device::emergency(std::uint8_t character)
{
    if (host_stream *const host = host_of(0))
        return host->take_emergency(character);
    return on_output && on_output(0, &character, 1) == 1;
}

std::uint32_t console_device::receive(std::uint32_t port, const std::uint8_t *data,
                                      std::uint32_t length)
{
    const std::uint32_t taken = vmmio_console_receive(&function.console, port, data, length);
    resume_work();
    return taken;
}

void console_device::writable(std::uint32_t port)
{
    vmmio_console_writable(&function.console, port);
    resume_work();
}

void console_device::set_open(std::uint32_t port, bool open)
{
    vmmio_console_set_open(&function.console, port, open);
    resume_work();
}

void console_device::resize(std::uint32_t port, std::uint16_t cols, std::uint16_t rows)
{
    if (vmmio_console_resize(&function.console, port, cols, rows))
        config_changed();
    resume_work();
}

bool console_device::add_port(std::uint32_t port)
{
    const bool added = vmmio_console_add_port(&function.console, port);
    resume_work();
    return added;
}

bool console_device::remove_port(std::uint32_t port)
{
    const bool removed = vmmio_console_remove_port(&function.console, port);
    resume_work();
    return removed;
}

} // namespace vmmio
