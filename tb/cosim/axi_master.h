/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file axi_master.h
 * Drives AXI4-Lite accesses, several at once if they may, with stalls on every channel, and checks
 * what the protocol asks of the slave.
 */
#ifndef VMMIO_TB_COSIM_AXI_MASTER_H
#define VMMIO_TB_COSIM_AXI_MASTER_H

#include "bins.h"
#include "dut.h"
#include "rng.h"

#include <array>
#include <deque>
#include <optional>

namespace vmmio::tb
{

struct access {
    bool write;
    bool alone;       /**< starts only when all before it are answered */
    uint32_t address; /**< 12 bits */
    uint32_t data = 0;
    unsigned strobe = 0xf;
};

enum channel { AW, W, B, AR, R, channel_count };

class axi_master
{
public:
    axi_master(dut &d, rng &random, bins &covered)
        : pins_(d.pins()), random_(random), bins_(covered)
    {
    }

    void push(const access &a) { to_do_.push_back(a); }
    size_t waiting() const { return to_do_.size(); }
    bool idle() const { return to_do_.empty() && !in_flight(); }
    unsigned in_flight() const { return writes_in_flight_ + reads_in_flight_; }

    /** Sets the inputs of the coming clock. */
    void drive();
    /** After the edge; what is wrong, or NULL. */
    const char *check();
    /** The write that the block takes: the oldest one. */
    access take_write();
    /** Everything under way is forgotten, as by a reset. */
    void drop();

    /** What is handed over at the coming edge. */
    std::optional<uint32_t> read_begins; /**< its address */
    std::optional<uint32_t> read_ends;   /**< its data */
    bool write_ends = false;

    std::array<unsigned, channel_count> stall_percent{};
    unsigned depth = 4; /**< accesses of one kind under way */

private:
    void start();
    bool go(channel c, bool held) { return held || !random_.chance(stall_percent[c]); }

    Vvmmio_axil &pins_;
    rng &random_;
    bins &bins_;
    std::deque<access> to_do_;
    std::deque<access> writes_;                   /**< under way and not taken by the block */
    std::deque<uint32_t> reads_;                  /**< addresses not handed over */
    unsigned addresses_sent_ = 0, data_sent_ = 0; /**< of writes_ */
    unsigned writes_in_flight_ = 0, reads_in_flight_ = 0;
    bool held_aw_ = false, held_w_ = false, held_ar_ = false; /**< valid, and not taken */
    bool kept_r_ = false, kept_b_ = false; /**< an answer was there and not taken */
    uint32_t kept_data_ = 0;
};

} // namespace vmmio::tb
#endif
