// SPDX-License-Identifier: Apache-2.0
// Save and restore. The C block behind the Verilog is in step with it, so its state is the state;
// and what the C block was put into, the Verilog is led to by what a driver and a back side can do.
// The engine, which is there already, hears nothing of it.
#include "form.h"
#include "restored.h"

namespace vmmio::rtl
{

namespace
{

// A restore counts ConfigGeneration up from 0, one a clock.
constexpr std::uint32_t most_generations = 1u << 20;

bool latches_a_region(const vmmio_shm &shm) { return shm.length != ~0ull || shm.base != ~0ull; }

} // namespace

vmmio_error form::may_pass(const vmmio_block *state) const
{
    if (writing_ != phase::none)
        return VMMIO_ERROR_STATE_BUSY;
    if (on_pins_) // the C block does not hear of the driver
        return VMMIO_ERROR_STATE_FORM;
    if (state && (state->config_generation > most_generations ||
                  (latches_a_region(state->shm) && !block_->has_regions())))
        return VMMIO_ERROR_STATE_FORM;
    return VMMIO_ERROR_OK;
}

// What the Verilog asks its back side for on its way.
bool form::answer_on_the_way(call what) const
{
    switch (what) {
    case call::suspend:
        return model_->block.status & VMMIO_STATUS_SUSPEND;
    case call::reset:
    case call::queue_stop:
        return false;
    default:
        return true;
    }
}

void form::follow()
{
    const restored<bool> quiet(follows_, true);
    const vmmio_block &c = model_->block;

    block_->hold_in_reset();
    block_->release_reset();
    follow_tables(c);
    follow_features(c);
    for (std::uint32_t i = 0; i < c.is.queue_count; i++)
        follow_queue(i, c.is.queues[i]);
    follow_status(c);
    put(VMMIO_REG_DEVICE_FEATURES_SEL, c.device_features_sel);
    put(VMMIO_REG_DRIVER_FEATURES_SEL, c.driver_features_sel);
    put(VMMIO_REG_QUEUE_SEL, c.queue_sel);
    if (c.resetting)
        put(VMMIO_REG_STATUS, 0);
    compare("restore");
}

void form::put(std::uint32_t offset, std::uint32_t value) { block_->write(offset, value, 0xf); }

// The latch may hold what is no longer in the table, or under another id (A-SHM-5).
void form::follow_tables(const vmmio_block &c)
{
    if (c.is.config_length)
        block_->start_config(c.config, c.config_generation);
    if (!c.shm.untouched) {
        if (latches_a_region(c.shm)) {
            vmmio_shm latched{};
            latched.region[latched.region_count++] = {0, c.shm.base, c.shm.length};
            block_->set_regions(latched);
        }
        put(VMMIO_REG_SHM_SEL, 0);
    }
    block_->set_regions(c.shm);
}

void form::follow_features(const vmmio_block &c)
{
    for (std::uint32_t i = 0; i < 4; i++) {
        put(VMMIO_REG_DRIVER_FEATURES_SEL, i);
        put(VMMIO_REG_DRIVER_FEATURES, c.driver_features.word[i]);
    }
    if (c.features_word_bad) {
        put(VMMIO_REG_DRIVER_FEATURES_SEL, 4);
        put(VMMIO_REG_DRIVER_FEATURES, 1);
    }
}

// Rings are split ones now, as when a driver is early; packed ones that are refused have another
// turn when their layout is negotiated.
void form::follow_queue(std::uint32_t index, const vmmio_queue_registers &queue)
{
    const auto low = [](std::uint64_t value) { return static_cast<std::uint32_t>(value); };
    const auto high = [](std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); };

    put(VMMIO_REG_QUEUE_SEL, index);
    put(VMMIO_REG_QUEUE_SIZE, queue.size);
    put(VMMIO_REG_QUEUE_DESC_LOW, low(queue.desc));
    put(VMMIO_REG_QUEUE_DESC_HIGH, high(queue.desc));
    put(VMMIO_REG_QUEUE_DRIVER_LOW, low(queue.driver));
    put(VMMIO_REG_QUEUE_DRIVER_HIGH, high(queue.driver));
    put(VMMIO_REG_QUEUE_DEVICE_LOW, low(queue.device));
    put(VMMIO_REG_QUEUE_DEVICE_HIGH, high(queue.device));
    if (queue.ready)
        put(VMMIO_REG_QUEUE_READY, 1);
}

void form::follow_status(const vmmio_block &c)
{
    constexpr std::uint32_t first =
        VMMIO_STATUS_ACKNOWLEDGE | VMMIO_STATUS_DRIVER | VMMIO_STATUS_FEATURES_OK;
    constexpr std::uint32_t begun = VMMIO_STATUS_DRIVER_OK | VMMIO_STATUS_SUSPEND;

    if (c.status & first)
        put(VMMIO_REG_STATUS, c.status & first);
    for (std::uint32_t i = 0; i < c.is.queue_count; i++)
        if (c.is.queues[i].ready && !(block_->top().queue_alive() >> i & 1)) {
            put(VMMIO_REG_QUEUE_SEL, i);
            put(VMMIO_REG_QUEUE_READY, 1);
        }
    if (c.status & begun)
        put(VMMIO_REG_STATUS, VMMIO_STATUS_DRIVER_OK);
    if (c.interrupt_status & VMMIO_INTERRUPT_USED_BUFFER)
        block_->used_buffer();
    if (c.interrupt_status & VMMIO_INTERRUPT_CONFIG_CHANGE)
        block_->regions_changed();
    if (c.suspending || c.status & VMMIO_STATUS_SUSPEND)
        put(VMMIO_REG_STATUS, VMMIO_STATUS_SUSPEND);
    if (c.regions_deferred)
        block_->regions_changed();
    if (c.status & VMMIO_STATUS_NEEDS_RESET)
        block_->needs_reset();
    put(VMMIO_REG_INTERRUPT_ACK, ~c.interrupt_status); // of the error, if it was acknowledged
    if (c.status & VMMIO_STATUS_FAILED)
        put(VMMIO_REG_STATUS, VMMIO_STATUS_FAILED);
}

} // namespace vmmio::rtl
