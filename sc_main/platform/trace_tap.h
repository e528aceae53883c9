// SPDX-License-Identifier: Apache-2.0
/// @file trace_tap.h
/// Sits in front of the devices and writes a line for each register access:
/// `time device R|W offset width value name`, time in seconds of the host's clock.
#ifndef VMMIO_PLATFORM_TRACE_TAP_H
#define VMMIO_PLATFORM_TRACE_TAP_H

#include "vmmio/registers.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <fstream>
#include <stdexcept>
#include <string>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <vector>

namespace vmmio::platform
{

/// The specification's name of the register at offset; "-" if there is none.
inline const char *register_name(std::uint64_t offset)
{
    switch (offset) {
#define VMMIO_X(id, name, at, access)                                                              \
    case at:                                                                                       \
        return name;
        VMMIO_REGISTERS(VMMIO_X)
#undef VMMIO_X
    default:
        return offset >= VMMIO_REG_CONFIG ? "Config" : "-";
    }
}

class trace_tap : public sc_core::sc_module
{
public:
    tlm_utils::simple_target_socket<trace_tap> in{"in"};
    tlm_utils::simple_initiator_socket<trace_tap> out{"out"};

    /// @param devices names of the devices, one for each register block.
    /// @throws std::runtime_error if path cannot be written.
    trace_tap(sc_core::sc_module_name name, const std::string &path,
              std::vector<std::string> devices)
        : sc_module(name), devices_(std::move(devices)), file_(path)
    {
        if (!file_)
            throw std::runtime_error(fmt::format("cannot write the trace to \"{}\": choose a file "
                                                 "in a writable directory",
                                                 path));
        in.register_b_transport(this, &trace_tap::pass);
    }

private:
    void pass(tlm::tlm_generic_payload &trans, sc_core::sc_time &delay)
    {
        out->b_transport(trans, delay);
        const std::uint64_t device = trans.get_address() / VMMIO_BLOCK_SIZE;
        const std::uint64_t offset = trans.get_address() % VMMIO_BLOCK_SIZE;
        const std::size_t width = std::min<std::size_t>(trans.get_data_length(), 8);
        std::uint64_t value = 0;
        std::memcpy(&value, trans.get_data_ptr(), width);
        const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start_;
        fmt::print(file_, "{:.6f} {} {} {:03x} {} {:0{}x} {}\n", time.count(),
                   device < devices_.size() ? devices_[device] : "none",
                   trans.is_read() ? 'R' : 'W', offset, 8 * width, value, 2 * width,
                   register_name(offset));
    }

    std::vector<std::string> devices_;
    std::ofstream file_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

} // namespace vmmio::platform
#endif
