/* SPDX-License-Identifier: Apache-2.0 */
/* What the scoreboard counts as reached; see bins.h. */
#include "scoreboard.h"

#include <algorithm>

namespace vmmio::tb
{

void scoreboard::cover_read(uint32_t address)
{
    const unsigned word = address / 4;

    if (c.resetting)
        bins_.hit(bin::read_during_reset);
    if (address >= 0x200)
        return bins_.hit(bin::read_behind_the_window);
    if (address % 4)
        bins_.hit(bin::unaligned_read, address % 4 - 1);
    if (address < VMMIO_REG_CONFIG) {
        bins_.hit(bin::register_read, word);
        const bool high = address == VMMIO_REG_SHM_LEN_HIGH || address == VMMIO_REG_SHM_BASE_HIGH;
        if (high && last_word_ + 1 == word && reads_ended_ && last_region_change_ == reads_ended_)
            bins_.hit(bin::region_moved_between_low_and_high, address == VMMIO_REG_SHM_BASE_HIGH);
        return;
    }
    bins_.hit(bin::config_word_read, std::min(word - 64, (config_bytes + 3) / 4));
    if (last_word_ >= 64 && last_word_ != word && last_config_change_ == reads_ended_)
        bins_.hit(bin::config_change_between_reads);
}

static unsigned highest_bit(uint32_t value)
{
    return value ? 31 - static_cast<unsigned>(__builtin_clz(value)) : 0;
}

void scoreboard::cover_shm_select(uint32_t sel)
{
    bins_.hit(bin::selector_bit_shm, highest_bit(sel));
    for (unsigned i = 0; i < c.shm.region_count; i++)
        if (c.shm.region[i].id == sel)
            return bins_.hit(bin::shm_region_selected, i);
    bins_.hit(bin::shm_no_region_selected);
    if (vmmio_shm_find(&c.shm, sel & 0xff))
        bins_.hit(bin::shm_alias_of_a_region_selected);
}

void scoreboard::cover_write(const access &a)
{
    const unsigned word = a.address / 4;

    if (c.resetting)
        bins_.hit(bin::write_during_reset);
    if (a.address >= 0x200)
        return bins_.hit(bin::write_behind_the_window);
    if (a.address % 4)
        bins_.hit(bin::unaligned_write, a.address % 4 - 1);
    if (a.address >= VMMIO_REG_CONFIG) {
        bins_.hit(bin::config_strobe, a.strobe);
        if (4 * (word - 64) >= config_bytes)
            bins_.hit(bin::config_write_behind_the_end);
        else if (c.status & VMMIO_STATUS_SUSPEND)
            bins_.hit(bin::config_write_when_suspended);
        return;
    }
    bins_.hit(bin::register_written, word);
    bins_.hit(bin::control_strobe, a.strobe);
    if (a.strobe != 0xf || a.address % 4 || c.resetting)
        return;
    switch (a.address) {
    case VMMIO_REG_DEVICE_FEATURES_SEL:
        bins_.hit(bin::device_features_sel_word, std::min(a.data, 4u));
        return bins_.hit(bin::selector_bit_device_features, highest_bit(a.data));
    case VMMIO_REG_DRIVER_FEATURES_SEL:
        bins_.hit(bin::driver_features_sel_word, std::min(a.data, 4u));
        return bins_.hit(bin::selector_bit_driver_features, highest_bit(a.data));
    case VMMIO_REG_DRIVER_FEATURES:
        if (c.status & VMMIO_STATUS_FEATURES_OK)
            bins_.hit(bin::features_written_late);
        return;
    case VMMIO_REG_QUEUE_SEL:
        return bins_.hit(bin::selector_bit_queue, highest_bit(a.data));
    case VMMIO_REG_SHM_SEL:
        return cover_shm_select(a.data);
    case VMMIO_REG_INTERRUPT_ACK:
        if (a.data & 3 & ~c.interrupt_status)
            bins_.hit(bin::acknowledge_of_what_is_not_set);
        return bins_.hit(bin::acknowledge, a.data & 3);
    case VMMIO_REG_STATUS:
        return cover_status_write(a.data);
    default:
        cover_queue_write(a.address, a.data);
    }
}

void scoreboard::cover_status_write(uint32_t value)
{
    const bool live = vmmio_block_live(&c);
    const bool negotiated = c.status & VMMIO_STATUS_FEATURES_OK &&
                            vmmio_features_has(&c.driver_features, VMMIO_F_SUSPEND);

    if (value == 0) {
        if (live)
            bins_.hit(bin::reset_when_live);
        if (c.status & VMMIO_STATUS_SUSPEND)
            bins_.hit(bin::reset_when_suspended);
        if (c.suspending)
            bins_.hit(bin::reset_when_suspending);
        if (c.status & VMMIO_STATUS_NEEDS_RESET)
            bins_.hit(bin::reset_when_broken);
        if (c.status & VMMIO_STATUS_FAILED)
            bins_.hit(bin::reset_when_failed);
        if (stopping_)
            bins_.hit(bin::reset_when_a_queue_stops);
        if (c.interrupt_status)
            bins_.hit(bin::reset_when_it_interrupts);
        return;
    }
    if (c.status & VMMIO_STATUS_FAILED)
        return bins_.hit(bin::written_when_failed);
    if (value & VMMIO_STATUS_FAILED)
        return;
    if (c.status & VMMIO_STATUS_SUSPEND) {
        if (value & VMMIO_STATUS_DRIVER_OK) {
            bins_.hit(bin::resumed);
            if (c.status & VMMIO_STATUS_NEEDS_RESET)
                bins_.hit(bin::resumed_with_an_error);
            if (back_.has_news())
                bins_.hit(bin::region_news_held_until_resume);
            if (at_.held_commit)
                bins_.hit(bin::config_change_held_until_resume);
        }
        return;
    }
    if (value & VMMIO_STATUS_SUSPEND && !(live && negotiated))
        bins_.hit(bin::suspend_refused);
    const uint32_t fresh = value & ~c.status;
    if (fresh & (fresh - 1) & 0xf)
        bins_.hit(bin::several_status_bits_at_once);
}

void scoreboard::cover_queue_write(uint32_t offset, uint32_t value)
{
    if (offset == VMMIO_REG_QUEUE_NOTIFY) {
        const bool data = c.status & VMMIO_STATUS_FEATURES_OK &&
                          vmmio_features_has(&c.driver_features, VMMIO_F_NOTIFICATION_DATA);
        const uint32_t queue = data ? value & 0xffff : value;
        if (queue >= queue_count)
            return bins_.hit(bin::kick_of_absent_queue);
        if (!(alive_ >> queue & 1))
            return bins_.hit(bin::kick_of_idle_queue);
        if (c.status & VMMIO_STATUS_SUSPEND)
            return bins_.hit(bin::kick_when_suspended);
        if (!(c.status & VMMIO_STATUS_DRIVER_OK))
            return bins_.hit(bin::kick_before_driver_ok);
        if (data && value >> 16)
            bins_.hit(bin::kick_with_data);
        if (vmmio_block_live(&c))
            bins_.hit(bin::kick_told, queue);
        return;
    }
    if (offset < VMMIO_REG_QUEUE_SIZE ||
        (offset > VMMIO_REG_QUEUE_DEVICE_HIGH && offset != VMMIO_REG_QUEUE_RESET))
        return;
    if (c.queue_sel >= queue_count)
        return bins_.hit(bin::setting_of_absent_queue);
    const vmmio_queue_registers &q = queues_[c.queue_sel];
    if (q.reset)
        return bins_.hit(bin::write_to_resetting_queue);
    if (offset == VMMIO_REG_QUEUE_RESET) {
        if (value != 1 || !(c.status & VMMIO_STATUS_FEATURES_OK &&
                            vmmio_features_has(&c.driver_features, VMMIO_F_RING_RESET)))
            return bins_.hit(bin::queue_reset_refused);
        return bins_.hit(q.stopping ? bin::queue_reset_of_stopping
                         : q.ready  ? bin::queue_reset_of_alive
                                    : bin::queue_reset_of_idle);
    }
    if (offset != VMMIO_REG_QUEUE_READY) {
        if (stops_ended_ >> c.queue_sel & 1)
            bins_.hit(bin::setting_in_the_clock_of_a_stop_done);
        if (q.ready)
            bins_.hit(q.stopping ? bin::setting_of_stopping_queue : bin::setting_of_ready_queue);
        return;
    }
    if (value > 1)
        return bins_.hit(bin::queue_ready_beyond_1);
    if (value == 0 || q.ready)
        return;
    cover_queue_enable(q);
}

void scoreboard::cover_queue_enable(const vmmio_queue_registers &q)
{
    const bool packed = c.status & VMMIO_STATUS_FEATURES_OK &&
                        vmmio_features_has(&c.driver_features, VMMIO_F_RING_PACKED);
    const bool in_range = q.size != 0 && q.size <= q.size_max;
    const bool power_of_2 = (q.size & (q.size - 1)) == 0;
    const bool size_good = in_range && (packed || power_of_2);
    if (!size_good)
        bins_.hit(bin::queue_size_bit_refused, highest_bit(q.size));
    if (q.size == q.size_max + 1)
        bins_.hit(bin::queue_size_just_beyond_refused);
    if (in_range && !power_of_2 && !packed)
        bins_.hit(bin::split_ring_of_no_power_of_2_refused);

    const struct {
        uint64_t low;
        unsigned width;
    } areas[] = {
        {q.desc & 15, 4}, {q.driver & (packed ? 3 : 1), packed ? 2u : 1u}, {q.device & 3, 2}};
    unsigned at = 0;
    bool aligned = true;
    for (const auto &area : areas) {
        aligned = aligned && area.low == 0;
        for (unsigned i = 0; i < area.width; i++, at++)
            if (size_good && area.low == 1ull << i)
                bins_.hit(packed ? bin::packed_address_bit_refused : bin::queue_address_bit_refused,
                          at);
    }
    if (!size_good || !aligned)
        return bins_.hit(bin::queue_refused_by_block);
    if (!packed)
        return bins_.hit(bin::split_ring_enabled_where_packed_is_offered);
    bins_.hit(bin::packed_ring_enabled);
    if (!power_of_2)
        bins_.hit(bin::packed_ring_of_no_power_of_2_enabled, highest_bit(q.size) - 1);
}

/* The write acts in the clock of what it is about. */
void scoreboard::cover_meeting(const access &a)
{
    if (a.address != VMMIO_REG_INTERRUPT_ACK || a.strobe != 0xf)
        return;
    if (a.data & c.interrupt_status & VMMIO_INTERRUPT_USED_BUFFER && at_.used_buffer)
        bins_.hit(bin::used_buffer_in_the_clock_of_its_acknowledge);
    const back_side::job *job = back_.committed();
    const bool change = (job && job->notify) || back_.news_told() || at_.needs_reset;
    if (a.data & c.interrupt_status & VMMIO_INTERRUPT_CONFIG_CHANGE && change)
        bins_.hit(bin::config_change_in_the_clock_of_its_acknowledge);
}

} // namespace vmmio::tb
