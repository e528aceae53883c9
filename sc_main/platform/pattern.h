// SPDX-License-Identifier: Apache-2.0
/// @file pattern.h
/// The file that a guest writes to prove that its bytes arrive: records of 64 bytes made of a
/// 16-byte token, the record's index as 8 bytes in little-endian order, and 40 bytes that depend
/// on both. A byte from anywhere else is a mismatch.
#ifndef VMMIO_PLATFORM_PATTERN_H
#define VMMIO_PLATFORM_PATTERN_H

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

namespace vmmio::platform
{

using token = std::array<std::uint8_t, 16>;

/// The token in 32 hexadecimal digits, or nothing if text is something else.
inline std::optional<token> parse_token(const std::string &text)
{
    token value{};
    if (text.size() != 2 * value.size() ||
        text.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
        return std::nullopt;
    for (std::size_t i = 0; i < value.size(); ++i)
        value[i] = static_cast<std::uint8_t>(std::stoul(text.substr(2 * i, 2), nullptr, 16));
    return value;
}

/// Collects the records that it is shown. A file system may put them into any order, but keeps
/// each in one piece: blocks are larger and aligned.
class pattern_finder
{
public:
    static constexpr std::size_t record_bytes = 64;

    explicit pattern_finder(const token &wanted) : token_(wanted) {}

    /// Looks at record_bytes bytes that lie at offset.
    void look(const std::uint8_t *record, std::uint64_t offset)
    {
        if (!std::equal(token_.begin(), token_.end(), record))
            return;
        const std::uint8_t *index_bytes = record + token_.size();
        std::uint64_t index = 0;
        for (int i = 7; i >= 0; --i)
            index = index << 8 | index_bytes[i];
        const std::uint8_t *filler = record + filler_offset;
        for (std::size_t i = 0; i < record_bytes - filler_offset; ++i)
            if (filler[i] !=
                static_cast<std::uint8_t>(index * 131 + i * 7 + token_[i % token_.size()]))
                return;
        if (index == 0)
            offset_ = offset;
        seen_.insert(index);
    }

    /// Bytes of different records found whole.
    std::uint64_t bytes() const { return seen_.size() * record_bytes; }

    /// Where record 0 is, if it was found.
    std::optional<std::uint64_t> offset() const { return offset_; }

private:
    static constexpr std::size_t filler_offset = 24;

    token token_;
    std::set<std::uint64_t> seen_;
    std::optional<std::uint64_t> offset_;
};

} // namespace vmmio::platform
#endif
