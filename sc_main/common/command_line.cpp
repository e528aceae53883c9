// SPDX-License-Identifier: Apache-2.0
#include "command_line.h"

#include "number.h"

#include <cstdlib>

namespace vmmio
{

std::uint64_t size_of(const std::string &option, std::string_view text)
{
    const auto size = parse_size(text);
    if (!size)
        throw CLI::ValidationError(option, "'" + std::string(text) +
                                               "' is no number of bytes: write e.g. 65536, 0x10000 "
                                               "or 64k, with a suffix k, M, G or none");
    return *size;
}

int exit_status_of(const CLI::App &app, const CLI::Error &thrown)
{
    return app.exit(thrown) == EXIT_SUCCESS ? EXIT_SUCCESS : exit_bad_options;
}

} // namespace vmmio
