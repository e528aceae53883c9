/* SPDX-License-Identifier: Apache-2.0 */
#include "scoreboard.h"

#include <algorithm>
#include <cstdio>

namespace vmmio::tb
{

/* The back side of the C model: it hears what the Verilog's has to hear, and answers alike. */
struct c_back {
    static scoreboard &of(void *context) { return *static_cast<scoreboard *>(context); }

    static bool features_ok(void *context, const vmmio_features *)
    {
        of(context).c_asked_features_ = true;
        return of(context).c_features_answer_;
    }
    static void nothing(void *) {}
    static void notify(void *context, uint32_t, uint32_t data) { of(context).kick_ = data; }
    static bool queue_enable(void *context, uint32_t queue, const vmmio_queue_registers *registers)
    {
        scoreboard &s = of(context);
        s.c_enables_ = true;
        s.enabling_ = *registers;
        s.enabling_queue_ = queue;
        s.back_.enable_answer = s.back_.answers.accept_queue;
        return s.back_.enable_answer;
    }
    static bool queue_stop(void *, uint32_t) { return false; }
    static bool later(void *) { return false; }
    static bool config_write(void *context, uint32_t offset, const uint8_t *data, uint32_t length)
    {
        scoreboard &s = of(context);
        const unsigned lane = offset % 4;
        s.c_config_bytes_ = length;
        s.expect("word of a config write", s.at_.config_word, offset / 4);
        s.expect("bytes of a config write", s.at_.config_strobe, ((1u << length) - 1) << lane);
        for (uint32_t i = 0; i < length; i++)
            s.expect("data of a config write", s.at_.config_data >> 8 * (lane + i) & 0xff, data[i]);
        return s.c_config_answer_;
    }
    static void interrupt(void *context, bool level) { of(context).irq_ = level; }

