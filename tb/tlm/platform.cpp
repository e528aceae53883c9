// SPDX-License-Identifier: Apache-2.0
#include "platform.h"

#include <algorithm>
#include <random>

namespace vmmio::tb
{

std::vector<std::uint8_t> noise(std::size_t length)
{
    std::vector<std::uint8_t> data(length);
    std::mt19937 random(7);
    std::generate(data.begin(), data.end(), [&] { return static_cast<std::uint8_t>(random()); });
    return data;
}

ram::ram(sc_core::sc_module_name name, guest_memory &memory, std::uint64_t base, std::uint64_t size)
    : sc_module(name), memory_(memory), base_(base), size_(size)
{
    memory.add_ram(base, size);
    memory.judge(false); // we ask for the pointer, not a device
    const vmmio_memory port = memory.port();
    host_ = static_cast<unsigned char *>(port.map(port.context, base, size, true));
    memory.judge(true);
    socket.register_b_transport(this, &ram::b_transport);
    socket.register_get_direct_mem_ptr(this, &ram::get_direct_mem_ptr);
}

void ram::b_transport(tlm::tlm_generic_payload &tx, sc_time &delay)
{
    const vmmio_memory port = memory_.port();
    const std::uint64_t address = base_ + tx.get_address();

    transactions++;
    if (on_transaction)
        on_transaction(tx);
    delay += latency;
    if (waits != sc_core::SC_ZERO_TIME) {
        waiting.notify();
        wait(delay + waits);
        delay = sc_core::SC_ZERO_TIME;
    }
    const bool ok =
        tx.is_read() ? port.read(port.context, address, tx.get_data_ptr(), tx.get_data_length())
                     : port.write(port.context, address, tx.get_data_ptr(), tx.get_data_length());
    tx.set_response_status(ok ? tlm::TLM_OK_RESPONSE : tlm::TLM_GENERIC_ERROR_RESPONSE);
    tx.set_dmi_allowed(dmi);
}

bool ram::get_direct_mem_ptr(tlm::tlm_generic_payload &tx, tlm::tlm_dmi &grant)
{
    if (on_dmi)
        on_dmi();
    grant.set_start_address(0);
    grant.set_end_address(size_ - 1);
    if (!dmi || (tx.is_write() && !dmi_writable))
        return false;
    grants++;
    grant.set_dmi_ptr(host_);
    grant.set_read_latency(dmi_latency);
    grant.set_write_latency(dmi_latency);
    if (dmi_writable)
        grant.allow_read_write();
    else
        grant.allow_read();
    return true;
}

processor::processor(sc_core::sc_module_name name) : sc_module(name)
{
    socket.register_invalidate_direct_mem_ptr(this, &processor::invalidate);
    SC_HAS_PROCESS(processor);
    SC_THREAD(run);
}

tlm::tlm_response_status processor::send(tlm::tlm_generic_payload &tx)
{
    tx.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    socket->b_transport(tx, local);
    return tx.get_response_status();
}

tlm::tlm_response_status processor::load(std::uint64_t address, void *data, std::size_t length)
{
    payload tx(tlm::TLM_READ_COMMAND, address, data, length);
    return send(tx);
}

tlm::tlm_response_status processor::store(std::uint64_t address, const void *data,
                                          std::size_t length)
{
    payload tx(tlm::TLM_WRITE_COMMAND, address, const_cast<void *>(data), length);
    return send(tx);
}

processor::grant processor::ask(std::uint64_t address, tlm::tlm_command command)
{
    payload tx(command, address, nullptr, 1);
    tlm::tlm_dmi dmi;
    const bool granted = socket->get_direct_mem_ptr(tx, dmi);
    return {granted,
            dmi.get_start_address(),
            dmi.get_end_address(),
            granted ? dmi.get_dmi_ptr() + (address - dmi.get_start_address()) : nullptr,
            dmi.is_read_allowed(),
            dmi.is_write_allowed(),
            dmi.get_read_latency()};
}

unsigned processor::peek(std::uint64_t address, void *data, std::size_t length)
{
    payload tx(tlm::TLM_READ_COMMAND, address, data, length);
    return socket->transport_dbg(tx);
}

unsigned processor::poke(std::uint64_t address, const void *data, std::size_t length)
{
    payload tx(tlm::TLM_WRITE_COMMAND, address, const_cast<void *>(data), length);
    return socket->transport_dbg(tx);
}

void processor::sync(sc_time more)
{
    const sc_time ahead = local;
    local = sc_core::SC_ZERO_TIME;
    wait(ahead + more);
}

std::uint32_t processor::read(std::uint32_t offset, std::uint32_t width)
{
    std::uint32_t value = 0;
    EXPECT_EQ(load(at::registers + offset, &value, width), tlm::TLM_OK_RESPONSE);
    return value;
}

void processor::write(std::uint32_t offset, std::uint32_t value, std::uint32_t width)
{
    EXPECT_EQ(store(at::registers + offset, &value, width), tlm::TLM_OK_RESPONSE);
}

void processor::run()
{
    try {
        if (program)
            program();
    } catch (const std::exception &error) {
        ADD_FAILURE() << "the test's program was ended by: " << error.what();
    }
}

void processor::invalidate(sc_dt::uint64 first, sc_dt::uint64 last)
{
    invalidated.emplace_back(first, last);
    if (on_invalidate)
        on_invalidate();
}

direct_platform::direct_platform(const device_options &options) : dut("dut", options)
{
    cpu.socket.bind(dut.registers);
    dut.dma().bind(main.socket);
    dut.interrupt.bind(irq);
}

void simulate(processor &cpu, std::function<void()> program)
{
    cpu.program = [program = std::move(program)] {
        program();
        sc_core::sc_stop();
    };
    sc_core::sc_start();
}

std::vector<std::uint8_t> saved(const device &dut)
{
    std::vector<std::uint8_t> state;
    EXPECT_EQ(dut.save(state), VMMIO_ERROR_OK);
    EXPECT_FALSE(state.empty());
    return state;
}

bool counting_source::fill(void *self, std::uint8_t *data, std::uint32_t length)
{
    auto *that = static_cast<counting_source *>(self);
    if (that->left < length)
        return false;
    that->left -= length;
    for (std::uint32_t i = 0; i < length; i++)
        data[i] = that->next++;
    return true;
}

namespace
{

enum { from_cpu, from_second, from_device, initiators };
enum { to_registers, to_ram, to_other_ram, to_shm };

} // namespace

surroundings::surroundings()
    : bus("bus", initiators,
          {{at::registers, VMMIO_BLOCK_SIZE},
           {at::ram, at::ram_size},
           {at::other_ram, at::other_ram_size},
           {at::shm, at::shm_size, router::addressing::absolute}})
{
    cpu.socket.bind(bus.in[from_cpu]);
    second.socket.bind(bus.in[from_second]);
    bus.out[to_ram].bind(main.socket);
    bus.out[to_other_ram].bind(other.socket);
}

surroundings::~surroundings()
{
    for (const std::string &violation : memory.violations)
        ADD_FAILURE() << "the driver did not allow this: " << violation;
}

void surroundings::attach(device &dut)
{
    bus.out[to_registers].bind(dut.registers);
    bus.out[to_shm].bind(dut.shared_memory());
    dut.dma().bind(bus.in[from_device]);
    dut.interrupt.bind(irq);
}

std::uint64_t surroundings::alloc(std::uint64_t length, std::uint64_t alignment)
{
    const std::uint64_t address = (free_ + alignment - 1) / alignment * alignment;
    free_ = address + length;
    if (free_ > at::ram + at::ram_size)
        throw std::length_error("the test needs more memory than there is");
    return address;
}

void surroundings::go_live(const vmmio_features &features, unsigned count, std::uint32_t size)
{
    EXPECT_TRUE(guest.negotiate(features));
    memory.withdraw_all();
    queues.clear();
    for (unsigned i = 0; i < count; i++) {
        const std::uint64_t base = alloc(32ull * size + 64);
        queues.push_back(std::make_unique<virtqueue>(memory, base, size));
        guest.enable_queue(i, *queues.back());
    }
    guest.start();
    cpu.sync();
}

void surroundings::offer(const std::vector<piece> &pieces, unsigned queue)
{
    queues.at(queue)->offer(queues[queue]->add(pieces));
    guest.kick(queue);
}

used_entry surroundings::exchange(const std::vector<piece> &pieces, unsigned queue)
{
    offer(pieces, queue);
    cpu.sync(ns(100000));
    const std::optional<used_entry> used = queues.at(queue)->reap();
    EXPECT_TRUE(used.has_value()) << "the buffer did not come back";
    return used.value_or(used_entry{~0u, ~0u});
}

} // namespace vmmio::tb
