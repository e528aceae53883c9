// SPDX-License-Identifier: Apache-2.0
/// @file control.h
/// Commands for a running platform, a line each.
#ifndef VMMIO_PLATFORM_CONTROL_H
#define VMMIO_PLATFORM_CONTROL_H

#include "tlm/vfio_user_watcher.h"

#include <functional>
#include <string>
#include <systemc>

namespace vmmio::platform
{

/// Reads lines from a file descriptor while the simulation goes on. The end of the file is the end
/// of the commands, not of the simulation.
class control : public sc_core::sc_module
{
public:
    /// @param fd not owned.
    /// @param execute carries a command out and gives the answer, which goes to standard output.
    control(sc_core::sc_module_name name, int fd,
            std::function<std::string(const std::string &)> execute);
    ~control() override;

private:
    void read_lines();

    int fd_;
    std::function<std::string(const std::string &)> execute_;
    std::string partial_;
    vfu::fd_watcher watcher_{"watcher"};
};

} // namespace vmmio::platform
#endif
