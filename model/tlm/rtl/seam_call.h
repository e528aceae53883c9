// SPDX-License-Identifier: Apache-2.0
// A call on the seam as data, so that it can be kept, compared and told.
#ifndef VMMIO_MODEL_TLM_RTL_SEAM_CALL_H
#define VMMIO_MODEL_TLM_RTL_SEAM_CALL_H

#include "vmmio/engine.h"

#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

namespace vmmio::rtl
{

// Calls on the seam.
enum class call {
    features_ok,
    driver_ok,
    failed,
    notify,
    queue_enable,
    queue_stop,
    suspend,
    resume,
    reset,
    config_write,
    last_of_back_side = config_write,
    used_buffer,
    needs_reset,
    reset_done,
    queue_stop_done,
    suspend_done,
    config_update,
    regions_changed,
};

inline const char *name_of(call what)
{
    static const char *const names[] = {
        "features_ok",   "driver_ok",      "failed",     "notify",          "queue_enable",
        "queue_stop",    "suspend",        "resume",     "reset",           "config_write",
        "used_buffer",   "needs_reset",    "reset_done", "queue_stop_done", "suspend_done",
        "config_update", "regions_changed"};
    return names[static_cast<int>(what)];
}

// One call with what it carries.
struct seam_call {
    call what;
    std::uint32_t a = 0, b = 0;        // queue and data, or offset
    std::vector<std::uint8_t> bytes{}; // of config space, or of a struct
    bool answer = true;

    bool same(const seam_call &other) const
    {
        return what == other.what && a == other.a && b == other.b && bytes == other.bytes;
    }
};

inline std::string text_of(const seam_call &of)
{
    std::ostringstream text;
    text << name_of(of.what) << '(' << of.a << ", 0x" << std::hex << of.b;
    for (const std::uint8_t byte : of.bytes)
        text << ' ' << unsigned(byte);
    text << ')';
    return text.str();
}

inline void append(std::vector<std::uint8_t> &bytes, std::uint64_t value)
{
    for (int i = 0; i < 8; i++)
        bytes.push_back(static_cast<std::uint8_t>(value >> 8 * i));
}

inline seam_call features_call(const vmmio_features &negotiated)
{
    seam_call heard{call::features_ok};
    append(heard.bytes, negotiated.word[0] | std::uint64_t{negotiated.word[1]} << 32);
    append(heard.bytes, negotiated.word[2] | std::uint64_t{negotiated.word[3]} << 32);
    return heard;
}

inline seam_call enable_call(std::uint32_t queue, const vmmio_queue_registers &registers)
{
    seam_call heard{call::queue_enable, queue, registers.size};
    append(heard.bytes, registers.desc);
    append(heard.bytes, registers.driver);
    append(heard.bytes, registers.device);
    return heard;
}

inline seam_call config_call(std::uint32_t offset, const std::uint8_t *data, std::uint32_t length)
{
    return {call::config_write, offset, length, {data, data + length}};
}

} // namespace vmmio::rtl

#endif
