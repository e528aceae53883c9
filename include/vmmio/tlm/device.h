// SPDX-License-Identifier: Apache-2.0
/// @file device.h
/// A virtio-mmio device as a SystemC module: the C model behind TLM-2.0 sockets.
#ifndef VMMIO_TLM_DEVICE_H
#define VMMIO_TLM_DEVICE_H

#include "vmmio/device.h"
#include "vmmio/state.h"
#include "vmmio/tlm/dma_port.h"
#include "vmmio/tlm/register_form.h"
#include "vmmio/tlm/shm_window.h"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_target_socket.h>
#include <vector>

namespace vmmio
{

/// What a platform may choose. The defaults suit a loosely timed Linux platform.
struct device_options {
    std::uint32_t vendor_id = 0x4f4d4d56; ///< VendorID, "VMMO"
    /// Queue and negotiation bits to offer, a subset of vmmio_device_features().
    vmmio_features features = vmmio_device_default_features();
    /// The legacy register layout, Version 1; see vmmio_device_config.
    bool legacy = false;
    /// Of every queue, up to 32768; a power of 2 unless RING_PACKED is offered.
    std::uint32_t queue_size_max = 256;
    std::uint32_t requests = 8; ///< how many a device function can hold at once

    sc_core::sc_time register_latency{10, sc_core::SC_NS}; ///< added to each register access
    sc_core::sc_time shm_latency{10, sc_core::SC_NS};      ///< added to each shared memory access
    /// Time from the write of 0 to Status until Status reads 0. Linux does not wait for it, so
    /// anything but 0 is for tests of other drivers (A-RESET-DONE).
    sc_core::sc_time reset_latency = sc_core::SC_ZERO_TIME;

    /// true: a kick is served inside the access, up to `slice` requests; the rest and everything
    /// else in a process of the device. false: always in that process.
    bool serve_in_access = true;
    std::uint32_t slice = 256; ///< requests in one go
    /// Least time between two slices of the device's process, so that time goes on when a driver
    /// refills a ring for ever.
    sc_core::sc_time slice_interval{100, sc_core::SC_NS};

    bool use_dmi = true; ///< ask for DMI on `dma`
    /// true: accesses that a driver must not make get TLM_COMMAND_ERROR_RESPONSE instead of being
    /// answered with 0 or ignored (A-WIDTH, A-WDIR, A-HOLE) or split.
    bool strict = false;
    unmapped shm_unmapped = unmapped::address_error;     ///< access to a hole of a region (A-SHM-9)
    sc_core::sc_severity severity = sc_core::SC_WARNING; ///< of reports about the driver

    /// Who answers the register accesses: the C model, or e.g. vmmio::rtl_form() of rtl_device.h.
    register_form_factory form;
};

/// The device. Bind `registers`, `dma` and `interrupt`; `shared_memory()` if it has regions.
///
/// Time: an access adds `register_latency` to its delay and does not wait, unless it kicks and a
/// DMA target waits. What a kick causes runs at the caller's local time; the time its DMA takes is
/// the device's own and moves the interrupt, not the caller. The interrupt line follows
/// InterruptStatus in the same delta cycle, or after the delays of caller and DMA if they are not
/// zero.
///
/// One access at a time: other processes may access the device while its DMA waits; it then answers
/// as a busy device does (a reset is done when the last DMA is).
///
/// Platform mistakes are SC_ERROR reports during construction. Driver mistakes are reports of
/// options.severity under "/vmmio/<kind>", the first few and then ever fewer of the same sort; they
/// never end the simulation unless you make them.
class device : public sc_core::sc_module
{
public:
    /// Register block: VMMIO_BLOCK_SIZE bytes from address 0. Never grants DMI.
    tlm_utils::simple_target_socket<device> registers;
    sc_core::sc_out<bool> interrupt; ///< level, high while InterruptStatus is not 0

    /// @param function what the device does; not owned, must outlive the module.
    device(sc_core::sc_module_name name, vmmio_function &function,
           const device_options &options = {});

    /// Towards guest memory: rings and buffers.
    tlm_utils::simple_initiator_socket<dma_port> &dma() { return dma_.socket; }

    /// The regions' memory, at guest physical addresses. May stay unbound if there are none.
    tlm_utils::simple_target_socket_optional<shm_window> &shared_memory() { return shm_.socket; }

    /// Regions and mappings; may be used at any time, also while the driver runs (A-SHM-5).
    shm_window &shm() { return shm_; }

    /// Adds a region before simulation; an SC_ERROR report says what is wrong.
    void add_region(std::uint8_t id, std::uint64_t base, std::uint64_t length);

