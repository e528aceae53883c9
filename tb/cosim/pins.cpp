/* SPDX-License-Identifier: Apache-2.0 */
#include "pins.h"

#include <algorithm>
#include <stdexcept>

namespace vmmio::tb
{

namespace
{
constexpr unsigned patience = 1000; // clocks until an answer must have come
constexpr unsigned config_words = (config_bytes + 3) / 4;
} // namespace

pins::pins(unsigned seed)
    : top(std::make_unique<Vvmmio_axil>()), random_(seed), config_(config_bytes)
{
    top->rst = 1;
    clocks(3);
    top->rst = 0;
    clock();
}

/* The queue's seven words are read while the block waits for the answer, as an engine would. */
void pins::answer()
{
    const bool request =
        top->back_features_request || top->back_enable_request || top->back_config_write;
    const bool done = waited_ >= answers.latency;

    answer_config_write();
    top->back_features_done = done;
    top->back_features_accept = answers.accept_features;
    top->back_enable_done = done && register_word_ == 8;
    top->back_enable_accept = answers.accept_queue;
    top->back_queue_read = top->back_enable_request && register_word_ < 7;
    top->back_queue_read_queue = top->back_enable_queue;
    top->back_queue_read_word = static_cast<CData>(register_word_ & 7);
    top->back_queue_stop_done = answers.stop_now ? (1ull << queue_count) - 1 : ending_stops_;
    top->back_suspend_done = answers.suspend_now || ending_suspend_;
    top->back_reset_done =
        answers.reset_now || ending_reset_ || (hold_reset && waited_ >= answers.latency);
    top->back_config_notify = top->back_config_notify || regions_news_;
    waited_ = request || (hold_reset && top->back_reset_request) ? waited_ + 1 : 0;
}

void pins::load_config(unsigned word)
{
    uint32_t value = random_(); // bytes behind the last do not matter

    for (unsigned i = 4 * word; i < std::min(4 * word + 4, config_bytes); i++)
        value = (value & ~(0xffu << i % 4 * 8)) | uint32_t{config_[i]} << i % 4 * 8;
    top->back_load = 1;
    top->back_load_config = 1;
    top->back_load_word = static_cast<CData>(word);
    top->back_load_data = value;
}

/* An accepted write is loaded and committed before it is done, so that it reads back. */
void pins::answer_config_write()
{
    if (!top->back_config_write) {
        load_step_ = 0;
        top->back_config_write_done = 0;
        return;
    }
    if (load_step_ == 0 && answers.accept_config)
        for (unsigned i = 0; i < 4; i++)
            if (top->back_config_write_strobe >> i & 1)
                config_[4 * top->back_config_write_word + i] =
                    static_cast<uint8_t>(top->back_config_write_data >> 8 * i);
    if (load_step_ < config_words)
        load_config(load_step_);
    else
        top->back_load = 0;
    top->back_config_commit = load_step_ == config_words && answers.accept_config;
    top->back_config_counts = 0;
    top->back_config_write_done = load_step_ > config_words && waited_ >= answers.latency;
    load_step_++;
}

void pins::observe()
{
    if (top->back_notify)
        events.push_back("notify " + std::to_string(top->back_notify_data));
    if (top->back_config_write && top->back_config_write_done)
        for (unsigned i = 0; i < 4; i++)
            if (top->back_config_write_strobe >> i & 1)
                events.push_back("config " + std::to_string(4 * top->back_config_write_word + i) +
                                 " " + std::to_string(top->back_config_write_data >> 8 * i & 0xff));
    if (top->back_features_request && top->back_features_done)
        events.push_back("features");
    if (top->back_enable_request && top->back_enable_done) {
        std::string event = "enable " + std::to_string(top->back_enable_queue);
        for (const uint32_t word : registers_)
            event += " " + std::to_string(word);
        events.push_back(event);
    }
}

void pins::clock()
{
    top->clk = 0;
    top->eval();
    answer();
    top->eval();
    const bool told = regions_news_ && top->back_config_commit_ready;
    observe();
    if (top->back_enable_request && register_word_ > 0 && register_word_ < 8)
        registers_[register_word_ - 1] = top->back_queue_read_data;
    if (!top->back_enable_request)
        register_word_ = 0;
    else if (register_word_ < 8 && top->back_queue_read_ready)
        register_word_++;
    top->clk = 1;
    top->eval();
    now++;
    if (told) {
        regions_news_ = false;
        top->back_config_notify = 0;
    }
}

void pins::write(uint32_t address, uint32_t data, unsigned strobe)
{
    unsigned address_delay = stall(), data_delay = stall(), response_delay = stall();
    bool address_done = false, data_done = false;

    top->s_axil_awaddr = static_cast<SData>(address);
    top->s_axil_wdata = data;
    top->s_axil_wstrb = static_cast<CData>(strobe);
    for (unsigned i = 0; i < patience; i++) {
        top->s_axil_awvalid = !address_done && i >= address_delay;
        top->s_axil_wvalid = !data_done && i >= data_delay;
        top->s_axil_bready = address_done && data_done && i >= response_delay;
        const bool address_now = top->s_axil_awvalid && top->s_axil_awready;
        const bool data_now = top->s_axil_wvalid && top->s_axil_wready;
        const bool response = top->s_axil_bready && top->s_axil_bvalid;
        clock();
        address_done |= address_now;
        data_done |= data_now;
        top->s_axil_awvalid = top->s_axil_wvalid = top->s_axil_bready = 0;
        if (response)
            return;
    }
    throw std::runtime_error("a write is not answered");
}

uint32_t pins::read(uint32_t address)
{
    const unsigned address_delay = stall(), data_delay = stall();
    bool address_done = false;

    top->s_axil_araddr = static_cast<SData>(address);
    for (unsigned i = 0; i < patience; i++) {
        top->s_axil_arvalid = !address_done && i >= address_delay;
        top->s_axil_rready = address_done && i >= data_delay;
        const bool address_now = top->s_axil_arvalid && top->s_axil_arready;
        const bool response = top->s_axil_rready && top->s_axil_rvalid;
        const uint32_t data = top->s_axil_rdata;
        clock();
        address_done |= address_now;
        top->s_axil_arvalid = top->s_axil_rready = 0;
        if (response)
            return data;
    }
    throw std::runtime_error("a read is not answered");
}

void pins::pulse(CData &pin)
{
    pin = 1;
    clock();
    pin = 0;
}

void pins::used_buffer() { pulse(top->back_used_buffer); }

void pins::needs_reset() { pulse(top->back_needs_reset); }

void pins::stop_done(unsigned queue)
{
    ending_stops_ = 1ull << queue;
    clock();
    ending_stops_ = 0;
}

void pins::suspend_done()
{
    ending_suspend_ = true;
    clock();
    ending_suspend_ = false;
}

void pins::reset_done()
{
    ending_reset_ = true;
    clock();
    ending_reset_ = false;
}

bool pins::config_update(const std::vector<uint8_t> &bytes, bool notify)
{
    const std::vector<uint8_t> old = config_;

    config_ = bytes;
    for (unsigned word = 0; word < config_words; word++) {
        load_config(word);
        clock();
    }
    top->back_load = 0;
    top->back_config_counts = 1;
    top->back_config_notify = notify;
    top->eval();
    const bool ready = top->back_config_commit_ready;
    pulse(top->back_config_commit);
    top->back_config_notify = 0;
    if (!ready)
        config_ = old;
    return ready;
}

void pins::region(unsigned index, const vmmio_shm_region *region)
{
    top->back_region_index = static_cast<CData>(index);
    top->back_region_present = region != nullptr;
    if (region) {
        const uint32_t words[] = {
            static_cast<uint32_t>(region->length), static_cast<uint32_t>(region->length >> 32),
            static_cast<uint32_t>(region->base), static_cast<uint32_t>(region->base >> 32)};
        top->back_region_id = region->id;
        top->back_load = 1;
        top->back_load_config = 0;
        for (unsigned i = 0; i < 4; i++) {
            top->back_load_word = static_cast<CData>(i);
            top->back_load_data = words[i];
            clock();
        }
        top->back_load = 0;
    }
    top->back_region_commit = 1;
    for (bool ready = false; !ready; clock()) {
        top->eval();
        ready = top->back_region_commit_ready;
    }
    top->back_region_commit = 0;
    clock();
}

} // namespace vmmio::tb
