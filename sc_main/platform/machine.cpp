// SPDX-License-Identifier: Apache-2.0
#include "machine.h"

#include <sstream>
#include <unistd.h>

namespace vmmio::platform
{

namespace
{

enum { from_bridge, from_supervisor, initiators };

/// The guest sees one block a page; BAR0 has room for more than are there.
constexpr std::uint64_t bar0_size = 0x10000;

constexpr std::uint64_t block_of(std::size_t slot) { return slot * VMMIO_BLOCK_SIZE; }

std::vector<router::window> pages(std::size_t count)
{
    std::vector<router::window> all;
    for (std::size_t slot = 0; slot < count; ++slot)
        all.push_back({block_of(slot), VMMIO_BLOCK_SIZE});
    return all;
}

vfio_user_config bridge_config(const options &chosen, std::size_t interrupts)
{
    vfio_user_config config;
    config.socket_path = chosen.socket;
    config.bar0_size = bar0_size;
    config.expected_bar0 = chosen.bar;
    config.interrupts = static_cast<unsigned>(interrupts);
    return config;
}

std::string unwritable(const std::string &path)
{
    return fmt::format("cannot write the report to \"{}\": choose a file in a writable directory",
                       path);
}

// A run shall not end without its report.
const options &checked(const options &chosen)
{
    if (!std::ofstream(chosen.report, std::ios::app))
        throw std::runtime_error(unwritable(chosen.report));
    return chosen;
}

template <typename Data>
void prepare(tlm::tlm_generic_payload &trans, tlm::tlm_command command, std::uint64_t address,
             Data *data, std::size_t size)
{
    trans.set_command(command);
    trans.set_address(address);
    trans.set_data_ptr(reinterpret_cast<unsigned char *>(data));
    trans.set_data_length(static_cast<unsigned>(size));
    trans.set_streaming_width(static_cast<unsigned>(size));
}

} // namespace

machine::machine(sc_core::sc_module_name name, const options &chosen)
    : sc_module(name), options_(checked(chosen)), devices_(make_devices(chosen)),
      bridge_("bridge", bridge_config(chosen, devices_.size())),
      router_("router", initiators, pages(devices_.size())), lines_("lines", devices_.size())
{
    bind_registers();
    for (std::size_t slot = 0; slot < devices_.size(); ++slot) {
        device &that = *devices_[slot].module;
        router_.out[slot].bind(that.registers);
        that.dma().bind(bridge_.dma);
        that.interrupt.bind(lines_[slot]);
        bridge_.irq[slot].bind(lines_[slot]);
        if (devices_[slot].device_id == VMMIO_ID_PMEM)
            shm_reader_.bind(that.shared_memory());
    }
    bridge_.on_reset = [this](vfio_user::reset_cause cause) { reset(cause); };
    if (options_.control)
        control_ = std::make_unique<control>(
            "control", STDIN_FILENO, [this](const std::string &line) { return execute(line); });
}

void machine::bind_registers()
{
    supervisor_.bind(router_.in[from_supervisor]);
    if (options_.trace.empty()) {
        bridge_.bar0.bind(router_.in[from_bridge]);
        return;
    }
    std::vector<std::string> names;
    for (const attachment &each : devices_)
        names.push_back(each.module->basename());
    trace_ = std::make_unique<trace_tap>("trace", options_.trace, names);
    bridge_.bar0.bind(trace_->in);
    trace_->out.bind(router_.in[from_bridge]);
}

void machine::reset(vfio_user::reset_cause cause)
{
    const bool client_gone = cause == vfio_user::reset_cause::disconnect;
    if (client_gone)
        write_report();
    for (std::size_t slot = 0; slot < devices_.size(); ++slot)
        reset_device(slot);
    if (client_gone && options_.once)
        sc_core::sc_stop();
}

std::uint32_t machine::status(std::size_t slot)
{
    std::uint32_t value = 0;
    tlm::tlm_generic_payload trans;
    prepare(trans, tlm::TLM_READ_COMMAND, block_of(slot) + VMMIO_REG_STATUS, &value, 4);
    supervisor_->transport_dbg(trans);
    return value;
}

void machine::reset_device(std::size_t slot)
{
    std::uint32_t zero = 0;
    tlm::tlm_generic_payload trans;
    sc_core::sc_time delay;
    prepare(trans, tlm::TLM_WRITE_COMMAND, block_of(slot) + VMMIO_REG_STATUS, &zero, 4);
    supervisor_->b_transport(trans, delay);
}

// "resize NAME SIZE", the only command so far.
std::string machine::execute(const std::string &command)
{
    std::istringstream words(command);
    std::string verb, name, size;
    words >> verb >> name >> size;
    if (verb != "resize" || size.empty() || !(words >> std::ws).eof())
        return fmt::format("error: '{}' is no command: write resize NAME SIZE", command);
    for (const attachment &each : devices_) {
        if (each.module->basename() != name || !each.resize)
            continue;
        try {
            each.resize(size);
        } catch (const sc_core::sc_report &report) {
            return fmt::format("error: {}", report.get_msg());
        } catch (const std::runtime_error &mistake) {
            return fmt::format("error: {}", mistake.what());
        }
        return fmt::format("ok: {}", command);
    }
    return fmt::format("error: there is no device '{}' that can be resized", name);
}

void machine::write_report()
{
    const vfio_user_counters &counters = bridge_.counters();
    nlohmann::json devices = nlohmann::json::array();
    for (std::size_t slot = 0; slot < devices_.size(); ++slot) {
        devices.push_back({{"name", devices_[slot].module->basename()},
                           {"device_id", devices_[slot].device_id},
                           {"status", status(slot)},
                           {"requests", devices_[slot].requests()},
                           {"bytes", devices_[slot].bytes()}});
        if (const register_form *form = devices_[slot].module->form())
            devices.back().update(
                {{"clocks", form->clocks().run}, {"clocks_skipped", form->clocks().skipped}});
    }
    const nlohmann::json report = {
        {"register_accesses", counters.bar0_reads + counters.bar0_writes},
        {"irqs", counters.interrupts},
        {"dma_maps", counters.dma_maps},
        {"messages", counters.messages},
        {"refused", counters.errors},
        {"bar0", bridge_.bar0_address()},
        {"token_found", find_token()},
        {"devices", devices},
    };
    std::ofstream file(options_.report);
    if (!(file << report.dump(2) << '\n' << std::flush))
        SC_REPORT_ERROR("/vmmio/platform", unwritable(options_.report).c_str());
}

nlohmann::json machine::find_token()
{
    if (!options_.wanted)
        return nullptr;
    constexpr std::size_t piece_bytes = std::size_t(1) << 20;
    std::vector<std::uint8_t> piece(piece_bytes);
    pattern_finder finder(*options_.wanted);
    for (std::uint64_t at = 0; at < options_.shm_size; at += piece_bytes) {
        tlm::tlm_generic_payload trans;
        prepare(trans, tlm::TLM_READ_COMMAND, options_.shm_base + at, piece.data(),
                std::min<std::uint64_t>(piece_bytes, options_.shm_size - at));
        const unsigned count = shm_reader_->transport_dbg(trans);
        for (std::size_t i = 0; i + pattern_finder::record_bytes <= count;
             i += pattern_finder::record_bytes)
            finder.look(piece.data() + i, at + i);
    }
    return {{"offset", finder.offset().value_or(0)}, {"bytes", finder.bytes()}};
}

} // namespace vmmio::platform
