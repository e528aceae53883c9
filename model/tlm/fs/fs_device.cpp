// SPDX-License-Identifier: Apache-2.0
#include "vmmio/tlm/fs_device.h"

#include "server.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace vmmio
{

namespace
{

void complain(const std::string &name, const std::string &what)
{
    SC_REPORT_ERROR("/vmmio/platform", (name + ": " + what).c_str());
}

double timeout_of(fs_cache cache)
{
    switch (cache) {
    case fs_cache::none:
        return 0;
    case fs_cache::normal:
        return 1;
    default:
        return 86400;
    }
}

// Half of what the process may have, after its soft limit was raised to the hard one.
std::uint64_t usual_budget()
{
    constexpr rlim_t most = 1 << 20;
    rlimit limit{1024, 1024};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        rlimit raised = limit;
        raised.rlim_cur = std::min(limit.rlim_max, std::max(limit.rlim_cur, most));
        if (::setrlimit(RLIMIT_NOFILE, &raised) == 0)
            limit = raised;
    }
    return std::max<std::uint64_t>(std::min(limit.rlim_cur, most) / 2, 16);
}

fs::server::options server_options(const fs_options &shared)
{
    return {shared.directory,
            shared.threads,
            {shared.read_only, ::geteuid() == 0, timeout_of(shared.cache),
             shared.cache == fs_cache::always,
             shared.descriptors ? shared.descriptors : usual_budget()}};
}

} // namespace

vmmio_function &fs_device::prepare(fs_function &function, const char *name,
                                   const fs_options &shared, const device_options &options)
{
    vmmio_fs_config config{};
    try {
        function.server = std::make_shared<fs::server>(server_options(shared));
        config.backend = function.server->backend();
    } catch (const std::runtime_error &error) {
        complain(name, error.what());
    }
    function.jobs.resize(options.requests);
    config.tag = shared.tag.c_str();
    config.num_request_queues = shared.num_request_queues;
    config.jobs = function.jobs.data();
    config.job_count = options.requests;
    const vmmio_error error = vmmio_fs_init(&function.fs, &config);
    if (error != VMMIO_ERROR_OK)
        complain(name, vmmio_error_text(error));
    return function.fs.function;
}

fs_device::fs_device(sc_core::sc_module_name name, const fs_options &shared,
                     const device_options &options)
    : device(name, prepare(function_holder::function, name, shared, options), options)
{
    function.server->on_result = [this] { resume_work(); };
    on_resume = [this] {
        function.server->finish();
        const bool more = vmmio_fs_poll(&function.fs);
        answered_.notify(sc_core::SC_ZERO_TIME);
        return more;
    };
    const fs_dax &dax = shared.dax;
    if (dax.length == 0)
        return;
    if (dax.length % fs::dax_window::alignment != 0 || dax.mappings == 0) {
        complain(this->name(), "a DAX window needs a length that is a multiple of 4096 bytes, and "
                               "at least one mapping");
        return;
    }
    add_region(VMMIO_FS_SHM_ID, dax.base, dax.length);
    try {
        function.server->use_window(std::make_unique<fs::dax_window>(
            shm(), dax.memory ? fs::copy_files(dax.memory, dax.length) : fs::map_files(dax.length),
            dax.length, dax.mappings));
    } catch (const std::runtime_error &error) {
        complain(this->name(), error.what());
    }
}

fs_device::~fs_device() { function.server->drain(); }

bool fs_device::wait_for_answers()
{
    if (!function.server->busy())
        return false;
    wait(answered_);
    return true;
}

std::size_t fs_device::mappings() const
{
    const fs::dax_window *window = function.server->window();
    return window ? window->mappings() : 0;
}

} // namespace vmmio
