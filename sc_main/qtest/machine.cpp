// SPDX-License-Identifier: Apache-2.0
#include "machine.h"

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <stdexcept>

namespace vmmio::qtest
{

namespace
{

options completed(options chosen)
{
    const auto is_pmem = [](const vmmio_shm_region &r) { return r.id == VMMIO_PMEM_SHM_ID; };
    if (chosen.device == kind::pmem &&
        std::none_of(chosen.regions.begin(), chosen.regions.end(), is_pmem))
        chosen.regions.push_back(default_pmem_region);
    return chosen;
}

// The forms would say it in different ways.
void check_regions(const std::vector<vmmio_shm_region> &regions)
{
    vmmio_shm table;
    vmmio_shm_init(&table);
    for (const vmmio_shm_region &region : regions) {
        const vmmio_error error = vmmio_shm_add(&table, &region);
        if (error != VMMIO_ERROR_OK)
            throw std::invalid_argument(
                fmt::format("--shm, region {}: {}", region.id, vmmio_error_text(error)));
    }
}

} // namespace

machine::machine(const options &chosen)
    : chosen_(completed(chosen)), ram_("--ram", chosen.ram_bytes), function_(chosen_)
{
    check_regions(chosen_.regions);
    bus_.attach("RAM", ram_base, chosen.ram_bytes, ram_);
    for (unsigned slot = 0; slot < slots - 1; slot++) {
        placeholders_.push_back(std::make_unique<placeholder>(side()));
        bus_.attach(fmt::format("virtio-mmio slot {}", slot), slots_base + slot * slot_bytes,
                    slot_bytes, placeholders_.back()->registers());
    }
    dut_ = make_dut(chosen_, function_, side());
    bus_.attach("the device", slots_base + (slots - 1) * slot_bytes, slot_bytes, dut_->registers());
    for (std::size_t i = 0; i < chosen_.regions.size(); i++)
        bus_.attach(fmt::format("shared memory region {}", chosen_.regions[i].id),
                    chosen_.regions[i].base, chosen_.regions[i].length, dut_->region(i));
}

machine_side machine::side()
{
    return {bus_,
            [this](bool level) {
                if (on_interrupt)
                    on_interrupt(level);
            },
            [this](const vmmio_diagnostic &diagnostic) { say(diagnostic); }};
}

void machine::say(const vmmio_diagnostic &diagnostic)
{
    if (said_.test(diagnostic.id))
        return;
    said_.set(diagnostic.id);
    fmt::print(stderr, "vmmio-qtest: {} ({}), at 0x{:x}, value 0x{:x}\n",
               vmmio_diag_text(diagnostic.id), vmmio_diag_row(diagnostic.id), diagnostic.where,
               diagnostic.value);
}

} // namespace vmmio::qtest
