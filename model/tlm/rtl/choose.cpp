// SPDX-License-Identifier: Apache-2.0
#include "choose.h"

#include <algorithm>
#include <sstream>

namespace vmmio::rtl
{

extern const std::vector<const rtl_set *> built_in; // made by CMake

namespace
{

bool same(const vmmio_features &a, const vmmio_features &b)
{
    return std::equal(a.word, a.word + 4, b.word);
}

// Only those of bits that are offered: the others can never matter.
template <typename Dependencies>
std::vector<unsigned> relevant(const vmmio_features &offered, const Dependencies &all)
{
    std::vector<unsigned> pairs;
    for (const vmmio_feature_dependency &each : all)
        if (vmmio_features_has(&offered, each.bit))
            pairs.push_back(each.bit * 256u + each.requires);
    std::sort(pairs.begin(), pairs.end());
    return pairs;
}

std::vector<vmmio_feature_dependency> dependencies_of(const vmmio_block_config &is)
{
    return {is.dependencies, is.dependencies + is.dependency_count};
}

std::vector<std::uint32_t> sizes_of(const vmmio_block_config &is)
{
    std::vector<std::uint32_t> sizes;
    for (std::uint32_t i = 0; i < is.queue_count; i++)
        sizes.push_back(is.queues[i].size_max);
    return sizes;
}

bool fits(const vmmio_block_config &is, const rtl_parameters &set)
{
    return set.device_id == is.device_id && set.vendor_id == is.vendor_id &&
           same(set.features, is.features) && same(set.required, is.required_features) &&
           set.queue_sizes == sizes_of(is) && set.config_bytes == is.config_length &&
           relevant(is.features, set.dependencies) == relevant(is.features, dependencies_of(is));
}

void list_bits(std::ostream &text, const char *what, const vmmio_features &bits)
{
    text << what;
    for (unsigned bit = 0; bit < 128; bit++)
        if (vmmio_features_has(&bits, bit))
            text << ' ' << bit;
}

std::string line_for(const vmmio_block_config &is)
{
    std::ostringstream text;
    text << "vmmio_add_rtl(TARGET NAME DEVICE_ID " << is.device_id << std::hex << " VENDOR_ID 0x"
         << is.vendor_id << std::dec;
    list_bits(text, " FEATURES", is.features);
    list_bits(text, " REQUIRED", is.required_features);
    if (const auto pairs = relevant(is.features, dependencies_of(is)); !pairs.empty()) {
        text << " DEPENDENCIES";
        for (const unsigned pair : pairs)
            text << ' ' << pair / 256 << ':' << pair % 256;
    }
    text << " QUEUE_SIZES";
    for (const std::uint32_t size : sizes_of(is))
        text << ' ' << size;
    text << " CONFIG_BYTES " << is.config_length << " REGIONS 8)";
    return text.str();
}

} // namespace

const rtl_set *choose(const vmmio_block_config &is, const std::vector<const rtl_set *> &more,
                      std::string &missing)
{
    const rtl_set *best = nullptr;
    for (const auto *sets : {&more, &built_in})
        for (const rtl_set *set : *sets)
            if (fits(is, set->parameters) &&
                (!best || set->parameters.regions > best->parameters.regions))
                best = set;
    if (!best)
        missing = line_for(is);
    return best;
}

} // namespace vmmio::rtl
