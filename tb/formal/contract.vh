// SPDX-License-Identifier: Apache-2.0
// What contracts share. A contract is bound beside a module of rtl/ and sees its ports by name.
`ifndef VMMIO_FORMAL_CONTRACT_VH
`define VMMIO_FORMAL_CONTRACT_VH
`include "vmmio_regs.vh"

// A label of an assertion is the name of a property, and that of a cover begins with "cover_". The
// model checkers look for a trace that breaks an assertion, so a cover asserts that it is never so.
`define COVER(label, condition) label: assert (!(condition))

// The power-up: a reset in the first clock, at any time later as well.
`define POWER_UP \
    reg powered = 1'b0; \
    always @(posedge clk) begin \
        powered <= 1'b1; \
        if (!powered) assume (rst); \
    end
`endif
