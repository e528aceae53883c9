// SPDX-License-Identifier: Apache-2.0
/// @file check.h
/// The shape of FUSE requests. libfuse takes lengths, counts and ends of names as a kernel gives
/// them; a driver is no kernel.
#ifndef VMMIO_FS_CHECK_H
#define VMMIO_FS_CHECK_H

#include <cstddef>
#include <cstdint>

namespace vmmio::fs
{

/// 0, or the errno for a request that must not reach libfuse: ENOSYS for what is not served.
/// @param request the whole message, length bytes of it, at an address that is a multiple of 8.
/// @param room for the reply with its header.
int check_request(const void *request, std::size_t length, std::uint32_t room);

} // namespace vmmio::fs

#endif
