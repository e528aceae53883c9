/* SPDX-License-Identifier: Apache-2.0 */
/** @file vmmio.h The whole C model. */
#ifndef VMMIO_VMMIO_H
#define VMMIO_VMMIO_H

#include "vmmio/dev/blk.h"
#include "vmmio/dev/blk_storage.h"
#include "vmmio/dev/console.h"
#include "vmmio/dev/entropy.h"
#include "vmmio/dev/null.h"
#include "vmmio/dev/pmem.h"
#include "vmmio/device.h"

#endif
