// SPDX-License-Identifier: Apache-2.0
/// @file router.h
/// A loosely timed bus: decodes addresses and takes no time.
#ifndef VMMIO_TLM_ROUTER_H
#define VMMIO_TLM_ROUTER_H

#include <cstdint>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <vector>

namespace vmmio
{

/// Passes each transaction on to the window that holds all of it; where there is none it answers
/// TLM_ADDRESS_ERROR_RESPONSE. DMI and its invalidation are translated and cut at the window's
/// borders. Non-blocking calls are converted by the sockets.
class router : public sc_core::sc_module
{
public:
    /// What a target sees: the offset in its window, or the whole address. `shared_memory()` of a
    /// device wants the whole address.
    enum class addressing { relative, absolute };

    /// The addresses of one target.
    struct window {
        std::uint64_t base;
        std::uint64_t size; ///< bytes, not 0
        addressing seen = addressing::relative;
    };

    sc_core::sc_vector<tlm_utils::simple_target_socket<router>> in;
    sc_core::sc_vector<tlm_utils::simple_initiator_socket_tagged<router>> out; ///< as windows

    /// Windows that overlap, wrap or have no bytes are reported as an SC_ERROR.
    /// @param inputs how many initiators bind to `in`.
    router(sc_core::sc_module_name name, unsigned inputs, const std::vector<window> &windows);

private:
    static constexpr std::size_t none = SIZE_MAX;

    std::size_t decode(std::uint64_t address, std::uint64_t length) const;
    void refuse(std::uint64_t address, tlm::tlm_dmi &dmi) const;

    void b_transport(tlm::tlm_generic_payload &trans, sc_core::sc_time &delay);
    unsigned transport_dbg(tlm::tlm_generic_payload &trans);
    bool get_direct_mem_ptr(tlm::tlm_generic_payload &trans, tlm::tlm_dmi &dmi);
    void invalidate(int target, sc_dt::uint64 start, sc_dt::uint64 last);

    std::vector<window> windows_;
};

} // namespace vmmio
#endif
