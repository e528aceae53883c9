// SPDX-License-Identifier: Apache-2.0
// Shared memory: what a driver pays to use it, and a device to move it.
#include "baselines.h"
#include "bus_master.h"
#include "cases.h"
#include "vmmio/tlm/devices.h"

#include <array>
#include <cstring>
#include <vector>

namespace vmmio_bench
{

namespace
{

constexpr std::size_t page = 4096;

class shm_fixture : public fixture
{
public:
    shm_fixture() : memory_(region_bytes)
    {
        bus_.socket.bind(device_.shared_memory());
        register_bus_.socket.bind(device_.registers);
        device_.dma().bind(guest_.socket);
        device_.interrupt(interrupt_);
        empty_bus_.socket.bind(empty_.socket);
        device_.add_region(0, region_base, region_bytes, memory_.data());
        device_.add_region(1, cache_base, region_bytes);
        for (std::size_t i = 0; i < memory_.size(); i++)
            memory_[i] = static_cast<unsigned char>(i * 31 + i / page);
    }

    void add_cases(std::vector<bench_case> &cases) override
    {
        cases.push_back({"base_memcpy_4k", [] {}, [this](std::uint64_t n) { copy_plain(n); }});
        cases.push_back({"shm_dmi_memcpy_4k", [this] { window_ = bus_.ask_for_dmi(region_base); },
                         [this](std::uint64_t n) { copy_by_dmi(n); }});
        cases.push_back({"base_grant_invalidate", [] {}, [this](std::uint64_t n) { grant(n); }});
        cases.push_back({"shm_map_unmap", [] {}, [this](std::uint64_t n) { map_and_unmap(n, 0); }});
        cases.push_back({"shm_map_unmap_among_64", [this] { map_others(); },
                         [this](std::uint64_t n) { map_and_unmap(n, 64 * page); }});
    }

private:
    static constexpr std::uint64_t region_base = 0x100000000;
    static constexpr std::uint64_t cache_base = 0x200000000;
    static constexpr std::size_t region_bytes = 256 * page;

    void copy_plain(std::uint64_t n)
    {
        for (std::uint64_t i = 0; i < n; i++)
            std::memcpy(buffer_.data(), &memory_[i % 256 * page], page);
        require(buffer_[1] == memory_[(n - 1) % 256 * page + 1], "memcpy copied something else");
    }

    // What an initiator does that keeps a grant: see that it holds the range, and copy.
    void copy_by_dmi(std::uint64_t n)
    {
        std::uint64_t outside = 0;
        for (std::uint64_t i = 0; i < n; i++) {
            const std::uint64_t address = region_base + i % 256 * page;
            if (address < window_.get_start_address() ||
                address + (page - 1) > window_.get_end_address()) {
                outside++;
                continue;
            }
            std::memcpy(buffer_.data(),
                        window_.get_dmi_ptr() + (address - window_.get_start_address()), page);
        }
        require(bus_.errors == 0 && outside == 0 && buffer_[1] == memory_[(n - 1) % 256 * page + 1],
                "the pointer led elsewhere");
    }

    void grant(std::uint64_t n)
    {
        const std::uint64_t before = empty_bus_.invalidations;
        for (std::uint64_t i = 0; i < n; i++) {
            empty_bus_.ask_for_dmi(0);
            empty_.take_back();
        }
        require(empty_bus_.errors == 0 && empty_bus_.invalidations == before + n,
                "a grant was not given or not taken back");
    }

    void map_others()
    {
        for (std::uint64_t i = 0; i < 129; i += 2)
            if (i != 64)
                require(map(i * page), "a page could not be mapped");
    }

    bool map(std::uint64_t offset)
    {
        return device_.shm().map(1, offset, memory_.data(), page, vmmio::rights::read_write,
                                 vmmio::lifetime::until_reset);
    }

    void map_and_unmap(std::uint64_t n, std::uint64_t offset)
    {
        const std::uint64_t before = bus_.invalidations;
        bool ok = true;
        for (std::uint64_t i = 0; i < n; i++) {
            ok &= map(offset);
            ok &= bus_.ask_for_dmi(cache_base + offset).get_dmi_ptr() == memory_.data();
            ok &= device_.shm().unmap(1, offset, page);
        }
        require(ok && bus_.errors == 0 && bus_.invalidations == before + n,
                "a page was not mapped, granted or taken back");
    }

    vmmio::null_device device_{"shm_device"};
    empty_target empty_{"shm_empty_target"}, guest_{"shm_guest_memory"};
    bus_master bus_{"shm_bus"}, register_bus_{"shm_register_bus"}, empty_bus_{"shm_to_empty"};
    sc_core::sc_signal<bool> interrupt_;
    std::vector<unsigned char> memory_;
    std::array<unsigned char, page> buffer_{};
    tlm::tlm_dmi window_;
};

} // namespace

std::unique_ptr<fixture> make_shm_fixture() { return std::make_unique<shm_fixture>(); }

} // namespace vmmio_bench
