// SPDX-License-Identifier: Apache-2.0
/// @file devices.h
/// Ready-made devices: `vmmio::device` together with its function.
#ifndef VMMIO_TLM_DEVICES_H
#define VMMIO_TLM_DEVICES_H

#include "vmmio/dev/entropy.h"
#include "vmmio/dev/null.h"
#include "vmmio/dev/pmem.h"
#include "vmmio/tlm/device.h"

#include <functional>

namespace vmmio
{

/// Holds a function so that it is built before the device that uses it.
template <typename Function>
struct function_holder {
    Function function;
};

/// Entropy device (RNG-01). Random bytes come from the host unless a source is given.
class entropy_device : private function_holder<vmmio_entropy>, public device
{
public:
    /// @param source may be NULL; copied.
    explicit entropy_device(sc_core::sc_module_name name, const device_options &options = {},
                            const vmmio_entropy_config *source = nullptr);

    /// Requests given back, and bytes given to drivers, so far.
    std::uint64_t requests() const { return function.requests; }
    std::uint64_t bytes() const { return function.bytes; }
};

/// The range of a pmem device.
struct pmem_range {
    std::uint64_t base;    ///< guest physical address; Linux wants 2 MiB alignment for DAX
    std::uint64_t length;  ///< bytes; the same
    unsigned char *memory; ///< length bytes behind it; not owned
    /// Makes earlier writes durable; false if that failed. Empty: nothing to do.
    std::function<bool()> flush;
};

/// Persistent memory device (PMEM-01) whose range is shared memory region 0.
class pmem_device : private function_holder<vmmio_pmem>, public device
{
public:
    pmem_device(sc_core::sc_module_name name, pmem_range range, const device_options &options = {});

    /// Flush requests answered with success so far.
    std::uint64_t flushes() const { return function.flushes; }

private:
    static vmmio_function &prepare(pmem_device &self, const char *name, const pmem_range &range);
    static bool flush_call(void *self);

    pmem_range range_;
};

/// Null device (id 42): two queues, every buffer comes back untouched.
class null_device : private function_holder<vmmio_null>, public device
{
public:
    explicit null_device(sc_core::sc_module_name name, const device_options &options = {});

    /// Buffers given back so far.
    std::uint64_t requests() const { return function.requests; }
};

} // namespace vmmio

#endif
