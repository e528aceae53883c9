// SPDX-License-Identifier: Apache-2.0
#include "form.h"
#include "vmmio/tlm/rtl_axi_device.h"

namespace vmmio
{

device_options rtl_axi_device::on_pins(device_options options, const rtl_options &verilog,
                                       rtl::form *&made)
{
    options.form = [&made, verilog](const std::string &name) {
        auto form = std::make_unique<rtl::form>(name, verilog, true);
        made = form.get();
        return form;
    };
    return options;
}

rtl_axi_device::rtl_axi_device(sc_core::sc_module_name name, vmmio_function &what,
                               const rtl_options &verilog, const device_options &options)
    : device(name, what, on_pins(options, verilog, function_holder::function))
{
    nobody_.bind(device::registers);
    SC_HAS_PROCESS(rtl_axi_device);
    SC_METHOD(edge);
    sensitive << aclk.pos();
    dont_initialize();
}

void rtl_axi_device::edge()
{
    rtl::form &form = *function_holder::function;
    if (!aresetn.read()) {
        form.hold_in_reset();
        in_reset_ = true;
    } else if (in_reset_) {
        form.release_reset();
        in_reset_ = false;
    } else {
        rtl::bus_inputs in;
        in.awaddr = static_cast<std::uint16_t>(s_axil_awaddr.read());
        in.awvalid = s_axil_awvalid.read();
        in.wdata = static_cast<std::uint32_t>(s_axil_wdata.read());
        in.wstrb = static_cast<std::uint8_t>(s_axil_wstrb.read());
        in.wvalid = s_axil_wvalid.read();
        in.bready = s_axil_bready.read();
        in.araddr = static_cast<std::uint16_t>(s_axil_araddr.read());
        in.arvalid = s_axil_arvalid.read();
        in.rready = s_axil_rready.read();
        form.clock(in);
        if (vmmio_device_has_work(&model()))
            resume_work();
    }
    drive();
}

void rtl_axi_device::drive()
{
    const rtl_pins &p = function_holder::function->pins();
    s_axil_awready.write(p.s_axil_awready && !in_reset_);
    s_axil_wready.write(p.s_axil_wready && !in_reset_);
    s_axil_bresp.write(0);
    s_axil_bvalid.write(p.s_axil_bvalid);
    s_axil_arready.write(p.s_axil_arready && !in_reset_);
    s_axil_rdata.write(p.s_axil_rdata);
    s_axil_rresp.write(0);
    s_axil_rvalid.write(p.s_axil_rvalid);
}

} // namespace vmmio
