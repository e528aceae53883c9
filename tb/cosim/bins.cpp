/* SPDX-License-Identifier: Apache-2.0 */
#include "bins.h"

#include <algorithm>
#include <iomanip>

namespace vmmio::tb
{

namespace
{

struct family {
    std::string name;
    unsigned count;
    bool reachable;
};

const std::vector<family> &families()
{
    static const std::vector<family> all = {
#define VMMIO_X(name, count, reachable) {#name, count, reachable},
        VMMIO_BINS(VMMIO_X)
#undef VMMIO_X
    };
    return all;
}

} // namespace

bins::bins()
{
    unsigned first = 0;

    for (const family &f : families()) {
        first_.push_back(first);
        first += std::max(f.count, 1u); // room for a hit of what cannot be
    }
    counts_.resize(first);
}

bins::total bins::sum() const
{
    total all;

    for (unsigned i = 0; i < families().size(); i++)
        for (unsigned j = 0; families()[i].reachable && j < families()[i].count; j++) {
            all.reachable++;
            all.hit += counts_[first_[i] + j] != 0;
        }
    return all;
}

void bins::print(std::ostream &out) const
{
    out << "  bins     hit       least        most\n";
    for (unsigned i = 0; i < families().size(); i++) {
        const family &f = families()[i];
        if (!f.reachable || f.count == 0)
            continue;
        const auto begin = counts_.begin() + first_[i], end = begin + f.count;
        const auto hit = f.count - std::count(begin, end, 0u);
        out << (hit == f.count ? "  " : "* ") << std::setw(4) << f.count << std::setw(8) << hit
            << std::setw(12) << *std::min_element(begin, end) << std::setw(12)
            << *std::max_element(begin, end) << "  " << f.name << "\n";
    }
}

std::vector<std::string> bins::empty() const
{
    std::vector<std::string> names;

    for (unsigned i = 0; i < families().size(); i++)
        for (unsigned j = 0; families()[i].reachable && j < families()[i].count; j++)
            if (counts_[first_[i] + j] == 0)
                names.push_back(families()[i].name + " " + std::to_string(j));
    return names;
}

} // namespace vmmio::tb
