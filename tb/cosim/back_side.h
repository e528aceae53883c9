/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file back_side.h
 * What stands behind the block's seam: it answers requests after a while, raises events, and loads
 * config space and region table.
 */
#ifndef VMMIO_TB_COSIM_BACK_SIDE_H
#define VMMIO_TB_COSIM_BACK_SIDE_H

#include "dut.h"
#include "parameters.h"
#include "rng.h"

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace vmmio::tb
{

/** How requests are answered; a chance is one in each clock, 100 answers in the first. */
struct back_answers {
    bool accept_features = true;
    bool accept_queue = true;
    bool accept_config = true; /**< the driver's config writes read back */
    unsigned answer_percent = 100;
    unsigned stop_percent = 100;
    unsigned suspend_percent = 100;
    unsigned reset_percent = 100;
    unsigned probe_percent = 0; /**< reads of a queue's registers when nobody asks */
};

class back_side
{
public:
    /** What is loaded and then committed in one clock. */
    struct job {
        enum { region, config } kind;
        unsigned index = 0;                         /**< of the table */
        std::optional<vmmio_shm_region> entry = {}; /**< nothing removes it */
        uint8_t id = 0;                             /**< of what is removed */
        std::array<uint8_t, VMMIO_CONFIG_MAX> bytes = {};
        bool counts = false, notify = false; /**< of the config space */
        unsigned step = 0;
    };

    back_side(dut &d, rng &random) : pins_(d.pins()), random_(random) { power_up(); }

    void power_up();
    /** Sets the inputs of the coming clock. */
    void drive();
    /** Inputs and outputs of the coming edge are settled. */
    void settled();

    /** Puts region in the place of the one with its id, or in a free one; false if none is. */
    bool set_region(const vmmio_shm_region &region);
    bool remove_region(uint8_t id);
    void change_config(const uint8_t *bytes, bool notify);
    void tell_regions_changed() { news_ = true; }
    bool busy() const { return !jobs_.empty(); }
    bool has_news() const { return news_; }

    /** The job whose commit is taken at the coming edge, or NULL. */
    const job *committed() const { return committed_; }
    /** The change of a region is told at the coming edge. */
    bool news_told() const { return news_told_; }
    /** A word of a queue that is read at the coming edge: {queue, word}. */
    std::optional<std::array<unsigned, 2>> probe() const { return probe_; }
    /** The seven words of the queue that is to be enabled, once they are read. */
    const std::array<uint32_t, 7> &enable_words() const { return words_; }
    /** Whether the config write under way is to read back. */
    bool config_write_accepted() const { return write_accepted_; }

    back_answers answers;
    bool enable_answer = true; /**< to the queue_enable under way */

    /* Events of the coming clock. */
    bool used_buffer = false, needs_reset = false, suspend_done = false, reset_done = false;
    uint64_t stop_done = 0; /**< a bit a queue */

    std::array<uint8_t, VMMIO_CONFIG_MAX> config = {}; /**< what the driver reads */

private:
    void answer_enable();
    void answer_config_write();
    void load();
    void load_word(uint32_t value, unsigned word, bool for_config);

    Vvmmio_axil &pins_;
    rng &random_;
    std::deque<job> jobs_;
    std::map<uint8_t, unsigned> entries_; /**< id to index in the table */
    const job *committed_ = nullptr;
    job done_job_ = {};
    bool news_ = false, news_told_ = false;
    enum { quiet, loading, answered } write_state_ = quiet;
    bool write_accepted_ = false;
    unsigned word_ = 0; /**< of the queue to be enabled, read next; 8: all are there */
    std::array<uint32_t, 7> words_ = {};
    std::optional<std::array<unsigned, 2>> probe_;
};

} // namespace vmmio::tb
#endif
