// SPDX-License-Identifier: Apache-2.0
/// @file cases.h
/// The cases by kind. Each function builds what its cases need and must be called before
/// simulation starts; the cases themselves run in a process of the simulation.
#ifndef VMMIO_TB_BENCH_CASES_H
#define VMMIO_TB_BENCH_CASES_H

#include "measure.h"

#include <memory>
#include <vector>

namespace vmmio_bench
{

/// Owns the modules of some cases.
class fixture
{
public:
    virtual ~fixture() = default;

    /// Appends its cases, which refer to it.
    virtual void add_cases(std::vector<bench_case> &cases) = 0;
};

std::unique_ptr<fixture> make_register_fixture();
std::unique_ptr<fixture> make_shm_fixture();
std::unique_ptr<fixture> make_ring_fixture();
std::unique_ptr<fixture> make_rtl_fixture();

} // namespace vmmio_bench

#endif
