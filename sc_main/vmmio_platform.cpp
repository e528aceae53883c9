// SPDX-License-Identifier: Apache-2.0
// An entropy and a pmem device in SystemC, attached to a stock QEMU. See docs/vfio-user.md.
#include "platform/machine.h"

#include <cstdlib>
#include <exception>

int sc_main(int argc, char *argv[])
{
    int exit_status = EXIT_SUCCESS;
    const auto chosen = vmmio::platform::parse_options(argc, argv, exit_status);
    if (!chosen)
        return exit_status;
    try {
        vmmio::platform::machine machine("machine", *chosen);
        fmt::print("ready: {}\n", chosen->socket);
        std::fflush(stdout);
        sc_core::sc_start();
    } catch (const std::exception &error) {
        fmt::print(stderr, "vmmio-platform: {}\n", error.what());
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
