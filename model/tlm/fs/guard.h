// SPDX-License-Identifier: Apache-2.0
/// @file guard.h
/// Keeps accesses to mapped files from ending the process when a file got shorter (SIGBUS).
#ifndef VMMIO_FS_GUARD_H
#define VMMIO_FS_GUARD_H

#include <cstddef>
#include <cstdint>

namespace vmmio::fs
{

/// While it lives, a page of its range that has nothing behind it any more becomes a private page
/// of zeroes when it is touched. The process has one SIGBUS handler for all guards; signals for
/// other addresses go to the handler that was there before.
class guard
{
public:
    /// @throws std::runtime_error if there are more than 64 at once, or the host refuses.
    guard(void *first, std::size_t length);
    ~guard();
    guard(const guard &) = delete;
    guard &operator=(const guard &) = delete;

    /// Pages that became zeroes so far.
    std::uint64_t replaced() const;

private:
    std::size_t slot_;
};

} // namespace vmmio::fs

#endif
