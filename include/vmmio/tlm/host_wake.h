// SPDX-License-Identifier: Apache-2.0
/// @file host_wake.h
/// How threads of the host take part in a simulation, which has one thread: they leave something
/// for it and wake it. They touch neither the devices nor SystemC.
#ifndef VMMIO_TLM_HOST_WAKE_H
#define VMMIO_TLM_HOST_WAKE_H

#include <atomic>
#include <functional>
#include <poll.h>
#include <systemc>
#include <thread>
#include <vector>

namespace vmmio
{

/// Wakes the simulation from any thread.
class host_wake : private sc_core::sc_prim_channel
{
public:
    /// @param name of the channel; made unique.
    explicit host_wake(const char *name) : sc_prim_channel(sc_core::sc_gen_unique_name(name)) {}

    /// Called by the simulation in its next update phase after notify().
    std::function<void()> woken;

    /// In any thread; before the channel is destroyed.
    void notify() { async_request_update(); }

    /// From now on the kernel does not run out of work: it waits for notify(), and sc_stop ends it.
    void hold() { async_attach_suspending(); }
    void release() { async_detach_suspending(); }

private:
    void update() override;
};

/// A thread of the host that waits for file descriptors. Whoever implements the two private
/// functions calls stop() in the destructor.
class host_thread
{
public:
    host_thread(const host_thread &) = delete;
    host_thread &operator=(const host_thread &) = delete;
    virtual ~host_thread();

protected:
    /// @param name of the channel that wakes the simulation.
    /// @throws std::runtime_error if the host has no descriptors left.
    explicit host_thread(const char *name);

    /// Starts the thread, unless it runs. The simulation is held until stop().
    /// @param woken called by the simulation after wake_simulation().
    void start(std::function<void()> woken);
    /// Ends the thread.
    void stop();
    /// True between the two; not in the thread.
    bool started() const { return thread_.joinable(); }

    /// In any thread: the thread looks at everything again.
    void wake();
    void wake_simulation() { wake_.notify(); }

private:
    /// In the thread: adds what to wait for.
    /// @return milliseconds to wait at most, -1 for ever
    virtual int want(std::vector<pollfd> &wanted) = 0;
    /// In the thread: something of it happened, the time is over, or wake() was called.
    virtual void serve(const std::vector<pollfd> &polled) = 0;
    /// In the thread, the last that it does.
    virtual void conclude() {}

    void run();
    void wait_and_serve(std::vector<pollfd> &polled);

    host_wake wake_;
    int event_; ///< an eventfd: the thread shall look
    std::thread thread_;
    std::atomic<bool> stopping_{false};
    std::atomic<int> failed_{0}; ///< errno of a poll(2) that failed
};

} // namespace vmmio

#endif
