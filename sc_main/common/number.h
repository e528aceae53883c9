// SPDX-License-Identifier: Apache-2.0
/// @file number.h
/// Integers as strtoul() with base 0 reads them: decimal, 0x..., 0...
#ifndef VMMIO_COMMON_NUMBER_H
#define VMMIO_COMMON_NUMBER_H

#include <cstdint>
#include <optional>
#include <string_view>

namespace vmmio
{

/// The whole of text as a number from 0 to 2^64-1; nothing if it is none.
std::optional<std::uint64_t> parse_unsigned(std::string_view text);

/// The same with an optional minus, which counts down from 2^64.
std::optional<std::uint64_t> parse_number(std::string_view text);

/// The same as parse_unsigned with an optional suffix k, M or G (2^10, 2^20, 2^30), any case.
std::optional<std::uint64_t> parse_size(std::string_view text);

} // namespace vmmio

#endif
