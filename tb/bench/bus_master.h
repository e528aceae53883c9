// SPDX-License-Identifier: Apache-2.0
/// @file bus_master.h
/// A plain TLM-2.0 initiator: the processor of the measurements.
#ifndef VMMIO_TB_BENCH_BUS_MASTER_H
#define VMMIO_TB_BENCH_BUS_MASTER_H

#include <cstdint>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>

namespace vmmio_bench
{

/// Sets all mandatory attributes for each access, as the standard demands of an initiator that
/// uses a payload again, and starts each at local time 0.
class bus_master
{
public:
    tlm_utils::simple_initiator_socket<bus_master> socket;
    std::uint64_t errors = 0;        ///< answers other than OK, short debug transfers, no grant
    std::uint64_t invalidations = 0; ///< of DMI pointers

    explicit bus_master(const char *name) : socket(name)
    {
        socket.register_invalidate_direct_mem_ptr(this, &bus_master::invalidate);
    }

    std::uint32_t read(std::uint64_t address)
    {
        std::uint32_t value = 0;
        transport(tlm::TLM_READ_COMMAND, address, &value);
        return value;
    }

    void write(std::uint64_t address, std::uint32_t value)
    {
        transport(tlm::TLM_WRITE_COMMAND, address, &value);
    }

    std::uint32_t debug_read(std::uint64_t address)
    {
        std::uint32_t value = 0;
        describe(tlm::TLM_READ_COMMAND, address, &value);
        if (socket->transport_dbg(payload_) != sizeof(value))
            errors++;
        return value;
    }

    tlm::tlm_dmi ask_for_dmi(std::uint64_t address)
    {
        tlm::tlm_dmi dmi;
        describe(tlm::TLM_READ_COMMAND, address, nullptr);
        if (!socket->get_direct_mem_ptr(payload_, dmi))
            errors++;
        return dmi;
    }

private:
    void describe(tlm::tlm_command command, std::uint64_t address, std::uint32_t *data)
    {
        payload_.set_command(command);
        payload_.set_address(address);
        payload_.set_data_ptr(reinterpret_cast<unsigned char *>(data));
        payload_.set_data_length(sizeof(*data));
        payload_.set_streaming_width(sizeof(*data));
        payload_.set_byte_enable_ptr(nullptr);
        payload_.set_byte_enable_length(0);
        payload_.set_dmi_allowed(false);
        payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    }

    void transport(tlm::tlm_command command, std::uint64_t address, std::uint32_t *data)
    {
        sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
        describe(command, address, data);
        socket->b_transport(payload_, delay);
        if (!payload_.is_response_ok())
            errors++;
    }

    void invalidate(sc_dt::uint64, sc_dt::uint64) { invalidations++; }

    tlm::tlm_generic_payload payload_;
};

} // namespace vmmio_bench

#endif
