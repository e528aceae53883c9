// SPDX-License-Identifier: Apache-2.0
/// @file console.h
/// The words of the command line about the console device.
#ifndef VMMIO_PLATFORM_CONSOLE_H
#define VMMIO_PLATFORM_CONSOLE_H

#include "vmmio/tlm/host_stream.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace vmmio::platform
{

/// The host's end of a port: stdio, pty, pty:LINK, listen:PATH, connect:PATH or file:PATH.
/// @throws std::runtime_error that says what to change.
std::unique_ptr<host_stream> make_stream(const std::string &where);

/// Columns and rows of "80x25".
/// @throws std::runtime_error that says what to write.
std::pair<std::uint16_t, std::uint16_t> parse_characters(const std::string &text);

} // namespace vmmio::platform
#endif
