// SPDX-License-Identifier: Apache-2.0
// The port for scripts: a virtio-mmio device behind QEMU's qtest protocol. See docs/qtest.md.
#include "common/command_line.h"
#include "qtest/line_reader.h"
#include "qtest/machine.h"
#include "qtest/options.h"
#include "qtest/session.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <systemc>
#include <unistd.h>

namespace
{

using namespace vmmio::qtest;

// Whatever else prints to standard output, SystemC's reports for one, must not get among the
// replies: they go out by a descriptor of their own, and standard output becomes standard error.
std::FILE *take_standard_output()
{
    std::fflush(stdout);
    const int own = ::dup(STDOUT_FILENO);
    if (own < 0 || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return nullptr;
    return ::fdopen(own, "w");
}

// Until the client has gone.
void serve(machine &on, std::FILE *replies)
{
    session talk(on);
    line_reader reader(STDIN_FILENO, line_max);
    std::string line;
    for (;;) {
        const input got = reader.next(line);
        if (got == input::end)
            return;
        const std::string reply = got == input::line       ? talk.execute(line)
                                  : got == input::too_long ? session::fail("the line is too long")
                                                           : session::fail("the line has no end");
        if (std::fwrite(reply.data(), 1, reply.size(), replies) != reply.size() ||
            std::fflush(replies) != 0)
            return;
    }
}

} // namespace

int sc_main(int argc, char *argv[])
{
    std::optional<int> exit_status;
    const options chosen = parse_options(argc, argv, exit_status);
    if (exit_status)
        return *exit_status;

    std::FILE *replies = take_standard_output();
    if (!replies) {
        std::perror("vmmio-qtest: standard output");
        return EXIT_FAILURE;
    }
    std::signal(SIGPIPE, SIG_IGN);
    try {
        machine built(chosen);
        built.device().run([&] { serve(built, replies); });
    } catch (const std::exception &mistake) {
        std::fprintf(stderr, "vmmio-qtest: %s\n", mistake.what());
        return vmmio::exit_bad_options;
    }
    std::fclose(replies);
    return EXIT_SUCCESS;
}
