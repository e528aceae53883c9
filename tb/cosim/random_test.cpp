/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verilog and C answer alike, whatever a driver and a back side do.
 *
 * VMMIO_SEED and VMMIO_ACCESSES repeat or lengthen a run: episode n of it has the seed
 * VMMIO_SEED + n, and follows from that alone.
 */
#include "rows.h"
#include "setting.h"
#include "stimulus.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <gtest/gtest.h>
#include <iostream>

namespace vmmio::tb
{
namespace
{

constexpr uint64_t per_episode = 2000;
constexpr uint64_t enough_for_bins = 1000000; // fewer accesses cannot be expected to reach all

/* Everything that is needed to look at a difference; the second run has a trace. */
std::string report(uint64_t seed, const episode_options &options)
{
    bins unused;
    episode_options again = options;

    again.fst = "rtl_" RTL_NAME "_seed" + std::to_string(seed) + ".fst";
    const episode e = run_episode(seed, unused, again);
    return e.difference + "\nlast accesses and events:\n" + e.history + "trace: " + again.fst +
           "\nrepeat with: VMMIO_SEED=" + std::to_string(seed) +
           " VMMIO_ACCESSES=" + std::to_string(options.accesses) +
           " build/bin/rtl_" RTL_NAME " --gtest_filter=random.drivers\n";
}

TEST(random, drivers)
{
    ROWS("H-20", "H-30", "H-31", "H-32", "H-33", "H-62", "H-63", "H-66");
    const uint64_t first = setting("VMMIO_SEED", 1);
    const uint64_t accesses = setting("VMMIO_ACCESSES", RTL_RANDOM_ACCESSES);
    bins covered;
    episode all;

    for (uint64_t seed = first; all.accesses < accesses; seed++) {
        episode_options options;
        options.accesses = std::min(per_episode, accesses - all.accesses);
        const episode e = run_episode(seed, covered, options);
        all.accesses += e.accesses;
        all.clocks += e.clocks;
        all.events += e.events;
        if (!e.difference.empty())
            FAIL() << report(seed, options);
    }
    const bins::total total = covered.sum();
    std::cout << "seed " << first << ": " << all.accesses << " accesses, " << all.events
              << " events at the seam, " << all.clocks << " clocks, no difference; " << total.hit
              << " of " << total.reachable << " bins\n";
    covered.print(std::cout);
    if (accesses < enough_for_bins)
        std::cout << "bins are judged from " << enough_for_bins << " accesses on\n";
    for (const std::string &name : covered.empty())
        EXPECT_LT(accesses, enough_for_bins) << "empty bin: " << name;
}

/* A test of the test: one wrong bit is found, and told with all that the report promises. */
TEST(random, a_difference_is_reported)
{
    bins unused;
    episode_options options;
    options.fault_from_access = 500;

    const episode e = run_episode(7, unused, options);
    ASSERT_NE(e.difference, "");
    EXPECT_GE(e.accesses, 500u);
    EXPECT_LT(e.accesses, 520u);
    const std::string text = report(7, options);
    unsigned address = 0, rtl = 0, model = 0;
    ASSERT_EQ(std::sscanf(text.c_str(), "read of 0x%x: Verilog 0x%x, C model 0x%x", &address, &rtl,
                          &model),
              3)
        << text;
    EXPECT_EQ((rtl ^ model) >> 30, 1u);
    EXPECT_EQ(text.substr(0, e.difference.size()), e.difference) << "a run cannot be repeated";
    EXPECT_NE(text.find("VMMIO_SEED=7 "), std::string::npos);
    EXPECT_GE(std::count(text.begin(), text.end(), '\n'), 40) << text;
    const std::string name = "rtl_" RTL_NAME "_seed7.fst";
    std::ifstream trace(name, std::ios::binary | std::ios::ate);
    EXPECT_GT(trace.tellg(), 1000) << name;
    std::remove(name.c_str());
}

TEST(random, an_episode_follows_from_its_seed)
{
    bins one, two, three;
    const episode a = run_episode(11, one), b = run_episode(11, two), c = run_episode(12, three);

    EXPECT_EQ(a.clocks, b.clocks);
    EXPECT_EQ(a.events, b.events);
    EXPECT_NE(a.clocks, c.clocks);
}

} // namespace
} // namespace vmmio::tb
