/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
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
    config_.function = &function;
    config_.vendor_id = vendor;
    config_.features = options.features;
    config_.queue_size_max = options.queue_size_max;
    config_.memory = memory.port();
    config_.host.context = this;
    config_.host.interrupt = [](void *self, bool level) {
        rig &r = *static_cast<rig *>(self);
        r.line = level;
        if (r.moving_)
            return;
        r.edges.push_back(level);
        if (r.on_interrupt)
            r.on_interrupt(level);
    };
    config_.host.diagnostic = [](void *self, const vmmio_diagnostic *diagnostic) {
        static_cast<rig *>(self)->diagnostics.push_back(*diagnostic);
    };
    config_.on_reset = [](void *self) {
        rig &r = *static_cast<rig *>(self);
        r.resets += !r.moving_;
    };
    config_.queue_registers = queue_registers_.data();
    config_.queues = queues_.data();
    config_.queue_count = static_cast<uint32_t>(queues_.size());
    config_.requests = requests_.data();
    config_.request_count = options.requests;
    config_.segments = segments_.data();
    config_.segment_count = static_cast<uint32_t>(segments_.size());
    config_.hold_reset = options.hold_reset;
    config_.legacy = options.legacy;

    memory.add_ram(ram_base, ram_size);
    memory.on_invalidate = [this] { vmmio_device_forget_pointers(&device); };
    make_device();
}

void rig::make_device()
{
    const vmmio_error error = vmmio_device_init(&device, &config_);
    if (error != VMMIO_ERROR_OK)
        throw std::invalid_argument(vmmio_error_text(error));
}

std::vector<uint8_t> rig::save()
{
    size_t length = 0;
    EXPECT_EQ(vmmio_device_save(&device, nullptr, nullptr, 0, &length), VMMIO_ERROR_STATE_ROOM);
    std::vector<uint8_t> state(length);
    EXPECT_EQ(vmmio_device_save(&device, nullptr, state.data(), length, &length), VMMIO_ERROR_OK);
    EXPECT_EQ(length, state.size());
    return state;
}

bool rig::move()
{
    size_t length;
    if (vmmio_device_save(&device, nullptr, nullptr, 0, &length) != VMMIO_ERROR_STATE_ROOM)
        return false;
    const std::vector<uint8_t> state = save();
    const vmmio_shm shm = device.block.shm;

    moving_ = true;
    memset(&device, 0xa5, sizeof(device));
    memset(queues_.data(), 0xa5, queues_.size() * sizeof(queues_[0]));
    memset(requests_.data(), 0xa5, requests_.size() * sizeof(requests_[0]));
    if (renew)
        renew();
    line = false;
    make_device();
    for (uint32_t i = 0; i < shm.region_count; i++)
        EXPECT_EQ(vmmio_shm_add(&device.block.shm, &shm.region[i]), VMMIO_ERROR_OK);
    EXPECT_EQ(restore(state), VMMIO_ERROR_OK);
    moving_ = false;
    check_line();
    return true;
}

/* Not with requests in the function: tests hold pointers to those. */
void rig::move_if_asked()
{
    static const bool asked = getenv("VMMIO_TEST_MOVES") != nullptr;
    if (!asked || moving_)
        return;
    uint32_t free = 0;
    for (const vmmio_request *q = device.engine.free_requests; q; q = q->next)
        free++;
    if (free == config_.request_count)
        move();
}

rig::~rig()
{
    for (const std::string &violation : memory.violations)
        ADD_FAILURE() << "the driver did not allow this: " << violation;
}

void rig::check_line() const { EXPECT_EQ(line, device.block.interrupt_status != 0); }

uint32_t rig::read(uint32_t offset, uint32_t width)
{
    move_if_asked();
    const uint32_t value = vmmio_device_read(&device, offset, width);
    check_line();
    return value;
}

void rig::write(uint32_t offset, uint32_t value, uint32_t width)
{
    move_if_asked();
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
        if (slices < 100) /* a restore may itself give it something to do */
            move_if_asked();
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
    const bool in_order = vmmio_features_has(&features, VMMIO_F_IN_ORDER);
    ASSERT_TRUE(guest.negotiate(features));
    memory.withdraw_all();
    queues.clear();
    packed_queues.clear();
    for (uint32_t i = 0; i < queue_count; i++) {
        if (vmmio_features_has(&features, VMMIO_F_RING_PACKED)) {
            packed_queues.push_back(std::make_unique<packed_queue>(make_packed_queue(size)));
            packed(i).in_order = in_order;
            guest.enable_queue(i, packed(i));
        } else {
            queues.push_back(std::make_unique<virtqueue>(make_queue(size)));
            queue(i).in_order = in_order;
            guest.enable_queue(i, queue(i));
        }
    }
    guest.start();
    run();
}

virtqueue rig::make_queue(uint32_t size) { return {memory, alloc(32ull * size + 64, 4096), size}; }

packed_queue rig::make_packed_queue(uint32_t size)
{
    return {memory, alloc(16ull * size + 8, 4096), size};
}

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

std::optional<packed_used> rig::exchange_packed(const std::vector<piece> &pieces)
{
    packed(0).offer(pieces);
    guest.kick(0);
    run();
    return packed(0).reap();
}

} // namespace vmmio::tb
