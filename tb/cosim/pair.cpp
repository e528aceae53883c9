/* SPDX-License-Identifier: Apache-2.0 */
#include "pair.h"

#include <algorithm>
#include <cstdio>

namespace vmmio::tb
{

/* The back side of the C form: the same answers, the same log. */
struct c_back {
    static pair &of(void *context) { return *static_cast<pair *>(context); }
    static void log(void *context, const std::string &event)
    {
        of(context).c_events_.push_back(event);
    }

    static bool features_ok(void *context, const vmmio_features *)
    {
        log(context, "features");
        return of(context).rtl.answers.accept_features;
    }
    static void nothing(void *) {}
    static void notify(void *context, uint32_t, uint32_t data)
    {
        log(context, "notify " + std::to_string(data));
    }
    static bool queue_enable(void *context, uint32_t queue, const vmmio_queue_registers *r)
    {
        std::string event = "enable " + std::to_string(queue);
        for (const uint64_t area : {r->desc, r->driver, r->device})
            event += " " + std::to_string(static_cast<uint32_t>(area)) + " " +
                     std::to_string(area >> 32);
        log(context, event + " " + std::to_string(r->size));
        return of(context).rtl.answers.accept_queue;
    }
    static bool queue_stop(void *context, uint32_t) { return of(context).rtl.answers.stop_now; }
    static bool suspend(void *context) { return of(context).rtl.answers.suspend_now; }
    static bool reset(void *context) { return of(context).rtl.answers.reset_now; }
    static bool config_write(void *context, uint32_t offset, const uint8_t *data, uint32_t length)
    {
        for (uint32_t i = 0; i < length; i++)
            log(context, "config " + std::to_string(offset + i) + " " + std::to_string(data[i]));
        return of(context).rtl.answers.accept_config;
    }
    static void interrupt(void *context, bool level) { of(context).c_irq_ = level; }

