// SPDX-License-Identifier: Apache-2.0
/// @file base64.h
/// RFC 4648 base64 with padding, for the commands b64read and b64write.
#ifndef VMMIO_QTEST_BASE64_H
#define VMMIO_QTEST_BASE64_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmmio::qtest
{

std::string base64_encode(const std::vector<std::uint8_t> &data);

/// Nothing if text is not whole groups of four characters of the alphabet with its padding.
std::optional<std::vector<std::uint8_t>> base64_decode(std::string_view text);

} // namespace vmmio::qtest

#endif
