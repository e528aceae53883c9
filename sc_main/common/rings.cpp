// SPDX-License-Identifier: Apache-2.0
#include "rings.h"

#include "command_line.h"

#include <fmt/format.h>
#include <map>
#include <sstream>

namespace vmmio
{

namespace
{

/// Everything about a ring that a driver may be offered or not.
const std::map<std::string, unsigned> ring_bits = {
    {"packed", VMMIO_F_RING_PACKED},
    {"event_idx", VMMIO_F_EVENT_IDX},
    {"indirect", VMMIO_F_INDIRECT_DESC},
    {"in_order", VMMIO_F_IN_ORDER},
};

} // namespace

vmmio_features rings_of(const std::string &option, const std::string &words)
{
    vmmio_features bits{};
    std::istringstream all(words);
    for (std::string word; std::getline(all, word, '+');) {
        const auto known = ring_bits.find(word);
        if (known == ring_bits.end() && word != "split")
            throw CLI::ValidationError(
                option, fmt::format("'{}' is nothing that rings have: choose among split, packed, "
                                    "event_idx, indirect and in_order",
                                    word));
        if (known != ring_bits.end())
            vmmio_features_add(&bits, known->second);
    }
    return bits;
}

void offer_rings(vmmio_features &features, const vmmio_features &rings)
{
    for (const auto &[word, bit] : ring_bits)
        if (vmmio_features_has(&rings, bit))
            vmmio_features_add(&features, bit);
        else
            vmmio_features_remove(&features, bit);
}

} // namespace vmmio
