// SPDX-License-Identifier: Apache-2.0
/// @file shm_window.h
/// The memory behind the shared memory registers, as a plain TLM memory target with DMI.
#ifndef VMMIO_TLM_SHM_WINDOW_H
#define VMMIO_TLM_SHM_WINDOW_H

#include "vmmio/shm.h"

#include <cstdint>
#include <functional>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_target_socket.h>
#include <vector>

namespace vmmio
{

/// What a driver may do with a mapping.
enum class rights { read, read_write };

/// When a mapping ends: with the next device reset (A-SHM-10), or only by unmap.
enum class lifetime { until_reset, permanent };

/// Answer to an access where nothing is mapped (A-SHM-9). Never data of an earlier mapping.
enum class unmapped { address_error, reads_ones };

/// Regions, the mappings in them, and their target socket. Addresses on the socket are guest
/// physical ones, as SHMBase names them: a router must not subtract a base.
///
/// get_direct_mem_ptr grants exactly the mapping that holds the address, with its rights. Whatever
/// takes memory away (unmap, overlap by a newer mapping, move, resize, remove, device reset)
/// invalidates granted pointers before it takes effect (H-42).
class shm_window
{
public:
    tlm_utils::simple_target_socket_optional<shm_window> socket;

    /// Called after each change of the region table.
    std::function<void()> on_change;

    /// @param table the register block's region table; not owned, must outlive the window.
    /// @param latency of one b_transport access; also told to holders of DMI pointers.
    shm_window(const char *name, vmmio_shm *table, unmapped policy, sc_core::sc_time latency);

    /// Changes the region table; see vmmio_shm_add, vmmio_shm_remove, vmmio_shm_change for errors.
    /// A removed or shrunk region loses the mappings in what is gone; a moved one takes its
    /// mappings along. A driver that is using the device is told by a configuration-change
    /// notification (A-SHM-5).
    vmmio_error add_region(std::uint8_t id, std::uint64_t base, std::uint64_t length);
    vmmio_error remove_region(std::uint8_t id);
    vmmio_error move_region(std::uint8_t id, std::uint64_t base);
    vmmio_error resize_region(std::uint8_t id, std::uint64_t length);

    /// Maps length bytes at memory (not owned, valid until unmapped) to offset of region id. Newest
    /// wins: what it overlaps is cut or split (H-41). False if the region does not exist, length is
    /// 0 or the range does not lie inside it (H-40); nothing changes then.
    bool map(std::uint8_t id, std::uint64_t offset, unsigned char *memory, std::uint64_t length,
             rights access, lifetime until);

    /// Takes a range away; parts of it that are not mapped do not matter. False as for map.
    bool unmap(std::uint8_t id, std::uint64_t offset, std::uint64_t length);

    /// Device reset: DMI pointers are taken back, mappings until_reset end.
    void reset();

private:
    struct mapping {
        std::uint64_t offset, length; // in the region
        unsigned char *memory;
        rights access;
        lifetime until;
        bool granted; // by DMI, since the last invalidation

        std::uint64_t end() const { return offset + length; }
    };

    struct region {
        std::uint8_t id;
        std::vector<mapping> mappings; // sorted, without overlap

        // The first mapping that ends behind offset; the earlier ones have nothing to do with it.
        std::vector<mapping>::iterator from(std::uint64_t offset);
    };

    // Where an address is: a mapping, or the hole around it.
    struct place {
        mapping *found;
        bool in_region;
        std::uint64_t first, last; // guest physical, inclusive
    };

    region *find(std::uint8_t id);
    vmmio_error changed(vmmio_error error) const;
    bool range_ok(std::uint8_t id, std::uint64_t offset, std::uint64_t length) const;
    place locate(std::uint64_t address);
    void invalidate(const vmmio_shm_region &where, region &changed, std::uint64_t offset,
                    std::uint64_t length);
    static void cut(region &changed, std::uint64_t offset, std::uint64_t length);
    tlm::tlm_response_status access(tlm::tlm_generic_payload &tx);
    tlm::tlm_response_status check(tlm::tlm_generic_payload &tx);

    void b_transport(tlm::tlm_generic_payload &tx, sc_core::sc_time &delay);
    unsigned transport_dbg(tlm::tlm_generic_payload &tx);
    bool get_direct_mem_ptr(tlm::tlm_generic_payload &tx, tlm::tlm_dmi &dmi);

    std::vector<region> regions_;
    vmmio_shm *table_;
    unmapped policy_;
    sc_core::sc_time latency_;
    bool taking_back_ = false; // an invalidation is on its way
};

} // namespace vmmio

#endif
