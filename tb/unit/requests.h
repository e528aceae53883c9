/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file requests.h
 * A request whose answer shows that every byte went the right way, and buffers in pieces.
 */
#ifndef VMMIO_TB_REQUESTS_H
#define VMMIO_TB_REQUESTS_H

#include "driver.h"
#include "vmmio/function.h"

#include <algorithm>
#include <numeric>

namespace vmmio::tb
{

/** Reads all of a request, adds 1 to each byte, writes as much as fits, in pieces of `step`. */
inline void increment(vmmio_request *request, uint32_t step)
{
    const uint32_t length = std::min(request->readable_bytes, request->writable_bytes);
    std::vector<uint8_t> data(step);

    for (uint32_t at = 0; at < length; at += step) {
        const uint32_t part = std::min(step, length - at);
        if (!vmmio_request_read(request, at, data.data(), part))
            break;
        for (uint8_t &byte : data)
            byte++;
        if (!vmmio_request_write(request, at, data.data(), part))
            break;
    }
    vmmio_request_complete(request, length);
}

/** Cuts a piece into pieces of this size. */
inline std::vector<piece> cut(const piece &whole, uint32_t size)
{
    std::vector<piece> pieces;
    for (uint32_t at = 0; at < whole.length; at += size)
        pieces.push_back({whole.address + at, std::min(size, whole.length - at), whole.writable});
    return pieces;
}
inline std::vector<piece> cut(uint64_t address, uint32_t length, bool writable, uint32_t size)
{
    return cut({address, length, writable}, size);
}

inline std::vector<piece> join(std::vector<piece> a, const std::vector<piece> &b)
{
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

/** first, first + 1, ... */
inline std::vector<uint8_t> count_up(size_t length, uint8_t first = 1)
{
    std::vector<uint8_t> data(length);
    std::iota(data.begin(), data.end(), first);
    return data;
}

} // namespace vmmio::tb
#endif
