// SPDX-License-Identifier: Apache-2.0
/// @file dut_tlm.h
/// The SystemC device on the machine's bus.
#ifndef VMMIO_QTEST_DUT_TLM_H
#define VMMIO_QTEST_DUT_TLM_H

#include "dut.h"

#include "vmmio/dev/fs.h"
#include "vmmio/tlm/device.h"

#include <memory>
#include <systemc>
#include <tlm>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <vector>

namespace vmmio::qtest
{

/// Sends the accesses of the machine's bus into a socket. What the commands take adds up in a
/// local time, which settle() passes.
class tlm_port
{
public:
    tlm_utils::simple_initiator_socket<tlm_port> socket;

    /// @param local_time that accesses are annotated with; not owned.
    tlm_port(const char *name, sc_core::sc_time &local_time)
        : socket(name), local_time_(&local_time)
    {
    }

    /// An access that is answered with an error reads 0.
    void access(tlm::tlm_command command, std::uint64_t address, std::uint8_t *data,
                std::size_t length);

private:
    sc_core::sc_time *local_time_;
};

/// --dut tlm, rtl and lockstep.
class dut_tlm : public dut, public sc_core::sc_module
{
public:
    dut_tlm(sc_core::sc_module_name name, const options &chosen, function &what,
            const machine_side &side);

    bus_target &registers() override { return registers_; }
    bus_target &region(std::size_t index) override { return windows_[index]; }
    void run(const std::function<void()> &commands) override;
    void settle() override;
    vmmio_error save(std::vector<std::uint8_t> &state) override { return device_.save(state); }
    vmmio_error restore(const std::vector<std::uint8_t> &state) override
    {
        return device_.restore(state);
    }
    void advance(std::uint64_t ns) override;

private:
    class registers_target : public register_page
    {
    public:
        explicit registers_target(tlm_port &port) : port_(port) {}

    private:
        std::uint32_t read_register(std::uint32_t offset, unsigned width) override;
        void write_register(std::uint32_t offset, unsigned width, std::uint32_t value) override;

        tlm_port &port_;
    };

    class window : public bus_target
    {
    public:
        window(tlm_port &port, std::uint64_t base) : port_(&port), base_(base) {}
        void read(std::uint64_t offset, std::uint8_t *data, std::size_t length) override;
        void write(std::uint64_t offset, const std::uint8_t *data, std::size_t length) override;

    private:
        tlm_port *port_;
        std::uint64_t base_; // addresses on the socket are guest physical
    };

    void dma_transport(tlm::tlm_generic_payload &trans, sc_core::sc_time &delay);
    bool dma_direct(tlm::tlm_generic_payload &trans, tlm::tlm_dmi &dmi);
    void commands();
    void interrupt();
    std::unique_ptr<device> make_device(const options &chosen, function &what);

    machine_side side_;
    sc_core::sc_time local_time_;
    std::function<bool()> wait_for_threads_; // of the device; false: they have nothing to do
    std::unique_ptr<device> owned_;
    device &device_;
    tlm_port register_port_;
    tlm_port shm_port_;
    tlm_utils::simple_target_socket<dut_tlm> dma_;
    sc_core::sc_signal<bool> line_;
    registers_target registers_;
    std::vector<window> windows_;
    std::vector<std::unique_ptr<ram>> memories_;
    const std::function<void()> *commands_ = nullptr;
};

} // namespace vmmio::qtest

#endif
