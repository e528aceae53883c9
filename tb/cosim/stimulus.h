/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file stimulus.h
 * Random drivers and back sides, with weights that reach the corners; and episodes of them, each of
 * which follows from its seed alone.
 */
#ifndef VMMIO_TB_COSIM_STIMULUS_H
#define VMMIO_TB_COSIM_STIMULUS_H

#include "lockstep.h"

namespace vmmio::tb
{

class stimulus
{
public:
    explicit stimulus(lockstep &l) : l_(l), random_(l.random) {}

    /** One clock, and what begins in it. */
    void clock();

private:
    uint32_t pick(uint64_t below) { return random_.pick(below); }
    uint32_t word();
    uint32_t selector(uint32_t count);

    void change_mood();
    void back_events();
    void change_region();
    void change_config();

    void write(uint32_t offset, uint32_t value, unsigned strobe = 0xf);
    void read(uint32_t address);

    void scene();
    void bring_up();
    void negotiate(bool well);
    void set_up_queue(uint32_t queue, bool well);
    void queue_scene();
    void status_scene();
    void interrupt_scene();
    void shm_scene();
    void config_scene();
    void suspend_scene();
    void any_access();

    lockstep &l_;
    rng &random_;
    unsigned mood_clocks_ = 0; /**< until the next mood */
    unsigned alone_percent_ = 100;
    unsigned event_percent_ = 1; /**< in each clock */
};

/** What an episode came to. */
struct episode {
    uint64_t accesses = 0, clocks = 0, events = 0;
    std::string difference; /**< empty: none */
    std::string history;
};

/** How it is run. */
struct episode_options {
    uint64_t accesses = 2000;
    std::string fst;                    /**< a trace file, or none */
    uint64_t fault_from_access = ~0ull; /**< see scoreboard::fault */
};

episode run_episode(uint64_t seed, bins &covered, const episode_options &options = {});

} // namespace vmmio::tb
#endif
