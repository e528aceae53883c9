/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file pair.h
 * For tests that say what a driver and a back side do: each call does one thing to both forms of
 * the block, and any difference on the way is a test failure.
 */
#ifndef VMMIO_TB_COSIM_PAIR_H
#define VMMIO_TB_COSIM_PAIR_H

#include "lockstep.h"

#include <gtest/gtest.h>

namespace vmmio::tb
{

class pair : public lockstep
{
public:
    explicit pair(uint64_t seed = 1);
    ~pair() { report("the end"); }

    /** Accesses, one at a time. What they start has arrived at the seam when they return. */
    void write(uint32_t offset, uint32_t value) { write_bytes(offset, value, 0xf); }
    /** A write of the bytes in strobe; to control registers, an access narrower than 32 bits. */
    void write_bytes(uint32_t address, uint32_t data, unsigned strobe);
    /** The value that both read. */
    uint32_t read(uint32_t address);
    /** Every register, offset by offset, and the config window. */
    void read_all();
    /** Accesses that were pushed to master end; the clocks that they took. */
    uint64_t finish();

    void used_buffer();
    void needs_reset();
    void stop_done(unsigned queue);
    void suspend_done();
    void reset_done();
    /** The change is taken, or held while the block is suspended. */
    void config_update(const std::vector<uint8_t> &bytes, bool notify);
    /** Puts region into the table, in place of one with its id. False if the table refuses it. */
    bool set_region(const vmmio_shm_region &region);
    void remove_region(uint8_t id);
    void regions_changed();

    /** Reset to DRIVER_OK with these features, or up to FEATURES_OK. */
    void negotiate(const vmmio_features &features);
    void start(const vmmio_features &features);
    void set_queue(unsigned queue, uint32_t size);
    void enable_queue(unsigned queue, uint32_t size);

    uint32_t status() { return read(VMMIO_REG_STATUS); }
    uint32_t interrupts() { return read(VMMIO_REG_INTERRUPT_STATUS); }

private:
    pair(uint64_t seed, std::unique_ptr<bins> unused);
    void report(const std::string &after);
    void arrive(const std::string &what);

    std::unique_ptr<bins> bins_;
    bool reported_ = false;
};

} // namespace vmmio::tb
#endif
