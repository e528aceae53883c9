// SPDX-License-Identifier: Apache-2.0
#include "dut_c.h"

#include "vmmio/state.h"

#include <algorithm>
#include <fmt/format.h>

namespace vmmio::qtest
{

namespace
{

machine_side &side_of(void *context) { return *static_cast<machine_side *>(context); }

vmmio_memory dma(machine_side &side)
{
    vmmio_memory memory{};
    memory.context = &side;
    memory.map = [](void *context, std::uint64_t address, std::uint64_t length, bool) -> void * {
        const auto span = side_of(context).memory.memory(address);
        const bool whole = span && length - 1 <= span->last - address;
        return whole ? span->memory + (address - span->first) : nullptr;
    };
    memory.read = [](void *context, std::uint64_t address, void *data, std::uint32_t length) {
        return side_of(context).memory.read(address, static_cast<std::uint8_t *>(data), length);
    };
    memory.write = [](void *context, std::uint64_t address, const void *data,
                      std::uint32_t length) {
        return side_of(context).memory.write(address, static_cast<const std::uint8_t *>(data),
                                             length);
    };
    return memory;
}

} // namespace

c_device::c_device(vmmio_function *function, const vmmio_features &features, bool legacy,
                   const machine_side &side)
    : side_(side),
      // The model wants pointers, also for a placeholder, which has no queue.
      queue_registers_(std::max(function->queue_count, 1u)),
      queues_(std::max(function->queue_count, 1u)), requests_(requests),
      segments_(std::size_t{requests} * queue_size_max)
{
    vmmio_device_config config{};
    config.function = function;
    config.vendor_id = vendor_id;
    config.features = features;
    config.legacy = legacy;
    config.queue_size_max = queue_size_max;
    config.memory = dma(side_);
    config.host.context = &side_;
    config.host.interrupt = [](void *context, bool level) { side_of(context).interrupt(level); };
    config.host.diagnostic = [](void *context, const vmmio_diagnostic *diagnostic) {
        side_of(context).diagnostic(*diagnostic);
    };
    config.queue_registers = queue_registers_.data();
    config.queues = queues_.data();
    config.queue_count = function->queue_count;
    config.requests = requests_.data();
    config.request_count = static_cast<std::uint32_t>(requests_.size());
    config.segments = segments_.data();
    config.segment_count = static_cast<std::uint32_t>(segments_.size());
    check(vmmio_device_init(&model_, &config));
}

std::uint32_t c_device::read_register(std::uint32_t offset, unsigned width)
{
    return vmmio_device_read(&model_, offset, width);
}

void c_device::write_register(std::uint32_t offset, unsigned width, std::uint32_t value)
{
    vmmio_device_write(&model_, offset, width, value);
}

vmmio_function *placeholder::init(vmmio_null &null)
{
    vmmio_placeholder_init(&null);
    return &null.function;
}

placeholder::placeholder(const machine_side &side)
    : device_(init(null_), vmmio_device_default_features(), false, side)
{
}

dut_c::dut_c(const options &chosen, function &what, const machine_side &side)
    : device_(what.model(), what.features(), chosen.legacy, side)
{
    for (const vmmio_shm_region &region : chosen.regions) {
        check(vmmio_shm_add(vmmio_device_shm(&device_.model()), &region));
        memories_.push_back(
            std::make_unique<ram>(fmt::format("region {}", region.id), region.length));
    }
}

void dut_c::settle()
{
    for (unsigned i = 0; i < slices_per_command && vmmio_device_has_work(&device_.model()); i++)
        vmmio_device_run(&device_.model(), slice);
}

vmmio_error dut_c::save(std::vector<std::uint8_t> &state)
{
    std::size_t length = 0;
    const vmmio_error error = vmmio_device_save(&device_.model(), nullptr, nullptr, 0, &length);
    if (error != VMMIO_ERROR_STATE_ROOM)
        return error;
    state.resize(length);
    return vmmio_device_save(&device_.model(), nullptr, state.data(), length, &length);
}

vmmio_error dut_c::restore(const std::vector<std::uint8_t> &state)
{
    return vmmio_device_restore(&device_.model(), nullptr, state.data(), state.size());
}

} // namespace vmmio::qtest
