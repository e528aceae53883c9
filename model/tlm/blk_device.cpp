// SPDX-License-Identifier: Apache-2.0
#include "vmmio/tlm/blk_device.h"

#include <algorithm>
#include <string>

namespace vmmio
{

namespace
{

constexpr std::uint32_t seg_max_usual = 126;
constexpr std::uint32_t header_and_status = 2; // descriptors of a request besides its data

void complain(const char *name, vmmio_error error)
{
    if (error != VMMIO_ERROR_OK)
        SC_REPORT_ERROR("/vmmio/platform",
                        (std::string(name) + ": " + vmmio_error_text(error)).c_str());
}

} // namespace

vmmio_function &blk_device::prepare(blk_function &function, const char *name,
                                    vmmio_blk_config config, const device_options &options)
{
    if (!config.jobs) {
        function.jobs.resize(config.job_count ? config.job_count : options.requests);
        config.jobs = function.jobs.data();
        config.job_count = static_cast<std::uint32_t>(function.jobs.size());
    }
    if (config.seg_max == 0 && options.queue_size_max > header_and_status)
        config.seg_max = std::min(seg_max_usual, options.queue_size_max - header_and_status);
    complain(name, vmmio_blk_init(&function.blk, &config));
    return function.blk.function;
}

blk_device::blk_device(sc_core::sc_module_name name, const vmmio_blk_config &config,
                       const device_options &options)
    : device(name, prepare(function_holder::function, name, config, options), options)
{
    function.blk.is.wake = [](void *self) { static_cast<blk_device *>(self)->resume_work(); };
    function.blk.is.wake_context = this;
    on_resume = [this] { return vmmio_blk_poll(&function.blk); };
}

blk_device::~blk_device()
{
    const vmmio_blk_storage &storage = function.blk.is.storage;
    if (storage.drain)
        storage.drain(storage.context);
}

void blk_device::resize(std::uint64_t sectors)
{
    const vmmio_error error = vmmio_blk_resize(&function.blk, sectors);
    complain(name(), error);
    if (error == VMMIO_ERROR_OK)
        config_changed();
}

} // namespace vmmio
