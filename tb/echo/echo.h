/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ECHO_H
#define ECHO_H

#include "vmmio/function.h"

/* Feature bit 0: letters come back in upper case. */
enum { ECHO_F_UPPER = 0 };

struct echo {
    struct vmmio_function function; /* must be first */
    bool upper;                     /* negotiated */
    uint8_t config[4];              /* le32: most bytes of an echo */
    uint64_t bytes;                 /* echoed so far */
};

void echo_init(struct echo *echo, uint32_t limit);

#endif
