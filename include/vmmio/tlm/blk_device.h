// SPDX-License-Identifier: Apache-2.0
/// @file blk_device.h
/// A block device as a SystemC module: `vmmio::device` together with its function.
///
///     vmmio::blk_file file("disk.img");
///     vmmio_blk_config config{};
///     config.storage = file.storage();
///     config.capacity = file.sectors();
///     config.id = "disk0";
///     vmmio::blk_device disk("disk", config);
///     disk.registers.bind(...); disk.dma().bind(...); disk.interrupt.bind(...);
///     disk.shared_memory() stays unbound: there is no region
#ifndef VMMIO_TLM_BLK_DEVICE_H
#define VMMIO_TLM_BLK_DEVICE_H

#include "vmmio/dev/blk_storage.h"
#include "vmmio/tlm/device.h"
#include "vmmio/tlm/devices.h"

#include <cstdint>
#include <vector>

namespace vmmio
{

/// A block function and the jobs that it may use.
struct blk_function {
    vmmio_blk blk{};
    std::vector<vmmio_blk_job> jobs;
};

/// Block device (BLK-01 .. BLK-40, see vmmio/dev/blk.h).
class blk_device : private function_holder<blk_function>, public device
{
public:
    /// @param config copied; its storage must outlive the device. jobs and job_count may be 0: then
    /// the device has as many as options.requests. seg_max is fitted to options.queue_size_max
    /// unless it is given. wake is the device's own.
    blk_device(sc_core::sc_module_name name, const vmmio_blk_config &config,
               const device_options &options = {});

    /// Waits for the storage to finish what is in flight; nobody is told about it.
    ~blk_device() override;

    /// Another capacity, in sectors of 512 bytes, that the driver is told about at once (BLK-36).
    /// An SC_ERROR report says what is wrong; then nothing has changed.
    void resize(std::uint64_t sectors);

    /// The function inside: what it offers, and what it has done so far.
    const vmmio_blk &state() const { return function.blk; }

private:
    static vmmio_function &prepare(blk_function &function, const char *name,
                                   vmmio_blk_config config, const device_options &options);
};

} // namespace vmmio

#endif
