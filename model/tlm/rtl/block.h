// SPDX-License-Identifier: Apache-2.0
// The verilated register block with its clock, between an AXI4-Lite master and the seam.
#ifndef VMMIO_MODEL_TLM_RTL_BLOCK_H
#define VMMIO_MODEL_TLM_RTL_BLOCK_H

#include "vmmio/device.h"
#include "vmmio/tlm/rtl_top.h"

#include <array>
#include <functional>
#include <optional>

namespace vmmio::rtl
{

// What a master drives; AXI4-Lite without prot.
struct bus_inputs {
    std::uint16_t awaddr, araddr;
    std::uint32_t wdata;
    std::uint8_t wstrb;
    bool awvalid, wvalid, bready, arvalid, rready;
};

// What leaves the block at its back side is told to a vmmio_back_side, in the clock in which it
// appears; calls that come back from inside (the front side) take clocks of their own, in which the
// bus stands still.
class block
{
public:
    // name, for messages; back and context must outlive the block. Resets the block.
    block(std::string name, const rtl_set &set, const vmmio_back_side &back, void *context);

    // Config bytes at power-up, which are no new generation, or after so many of them.
    void start_config(const std::uint8_t *bytes, std::uint32_t generations = 0);

    // Accesses, each to its answer.
    std::uint32_t read(std::uint32_t address);
    void write(std::uint32_t address, std::uint32_t data, unsigned strobe);

    // One clock with the bus as a master has it.
    void clock(const bus_inputs &bus);

    // One clock with rst high; and the end of that, after which config and regions are to be
    // loaded.
    void hold_in_reset();
    void release_reset();

    // The front side, for the engine.
    void used_buffer();
    void needs_reset();
    void reset_done();
    void queue_stop_done(std::uint32_t queue);
    void suspend_done();
    bool config_update(const std::uint8_t *bytes, bool notify);

    // The region table; an SC_ERROR report if the block has no room for it.
    void set_regions(const vmmio_shm &table);
    void regions_changed();
    bool has_regions() const { return is_.regions != 0; }

    // Called when irq has changed.
    std::function<void()> on_interrupt;

    const rtl_top &top() const { return *top_; }
    const rtl_pins &pins() const { return top_->pins; }

    std::uint64_t clocks_run() const { return run_; }
    std::uint64_t clocks_skipped() const { return skipped_; }

    // The clock stood still until now, if it did: `number` clocks since the start.
    void skip_to(std::uint64_t number)
    {
        if (number > run_ + skipped_)
            skipped_ = number - run_;
    }

    // Writes an FST file from now on; a clock takes period ps in it.
    void trace(const std::string &path, std::uint64_t period);

private:
    void clock();
    void traced_clock();
    void dump(std::uint64_t time);
    bool pending() const;
    void answer();
    void happened();
    void tell_status();
    template <typename Call>
    void aside(Call call);
    bool wait_for(const std::uint8_t &pin);
    bool comes_late(const std::uint8_t &pin);
    void strobe(std::uint8_t &pin);
    void strobes_off();

    bool ask_features();
    bool ask_enable();
    void ask_config_write();
    void load(bool config, unsigned word, std::uint32_t data);
    void commit_config(bool counts, bool notify);
    void commit_region(unsigned index, const vmmio_shm_region *region);

    std::string name_;
    std::unique_ptr<rtl_top> top_;
    const rtl_parameters &is_;
    const vmmio_back_side &back_;
    void *context_;

    std::uint64_t said_ = 0;       // by the outputs after the last clock: rtl_said
    std::uint64_t known_ = 0;      // the same, as it was told; without requests that end in a clock
    bool aside_ = false;           // a call into or from the back side is under way
    bool strobes_ = false;         // some inputs are high for this clock only
    std::uint64_t stops_told_ = 0; // the queues whose request is being worked on
    bool change_deferred_ = false; // regions_changed while suspended
    std::vector<std::uint8_t> config_; // what the driver reads
    std::array<std::optional<vmmio_shm_region>, VMMIO_SHM_REGIONS_MAX> regions_;

    std::uint64_t run_ = 0;          // clocks
    std::uint64_t skipped_ = 0;      // clocks
    std::uint64_t trace_period_ = 0; // 0: no trace
    std::uint64_t traced_ = 0;       // time of the last sample
};

} // namespace vmmio::rtl

#endif
