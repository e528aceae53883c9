// SPDX-License-Identifier: Apache-2.0
/// @file rate_limit.h
/// Which of many messages of one sort are let through.
#ifndef VMMIO_TLM_RATE_LIMIT_H
#define VMMIO_TLM_RATE_LIMIT_H

#include <cstdint>

namespace vmmio
{

/// A hostile driver must not fill the log: the 1st .. 4th, 8th, 16th, ... (H-38).
constexpr bool worth_reporting(std::uint64_t count)
{
    return count <= 4 || (count & (count - 1)) == 0;
}

} // namespace vmmio
#endif
