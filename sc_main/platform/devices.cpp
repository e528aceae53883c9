// SPDX-License-Identifier: Apache-2.0
#include "devices.h"

#include "common/number.h"
#include "console.h"
#include "vmmio/tlm/blk_device.h"
#include "vmmio/tlm/blk_file.h"
#include "vmmio/tlm/console_device.h"
#include "vmmio/tlm/devices.h"
#include "vmmio/tlm/file_memory.h"
#include "vmmio/tlm/net_device.h"
#ifdef VMMIO_WITH_FS
#include "vmmio/tlm/fs_device.h"
#endif

#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

namespace vmmio::platform
{

namespace
{

attachment make_entropy(const options &chosen)
{
    auto module = std::make_unique<entropy_device>("rng", chosen.options_for("rng"));
    entropy_device *const it = module.get();
    return {VMMIO_ID_ENTROPY, nullptr, std::move(module), [it] { return it->requests(); },
            [it] { return it->bytes(); }};
}

attachment make_pmem(const options &chosen)
{
    auto memory = std::make_shared<file_memory>(chosen.shm_file, chosen.shm_size);
    auto module = std::make_unique<pmem_device>(
        "pmem",
        pmem_range{chosen.shm_base, chosen.shm_size, memory->data(),
                   [memory = memory.get()] { return memory->flush(); }},
        chosen.options_for("pmem"));
    pmem_device *const it = module.get();
    return {VMMIO_ID_PMEM, memory, std::move(module), [it] { return it->flushes(); },
            [] { return std::uint64_t{0}; }};
}

attachment make_disk(const options &chosen, const char *name, const std::string &path,
                     blk_file::access access)
{
    auto file = std::make_shared<blk_file>(path, access);
    vmmio_blk_config config{};
    config.storage = file->storage();
    config.capacity = file->sectors();
    config.id = name;
    config.read_only = access == blk_file::access::read_only;
    config.queue_count = 2;
    auto module = std::make_unique<blk_device>(name, config, chosen.options_for(name));
    blk_device *const it = module.get();
    const auto resize = [it](const std::string &size) {
        const auto bytes = parse_size(size);
        if (!bytes || *bytes % VMMIO_BLK_SECTOR != 0)
            throw std::runtime_error("a disk has whole sectors: give a multiple of 512 bytes");
        it->resize(*bytes / VMMIO_BLK_SECTOR);
    };
    return {VMMIO_ID_BLOCK,
            file,
            std::move(module),
            [it] { return it->state().requests; },
            [it] { return it->state().bytes_read + it->state().bytes_written; },
            resize};
}

attachment make_console(const options &chosen)
{
    auto streams = std::make_shared<std::vector<std::unique_ptr<host_stream>>>();
    std::vector<console_port> ports(1 + chosen.ports.size());
    const auto [cols, rows] =
        parse_characters(chosen.console_size.empty() ? "80x25" : chosen.console_size);
    ports[0].console = true;
    ports[0].cols = cols;
    ports[0].rows = rows;
    streams->push_back(make_stream(chosen.console));
    for (const auto &[name, where] : chosen.ports) {
        ports[streams->size()].name = name;
        streams->push_back(make_stream(where));
    }
    for (std::size_t i = 0; i < ports.size(); i++)
        ports[i].host = (*streams)[i].get();
    auto module = std::make_unique<console_device>("console", ports, chosen.options_for("console"));
    console_device *const it = module.get();
    const auto resize = [it](const std::string &size) {
        const auto [new_cols, new_rows] = parse_characters(size);
        it->resize(0, new_cols, new_rows);
    };
    return {VMMIO_ID_CONSOLE,
            streams,
            std::move(module),
            [it] { return it->state().requests; },
            [it] { return it->state().bytes_in + it->state().bytes_out; },
            resize};
}

attachment make_net(const options &chosen)
{
    auto network = std::make_shared<user_net>(user_net_options{});
    auto module = std::make_unique<net_device>("net", *network, vmmio_net_config{},
                                               chosen.options_for("net"));
    net_device *const it = module.get();
    return {VMMIO_ID_NET, network, std::move(module),
            [it] { return it->state().sent + it->state().received; },
            [it] { return it->state().bytes_sent + it->state().bytes_received; }};
}

#ifdef VMMIO_WITH_FS
attachment make_share(const options &chosen)
{
    fs_options shared;
    shared.directory = chosen.share;
    std::shared_ptr<file_memory> window;
    if (!chosen.dax_file.empty()) {
        window = std::make_shared<file_memory>(chosen.dax_file, chosen.dax_size);
        shared.dax.base = chosen.dax_base;
        shared.dax.length = chosen.dax_size;
        shared.dax.memory = window->data();
    }
    auto module = std::make_unique<fs_device>("share", shared, chosen.options_for("share"));
    fs_device *const it = module.get();
    return {VMMIO_ID_FS, window, std::move(module), [it] { return it->requests(); },
            [it] { return it->bytes(); }};
}
#else
attachment make_share(const options &)
{
    throw std::runtime_error("--share: this program was built without libfuse; install it (Debian: "
                             "apt-get install libfuse3-dev) and build again");
}
#endif

// A device that is misspelt would silently not get what its user wants.
void check_names(const options &chosen, const std::vector<attachment> &all)
{
    std::vector<std::string> names;
    for (const attachment &each : all)
        names.push_back(each.module->basename());
    const auto check = [&names](const char *option, const std::string &name) {
        if (std::find(names.begin(), names.end(), name) == names.end())
            throw std::runtime_error(fmt::format("{}: there is no device '{}': the devices are {}",
                                                 option, name, fmt::join(names, ", ")));
    };
    for (const auto &[name, bits] : chosen.rings)
        check("--rings", name);
    for (const std::string &name : chosen.legacy)
        check("--legacy", name);
}

} // namespace

std::vector<attachment> make_devices(const options &chosen)
{
    std::vector<attachment> all;
    all.push_back(make_entropy(chosen));
    if (!chosen.shm_file.empty())
        all.push_back(make_pmem(chosen));
    if (!chosen.disk.empty())
        all.push_back(make_disk(chosen, "disk", chosen.disk, blk_file::access::read_write));
    if (!chosen.read_only_disk.empty())
        all.push_back(
            make_disk(chosen, "rodisk", chosen.read_only_disk, blk_file::access::read_only));
    if (!chosen.console.empty())
        all.push_back(make_console(chosen));
    if (chosen.net)
        all.push_back(make_net(chosen));
    if (!chosen.share.empty())
        all.push_back(make_share(chosen));
    check_names(chosen, all);
    return all;
}

} // namespace vmmio::platform
