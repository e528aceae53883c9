// SPDX-License-Identifier: Apache-2.0
/// @file command_line.h
/// What the command lines of all programs have in common.
#ifndef VMMIO_COMMON_COMMAND_LINE_H
#define VMMIO_COMMON_COMMAND_LINE_H

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace vmmio
{

/// Exit status of a program whose options cannot work.
constexpr int exit_bad_options = 2;

/// Bytes or an address as `option` gives them; see parse_size.
/// @throws CLI::ValidationError that says what to write.
std::uint64_t size_of(const std::string &option, std::string_view text);

/// Prints what app.parse() threw, help or a mistake, and gives the exit status for it.
int exit_status_of(const CLI::App &app, const CLI::Error &thrown);

} // namespace vmmio

#endif
