// SPDX-License-Identifier: Apache-2.0
/// @file machine.h
/// The platform: a bridge, a bus, and the devices, one in each page of BAR0.
#ifndef VMMIO_PLATFORM_MACHINE_H
#define VMMIO_PLATFORM_MACHINE_H

#include "control.h"
#include "devices.h"
#include "trace_tap.h"
#include "vmmio/tlm/router.h"
#include "vmmio/tlm/vfio_user.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

namespace vmmio::platform
{

class machine : public sc_core::sc_module
{
public:
    /// Listens when it is constructed. Reports an SC_ERROR, or throws std::runtime_error, that says
    /// what to change if the options cannot work.
    machine(sc_core::sc_module_name name, const options &chosen);

private:
    void bind_registers();
    void reset(vfio_user::reset_cause cause);
    std::uint32_t status(std::size_t slot);
    void reset_device(std::size_t slot);

    std::string execute(const std::string &command);
    void write_report();
    nlohmann::json find_token();

    options options_;
    std::vector<attachment> devices_;
    vfio_user bridge_;
    router router_;
    std::unique_ptr<trace_tap> trace_;
    std::unique_ptr<control> control_;
    tlm_utils::simple_initiator_socket<machine> supervisor_{"supervisor"};
    tlm_utils::simple_initiator_socket<machine> shm_reader_{"shm_reader"};
    sc_core::sc_vector<sc_core::sc_signal<bool>> lines_;
};

} // namespace vmmio::platform
#endif
