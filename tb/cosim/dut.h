/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file dut.h
 * The verilated vmmio_axil with its clock and, on demand, a trace file.
 */
#ifndef VMMIO_TB_COSIM_DUT_H
#define VMMIO_TB_COSIM_DUT_H

#include "Vvmmio_axil.h"

#include <memory>
#include <string>

class VerilatedFstC;

namespace vmmio::tb
{

class dut
{
public:
    /** What the Verilog leaves open at power-up follows from the seed. fst: a file, or none. */
    explicit dut(uint64_t seed, const std::string &fst = {});
    ~dut();

    /** First half of a clock: the inputs of the coming edge have arrived. */
    void settle();
    /** Second half: the edge, and the outputs after it. */
    void edge();

    bool takes_write() const; /**< at the coming edge */
    bool ends_write() const;  /**< likewise */

    uint64_t now = 0; /**< edges so far */

private:
    std::unique_ptr<VerilatedContext> context_;

public:
    Vvmmio_axil &pins() { return *top_; }
    const Vvmmio_axil &pins() const { return *top_; }

private:
    std::unique_ptr<Vvmmio_axil> top_;
    std::unique_ptr<VerilatedFstC> trace_;
};

} // namespace vmmio::tb
#endif
