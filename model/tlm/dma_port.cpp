// SPDX-License-Identifier: Apache-2.0
#include "vmmio/tlm/dma_port.h"

#include "rate_limit.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <string>

namespace vmmio
{

namespace
{
constexpr std::uint64_t no_page = std::numeric_limits<std::uint64_t>::max();
}

dma_port::dma_port(const char *name, bool use_dmi) : socket(name), use_dmi_(use_dmi)
{
    socket.register_invalidate_direct_mem_ptr(this, &dma_port::invalidate);
    refused_.fill(no_page);
}

vmmio_memory dma_port::memory() { return {this, map_call, read_call, write_call, range_call}; }

void *dma_port::map_call(void *self, std::uint64_t address, std::uint64_t length, bool write)
{
    return static_cast<dma_port *>(self)->map(address, length, write);
}

bool dma_port::read_call(void *self, std::uint64_t address, void *data, std::uint32_t length)
{
    return static_cast<dma_port *>(self)->transport(tlm::TLM_READ_COMMAND, address,
                                                    static_cast<unsigned char *>(data), length);
}

bool dma_port::write_call(void *self, std::uint64_t address, const void *data, std::uint32_t length)
{
    // TLM has one data pointer for both directions; a write command leaves the data alone.
    auto *bytes = static_cast<unsigned char *>(const_cast<void *>(data));
    return static_cast<dma_port *>(self)->transport(tlm::TLM_WRITE_COMMAND, address, bytes, length);
}

bool dma_port::range_call(void *self, std::uint64_t address, bool write, vmmio_memory_range *range)
{
    return static_cast<dma_port *>(self)->range(address, write, *range);
}

void *dma_port::use(const span &found, std::uint64_t address, bool write)
{
    elapsed += write ? found.write_latency : found.read_latency;
    return found.pointer + (address - found.first);
}

// The span that holds all of this; asks for one if none does.
const dma_port::span *dma_port::find(std::uint64_t address, std::uint64_t last, bool write)
{
    if (recent_ < spans_.size() && spans_[recent_].holds(address, last, write))
        return &spans_[recent_];
    for (std::size_t i = 0; i < spans_.size(); i++) {
        if (spans_[i].holds(address, last, write)) {
            recent_ = i;
            return &spans_[i];
        }
    }
    const span *fresh = request_span(address, write);
    return fresh && fresh->holds(address, last, write) ? fresh : nullptr;
}

void *dma_port::map(std::uint64_t address, std::uint64_t length, bool write)
{
    const std::uint64_t last = address + (length - 1);
    if (!use_dmi_ || length == 0 || last < address)
        return nullptr;
    const span *found = find(address, last, write);
    return found ? use(*found, address, write) : nullptr;
}

bool dma_port::range(std::uint64_t address, bool write, vmmio_memory_range &range)
{
    const span *found = use_dmi_ ? find(address, address, write) : nullptr;
    if (!found || (write ? found->write_latency : found->read_latency) != sc_core::SC_ZERO_TIME)
        return false;
    const std::uint64_t beyond = found->last - found->first; // all 64 bits: less the last byte
    range = {found->first, beyond == UINT64_MAX ? beyond : beyond + 1, found->pointer};
    return true;
}

// A target that throws does not answer: to the driver that is a bus error.
template <typename Call>
bool dma_port::guard(Call call)
{
    try {
        call();
        return true;
    } catch (const sc_core::sc_unwind_exception &) {
        throw; // the kernel ends the process we run in
    } catch (const std::exception &error) {
        return complain(error.what());
    } catch (...) {
        return complain("not a std::exception");
    }
}

bool dma_port::complain(const char *what)
{
    if (worth_reporting(++exceptions_))
        SC_REPORT_WARNING("/vmmio/dma",
                          (std::string(socket.name()) + ": the target threw: " + what).c_str());
    return false;
}

// One slot for a page and a direction; a collision only costs another question.
std::uint64_t &dma_port::refusal_slot(std::uint64_t address, bool write)
{
    return refused_[(address / page * 2 + write) % refused_.size()];
}

const dma_port::span *dma_port::request_span(std::uint64_t address, bool write)
{
    std::uint64_t &refused = refusal_slot(address, write);
    if (refused == address / page)
        return nullptr;

    tlm::tlm_dmi dmi;
    payload_.set_command(write ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
    payload_.set_address(address);
    payload_.set_data_length(1);
    payload_.set_streaming_width(1);
    payload_.set_byte_enable_ptr(nullptr);
    dmi.init();
    bool granted = false;
    if (!guard([&] { granted = socket->get_direct_mem_ptr(payload_, dmi); }) || !granted ||
        !dmi.get_dmi_ptr() || address < dmi.get_start_address() ||
        address > dmi.get_end_address()) {
        refused = address / page;
        return nullptr;
    }
    grants++;
    const span fresh{dmi.get_start_address(), dmi.get_end_address(),  dmi.get_dmi_ptr(),
                     dmi.is_read_allowed(),   dmi.is_write_allowed(), dmi.get_read_latency(),
                     dmi.get_write_latency()};
    // A new grant replaces what it covers, so that the list stays as short as the memory map.
    spans_.erase(std::remove_if(spans_.begin(), spans_.end(),
                                [&](const span &old) {
                                    return old.first >= fresh.first && old.last <= fresh.last &&
                                           (fresh.readable || !old.readable) &&
                                           (fresh.writable || !old.writable);
                                }),
                 spans_.end());
    spans_.push_back(fresh);
    recent_ = spans_.size() - 1;
    return &spans_.back();
}

bool dma_port::send(tlm::tlm_command command, std::uint64_t address, unsigned char *data,
                    std::uint32_t length)
{
    payload_.set_command(command);
    payload_.set_address(address);
    payload_.set_data_ptr(data);
    payload_.set_data_length(length);
    payload_.set_streaming_width(length);
    payload_.set_byte_enable_ptr(nullptr);
    payload_.set_byte_enable_length(0);
    payload_.set_dmi_allowed(false);
    payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    transactions++;
    if (!guard([this] { socket->b_transport(payload_, elapsed); }))
        return false;
    if (payload_.is_dmi_allowed())
        refusal_slot(address, command == tlm::TLM_WRITE_COMMAND) = no_page;
    return payload_.is_response_ok();
}

bool dma_port::transport(tlm::tlm_command command, std::uint64_t address, unsigned char *data,
                         std::uint32_t length)
{
    while (length) {
        const std::uint64_t to_border = page - address % page;
        const auto piece = static_cast<std::uint32_t>(std::min<std::uint64_t>(length, to_border));
        if (!send(command, address, data, piece))
            return false;
        address += piece;
        data += piece;
        length -= piece;
    }
    return true;
}

void dma_port::invalidate(sc_dt::uint64 first, sc_dt::uint64 last)
{
    spans_.erase(
        std::remove_if(spans_.begin(), spans_.end(),
                       [=](const span &old) { return old.first <= last && first <= old.last; }),
        spans_.end());
    refused_.fill(no_page);
    if (on_invalidate)
        on_invalidate();
}

} // namespace vmmio
