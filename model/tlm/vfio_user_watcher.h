// SPDX-License-Identifier: Apache-2.0
/// @file vfio_user_watcher.h
/// Wakes a SystemC process when a file descriptor becomes readable. A host thread does the
/// waiting and touches nothing else, so that the model stays single threaded.
#ifndef VMMIO_TLM_VFIO_USER_WATCHER_H
#define VMMIO_TLM_VFIO_USER_WATCHER_H

#include "vfio_user_connection.h"

#include <systemc>
#include <thread>

namespace vmmio::vfu
{

/// While it is started, the kernel does not run out of work: it waits for the descriptors.
class fd_watcher : public sc_core::sc_prim_channel
{
public:
    /// @throws std::runtime_error if the host has no descriptors left.
    explicit fd_watcher(const char *name);
    ~fd_watcher() override;

    void start();
    void stop();

    /// Watches fd until it is readable once; it may be closed before that.
    void arm(int fd);

    /// Notified in the delta cycle after an armed descriptor became readable.
    const sc_core::sc_event &ready() const { return ready_; }

private:
    void update() override;
    void run();

    sc_core::sc_event ready_{"ready"};
    unique_fd epoll_;
    unique_fd stop_; ///< an eventfd; readable = the thread shall end
    std::thread thread_;
};

} // namespace vmmio::vfu
#endif
