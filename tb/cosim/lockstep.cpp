/* SPDX-License-Identifier: Apache-2.0 */
#include "lockstep.h"

namespace vmmio::tb
{

lockstep::lockstep(uint64_t seed, bins &bins_to_fill, const std::string &fst)
    : dut_(seed, fst), covered(bins_to_fill), random(seed), master(dut_, random, covered),
      back(dut_, random), board(dut_, master, back, covered)
{
    power_reset(3);
}

void lockstep::clock()
{
    master.drive();
    back.drive();
    dut_.settle();
    back.settled();
    board.sample();
    dut_.edge();
    board.step();
}

void lockstep::power_reset(unsigned count)
{
    if (master.in_flight())
        covered.hit(bin::power_reset_with_accesses_under_way);
    if (count == 1)
        covered.hit(bin::power_reset_of_one_clock);
    master.drop();
    back.power_up();
    dut_.pins().rst = 1;
    while (count--) {
        dut_.settle();
        board.sample();
        dut_.edge();
        board.step();
    }
    dut_.pins().rst = 0;
}

bool lockstep::set_region(const vmmio_shm_region &region)
{
    vmmio_shm table = board.c.shm;

    if (back.busy() || board.region_pending())
        return false;
    const vmmio_error error = vmmio_shm_find(&table, region.id) ? vmmio_shm_change(&table, &region)
                                                                : vmmio_shm_add(&table, &region);
    return error == VMMIO_ERROR_OK && back.set_region(region);
}

bool lockstep::remove_region(uint8_t id)
{
    return !back.busy() && !board.region_pending() && back.remove_region(id);
}

} // namespace vmmio::tb
