/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file lockstep.h
 * Everything around the two forms of the block, and the clock.
 */
#ifndef VMMIO_TB_COSIM_LOCKSTEP_H
#define VMMIO_TB_COSIM_LOCKSTEP_H

#include "scoreboard.h"

namespace vmmio::tb
{

/** What Status reads on the way up. */
inline constexpr uint32_t initialised = VMMIO_STATUS_ACKNOWLEDGE | VMMIO_STATUS_DRIVER;
inline constexpr uint32_t accepted = initialised | VMMIO_STATUS_FEATURES_OK;
inline constexpr uint32_t running = accepted | VMMIO_STATUS_DRIVER_OK;

class lockstep
{
public:
    explicit lockstep(uint64_t seed, bins &bins_to_fill, const std::string &fst = {});

    void clock();
    void clocks(unsigned count)
    {
        while (count--)
            clock();
    }
    /** The reset input, for this many clocks; accesses under way are lost. */
    void power_reset(unsigned count);

    /**
     * Changes of the table, for both forms: loaded and committed in the clocks to come. False if
     * the C model refuses it or one is under way.
     */
    bool set_region(const vmmio_shm_region &region);
    bool remove_region(uint8_t id);

private:
    dut dut_;

public:
    bins &covered;
    rng random;
    axi_master master;
    back_side back;
    scoreboard board;

    uint64_t now() const { return dut_.now; }
    const Vvmmio_axil &pins() const { return dut_.pins(); }
};

} // namespace vmmio::tb
#endif
