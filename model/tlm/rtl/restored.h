// SPDX-License-Identifier: Apache-2.0
#ifndef VMMIO_MODEL_TLM_RTL_RESTORED_H
#define VMMIO_MODEL_TLM_RTL_RESTORED_H

#include <utility>

namespace vmmio::rtl
{

// Gives a variable its old value back at the end of a block.
template <typename T>
class restored
{
public:
    restored(T &variable, T value)
        : variable_(variable), old_(std::exchange(variable, std::move(value)))
    {
    }
    ~restored() { variable_ = std::move(old_); }
    restored(const restored &) = delete;
    restored &operator=(const restored &) = delete;

private:
    T &variable_;
    T old_;
};

} // namespace vmmio::rtl

#endif
