/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file bins.h
 * Functional coverage: what the random stimulus is meant to reach, and how often it did.
 */
#ifndef VMMIO_TB_COSIM_BINS_H
#define VMMIO_TB_COSIM_BINS_H

#include "parameters.h"

#include "vmmio/registers.h"

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace vmmio::tb
{

/*
 * Name, number of bins, and whether they can be reached with these parameters. A family of several
 * bins counts by an index: a word's number, a strobe, a level of stalls in steps of 30 %.
 */
#define VMMIO_BINS(X)                                                                              \
    X(register_read, 64, true)                                                                     \
    X(register_written, 64, true)                                                                  \
    X(control_strobe, 16, true)                                                                    \
    X(config_strobe, 16, true)                                                                     \
    X(config_word_read, config_bytes > 252 ? 64 : (config_bytes + 3) / 4 + 1, true)                \
    X(unaligned_read, 3, true)                                                                     \
    X(unaligned_write, 3, true)                                                                    \
    X(read_behind_the_window, 1, true)                                                             \
    X(write_behind_the_window, 1, true)                                                            \
    X(stalls_on_aw, 4, true)                                                                       \
    X(stalls_on_w, 4, true)                                                                        \
    X(stalls_on_b, 4, true)                                                                        \
    X(stalls_on_ar, 4, true)                                                                       \
    X(stalls_on_r, 4, true)                                                                        \
    X(writes_in_flight, 5, true)                                                                   \
    X(reads_in_flight, 5, true)                                                                    \
    X(read_beside_write, 1, true)                                                                  \
    X(address_before_data, 1, true)                                                                \
    X(data_before_address, 1, true)                                                                \
    X(read_beside_its_change, 1, true)                                                             \
    X(device_features_sel_word, 5, true)                                                           \
    X(driver_features_sel_word, 5, true)                                                           \
    X(selector_bit_device_features, 32, true)                                                      \
    X(selector_bit_driver_features, 32, true)                                                      \
    X(selector_bit_queue, 32, true)                                                                \
    X(selector_bit_shm, 32, true)                                                                  \
    X(features_accepted, 1, true)                                                                  \
    X(features_refused_by_block, 1, true)                                                          \
    X(features_refused_by_back_side, 1, true)                                                      \
    X(features_written_late, 1, true)                                                              \
    X(driver_ok_without_features_ok, 1, true)                                                      \
    X(several_status_bits_at_once, 1, true)                                                        \
    X(written_when_failed, 1, true)                                                                \
    X(reset_when_live, 1, true)                                                                    \
    X(reset_when_suspended, 1, suspend_offered)                                                    \
    X(reset_when_suspending, 1, suspend_offered)                                                   \
    X(reset_when_broken, 1, true)                                                                  \
    X(reset_when_failed, 1, true)                                                                  \
    X(reset_when_a_queue_stops, 1, true)                                                           \
    X(reset_when_it_interrupts, 1, true)                                                           \
    X(reset_takes_time, 1, true)                                                                   \
    X(write_during_reset, 1, !hold_reset)                                                          \
    X(read_during_reset, 1, true)                                                                  \
    X(event_during_reset, 1, true)                                                                 \
    X(power_reset_with_accesses_under_way, 1, true)                                                \
    X(power_reset_of_one_clock, 1, true)                                                           \
    X(queue_enabled, 1, true)                                                                      \
    X(queue_enabled_late, 1, true)                                                                 \
    X(queue_enabled_again, 1, true)                                                                \
    X(queue_refused_by_block, 1, true)                                                             \
    X(queue_refused_by_back_side, 1, true)                                                         \
    X(queue_enable_of_each, queue_count, true)                                                     \
    X(queue_size_bit_refused, 32, true)                                                            \
    X(queue_address_bit_refused, 7, true)                                                          \
    X(queue_size_just_beyond_refused, 1, true)                                                     \
    X(split_ring_of_no_power_of_2_refused, 1, true)                                                \
    X(packed_ring_enabled, 1, packed_offered)                                                      \
    X(packed_ring_of_no_power_of_2_enabled, 14, packed_offered) /* by its highest bit but 1 */     \
    X(packed_address_bit_refused, 8, packed_offered)                                               \
    X(split_ring_enabled_where_packed_is_offered, 1, packed_offered)                               \
    X(queue_ready_beyond_1, 1, true)                                                               \
    X(setting_of_absent_queue, 1, true)                                                            \
    X(setting_of_ready_queue, 1, true)                                                             \
    X(setting_of_stopping_queue, 1, true)                                                          \
    X(setting_in_the_clock_of_a_stop_done, 1, true)                                                \
    X(queue_stops_at_once, 1, true)                                                                \
    X(queue_stops_late, 1, true)                                                                   \
    X(stop_done_of_idle_queue, 1, true)                                                            \
    X(queue_reset_of_idle, 1, ring_reset_offered)                                                  \
    X(queue_reset_of_alive, 1, ring_reset_offered)                                                 \
    X(queue_reset_of_stopping, 1, ring_reset_offered)                                              \
    X(queue_reset_refused, 1, true)                                                                \
    X(write_to_resetting_queue, 1, ring_reset_offered)                                             \
    X(kick_told, queue_count, true)                                                                \
    X(kick_with_data, 1, notification_data_offered)                                                \
    X(kick_before_driver_ok, 1, true)                                                              \
    X(kick_of_idle_queue, 1, true)                                                                 \
    X(kick_of_absent_queue, 1, true)                                                               \
    X(kick_when_suspended, 1, suspend_offered)                                                     \
    X(used_buffer_raises, 1, true)                                                                 \
    X(used_buffer_before_driver_ok, 1, true)                                                       \
    X(used_buffer_when_suspending, 1, suspend_offered)                                             \
    X(error_when_live, 1, true)                                                                    \
    X(error_before_driver_ok, 1, true)                                                             \
    X(error_when_suspended, 1, suspend_offered)                                                    \
    X(error_when_suspending, 1, suspend_offered)                                                   \
    X(acknowledge, 4, true)                                                                        \
    X(acknowledge_of_what_is_not_set, 1, true)                                                     \
    X(used_buffer_in_the_clock_of_its_acknowledge, 1, true)                                        \
    X(config_change_in_the_clock_of_its_acknowledge, 1, true)                                      \
    X(suspended_at_once, 1, suspend_offered)                                                       \
    X(suspended_late, 1, suspend_offered)                                                          \
    X(suspend_ended_by_error, 1, suspend_offered)                                                  \
    X(suspend_refused, 1, true)                                                                    \
    X(resumed, 1, suspend_offered)                                                                 \
    X(resumed_with_an_error, 1, suspend_offered)                                                   \
    X(region_news_held_until_resume, 1, suspend_offered)                                           \
    X(config_change_held_until_resume, 1, suspend_offered &&config_bytes != 0)                     \
    X(config_write_when_suspended, 1, suspend_offered &&config_bytes != 0)                         \
    X(shm_region_selected, region_count, true)                                                     \
    X(shm_no_region_selected, 1, true)                                                             \
    X(shm_alias_of_a_region_selected, 1, region_count != 0)                                        \
    X(shm_follows_before_the_first_select, 1, region_count != 0)                                   \
    X(region_removed_when_latched, 1, region_count != 0)                                           \
    X(region_moved_between_low_and_high, 2, region_count != 0)                                     \
    X(region_change_waits_for_a_select, 1, region_count != 0)                                      \
    X(region_news, 1, true)                                                                        \
    X(config_change, 1, config_bytes != 0)                                                         \
    X(config_change_told, 1, config_bytes != 0)                                                    \
    X(config_change_between_reads, 1, config_bytes > 4)                                            \
    X(config_change_beside_a_read, 1, config_bytes != 0)                                           \
    X(config_write_taken, 1, config_bytes != 0)                                                    \
    X(config_write_refused, 1, config_bytes != 0)                                                  \
    X(config_write_behind_the_end, 1, config_bytes <= 252)                                         \
    X(queue_read_beside_the_bus, 7, true)

enum class bin : unsigned {
#define VMMIO_X(name, count, reachable) name,
    VMMIO_BINS(VMMIO_X)
#undef VMMIO_X
};

class bins
{
public:
    bins();

    void hit(bin which, unsigned index = 0)
    {
        counts_[first_[static_cast<unsigned>(which)] + index]++;
    }
    /** Reachable bins, and those of them that were hit. */
    struct total {
        unsigned reachable = 0, hit = 0;
    };
    total sum() const;
    /** A line for each family; `*` marks those with an empty bin. */
    void print(std::ostream &out) const;
    /** Names of the empty bins. */
    std::vector<std::string> empty() const;

private:
    std::vector<unsigned> first_;
    std::vector<uint64_t> counts_;
};

} // namespace vmmio::tb
#endif
