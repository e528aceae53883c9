// SPDX-License-Identifier: Apache-2.0
#include "vmmio/tlm/vfio_user.h"

#include "vfio_user_server.h"
#include "vfio_user_watcher.h"

#include <linux/vfio.h>
#include <set>
#include <stdexcept>

namespace vmmio
{

namespace
{

constexpr char bridge_report[] = "/vmmio/vfio_user";

/// Delta cycles that devices get between two messages; one that never settles gets no more.
constexpr int max_settling_deltas = 64;

} // namespace

/// Carries the server's wishes into the simulation.
class vfio_user::device_side : public vfu::backend
{
public:
    explicit device_side(vfio_user &module) : module_(module) {}

    bool read(std::uint64_t offset, std::uint8_t *data, unsigned size) override
    {
        return access(tlm::TLM_READ_COMMAND, offset, data, size);
    }

    bool write(std::uint64_t offset, const std::uint8_t *data, unsigned size) override
    {
        return access(tlm::TLM_WRITE_COMMAND, offset, const_cast<std::uint8_t *>(data), size);
    }

    void memory_goes(std::uint64_t start, std::uint64_t last) override
    {
        for (const int id : dmi_users_)
            module_.dma[id]->invalidate_direct_mem_ptr(start, last);
    }

    void reset(reset_cause cause) override
    {
        if (module_.on_reset)
            module_.on_reset(cause);
    }

    void warn(const std::string &text) override
    {
        SC_REPORT_WARNING(bridge_report, (std::string(module_.name()) + ": " + text).c_str());
    }

    void remember_dmi_user(int id) { dmi_users_.insert(id); }

    /// The time that accesses took since the last call.
    sc_core::sc_time take_delay() { return std::exchange(delay_, sc_core::SC_ZERO_TIME); }

    bool said_unreachable = false;

private:
    bool access(tlm::tlm_command command, std::uint64_t offset, std::uint8_t *data, unsigned size)
    {
        trans_.set_command(command);
        trans_.set_address(offset);
        trans_.set_data_ptr(data);
        trans_.set_data_length(size);
        trans_.set_streaming_width(size);
        trans_.set_byte_enable_ptr(nullptr);
        trans_.set_dmi_allowed(false);
        trans_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
        module_.bar0->b_transport(trans_, delay_);
        return trans_.is_response_ok();
    }

