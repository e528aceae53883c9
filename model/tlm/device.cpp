// SPDX-License-Identifier: Apache-2.0
#include "vmmio/tlm/device.h"

#include "rate_limit.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sstream>
#include <utility>

namespace vmmio
{

namespace
{

// A queue size that init_model is going to refuse must not exhaust memory first.
std::size_t segment_count(const device_options &options)
{
    return std::size_t(options.requests) *
           std::min<std::size_t>(options.queue_size_max, VMMIO_QUEUE_SIZE_LIMIT);
}

} // namespace

// Chosen once, so that the C model pays nothing for the other forms.
struct device::model_registers {
    static std::uint32_t read(device &self, std::uint32_t offset, std::uint32_t width,
                              sc_core::sc_time &)
    {
        return vmmio_device_read(&self.model_, offset, width);
    }
    static void write(device &self, std::uint32_t offset, std::uint32_t width, std::uint32_t value,
                      sc_core::sc_time &)
    {
        vmmio_device_write(&self.model_, offset, width, value);
    }
};

// The time that the access took is the caller's, and comes before what a kick causes.
struct device::form_registers {
    static std::uint32_t read(device &self, std::uint32_t offset, std::uint32_t width,
                              sc_core::sc_time &delay)
    {
        const std::uint32_t value = self.form_->read(offset, width);
        delay += self.form_->take_time();
        return value;
    }
    static void write(device &self, std::uint32_t offset, std::uint32_t width, std::uint32_t value,
                      sc_core::sc_time &delay)
    {
        self.form_->write(offset, width, value);
        const sc_core::sc_time took = self.form_->take_time();
        delay += took;
        self.dma_.elapsed += took;
    }
};

device::device(sc_core::sc_module_name name, vmmio_function &function,
               const device_options &options)
    : sc_module(name), registers("registers"), interrupt("interrupt"), options_(options),
      form_(options.form ? options.form(this->name()) : nullptr),
      queue_registers_(std::max(1u, function.queue_count)),
      queues_(std::max(1u, function.queue_count)), requests_(options.requests),
      segments_(segment_count(options)), dma_("dma", options.use_dmi),
      shm_("shared_memory", &model_.block.shm, options.shm_unmapped, options.shm_latency)
{
    init_model(function);
    registers.register_transport_dbg(this, &device::transport_dbg);
    dma_.on_invalidate = [this] { vmmio_device_forget_pointers(&model_); };

    SC_HAS_PROCESS(device);
    if (form_) {
        bind_registers<form_registers>();
        form_->start(model_, [this] { interrupt_call(this, form_->interrupt()); });
        shm_.on_change = [this] { form_->regions_changed(); };
        SC_METHOD(drive_form_interrupt);
    } else {
        bind_registers<model_registers>();
        shm_.on_change = [this] { vmmio_device_regions_changed(&model_); };
        SC_METHOD(drive_model_interrupt);
    }
    sensitive << interrupt_event_;
    dont_initialize();
    SC_METHOD(end_reset);
    sensitive << reset_event_;
    dont_initialize();
    SC_THREAD(work);
}

template <typename Registers>
void device::bind_registers()
{
    registers.register_b_transport(this, options_.strict ? &device::strict_b_transport<Registers>
                                                         : &device::b_transport<Registers>);
}

void device::init_model(vmmio_function &function)
{
    const auto nobody = [](void *, bool) {};
    const vmmio_between between = form_ ? form_->between() : vmmio_between{};
    vmmio_device_config config{};
    config.function = &function;
    config.vendor_id = options_.vendor_id;
    config.features = options_.features;
    config.legacy = options_.legacy;
    config.queue_size_max = options_.queue_size_max;
    config.memory = dma_.memory();
    config.host = {this, form_ ? nobody : interrupt_call, diagnostic_call};
    config.between = form_ ? &between : nullptr;
    config.queue_registers = queue_registers_.data();
    config.queues = queues_.data();
    config.queue_count = function.queue_count;
    config.requests = requests_.data();
    config.request_count = options_.requests;
    config.segments = segments_.data();
    config.segment_count = static_cast<std::uint32_t>(segments_.size());
    config.hold_reset = options_.reset_latency != sc_core::SC_ZERO_TIME;
    config.on_reset = reset_call;

    const vmmio_error error = vmmio_device_init(&model_, &config);
    if (error != VMMIO_ERROR_OK)
        SC_REPORT_ERROR("/vmmio/platform",
                        (std::string(this->name()) + ": " + vmmio_error_text(error)).c_str());
}

void device::refuse_region(std::uint8_t id, std::uint64_t base, std::uint64_t length,
                           const char *why) const
{
    std::ostringstream text;
    text << name() << ": region " << unsigned(id) << " at 0x" << std::hex << base << " of 0x"
         << length << " bytes: " << why;
    SC_REPORT_ERROR("/vmmio/platform", text.str().c_str());
}

void device::add_region(std::uint8_t id, std::uint64_t base, std::uint64_t length)
{
    const vmmio_error error = shm_.add_region(id, base, length);
    if (error != VMMIO_ERROR_OK)
        refuse_region(id, base, length, vmmio_error_text(error));
}

void device::add_region(std::uint8_t id, std::uint64_t base, std::uint64_t length,
                        unsigned char *memory, rights access)
{
    if (!memory)
        refuse_region(id, base, length, "it has no memory: give a pointer that is not null");
    add_region(id, base, length);
    shm_.map(id, 0, memory, length, access, lifetime::permanent);
}

// The register socket.

template <typename Registers>
[[gnu::always_inline]] inline void device::write(std::uint32_t offset, std::uint32_t width,
                                                 std::uint32_t value, sc_core::sc_time &delay)
{
    const sc_core::sc_time outer = dma_.elapsed; // not zero: our own DMA came back to us (H-35)
    dma_.elapsed = delay;
    Registers::write(*this, offset, width, value, delay);
    if (vmmio_device_has_work(&model_))
        serve();
    dma_.elapsed = outer;
}

// One slice, if this is the place; the device's own process goes on from there.
void device::serve()
{
    if (!options_.serve_in_access) {
        work_later(dma_.elapsed);
        return;
    }
    vmmio_device_run(&model_, options_.slice);
    if (vmmio_device_has_work(&model_))
        work_later(dma_.elapsed + options_.slice_interval);
    if (work_waits_) {
        work_waits_ = false;
        resume_work();
    }
}

// The process may be between two slices: it must not run ahead of a kick's local time.
void device::work_later(const sc_core::sc_time &delay)
{
    work_due_ = std::max(work_due_, sc_core::sc_time_stamp() + delay);
    work_event_.notify(delay);
}

template <typename Registers>
[[gnu::always_inline]] inline tlm::tlm_response_status device::access(tlm::tlm_generic_payload &tx,
                                                                      sc_core::sc_time &delay)
{
    const std::uint64_t offset = tx.get_address();
    std::uint32_t value;

    if (tx.get_data_length() != 4 || offset > VMMIO_BLOCK_SIZE - 4 || tx.get_byte_enable_ptr() ||
        tx.get_streaming_width() < 4 || !tx.get_data_ptr())
        return odd_access<Registers>(tx, delay);
    if (tx.is_read()) {
        value = Registers::read(*this, static_cast<std::uint32_t>(offset), 4, delay);
        std::memcpy(tx.get_data_ptr(), &value, 4);
    } else if (tx.is_write()) {
        std::memcpy(&value, tx.get_data_ptr(), 4);
        write<Registers>(static_cast<std::uint32_t>(offset), 4, value, delay);
    } else if (tx.get_command() != tlm::TLM_IGNORE_COMMAND) {
        return tlm::TLM_COMMAND_ERROR_RESPONSE;
    }
    return tlm::TLM_OK_RESPONSE;
}

namespace
{

bool all_bytes_enabled(const tlm::tlm_generic_payload &tx)
{
    const unsigned char *enable = tx.get_byte_enable_ptr();
    return !enable || std::all_of(enable, enable + tx.get_byte_enable_length(),
                                  [](unsigned char e) { return e == TLM_BYTE_ENABLED; });
}

} // namespace

// Everything that is not a plain 32-bit access: A-WIDTH, A-ALIGN, A-64, A-DBG. Apart from that, so
// that it does not pay for the registers that this needs.
template <typename Registers>
[[gnu::noinline]] tlm::tlm_response_status device::odd_access(tlm::tlm_generic_payload &tx,
                                                              sc_core::sc_time &delay)
{
    const std::uint64_t offset = tx.get_address();
    const unsigned length = tx.get_data_length();
    unsigned char *data = tx.get_data_ptr();

    if (tx.get_command() == tlm::TLM_IGNORE_COMMAND)
        return tlm::TLM_OK_RESPONSE;
    if (!tx.is_read() && !tx.is_write())
        return tlm::TLM_COMMAND_ERROR_RESPONSE;
    if (!data)
        return tlm::TLM_GENERIC_ERROR_RESPONSE;
    if (length == 0 || length > 8 || tx.get_streaming_width() < length)
        return tlm::TLM_BURST_ERROR_RESPONSE;
    if (offset > VMMIO_BLOCK_SIZE - length)
        return tlm::TLM_ADDRESS_ERROR_RESPONSE;

    const auto first = static_cast<std::uint32_t>(offset);
    if (length == 3 || (length > 4 && length < 8) || !all_bytes_enabled(tx)) {
        if (tx.is_read())
            std::memset(data, 0, length);
        report({VMMIO_DIAG_ACCESS_WIDTH, first, length});
        return tlm::TLM_OK_RESPONSE;
    }
    if (length == 8) { // two 32-bit accesses, low first
        report({VMMIO_DIAG_ACCESS_WIDTH, first, length});
        if (options_.strict)
            return tlm::TLM_COMMAND_ERROR_RESPONSE;
    }
    for (unsigned done = 0; done < length; done += 4) {
        const unsigned width = std::min(length - done, 4u);
        std::uint32_t value = 0;
        if (tx.is_read()) {
            value = Registers::read(*this, first + done, width, delay);
            std::memcpy(data + done, &value, width);
        } else {
            std::memcpy(&value, data + done, width);
            write<Registers>(first + done, width, value, delay);
        }
    }
    return tlm::TLM_OK_RESPONSE;
}

template <typename Registers>
void device::b_transport(tlm::tlm_generic_payload &tx, sc_core::sc_time &delay)
{
    tx.set_dmi_allowed(false);
    delay += options_.register_latency;
    tx.set_response_status(access<Registers>(tx, delay));
}

// The same with an error for what a driver must not do.
template <typename Registers>
void device::strict_b_transport(tlm::tlm_generic_payload &tx, sc_core::sc_time &delay)
{
    const bool outer_mistake = driver_mistake_; // of an access that waits for its DMA
    driver_mistake_ = false;
    b_transport<Registers>(tx, delay);
    if (driver_mistake_ && tx.is_response_ok())
        tx.set_response_status(tlm::TLM_COMMAND_ERROR_RESPONSE);
    driver_mistake_ = outer_mistake;
}

// Reads every register without side effect, writes those that have none (A-DBG). Returns how many
// bytes were done, counted from the first.
unsigned device::transport_dbg(tlm::tlm_generic_payload &tx)
{
    const std::uint64_t offset = tx.get_address();

    if (tx.get_data_length() != 4 || offset >= VMMIO_BLOCK_SIZE || offset % 4 != 0 ||
        !tx.is_read() || !tx.get_data_ptr())
        return odd_debug(tx);
    const std::uint32_t value = vmmio_block_peek(&model_.block, static_cast<std::uint32_t>(offset));
    std::memcpy(tx.get_data_ptr(), &value, 4);
    return 4;
}

// Everything that is not a plain 32-bit read.
unsigned device::odd_debug(tlm::tlm_generic_payload &tx)
{
    const std::uint64_t start = tx.get_address();
    unsigned char *data = tx.get_data_ptr();

    if (start >= VMMIO_BLOCK_SIZE || !data)
        return 0;
    const auto length = static_cast<unsigned>(
        std::min<std::uint64_t>(tx.get_data_length(), VMMIO_BLOCK_SIZE - start));
    unsigned done = 0;
    while (done < length) {
        const auto offset = static_cast<std::uint32_t>(start) + done;
        const unsigned skip = offset % 4;
        const unsigned piece = std::min(4 - skip, length - done);
        std::uint32_t value;

        if (tx.is_read()) {
            value = vmmio_block_peek(&model_.block, offset - skip) >> 8 * skip;
            std::memcpy(data + done, &value, piece);
        } else if (tx.is_write() && piece == 4) {
            std::memcpy(&value, data + done, 4);
            if (!poke(offset, value))
                break;
        } else {
            break;
        }
        done += piece;
    }
    return done;
}

bool device::poke(std::uint32_t offset, std::uint32_t value)
{
    return form_ ? form_->poke(offset, value) : vmmio_block_poke(&model_.block, offset, value);
}

// What the model asks of us.

void device::interrupt_call(void *self, bool)
{
    auto *that = static_cast<device *>(self);
    const sc_core::sc_time &delay = that->dma_.elapsed;
    if (that->interrupt_due_ && delay >= that->interrupt_delay_)
        return; // what is under way comes no later
    if (delay == sc_core::SC_ZERO_TIME) {
        that->interrupt_event_.notify();
        return;
    }
    that->interrupt_due_ = true;
    that->interrupt_delay_ = delay;
    that->interrupt_event_.notify(delay);
}

void device::diagnostic_call(void *self, const vmmio_diagnostic *diagnostic)
{
    static_cast<device *>(self)->report(*diagnostic);
}

void device::reset_call(void *self)
{
    auto *that = static_cast<device *>(self);
    that->shm_.reset();
    if (that->options_.reset_latency != sc_core::SC_ZERO_TIME)
        that->end_reset_later(that->dma_.elapsed + that->options_.reset_latency);
}

void device::end_reset_later(const sc_core::sc_time &delay)
{
    reset_due_ = sc_core::sc_time_stamp() + delay;
    reset_event_.notify(delay);
}

// Save and restore.

namespace
{

std::uint64_t femtoseconds_of_resolution()
{
    return static_cast<std::uint64_t>(
        std::llround(sc_core::sc_get_time_resolution().to_seconds() * 1e15));
}

std::uint64_t time_until(const sc_core::sc_time &then)
{
    const sc_core::sc_time now = sc_core::sc_time_stamp();
    return then > now ? (then - now).value() * femtoseconds_of_resolution() : 0;
}

sc_core::sc_time time_of(std::uint64_t femtoseconds)
{
    return sc_core::sc_time::from_value(femtoseconds / femtoseconds_of_resolution());
}

} // namespace

vmmio_error device::save(std::vector<std::uint8_t> &state) const
{
    const vmmio_state_times times{vmmio_device_reset_held(&model_) ? time_until(reset_due_) : 0,
                                  vmmio_device_has_work(&model_) ? time_until(work_due_) : 0};
    std::size_t length = 0;
    const vmmio_error error = vmmio_device_save(&model_, &times, nullptr, 0, &length);
    if (error != VMMIO_ERROR_STATE_ROOM)
        return error;
    state.resize(length);
    return vmmio_device_save(&model_, &times, state.data(), length, &length);
}

vmmio_error device::restore(const std::vector<std::uint8_t> &state)
{
    vmmio_state_times times{};
    const vmmio_error error = vmmio_device_restore(&model_, &times, state.data(), state.size());
    if (error != VMMIO_ERROR_OK)
        return error;
    reset_event_.cancel(); // it may have been the reset that a restore begins with
    if (vmmio_device_reset_held(&model_))
        end_reset_later(time_of(times.reset_in));
    interrupt_due_ = false;
    interrupt_event_.cancel();
    interrupt_event_.notify(sc_core::SC_ZERO_TIME);
    work_due_ = sc_core::sc_time_stamp();
    if (vmmio_device_has_work(&model_))
        work_due_ += time_of(times.work_in);
    resume_work(); // also for what the host has to say: who is at a console now, for example
    return error;
}

namespace
{

const char *report_type(vmmio_diag_kind sort)
{
    switch (sort) {
    case VMMIO_DIAG_REQUEST:
        return "/vmmio/request";
    case VMMIO_DIAG_FATAL:
        return "/vmmio/ring";
    default:
        return "/vmmio/driver";
    }
}

} // namespace

void device::report(const vmmio_diagnostic &diagnostic)
{
    const vmmio_diag_kind sort = vmmio_diag_kind_of(diagnostic.id);
    const std::uint64_t count = ++reported_.at(diagnostic.id);

    driver_mistake_ = driver_mistake_ || sort == VMMIO_DIAG_DRIVER;
    if (on_diagnostic)
        on_diagnostic(diagnostic);
    if (!worth_reporting(count))
        return;
    std::ostringstream text;
    text << name() << ": " << vmmio_diag_text(diagnostic.id) << " ["
         << vmmio_diag_row(diagnostic.id) << "], "
         << (sort == VMMIO_DIAG_DRIVER ? "offset" : "queue") << " 0x" << std::hex
         << diagnostic.where << ", value 0x" << diagnostic.value;
    if (count > 4)
        text << ", " << std::dec << count << " times so far";
    sc_core::sc_report_handler::report(options_.severity, report_type(sort), text.str().c_str(),
                                       __FILE__, __LINE__);
}

// Processes.

void device::drive_model_interrupt()
{
    interrupt_due_ = false;
    interrupt.write(vmmio_device_interrupt(&model_));
}

void device::drive_form_interrupt()
{
    interrupt_due_ = false;
    interrupt.write(form_->interrupt());
}

void device::end_reset() { vmmio_device_complete_reset(&model_); }

void device::resume_work() { work_event_.notify(sc_core::SC_ZERO_TIME); }

// Looks before it waits: a host thread may have had something before this process began.
void device::work()
{
    for (;;) {
        while (work_slice()) {
        }
        wait(work_event_);
    }
}

// False if there was nothing to do.
bool device::work_slice()
{
    if (vmmio_device_has_work(&model_) && work_due_ > sc_core::sc_time_stamp())
        wait(work_due_ - sc_core::sc_time_stamp());
    if (model_.engine.running) { // in another process, which waits for its DMA
        work_waits_ = true;
        return false;
    }

    const bool again = on_resume && on_resume();
    const bool kicked = vmmio_device_has_work(&model_);
    if (kicked && work_due_ <= sc_core::sc_time_stamp())
        vmmio_device_run(&model_, options_.slice);
    const sc_core::sc_time busy = std::exchange(dma_.elapsed, sc_core::SC_ZERO_TIME);

    if (!again && !kicked && busy == sc_core::SC_ZERO_TIME)
        return false;
    wait(std::max(busy, options_.slice_interval));
    return true;
}

} // namespace vmmio
