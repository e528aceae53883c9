// SPDX-License-Identifier: Apache-2.0
#ifndef ECHO_DEVICE_H
#define ECHO_DEVICE_H

#include "vmmio/tlm/devices.h"

extern "C" {
#include "echo.h"
}

class echo_device : private vmmio::function_holder<echo>, public vmmio::device
{
public:
    echo_device(sc_core::sc_module_name name, std::uint32_t limit,
                const vmmio::device_options &options = {})
        : device(name, prepare(function_holder::function, limit), options)
    {
    }
    std::uint64_t bytes() const { return function.bytes; }

private:
    static vmmio_function &prepare(echo &function, std::uint32_t limit)
    {
        echo_init(&function, limit);
        return function.function;
    }
};

#endif