    static constexpr vmmio_back_side calls = {features_ok, nothing, nothing, notify, queue_enable,
                                              queue_stop,  suspend, nothing, reset,  config_write};
};

pair::pair(unsigned seed) : rtl(seed), queues_(queue_count), dependencies_(dependencies())
{
    const std::vector<uint8_t> zero(config_bytes);
    vmmio_block_config config = {};

    for (unsigned i = 0; i < queue_count; i++)
        queues_[i].size_max = size_max(i);
    config.device_id = 42;
    config.vendor_id = 0x6f696d76;
    config.features = offered();
    config.required_features = required();
    config.dependencies = dependencies_.data();
    config.dependency_count = static_cast<uint32_t>(dependencies_.size());
    config.queues = queues_.data();
    config.queue_count = queue_count;
    config.config = zero.data();
    config.config_length = config_bytes;
    config.back = &c_back::calls;
    config.back_context = this;
    config.host = {this, c_back::interrupt, nullptr};
    EXPECT_EQ(vmmio_block_init(&c, &config), VMMIO_ERROR_OK);
    compare("power-up");
}

void pair::compare(const std::string &after)
{
    uint64_t alive = 0, stopping = 0;

    rtl.clocks(3); // what an access starts has arrived
    for (unsigned i = 0; i < queue_count; i++) {
        alive |= uint64_t{queues_[i].ready && !queues_[i].stopping} << i;
        stopping |= uint64_t{queues_[i].stopping} << i;
    }
    EXPECT_EQ(rtl.irq(), c_irq_) << "irq after " << after;
    EXPECT_EQ(rtl.top->back_status, c.status) << "Status after " << after;
    EXPECT_EQ(rtl.top->back_live != 0, vmmio_block_live(&c)) << "live after " << after;
    EXPECT_EQ(rtl.top->back_reset_request != 0, c.resetting) << "reset after " << after;
    EXPECT_EQ(rtl.top->back_suspend_request != 0, c.suspending) << "suspend after " << after;
    EXPECT_EQ(rtl.top->back_queue_alive, alive) << "queues after " << after;
    EXPECT_EQ(rtl.top->back_queue_stop, stopping) << "queue stops after " << after;
    EXPECT_EQ(rtl.events, c_events_) << "seam events after " << after;
    for (unsigned i = 0; c.status & VMMIO_STATUS_FEATURES_OK && i < 4; i++) {
        EXPECT_EQ(rtl.feature_word(i), c.driver_features.word[i]) << "features after " << after;
    }
    rtl.events.clear();
    c_events_.clear();
}

static std::string text(const char *what, uint32_t address, uint32_t value)
{
    char line[64];
    std::snprintf(line, sizeof(line), "%s 0x%03x 0x%08x", what, address, value);
    return line;
}

/* The Verilog form has not answered the write before its reset was over. */
void pair::c_end_of_held_reset()
{
    if (hold_reset && c.resetting)
        vmmio_block_reset_done(&c);
}

void pair::write(uint32_t offset, uint32_t value)
{
    rtl.write(offset, value);
    vmmio_block_write(&c, offset, 4, value);
    c_end_of_held_reset();
    compare(text("write", offset, value));
}

void pair::write_bytes(uint32_t address, uint32_t data, unsigned strobe)
{
    static const std::map<unsigned, std::array<unsigned, 2>> natural = {
        {0x1, {0, 1}}, {0x2, {1, 1}}, {0x4, {2, 1}}, {0x8, {3, 1}},
        {0x3, {0, 2}}, {0xc, {2, 2}}, {0xf, {0, 4}}};
    const auto at = natural.find(strobe);

    rtl.write(address, data, strobe);
    if (at != natural.end()) { // else there is no such access: A-ALIGN
        const auto [lane, width] = at->second;
        vmmio_block_write(&c, (address & ~3u) + lane, width, data >> 8 * lane);
    }
    c_end_of_held_reset();
    compare(text("write of bytes", address, data) + " " + std::to_string(strobe));
}

uint32_t pair::read(uint32_t offset)
{
    const uint32_t value = rtl.read(offset);

    EXPECT_EQ(value, vmmio_block_read(&c, offset, 4)) << text("read", offset, value);
    compare(text("read", offset, value));
    return value;
}

void pair::read_all()
{
    for (uint32_t offset = 0; offset < VMMIO_REG_CONFIG + VMMIO_CONFIG_MAX; offset += 4)
        read(offset);
}

void pair::used_buffer()
{
    rtl.used_buffer();
    vmmio_block_used_buffer(&c);
    compare("used_buffer");
}

void pair::needs_reset()
{
    rtl.needs_reset();
    vmmio_block_needs_reset(&c);
    compare("needs_reset");
}

void pair::stop_done(unsigned queue)
{
    rtl.stop_done(queue);
    vmmio_block_queue_stop_done(&c, queue);
    compare("stop_done " + std::to_string(queue));
}

void pair::suspend_done()
{
    rtl.suspend_done();
    vmmio_block_suspend_done(&c);
    compare("suspend_done");
}

void pair::reset_done()
{
    rtl.reset_done();
    vmmio_block_reset_done(&c);
    compare("reset_done");
}

void pair::config_update(const std::vector<uint8_t> &bytes, bool notify)
{
    if (std::equal(bytes.begin(), bytes.end(), c.config))
        return; // only changes are committed
    const bool taken = vmmio_block_config_update(&c, bytes.data(), notify);
    EXPECT_EQ(rtl.config_update(bytes, notify), taken);
    compare("config_update");
}

bool pair::set_region(const vmmio_shm_region &region)
{
    const bool known = vmmio_shm_find(&c.shm, region.id) != nullptr;
    unsigned index = 0;

    if (!known && entries_.size() == region_count)
        return false;
    while (known ? !entries_.count(index) || entries_[index] != region.id : entries_.count(index))
        index++;
    const vmmio_error error =
        known ? vmmio_shm_change(&c.shm, &region) : vmmio_shm_add(&c.shm, &region);
    if (error != VMMIO_ERROR_OK)
        return false;
    entries_[index] = region.id;
    rtl.region(index, &region);
    compare("set_region " + std::to_string(region.id));
    return true;
}

void pair::remove_region(uint8_t id)
{
    for (const auto &[index, entry] : entries_) {
        if (entry == id) {
            EXPECT_EQ(vmmio_shm_remove(&c.shm, id), VMMIO_ERROR_OK);
            rtl.region(index, nullptr);
            entries_.erase(index);
            compare("remove_region " + std::to_string(id));
            return;
        }
    }
}

void pair::regions_changed()
{
    rtl.regions_changed();
    vmmio_block_regions_changed(&c);
    compare("regions_changed");
}

void pair::negotiate(const vmmio_features &features)
{
    write(VMMIO_REG_STATUS, 0);
    write(VMMIO_REG_STATUS, VMMIO_STATUS_ACKNOWLEDGE);
    write(VMMIO_REG_STATUS, VMMIO_STATUS_ACKNOWLEDGE | VMMIO_STATUS_DRIVER);
    for (uint32_t i = 0; i < 4; i++) {
        write(VMMIO_REG_DRIVER_FEATURES_SEL, i);
        write(VMMIO_REG_DRIVER_FEATURES, features.word[i]);
    }
    write(VMMIO_REG_STATUS,
          VMMIO_STATUS_ACKNOWLEDGE | VMMIO_STATUS_DRIVER | VMMIO_STATUS_FEATURES_OK);
}

void pair::start(const vmmio_features &features)
{
    negotiate(features);
    write(VMMIO_REG_STATUS, read(VMMIO_REG_STATUS) | VMMIO_STATUS_DRIVER_OK);
}

void pair::set_queue(unsigned queue, uint32_t size)
{
    write(VMMIO_REG_QUEUE_SEL, queue);
    write(VMMIO_REG_QUEUE_SIZE, size);
    write(VMMIO_REG_QUEUE_DESC_LOW, 0x10000 * (queue + 1));
    write(VMMIO_REG_QUEUE_DESC_HIGH, queue);
    write(VMMIO_REG_QUEUE_DRIVER_LOW, 0x10000 * (queue + 1) + 0x4002);
    write(VMMIO_REG_QUEUE_DRIVER_HIGH, queue);
    write(VMMIO_REG_QUEUE_DEVICE_LOW, 0x10000 * (queue + 1) + 0x8004);
    write(VMMIO_REG_QUEUE_DEVICE_HIGH, queue);
}

void pair::enable_queue(unsigned queue, uint32_t size)
{
    set_queue(queue, size);
    write(VMMIO_REG_QUEUE_READY, 1);
}

} // namespace vmmio::tb
