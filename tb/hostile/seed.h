/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file seed.h
 * The seed of a random attack; VMMIO_SEED chooses another run.
 */
#ifndef VMMIO_TB_SEED_H
#define VMMIO_TB_SEED_H

#include "setting.h"

namespace vmmio::tb
{

inline uint32_t seed() { return static_cast<uint32_t>(setting("VMMIO_SEED", 20260408)); }

} // namespace vmmio::tb
#endif