    vfio_user &module_;
    tlm::tlm_generic_payload trans_;
    sc_core::sc_time delay_;
    std::set<int> dmi_users_; ///< initiators on `dma` that have been given a pointer
};

vfio_user::vfio_user(sc_core::sc_module_name module_name, const vfio_user_config &config)
    : sc_module(module_name), bar0("bar0"), dma("dma"), irq("irq", config.interrupts),
      config_(config), devices_(std::make_unique<device_side>(*this))
{
    try {
        server_ = std::make_unique<vfu::server>(config, *devices_);
        watcher_ = std::make_unique<vfu::fd_watcher>("watcher");
    } catch (const std::runtime_error &mistake) {
        SC_REPORT_ERROR("/vmmio/platform", (std::string(name()) + ": " + mistake.what()).c_str());
        throw;
    }
    dma.register_b_transport(this, &vfio_user::dma_transport);
    dma.register_nb_transport_fw(this, &vfio_user::dma_nb_transport);
    dma.register_transport_dbg(this, &vfio_user::dma_debug);
    dma.register_get_direct_mem_ptr(this, &vfio_user::dma_direct);

    SC_HAS_PROCESS(vfio_user);
    SC_THREAD(serve);
    if (config.interrupts > 0) {
        SC_METHOD(update_interrupt);
        for (auto &line : irq)
            sensitive << line;
    }
}

vfio_user::~vfio_user() = default;

std::uint64_t vfio_user::bar0_address() const { return server_->bar0_address(); }

bool vfio_user::connected() const { return server_->connected(); }

const vfio_user_counters &vfio_user::counters() const { return server_->counters(); }

void vfio_user::start_of_simulation() { watcher_->start(); }

void vfio_user::end_of_simulation()
{
    watcher_->stop();
    on_reset = nullptr; // nothing runs any more that a reset could matter to
    server_->disconnect();
}

void vfio_user::serve()
{
    for (;;) {
        if (server_->step()) {
            let_devices_run();
        } else {
            watcher_->arm(server_->fd());
            wait(watcher_->ready());
        }
    }
}

void vfio_user::let_devices_run()
{
    const sc_core::sc_time delay = devices_->take_delay();
    if (delay != sc_core::SC_ZERO_TIME)
        wait(delay);
    // An interrupt line that this access has changed must have its new level before the next
    // message, which may be an UNMASK.
    for (int i = 0; i < max_settling_deltas; ++i) {
        if (!sc_core::sc_pending_activity_at_current_time())
            break;
        wait(sc_core::SC_ZERO_TIME);
    }
}

void vfio_user::update_interrupt()
{
    bool high = false;
    for (const auto &line : irq)
        high = high || line.read();
    server_->set_interrupt(high);
}

void vfio_user::dma_transport(int, tlm::tlm_generic_payload &trans, sc_core::sc_time &)
{
    const bool reads = trans.is_read();
    const std::uint32_t rights = reads ? VFIO_DMA_MAP_FLAG_READ : VFIO_DMA_MAP_FLAG_WRITE;
    const std::uint64_t address = trans.get_address();
    const std::size_t length = trans.get_data_length();

    if (trans.get_command() == tlm::TLM_IGNORE_COMMAND) {
        trans.set_response_status(tlm::TLM_OK_RESPONSE);
    } else if (trans.get_byte_enable_ptr()) {
        trans.set_response_status(tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
    } else if (trans.get_streaming_width() < length) {
        trans.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
    } else if (const std::size_t good = server_->memory().reach(address, length, rights);
               good < length) {
        const std::uint64_t stop = address + good;
        const vfu::dma_range *range = stop < address ? nullptr : server_->memory().find(stop);
        trans.set_response_status(range && range->host ? tlm::TLM_COMMAND_ERROR_RESPONSE
                                                       : tlm::TLM_ADDRESS_ERROR_RESPONSE);
        if (range && !range->host && !std::exchange(devices_->said_unreachable, true))
            devices_->warn("DMA to guest memory that came without a file descriptor: give QEMU "
                           "shared memory (-object memory-backend-memfd,id=mem,share=on,size=... "
                           "-machine memory-backend=mem)");
    } else {
        server_->memory().copy(address, trans.get_data_ptr(), length, rights);
        trans.set_dmi_allowed(true);
        trans.set_response_status(tlm::TLM_OK_RESPONSE);
    }
}

tlm::tlm_sync_enum vfio_user::dma_nb_transport(int id, tlm::tlm_generic_payload &trans,
                                               tlm::tlm_phase &phase, sc_core::sc_time &delay)
{
    if (phase == tlm::BEGIN_REQ)
        dma_transport(id, trans, delay);
    return tlm::TLM_COMPLETED;
}

unsigned vfio_user::dma_debug(int, tlm::tlm_generic_payload &trans)
{
    const std::uint32_t rights = trans.is_read() ? VFIO_DMA_MAP_FLAG_READ : VFIO_DMA_MAP_FLAG_WRITE;
    if (trans.get_command() == tlm::TLM_IGNORE_COMMAND)
        return 0;
    return static_cast<unsigned>(server_->memory().copy(trans.get_address(), trans.get_data_ptr(),
                                                        trans.get_data_length(), rights));
}

bool vfio_user::dma_direct(int id, tlm::tlm_generic_payload &trans, tlm::tlm_dmi &dmi)
{
    const vfu::dma_range *range = server_->memory().find(trans.get_address());
    const std::uint32_t rights =
        trans.is_write() ? VFIO_DMA_MAP_FLAG_WRITE : VFIO_DMA_MAP_FLAG_READ;
    dmi.init();
    if (!range || !range->allows(rights)) {
        dmi.allow_none();
        return false;
    }
    dmi.set_dmi_ptr(range->host);
    dmi.set_start_address(range->start);
    dmi.set_end_address(range->last);
    const bool readable = range->allows(VFIO_DMA_MAP_FLAG_READ);
    const bool writable = range->allows(VFIO_DMA_MAP_FLAG_WRITE);
    dmi.set_granted_access(readable && writable ? tlm::tlm_dmi::DMI_ACCESS_READ_WRITE
                           : readable           ? tlm::tlm_dmi::DMI_ACCESS_READ
                                                : tlm::tlm_dmi::DMI_ACCESS_WRITE);
    devices_->remember_dmi_user(id);
    return true;
}

} // namespace vmmio
