// SPDX-License-Identifier: Apache-2.0
/// @file form.h
/// The form of the register block under test: tests in this namespace that use device_options, or
/// devices without options, run with the one that VMMIO_FORM names. Nothing, or model, is the C
/// model.
#ifndef VMMIO_TB_FORM_H
#define VMMIO_TB_FORM_H

#include "vmmio/tlm/devices.h"
#ifdef VMMIO_WITH_RTL
#include "vmmio/tlm/rtl_device.h"
#endif

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>

namespace vmmio::tb
{

/// Without a clock period: accesses take the time that the tests expect of the C model.
inline register_form_factory form_under_test()
{
    const char *text = std::getenv("VMMIO_FORM");
    const std::string name = text ? text : "model";
    if (name == "model")
        return nullptr;
#ifdef VMMIO_WITH_RTL
    rtl_options options;
    options.clock_period = sc_core::SC_ZERO_TIME;
    options.lockstep = name == "lockstep";
    if (options.lockstep || name == "rtl")
        return rtl_form(options);
#endif
    throw std::runtime_error("VMMIO_FORM=" + name + " is not there: choose model, rtl or lockstep");
}

struct device_options : vmmio::device_options {
    device_options() { form = form_under_test(); }
};

/// The ready-made devices, with that form unless told otherwise.
class null_device : public vmmio::null_device
{
public:
    explicit null_device(sc_core::sc_module_name name,
                         const vmmio::device_options &options = device_options())
        : vmmio::null_device(name, options)
    {
    }
};

class entropy_device : public vmmio::entropy_device
{
public:
    explicit entropy_device(sc_core::sc_module_name name,
                            const vmmio::device_options &options = device_options(),
                            const vmmio_entropy_config *source = nullptr)
        : vmmio::entropy_device(name, options, source)
    {
    }
};

class pmem_device : public vmmio::pmem_device
{
public:
    pmem_device(sc_core::sc_module_name name, pmem_range range,
                const vmmio::device_options &options = device_options())
        : vmmio::pmem_device(name, std::move(range), options)
    {
    }
};

} // namespace vmmio::tb

#endif
