// SPDX-License-Identifier: Apache-2.0
#include "form.h"

#include "choose.h"
#include "restored.h"

#include <algorithm>
#include <iomanip>
#include <sstream>
#include <stdexcept>

namespace vmmio
{

namespace rtl
{

namespace
{

constexpr std::size_t remembered = 12; // accesses that a report of a difference shows

} // namespace

// The back side of the Verilog: the engine hears it, and the log.

template <typename Tell>
bool form::hear(seam_call heard, Tell tell)
{
    if (follows_)
        return answer_on_the_way(heard.what);
    if (writing_ != phase::verilog)
        return tell();
    const std::size_t at = log_.size();
    log_.push_back(std::move(heard));
    const bool answer = tell();
    log_[at].answer = answer;
    return answer;
}

struct form::engine_side {
    static constexpr const vmmio_back_side &engine = vmmio_engine_back_side;
    static void *engine_of(void *self) { return &of(self).model_->engine; }

    static bool features_ok(void *self, const vmmio_features *negotiated)
    {
        return of(self).hear(features_call(*negotiated),
                             [&] { return engine.features_ok(engine_of(self), negotiated); });
    }
    template <call what, void (*vmmio_back_side::*tell)(void *)>
    static void plain(void *self)
    {
        of(self).hear({what}, [&] {
            (engine.*tell)(engine_of(self));
            return true;
        });
    }
    template <call what, bool (*vmmio_back_side::*ask)(void *)>
    static bool plain(void *self)
    {
        return of(self).hear({what}, [&] { return (engine.*ask)(engine_of(self)); });
    }
    static void notify(void *self, std::uint32_t queue, std::uint32_t data)
    {
        of(self).hear({call::notify, queue, data}, [&] {
            engine.notify(engine_of(self), queue, data);
            return true;
        });
    }
    static bool queue_enable(void *self, std::uint32_t queue,
                             const vmmio_queue_registers *registers)
    {
        return of(self).hear(enable_call(queue, *registers), [&] {
            return engine.queue_enable(engine_of(self), queue, registers);
        });
    }
    static bool queue_stop(void *self, std::uint32_t queue)
    {
        return of(self).hear({call::queue_stop, queue},
                             [&] { return engine.queue_stop(engine_of(self), queue); });
    }
    static bool config_write(void *self, std::uint32_t offset, const std::uint8_t *data,
                             std::uint32_t length)
    {
        return of(self).hear(config_call(offset, data, length), [&] {
            return engine.config_write(engine_of(self), offset, data, length);
        });
    }
};

const vmmio_back_side form::rtl_back_calls = {
    engine_side::features_ok,
    engine_side::plain<call::driver_ok, &vmmio_back_side::driver_ok>,
    engine_side::plain<call::failed, &vmmio_back_side::failed>,
    engine_side::notify,
    engine_side::queue_enable,
    engine_side::queue_stop,
    engine_side::plain<call::suspend, &vmmio_back_side::suspend>,
    engine_side::plain<call::resume, &vmmio_back_side::resume>,
    engine_side::plain<call::reset, &vmmio_back_side::reset>,
    engine_side::config_write,
};

// The back side of the C block: the same calls, answered from the log.

bool form::replay(const seam_call &expected)
{
    const bool plays = writing_ == phase::c && next_ < log_.size();
    if (!plays || !log_[next_].same(expected)) {
        difference("the C model calls " + text_of(expected) + ", the Verilog block " +
                   (plays ? text_of(log_[next_]) : "nothing"));
        return true;
    }
    const bool answer = log_[next_++].answer;
    while (next_ < log_.size() && log_[next_].what > call::last_of_back_side) {
        const seam_call &done = log_[next_++];
        if (front_of_c(done) != done.answer)
            difference(text_of(done) + " is refused by one form alone");
    }
    return answer;
}

const vmmio_back_side form::c_back_calls = {
    [](void *self, const vmmio_features *f) { return of(self).replay(features_call(*f)); },
    [](void *self) { of(self).replay({call::driver_ok}); },
    [](void *self) { of(self).replay({call::failed}); },
    [](void *self, std::uint32_t queue, std::uint32_t data) {
        of(self).replay({call::notify, queue, data});
    },
    [](void *self, std::uint32_t queue, const vmmio_queue_registers *registers) {
        return of(self).replay(enable_call(queue, *registers));
    },
    [](void *self, std::uint32_t queue) {
        return of(self).replay({call::queue_stop, queue});
    },
    [](void *self) { return of(self).replay({call::suspend}); },
    [](void *self) { of(self).replay({call::resume}); },
    [](void *self) { return of(self).replay({call::reset}); },
    [](void *self, std::uint32_t offset, const std::uint8_t *data, std::uint32_t length) {
        return of(self).replay(config_call(offset, data, length));
    },
};

// The front side, which the engine calls.

bool form::front_of_verilog(const seam_call &done)
{
    switch (done.what) {
    case call::used_buffer:
        block_->used_buffer();
        return true;
    case call::needs_reset:
        block_->needs_reset();
        return true;
    case call::reset_done:
        block_->reset_done();
        return true;
    case call::queue_stop_done:
        block_->queue_stop_done(done.a);
        return true;
    case call::suspend_done:
        block_->suspend_done();
        return true;
    case call::regions_changed:
        block_->regions_changed();
        return true;
    default:
        return block_->config_update(done.bytes.data(), done.a);
    }
}

bool form::front_of_c(const seam_call &done)
{
    vmmio_block *c = &model_->block;
    switch (done.what) {
    case call::used_buffer:
        vmmio_block_used_buffer(c);
        return true;
    case call::needs_reset:
        vmmio_block_needs_reset(c);
        return true;
    case call::reset_done:
        vmmio_block_reset_done(c);
        return true;
    case call::queue_stop_done:
        vmmio_block_queue_stop_done(c, done.a);
        return true;
    case call::suspend_done:
        vmmio_block_suspend_done(c);
        return true;
    case call::regions_changed:
        vmmio_block_regions_changed(c);
        return true;
    default:
        return vmmio_block_config_update(c, done.bytes.data(), done.a);
    }
}

bool form::front(seam_call done)
{
    if (writing_ == phase::verilog) { // the C block is not there yet
        const std::size_t at = log_.size();
        log_.push_back(done);
        const bool answer = front_of_verilog(done);
        log_[at].answer = answer;
        return answer;
    }
    const bool answer = front_of_verilog(done);
    if (front_of_c(done) != answer)
        difference(text_of(done) + " is refused by one form alone");
    compare(name_of(done.what));
    return answer;
}

const vmmio_front_side form::front_calls = {
    [](void *self) { of(self).front({call::used_buffer}); },
    [](void *self) { of(self).front({call::needs_reset}); },
    [](void *self) { of(self).front({call::reset_done}); },
    [](void *self, std::uint32_t queue) {
        of(self).front({call::queue_stop_done, queue});
    },
    [](void *self) { of(self).front({call::suspend_done}); },
    [](void *self, const std::uint8_t *data, bool notify) {
        const std::uint32_t length = of(self).model_->block.is.config_length;
        return of(self).front({call::config_update, notify, length, {data, data + length}});
    },
};

// Accesses.

void form::start(vmmio_device &model, std::function<void()> line)
{
    model_ = &model;
    const vmmio_block &c = model.block;
    std::string missing;
    const rtl_set *set = choose(c.is, options_.sets, missing);
    if (!set) {
        const std::string text = name_ +
                                 ": no verilated block has the parameters of this device: "
                                 "change its options, or build one by\n  " +
                                 missing;
        SC_REPORT_ERROR("/vmmio/platform", text.c_str());
        throw std::invalid_argument(text); // there is nothing to go on with
    }
    block_ = std::make_unique<block>(name_, *set, rtl_back_calls, this);
    if (!options_.trace_folder.empty())
        block_->trace(options_.trace_folder + "/" + name_ + ".fst", std::max(period_, 2ul));
    if (c.is.config_length)
        block_->start_config(c.config);
    block_->on_interrupt = std::move(line);
}

// Counts the clocks of an access; the clock stood still before it.
template <typename Access>
inline void form::clocked(Access access)
{
    if (period_)
        block_->skip_to(sc_core::sc_time_stamp().value() / period_);
    const std::uint64_t before = block_->clocks_run();
    access();
    access_clocks_ += block_->clocks_run() - before;
}

// Most accesses take as long as the one before.
sc_core::sc_time form::take_time()
{
    if (timed_clocks_ != access_clocks_) {
        timed_clocks_ = access_clocks_;
        access_time_ = sc_core::sc_time::from_value(timed_clocks_ * period_);
    }
    access_clocks_ = 0;
    return access_time_;
}

// AXI4-Lite reads whole words, so a part of a control register is not even asked for (A-WIDTH).
inline std::uint32_t form::read_verilog(std::uint32_t offset, std::uint32_t width)
{
    if (width == 4 && (offset < VMMIO_REG_CONFIG || offset % 4 == 0))
        return block_->read(offset);
    if (offset < VMMIO_REG_CONFIG || (width != 1 && width != 2) || offset % width != 0)
        return 0;
    return block_->read(offset & ~3u) >> 8 * (offset % 4) & (0xffffu >> 8 * (2 - width));
}

// What is not naturally aligned is no AXI4-Lite access, but for a whole word that starts anywhere.
inline void form::write_verilog(std::uint32_t offset, std::uint32_t width, std::uint32_t value)
{
    const std::uint32_t lane = offset % 4;
    if (width == 4 && (offset < VMMIO_REG_CONFIG || lane == 0))
        block_->write(offset, value, 0xf);
    else if ((width == 1 || width == 2) && offset % width == 0)
        block_->write(offset & ~3u, value << 8 * lane, ((1u << width) - 1) << lane);
}

std::uint32_t form::read(std::uint32_t offset, std::uint32_t width)
{
    std::uint32_t value = 0;
    clocked([&] { value = read_verilog(offset, width); });
    const std::uint32_t c = vmmio_block_read(&model_->block, offset, width);
    // In the midst of a write the C block is behind.
    if (options_.lockstep && writing_ == phase::none) {
        remember(false, offset, width, value);
        expect("the value", value, c, "read");
        compare("read");
    }
    return value;
}

void form::write(std::uint32_t offset, std::uint32_t width, std::uint32_t value)
{
    if (writing_ != phase::none)
        return write_within_write(offset, width, value);
    write_both(offset, width, value);
    compare("write");
}

// What seldom comes is apart from the accesses: it costs them registers.

// Once the C block has its turn the Verilog is free again, for what a diagnostic leads to.
[[gnu::noinline]] void form::write_within_write(std::uint32_t offset, std::uint32_t width,
                                                std::uint32_t value)
{
    if (writing_ == phase::verilog) {
        SC_REPORT_ERROR("/vmmio/rtl", (name_ + ": a register is written by what the device calls "
                                               "in the midst of another write: do it later")
                                          .c_str());
        return;
    }
    const restored<std::vector<seam_call>> log(log_, {});
    const restored<std::size_t> next(next_, 0);
    write_both(offset, width, value);
}

[[gnu::noinline]] void form::verilog_calls_alone()
{
    difference("the Verilog block calls " + text_of(log_[next_]) + ", the C model does not");
}

inline void form::write_both(std::uint32_t offset, std::uint32_t width, std::uint32_t value)
{
    if (options_.lockstep)
        remember(true, offset, width, value);
    log_.clear(); // for an exception may have left something
    next_ = 0;
    {
        const restored<phase> now(writing_, phase::verilog);
        clocked([&] { write_verilog(offset, width, value); });
        writing_ = phase::c;
        vmmio_block_write(&model_->block, offset, width, value);
    }
    if (next_ != log_.size())
        verilog_calls_alone();
}

bool form::poke(std::uint32_t offset, std::uint32_t value)
{
    if (writing_ != phase::none || !vmmio_block_poke(&model_->block, offset, value))
        return false;
    block_->write(offset, value, 0xf);
    return true;
}

void form::regions_changed()
{
    block_->set_regions(model_->block.shm);
    front({call::regions_changed});
}

void form::hold_in_reset()
{
    if (!block_->pins().rst)
        vmmio_engine_back_side.reset(&model_->engine);
    block_->hold_in_reset();
}

void form::release_reset()
{
    block_->release_reset();
    if (model_->block.is.config_length)
        block_->start_config(model_->engine.is.function->config);
    block_->set_regions(model_->block.shm);
}

// Lockstep.

void form::remember(bool write, std::uint32_t offset, std::uint32_t width, std::uint32_t value)
{
    if (history_.size() == remembered)
        history_.pop_front();
    history_.push_back(
        {write, offset, width, value, block_->clocks_run() + block_->clocks_skipped()});
}

void form::compare(const char *after)
{
    if (!options_.lockstep || writing_ != phase::none)
        return;
    const vmmio_block &c = model_->block;
    const rtl_pins &verilog = block_->pins();
    std::uint64_t alive = 0, stopping = 0;
    for (std::uint32_t i = 0; i < c.is.queue_count; i++) {
        alive |= std::uint64_t{c.is.queues[i].ready && !c.is.queues[i].stopping} << i;
        stopping |= std::uint64_t{c.is.queues[i].stopping} << i;
    }
    expect("the interrupt line", verilog.irq, c.interrupt_status != 0, after);
    expect("Status", verilog.back_status, c.status, after);
    expect("a reset", verilog.back_reset_request, c.resetting, after);
    expect("a suspend", verilog.back_suspend_request, c.suspending, after);
    expect("the queues in use", block_->top().queue_alive(), alive, after);
    expect("the queues that stop", block_->top().queue_stop(), stopping, after);
}

void form::expect(const char *what, std::uint64_t verilog, std::uint64_t c, const char *after)
{
    if (verilog == c)
        return;
    std::ostringstream text;
    text << what << " after " << after << " is 0x" << std::hex << verilog << " in Verilog, 0x" << c
         << " in the C model";
    difference(text.str());
}

void form::difference(const std::string &what)
{
    if (!options_.lockstep)
        return;
    std::ostringstream text;
    text << name_ << ": " << what << "; the last accesses:" << std::hex << std::setfill('0');
    for (const access_record &each : history_)
        text << "\n  " << (each.write ? "W" : "R") << " 0x" << std::setw(3) << each.offset << ' '
             << std::dec << 8 * each.width << std::hex << " 0x" << std::setw(8) << each.value
             << " clock " << std::dec << each.clock << std::hex;
    SC_REPORT_ERROR("/vmmio/lockstep", text.str().c_str());
}

} // namespace rtl

register_form_factory rtl_form(const rtl_options &options)
{
    return
        [options](const std::string &name) { return std::make_unique<rtl::form>(name, options); };
}

register_form_factory lockstep_form(rtl_options options)
{
    options.lockstep = true;
    return rtl_form(options);
}

namespace
{

device_options in_verilog(device_options options)
{
    if (!options.form)
        options.form = rtl_form();
    return options;
}

} // namespace

rtl_device::rtl_device(sc_core::sc_module_name name, vmmio_function &function,
                       const device_options &options)
    : device(name, function, in_verilog(options))
{
}

} // namespace vmmio
