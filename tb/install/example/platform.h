// SPDX-License-Identifier: Apache-2.0
// What a platform has anyway: a processor, whose program finds the shared memory region through the
// registers and works in it, and RAM.
#ifndef PLATFORM_H
#define PLATFORM_H

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <vmmio/registers.h>

class processor : public sc_core::sc_module
{
public:
    tlm_utils::simple_initiator_socket<processor> bus;

    explicit processor(sc_core::sc_module_name name) : sc_module(name), bus("bus")
    {
        sc_core::sc_spawn([this] { program(); }, "program");
    }

private:
    static constexpr std::uint64_t device = 0x0a000000;

    std::uint32_t access(tlm::tlm_command command, std::uint64_t address, std::uint32_t value)
    {
        tlm::tlm_generic_payload transaction;
        sc_core::sc_time delay;
        transaction.set_command(command);
        transaction.set_address(address);
        transaction.set_data_ptr(reinterpret_cast<unsigned char *>(&value));
        transaction.set_data_length(4);
        transaction.set_streaming_width(4);
        bus->b_transport(transaction, delay);
        sc_core::wait(delay);
        if (!transaction.is_response_ok())
            SC_REPORT_ERROR("processor", "bus error");
        return value;
    }

    std::uint32_t read(std::uint64_t address) { return access(tlm::TLM_READ_COMMAND, address, 0); }

    std::uint64_t read_pair(std::uint64_t low)
    {
        return read(low) | std::uint64_t(read(low + 4)) << 32;
    }

    void program()
    {
        access(tlm::TLM_WRITE_COMMAND, device + VMMIO_REG_SHM_SEL, 0);
        const std::uint64_t length = read_pair(device + VMMIO_REG_SHM_LEN_LOW);
        const std::uint64_t base = read_pair(device + VMMIO_REG_SHM_BASE_LOW);
        std::printf("region at 0x%llx, 0x%llx bytes\n", static_cast<unsigned long long>(base),
                    static_cast<unsigned long long>(length));

        tlm::tlm_generic_payload request;
        tlm::tlm_dmi direct;
        request.set_write();
        request.set_address(base);
        if (!bus->get_direct_mem_ptr(request, direct) || direct.get_start_address() != base)
            SC_REPORT_ERROR("processor", "no direct memory pointer");
        std::memcpy(direct.get_dmi_ptr(), "hell", 4);
        access(tlm::TLM_WRITE_COMMAND, base + 4,
               'o'); // by transaction, behind what went by pointer
        std::printf("bytes of the driver in the region: %s\n",
                    reinterpret_cast<const char *>(direct.get_dmi_ptr()));
    }
};

class ram : public sc_core::sc_module
{
public:
    static constexpr unsigned size = 1 << 16;
    tlm_utils::simple_target_socket<ram> socket;

    explicit ram(sc_core::sc_module_name name) : sc_module(name), socket("socket")
    {
        socket.register_b_transport(this, &ram::b_transport);
    }

private:
    void b_transport(tlm::tlm_generic_payload &transaction, sc_core::sc_time &)
    {
        unsigned char *at = bytes_ + transaction.get_address(); // the bus checked the range
        if (transaction.is_read())
            std::memcpy(transaction.get_data_ptr(), at, transaction.get_data_length());
        else
            std::memcpy(at, transaction.get_data_ptr(), transaction.get_data_length());
        transaction.set_response_status(tlm::TLM_OK_RESPONSE);
    }

    unsigned char bytes_[size] = {};
};

#endif
