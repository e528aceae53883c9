// SPDX-License-Identifier: Apache-2.0
#include "number.h"

#include <charconv>

namespace vmmio
{

std::optional<std::uint64_t> parse_unsigned(std::string_view text)
{
    int base = 10;
    if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text.remove_prefix(2);
    } else if (text.size() > 1 && text[0] == '0') {
        base = 8;
        text.remove_prefix(1);
    }
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

std::optional<std::uint64_t> parse_number(std::string_view text)
{
    if (text.empty() || text[0] != '-')
        return parse_unsigned(text);
    const auto value = parse_unsigned(text.substr(1));
    if (!value)
        return std::nullopt;
    return 0 - *value;
}

std::optional<std::uint64_t> parse_size(std::string_view text)
{
    unsigned shift = 0;
    if (!text.empty())
        switch (text.back()) {
        case 'k':
        case 'K':
            shift = 10;
            break;
        case 'm':
        case 'M':
            shift = 20;
            break;
        case 'g':
        case 'G':
            shift = 30;
            break;
        default:
            break;
        }
    if (shift != 0)
        text.remove_suffix(1);
    const auto value = parse_unsigned(text);
    if (!value || *value > UINT64_MAX >> shift)
        return std::nullopt;
    return *value << shift;
}

} // namespace vmmio
