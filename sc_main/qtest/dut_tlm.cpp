// SPDX-License-Identifier: Apache-2.0
#include "dut_tlm.h"

#include "common/form.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <stdexcept>
#ifdef VMMIO_WITH_FS
#include "vmmio/tlm/fs_device.h"
#endif

namespace vmmio::qtest
{

namespace
{

register_form_factory registers_of(const options &chosen)
{
    const char *name = chosen.dut == form::rtl        ? "rtl"
                       : chosen.dut == form::lockstep ? "lockstep"
                                                      : "tlm";
    return form_named(name, chosen.fst_folder);
}

device_options device_options_of(const options &chosen, const function &what)
{
    device_options wanted;
    wanted.form = registers_of(chosen);
    wanted.vendor_id = vendor_id;
    wanted.features = what.features();
    wanted.legacy = chosen.legacy;
    wanted.queue_size_max = queue_size_max;
    wanted.requests = requests;
    wanted.slice = slice;
    wanted.severity = sc_core::SC_INFO; // the machine says them itself
    return wanted;
}

} // namespace

void tlm_port::access(tlm::tlm_command command, std::uint64_t address, std::uint8_t *data,
                      std::size_t length)
{
    tlm::tlm_generic_payload trans; // not a member: DMA may come back here (H-35)
    trans.set_command(command);
    trans.set_address(address);
    trans.set_data_ptr(data);
    trans.set_data_length(static_cast<unsigned>(length));
    trans.set_streaming_width(static_cast<unsigned>(length));
    trans.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    socket->b_transport(trans, *local_time_);
    if (command == tlm::TLM_READ_COMMAND && !trans.is_response_ok())
        std::fill_n(data, length, std::uint8_t{0});
}

std::uint32_t dut_tlm::registers_target::read_register(std::uint32_t offset, unsigned width)
{
    std::array<std::uint8_t, 4> data{};
    port_.access(tlm::TLM_READ_COMMAND, offset, data.data(), width);
    return data[0] | data[1] << 8 | data[2] << 16 | std::uint32_t{data[3]} << 24;
}

void dut_tlm::registers_target::write_register(std::uint32_t offset, unsigned width,
                                               std::uint32_t value)
{
    std::array<std::uint8_t, 4> data;
    for (std::uint8_t &byte : data) {
        byte = static_cast<std::uint8_t>(value);
        value >>= 8;
    }
    port_.access(tlm::TLM_WRITE_COMMAND, offset, data.data(), width);
}

void dut_tlm::window::read(std::uint64_t offset, std::uint8_t *data, std::size_t length)
{
    port_->access(tlm::TLM_READ_COMMAND, base_ + offset, data, length);
}

void dut_tlm::window::write(std::uint64_t offset, const std::uint8_t *data, std::size_t length)
{
    port_->access(tlm::TLM_WRITE_COMMAND, base_ + offset, const_cast<std::uint8_t *>(data), length);
}

dut_tlm::dut_tlm(sc_core::sc_module_name name, const options &chosen, function &what,
                 const machine_side &side)
    : sc_module(name), side_(side), owned_(make_device(chosen, what)), device_(*owned_),
      register_port_("register_port", local_time_), shm_port_("shm_port", local_time_), dma_("dma"),
      line_("line"), registers_(register_port_)
{
    sc_core::sc_report_handler::set_actions(sc_core::SC_INFO, sc_core::SC_DO_NOTHING);
    register_port_.socket.bind(device_.registers);
    shm_port_.socket.bind(device_.shared_memory());
    device_.dma().bind(dma_);
    device_.interrupt.bind(line_);
    device_.on_diagnostic = side_.diagnostic;
    dma_.register_b_transport(this, &dut_tlm::dma_transport);
    dma_.register_get_direct_mem_ptr(this, &dut_tlm::dma_direct);
    for (const vmmio_shm_region &region : chosen.regions) {
        windows_.emplace_back(shm_port_, region.base);
        if (chosen.device == kind::fs && region.id == VMMIO_FS_SHM_ID)
            continue; // its own
        memories_.push_back(
            std::make_unique<ram>(fmt::format("region {}", region.id), region.length));
        device_.add_region(region.id, region.base, region.length, memories_.back()->memory());
    }

    SC_HAS_PROCESS(dut_tlm);
    SC_THREAD(commands);
    SC_METHOD(interrupt);
    sensitive << line_;
    dont_initialize();
}

#ifdef VMMIO_WITH_FS
namespace
{

fs_options shared_directory(const options &chosen)
{
    fs_options shared;
    shared.directory = chosen.directory;
    for (const vmmio_shm_region &region : chosen.regions) {
        if (region.id == VMMIO_FS_SHM_ID) {
            shared.dax.base = region.base;
            shared.dax.length = region.length;
        }
    }
    return shared;
}

} // namespace
#endif

std::unique_ptr<device> dut_tlm::make_device(const options &chosen, function &what)
{
    if (chosen.device != kind::fs)
        return std::make_unique<device>("device", *what.model(), device_options_of(chosen, what));
#ifdef VMMIO_WITH_FS
    auto made = std::make_unique<fs_device>("device", shared_directory(chosen),
                                            device_options_of(chosen, what));
    wait_for_threads_ = [fs = made.get()] { return fs->wait_for_answers(); };
    return made;
#else
    throw std::invalid_argument("--device fs: this program was built without libfuse; install "
                                "libfuse3-dev and build it again");
#endif
}

void dut_tlm::run(const std::function<void()> &commands)
{
    commands_ = &commands;
    sc_core::sc_start();
}

void dut_tlm::settle()
{
    for (unsigned i = 0; i < slices_per_command; i++) {
        if (local_time_ == sc_core::SC_ZERO_TIME && !sc_core::sc_pending_activity()) {
            if (!wait_for_threads_ || !wait_for_threads_())
                return;
            continue;
        }
        const sc_core::sc_time spent = local_time_;
        local_time_ = sc_core::SC_ZERO_TIME;
        wait(spent != sc_core::SC_ZERO_TIME ? spent : sc_core::sc_time_to_pending_activity());
    }
}

void dut_tlm::advance(std::uint64_t ns)
{
    wait(sc_core::sc_time(static_cast<double>(ns), sc_core::SC_NS));
}

void dut_tlm::dma_transport(tlm::tlm_generic_payload &trans, sc_core::sc_time &)
{
    const std::uint64_t address = trans.get_address();
    const std::size_t length = trans.get_data_length();
    bool answered = true;
    if (trans.is_read())
        answered = side_.memory.read(address, trans.get_data_ptr(), length);
    else if (trans.is_write())
        answered = side_.memory.write(address, trans.get_data_ptr(), length);
    trans.set_dmi_allowed(side_.memory.memory(address).has_value());
    trans.set_response_status(answered ? tlm::TLM_OK_RESPONSE : tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

bool dut_tlm::dma_direct(tlm::tlm_generic_payload &trans, tlm::tlm_dmi &dmi)
{
    const auto span = side_.memory.memory(trans.get_address());
    if (!span)
        return false;
    dmi.set_start_address(span->first);
    dmi.set_end_address(span->last);
    dmi.set_dmi_ptr(span->memory);
    dmi.allow_read_write();
    return true;
}

void dut_tlm::commands()
{
    (*commands_)();
    sc_core::sc_stop();
}

void dut_tlm::interrupt() { side_.interrupt(line_.read()); }

} // namespace vmmio::qtest
