// SPDX-License-Identifier: Apache-2.0
#include "block.h"

#include <algorithm>
#include <systemc>
#include <utility>

namespace vmmio::rtl
{

namespace
{

constexpr unsigned patience = 100000; // clocks until an answer must have come
constexpr unsigned queue_words = 7;   // that the back side reads of a queue
constexpr std::uint64_t levels = rtl_said_reset_request | rtl_said_suspend_request;

std::uint32_t low(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
std::uint32_t high(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); }
std::uint64_t both(std::uint32_t l, std::uint32_t h) { return std::uint64_t{h} << 32 | l; }

bool same(const vmmio_shm_region &a, const vmmio_shm_region &b)
{
    return a.id == b.id && a.base == b.base && a.length == b.length;
}

} // namespace

block::block(std::string name, const rtl_set &set, const vmmio_back_side &back, void *context)
    : name_(std::move(name)), top_(set.make()), is_(set.parameters), back_(back), context_(context),
      config_(set.parameters.config_bytes)
{
    for (int i = 0; i < 3; i++)
        hold_in_reset();
    release_reset();
}

void block::hold_in_reset()
{
    pins().rst = 1;
    clock();
}

void block::release_reset()
{
    pins().rst = 0;
    clock();
    regions_.fill(std::nullopt);
}

void block::trace(const std::string &path, std::uint64_t period)
{
    top_->trace(path);
    trace_period_ = period;
}

// The clock.

inline void block::clock()
{
    if ((said_ != known_ || stops_told_) && pending())
        answer();
    if (trace_period_)
        traced_clock();
    else
        said_ = top_->clock();
    if (strobes_)
        strobes_off();
    run_++;
    if (said_ != known_)
        happened();
}

void block::traced_clock()
{
    const std::uint64_t now = (run_ + skipped_) * trace_period_;
    top_->fall();
    dump(now);
    said_ = top_->clock();
    dump(now + trace_period_ / 2);
}

void block::dump(std::uint64_t time)
{
    if (time > traced_) {
        traced_ = time;
        top_->dump(time);
    }
}

void block::happened()
{
    if ((said_ ^ known_) & rtl_said_status && !aside_)
        tell_status();
    if ((said_ ^ known_) & rtl_said_irq) {
        known_ ^= rtl_said_irq;
        if (on_interrupt)
            on_interrupt();
    }
}

// Clocks of the back side, here or before the next call, are none of the master's: a handshake
// needs what the master has seen.
void block::clock(const bus_inputs &bus)
{
    const rtl_pins &p = pins();
    if (p.s_axil_rready || p.s_axil_bready)
        clock(); // takes the answer of an access of our own
    p.s_axil_awaddr = bus.awaddr;
    p.s_axil_awvalid = bus.awvalid && p.s_axil_awready;
    p.s_axil_wdata = bus.wdata;
    p.s_axil_wstrb = bus.wstrb;
    p.s_axil_wvalid = bus.wvalid && p.s_axil_wready;
    p.s_axil_bready = bus.bready && p.s_axil_bvalid;
    p.s_axil_araddr = bus.araddr;
    p.s_axil_arvalid = bus.arvalid && p.s_axil_arready;
    p.s_axil_rready = bus.rready && p.s_axil_rvalid;
    clock();
    p.s_axil_awvalid = 0;
    p.s_axil_wvalid = 0;
    p.s_axil_bready = 0;
    p.s_axil_arvalid = 0;
    p.s_axil_rready = 0;
}

// An input that is high in the next clock alone.
inline void block::strobe(std::uint8_t &pin)
{
    pin = 1;
    strobes_ = true;
}

void block::strobes_off()
{
    const rtl_pins &p = pins();
    strobes_ = false;
    for (std::uint8_t *pin :
         {&p.back_features_done, &p.back_features_accept, &p.back_reset_done, &p.back_suspend_done,
          &p.back_used_buffer, &p.back_needs_reset, &p.back_enable_done, &p.back_enable_accept,
          &p.back_queue_read, &p.back_config_write_done, &p.back_load, &p.back_config_commit,
          &p.back_config_counts, &p.back_config_notify})
        *pin = 0;
    top_->queue_stop_done(0);
}

// Calls out of the block. Its clock goes on inside of them, but nothing moves on the bus.
template <typename Call>
void block::aside(Call call)
{
    struct still_bus { // ends with an exception, too
        block &self;
        std::array<std::uint8_t *, 5> moves;
        std::array<std::uint8_t, 5> before;

        explicit still_bus(block &that)
            : self(that), moves{&that.pins().s_axil_awvalid, &that.pins().s_axil_wvalid,
                                &that.pins().s_axil_bready, &that.pins().s_axil_arvalid,
                                &that.pins().s_axil_rready}
        {
            for (std::size_t i = 0; i < moves.size(); i++)
                before[i] = std::exchange(*moves[i], std::uint8_t{0});
            self.aside_ = true;
        }
        ~still_bus()
        {
            self.aside_ = false;
            for (std::size_t i = 0; i < moves.size(); i++)
                *moves[i] = before[i];
        }
    };
    const still_bus now(*this);
    call();
}

// Bus transactions.

inline bool block::wait_for(const std::uint8_t &pin) { return pin || comes_late(pin); }

[[gnu::noinline]] bool block::comes_late(const std::uint8_t &pin)
{
    unsigned i = 0;
    while (!pin && i++ != patience)
        clock();
    if (!pin)
        SC_REPORT_ERROR("/vmmio/rtl", (name_ + ": the Verilog block does not answer").c_str());
    return pin;
}

// An answer comes two clocks after the request at the earliest, and is taken in the next clock,
// whenever that is.
std::uint32_t block::read(std::uint32_t address)
{
    const rtl_pins &p = pins();
    p.s_axil_araddr = static_cast<std::uint16_t>(address);
    p.s_axil_rready = 1;
    if (!wait_for(p.s_axil_arready))
        return 0;
    p.s_axil_arvalid = 1;
    clock();
    p.s_axil_arvalid = 0;
    clock();
    wait_for(p.s_axil_rvalid);
    return p.s_axil_rdata;
}

void block::write(std::uint32_t address, std::uint32_t data, unsigned strobe)
{
    const rtl_pins &p = pins();
    p.s_axil_awaddr = static_cast<std::uint16_t>(address);
    p.s_axil_wdata = data;
    p.s_axil_wstrb = static_cast<std::uint8_t>(strobe);
    if (!wait_for(p.s_axil_awready) || !wait_for(p.s_axil_wready))
        return;
    p.s_axil_awvalid = 1;
    p.s_axil_wvalid = 1;
    clock();
    p.s_axil_awvalid = 0;
    p.s_axil_wvalid = 0;
    p.s_axil_bready = 0; // the answer may come while the bus stands still
    clock();
    wait_for(p.s_axil_bvalid);
    p.s_axil_bready = 1;
    while ((said_ != known_ || stops_told_) && pending())
        clock();
}

// Out of the block.

bool block::pending() const
{
    return (said_ ^ known_) & (rtl_said_request | levels) || top_->queue_stop() != stops_told_;
}

void block::answer()
{
    const rtl_pins &p = pins();
    if (p.back_notify)
        back_.notify(context_, p.back_notify_data & 0xffff, p.back_notify_data);
    if (aside_)
        return; // the call that is under way is the answer to the rest

    const std::uint64_t stops = top_->queue_stop();
    const std::uint64_t fresh = stops & ~stops_told_;
    std::uint64_t stopped = 0;
    bool suspended = false, reset = false;
    const std::uint64_t risen = said_ & ~known_;
    stops_told_ = stops;
    known_ = (known_ & ~levels) | (said_ & levels);
    aside([&] {
        if (p.back_features_request)
            p.back_features_accept = ask_features();
        if (p.back_enable_request)
            p.back_enable_accept = ask_enable();
        if (p.back_config_write)
            ask_config_write();
        for (std::uint32_t queue = 0; fresh >> queue; queue++)
            if (fresh >> queue & 1 && back_.queue_stop(context_, queue))
                stopped |= std::uint64_t{1} << queue;
        suspended = risen & rtl_said_suspend_request && back_.suspend(context_);
        reset = risen & rtl_said_reset_request && back_.reset(context_);
    });
    p.back_features_done = p.back_features_request;
    p.back_enable_done = p.back_enable_request;
    p.back_config_write_done = p.back_config_write;
    p.back_suspend_done = suspended;
    p.back_reset_done = reset;
    top_->queue_stop_done(stopped);
    strobes_ = true;
}

// There are no ports for these three calls: they are what Status says.
void block::tell_status()
{
    const std::uint64_t now = said_ & rtl_said_status;
    const std::uint64_t before = known_ & rtl_said_status;
    const std::uint64_t fresh = now & ~before;
    known_ = (known_ & ~rtl_said_status) | now;
    if (now == 0)
        change_deferred_ = false;
    aside([&] {
        if (fresh & VMMIO_STATUS_FAILED)
            back_.failed(context_);
        if (fresh & VMMIO_STATUS_DRIVER_OK && before & VMMIO_STATUS_SUSPEND)
            back_.resume(context_);
        else if (fresh & VMMIO_STATUS_DRIVER_OK && pins().back_live)
            back_.driver_ok(context_);
        if (change_deferred_ && !(now & VMMIO_STATUS_SUSPEND)) {
            change_deferred_ = false;
            regions_changed();
        }
    });
}

bool block::ask_features()
{
    const vmmio_features negotiated = top_->features();
    return back_.features_ok(context_, &negotiated);
}

bool block::ask_enable()
{
    const rtl_pins &p = pins();
    const std::uint32_t queue = p.back_enable_queue;
    std::array<std::uint32_t, queue_words> word;
    for (unsigned i = 0; i < queue_words; i++) {
        p.back_queue_read_queue = static_cast<std::uint8_t>(queue);
        p.back_queue_read_word = static_cast<std::uint8_t>(i);
        strobe(p.back_queue_read);
        clock();
        word[i] = p.back_queue_read_data;
    }
    vmmio_queue_registers registers{};
    registers.size_max = is_.queue_sizes[queue];
    registers.desc = both(word[0], word[1]);
    registers.driver = both(word[2], word[3]);
    registers.device = both(word[4], word[5]);
    registers.size = word[6];
    registers.ready = true;
    return back_.queue_enable(context_, queue, &registers);
}

// What is accepted reads back before the write is answered.
void block::ask_config_write()
{
    const rtl_pins &p = pins();
    const std::uint32_t word = p.back_config_write_data;
    const unsigned strobes = p.back_config_write_strobe;
    std::uint32_t first = 0, length = 0;
    while (!(strobes >> first & 1))
        first++;
    while (strobes >> (first + length) & 1)
        length++;
    std::uint8_t bytes[4] = {};
    for (std::uint32_t i = 0; i < length; i++)
        bytes[i] = static_cast<std::uint8_t>(word >> 8 * (first + i));
    const std::uint32_t offset = 4u * p.back_config_write_word + first;
    if (!back_.config_write(context_, offset, bytes, length))
        return;
    std::copy(bytes, bytes + length, config_.begin() + offset);
    commit_config(false, false);
}

// Into the block.

void block::used_buffer()
{
    strobe(pins().back_used_buffer);
    clock();
}

void block::needs_reset()
{
    strobe(pins().back_needs_reset);
    clock();
}

void block::reset_done()
{
    strobe(pins().back_reset_done);
    clock();
}

void block::queue_stop_done(std::uint32_t queue)
{
    top_->queue_stop_done(std::uint64_t{1} << queue);
    strobes_ = true;
    clock();
}

void block::suspend_done()
{
    strobe(pins().back_suspend_done);
    clock();
}

void block::load(bool config, unsigned word, std::uint32_t data)
{
    const rtl_pins &p = pins();
    p.back_load_config = config;
    p.back_load_word = static_cast<std::uint8_t>(word);
    p.back_load_data = data;
    strobe(p.back_load);
    clock();
}

void block::commit_config(bool counts, bool notify)
{
    const rtl_pins &p = pins();
    for (std::size_t at = 0; at < config_.size(); at += 4) {
        std::uint32_t word = 0;
        for (std::size_t i = at; i < std::min(at + 4, config_.size()); i++)
            word |= std::uint32_t{config_[i]} << 8 * (i % 4);
        load(true, static_cast<unsigned>(at / 4), word);
    }
    p.back_config_counts = counts;
    p.back_config_notify = notify;
    strobe(p.back_config_commit);
    clock();
}

void block::start_config(const std::uint8_t *bytes, std::uint32_t generations)
{
    for (; generations; generations--) {
        pins().back_config_counts = 1;
        strobe(pins().back_config_commit);
        clock();
    }
    config_.assign(bytes, bytes + config_.size());
    commit_config(false, false);
}

bool block::config_update(const std::uint8_t *bytes, bool notify)
{
    if (!pins().back_config_commit_ready)
        return false;
    if (!std::equal(config_.begin(), config_.end(), bytes)) {
        config_.assign(bytes, bytes + config_.size());
        commit_config(true, notify);
    }
    return true;
}

void block::commit_region(unsigned index, const vmmio_shm_region *region)
{
    const rtl_pins &p = pins();
    if (region) {
        const std::uint32_t words[] = {low(region->length), high(region->length), low(region->base),
                                       high(region->base)};
        for (unsigned i = 0; i < 4; i++)
            load(false, i, words[i]);
    }
    p.back_region_index = static_cast<std::uint8_t>(index);
    p.back_region_id = region ? region->id : 0;
    p.back_region_present = region != nullptr;
    p.back_region_commit = 1;
    for (bool taken = false; !taken; clock())
        taken = p.back_region_commit_ready;
    p.back_region_commit = 0;
    clock(); // a latch that follows the table does it now
    regions_[index] = region ? std::optional(*region) : std::nullopt;
}

// Entries that go make room for those that come.
void block::set_regions(const vmmio_shm &table)
{
    for (unsigned i = 0; i < is_.regions; i++)
        if (regions_[i] && !vmmio_shm_find(&table, regions_[i]->id))
            commit_region(i, nullptr);
    for (std::uint32_t n = 0; n < table.region_count; n++) {
        const vmmio_shm_region &region = table.region[n];
        const auto end = regions_.begin() + is_.regions;
        auto entry = std::find_if(regions_.begin(), end,
                                  [&](const auto &e) { return e && e->id == region.id; });
        if (entry == end)
            entry = std::find_if(regions_.begin(), end, [](const auto &e) { return !e; });
        if (entry == end)
            SC_REPORT_ERROR("/vmmio/platform",
                            (name_ + ": the verilated block has room for " +
                             std::to_string(is_.regions) +
                             " shared memory regions: choose a set of parameters with more REGIONS")
                                .c_str());
        else if (!*entry || !same(**entry, region))
            commit_region(static_cast<unsigned>(entry - regions_.begin()), &region);
    }
}

void block::regions_changed()
{
    if (known_ & VMMIO_STATUS_SUSPEND) { // SUSP-08
        change_deferred_ = true;
        return;
    }
    strobe(pins().back_config_notify);
    clock();
}

} // namespace vmmio::rtl
