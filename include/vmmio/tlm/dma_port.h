// SPDX-License-Identifier: Apache-2.0
/// @file dma_port.h
/// The device's way into guest memory: DMI where it is granted, b_transport where it is not.
#ifndef VMMIO_TLM_DMA_PORT_H
#define VMMIO_TLM_DMA_PORT_H

#include "vmmio/memory.h"

#include <array>
#include <cstdint>
#include <functional>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <vector>

namespace vmmio
{

/// Implements struct vmmio_memory on an initiator socket. Transactions are cut at 4 KiB borders, so
/// that a buffer may lie across two targets. Time that targets annotate is added to `elapsed`; an
/// access through a pointer adds the latency that its grant names when the pointer is looked up, so
/// that only grants without one are handed on as a range.
class dma_port
{
public:
    tlm_utils::simple_initiator_socket<dma_port> socket;

    /// @param use_dmi false: never ask for DMI, every access is a transaction.
    dma_port(const char *name, bool use_dmi);

    /// The C model's view of this port; valid as long as the port.
    vmmio_memory memory();

    /// Called when pointers that `map` gave may be stale.
    std::function<void()> on_invalidate;

    /// Local time of the activity that uses the port, as an offset from sc_time_stamp().
    sc_core::sc_time elapsed;

    /// Transactions sent so far, and DMI grants received.
    std::uint64_t transactions = 0;
    std::uint64_t grants = 0;

private:
    static constexpr std::uint64_t page = 4096;

    struct span {
        std::uint64_t first, last;
        unsigned char *pointer; // of first
        bool readable, writable;
        sc_core::sc_time read_latency, write_latency;

        bool holds(std::uint64_t from, std::uint64_t to, bool write) const
        {
            return from >= first && to <= last && (write ? writable : readable);
        }
    };

    static void *map_call(void *self, std::uint64_t address, std::uint64_t length, bool write);
    static bool read_call(void *self, std::uint64_t address, void *data, std::uint32_t length);
    static bool write_call(void *self, std::uint64_t address, const void *data,
                           std::uint32_t length);
    static bool range_call(void *self, std::uint64_t address, bool write,
                           vmmio_memory_range *range);

    template <typename Call>
    bool guard(Call call);
    bool complain(const char *what);
    const span *find(std::uint64_t address, std::uint64_t last, bool write);
    void *map(std::uint64_t address, std::uint64_t length, bool write);
    bool range(std::uint64_t address, bool write, vmmio_memory_range &range);
    void *use(const span &found, std::uint64_t address, bool write);
    const span *request_span(std::uint64_t address, bool write);
    bool transport(tlm::tlm_command command, std::uint64_t address, unsigned char *data,
                   std::uint32_t length);
    bool send(tlm::tlm_command command, std::uint64_t address, unsigned char *data,
              std::uint32_t length);
    void invalidate(sc_dt::uint64 first, sc_dt::uint64 last);
    std::uint64_t &refusal_slot(std::uint64_t address, bool write);

    std::vector<span> spans_;
    std::size_t recent_ = 0;                // index of the span used last
    std::array<std::uint64_t, 64> refused_; // pages where DMI was denied, so as not to ask again
    tlm::tlm_generic_payload payload_;
    std::uint64_t exceptions_ = 0; // of targets
    bool use_dmi_;
};

} // namespace vmmio

#endif
