// SPDX-License-Identifier: Apache-2.0
#include "control.h"

#include <array>
#include <cstdio>
#include <fmt/format.h>
#include <unistd.h>
#include <utility>

namespace vmmio::platform
{

namespace
{

constexpr std::size_t longest_line = 4096;

} // namespace

control::control(sc_core::sc_module_name name, int fd,
                 std::function<std::string(const std::string &)> execute)
    : sc_module(name), fd_(fd), execute_(std::move(execute))
{
    SC_HAS_PROCESS(control);
    SC_METHOD(read_lines);
    sensitive << watcher_.ready();
    dont_initialize();
    watcher_.start();
    watcher_.arm(fd_);
}

control::~control() { watcher_.stop(); }

void control::read_lines()
{
    std::array<char, longest_line> bytes;
    const ssize_t count = ::read(fd_, bytes.data(), bytes.size());
    if (count <= 0)
        return;
    partial_.append(bytes.data(), static_cast<std::size_t>(count));
    for (std::size_t end; (end = partial_.find('\n')) != std::string::npos;) {
        const std::string line = partial_.substr(0, end);
        partial_.erase(0, end + 1);
        fmt::print("{}\n", execute_(line));
    }
    if (partial_.size() > longest_line) {
        fmt::print("error: a command has at most {} characters\n", longest_line);
        partial_.clear();
    }
    std::fflush(stdout);
    watcher_.arm(fd_);
}

} // namespace vmmio::platform
