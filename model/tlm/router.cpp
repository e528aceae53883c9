// SPDX-License-Identifier: Apache-2.0
#include "vmmio/tlm/router.h"

#include <algorithm>
#include <limits>
#include <sstream>

namespace vmmio
{

namespace
{

std::uint64_t last_of(const router::window &window) { return window.base + (window.size - 1); }

// What is taken from an address on its way to the target.
std::uint64_t subtrahend(const router::window &window)
{
    return window.seen == router::addressing::relative ? window.base : 0;
}

std::ostream &operator<<(std::ostream &out, const router::window &window)
{
    return out << std::hex << "0x" << window.size << " bytes at 0x" << window.base << std::dec;
}

bool overlap(const router::window &one, const router::window &other)
{
    return one.base <= last_of(other) && other.base <= last_of(one);
}

} // namespace

router::router(sc_core::sc_module_name module_name, unsigned inputs,
               const std::vector<window> &windows)
    : sc_module(module_name), in("in", inputs), out("out", windows.size()), windows_(windows)
{
    const auto mistake = [this](std::size_t index, const auto &...what) {
        std::ostringstream text;
        text << name() << ": window " << index << ", " << windows_[index];
        (text << ... << what);
        SC_REPORT_ERROR("/vmmio/platform", text.str().c_str());
    };
    for (std::size_t i = 0; i < windows_.size(); ++i) {
        if (windows_[i].size == 0)
            mistake(i, ", is empty: leave it out");
        if (last_of(windows_[i]) < windows_[i].base)
            mistake(i, ", ends above 2^64: lower its base or size");
        for (std::size_t other = 0; other < i; ++other)
            if (overlap(windows_[i], windows_[other]))
                mistake(i, ", overlaps window ", other, ", ", windows_[other],
                        ": move one of them");
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
    // A streaming burst comes back to its first address: it reaches no further than its width.
    const std::size_t target =
        decode(address, std::min(trans.get_data_length(), trans.get_streaming_width()));
    if (target == none) {
        trans.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
        return;
    }
    trans.set_address(address - subtrahend(windows_[target]));
    out[target]->b_transport(trans, delay);
    trans.set_address(address);
}

unsigned router::transport_dbg(tlm::tlm_generic_payload &trans)
{
    const std::uint64_t address = trans.get_address();
    const std::size_t target = decode(address, trans.get_data_length());
    if (target == none)
        return 0;
    trans.set_address(address - subtrahend(windows_[target]));
    const unsigned count = out[target]->transport_dbg(trans);
    trans.set_address(address);
    return count;
}

// No pointer anywhere between the windows around address.
void router::refuse(std::uint64_t address, tlm::tlm_dmi &dmi) const
{
    std::uint64_t first = 0, last = std::numeric_limits<std::uint64_t>::max();
    for (const window &w : windows_) {
        if (last_of(w) < address)
            first = std::max(first, last_of(w) + 1);
        else
            last = std::min(last, w.base - 1);
    }
    dmi.init();
    dmi.set_start_address(first);
    dmi.set_end_address(last);
}

bool router::get_direct_mem_ptr(tlm::tlm_generic_payload &trans, tlm::tlm_dmi &dmi)
{
    const std::uint64_t address = trans.get_address();
    const std::size_t target = decode(address, 1);
    if (target == none) {
        refuse(address, dmi);
        return false;
    }
    const window &where = windows_[target];
    const std::uint64_t less = subtrahend(where);
    trans.set_address(address - less);
    const bool granted = out[target]->get_direct_mem_ptr(trans, dmi);
    trans.set_address(address);
    // What lies beyond the window belongs to somebody else, whatever the target says.
    const std::uint64_t first = std::max<std::uint64_t>(dmi.get_start_address(), where.base - less);
    const std::uint64_t last =
        std::min<std::uint64_t>(dmi.get_end_address(), last_of(where) - less);
    if (granted)
        dmi.set_dmi_ptr(dmi.get_dmi_ptr() + (first - dmi.get_start_address()));
    dmi.set_start_address(first + less);
    dmi.set_end_address(last + less);
    return granted;
}

void router::invalidate(int target, sc_dt::uint64 start, sc_dt::uint64 last)
{
    const window &where = windows_[static_cast<std::size_t>(target)];
    const std::uint64_t less = subtrahend(where);
    const std::uint64_t first = std::max<std::uint64_t>(start, where.base - less);
    const std::uint64_t end = std::min<std::uint64_t>(last, last_of(where) - less);
    if (first > end)
        return;
    for (auto &socket : in)
        socket->invalidate_direct_mem_ptr(first + less, end + less);
}

} // namespace vmmio
