// SPDX-License-Identifier: Apache-2.0
/// @file vfio_user_watcher.h
/// Wakes a SystemC process when a file descriptor becomes readable. A host thread does the
/// waiting and touches nothing else, so that the model stays single threaded.
#ifndef VMMIO_TLM_VFIO_USER_WATCHER_H
#define VMMIO_TLM_VFIO_USER_WATCHER_H

#include "vfio_user_connection.h"
#include "vmmio/tlm/host_wake.h"

#include <atomic>
#include <systemc>
#include <thread>

namespace vmmio::vfu
{

/// While it is started, the kernel does not run out of work: it waits for the descriptors.
class fd_watcher
{
public:
    /// @throws std::runtime_error if the host has no descriptors left.
    explicit fd_watcher(const char *name);
    ~fd_watcher();
    fd_watcher(const fd_watcher &) = delete;
    fd_watcher &operator=(const fd_watcher &) = delete;

    void start();
    void stop();

    /// Watches fd until it is readable once; it may be closed before that. A regular file is
    /// readable at once.
    /// @throws std::runtime_error if the host cannot watch it.
    void arm(int fd);

    /// Notified in the delta cycle after an armed descriptor became readable.
    const sc_core::sc_event &ready() const { return ready_; }

private:
    void run();

    host_wake wake_;
    sc_core::sc_event ready_{"ready"};
    unique_fd epoll_;
    unique_fd stop_;             ///< an eventfd; readable = the thread shall end
    std::atomic<int> failed_{0}; ///< errno of an epoll_wait(2) that failed
    std::thread thread_;
};

} // namespace vmmio::vfu
#endif
