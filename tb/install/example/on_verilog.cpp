// SPDX-License-Identifier: Apache-2.0
// A device on Verilog registers that were verilated in this project.
#include "platform.h"
#include <cstdio>
#include <vmmio/tlm/devices.h>
#include <vmmio/tlm/rtl_device.h>

namespace vmmio::rtl_sets
{
extern const rtl_set own;
}

struct master : sc_core::sc_module {
    tlm_utils::simple_initiator_socket<master> bus{"bus"};
    explicit master(sc_core::sc_module_name name) : sc_module(name) {}
};

int sc_main(int, char *[])
{
    vmmio::rtl_options registers;
    registers.sets = {&vmmio::rtl_sets::own};
    vmmio::device_options options;
    options.form = vmmio::rtl_form(registers);
    options.vendor_id = 0x1234;
    options.queue_size_max = 64;
    vmmio::null_device device("device", options);
    ram memory("memory");
    master cpu("cpu");
    sc_core::sc_signal<bool> irq("irq");
    cpu.bus.bind(device.registers);
    device.dma().bind(memory.socket);
    device.interrupt.bind(irq);
    sc_core::sc_start(sc_core::SC_ZERO_TIME);

    std::uint32_t vendor = 0;
    tlm::tlm_generic_payload read;
    read.set_command(tlm::TLM_READ_COMMAND);
    read.set_address(VMMIO_REG_VENDOR_ID);
    read.set_data_ptr(reinterpret_cast<unsigned char *>(&vendor));
    read.set_data_length(4);
    read.set_streaming_width(4);
    sc_core::sc_time delay;
    cpu.bus->b_transport(read, delay);
    std::printf("VendorID 0x%x after %llu clocks\n", vendor,
                static_cast<unsigned long long>(device.form()->clocks().run));
    return vendor == 0x1234 ? 0 : 1;
}
