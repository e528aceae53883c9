// SPDX-License-Identifier: Apache-2.0
// Which verilated block fits a device.
#ifndef VMMIO_MODEL_TLM_RTL_CHOOSE_H
#define VMMIO_MODEL_TLM_RTL_CHOOSE_H

#include "vmmio/register_block.h"
#include "vmmio/tlm/rtl_top.h"

#include <string>
#include <vector>

namespace vmmio::rtl
{

// One whose parameters are what the block is, with the most room for regions, of which nobody knows
// the number yet. Otherwise nullptr, and the call of vmmio_add_rtl that would help.
const rtl_set *choose(const vmmio_block_config &is, const std::vector<const rtl_set *> &more,
                      std::string &missing);

} // namespace vmmio::rtl

#endif
