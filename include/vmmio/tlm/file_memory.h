// SPDX-License-Identifier: Apache-2.0
/// @file file_memory.h
/// A file as memory: the usual backing of a pmem device.
#ifndef VMMIO_TLM_FILE_MEMORY_H
#define VMMIO_TLM_FILE_MEMORY_H

#include <cstdint>
#include <string>

namespace vmmio
{

/// Maps a file for reading and writing, shared with everybody else who does. Not copyable.
class file_memory
{
public:
    /// Opens path, creating it if absent, and makes it length bytes long if it is shorter.
    /// @throws std::runtime_error that says what to do if the file cannot be had or is longer.
    file_memory(const std::string &path, std::uint64_t length);
    ~file_memory();
    file_memory(const file_memory &) = delete;
    file_memory &operator=(const file_memory &) = delete;

    unsigned char *data() const { return data_; }
    std::uint64_t length() const { return length_; }

    /// Returns when everything written so far is on stable storage; false if that failed.
    bool flush() const;

private:
    unsigned char *data_ = nullptr;
    std::uint64_t length_;
    int descriptor_ = -1;
};

} // namespace vmmio

#endif
