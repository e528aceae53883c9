// SPDX-License-Identifier: Apache-2.0
/// @file dax_window.h
/// FUSE_SETUPMAPPING and FUSE_REMOVEMAPPING (5.11.6.4): pieces of files in shared memory region 0.
#ifndef VMMIO_FS_DAX_WINDOW_H
#define VMMIO_FS_DAX_WINDOW_H

#include "dax_memory.h"
#include "tables.h"

#include "vmmio/tlm/shm_window.h"

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

namespace vmmio::fs
{

/// Everything here happens on the simulation's thread. What takes memory away does so in the
/// region first, where that invalidates DMI pointers.
class dax_window
{
public:
    /// Of positions and lengths; what FUSE_INIT tells as map_alignment.
    static constexpr std::uint64_t alignment = 4096;

    /// @param limit most mappings at a time (FS-17).
    dax_window(shm_window &region, std::unique_ptr<dax_memory> memory, std::uint64_t length,
               std::size_t limit);

    struct range {
        std::uint64_t offset, length; ///< in the window
    };

    /// True if the range is not empty, aligned and inside the window, in all 64 bits (H-40).
    bool holds(const range &where) const;

    /// 0 if one more mapping there would stay inside the limit.
    int room_for(const range &where) const;

    /// Maps a piece of an open file. holds() and room_for() have said yes. 0, or an errno.
    int map(const range &where, file_key key, descriptor file, std::uint64_t position,
            bool writable);

    /// Takes a range away; parts of it that are not mapped do not matter.
    void unmap(const range &where);
    void unmap_all();

    /// What the driver wrote to mappings of a file, or of all, gets there. 0, or the first errno.
    int write_back(const file_key *file = nullptr);
    /// The file changed, or all may have.
    void refresh(const file_key *file = nullptr);
    /// DMI pointers into a file are taken back, it will get shorter; or into all, one may.
    void revoke(const file_key *file = nullptr);

    std::size_t mappings() const { return mappings_.size(); }

private:
    struct open_file {
        file_key key;
        descriptor fd;
        bool writable;
    };

    struct mapping {
        std::uint64_t length;
        std::uint64_t position;
        std::shared_ptr<open_file> file;
    };
    using table = std::map<std::uint64_t, mapping>; // by offset, without overlap

    static dax_piece piece_of(const table::value_type &entry);
    std::shared_ptr<open_file> share(file_key key, descriptor file, bool writable);
    table::const_iterator from(std::uint64_t offset) const;
    void cut(const range &where);
    bool show_in_region(const dax_piece &piece);
    void forget_files();

    shm_window &region_;
    std::unique_ptr<dax_memory> memory_;
    const std::uint64_t length_;
    const std::size_t limit_;
    table mappings_;
    // One descriptor for all mappings of a file with the same rights.
    std::map<std::pair<file_key, bool>, std::weak_ptr<open_file>> files_;
};

} // namespace vmmio::fs

#endif
