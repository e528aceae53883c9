// SPDX-License-Identifier: Apache-2.0
#include "measure.h"

#include <benchmark/benchmark.h>
#include <cstdio>
#include <stdexcept>
#include <valgrind/callgrind.h>

namespace vmmio_bench
{

namespace
{

constexpr std::uint64_t batch = 64; // the operations of one turn of the largest case
constexpr std::uint64_t warm_up = 10 * batch;
constexpr std::uint64_t counted = 100 * batch;

void count_instructions(const bench_case &c)
{
    c.prepare();
    c.operate(warm_up);
    const std::uint64_t clocks = c.clocks ? c.clocks() : 0;
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
    CALLGRIND_TOGGLE_COLLECT;
    c.operate(counted);
    CALLGRIND_TOGGLE_COLLECT;
    CALLGRIND_DUMP_STATS_AT(c.name.c_str());
    CALLGRIND_STOP_INSTRUMENTATION;
    std::printf("%s %llu\n", c.name.c_str(), static_cast<unsigned long long>(counted));
    if (c.clocks)
        std::printf("%s: %llu clocks\n", c.name.c_str(),
                    static_cast<unsigned long long>(c.clocks() - clocks));
}

void measure_time(benchmark::State &state, const bench_case &c)
{
    c.prepare();
    const std::uint64_t clocks = c.clocks ? c.clocks() : 0;
    while (state.KeepRunningBatch(batch))
        c.operate(batch);
    if (c.clocks)
        state.counters["clocks"] = benchmark::Counter(static_cast<double>(c.clocks() - clocks),
                                                      benchmark::Counter::kIsRate);
}

} // namespace

void require(bool ok, const std::string &what)
{
    if (!ok)
        throw std::runtime_error(what);
}

void measure(const std::vector<bench_case> &cases)
{
    if (RUNNING_ON_VALGRIND) {
        for (const bench_case &c : cases)
            count_instructions(c);
        return;
    }
    for (const bench_case &c : cases)
        benchmark::RegisterBenchmark(c.name.c_str(), measure_time, c);
    benchmark::RunSpecifiedBenchmarks();
}

} // namespace vmmio_bench
