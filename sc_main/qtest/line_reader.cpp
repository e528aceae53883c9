// SPDX-License-Identifier: Apache-2.0
#include "line_reader.h"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

namespace vmmio::qtest
{

bool line_reader::fill()
{
    ssize_t got;
    do
        got = ::read(fd_, buffer_.data(), buffer_.size());
    while (got < 0 && errno == EINTR);
    position_ = 0;
    size_ = got > 0 ? static_cast<std::size_t>(got) : 0;
    return got > 0;
}

input line_reader::next(std::string &line)
{
    bool began = false;
    bool too_long = false;

    line.clear();
    for (;;) {
        if (position_ == size_ && !fill())
            return began ? input::unfinished : input::end;
        began = true;
        const auto from = buffer_.begin() + position_;
        const auto to = std::find(from, buffer_.begin() + size_, '\n');
        const auto piece = static_cast<std::size_t>(to - from);
        const std::size_t taken = std::min(piece, limit_ - line.size());
        line.append(&buffer_[position_], taken);
        too_long = too_long || taken < piece;
        position_ += piece;
        if (position_ < size_) {
            position_++;
            return too_long ? input::too_long : input::line;
        }
    }
}

} // namespace vmmio::qtest
