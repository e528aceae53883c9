// SPDX-License-Identifier: Apache-2.0
#include "dut.h"

#include "dut_c.h"
#include "dut_tlm.h"

namespace vmmio::qtest
{

std::unique_ptr<dut> make_dut(const options &chosen, function &what, const machine_side &side)
{
    if (chosen.dut == form::c)
        return std::make_unique<dut_c>(chosen, what, side);
    return std::make_unique<dut_tlm>("machine", chosen, what, side);
}

} // namespace vmmio::qtest
