// SPDX-License-Identifier: Apache-2.0
/// @file foreign_peripheral.h  A TLM peripheral that knows nothing of vmmio: copies by DMA.
#ifndef VMMIO_TB_FOREIGN_PERIPHERAL_H
#define VMMIO_TB_FOREIGN_PERIPHERAL_H

#include <cstring>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <vector>

/// 64-bit registers: 0 scratch, 1 source, 2 target, 3 bytes (a write starts), 4 status.
class foreign_peripheral : public sc_core::sc_module
{
public:
    tlm_utils::simple_target_socket<foreign_peripheral> regs{"regs"};
    tlm_utils::simple_initiator_socket<foreign_peripheral> memory{"memory"};
    sc_core::sc_out<bool> done{"done"};

    explicit foreign_peripheral(sc_core::sc_module_name name) : sc_module(name)
    {
        regs.register_b_transport(this, &foreign_peripheral::access);
        SC_HAS_PROCESS(foreign_peripheral);
        SC_THREAD(copy);
    }

private:
    void access(tlm::tlm_generic_payload &trans, sc_core::sc_time &delay)
    {
        if (trans.is_read())
            delay += sc_core::sc_time(10, sc_core::SC_NS); // writes are posted
        const std::size_t at = trans.get_address(), count = trans.get_data_length();
        if (at + count > sizeof(reg))
            return trans.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
        auto *bytes = reinterpret_cast<unsigned char *>(reg) + at;
        if (trans.is_read())
            std::memcpy(trans.get_data_ptr(), bytes, count);
        else
            std::memcpy(bytes, trans.get_data_ptr(), count);
        if (trans.is_write() && at / 8 >= 3)
            (at / 8 == 3 ? start : acknowledged).notify(sc_core::SC_ZERO_TIME);
        trans.set_response_status(tlm::TLM_OK_RESPONSE);
    }

    bool transfer(tlm::tlm_command command, std::uint64_t address, std::vector<unsigned char> &data)
    {
        tlm::tlm_generic_payload trans;
        sc_core::sc_time delay;
        trans.set_command(command);
        trans.set_address(address);
        trans.set_data_ptr(data.data());
        trans.set_data_length(static_cast<unsigned>(data.size()));
        trans.set_streaming_width(static_cast<unsigned>(data.size()));
        memory->b_transport(trans, delay);
        return trans.is_response_ok();
    }

    void copy()
    {
        for (;;) {
            wait(start);
            std::vector<unsigned char> data(reg[3]);
            const bool ok = transfer(tlm::TLM_READ_COMMAND, reg[1], data) &&
                            transfer(tlm::TLM_WRITE_COMMAND, reg[2], data);
            reg[4] = ok ? 1 : 2;
            done.write(true);
            wait(acknowledged);
            done.write(false);
        }
    }

    std::uint64_t reg[5] = {};
    sc_core::sc_event start, acknowledged;
};

#endif
