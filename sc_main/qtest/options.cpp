// SPDX-License-Identifier: Apache-2.0
#include "options.h"

#include "common/command_line.h"
#include "common/number.h"
#include "common/rings.h"
#include "vmmio/dev/blk.h"

#include <map>
#include <string>

namespace vmmio::qtest
{

namespace
{

// "id=N,base=ADDR,len=BYTES", the parts in any order.
vmmio_shm_region region_of(const std::string &text)
{
    std::map<std::string, std::uint64_t> parts;
    const std::string form = "write id=N,base=ADDR,len=BYTES";

    for (const std::string &part : CLI::detail::split(text, ',')) {
        const std::size_t sign = part.find('=');
        const std::string key = part.substr(0, sign);
        if (sign == std::string::npos || (key != "id" && key != "base" && key != "len"))
            throw CLI::ValidationError("--shm", "'" + part + "' in '" + text + "': " + form);
        if (!parts.emplace(key, size_of("--shm", part.substr(sign + 1))).second)
            throw CLI::ValidationError("--shm", "'" + text + "' has " + key + " twice: " + form);
    }
    if (parts.size() != 3)
        throw CLI::ValidationError("--shm", "'" + text + "' is not complete: " + form);
    if (parts["id"] > UINT8_MAX)
        throw CLI::ValidationError("--shm", "id in '" + text + "' is above 255");
    return {static_cast<std::uint8_t>(parts["id"]), parts["base"], parts["len"]};
}

template <typename Value>
std::vector<std::string> names_of(const std::map<std::string, Value> &values)
{
    std::vector<std::string> names;
    for (const auto &value : values)
        names.push_back(value.first);
    return names;
}

std::uint64_t seed_of(const std::string &text)
{
    const auto seed = parse_unsigned(text);
    if (!seed)
        throw CLI::ValidationError("--seed", "'" + text + "' is no number of 64 bits");
    return *seed;
}

vmmio_features features_of(std::string text)
{
    const std::string wanted = text;
    if (text.rfind("0x", 0) == 0 || text.rfind("0X", 0) == 0)
        text.erase(0, 2);
    if (text.empty() || text.size() > 32 ||
        text.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
        throw CLI::ValidationError("--features", "'" + wanted +
                                                     "' is no mask of 128 bits: write 1 to 32 "
                                                     "hexadecimal digits");
    text.insert(0, 32 - text.size(), '0');
    vmmio_features features{};
    for (unsigned i = 0; i < 4; i++)
        features.word[3 - i] =
            static_cast<std::uint32_t>(std::stoul(text.substr(8 * i, 8), nullptr, 16));
    return features;
}

} // namespace

options parse_options(int argc, const char *const *argv, std::optional<int> &exit_status)
{
    const std::map<std::string, form> forms = {
        {"c", form::c}, {"tlm", form::tlm}, {"rtl", form::rtl}, {"lockstep", form::lockstep}};
    const std::map<std::string, kind> kinds = {{"entropy", kind::entropy}, {"pmem", kind::pmem},
                                               {"console", kind::console}, {"net", kind::net},
                                               {"blk", kind::blk},         {"fs", kind::fs},
                                               {"null", kind::null}};
    options chosen;
    std::string dut;
    std::string device = "entropy";
    std::string ram = "64M";
    std::string disk = "1M";
    std::string features;
    std::string seed;
    std::string rings;
    std::vector<std::string> regions;
    CLI::App app{"A virtio-mmio device for scripts: QEMU's qtest protocol on standard input and "
                 "output.\nThe machine is that of docs/qtest.md: RAM at 0x40000000, 32 slots of "
                 "0x200 bytes from 0x0a000000,\nthe device in the highest one."};

    app.add_option(
           "--dut", dut,
           "Form of the device under test: the C model (c), the SystemC device (tlm), the same "
           "on the Verilog register block (rtl), or on both, compared at each step (lockstep)")
        ->required()
        ->check(CLI::IsMember(names_of(forms)));
    app.add_option("--device", device, "What the device does")
        ->capture_default_str()
        ->check(CLI::IsMember(names_of(kinds)));
    app.add_option("--ram", ram, "Bytes of RAM, with a suffix k, M, G or none")
        ->capture_default_str();
    app.add_option("--shm", regions,
                   "id=N,base=ADDR,len=BYTES: a shared memory region with memory behind it; may be "
                   "given several times")
        ->allow_extra_args(false);
    app.add_option("--features", features,
                   "Feature bits to offer, hexadecimal (default: all that are implemented, less "
                   "RING_PACKED, IN_ORDER, ACCESS_PLATFORM and ORDER_PLATFORM)");
    app.add_option("--rings", rings,
                   "What to offer for the rings, e.g. packed+event_idx; split, packed, event_idx, "
                   "indirect and in_order are there (default: split+event_idx+indirect)");
    app.add_flag("--legacy", chosen.legacy, "The legacy register layout, Version 1");
    app.add_option("--seed", seed, "Number that makes the entropy device's bytes reproducible");
    app.add_option("--pairs", chosen.pairs, "Queue pairs of the net device, 1 to 64")
        ->capture_default_str()
        ->check(CLI::Range(1, 64));
    app.add_option("--ports", chosen.ports, "Ports of the console device, 1 to 32")
        ->capture_default_str()
        ->check(CLI::Range(1, 32));
    app.add_option("--directory", chosen.directory, "What the fs device serves")
        ->check(CLI::ExistingDirectory);
    app.add_option("--disk", disk, "Bytes of the blk device, a multiple of 512")
        ->capture_default_str();
    app.add_flag("--read-only", chosen.read_only, "The blk device cannot be written");
    app.add_option("--fst", chosen.fst_folder, "Folder for the waveforms of the Verilog block")
        ->check(CLI::ExistingDirectory);
    try {
        app.parse(argc, argv);
        chosen.dut = forms.at(dut);
        chosen.device = kinds.at(device);
        chosen.ram_bytes = size_of("--ram", ram);
        if (chosen.ram_bytes == 0)
            throw CLI::ValidationError("--ram", "a machine needs RAM: give at least 1 byte");
        chosen.disk_bytes = size_of("--disk", disk);
        if (chosen.disk_bytes % VMMIO_BLK_SECTOR)
            throw CLI::ValidationError("--disk", "'" + disk + "' is no multiple of 512");
        for (const std::string &region : regions)
            chosen.regions.push_back(region_of(region));
        if (app.count("--features") > 0)
            chosen.features = features_of(features);
        if (app.count("--rings") > 0)
            chosen.rings = rings_of("--rings", rings);
        if (chosen.device == kind::fs && chosen.directory.empty())
            throw CLI::ValidationError("--directory", "an fs device needs one: name it");
        if (chosen.device == kind::fs && chosen.dut == form::c)
            throw CLI::ValidationError("--dut", "the fs device has threads: choose tlm, rtl or "
                                                "lockstep");
        if (chosen.dut == form::c && !chosen.fst_folder.empty())
            throw CLI::ValidationError("--fst", "the C model has no waveforms: choose --dut rtl or "
                                                "lockstep");
        if (app.count("--seed") > 0)
            chosen.seed = seed_of(seed);
    } catch (const CLI::Error &error) {
        exit_status = exit_status_of(app, error);
    }
    return chosen;
}

} // namespace vmmio::qtest
