// SPDX-License-Identifier: Apache-2.0
/// @file rtl_axi_device.h
/// The Verilog register block with its AXI4-Lite pins, for a fabric of signals. Link vmmio::rtl.
#ifndef VMMIO_TLM_RTL_AXI_DEVICE_H
#define VMMIO_TLM_RTL_AXI_DEVICE_H

#include "vmmio/tlm/devices.h"
#include "vmmio/tlm/rtl_device.h"

#include <cstdint>
#include <systemc>
#include <tlm_utils/simple_initiator_socket.h>

namespace vmmio
{

namespace rtl
{
class form;
}

/// A device whose registers are on AXI4-Lite pins instead of the `registers` socket, which is bound
/// already. The rest is as in `device`: dma(), shared_memory(), interrupt, regions.
///
/// Each rising edge of aclk steps the verilated block once; inputs count as they were before the
/// edge, outputs change after it. What queues and function have to say goes into the block between
/// two edges. aresetn is synchronous: queues and function are reset with it, and the region table
/// and config space are loaded again after it.
///
/// Nothing tells what a driver does wrong at the registers, and nothing compares them:
/// options.strict and rtl_options::lockstep have no effect. At ten times the cost of an access it
/// is for users who need the pins.
class rtl_axi_device : private function_holder<rtl::form *>, public device
{
public:
    sc_core::sc_in<bool> aclk{"aclk"};
    sc_core::sc_in<bool> aresetn{"aresetn"};

    sc_core::sc_in<sc_dt::sc_uint<12>> s_axil_awaddr{"s_axil_awaddr"};
    sc_core::sc_in<sc_dt::sc_uint<3>> s_axil_awprot{"s_axil_awprot"}; ///< ignored
    sc_core::sc_in<bool> s_axil_awvalid{"s_axil_awvalid"};
    sc_core::sc_out<bool> s_axil_awready{"s_axil_awready"};
    sc_core::sc_in<sc_dt::sc_uint<32>> s_axil_wdata{"s_axil_wdata"};
    sc_core::sc_in<sc_dt::sc_uint<4>> s_axil_wstrb{"s_axil_wstrb"};
    sc_core::sc_in<bool> s_axil_wvalid{"s_axil_wvalid"};
    sc_core::sc_out<bool> s_axil_wready{"s_axil_wready"};
    sc_core::sc_out<sc_dt::sc_uint<2>> s_axil_bresp{"s_axil_bresp"}; ///< always OKAY
    sc_core::sc_out<bool> s_axil_bvalid{"s_axil_bvalid"};
    sc_core::sc_in<bool> s_axil_bready{"s_axil_bready"};
    sc_core::sc_in<sc_dt::sc_uint<12>> s_axil_araddr{"s_axil_araddr"};
    sc_core::sc_in<sc_dt::sc_uint<3>> s_axil_arprot{"s_axil_arprot"}; ///< ignored
    sc_core::sc_in<bool> s_axil_arvalid{"s_axil_arvalid"};
    sc_core::sc_out<bool> s_axil_arready{"s_axil_arready"};
    sc_core::sc_out<sc_dt::sc_uint<32>> s_axil_rdata{"s_axil_rdata"};
    sc_core::sc_out<sc_dt::sc_uint<2>> s_axil_rresp{"s_axil_rresp"}; ///< always OKAY
    sc_core::sc_out<bool> s_axil_rvalid{"s_axil_rvalid"};
    sc_core::sc_in<bool> s_axil_rready{"s_axil_rready"};

    /// @param what the device does; not owned, must outlive the module.
    rtl_axi_device(sc_core::sc_module_name name, vmmio_function &what,
                   const rtl_options &verilog = {}, const device_options &options = {});

private:
    static device_options on_pins(device_options options, const rtl_options &verilog,
                                  rtl::form *&made);
    void edge();
    void drive();

    tlm_utils::simple_initiator_socket<rtl_axi_device> nobody_{"nobody"};
    bool in_reset_ = false;
};

} // namespace vmmio

#endif
