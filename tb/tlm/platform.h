// SPDX-License-Identifier: Apache-2.0
/// @file platform.h
/// A small platform for tests: a processor whose program is the test, guest memory with a monitor,
/// a bus, and one device.
///
///     processor ─▶ bus ─▶ registers, shared memory of the device; RAM, slow RAM
///                   ▲
///                   └── DMA of the device
#ifndef VMMIO_TB_PLATFORM_H
#define VMMIO_TB_PLATFORM_H

#include "driver.h"
#include "form.h"
#include "reports.h"
#include "rows.h"
#include "sc_test.h"
#include "vmmio/tlm/router.h"

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <utility>
#include <vector>

namespace vmmio::tb
{

using sc_core::sc_time;

constexpr auto ok = tlm::TLM_OK_RESPONSE;

inline sc_time ns(double count) { return {count, sc_core::SC_NS}; }

/// Guest physical addresses of the platform.
namespace at
{
constexpr std::uint64_t registers = 0x0a003000;
constexpr std::uint64_t ram = 0x40000000, ram_size = 1 << 20;
constexpr std::uint64_t other_ram = ram + ram_size; ///< adjoins ram
constexpr std::uint64_t other_ram_size = 1 << 20;
constexpr std::uint64_t shm = 0x100000000, shm_size = 1ull << 32;
} // namespace at

/// So many bytes of no pattern, the same each time.
std::vector<std::uint8_t> noise(std::size_t length);

struct payload : tlm::tlm_generic_payload {
    payload(tlm::tlm_command command, std::uint64_t address, void *data, std::size_t length)
    {
        set_command(command);
        set_address(address);
        set_data_ptr(static_cast<unsigned char *>(data));
        set_data_length(static_cast<unsigned>(length));
        set_streaming_width(static_cast<unsigned>(length));
    }
};

/// A part of guest memory on the bus. Every transaction to it is judged by guest_memory.
class ram : public sc_core::sc_module
{
public:
    tlm_utils::simple_target_socket<ram> socket{"socket"};

    bool dmi = true; ///< grant DMI from now on
    bool dmi_writable = true;
    sc_time latency;           ///< annotated on each transaction
    sc_time dmi_latency;       ///< told with a grant
    sc_time waits;             ///< each transaction waits this long
    sc_core::sc_event waiting; ///< notified when one starts to
    std::uint64_t transactions = 0, grants = 0;
    /// Called before each transaction; may throw.
    std::function<void(tlm::tlm_generic_payload &)> on_transaction;
    /// Called before DMI is granted or refused; may throw.
    std::function<void()> on_dmi;

    ram(sc_core::sc_module_name name, guest_memory &memory, std::uint64_t base, std::uint64_t size);

    /// Takes all grants back.
    void invalidate() { socket->invalidate_direct_mem_ptr(0, size_ - 1); }

private:
    void b_transport(tlm::tlm_generic_payload &tx, sc_time &delay);
    bool get_direct_mem_ptr(tlm::tlm_generic_payload &tx, tlm::tlm_dmi &dmi);

    guest_memory &memory_;
    std::uint64_t base_, size_;
    unsigned char *host_;
};

/// An initiator whose program is the test; as a bus it reaches the device's registers.
class processor : public sc_core::sc_module, public bus
{
public:
    tlm_utils::simple_initiator_socket<processor> socket{"socket"};

    sc_time local; ///< how far the program is ahead of the simulation
    std::function<void()> program;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> invalidated; ///< first and last address
    std::function<void()> on_invalidate;

    explicit processor(sc_core::sc_module_name name);

    /// b_transport at local time.
    tlm::tlm_response_status send(tlm::tlm_generic_payload &tx);
    tlm::tlm_response_status load(std::uint64_t address, void *data, std::size_t length);
    tlm::tlm_response_status store(std::uint64_t address, const void *data, std::size_t length);

    /// What a grant of DMI for address says.
    struct grant {
        bool granted;
        std::uint64_t first, last;
        unsigned char *pointer; ///< to address
        bool readable, writable;
        sc_time read_latency;
    };
    grant ask(std::uint64_t address, tlm::tlm_command command = tlm::TLM_READ_COMMAND);

    /// transport_dbg; the bytes done.
    unsigned peek(std::uint64_t address, void *data, std::size_t length);
    unsigned poke(std::uint64_t address, const void *data, std::size_t length);

    /// Lets the simulation catch up, and then go on for some time.
    void sync(sc_time more = sc_core::SC_ZERO_TIME);

    std::uint32_t read(std::uint32_t offset, std::uint32_t width = 4) override;
    void write(std::uint32_t offset, std::uint32_t value, std::uint32_t width = 4) override;

private:
    void run();
    void invalidate(sc_dt::uint64 first, sc_dt::uint64 last);
};

/// Simulates until the processor has carried out the program.
void simulate(processor &cpu, std::function<void()> program);

/// What save gives; a test failure if it refuses.
std::vector<std::uint8_t> saved(const device &dut);

/// Random bytes that a test can foretell: 1, 2, 3, ... as long as there are any.
struct counting_source {
    std::uint8_t next = 1;
    std::uint64_t left = ~0ull;

    vmmio_entropy_config config() { return {fill, this, 0}; }

private:
    static bool fill(void *self, std::uint8_t *data, std::uint32_t length);
};

/// A device whose registers are bound to a processor, with no bus between them.
class direct_platform
{
public:
    guest_memory memory{dma_mode::pointer};
    ram main{"ram", memory, at::ram, at::ram_size};
    processor cpu{"cpu"};
    null_device dut;
    sc_core::sc_signal<bool> irq{"irq"};

    explicit direct_platform(const device_options &options = {});
    void run(std::function<void()> program) { simulate(cpu, std::move(program)); }
};

/// The parts that do not depend on the device.
class surroundings
{
public:
    guest_memory memory{dma_mode::pointer};
    processor cpu{"cpu"};
    processor second{"second"}; ///< idle unless it gets a program
    router bus;
    ram main{"ram", memory, at::ram, at::ram_size};
    ram other{"other_ram", memory, at::other_ram, at::other_ram_size};
    sc_core::sc_signal<bool> irq{"irq"};
    driver guest{cpu};
    std::vector<std::unique_ptr<virtqueue>> queues;

    surroundings();
    ~surroundings();

    void attach(device &dut);

    /// Simulates while the program runs in `cpu`.
    void run(std::function<void()> program) { simulate(cpu, std::move(program)); }

    /// Unused memory in `main`.
    std::uint64_t alloc(std::uint64_t length, std::uint64_t alignment = 16);
    piece readable(std::uint32_t length) { return {alloc(length), length, false}; }
    piece writable(std::uint32_t length) { return {alloc(length), length, true}; }

    /// Reset, negotiation of these bits, queues 0..count-1 of this size, DRIVER_OK.
    void go_live(const vmmio_features &features, unsigned count = 1, std::uint32_t size = 16);
    void go_live() { go_live(feature_set({VMMIO_F_VERSION_1})); }

    /// Offers a chain on a queue and kicks.
    void offer(const std::vector<piece> &pieces, unsigned queue = 0);

    /// The same, then the used entry after enough time; a test failure if there is none.
    used_entry exchange(const std::vector<piece> &pieces, unsigned queue = 0);

private:
    std::uint64_t free_ = at::ram;
};

/// The platform with its device.
template <typename Device = null_device>
class platform : public surroundings
{
public:
    Device dut;

    template <typename... Arguments>
    explicit platform(Arguments &&...arguments) : dut("dut", std::forward<Arguments>(arguments)...)
    {
        attach(dut);
    }
};

} // namespace vmmio::tb
#endif
