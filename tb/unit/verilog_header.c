/* SPDX-License-Identifier: Apache-2.0 */
/* Prints rtl/vmmio_regs.vh, so that Verilog and C have one register map. */
#include "vmmio/registers.h"
#include "vmmio/virtio.h"

#include <stdio.h>

static void define(const char *name, unsigned bits, unsigned value, const char *comment)
{
    printf("`define VMMIO_%-27s %u'h%0*x%s%s\n", name, bits, (int)(bits + 3) / 4, value,
           *comment ? " // " : "", comment);
}

int main(void)
{
    puts("// SPDX-License-Identifier: Apache-2.0");
    puts("// Generated from include/vmmio/registers.h and virtio.h: do not edit.");
    puts("`ifndef VMMIO_REGS_VH\n`define VMMIO_REGS_VH\n");
    puts("// Register offsets in bytes; R: the driver reads, W: it writes.");
#define VMMIO_X(id, name, offset, access) define("REG_" #id, 12, offset, #access);
    VMMIO_REGISTERS(VMMIO_X)
#undef VMMIO_X
    define("REG_CONFIG", 12, VMMIO_REG_CONFIG, "device-specific from here");
    puts("\n// Register values and bits.");
#define VMMIO_X(id, value) define(#id, 32, value, "");
    VMMIO_REGISTER_BITS(VMMIO_X)
#undef VMMIO_X
    puts("\n// Feature bit numbers.");
    define("F_INDIRECT_DESC", 7, VMMIO_F_INDIRECT_DESC, "");
    define("F_EVENT_IDX", 7, VMMIO_F_EVENT_IDX, "");
    define("F_VERSION_1", 7, VMMIO_F_VERSION_1, "");
    define("F_ACCESS_PLATFORM", 7, VMMIO_F_ACCESS_PLATFORM, "");
    define("F_RING_PACKED", 7, VMMIO_F_RING_PACKED, "");
    define("F_ORDER_PLATFORM", 7, VMMIO_F_ORDER_PLATFORM, "");
    define("F_NOTIFICATION_DATA", 7, VMMIO_F_NOTIFICATION_DATA, "");
    define("F_RING_RESET", 7, VMMIO_F_RING_RESET, "");
    define("F_SUSPEND", 7, VMMIO_F_SUSPEND, "");
    puts("\n`endif");
    return 0;
}
