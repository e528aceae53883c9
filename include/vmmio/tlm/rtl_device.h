// SPDX-License-Identifier: Apache-2.0
/// @file rtl_device.h
/// The Verilog register block in a `vmmio::device`. Link vmmio::rtl, which is built where Verilator
/// is found.
///
///     vmmio::device_options options;
///     options.form = vmmio::rtl_form();            // any of the devices, on Verilog registers
///     vmmio::pmem_device pmem("pmem", range, options);
///
/// What the driver reads, the interrupt line, and all that queues and function hear of the driver
/// come out of the Verilog. The C block goes the same way behind it: it gives the diagnostics (and
/// so the answers of options.strict), the region table and the debug transport, which costs the
/// Verilog no clock unless it writes. In lockstep the two are compared at each step. Save and
/// restore work as with C registers, and between the two; docs/state.md has the exceptions.
#ifndef VMMIO_TLM_RTL_DEVICE_H
#define VMMIO_TLM_RTL_DEVICE_H

#include "vmmio/tlm/device.h"
#include "vmmio/tlm/rtl_top.h"

#include <string>
#include <vector>

namespace vmmio
{

struct rtl_options {
    /// Ends the simulation with an SC_ERROR report "/vmmio/lockstep" at the first difference to the
    /// C model in a value read, the interrupt line, Status, or what the queues are told.
    bool lockstep = false;
    /// An access takes its clocks (a read 2) of this length besides options.register_latency. The
    /// clock stands still while nothing moves.
    sc_core::sc_time clock_period{10, sc_core::SC_NS};
    /// Folder in which each device writes an FST file of its name; empty: none.
    std::string trace_folder;
    /// More verilated blocks (vmmio_add_rtl) to choose from; those of vmmio::rtl are always there.
    /// The one whose parameters are those of the device is taken, with the most room for regions.
    std::vector<const rtl_set *> sets;
};

/// For device_options::form. A device for which there is no verilated block reports an SC_ERROR
/// that says which line of CMake makes one.
register_form_factory rtl_form(const rtl_options &options = {});

/// The same with options.lockstep.
register_form_factory lockstep_form(rtl_options options = {});

/// `vmmio::device` with the Verilog register block, unless options.form is another.
class rtl_device : public device
{
public:
    rtl_device(sc_core::sc_module_name name, vmmio_function &function,
               const device_options &options = {});
};

} // namespace vmmio

#endif
