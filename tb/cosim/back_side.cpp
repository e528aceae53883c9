/* SPDX-License-Identifier: Apache-2.0 */
#include "back_side.h"

#include <algorithm>

namespace vmmio::tb
{

namespace
{
constexpr unsigned config_words = (config_bytes + 3) / 4;
constexpr uint64_t every_queue = queue_count == 64 ? ~0ull : (1ull << queue_count) - 1;
} // namespace

void back_side::power_up()
{
    jobs_.clear();
    entries_.clear();
    config.fill(0);
    news_ = news_told_ = false;
    committed_ = nullptr;
    write_state_ = quiet;
    word_ = 0;
    probe_.reset();
    used_buffer = needs_reset = suspend_done = reset_done = false;
    stop_done = 0;
    pins_.back_load = pins_.back_config_commit = pins_.back_region_commit = 0;
    pins_.back_config_notify = pins_.back_used_buffer = pins_.back_needs_reset = 0;
    pins_.back_queue_read = 0;
}

bool back_side::set_region(const vmmio_shm_region &region)
{
    unsigned index = 0;

    if (const auto known = entries_.find(region.id); known != entries_.end())
        index = known->second;
    else
        while (std::any_of(entries_.begin(), entries_.end(),
                           [&](const auto &entry) { return entry.second == index; }))
            index++;
    if (index >= region_count)
        return false;
    entries_[region.id] = index;
    job j{job::region};
    j.index = index;
    j.entry = region;
    j.id = region.id;
    jobs_.push_back(j);
    return true;
}

bool back_side::remove_region(uint8_t id)
{
    const auto known = entries_.find(id);

    if (known == entries_.end())
        return false;
    job j{job::region};
    j.index = known->second;
    j.id = id;
    entries_.erase(known);
    jobs_.push_back(j);
    return true;
}

void back_side::change_config(const uint8_t *bytes, bool notify)
{
    job j{job::config};
    std::copy_n(bytes, config_bytes, j.bytes.begin());
    j.counts = true;
    j.notify = notify;
    jobs_.push_back(j);
}

/* The queue's seven words are read while the block waits for the answer, as an engine would. */
void back_side::answer_enable()
{
    if (!pins_.back_enable_request) {
        word_ = 0;
    } else {
        if (word_ >= 1 && word_ <= 7)
            words_[word_ - 1] = pins_.back_queue_read_data;
        if (word_ < 8)
            word_++;
    }
    const bool reading = word_ >= 1 && word_ <= 7;
    pins_.back_enable_done = word_ == 8 && random_.chance(answers.answer_percent);
    pins_.back_enable_accept = enable_answer;
    probe_.reset();
    if (!reading && pins_.back_queue_read_ready && random_.chance(answers.probe_percent))
        probe_ = {random_.pick(queue_count), random_.pick(7)};
    pins_.back_queue_read = reading || probe_;
    pins_.back_queue_read_queue = static_cast<CData>(reading  ? pins_.back_enable_queue
                                                     : probe_ ? (*probe_)[0]
                                                              : 0);
    pins_.back_queue_read_word = static_cast<CData>(reading  ? word_ - 1
                                                    : probe_ ? (*probe_)[1]
                                                             : 0);
}

/* An accepted write is loaded and committed before it is done, so that it reads back. */
void back_side::answer_config_write()
{
    if (pins_.back_config_write && write_state_ == quiet) {
        write_accepted_ = answers.accept_config;
        write_state_ = write_accepted_ ? loading : answered;
        if (write_accepted_) {
            job j{job::config};
            j.step = ~0u; // takes the bytes when its turn comes
            jobs_.insert(jobs_.begin() + !jobs_.empty(), j);
        }
    }
    pins_.back_config_write_done =
        write_state_ == answered && random_.chance(answers.answer_percent);
}

void back_side::load_word(uint32_t value, unsigned word, bool for_config)
{
    pins_.back_load = 1;
    pins_.back_load_config = for_config;
    pins_.back_load_word = static_cast<CData>(word);
    pins_.back_load_data = value;
}

void back_side::load()
{
    pins_.back_load = pins_.back_config_commit = pins_.back_region_commit = 0;
    pins_.back_config_notify = news_;
    if (jobs_.empty())
        return;
    job &j = jobs_.front();
    if (j.kind == job::region) {
        pins_.back_region_index = static_cast<CData>(j.index);
        pins_.back_region_id = j.id;
        pins_.back_region_present = j.entry.has_value();
        if (j.entry && j.step < 4) {
            const uint64_t half = j.step < 2 ? j.entry->length : j.entry->base;
            load_word(static_cast<uint32_t>(j.step % 2 ? half >> 32 : half), j.step, false);
            j.step++;
        } else {
            pins_.back_region_commit = 1;
        }
        return;
    }
    if (j.counts && j.step == 0 && std::equal(config.begin(), config.end(), j.bytes.begin())) {
        jobs_.pop_front(); // a write of the driver has done it already; only changes are committed
        return;
    }
    if (j.step == ~0u) {
        j.step = 0;
        j.bytes = config;
        for (unsigned i = 0; i < 4; i++)
            if (pins_.back_config_write_strobe >> i & 1)
                j.bytes[4 * pins_.back_config_write_word + i] =
                    static_cast<uint8_t>(pins_.back_config_write_data >> 8 * i);
    }
    if (j.step < config_words) {
        uint32_t value = static_cast<uint32_t>(random_()); // bytes behind the last do not matter
        for (unsigned i = 4 * j.step; i < std::min(4 * j.step + 4, config_bytes); i++)
            value = (value & ~(0xffu << i % 4 * 8)) | uint32_t{j.bytes[i]} << i % 4 * 8;
        load_word(value, j.step, true);
        j.step++;
    } else {
        pins_.back_config_commit = 1;
        pins_.back_config_counts = j.counts;
        pins_.back_config_notify = news_ || j.notify;
    }
}

void back_side::drive()
{
    pins_.back_features_done = random_.chance(answers.answer_percent);
    pins_.back_features_accept = answers.accept_features;
    answer_enable();
    answer_config_write();
    load();
    const uint64_t stops = answers.stop_percent >= 100            ? ~0ull
                           : random_.chance(answers.stop_percent) ? random_()
                                                                  : 0;
    pins_.back_queue_stop_done = (stops | stop_done) & every_queue;
    pins_.back_suspend_done = suspend_done || random_.chance(answers.suspend_percent);
    pins_.back_reset_done = reset_done || random_.chance(answers.reset_percent);
    pins_.back_used_buffer = used_buffer;
    pins_.back_needs_reset = needs_reset;
    used_buffer = needs_reset = suspend_done = reset_done = false;
    stop_done = 0;
}

void back_side::settled()
{
    const bool config_taken = pins_.back_config_commit && pins_.back_config_commit_ready;

    committed_ = nullptr;
    if (config_taken || (pins_.back_region_commit && pins_.back_region_commit_ready)) {
        done_job_ = jobs_.front();
        jobs_.pop_front();
        committed_ = &done_job_;
        if (config_taken)
            config = done_job_.bytes;
        if (config_taken && !done_job_.counts)
            write_state_ = answered;
    }
    if (pins_.back_config_write && pins_.back_config_write_done)
        write_state_ = quiet;
    news_told_ = news_ && pins_.back_config_commit_ready;
    if (news_told_)
        news_ = false;
}

} // namespace vmmio::tb
