// SPDX-License-Identifier: Apache-2.0
/// @file vfio_user.h
/// Puts TLM-2.0 devices into a stock QEMU: serves one PCI function to QEMU's `vfio-user-pci`
/// (QEMU 10.1 and later) over a UNIX socket. The devices need not be ours.
///
/// docs/vfio-user.md tells which message does what, and how simulated time passes.
#ifndef VMMIO_TLM_VFIO_USER_H
#define VMMIO_TLM_VFIO_USER_H

#include <systemc>
#include <tlm>
#include <tlm_utils/multi_passthrough_target_socket.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace vmmio
{

/// What the PCI function looks like. Mistakes in it are reported at construction.
struct vfio_user_config {
    std::string socket_path; ///< of the UNIX socket to listen on; at most 107 bytes

    std::uint16_t vendor_id = 0x1234;
    std::uint16_t device_id = 0xfea5;
    std::uint8_t revision_id = 0;
    std::uint32_t class_code = 0xff0000; ///< 24 bits: class, subclass, interface
    std::uint16_t subsystem_vendor_id = 0x1234;
    std::uint16_t subsystem_id = 0x0001;

    /// Bytes of BAR0, a 32-bit memory BAR: a power of two from 4 KiB to 1 GiB.
    std::uint64_t bar0_size = 0x10000;

    /// Where the platform's description of the machine (an SSDT, a device tree) says that BAR0
    /// is; 0 = it does not say. A guest that puts BAR0 elsewhere is reported.
    std::uint64_t expected_bar0 = 0;

    unsigned interrupts = 1;      ///< interrupt inputs, 0 to 1024; all share INTA
    unsigned max_dma_maps = 4096; ///< ranges of guest memory known at a time, 1 to 65535
};

/// What happened so far; every number counts from construction on.
struct vfio_user_counters {
    std::uint64_t connections = 0;
    std::uint64_t messages = 0;      ///< complete messages received
    std::uint64_t errors = 0;        ///< messages refused, and connections given up
    std::uint64_t bar0_reads = 0;    ///< transactions sent out of `bar0`
    std::uint64_t bar0_writes = 0;   ///< likewise
    std::uint64_t bar0_failures = 0; ///< transactions that came back with an error response
    std::uint64_t dma_maps = 0;      ///< ranges mapped
    std::uint64_t interrupts = 0;    ///< triggers sent
    std::uint64_t resets = 0;        ///< DEVICE_RESET messages
};

namespace vfu
{
class server;
class fd_watcher;
} // namespace vfu

/// A vfio-user server for one PCI function.
///
/// It listens from construction on and serves one client at a time; the next one waits until
/// this one is gone. Nothing that a client sends ends the process: a message that cannot be
/// carried out gets an error reply, one that breaks the framing ends the connection, and both
/// are reported as warnings (the first few of each connection).
///
/// Where the kernel would run out of events it waits for messages instead: sc_start() returns after
/// sc_stop(), and sc_start(time) does not let time run to its end while there is nothing to do.
class vfio_user : public sc_core::sc_module
{
public:
    /// Why the devices behind the bridge are to be reset.
    enum class reset_cause {
        message,    ///< the client asked for it, as it does at every machine reset
        disconnect, ///< the client has gone; its memory goes when the hook returns
    };

    /// Towards the device or a router: b_transport of 1, 2, 4 or 8 bytes, address = offset in
    /// BAR0, no byte enables. An error response reads as all ones, as on PCI.
    tlm_utils::simple_initiator_socket<vfio_user> bar0;

    /// The devices' way to guest memory: any number of initiators, address = guest physical
    /// address. b_transport, nb_transport and transport_dbg copy; DMI is granted for the mapped
    /// range with its rights, and taken back before the range goes. May stay unbound.
    tlm_utils::multi_passthrough_target_socket<vfio_user, 32, tlm::tlm_base_protocol_types, 0,
                                               sc_core::SC_ZERO_OR_MORE_BOUND>
        dma;

    /// Level interrupts, active high, `interrupts` of them.
    sc_core::sc_vector<sc_core::sc_in<bool>> irq;

    /// Called from the module's process when the devices are to be reset; it must not wait. Set it
    /// before the simulation starts. May stay empty.
    std::function<void(reset_cause)> on_reset;

    /// Reports an SC_ERROR that says what to change if the configuration cannot work.
    vfio_user(sc_core::sc_module_name name, const vfio_user_config &config);
    ~vfio_user() override;

    /// Guest physical address of BAR0 when the guest enabled it last; 0 = not yet. Stays after
    /// a disconnect.
    std::uint64_t bar0_address() const;

    /// True while a client is connected.
    bool connected() const;

    const vfio_user_counters &counters() const;

private:
    class device_side;

    void start_of_simulation() override;
    void end_of_simulation() override;

    void serve();
    void let_devices_run();
    void update_interrupt();

    void dma_transport(int id, tlm::tlm_generic_payload &trans, sc_core::sc_time &delay);
    tlm::tlm_sync_enum dma_nb_transport(int id, tlm::tlm_generic_payload &trans,
                                        tlm::tlm_phase &phase, sc_core::sc_time &delay);
    unsigned dma_debug(int id, tlm::tlm_generic_payload &trans);
    bool dma_direct(int id, tlm::tlm_generic_payload &trans, tlm::tlm_dmi &dmi);

    vfio_user_config config_;
    std::unique_ptr<device_side> devices_;
    std::unique_ptr<vfu::server> server_;
    std::unique_ptr<vfu::fd_watcher> watcher_;
};

} // namespace vmmio
#endif
