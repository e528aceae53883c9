// SPDX-License-Identifier: Apache-2.0
/// @file fs_device.h
/// A file system device as a SystemC module: a host directory that the driver mounts, with a DAX
/// window where the platform has room for one. Link vmmio::fs, which is built where libfuse 3.14 or
/// later is found.
///
///     vmmio::fs_options shared;
///     shared.directory = "/srv/guest";
///     shared.tag = "host";                  // mount -t virtiofs host /mnt
///     shared.dax.base = 0x1'0000'0000;      // mount -o dax ...
///     shared.dax.length = 1ull << 30;
///     vmmio::fs_device fs("fs", shared);
///     fs.registers.bind(...); fs.dma().bind(...); fs.interrupt.bind(...);
///     router.map(shared.dax.base, shared.dax.length, fs.shared_memory());
#ifndef VMMIO_TLM_FS_DEVICE_H
#define VMMIO_TLM_FS_DEVICE_H

#include "vmmio/dev/fs.h"
#include "vmmio/tlm/device.h"
#include "vmmio/tlm/devices.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vmmio
{

namespace fs
{
class server;
}

/// How long a driver may believe what it knows of names and attributes, and keep file contents.
enum class fs_cache {
    none,   ///< not at all: what the host changes is seen at once
    normal, ///< a second; contents until a file is opened again
    always, ///< for ever: nobody else changes the directory
};

/// Shared memory region 0 (FS-10, FS-11).
struct fs_dax {
    std::uint64_t base = 0;   ///< guest physical; Linux wants a multiple of 2 MiB
    std::uint64_t length = 0; ///< bytes, a multiple of 4096, for Linux of 2 MiB; 0: no window
    /// NULL: files are mapped into the window as they are. Otherwise length bytes (not owned, as
    /// file_memory has them) into which they are copied, and from there back when the driver
    /// flushes, syncs or closes the file, reads or writes it by requests, or ends the mapping: for
    /// memory that another process shows to the driver. There, the host's own changes are seen in
    /// new mappings only.
    unsigned char *memory = nullptr;
    std::size_t mappings = 4096; ///< most at a time; one more gets ENOSPC (FS-17)
};

/// What is served, and how.
struct fs_options {
    std::string directory;
    std::string tag = "vmmio";            ///< 1..36 bytes of UTF-8 (FS-02)
    std::uint32_t num_request_queues = 1; ///< 1..1024 (FS-03)
    unsigned threads = 4;                 ///< requests worked on at the same time, at least 1
    bool read_only = false;               ///< whatever would change something gets EROFS
    fs_cache cache = fs_cache::normal;
    /// Most descriptors that the driver can make the process hold. 0: half of what the process may
    /// have. A driver holds one for each file that it knows, and one for each open file.
    std::uint64_t descriptors = 0;
    fs_dax dax;
};

/// The function, its jobs and its server; built before the device.
struct fs_function {
    vmmio_fs fs{};
    std::vector<vmmio_fs_job> jobs;
    std::shared_ptr<fs::server> server;
};

/// File system device (FS-01 .. FS-08, FS-10 .. FS-17; see vmmio/dev/fs.h). docs/fs.md says what a
/// hostile driver can and cannot do.
///
/// Threads of its own work on the directory while the simulation goes on, so when a request ends in
/// simulated time depends on the host. While requests are in flight the simulation does not end for
/// want of events. Mappings are made, and copied, on the simulation's thread.
class fs_device : private function_holder<fs_function>, public device
{
public:
    /// An SC_ERROR report says what to change. options.requests is the most requests at a time, at
    /// least 2.
    fs_device(sc_core::sc_module_name name, const fs_options &shared,
              const device_options &options = {});

    /// Waits for the threads; nobody is told what they did.
    ~fs_device() override;

    /// Requests answered so far, with and without success.
    std::uint64_t requests() const { return function.fs.requests; }
    /// Bytes of these requests and their replies; what goes through the window does not count.
    std::uint64_t bytes() const { return function.fs.bytes; }
    /// For programs that want the same order of events every time: in a process of SystemC, waits
    /// until an answer comes. False, at once, if no thread works for the device.
    bool wait_for_answers();
    /// Mappings in the window now.
    std::size_t mappings() const;

private:
    static vmmio_function &prepare(fs_function &function, const char *name,
                                   const fs_options &shared, const device_options &options);

    sc_core::sc_event answered_;
};

} // namespace vmmio

#endif
