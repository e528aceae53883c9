// SPDX-License-Identifier: Apache-2.0
/// @file dax_memory.h
/// The host memory of a DAX window, and how it comes to show pieces of files. Offsets, lengths and
/// positions in files are multiples of the page size, inside the window.
#ifndef VMMIO_FS_DAX_MEMORY_H
#define VMMIO_FS_DAX_MEMORY_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace vmmio::fs
{

/// Where in a file a piece of the window is.
struct dax_piece {
    std::uint64_t offset, length; ///< in the window
    int file;
    std::uint64_t position; ///< in the file
    bool writable;
};

class dax_memory
{
public:
    virtual ~dax_memory() = default;

    /// The window's first byte. No access to any byte of it ever ends the process.
    virtual unsigned char *data() = 0;
    /// Shows the piece; bytes behind the file's end read 0. 0, or an errno: it shows nothing then.
    virtual int show(const dax_piece &piece) = 0;
    /// Shows zeroes that belong to nobody.
    virtual void hide(std::uint64_t offset, std::uint64_t length) = 0;
    /// What was written to the piece gets into its file, as far as that reaches. 0, or an errno.
    virtual int write_back(const dax_piece &piece) = 0;
    /// The file has changed by other ways than the window.
    virtual void refresh(const dax_piece &piece) = 0;
};

/// Maps the files themselves: what one writes the other reads, at once.
std::unique_ptr<dax_memory> map_files(std::uint64_t length);

/// Copies into memory that is there already, and back: for memory that another process has, too.
std::unique_ptr<dax_memory> copy_files(unsigned char *memory, std::uint64_t length);

} // namespace vmmio::fs

#endif
