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

// The first whose parameters are what the block is; its number of regions does not matter here.
// Otherwise nullptr, and the call of vmmio_add_rtl that would help.
const rtl_set *choose(const vmmio_block_config &is, const std::vector<const rtl_set *> &more,
                      std::string &missing);

} // namespace vmmio::rtl

#endif
