/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <algorithm>
#include <stdexcept>

namespace vmmio::tb
{

test_function::test_function(uint32_t queues)
{
    type_.name = "test";
    type_.device_id = VMMIO_ID_NULL;
    type_.handle = [](vmmio_function *f, vmmio_request *request) { of(f).on_request(request); };
    type_.features_ok = [](vmmio_function *f, const vmmio_features *negotiated) {
        return !of(f).on_features_ok || of(f).on_features_ok(*negotiated);
    };
    type_.usable_queues = [](const vmmio_function *f, const vmmio_features *negotiated) {
        const auto &usable = reinterpret_cast<const head *>(f)->owner->on_usable_queues;
        return usable ? usable(*negotiated) : f->queue_count;
    };
    type_.reset = [](vmmio_function *f) {
        if (of(f).on_reset)
            of(f).on_reset();
    };
    type_.config_write = [](vmmio_function *f, uint32_t at, const uint8_t *data, uint32_t length) {
        return of(f).on_config_write && of(f).on_config_write(at, data, length);
    };
    head_.function.type = &type_;
    head_.function.queue_count = queues;
    head_.owner = this;
    on_request = [](vmmio_request *request) { vmmio_request_complete(request, 0); };
}

void test_function::hold()
{
    on_request = [this](vmmio_request *request) { held.push_back(request); };
}

void test_function::use_config()
{
    head_.function.config = config.data();
    head_.function.config_length = static_cast<uint32_t>(config.size());
}

void test_function::use_dependencies()
{
    type_.dependencies = dependencies.data();
    type_.dependency_count = static_cast<uint32_t>(dependencies.size());
}

std::vector<uint8_t> operator+(std::vector<uint8_t> a, const std::vector<uint8_t> &b)
{
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

rig::rig(vmmio_function &function, const rig_options &options)
    : memory(options.mode), guest(*this), queue_registers_(function.queue_count + 1),
      queues_(function.queue_count + 1), requests_(options.requests),
      segments_(static_cast<size_t>(options.requests) * options.queue_size_max)
{
    vmmio_device_config config = {};
    config.function = &function;
    config.vendor_id = vendor;
    config.features = options.features;
    config.queue_size_max = options.queue_size_max;
    config.memory = memory.port();
    config.host.context = this;
    config.host.interrupt = [](void *self, bool level) {
        rig &r = *static_cast<rig *>(self);
        r.edges.push_back(level);
        r.line = level;
        if (r.on_interrupt)
            r.on_interrupt(level);
    };
    config.host.diagnostic = [](void *self, const vmmio_diagnostic *diagnostic) {
        static_cast<rig *>(self)->diagnostics.push_back(*diagnostic);
    };
    config.on_reset = [](void *self) { static_cast<rig *>(self)->resets++; };
    config.queue_registers = queue_registers_.data();
    config.queues = queues_.data();
    config.queue_count = static_cast<uint32_t>(queues_.size());
    config.requests = requests_.data();
    config.request_count = options.requests;
    config.segments = segments_.data();
    config.segment_count = static_cast<uint32_t>(segments_.size());
    config.hold_reset = options.hold_reset;

    memory.add_ram(ram_base, ram_size);
    memory.on_invalidate = [this] { vmmio_device_forget_pointers(&device); };
    const vmmio_error error = vmmio_device_init(&device, &config);
    if (error != VMMIO_ERROR_OK)
        throw std::invalid_argument(vmmio_error_text(error));
}

rig::~rig()
{
    for (const std::string &violation : memory.violations)
        ADD_FAILURE() << "the driver did not allow this: " << violation;
}

void rig::check_line() const { EXPECT_EQ(line, device.block.interrupt_status != 0); }

uint32_t rig::read(uint32_t offset, uint32_t width)
{
    const uint32_t value = vmmio_device_read(&device, offset, width);
    check_line();
    return value;
}

void rig::write(uint32_t offset, uint32_t value, uint32_t width)
{
    memory.take_pointers_away();
    vmmio_device_write(&device, offset, width, value);
    check_line();
}

uint32_t rig::read_queue(uint32_t queue, uint32_t offset)
{
    write(VMMIO_REG_QUEUE_SEL, queue);
    return read(offset);
}

void rig::write_queue(uint32_t queue, uint32_t offset, uint32_t value)
{
    write(VMMIO_REG_QUEUE_SEL, queue);
    write(offset, value);
}

void rig::run()
{
    for (unsigned slices = 0; vmmio_device_has_work(&device); slices++) {
        ASSERT_LT(slices, 100000u) << "the device never comes to an end";
        vmmio_device_run(&device, 64);
        check_line();
    }
}

size_t rig::count(vmmio_diag_id id) const
{
    return static_cast<size_t>(
        std::count_if(diagnostics.begin(), diagnostics.end(),
                      [id](const vmmio_diagnostic &d) { return d.id == id; }));
}

void rig::go_live(const vmmio_features &features, uint32_t queue_count, uint32_t size)
{
    ASSERT_TRUE(guest.negotiate(features));
    memory.withdraw_all();
    queues.clear();
    for (uint32_t i = 0; i < queue_count; i++) {
        queues.push_back(std::make_unique<virtqueue>(make_queue(size)));
        guest.enable_queue(i, *queues.back());
    }
    guest.start();
    run();
}

virtqueue rig::make_queue(uint32_t size) { return {memory, alloc(32ull * size + 64, 4096), size}; }

uint64_t rig::alloc(uint64_t length, uint64_t alignment)
{
    const uint64_t address = (free_ram_ + alignment - 1) / alignment * alignment;
    free_ram_ = address + length + 64;
    EXPECT_LE(free_ram_, ram_base + ram_size) << "the test wants more RAM than there is";
    return address;
}

void rig::serve(const std::vector<piece> &pieces)
{
    queue(0).offer(queue(0).add(pieces));
    guest.kick(0);
    run();
}

std::optional<used_entry> rig::exchange(const std::vector<piece> &pieces)
{
    serve(pieces);
    return queue(0).reap();
}

} // namespace vmmio::tb
