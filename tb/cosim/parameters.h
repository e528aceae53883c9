/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file parameters.h
 * The parameters that the Verilog of this program was built with, for the C model beside it.
 */
#ifndef VMMIO_TB_COSIM_PARAMETERS_H
#define VMMIO_TB_COSIM_PARAMETERS_H

#include "vmmio/register_block.h"

#include <cstdint>
#include <string>
#include <vector>

namespace vmmio::tb
{

inline constexpr unsigned queue_count = RTL_QUEUES;
inline constexpr unsigned region_count = RTL_REGIONS;
inline constexpr unsigned config_bytes = RTL_CONFIG_BYTES;
inline constexpr bool hold_reset = RTL_HOLD_RESET;

/** The field of `bits` (at most 32, a multiple of 4) bits from the right that has this index. */
inline uint32_t hex_field(const std::string &digits, unsigned bits, unsigned index)
{
    const size_t width = bits / 4;
    const size_t end = digits.size() > width * index ? digits.size() - width * index : 0;
    const size_t begin = end > width ? end - width : 0;
    return end ? static_cast<uint32_t>(std::stoul(digits.substr(begin, end - begin), nullptr, 16))
               : 0;
}

/** Whether FEATURES has this bit. */
inline bool offers(unsigned bit) { return hex_field(RTL_FEATURES, 32, bit / 32) >> bit % 32 & 1; }

inline const bool suspend_offered = offers(VMMIO_F_SUSPEND);
inline const bool ring_reset_offered = offers(VMMIO_F_RING_RESET);
inline const bool packed_offered = offers(VMMIO_F_RING_PACKED);
inline const bool notification_data_offered = offers(VMMIO_F_NOTIFICATION_DATA);

inline uint32_t size_max(unsigned queue) { return hex_field(RTL_SIZES, 16, queue); }

inline vmmio_features parameter_features(const std::string &digits)
{
    return {{hex_field(digits, 32, 0), hex_field(digits, 32, 1), hex_field(digits, 32, 2),
             hex_field(digits, 32, 3)}};
}

inline vmmio_features offered() { return parameter_features(RTL_FEATURES); }
inline vmmio_features required() { return parameter_features(RTL_REQUIRED); }

inline std::vector<vmmio_feature_dependency> dependencies()
{
    std::vector<vmmio_feature_dependency> pairs;
    for (unsigned i = 0; i != RTL_PAIRS; i++)
        pairs.push_back({static_cast<uint8_t>(hex_field(RTL_DEPENDENCIES, 8, 2 * i)),
                         static_cast<uint8_t>(hex_field(RTL_DEPENDENCIES, 8, 2 * i + 1))});
    return pairs;
}

} // namespace vmmio::tb
#endif
