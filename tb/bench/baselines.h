// SPDX-License-Identifier: Apache-2.0
/// @file baselines.h
/// What our figures are compared with: the least that TLM allows, and what one writes by hand.
#ifndef VMMIO_TB_BENCH_BASELINES_H
#define VMMIO_TB_BENCH_BASELINES_H

#include "vmmio/virtio.h"

#include <cstdint>
#include <cstring>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_target_socket.h>

namespace vmmio_bench
{

/// The cheapest legal target: answers OK, grants what it has, checks nothing.
class empty_target : public sc_core::sc_module
{
public:
    tlm_utils::simple_target_socket<empty_target> socket{"socket"};

    explicit empty_target(sc_core::sc_module_name name) : sc_module(name)
    {
        socket.register_b_transport(this, &empty_target::b_transport);
        socket.register_transport_dbg(this, &empty_target::transport_dbg);
        socket.register_get_direct_mem_ptr(this, &empty_target::get_direct_mem_ptr);
    }

    /// Takes the pointer back that get_direct_mem_ptr gave.
    void take_back() { socket->invalidate_direct_mem_ptr(0, sizeof(memory_) - 1); }

private:
    void b_transport(tlm::tlm_generic_payload &tx, sc_core::sc_time &)
    {
        tx.set_response_status(tlm::TLM_OK_RESPONSE);
    }

    unsigned transport_dbg(tlm::tlm_generic_payload &tx) { return tx.get_data_length(); }

    bool get_direct_mem_ptr(tlm::tlm_generic_payload &, tlm::tlm_dmi &dmi)
    {
        dmi.set_start_address(0);
        dmi.set_end_address(sizeof(memory_) - 1);
        dmi.set_dmi_ptr(memory_);
        dmi.allow_read_write();
        return true;
    }

    unsigned char memory_[64]{};
};

/// A register file written by hand: all the attribute checks, 64 words, no meaning.
class register_target : public sc_core::sc_module
{
public:
    tlm_utils::simple_target_socket<register_target> socket{"socket"};

    explicit register_target(sc_core::sc_module_name name) : sc_module(name)
    {
        socket.register_b_transport(this, &register_target::b_transport);
        socket.register_transport_dbg(this, &register_target::transport_dbg);
    }

private:
    bool access(tlm::tlm_generic_payload &tx)
    {
        const std::uint64_t address = tx.get_address();
        const unsigned length = tx.get_data_length();
        if (address >= sizeof(words_)) {
            tx.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
            return false;
        }
        if (tx.get_byte_enable_ptr()) {
            tx.set_response_status(tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
            return false;
        }
        if (length != 4 || address % 4 != 0 || tx.get_streaming_width() < length) {
            tx.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
            return false;
        }
        if (tx.is_read())
            std::memcpy(tx.get_data_ptr(), &words_[address / 4], 4);
        else if (tx.is_write())
            std::memcpy(&words_[address / 4], tx.get_data_ptr(), 4);
        tx.set_response_status(tlm::TLM_OK_RESPONSE);
        return true;
    }

    void b_transport(tlm::tlm_generic_payload &tx, sc_core::sc_time &) { access(tx); }

    unsigned transport_dbg(tlm::tlm_generic_payload &tx)
    {
        return access(tx) ? tx.get_data_length() : 0;
    }

    std::uint32_t words_[64]{};
};

/// A split ring served by pointer, with no bus and no check but the index's.
class bare_ring
{
public:
    bare_ring(unsigned char *desc, unsigned char *avail, unsigned char *used, std::uint32_t size)
        : desc_(reinterpret_cast<descriptor *>(desc)),
          avail_(reinterpret_cast<volatile std::uint16_t *>(avail)),
          used_index_(reinterpret_cast<volatile std::uint16_t *>(used) + 1),
          used_(reinterpret_cast<used_element *>(used + 4)), size_(size)
    {
    }

    /// A new driver starts at index 0.
    void reset() { next_ = 0; }

    /// One doorbell: gives every available buffer back as full.
    void kick()
    {
        while (next_ != avail_[1]) {
            const std::uint16_t head = avail_[2 + next_++ % size_];
            if (head >= size_)
                return;
            const std::uint16_t used = *used_index_;
            used_[used % size_] = {head, writable_bytes(head)};
            *used_index_ = static_cast<std::uint16_t>(used + 1);
        }
    }

private:
    struct descriptor {
        std::uint64_t address;
        std::uint32_t length;
        std::uint16_t flags, next;
    };
    struct used_element {
        std::uint32_t id, length;
    };

    std::uint32_t writable_bytes(std::uint32_t head) const
    {
        const descriptor *d = &desc_[head];
        std::uint32_t sum = 0;
        for (std::uint32_t i = 0; i < size_; i++) {
            if (d->flags & VMMIO_DESC_WRITE)
                sum += d->length;
            if (!(d->flags & VMMIO_DESC_NEXT))
                break;
            d = &desc_[d->next % size_];
        }
        return sum;
    }

    const descriptor *desc_;
    volatile std::uint16_t *avail_, *used_index_;
    used_element *used_;
    std::uint32_t size_;
    std::uint16_t next_ = 0;
};

} // namespace vmmio_bench

#endif
