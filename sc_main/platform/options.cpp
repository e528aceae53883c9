// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include "common/command_line.h"
#include "common/form.h"
#include "common/rings.h"

#include <fmt/format.h>

namespace vmmio::platform
{

namespace
{

/// "disk=packed+event_idx" as its two sides.
/// @throws CLI::ValidationError that says what to write.
std::pair<std::string, vmmio_features> parse_rings(const std::string &text)
{
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals + 1 == text.size())
        throw CLI::ValidationError("--rings", fmt::format("'{}' names no device and rings: write "
                                                          "e.g. disk=packed+event_idx",
                                                          text));
    return {text.substr(0, equals), rings_of("--rings", text.substr(equals + 1))};
}

/// "NAME=END" as its two sides.
/// @throws CLI::ValidationError that says what to write.
std::pair<std::string, std::string> parse_port(const std::string &text)
{
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos)
        throw CLI::ValidationError("--port",
                                   fmt::format("'{}' names no port and its end: write e.g. "
                                               "org.example.agent=listen:/run/agent.sock",
                                               text));
    return {text.substr(0, equals), text.substr(equals + 1)};
}

} // namespace

device_options options::options_for(const std::string &name) const
{
    device_options built;
    built.form = form_named(form, fst_folder);
    built.legacy = legacy.count(name) > 0;
    const auto chosen = rings.find(name);
    if (chosen != rings.end())
        offer_rings(built.features, chosen->second);
    return built;
}

std::optional<options> parse_options(int argc, char *argv[], int &exit_status)
{
    options chosen;
    std::string size, base, bar = "0", digits;
    CLI::App app(
        "virtio-mmio devices in SystemC for a stock QEMU (vfio-user-pci): entropy, pmem and "
        "what else is asked for");
    app.add_option("--socket", chosen.socket, "UNIX socket to listen on")->required();
    app.add_option("--shm-file", chosen.shm_file,
                   "file behind shared memory region 0 of the pmem device; made if absent")
        ->required();
    app.add_option("--shm-size", size, "bytes of the region, with a suffix k, M, G or none")
        ->required();
    app.add_option("--shm-base", base, "guest physical address of the region")->required();
    app.add_option("--bar", bar,
                   "address of BAR0 that the guest's tables name; a guest that puts it elsewhere "
                   "is reported");
    app.add_option("--disk", chosen.disk, "file of a block device");
    app.add_option("--read-only-disk", chosen.read_only_disk,
                   "file of a block device that cannot be written");
    const auto console = app.add_option("--console", chosen.console,
                                        "host's end of a console device: stdio, pty, pty:LINK, "
                                        "listen:PATH, connect:PATH (UNIX sockets) or file:PATH");
    app.add_option("--console-size", chosen.console_size, "its columns and rows (default: 80x25)")
        ->needs(console);
    std::vector<std::string> ports;
    app.add_option("--port", ports,
                   "NAME=END: another port of it, e.g. org.example.agent=listen:/run/agent.sock; "
                   "may be given several times")
        ->needs(console)
        ->take_all();
    app.add_flag("--net", chosen.net,
                 "a network device on a network in user mode: the host is 10.0.2.2");
    const auto share = app.add_option("--share", chosen.share,
                                      "directory of a file system device with the tag 'vmmio'");
    std::string dax_size = "0", dax_base = "0";
    const auto dax_file =
        app.add_option("--dax-file", chosen.dax_file,
                       "file behind its DAX window, shared memory region 0; made if absent")
            ->needs(share);
    const auto size_option =
        app.add_option("--dax-size", dax_size, "bytes of the window")->needs(dax_file);
    const auto base_option =
        app.add_option("--dax-base", dax_base, "guest physical address of the window")
            ->needs(dax_file);
    dax_file->needs(size_option)->needs(base_option);
    std::vector<std::string> rings;
    app.add_option(
           "--rings", rings,
           "what a device offers for its rings, e.g. disk=packed+event_idx or rng=split; the "
           "others offer split+event_idx+indirect")
        ->take_all();
    app.add_option(
           "--form", chosen.form,
           "who answers the register accesses: the C model (tlm), the verilated block (rtl), or "
           "both, compared at each step (lockstep)")
        ->check(CLI::IsMember({"tlm", "rtl", "lockstep"}));
    app.add_option("--fst", chosen.fst_folder,
                   "folder in which each verilated block writes its waveforms")
        ->check(CLI::ExistingDirectory);
    app.add_option("--legacy", chosen.legacy,
                   "a device with the legacy register layout, Version 1; not for pmem and share")
        ->take_all();
    app.add_option("--trace", chosen.trace, "write a line for each register access to this file");
    app.add_option("--find-token", digits,
                   "look for the pattern file with this token in the region (32 hex digits)")
        ->check([](const std::string &text) {
            return parse_token(text) ? "" : "32 hexadecimal digits are needed";
        });
    app.add_option("--report", chosen.report, "file for the report in JSON")->required();
    app.add_flag("--control", chosen.control,
                 "take commands from standard input, one a line: resize NAME SIZE");
    app.add_flag("--once,!--keep-listening", chosen.once,
                 "end when the first client has gone (default), or wait for the next");
    try {
        app.parse(argc, argv);
        chosen.shm_size = size_of("--shm-size", size);
        chosen.shm_base = size_of("--shm-base", base);
        chosen.bar = size_of("--bar", bar);
        chosen.dax_size = size_of("--dax-size", dax_size);
        chosen.dax_base = size_of("--dax-base", dax_base);
        for (const std::string &text : rings)
            chosen.rings.insert(parse_rings(text));
        for (const std::string &text : ports)
            chosen.ports.push_back(parse_port(text));
        if (chosen.control && chosen.console == "stdio")
            throw CLI::ValidationError("--console", "stdio is where --control takes its commands "
                                                    "from: choose another end");
    } catch (const CLI::Error &error) {
        exit_status = exit_status_of(app, error);
        return std::nullopt;
    }
    chosen.wanted = parse_token(digits);
    return chosen;
}

} // namespace vmmio::platform
