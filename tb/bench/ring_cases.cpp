// SPDX-License-Identifier: Apache-2.0
// Buffers through a queue: the driver's work and the device's together.
#include "baselines.h"
#include "bus_master.h"
#include "cases.h"
#include "guest.h"
#include "vmmio/tlm/blk_device.h"
#include "vmmio/tlm/devices.h"

#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace vmmio_bench
{

namespace
{

constexpr std::uint64_t batch = 64;

vmmio::device_options with_packed()
{
    vmmio::device_options options;
    vmmio_features_add(&options.features, VMMIO_F_RING_PACKED);
    return options;
}

bool fill_with_count(void *context, std::uint8_t *data, std::uint32_t length)
{
    auto &count = *static_cast<std::uint8_t *>(context);
    std::memset(data, ++count, length);
    return true;
}

// A device, its driver and the memory between them.
template <typename Device, typename Driver = split_driver>
struct rig {
    template <typename... Options>
    rig(const char *name, bool dmi, Options &&...options)
        : device(name, std::forward<Options>(options)...),
          memory((std::string(name) + "_memory").c_str(), Driver::memory_bytes, dmi),
          bus((std::string(name) + "_bus").c_str()), driver(bus, memory.data())
    {
        bus.socket.bind(device.registers);
        device.dma().bind(memory.socket);
        device.interrupt(interrupt);
    }

    Device device;
    guest_memory memory;
    bus_master bus;
    Driver driver;
    sc_core::sc_signal<bool> interrupt;
};

// A null device with as many queues as asked for, all of them alive, and used one after the other.
class wide_rig : private vmmio::function_holder<vmmio_null>
{
public:
    wide_rig(const char *name, std::uint32_t queues)
        : device_(name, prepare(function, queues)),
          memory_((std::string(name) + "_memory").c_str(), queues * split_driver::memory_bytes,
                  true),
          bus_((std::string(name) + "_bus").c_str())
    {
        bus_.socket.bind(device_.registers);
        device_.dma().bind(memory_.socket);
        device_.interrupt(interrupt_);
        for (std::uint32_t i = 0; i < queues; i++) {
            const auto base = static_cast<std::uint32_t>(i * split_driver::memory_bytes);
            drivers_.emplace_back(bus_, memory_.data() + base, base);
        }
    }

    void start()
    {
        negotiate(bus_, {});
        for (std::uint32_t i = 0; i < drivers_.size(); i++) {
            drivers_[i].lay_out({});
            drivers_[i].enable(i);
        }
        start_device(bus_);
    }

    void operate(std::uint64_t n)
    {
        std::uint64_t done = 0;
        std::uint32_t queue = 0;
        for (std::uint64_t i = 0; i < n; i++) {
            split_driver &driver = drivers_[queue];
            driver.push();
            driver.publish();
            bus_.write(VMMIO_REG_QUEUE_NOTIFY, queue);
            done += driver.serve_interrupt();
            queue = queue + 1 == drivers_.size() ? 0 : queue + 1;
        }
        require(bus_.errors == 0 && done == n, "buffers were lost");
    }

private:
    static vmmio_function &prepare(vmmio_null &null, std::uint32_t queues)
    {
        vmmio_null_init(&null);
        null.function.queue_count = queues;
        return null.function;
    }

    vmmio::device device_;
    guest_memory memory_;
    bus_master bus_;
    std::vector<split_driver> drivers_;
    sc_core::sc_signal<bool> interrupt_;
};

class ring_fixture : public fixture
{
public:
    ring_fixture()
    {
        no_bus_.socket.bind(nothing_.socket);
        for (const std::uint32_t queues : {1u, 16u, 256u}) {
            const std::string name = "queues_" + std::to_string(queues);
            wide_.try_emplace(name, (name + "_device").c_str(), queues);
        }
    }

    void add_cases(std::vector<bench_case> &cases) override
    {
        const vmmio_features plain{};
        vmmio_features linux_like{};
        vmmio_features_add(&linux_like, VMMIO_F_EVENT_IDX);
        vmmio_features_add(&linux_like, VMMIO_F_INDIRECT_DESC);

        const std::vector<split_driver::part> pair{{64, false}, {64, true}};

        cases.push_back({"base_ring_1", [this] { prepare_bare(); },
                         [this](std::uint64_t n) { serve_bare(n, 1); }});
        cases.push_back({"base_ring_64", [this] { prepare_bare(); },
                         [this](std::uint64_t n) { serve_bare(n, batch); }});
        add(cases, "split_roundtrip_1", dmi_, 1, plain, {});
        add(cases, "split_batch_64", dmi_, batch, plain, {});
        add(cases, "split_roundtrip_1_event_idx", dmi_, 1, linux_like, {});
        add(cases, "split_batch_64_event_idx", dmi_, batch, linux_like, {});
        add(cases, "split_batch_64_chain_2", dmi_, batch, plain, {pair, false});
        add(cases, "split_batch_64_indirect_2", dmi_, batch, linux_like, {pair, true});
        cases.push_back({"split_roundtrip_1_edge", [this] { dmi_.driver.start({}, {}); },
                         [this](std::uint64_t n) { wait_for_edges(n); }});
        add(cases, "entropy_64_bytes", entropy_, 1, plain, {});
        for (auto &[name, rig] : wide_)
            cases.push_back(
                {name, [r = &rig] { r->start(); }, [r = &rig](std::uint64_t n) { r->operate(n); }});
        add(cases, "nodmi_roundtrip_1", nodmi_, 1, plain, {});
        add(cases, "nodmi_batch_64", nodmi_, batch, plain, {});
        add(cases, "packed_roundtrip_1", packed_, 1, plain, {});
        add(cases, "packed_batch_64", packed_, batch, plain, {});
        add(cases, "packed_roundtrip_1_event_idx", packed_, 1, linux_like, {});
        add(cases, "packed_batch_64_event_idx", packed_, batch, linux_like, {});
        add_block_reads(cases, "block_read_512_roundtrip_1", 1);
        add_block_reads(cases, "block_read_512_batch_64", batch);
    }

private:
    // Pushes per_kick buffers, publishes, kicks, serves the interrupt, until n are through.
    template <typename Rig>
    static void add(std::vector<bench_case> &cases, const char *name, Rig &rig,
                    std::uint64_t per_kick, const vmmio_features &features,
                    split_driver::shape shape)
    {
        cases.push_back({name, [&rig, features, shape] { rig.driver.start(features, shape); },
                         [&rig, per_kick](std::uint64_t n) { drive(rig, n, per_kick); }});
    }

    template <typename Rig>
    static void drive(Rig &rig, std::uint64_t n, std::uint64_t per_kick)
    {
        std::uint64_t done = 0;
        for (std::uint64_t i = 0; i < n; i += per_kick) {
            for (std::uint64_t k = 0; k < per_kick; k++)
                rig.driver.push();
            rig.driver.publish();
            rig.driver.kick();
            done += rig.driver.serve_interrupt();
        }
        require(rig.bus.errors == 0 && done == n, "buffers were lost");
    }

    // Reads of the first sectors, one after the other: header, data and status in turn.
    void add_block_reads(std::vector<bench_case> &cases, const char *name, std::uint64_t per_kick)
    {
        cases.push_back({name, [this] { prepare_block(); },
                         [this, per_kick](std::uint64_t n) {
                             drive(block_, n, per_kick);
                             require(block_reads_arrived(), "a read has not the disk's bytes");
                         }});
    }

    void prepare_block()
    {
        for (std::size_t i = 0; i < disk_.size(); i++)
            disk_[i] = static_cast<std::uint8_t>(i / VMMIO_BLK_SECTOR + i);
        block_.driver.start({}, {{{16, false}, {VMMIO_BLK_SECTOR, true}, {1, true}}, false});
        for (std::uint32_t i = 0; i < batch; i++) {
            const std::uint64_t header[2] = {VMMIO_BLK_T_IN, i};
            std::memcpy(block_.driver.at(i, 0), header, sizeof(header));
            *block_.driver.at(i, 2) = 0xff;
        }
    }

    // Of the requests that every measurement makes, if it is of one batch or more.
    bool block_reads_arrived()
    {
        for (std::uint32_t i = 0; i < batch; i++)
            if (*block_.driver.at(i, 2) != VMMIO_BLK_S_OK ||
                std::memcmp(block_.driver.at(i, 1), &disk_[i * VMMIO_BLK_SECTOR],
                            VMMIO_BLK_SECTOR) != 0)
                return false;
        return true;
    }

    vmmio_blk_config ram_disk()
    {
        vmmio_blk_config config{};
        config.storage = vmmio_blk_use_ram(&ram_);
        config.capacity = ram_.length / VMMIO_BLK_SECTOR;
        return config;
    }

    void prepare_bare()
    {
        bare_driver_.lay_out({});
        bare_.reset();
    }

    void serve_bare(std::uint64_t n, std::uint64_t per_kick)
    {
        std::uint64_t done = 0;
        for (std::uint64_t i = 0; i < n; i += per_kick) {
            for (std::uint64_t k = 0; k < per_kick; k++)
                bare_driver_.push();
            bare_driver_.publish();
            bare_.kick();
            done += bare_driver_.drain();
        }
        require(done == n, "the bare ring lost buffers");
    }

    void wait_for_edges(std::uint64_t n)
    {
        std::uint64_t done = 0;
        for (std::uint64_t i = 0; i < n; i++) {
            dmi_.driver.push();
            dmi_.driver.publish();
            dmi_.driver.kick();
            sc_core::wait(dmi_.interrupt.posedge_event());
            done += dmi_.driver.serve_interrupt();
            sc_core::wait(dmi_.interrupt.negedge_event());
        }
        require(dmi_.bus.errors == 0 && done == n, "buffers were lost");
    }

    std::uint8_t count_ = 0;
    const vmmio_entropy_config source_{fill_with_count, &count_, 0};
    rig<vmmio::null_device> dmi_{"ring_device", true}, nodmi_{"ring_device_without_dmi", false};
    rig<vmmio::null_device, packed_driver> packed_{"packed_device", true, with_packed()};
    std::map<std::string, wide_rig> wide_;
    rig<vmmio::entropy_device> entropy_{"entropy_device", true, vmmio::device_options{}, &source_};
    std::vector<std::uint8_t> disk_ =
        std::vector<std::uint8_t>(split_driver::size * VMMIO_BLK_SECTOR);
    vmmio_blk_ram ram_{disk_.data(), disk_.size()};
    rig<vmmio::blk_device> block_{"block_device", true, ram_disk()};
    bus_master no_bus_{"no_bus"};
    empty_target nothing_{"nothing"};
    std::vector<unsigned char> bare_memory_ =
        std::vector<unsigned char>(split_driver::memory_bytes);
    split_driver bare_driver_{no_bus_, bare_memory_.data()};
    bare_ring bare_{bare_driver_.desc(), bare_driver_.avail(), bare_driver_.used(),
                    split_driver::size};
};

} // namespace

std::unique_ptr<fixture> make_ring_fixture() { return std::make_unique<ring_fixture>(); }

} // namespace vmmio_bench
