/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file scoreboard.h
 * The C model, kept in step with the Verilog clock by clock, and the comparison of both.
 *
 * Of the Verilog the scoreboard takes only when something happens: when a write is taken and ended,
 * and what crosses the seam. What it then does to the block, the C model says, and after every
 * clock all outputs must be as the C model has them. A read in flight may see the state before or
 * after each change that it overlaps, and nothing else.
 */
#ifndef VMMIO_TB_COSIM_SCOREBOARD_H
#define VMMIO_TB_COSIM_SCOREBOARD_H

#include "axi_master.h"
#include "back_side.h"

#include <deque>
#include <string>
#include <vector>

namespace vmmio::tb
{

class scoreboard
{
public:
    scoreboard(dut &d, axi_master &master, back_side &back, bins &covered);
    scoreboard(const scoreboard &) = delete;
    scoreboard &operator=(const scoreboard &) = delete;

    /** Before the edge, when inputs and outputs are settled. */
    void sample();
    /** After the edge: the C model does the same, and both are compared. */
    void step();

    /** The first difference, with both values and the clock; empty if there is none. */
    const std::string &difference() const { return difference_; }
    /** The last accesses and events, a line each. */
    std::string history() const;

    /** The write that acts in the coming clock, for events that are to meet it; or NULL. */
    const access *acting() const { return acting_ ? &*acting_ : nullptr; }
    /** True while the table of the C model is not yet what the back side has committed. */
    bool region_pending() const { return region_.has_value(); }

    vmmio_block c = {};
    uint64_t accesses = 0;  /**< ended */
    uint32_t last_read = 0; /**< data of the last read that ended */
    uint64_t events = 0;    /**< that crossed the seam */

    /** For a test of the tests: what the C model answers to reads is wrong from a read onwards. */
    struct {
        uint64_t from_access = ~0ull;
        uint32_t bits = 0;
    } fault;

private:
    friend struct c_back;

    struct read_in_flight {
        uint32_t address;
        std::vector<uint32_t> allowed;
        uint64_t version; /**< of the C model when allowed was last added to */
        bool answered = false;
    };
    struct record {
        uint64_t clock;
        const char *what;
        uint32_t address, data, more;
    };
    /* Inputs and outputs at the edge. */
    struct pins_at_edge {
        bool rst, used_buffer, needs_reset, takes_write, ends_write;
        bool features_done, features_accept, features_request;
        bool enable_done, enable_request;
        bool config_request, config_done;
        bool reset_done, suspend_done;
        bool held_commit;
        uint64_t stop_done;
        uint32_t config_data;
        unsigned config_strobe, config_word, enable_queue;
    };

    void power_up();
    void note_reads();
    void begin_read(uint32_t address);
    void allow_before(read_in_flight &r);
    void judge_read();
    void end_read(uint32_t data);
    void change_region();
    uint32_t answer(uint32_t address);
    bool shown_ready() const;

    void c_write(uint32_t offset, unsigned width, uint32_t value);
    void begin_write(const access &a);
    void begin_bytes(const access &a);
    void begin_status(uint32_t value);
    void step_status();
    void end_config(bool taken);
    void end_enable();
    void earlier_events();
    void later_events();
    void compare();

    void differ(const std::string &what, uint64_t rtl, uint64_t model);
    void expect(const char *what, uint64_t rtl, uint64_t model)
    {
        if (rtl != model && difference_.empty())
            differ(what, rtl, model);
    }
    void remember(const char *what, uint32_t address = 0, uint32_t data = 0, uint32_t more = 0);
    void cover_write(const access &a);
    void cover_read(uint32_t address);
    void cover_meeting(const access &a);
    void cover_shm_select(uint32_t sel);
    void cover_status_write(uint32_t value);
    void cover_queue_write(uint32_t offset, uint32_t value);
    void cover_queue_enable(const vmmio_queue_registers &q);

    dut &dut_;
    axi_master &master_;
    back_side &back_;
    bins &bins_;

    std::vector<vmmio_queue_registers> queues_;
    std::vector<vmmio_feature_dependency> dependencies_;
    uint64_t version_ = 0; /**< of what a driver can read */
    bool irq_ = false;

    pins_at_edge at_{};
    std::optional<access> acting_; /**< taken in the last clock */
    std::deque<read_in_flight> reads_;
    std::vector<uint32_t> spare_; /**< keeps its memory */

    /* Steps of a write to Status: the bits that it still has to set, one step a clock. */
    enum { status_quiet, status_features, status_drive } status_step_ = status_quiet;
    uint32_t status_rest_ = 0;
    bool c_asked_features_ = false, c_features_answer_ = false;

    bool c_enables_ = false; /**< QueueReady = 1 that the back side has not answered */
    vmmio_queue_registers enabling_ = {};
    uint32_t enabling_queue_ = 0;

    std::optional<access> config_write_; /**< that the back side has not answered */
    unsigned c_config_bytes_ = 0;        /**< that the C model handed to the back side */
    bool c_config_answer_ = false;

    std::optional<uint32_t> kick_; /**< QueueNotify that the back side hears of */
    std::optional<back_side::job> region_;
    uint64_t stops_ended_ = 0; /**< seen by a write only after the next one */
    uint64_t alive_ = 0, stopping_ = 0;
    uint64_t compared_version_ = ~0ull;
    std::array<uint32_t, 4> features_{};
    bool r_valid_ = false;
    bool ready_now_ = false, reset_now_ = false;       /**< of the selected queue */
    bool ready_before_ = false, reset_before_ = false; /**< as a read may still see them */
    std::optional<uint32_t> probed_; /**< what the queue read of this clock has to give */
    unsigned last_word_ = 0;         /**< of the last read that ended, in words */
    uint64_t last_config_change_ = 0, last_region_change_ = 0; /**< at a number of reads */
    uint64_t reads_ended_ = 0;
    std::array<uint64_t, 4>
        waits_{}; /**< clocks that requests wait: reset, suspend, stop, enable */

    std::string difference_;
    std::array<record, 48> records_{};
    uint64_t records_made_ = 0;
};

} // namespace vmmio::tb
#endif
