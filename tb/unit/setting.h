/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file setting.h
 * Numbers by which the environment repeats or lengthens a random test.
 */
#ifndef VMMIO_TB_SETTING_H
#define VMMIO_TB_SETTING_H

#include <cstdint>
#include <cstdlib>

namespace vmmio::tb
{

/** The variable's value, or `usual` where it is not set. */
inline uint64_t setting(const char *name, uint64_t usual)
{
    const char *text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 0) : usual;
}

} // namespace vmmio::tb
#endif
