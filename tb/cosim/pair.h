/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file pair.h
 * The Verilog and the C form of one register block, side by side: whatever is done to one is done
 * to the other, and what the driver or the back side can see is compared each time.
 */
#ifndef VMMIO_TB_COSIM_PAIR_H
#define VMMIO_TB_COSIM_PAIR_H

#include "pins.h"

#include <gtest/gtest.h>
#include <map>

namespace vmmio::tb
{

/** Two twins; a difference is a test failure that names the access. */
class pair
{
public:
    explicit pair(unsigned seed = 1);
    pair(const pair &) = delete;
    pair &operator=(const pair &) = delete;

    void write(uint32_t offset, uint32_t value);
    /** A write of the bytes in strobe; to control registers, an access narrower than 32 bits. */
    void write_bytes(uint32_t address, uint32_t data, unsigned strobe);
    /** The value that both read. */
    uint32_t read(uint32_t offset);
    /** Every register, offset by offset, and the config window. */
    void read_all();

    void used_buffer();
    void needs_reset();
    void stop_done(unsigned queue);
    void suspend_done();
    void reset_done();
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

    pins rtl;
    vmmio_block c = {};

private:
    void compare(const std::string &after);
    void c_end_of_held_reset();

    std::vector<vmmio_queue_registers> queues_;
    std::vector<vmmio_feature_dependency> dependencies_;
    std::map<unsigned, uint8_t> entries_; /**< index in the Verilog table to id */
    seam_events c_events_;
    bool c_irq_ = false;
    friend struct c_back;
};

} // namespace vmmio::tb
#endif