    static constexpr vmmio_back_side calls = {features_ok, nothing, nothing, notify, queue_enable,
                                              queue_stop,  later,   nothing, later,  config_write};
};

scoreboard::scoreboard(dut &d, axi_master &master, back_side &back, bins &covered)
    : dut_(d), master_(master), back_(back), bins_(covered), queues_(queue_count),
      dependencies_(dependencies())
{
    power_up();
}

void scoreboard::power_up()
{
    static const uint8_t zero[VMMIO_CONFIG_MAX] = {};
    vmmio_block_config config = {};

    for (unsigned i = 0; i < queue_count; i++)
        queues_[i].size_max = size_max(i);
    config.device_id = 42;
    config.vendor_id = 0x6f696d76;
    config.features = offered();
    config.required_features = required();
    config.dependencies = dependencies_.data();
    config.dependency_count = static_cast<uint32_t>(dependencies_.size());
    config.queues = queues_.data();
    config.queue_count = queue_count;
    config.config = zero;
    config.config_length = config_bytes;
    config.back = &c_back::calls;
    config.back_context = this;
    config.host = {this, c_back::interrupt, nullptr};
    expect("vmmio_block_init", VMMIO_ERROR_OK, vmmio_block_init(&c, &config));
    irq_ = false;
    reads_.clear();
    r_valid_ = ready_now_ = reset_now_ = false;
    acting_.reset();
    status_step_ = status_quiet;
    c_enables_ = false;
    config_write_.reset();
    kick_.reset();
    region_.reset();
    probed_.reset();
    stops_ended_ = 0;
    ready_before_ = reset_before_ = false;
    waits_.fill(0);
    version_++;
}

/* ---- What went wrong ---- */

void scoreboard::remember(const char *what, uint32_t address, uint32_t data, uint32_t more)
{
    records_[records_made_++ % records_.size()] = {dut_.now, what, address, data, more};
}

void scoreboard::differ(const std::string &what, uint64_t rtl, uint64_t model)
{
    char text[160];

    std::snprintf(text, sizeof(text), ": Verilog 0x%llx, C model 0x%llx, at clock %llu",
                  static_cast<unsigned long long>(rtl), static_cast<unsigned long long>(model),
                  static_cast<unsigned long long>(dut_.now));
    difference_ = what + text;
}

std::string scoreboard::history() const
{
    std::string text;
    char line[120];

    for (uint64_t i = records_made_ - std::min<uint64_t>(records_made_, records_.size());
         i != records_made_; i++) {
        const record &r = records_[i % records_.size()];
        std::snprintf(line, sizeof(line), "clock %8llu  %-16s 0x%03x  0x%08x  0x%x\n",
                      static_cast<unsigned long long>(r.clock), r.what, r.address, r.data, r.more);
        text += line;
    }
    return text;
}

/* ---- Reads ---- */

bool scoreboard::shown_ready() const
{
    return c.queue_sel < queue_count && queues_[c.queue_sel].ready &&
           !(c_enables_ && enabling_queue_ == c.queue_sel);
}

/* The word that holds the address; the config window does not look at the low two bits. */
uint32_t scoreboard::answer(uint32_t address)
{
    const uint32_t at = address >> 8 == 1 ? address & ~3u : address;
    const uint32_t wrong = accesses >= fault.from_access ? fault.bits : 0;

    if (at == VMMIO_REG_QUEUE_READY)
        return shown_ready() ^ wrong;
    return vmmio_block_read(&c, at, 4) ^ wrong;
}

static void allow(std::vector<uint32_t> &values, uint32_t value)
{
    if (std::find(values.begin(), values.end(), value) == values.end())
        values.push_back(value);
}

/* QueueReady and QueueReset are read through a register of their own, one clock later. */
void scoreboard::allow_before(read_in_flight &r)
{
    if (r.address == VMMIO_REG_QUEUE_READY)
        allow(r.allowed, ready_before_);
    if (r.address == VMMIO_REG_QUEUE_RESET)
        allow(r.allowed, reset_before_);
}

void scoreboard::begin_read(uint32_t address)
{
    read_in_flight r{address, std::move(spare_), version_};

    r.allowed.assign(1, answer(address));
    allow_before(r);
    reads_.push_back(std::move(r));
}

/* What a driver can read has changed: reads in flight may give the new value as well. */
void scoreboard::note_reads()
{
    for (read_in_flight &r : reads_) {
        if (!r.answered && r.version != version_) {
            allow(r.allowed, answer(r.address));
            r.version = version_;
        }
        if (!r.answered)
            allow_before(r);
    }
}

/* The value of a read as it appears on the bus. */
void scoreboard::judge_read()
{
    const auto r = std::find_if(reads_.begin(), reads_.end(),
                                [](const read_in_flight &read) { return !read.answered; });
    const uint32_t value = dut_.pins().s_axil_rdata;

    if (r == reads_.end())
        return expect("data of a read that nobody asked for", value, 0);
    r->answered = true;
    if (r->allowed.size() > 1)
        bins_.hit(bin::read_beside_its_change);
    if (std::find(r->allowed.begin(), r->allowed.end(), value) == r->allowed.end()) {
        char what[40];
        std::snprintf(what, sizeof(what), "read of 0x%03x", r->address);
        expect(what, value, r->allowed.back());
    }
}

void scoreboard::end_read(uint32_t data)
{
    const read_in_flight &r = reads_.front();

    remember("read", r.address, data);
    cover_read(r.address);
    last_read = data;
    accesses++;
    reads_ended_++;
    last_word_ = r.address / 4;
    spare_ = std::move(reads_.front().allowed);
    reads_.pop_front();
}

/* ---- Writes ---- */

void scoreboard::c_write(uint32_t offset, unsigned width, uint32_t value)
{
    vmmio_block_write(&c, offset, width, value);
    version_++;
}

/* The access of natural alignment that these strobes make; width 0: there is none (A-ALIGN). */
static std::array<unsigned, 2> lane_and_width(unsigned strobe)
{
    switch (strobe) {
    case 0x1:
        return {0, 1};
    case 0x2:
        return {1, 1};
    case 0x4:
        return {2, 1};
    case 0x8:
        return {3, 1};
    case 0x3:
        return {0, 2};
    case 0xc:
        return {2, 2};
    case 0xf:
        return {0, 4};
    default:
        return {0, 0};
    }
}

void scoreboard::begin_bytes(const access &a)
{
    const auto [lane, width] = lane_and_width(a.strobe);

    if (width != 0)
        c_write((a.address & ~3u) + lane, width, a.data >> 8 * lane);
}

void scoreboard::begin_write(const access &a)
{
    remember("write", a.address, a.data, a.strobe);
    cover_write(a);
    if (a.address >> 8 == 1) {
        if (dut_.pins().back_config_write) {
            config_write_ = a; // the C model's turn comes when the back side answers
            return;
        }
        c_config_bytes_ = 0;
        begin_bytes(a);
        expect("bytes of a config write passed on", 0, c_config_bytes_);
    } else if (a.strobe != 0xf) {
        begin_bytes(a);
    } else if (a.address == VMMIO_REG_STATUS) {
        begin_status(a.data);
    } else {
        c_write(a.address, 4, a.data);
    }
}

/*
 * Several bits at once take effect one after the other, one step a clock, as if they were written
 * so (A-STATUS-ORDER); FEATURES_OK waits for the back side.
 */
void scoreboard::begin_status(uint32_t value)
{
    constexpr uint32_t steps = VMMIO_STATUS_FEATURES_OK | VMMIO_STATUS_DRIVER_OK;
    const uint32_t whole = VMMIO_STATUS_FAILED | VMMIO_STATUS_SUSPEND;

    if (value == 0 || value & VMMIO_STATUS_FAILED || c.status & whole || c.resetting)
        return c_write(VMMIO_REG_STATUS, 4, value);
    status_rest_ = value & steps & ~c.status;
    status_step_ = status_features;
    if (value & ~steps)
        c_write(VMMIO_REG_STATUS, 4, value & ~steps);
}

void scoreboard::step_status()
{
    if (status_step_ == status_features) {
        if (at_.features_request && !at_.features_done)
            return;
        c_asked_features_ = false;
        c_features_answer_ = at_.features_accept;
        if (status_rest_ & VMMIO_STATUS_FEATURES_OK)
            c_write(VMMIO_REG_STATUS, 4, VMMIO_STATUS_FEATURES_OK);
        expect("request of features", at_.features_request, c_asked_features_);
        if (status_rest_ & VMMIO_STATUS_FEATURES_OK)
            bins_.hit(!c_asked_features_   ? bin::features_refused_by_block
                      : c_features_answer_ ? bin::features_accepted
                                           : bin::features_refused_by_back_side);
        events += c_asked_features_;
        status_step_ = status_drive;
    } else {
        expect("request of features", at_.features_request, 0);
        if (status_rest_ & VMMIO_STATUS_DRIVER_OK) {
            if (!(c.status & VMMIO_STATUS_FEATURES_OK))
                bins_.hit(bin::driver_ok_without_features_ok);
            c_write(VMMIO_REG_STATUS, 4, VMMIO_STATUS_DRIVER_OK);
        }
        status_step_ = status_quiet;
    }
}

void scoreboard::end_config(bool taken)
{
    c_config_answer_ = taken;
    c_config_bytes_ = 0;
    if (config_write_)
        begin_bytes(*config_write_);
    expect("a config write is passed on", 1, c_config_bytes_ != 0);
    events++;
    bins_.hit(taken ? bin::config_write_taken : bin::config_write_refused);
}

void scoreboard::end_enable()
{
    const vmmio_queue_registers &r = enabling_;
    const uint64_t halves[] = {r.desc,   r.desc >> 32,   r.driver, r.driver >> 32,
                               r.device, r.device >> 32, r.size};

    expect("a queue is enabled", 1, c_enables_);
    expect("the queue that is enabled", at_.enable_queue, enabling_queue_);
    for (unsigned i = 0; i < 7; i++)
        expect("a word of the queue that is enabled", back_.enable_words()[i],
               static_cast<uint32_t>(halves[i]));
    if (back_.enable_answer) {
        bins_.hit(bin::queue_enabled);
        bins_.hit(bin::queue_enable_of_each, enabling_queue_);
        if (waits_[3] > 8)
            bins_.hit(bin::queue_enabled_late);
        if (c.status & VMMIO_STATUS_DRIVER_OK)
            bins_.hit(bin::queue_enabled_again);
    } else {
        bins_.hit(bin::queue_refused_by_back_side);
    }
    c_enables_ = false;
    events++;
    version_++;
}

/* ---- Events ---- */

/* In the clock of a write they count as earlier, unless acts_before_events says otherwise. */
void scoreboard::earlier_events()
{
    const uint32_t ok = c.status & VMMIO_STATUS_DRIVER_OK;
    const back_side::job *job = back_.committed();

    if (at_.used_buffer) {
        remember("used_buffer");
        bins_.hit(c.resetting    ? bin::event_during_reset
                  : c.suspending ? bin::used_buffer_when_suspending
                  : ok           ? bin::used_buffer_raises
                                 : bin::used_buffer_before_driver_ok);
        vmmio_block_used_buffer(&c);
        version_++;
    }
    if (at_.needs_reset) {
        remember("needs_reset");
        bins_.hit(c.resetting                       ? bin::event_during_reset
                  : c.suspending                    ? bin::error_when_suspending
                  : c.status & VMMIO_STATUS_SUSPEND ? bin::error_when_suspended
                  : ok                              ? bin::error_when_live
                                                    : bin::error_before_driver_ok);
        vmmio_block_needs_reset(&c);
        version_++;
    }
    if (job && job->kind == back_side::job::config) {
        if (job->counts) {
            remember("config change", 0, job->notify);
            bins_.hit(bin::config_change);
            if (job->notify && ok)
                bins_.hit(bin::config_change_told);
            if (std::any_of(reads_.begin(), reads_.end(),
                            [](const read_in_flight &r) { return r.address >> 8 == 1; }))
                bins_.hit(bin::config_change_beside_a_read);
            last_config_change_ = reads_ended_;
            expect("config update is taken", 1,
                   vmmio_block_config_update(&c, job->bytes.data(), job->notify));
            version_++;
        } else {
            end_config(true);
        }
    }
    if (back_.news_told()) {
        remember("regions_changed");
        bins_.hit(bin::region_news);
        vmmio_block_regions_changed(&c);
        version_++;
    }
}

/* Requests that end count as later than a write in their clock, stops of a queue by one clock more.
 */
void scoreboard::later_events()
{
    const uint64_t under_way = stopping_ & ~stops_ended_;

    for (uint64_t ended = stops_ended_; ended; ended &= ended - 1) {
        const auto queue = static_cast<uint32_t>(__builtin_ctzll(ended));
        remember("stop done", queue);
        vmmio_block_queue_stop_done(&c, queue);
        version_++;
    }
    stops_ended_ = at_.stop_done & under_way;
    if (at_.stop_done & ~under_way)
        bins_.hit(bin::stop_done_of_idle_queue);
    if (stops_ended_)
        bins_.hit(waits_[2] <= 1 ? bin::queue_stops_at_once : bin::queue_stops_late);
    if (at_.enable_request && at_.enable_done)
        end_enable();
    if (at_.config_request && at_.config_done) {
        if (!back_.config_write_accepted())
            end_config(false);
        config_write_.reset();
    }
    if (at_.suspend_done) {
        remember("suspend done");
        bins_.hit(c.status & VMMIO_STATUS_NEEDS_RESET ? bin::suspend_ended_by_error
                  : waits_[1] == 1                    ? bin::suspended_at_once
                                                      : bin::suspended_late);
        vmmio_block_suspend_done(&c);
        version_++;
    }
    if (at_.reset_done) {
        remember("reset done");
        if (waits_[0] > 1)
            bins_.hit(bin::reset_takes_time);
        vmmio_block_reset_done(&c);
        version_++;
    }
    const back_side::job *job = back_.committed();
    if (job && job->kind == back_side::job::region)
        region_ = *job; // the latch follows in the next clock
}

/* The write that acts now and the event of its clock: which one is first? */
static bool acts_before_events(const access &a, uint32_t status)
{
    if (a.strobe != 0xf)
        return false;
    return a.address == VMMIO_REG_INTERRUPT_ACK || a.address == VMMIO_REG_QUEUE_NOTIFY ||
           (a.address == VMMIO_REG_STATUS && a.data & VMMIO_STATUS_SUSPEND &&
            !(status & VMMIO_STATUS_SUSPEND));
}

/* ---- A clock ---- */

void scoreboard::sample()
{
    const Vvmmio_axil &p = dut_.pins();

    at_.rst = p.rst;
    at_.used_buffer = p.back_used_buffer;
    at_.needs_reset = p.back_needs_reset;
    at_.takes_write = dut_.takes_write();
    at_.ends_write = dut_.ends_write();
    at_.features_request = p.back_features_request;
    at_.features_done = p.back_features_done;
    at_.features_accept = p.back_features_accept;
    at_.enable_request = p.back_enable_request;
    at_.enable_done = p.back_enable_done;
    at_.enable_queue = p.back_enable_queue;
    at_.config_request = p.back_config_write;
    at_.config_done = p.back_config_write_done;
    at_.config_word = p.back_config_write_word;
    at_.config_strobe = p.back_config_write_strobe;
    at_.config_data = p.back_config_write_data;
    at_.reset_done = p.back_reset_request && p.back_reset_done;
    at_.suspend_done = p.back_suspend_request && p.back_suspend_done;
    at_.stop_done = p.back_queue_stop_done;
    if (p.back_region_commit && !p.back_region_commit_ready)
        bins_.hit(bin::region_change_waits_for_a_select);
    at_.held_commit = p.back_config_commit && !p.back_config_commit_ready;
    waits_[0] = p.back_reset_request ? waits_[0] + 1 : 0;
    waits_[1] = p.back_suspend_request ? waits_[1] + 1 : 0;
    waits_[2] = p.back_queue_stop ? waits_[2] + 1 : 0;
    waits_[3] = p.back_enable_request ? waits_[3] + 1 : 0;
    if (p.rst)
        return;

    note_reads();
    if (master_.read_begins)
        begin_read(*master_.read_begins);
    if (master_.read_ends && !reads_.empty())
        end_read(*master_.read_ends);
    accesses += master_.write_ends;
    probed_.reset();
    if (back_.probe()) {
        const auto [queue, word] = *back_.probe();
        const vmmio_queue_registers &r = queues_[queue];
        const uint64_t areas[] = {r.desc, r.driver, r.device, r.size};
        if (alive_ >> queue & 1) {
            probed_ = static_cast<uint32_t>(areas[word / 2] >> 32 * (word % 2));
            bins_.hit(bin::queue_read_beside_the_bus, word);
        }
    }
}

void scoreboard::step()
{
    const Vvmmio_axil &p = dut_.pins();

    kick_.reset();
    if (at_.rst) {
        power_up();
        return compare();
    }
    if (p.s_axil_rvalid && (!r_valid_ || master_.read_ends))
        judge_read();
    r_valid_ = p.s_axil_rvalid;

    if (region_)
        change_region();
    const std::optional<access> a = acting_;
    const bool first = a && acts_before_events(*a, c.status);
    const bool steps = status_step_ != status_quiet; // of a write that began before
    acting_.reset();
    if (at_.takes_write)
        acting_ = master_.take_write();
    if (a)
        cover_meeting(*a);
    if (first)
        begin_write(*a);
    earlier_events();
    if (steps)
        step_status();
    else
        expect("request of features", at_.features_request, 0);
    if (a && !first)
        begin_write(*a);
    later_events();
    if (at_.ends_write) {
        expect("a write ends with the enable of a queue under way", 0, c_enables_);
        expect("a write ends with a config write under way", 0, config_write_.has_value());
        expect("a write to Status ends before its last step", 0, status_step_ != status_quiet);
    }
    if (const char *wrong = master_.check())
        expect(wrong, 1, 0);
    compare();
}

void scoreboard::change_region()
{
    const back_side::job &j = *region_;

    remember(j.entry ? "region" : "no region", j.id);
    if (c.shm.untouched && j.id == 0)
        bins_.hit(bin::shm_follows_before_the_first_select);
    if (!c.shm.untouched && !j.entry && c.shm.sel == j.id && c.shm.length != ~0ull)
        bins_.hit(bin::region_removed_when_latched);
    if (!j.entry)
        expect("removal of a region", 0, vmmio_shm_remove(&c.shm, j.id));
    else if (vmmio_shm_find(&c.shm, j.id))
        expect("change of a region", 0, vmmio_shm_change(&c.shm, &*j.entry));
    else
        expect("new region", 0, vmmio_shm_add(&c.shm, &*j.entry));
    last_region_change_ = reads_ended_;
    region_.reset();
    version_++;
}

void scoreboard::compare()
{
    const Vvmmio_axil &p = dut_.pins();

    if (compared_version_ != version_) {
        compared_version_ = version_;
        alive_ = stopping_ = 0;
        for (unsigned i = 0; i < queue_count; i++) {
            alive_ |= uint64_t{queues_[i].ready && !queues_[i].stopping} << i;
            stopping_ |= uint64_t{queues_[i].stopping} << i;
        }
        if (c_enables_)
            alive_ &= ~(1ull << enabling_queue_);
        for (unsigned i = 0; i < 4; i++)
            features_[i] = c.driver_features.word[i] & c.is.features.word[i];
    }
    expect("irq", p.irq, irq_);
    expect("Status", p.back_status, c.status);
    expect("live", p.back_live, vmmio_block_live(&c));
    expect("reset request", p.back_reset_request, c.resetting);
    expect("suspend request", p.back_suspend_request, c.suspending);
    expect("queues in use", p.back_queue_alive, alive_);
    expect("queues that stop", p.back_queue_stop, stopping_ & ~stops_ended_);
    expect("kick", p.back_notify, kick_.has_value());
    if (kick_) {
        expect("data of a kick", p.back_notify_data, *kick_);
        events++;
    }
    for (unsigned i = 0; i < 4; i++)
        expect("negotiated features", p.back_features[i], features_[i]);
    if (p.back_enable_request)
        expect("enable request", 1, c_enables_);
    if (p.back_config_write)
        expect("config write request", 1, config_write_.has_value());
    if (probed_)
        expect("register of a queue", p.back_queue_read_data, *probed_);
    ready_before_ = ready_now_;
    reset_before_ = reset_now_;
    ready_now_ = reset_now_ = false;
    if (c.queue_sel < queue_count && !(stops_ended_ >> c.queue_sel & 1)) {
        ready_now_ = shown_ready();
        reset_now_ = queues_[c.queue_sel].reset;
    }
}

} // namespace vmmio::tb
