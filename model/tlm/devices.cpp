// SPDX-License-Identifier: Apache-2.0
#include "vmmio/tlm/devices.h"

#include <string>
#include <utility>

namespace vmmio
{

namespace
{

vmmio_function &prepare(vmmio_entropy &entropy, const vmmio_entropy_config *source)
{
    vmmio_entropy_init(&entropy, source);
    return entropy.function;
}

vmmio_function &prepare(vmmio_null &null)
{
    vmmio_null_init(&null);
    return null.function;
}

} // namespace

entropy_device::entropy_device(sc_core::sc_module_name name, const device_options &options,
                               const vmmio_entropy_config *source)
    : device(name, prepare(function_holder::function, source), options)
{
}

null_device::null_device(sc_core::sc_module_name name, const device_options &options)
    : device(name, prepare(function_holder::function), options)
{
}

vmmio_function &pmem_device::prepare(pmem_device &self, const char *name, const pmem_range &range)
{
    vmmio_pmem_config config{};
    config.start = range.base;
    config.size = range.length;
    config.flush = flush_call;
    config.context = &self;
    const vmmio_error error = vmmio_pmem_init(&self.function, &config);
    if (error != VMMIO_ERROR_OK)
        SC_REPORT_ERROR("/vmmio/platform",
                        (std::string(name) + ": " + vmmio_error_text(error)).c_str());
    return self.function.function;
}

pmem_device::pmem_device(sc_core::sc_module_name name, pmem_range range,
                         const device_options &options)
    : device(name, prepare(*this, name, range), options), range_(std::move(range))
{
    add_region(VMMIO_PMEM_SHM_ID, range_.base, range_.length, range_.memory);
}

bool pmem_device::flush_call(void *self)
{
    const auto &flush = static_cast<pmem_device *>(self)->range_.flush;
    return !flush || flush();
}

} // namespace vmmio
