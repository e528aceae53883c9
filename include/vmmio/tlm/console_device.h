// SPDX-License-Identifier: Apache-2.0
/// @file console_device.h
/// A console device as a SystemC module: `vmmio::device` together with its function.
///
///     vmmio::stdio_stream terminal;                       // or pty_stream, ...: host_stream.h
///     vmmio::socket_stream agent("/run/agent.sock");
///     std::vector<vmmio::console_port> ports(2);
///     ports[0].host = &terminal;                          // hvc0 in Linux
///     ports[0].console = true;
///     ports[1].host = &agent;
///     ports[1].name = "org.example.agent";                // in /sys/class/virtio-ports
///     vmmio::console_device console("console", ports);
///     console.registers.bind(...); console.dma().bind(...); console.interrupt.bind(...);
///     console.resize(0, 120, 40);                         // at any time
#ifndef VMMIO_TLM_CONSOLE_DEVICE_H
#define VMMIO_TLM_CONSOLE_DEVICE_H

#include "vmmio/dev/console.h"
#include "vmmio/tlm/device.h"
#include "vmmio/tlm/devices.h"
#include "vmmio/tlm/host_stream.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace vmmio
{

/// What a port is like.
struct console_port {
    /// Not owned, must outlive the device; one port for each. NULL: see on_output and receive.
    host_stream *host = nullptr;
    std::string name;                  ///< UTF-8, at most VMMIO_CONSOLE_NAME_MAX bytes; "": none
    bool console = false;              ///< of several: the driver shall make it a console (CON-18)
    bool absent = false;               ///< comes by add_port only; not port 0
    std::uint16_t cols = 0, rows = 0;  ///< characters; 0: not known
    std::uint32_t buffer_bytes = 4096; ///< for input that the driver has no buffer for; at least 1
};

/// A console function, its ports and their buffers.
struct console_function {
    vmmio_console console{};
    std::vector<console_port> is;
    std::vector<vmmio_console_port> ports;
    std::vector<std::vector<std::uint8_t>> buffers;
};

/// Console device (CON-01 .. CON-18, see vmmio/dev/console.h). It has F_MULTIPORT if there are
/// several ports or if port 0 has a name; only then the driver is told whether somebody is at the
/// host's end. Whoever leaves is there until the driver has all that was sent.
///
/// While nobody is there, the output of a port that is no console waits for the next who comes. The
/// driver of a console cannot wait: Linux would stand still. What does not fit into the stream's
/// 64 KiB is lost then, and counted there.
class console_device : private function_holder<console_function>, public device
{
public:
    /// A device with one port for an old driver: no F_MULTIPORT.
    console_device(sc_core::sc_module_name name, host_stream &host,
                   const device_options &options = {});

    /// @param ports 1 to VMMIO_CONSOLE_PORTS_MAX; an SC_ERROR report says what is wrong.
    /// @param withheld bits of VMMIO_CONSOLE_F_SIZE and EMERG_WRITE not to offer.
    console_device(sc_core::sc_module_name name, std::vector<console_port> ports,
                   const device_options &options = {}, std::uint32_t withheld = 0);

    ~console_device() override;

    /// Another size, that the driver is told about at once (CON-08, CON-12).
    void resize(std::uint32_t port, std::uint16_t cols, std::uint16_t rows);

    /// Ports come and go. False: see vmmio_console_add_port and vmmio_console_remove_port.
    bool add_port(std::uint32_t port);
    bool remove_port(std::uint32_t port);

    /// The driver opened or closed a port (F_MULTIPORT). Inside an access or a run.
    std::function<void(std::uint32_t port, bool open)> on_opened;

    /// Output of ports without a host, as vmmio_console_backend::write has it; inside an access or
    /// a run. Empty: the output is lost.
    std::function<std::uint32_t(std::uint32_t port, const std::uint8_t *data, std::uint32_t length)>
        on_output;
    /// A port without a host takes input again.
    std::function<void(std::uint32_t port)> on_room;

    /// For ports without a host, in any process: vmmio_console_receive, _writable and _set_open.
    std::uint32_t receive(std::uint32_t port, const std::uint8_t *data, std::uint32_t length);
    void writable(std::uint32_t port);
    void set_open(std::uint32_t port, bool open);

    /// The function inside: what it offers, and what it has done so far.
    const vmmio_console &state() const { return function.console; }

private:
    static vmmio_function &prepare(console_device &self, const char *name,
                                   std::vector<console_port> ports, std::uint32_t withheld);
    static vmmio_console_backend backend(console_device *context);
    host_stream *host_of(std::uint32_t port) const { return function.is[port].host; }
    std::uint32_t write(std::uint32_t port, const std::uint8_t *data, std::uint32_t length);
    bool emergency(std::uint8_t character);
    void start_of_simulation() override;
};

} // namespace vmmio

#endif
