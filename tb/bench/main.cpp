// SPDX-License-Identifier: Apache-2.0
// vmmio-bench: under callgrind counts instructions (run.py does that), alone measures time.
#include "cases.h"

#include <benchmark/benchmark.h>
#include <cstdio>
#include <exception>
#include <systemc>

namespace
{

// The cases need a process, because some of them wait.
class runner : public sc_core::sc_module
{
public:
    explicit runner(sc_core::sc_module_name name) : sc_module(name)
    {
        SC_HAS_PROCESS(runner);
        SC_THREAD(run);
        set_stack_size(1 << 20);
        for (auto make : {vmmio_bench::make_register_fixture, vmmio_bench::make_shm_fixture,
                          vmmio_bench::make_ring_fixture, vmmio_bench::make_rtl_fixture})
            fixtures_.push_back(make());
    }

private:
    void run()
    {
        std::vector<vmmio_bench::bench_case> cases;
        for (const auto &fixture : fixtures_)
            fixture->add_cases(cases);
        vmmio_bench::measure(cases);
        sc_core::sc_stop();
    }

    std::vector<std::unique_ptr<vmmio_bench::fixture>> fixtures_;
};

} // namespace

int sc_main(int argc, char **argv)
{
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv))
        return 2;
    try {
        runner top("top");
        sc_core::sc_start();
    } catch (const std::exception &error) {
        std::fprintf(stderr, "vmmio-bench: error: %s\n", error.what());
        return 1;
    }
    return 0;
}
