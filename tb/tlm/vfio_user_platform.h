// SPDX-License-Identifier: Apache-2.0
/// @file vfio_user_platform.h
/// A platform for tests: the bridge, a peripheral that is not ours, and a probe that does DMA.
/// The client runs in a host thread of its own, as QEMU runs in a process of its own.
#ifndef VMMIO_TB_VFIO_USER_PLATFORM_H
#define VMMIO_TB_VFIO_USER_PLATFORM_H

#include "foreign_peripheral.h"
#include "sc_test.h"
#include "vfio_user_client.h"
#include "vmmio/tlm/vfio_user.h"

#include <dirent.h>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace vmmio_test
{

/// A path that nobody else has, for one socket.
class socket_path
{
public:
    socket_path()
    {
        char name[] = "/tmp/vmmio-test-XXXXXX";
        EXPECT_NE(::mkdtemp(name), nullptr);
        directory_ = name;
    }
    ~socket_path()
    {
        ::unlink(get().c_str());
        ::rmdir(directory_.c_str());
    }
    socket_path(const socket_path &) = delete;
    socket_path &operator=(const socket_path &) = delete;

    std::string get() const { return directory_ + "/socket"; }
    const std::string &directory() const { return directory_; }

private:
    std::string directory_;
};

/// Texts of the warnings so far. A test has its process for itself.
inline std::vector<std::string> &warnings()
{
    static std::vector<std::string> texts;
    return texts;
}

inline void collect_warnings()
{
    sc_core::sc_report_handler::set_handler(
        [](const sc_core::sc_report &report, const sc_core::sc_actions &actions) {
            if (report.get_severity() == sc_core::SC_WARNING)
                warnings().push_back(report.get_msg());
            else
                sc_core::sc_report_handler::default_handler(report, actions);
        });
}

inline bool warned_of(const std::string &words)
{
    for (const std::string &text : warnings())
        if (text.find(words) != std::string::npos)
            return true;
    return false;
}

inline std::size_t open_descriptors()
{
    std::size_t count = 0;
    DIR *directory = ::opendir("/proc/self/fd");
    while (::readdir(directory))
        ++count;
    ::closedir(directory);
    return count;
}

/// Lets a host thread do something in the simulation and wait for it.
class into_simulation : public sc_core::sc_module
{
public:
    explicit into_simulation(sc_core::sc_module_name name) : sc_module(name)
    {
        SC_HAS_PROCESS(into_simulation);
        SC_THREAD(run);
    }

    void call(std::function<void()> job)
    {
        std::promise<void> done;
        {
            const std::lock_guard<std::mutex> guard(lock_);
            jobs_.push_back([&] {
                job();
                done.set_value();
            });
        }
        bell_.async_request_update();
        done.get_future().wait();
    }

private:
    struct bell : sc_core::sc_prim_channel {
        sc_core::sc_event rings;
        using sc_prim_channel::async_request_update;
        void update() override { rings.notify(sc_core::SC_ZERO_TIME); }
    };

    void run()
    {
        for (;;) {
            std::vector<std::function<void()>> jobs;
            {
                const std::lock_guard<std::mutex> guard(lock_);
                jobs.swap(jobs_);
            }
            for (const auto &job : jobs)
                job();
            wait(bell_.rings);
        }
    }

    std::mutex lock_;
    std::vector<std::function<void()>> jobs_;
    bell bell_;
};

inline vmmio::vfio_user_config with_socket(vmmio::vfio_user_config config, const socket_path &path)
{
    config.socket_path = path.get();
    return config;
}

inline vmmio::vfio_user_config two_interrupts()
{
    vmmio::vfio_user_config config;
    config.interrupts = 2;
    return config;
}

class platform : public sc_core::sc_module
{
public:
    socket_path path;
    vmmio::vfio_user bridge;
    foreign_peripheral device{"device"};
    into_simulation simulation{"simulation"};
    tlm_utils::simple_initiator_socket<platform> probe{"probe"};
    sc_core::sc_signal<bool> done{"done"}, second{"second"};

    std::vector<vmmio::vfio_user::reset_cause> resets;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> invalidated;

    explicit platform(const vmmio::vfio_user_config &config = two_interrupts(),
                      sc_core::sc_module_name name = "platform")
        : sc_module(name), bridge("bridge", with_socket(config, path))
    {
        collect_warnings();
        bridge.bar0.bind(device.regs);
        device.memory.bind(bridge.dma);
        probe.bind(bridge.dma);
        device.done.bind(done);
        if (bridge.irq.size() > 0)
            bridge.irq[0].bind(done);
        if (bridge.irq.size() > 1)
            bridge.irq[1].bind(second);
        probe.register_invalidate_direct_mem_ptr(this, &platform::invalidate);
        bridge.on_reset = [this](vmmio::vfio_user::reset_cause cause) { resets.push_back(cause); };
    }

    /// Simulates while the client does its work.
    void run(const std::function<void()> &client)
    {
        std::thread thread([&] {
            client();
            simulation.call([] { sc_core::sc_stop(); });
        });
        sc_core::sc_start();
        thread.join();
    }

    /// A transaction of the probe, from the simulation.
    tlm::tlm_response_status access(tlm::tlm_command command, std::uint64_t address,
                                    std::vector<std::uint8_t> &data)
    {
        tlm::tlm_generic_payload trans;
        prepare(trans, command, address, data);
        simulation.call([&] {
            sc_core::sc_time delay;
            probe->b_transport(trans, delay);
        });
        return trans.get_response_status();
    }

    static void prepare(tlm::tlm_generic_payload &trans, tlm::tlm_command command,
                        std::uint64_t address, std::vector<std::uint8_t> &data)
    {
        trans.set_command(command);
        trans.set_address(address);
        trans.set_data_ptr(data.data());
        trans.set_data_length(static_cast<unsigned>(data.size()));
        trans.set_streaming_width(static_cast<unsigned>(data.size()));
    }

    /// What DMI says about address; false = refused.
    bool direct(std::uint64_t address, tlm::tlm_dmi &dmi,
                tlm::tlm_command command = tlm::TLM_READ_COMMAND)
    {
        std::vector<std::uint8_t> none(1);
        tlm::tlm_generic_payload trans;
        prepare(trans, command, address, none);
        bool granted = false;
        simulation.call([&] { granted = probe->get_direct_mem_ptr(trans, dmi); });
        return granted;
    }

private:
    void invalidate(sc_dt::uint64 start, sc_dt::uint64 last)
    {
        invalidated.emplace_back(start, last);
    }
};

} // namespace vmmio_test
#endif
