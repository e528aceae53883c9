/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file pins.h
 * The verilated vmmio_axil with a clock, an AXI4-Lite master and a back side that answers after a
 * number of clocks.
 */
#ifndef VMMIO_TB_COSIM_PINS_H
#define VMMIO_TB_COSIM_PINS_H

#include "Vvmmio_axil.h"
#include "parameters.h"

#include <array>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace vmmio::tb
{

/** What the seam carries out of a block, in a form that compares. */
using seam_events = std::vector<std::string>;

/** How the back side answers; both forms of the block get the same. */
struct back_answers {
    bool accept_features = true;
    bool accept_queue = true;
    bool accept_config = true; /**< the driver's config writes read back */
    bool stop_now = true;      /**< queue stops end at once, else by pins::stop_done */
    bool suspend_now = true;   /**< likewise */
    bool reset_now = true;     /**< likewise; a held reset ends after `latency` clocks anyway */
    unsigned latency = 0;      /**< clocks until a request is done */
};

/** The block with its pins. */
class pins
{
public:
    explicit pins(unsigned seed);

    /** One clock. */
    void clock();
    void clocks(unsigned count)
    {
        while (count--)
            clock();
    }

    /** Accesses, with as many clocks of delay on each channel as `stalls` allows at random. */
    void write(uint32_t address, uint32_t data, unsigned strobe = 0xf);
    uint32_t read(uint32_t address);

    void used_buffer();
    void needs_reset();
    void stop_done(unsigned queue);
    void suspend_done();
    void reset_done();
    /** Loads and commits; false if not ready. */
    bool config_update(const std::vector<uint8_t> &bytes, bool notify);
    /** Loads and commits an entry of the table; region NULL removes it. */
    void region(unsigned index, const vmmio_shm_region *region);
    /** Tells a live driver of it, a suspended one when it resumes. */
    void regions_changed() { regions_news_ = true; }

    bool irq() const { return top->irq != 0; }
    uint32_t feature_word(unsigned i) const { return top->back_features[i]; }

    back_answers answers;
    seam_events events;  /**< since the last clear */
    unsigned stalls = 0; /**< clocks at most, on each channel */
    uint64_t now = 0;    /**< clocks so far */
    std::unique_ptr<Vvmmio_axil> top;

private:
    void answer();
    void answer_config_write();
    void load_config(unsigned word);
    void observe();
    void pulse(CData &pin);
    unsigned stall() { return stalls ? random_() % (stalls + 1) : 0; }

    std::mt19937 random_;
    uint64_t ending_stops_ = 0; /**< queues whose stop ends in this clock */
    bool ending_suspend_ = false;
    bool ending_reset_ = false;
    bool regions_news_ = false;  /**< not told yet */
    unsigned waited_ = 0;        /**< clocks of the request that is running */
    unsigned register_word_ = 0; /**< of the queue being enabled; read one a clock */
    std::array<uint32_t, 7> registers_{};
    std::vector<uint8_t> config_; /**< what the driver reads */
    unsigned load_step_ = 0;      /**< of the answer to a config write */
};

} // namespace vmmio::tb
#endif
