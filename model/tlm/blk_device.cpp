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

vmmio_function &blk_device::prepare(blk_device &self, const char *name, vmmio_blk_config config,
                                    const device_options &options)
{
    auto &jobs = self.function_holder<std::vector<vmmio_blk_job>>::function;

    self.blk() = {};
    if (!config.jobs) {
        jobs.resize(config.job_count ? config.job_count : options.requests);
        config.jobs = jobs.data();
        config.job_count = static_cast<std::uint32_t>(jobs.size());
    }
    if (config.seg_max == 0 && options.queue_size_max > header_and_status)
        config.seg_max = std::min(seg_max_usual, options.queue_size_max - header_and_status);
    config.wake = [](void *device) { static_cast<blk_device *>(device)->resume_work(); };
    config.wake_context = &self;
    complain(name, vmmio_blk_init(&self.blk(), &config));
    return self.blk().function;
}

blk_device::blk_device(sc_core::sc_module_name name, const vmmio_blk_config &config,
                       const device_options &options)
    : device(name, prepare(*this, name, config, options), options)
{
    on_resume = [this] { return vmmio_blk_poll(&blk()); };
}

blk_device::~blk_device()
{
    const vmmio_blk_storage &storage = blk().is.storage;
    if (storage.drain)
        storage.drain(storage.context);
}

void blk_device::resize(std::uint64_t sectors)
{
    const vmmio_error error = vmmio_blk_resize(&blk(), sectors);
    complain(name(), error);
    if (error == VMMIO_ERROR_OK)
        config_changed();
}

} // namespace vmmio
