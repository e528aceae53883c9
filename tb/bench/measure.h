// SPDX-License-Identifier: Apache-2.0
/// @file measure.h
/// What is measured, and the two ways to measure it: instructions under callgrind, nanoseconds
/// outside of it.
#ifndef VMMIO_TB_BENCH_MEASURE_H
#define VMMIO_TB_BENCH_MEASURE_H

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace vmmio_bench
{

/// One case of the table.
struct bench_case {
    std::string name;
    std::function<void()> prepare; ///< brings about the state to measure in; not counted
    std::function<void(std::uint64_t)> operate; ///< does that many operations, a multiple of 64
    std::function<std::uint64_t()> clocks{};    ///< of a Verilog block so far; empty: there is none
};

/// Throws std::runtime_error: what was measured is not what the case says.
void require(bool ok, const std::string &what);

/// Runs every case once under callgrind with a dump of its own named after it, and prints
/// "<case> <operations>" for each, and "<case>: <clocks> clocks" if it has a clock; outside of
/// callgrind hands all of them to Google Benchmark.
void measure(const std::vector<bench_case> &cases);

} // namespace vmmio_bench

#endif
