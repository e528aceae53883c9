// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include "common/command_line.h"

namespace vmmio::platform
{

std::optional<options> parse_options(int argc, char *argv[], int &exit_status)
{
    options chosen;
    std::string size, base, bar = "0", digits;
    CLI::App app("An entropy and a pmem virtio-mmio device in SystemC for a stock QEMU "
                 "(vfio-user-pci)");
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
        chosen.shm_size = size_of("--shm-size", size);
        chosen.shm_base = size_of("--shm-base", base);
        chosen.bar = size_of("--bar", bar);
    } catch (const CLI::Error &error) {
        exit_status = exit_status_of(app, error);
        return std::nullopt;
    }
    chosen.wanted = parse_token(digits);
    return chosen;
}

} // namespace vmmio::platform
