// SPDX-License-Identifier: Apache-2.0
#include "vmmio/tlm/router.h"

#include <algorithm>
#include <string>

namespace vmmio
{

namespace
{

std::uint64_t last_of(const router::window &window) { return window.base + (window.size - 1); }

bool overlap(const router::window &one, const router::window &other)
{
    return one.base <= last_of(other) && other.base <= last_of(one);
}

} // namespace

router::router(sc_core::sc_module_name module_name, unsigned inputs,
               const std::vector<window> &windows)
    : sc_module(module_name), in("in", inputs), out("out", windows.size()), windows_(windows)
{
    const auto mistake = [this](std::size_t index, const char *what) {
        const std::string text = std::string(name()) + ": window " + std::to_string(index) + what;
        SC_REPORT_ERROR("/vmmio/platform", text.c_str());
    };
    for (std::size_t i = 0; i < windows_.size(); ++i) {
        if (windows_[i].size == 0)
            mistake(i, " has no bytes: leave it out");
        if (last_of(windows_[i]) < windows_[i].base)
            mistake(i, " ends above 2^64: lower its base or size");
        for (std::size_t other = 0; other < i; ++other)
            if (overlap(windows_[i], windows_[other]))
                mistake(i, " overlaps an earlier one: move one of them");
        out[i].register_invalidate_direct_mem_ptr(this, &router::invalidate, static_cast<int>(i));
    }
    for (auto &socket : in) {
        socket.register_b_transport(this, &router::b_transport);
        socket.register_transport_dbg(this, &router::transport_dbg);
        socket.register_get_direct_mem_ptr(this, &router::get_direct_mem_ptr);
    }
}

std::size_t router::decode(std::uint64_t address, std::uint64_t length) const
{
    for (std::size_t i = 0; i < windows_.size(); ++i) {
        const std::uint64_t offset = address - windows_[i].base;
        if (offset < windows_[i].size && length <= windows_[i].size - offset)
            return i;
    }
    return none;
}

void router::b_transport(tlm::tlm_generic_payload &trans, sc_core::sc_time &delay)
{
    const std::uint64_t address = trans.get_address();
    const std::size_t target = decode(address, trans.get_data_length());
    if (target == none) {
        trans.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
        return;
    }
    trans.set_address(address - windows_[target].base);
    out[target]->b_transport(trans, delay);
    trans.set_address(address);
}

unsigned router::transport_dbg(tlm::tlm_generic_payload &trans)
{
    const std::uint64_t address = trans.get_address();
    const std::size_t target = decode(address, trans.get_data_length());
    if (target == none)
        return 0;
    trans.set_address(address - windows_[target].base);
    const unsigned count = out[target]->transport_dbg(trans);
    trans.set_address(address);
    return count;
}

bool router::get_direct_mem_ptr(tlm::tlm_generic_payload &trans, tlm::tlm_dmi &dmi)
{
    const std::uint64_t address = trans.get_address();
    const std::size_t target = decode(address, 1);
    if (target == none) {
        dmi.init();
        return false;
    }
    const window &where = windows_[target];
    trans.set_address(address - where.base);
    const bool granted = out[target]->get_direct_mem_ptr(trans, dmi);
    trans.set_address(address);
    // What lies behind the window's end belongs to somebody else; a refusal may name all there is.
    const std::uint64_t last = std::min<std::uint64_t>(dmi.get_end_address(), where.size - 1);
    dmi.set_start_address(where.base + dmi.get_start_address());
    dmi.set_end_address(where.base + last);
    return granted;
}

void router::invalidate(int target, sc_dt::uint64 start, sc_dt::uint64 last)
{
    const window &where = windows_[static_cast<std::size_t>(target)];
    if (start >= where.size)
        return;
    const std::uint64_t end = std::min<std::uint64_t>(last, where.size - 1);
    for (auto &socket : in)
        socket->invalidate_direct_mem_ptr(where.base + start, where.base + end);
}

} // namespace vmmio
