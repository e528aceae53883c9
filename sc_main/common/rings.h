// SPDX-License-Identifier: Apache-2.0
/// @file rings.h
/// What a device offers for its rings, in words.
#ifndef VMMIO_COMMON_RINGS_H
#define VMMIO_COMMON_RINGS_H

#include "vmmio/virtio.h"

#include <string>

namespace vmmio
{

/// "packed+event_idx" as feature bits; "split" is the absence of "packed".
/// @throws CLI::ValidationError of this option that says what to write.
vmmio_features rings_of(const std::string &option, const std::string &words);

/// Of everything about rings, has `features` offer just what `rings` has.
void offer_rings(vmmio_features &features, const vmmio_features &rings);

} // namespace vmmio

#endif
