// SPDX-License-Identifier: Apache-2.0
#include "console.h"

#include "common/number.h"

#include <fmt/format.h>
#include <optional>
#include <stdexcept>
#include <string_view>

namespace vmmio::platform
{

std::unique_ptr<host_stream> make_stream(const std::string &where)
{
    const std::size_t colon = where.find(':');
    const std::string sort = where.substr(0, colon);
    const std::string path = colon == std::string::npos ? "" : where.substr(colon + 1);
    if (where == "stdio")
        return std::make_unique<stdio_stream>();
    if (sort == "pty")
        return std::make_unique<pty_stream>(path);
    if (sort == "listen")
        return std::make_unique<socket_stream>(path);
    if (sort == "connect")
        return std::make_unique<socket_stream>(path, socket_stream::role::connect);
    if (sort == "file")
        return std::make_unique<file_stream>(path);
    throw std::runtime_error(fmt::format("'{}' is no end of a console: write stdio, pty, pty:LINK, "
                                         "listen:PATH, connect:PATH or file:PATH",
                                         where));
}

std::pair<std::uint16_t, std::uint16_t> parse_characters(const std::string &text)
{
    const std::string_view all = text;
    const std::size_t sign = all.find('x');
    const auto part = [&](std::string_view digits) -> std::uint16_t {
        const auto count = parse_unsigned(digits);
        if (sign == std::string_view::npos || !count || *count > UINT16_MAX)
            throw std::runtime_error(
                fmt::format("'{}' is no size of a console: write e.g. 80x25", text));
        return static_cast<std::uint16_t>(*count);
    };
    const std::uint16_t cols = part(all.substr(0, sign));
    return {cols, part(sign == std::string_view::npos ? all : all.substr(sign + 1))};
}

} // namespace vmmio::platform
