// SPDX-License-Identifier: Apache-2.0
// InterruptStatus, and the line that is high while any of its bits is set (MMIO-IRQ-01).
// Twin of model/interrupt.c.
`default_nettype none

module vmmio_interrupt (
    input  wire       clk,
    input  wire       rst,       // also at the end of a device reset (MMIO-INTSTAT-04)
    input  wire       ack,       // InterruptACK is written
    input  wire [1:0] ack_bits,
    input  wire [1:0] raise,
    output reg  [1:0] interrupt_status,
    output reg        irq
);
    // An event in the clock of its acknowledge is a new one: set wins (A-ACK).
    wire [1:0] next = (interrupt_status & ~(ack_bits & {2{ack}})) | raise;

    always @(posedge clk) begin
        if (rst) begin
            interrupt_status <= 2'b00;
            irq              <= 1'b0;
        end else begin
            interrupt_status <= next;
            irq              <= |next;
        end
    end
endmodule

`default_nettype wire
