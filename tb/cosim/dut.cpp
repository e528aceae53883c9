/* SPDX-License-Identifier: Apache-2.0 */
#include "dut.h"

#include "Vvmmio_axil___024root.h"
#include <verilated_fst_c.h>
#if RTL_COVERAGE
#include <cstdlib>
#include <verilated_cov.h>
#endif

namespace vmmio::tb
{

dut::dut(uint64_t seed, const std::string &fst) : context_(std::make_unique<VerilatedContext>())
{
    // H-66: nothing may depend on what is not reset. Coverage is not to count its first change.
    context_->randReset(RTL_COVERAGE ? 0 : 2);
    context_->randSeed(static_cast<int>(seed & 0x7fffffff) | 1);
    context_->traceEverOn(!fst.empty());
    top_ = std::make_unique<Vvmmio_axil>(context_.get());
    if (!fst.empty()) {
        trace_ = std::make_unique<VerilatedFstC>();
        top_->trace(trace_.get(), 99);
        trace_->open(fst.c_str());
    }
}

dut::~dut()
{
    if (trace_)
        trace_->close();
    top_->final();
#if RTL_COVERAGE
    static unsigned written;
    if (const char *folder = std::getenv("VMMIO_COVERAGE_DIR"))
        context_->coveragep()->write(
            (std::string(folder) + "/" RTL_NAME "." + std::to_string(written++) + ".dat").c_str());
#endif
    // Verilator 5.006 takes its scopes out of the thread's context, which may be another one's.
    Verilated::threadContextp(context_.get());
}

void dut::settle()
{
    top_->clk = 0;
    top_->eval();
    if (trace_)
        trace_->dump(2 * now);
}

void dut::edge()
{
    top_->clk = 1;
    top_->eval();
    if (trace_)
        trace_->dump(2 * now + 1);
    now++;
}

bool dut::takes_write() const { return top_->rootp->vmmio_axil__DOT__write_take; }

bool dut::ends_write() const { return top_->rootp->vmmio_axil__DOT__write_done; }

} // namespace vmmio::tb
