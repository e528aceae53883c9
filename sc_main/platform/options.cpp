// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include <CLI/CLI.hpp>

namespace vmmio::platform
{

std::optional<options> parse_options(int argc, char *argv[], int &exit_status)
{
    options chosen;
    std::string digits;
    CLI::App app("An entropy and a pmem virtio-mmio device in SystemC for a stock QEMU "
                 "(vfio-user-pci)");
    app.add_option("--socket", chosen.socket, "UNIX socket to listen on")->required();
    app.add_option("--shm-file", chosen.shm_file,
                   "file behind shared memory region 0 of the pmem device; made if absent")
        ->required();
    app.add_option("--shm-size", chosen.shm_size, "bytes of the region")
        ->required()
        ->check(CLI::PositiveNumber);
    app.add_option("--shm-base", chosen.shm_base, "guest physical address of the region")
        ->required()
        ->check(CLI::PositiveNumber);
    app.add_option("--bar", chosen.bar,
                   "address of BAR0 that the guest's tables name; a guest that puts it elsewhere "
                   "is reported");
    app.add_option("--trace", chosen.trace, "write a line for each register access to this file");
    app.add_option("--find-token", digits,
                   "look for the pattern file with this token in the region (32 hex digits)")
        ->check([](const std::string &text) {
            return parse_token(text) ? "" : "32 hexadecimal digits are needed";
        });
    app.add_option("--report", chosen.report, "file for the report in JSON")->required();
    app.add_flag("--once,!--keep-listening", chosen.once,
                 "end when the first client has gone (default), or wait for the next");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
        exit_status = app.exit(error);
        return std::nullopt;
    }
    chosen.wanted = parse_token(digits);
    return chosen;
}

} // namespace vmmio::platform
