// SPDX-License-Identifier: Apache-2.0
#include "form.h"

#include <stdexcept>
#ifdef VMMIO_WITH_RTL
#include "vmmio/tlm/rtl_device.h"
#endif

namespace vmmio
{

register_form_factory form_named(const std::string &name, const std::string &trace_folder)
{
    if (name == "tlm") {
        if (!trace_folder.empty())
            throw std::runtime_error("only the Verilog form writes FST files: choose rtl or "
                                     "lockstep");
        return nullptr;
    }
#ifdef VMMIO_WITH_RTL
    rtl_options wanted;
    wanted.lockstep = name == "lockstep";
    wanted.trace_folder = trace_folder;
    return rtl_form(wanted);
#else
    throw std::runtime_error("form " + name +
                             ": this program was built without Verilator; install it (Debian: "
                             "apt-get install verilator zlib1g-dev) and build again");
#endif
}

} // namespace vmmio
