// SPDX-License-Identifier: Apache-2.0
/// @file machine.h
/// The platform: bridge, bus, an entropy device in page 0 of BAR0 and a pmem device in page 1.
#ifndef VMMIO_PLATFORM_MACHINE_H
#define VMMIO_PLATFORM_MACHINE_H

#include "options.h"
#include "trace_tap.h"
#include "vmmio/tlm/devices.h"
#include "vmmio/tlm/file_memory.h"
#include "vmmio/tlm/router.h"
#include "vmmio/tlm/vfio_user.h"

#include <array>
#include <memory>
#include <nlohmann/json.hpp>

namespace vmmio::platform
{

class machine : public sc_core::sc_module
{
public:
    /// Listens when it is constructed. Reports an SC_ERROR, or throws std::runtime_error, that says
    /// what to change if the options cannot work.
    machine(sc_core::sc_module_name name, const options &chosen);

private:
    enum : unsigned { entropy_slot, pmem_slot, slots };
    using statuses = std::array<std::uint32_t, slots>;

    void bind_registers();
    void reset(vfio_user::reset_cause cause);
    std::uint32_t status(unsigned slot);
    void reset_device(unsigned slot);

    void write_report(const statuses &at_end);
    nlohmann::json find_token();

    options options_;
    file_memory backing_;
    vfio_user bridge_;
    router router_;
    entropy_device entropy_{"rng"};
    pmem_device pmem_;
    std::unique_ptr<trace_tap> trace_;
    tlm_utils::simple_initiator_socket<machine> supervisor_{"supervisor"};
    tlm_utils::simple_initiator_socket<machine> shm_reader_{"shm_reader"};
    sc_core::sc_vector<sc_core::sc_signal<bool>> lines_{"lines", slots};
};

} // namespace vmmio::platform
#endif