    /// The same with memory behind all of it (not NULL, not owned), which stays over resets.
    void add_region(std::uint8_t id, std::uint64_t base, std::uint64_t length,
                    unsigned char *memory, rights access = rights::read_write);

    /// The function changed its config bytes: driver sees bytes, generation and interrupt at once.
    void config_changed() { vmmio_device_config_changed(&model_); }

    /// A function completed held requests, or on_resume has something to do: goes on with what had
    /// to wait. May be called in any process, and in the update phase.
    void resume_work();

    /// Writes the state of the device into `state`, see vmmio/state.h and docs/state.md. Between
    /// two transactions, in any process; STATE_BUSY while an access or the device's own process
    /// waits for DMA: try again later. The streams are those of the C model, times included.
    [[nodiscard]] vmmio_error save(std::vector<std::uint8_t> &state) const;

    /// Puts the device into a saved state; after an error it is as it was. DMI pointers into shared
    /// memory are taken back, and mappings until_reset end, as by a device reset. The interrupt
    /// line follows in the next delta cycle; a reset that was running and work that was pending go
    /// on after the time that was left to them. With options.form the registers of that form
    /// follow, in no simulated time; STATE_FORM if they cannot (docs/state.md).
    [[nodiscard]] vmmio_error restore(const std::vector<std::uint8_t> &state);

    /// Each diagnostic of the model, before it is reported and without any limit.
    std::function<void(const vmmio_diagnostic &)> on_diagnostic;

    /// The C model inside, for tests and debuggers. Register accesses belong on the socket.
    const vmmio_device &model() const { return model_; }

    /// What options.form has made; nullptr for the C model.
    const register_form *form() const { return form_.get(); }

    /// How often a diagnostic came up.
    std::uint64_t diagnostics(vmmio_diag_id id) const { return reported_.at(id); }

    const dma_port &dma_statistics() const { return dma_; }

protected:
    /// For functions that hold requests: called in the device's process after resume_work(), and
    /// may complete them there. True asks for another call, a slice_interval later.
    std::function<bool()> on_resume;

private:
    struct model_registers; // how the accesses below reach the registers: the C model's,
    struct form_registers;  // or those of form_

    static void interrupt_call(void *self, bool level);
    static void diagnostic_call(void *self, const vmmio_diagnostic *diagnostic);
    static void reset_call(void *self);

    void init_model(vmmio_function &function);
    void refuse_region(std::uint8_t id, std::uint64_t base, std::uint64_t length,
                       const char *why) const;
    template <typename Registers>
    void bind_registers();
    template <typename Registers>
    void b_transport(tlm::tlm_generic_payload &tx, sc_core::sc_time &delay);
    template <typename Registers>
    void strict_b_transport(tlm::tlm_generic_payload &tx, sc_core::sc_time &delay);
    template <typename Registers>
    tlm::tlm_response_status access(tlm::tlm_generic_payload &tx, sc_core::sc_time &delay);
    template <typename Registers>
    tlm::tlm_response_status odd_access(tlm::tlm_generic_payload &tx, sc_core::sc_time &delay);
    template <typename Registers>
    void write(std::uint32_t offset, std::uint32_t width, std::uint32_t value,
               sc_core::sc_time &delay);
    unsigned transport_dbg(tlm::tlm_generic_payload &tx);
    unsigned odd_debug(tlm::tlm_generic_payload &tx);
    bool poke(std::uint32_t offset, std::uint32_t value);
    void serve();
    void work_later(const sc_core::sc_time &delay);
    void report(const vmmio_diagnostic &diagnostic);
    void end_reset_later(const sc_core::sc_time &delay);

    void drive_model_interrupt();
    void drive_form_interrupt();
    void end_reset();
    void work();
    bool work_slice();

    device_options options_;
    vmmio_device model_;
    std::unique_ptr<register_form> form_;
    std::vector<vmmio_queue_registers> queue_registers_;
    std::vector<vmmio_queue> queues_;
    std::vector<vmmio_request> requests_;
    std::vector<vmmio_segment> segments_;
    dma_port dma_;
    shm_window shm_;
    std::array<std::uint64_t, VMMIO_DIAG_COUNT> reported_{};
    bool driver_mistake_ = false;      // in the access that is being answered
    bool work_waits_ = false;          // the process, for a run in another one
    sc_core::sc_time work_due_;        // the process does not work before
    sc_core::sc_time reset_due_;       // when the last reset ends
    bool interrupt_due_ = false;       // interrupt_event_ was notified with a delay ...
    sc_core::sc_time interrupt_delay_; // ... and comes at most that much later than now
    sc_core::sc_event interrupt_event_, reset_event_, work_event_;
};

} // namespace vmmio

#endif
