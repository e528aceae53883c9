// SPDX-License-Identifier: Apache-2.0
/// @file line_reader.h
/// Lines from a file descriptor, with a bound on what one line may take.
#ifndef VMMIO_QTEST_LINE_READER_H
#define VMMIO_QTEST_LINE_READER_H

#include <cstddef>
#include <string>
#include <vector>

namespace vmmio::qtest
{

/// What next() found.
enum class input {
    line,
    too_long,   ///< a line longer than the limit; it was skipped
    unfinished, ///< the input ended within a line
    end,        ///< the input ended
};

class line_reader
{
public:
    /// @param fd to read from; not owned.
    /// @param limit most bytes of a line, without its end.
    line_reader(int fd, std::size_t limit) : fd_(fd), limit_(limit) {}

    /// Waits for the next line and puts it, without its end, into line. A line that is too long
    /// leaves its beginning there.
    input next(std::string &line);

private:
    bool fill();

    int fd_;
    std::size_t limit_;
    std::size_t position_ = 0;
    std::size_t size_ = 0;
    std::vector<char> buffer_ = std::vector<char>(65536);
};

} // namespace vmmio::qtest

#endif
