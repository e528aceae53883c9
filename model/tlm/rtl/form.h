// SPDX-License-Identifier: Apache-2.0
// The Verilog register block in a device, with the C block behind it.
//
// An access goes to the Verilog first. What comes out at its back side goes to the engine, and into
// a log with the engine's answers and with all that the engine does meanwhile. Then the C block
// gets the access, and is answered from the log: so the two stay in step, whoever is the first to
// see an event. What the engine does outside of an access goes to both at once.
#ifndef VMMIO_MODEL_TLM_RTL_FORM_H
#define VMMIO_MODEL_TLM_RTL_FORM_H

#include "block.h"
#include "seam_call.h"
#include "vmmio/tlm/rtl_device.h"

#include <deque>
#include <utility>

namespace vmmio::rtl
{

// The driver's accesses, for a report.
struct access_record {
    bool write;
    std::uint32_t offset, width, value;
    std::uint64_t clock;
};

class form : public register_form
{
public:
    // on_pins: accesses come with clocks instead of read and write, and the C block hears of none.
    form(std::string name, const rtl_options &options, bool on_pins = false)
        : name_(std::move(name)), options_(options), period_(options.clock_period.value()),
          on_pins_(on_pins)
    {
        options_.lockstep = options_.lockstep && !on_pins;
    }

    vmmio_between between() override
    {
        return {&front_calls, &c_back_calls, this,
                [](void *self, const vmmio_block *state) { return of(self).may_pass(state); },
                [](void *self) { of(self).follow(); }};
    }
    void start(vmmio_device &model, std::function<void()> line) override;
    std::uint32_t read(std::uint32_t offset, std::uint32_t width) override;
    void write(std::uint32_t offset, std::uint32_t width, std::uint32_t value) override;
    bool poke(std::uint32_t offset, std::uint32_t value) override;
    void regions_changed() override;
    bool interrupt() const override { return block_->pins().irq; }
    sc_core::sc_time take_time() override;
    clock_count clocks() const override { return {block_->clocks_run(), block_->clocks_skipped()}; }

    // The same block on pins.
    const rtl_pins &pins() const { return block_->pins(); }
    void clock(const bus_inputs &bus) { block_->clock(bus); }
    void hold_in_reset();
    void release_reset();

private:
    enum class phase { none, verilog, c }; // which of the two a write is at

    static form &of(void *context) { return *static_cast<form *>(context); }
    static const vmmio_back_side rtl_back_calls, c_back_calls;
    static const vmmio_front_side front_calls;
    struct engine_side;

    template <typename Access>
    void clocked(Access access);
    std::uint32_t read_verilog(std::uint32_t offset, std::uint32_t width);
    void write_verilog(std::uint32_t offset, std::uint32_t width, std::uint32_t value);
    void write_both(std::uint32_t offset, std::uint32_t width, std::uint32_t value);
    void write_within_write(std::uint32_t offset, std::uint32_t width, std::uint32_t value);
    void verilog_calls_alone();
    template <typename Tell>
    bool hear(seam_call heard, Tell tell);
    bool replay(const seam_call &expected);
    bool front(seam_call done);
    bool front_of_verilog(const seam_call &done);
    bool front_of_c(const seam_call &done);
    vmmio_error may_pass(const vmmio_block *state) const;
    bool answer_on_the_way(call what) const;
    void follow();
    void follow_tables(const vmmio_block &c);
    void follow_features(const vmmio_block &c);
    void follow_queue(std::uint32_t index, const vmmio_queue_registers &queue);
    void follow_status(const vmmio_block &c);
    void put(std::uint32_t offset, std::uint32_t value);
    void remember(bool write, std::uint32_t offset, std::uint32_t width, std::uint32_t value);
    void compare(const char *after);
    void expect(const char *what, std::uint64_t verilog, std::uint64_t c, const char *after);
    void difference(const std::string &what);

    std::string name_;
    rtl_options options_;
    std::uint64_t period_;
    bool on_pins_;
    bool follows_ = false; // a restore, of which the engine hears nothing
    vmmio_device *model_ = nullptr;
    std::unique_ptr<block> block_;
    phase writing_ = phase::none;
    std::vector<seam_call> log_; // what comes out of the Verilog, and answers the C block
    std::size_t next_ = 0;       // of it, for the C block
    std::uint64_t access_clocks_ = 0;
    std::uint64_t timed_clocks_ = 0; // what access_time_ is the time of
    sc_core::sc_time access_time_;
    std::deque<access_record> history_;
};

} // namespace vmmio::rtl

#endif
