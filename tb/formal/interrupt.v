// SPDX-License-Identifier: Apache-2.0
// InterruptStatus and the line: no event is lost, none is invented (A-ACK, MMIO-IRQ-01,
// MMIO-INTSTAT-01..04, MMIO-INTACK-01, STAT-10, STAT-12).
`default_nettype none
`include "contract.vh"

module formal_interrupt (
    input wire        clk,
    input wire        rst,
    input wire        write_take,
    input wire [7:0]  write_address,
    input wire [31:0] write_data,
    input wire [3:0]  write_strobe,
    input wire        write_ready,
    input wire        read_take,
    input wire [7:0]  read_address,
    input wire [31:0] read_data,
    input wire        irq,
    input wire [7:0]  back_status,
    input wire        back_reset_request,
    input wire        back_reset_done,
    input wire        back_used_buffer,
    input wire        back_needs_reset,
    input wire        back_config_notify,
    input wire        back_config_commit_ready
);
    `POWER_UP
    wire        acts, asked, asked_now, asked_control, device_reset;
    wire [11:0] at, offset;
    wire [31:0] data;
    formal_observer observer (.*);

    wire driver_ok = back_status[2];
    wire [1:0] ack = acts && at == `VMMIO_REG_INTERRUPT_ACK ? data[1:0] : 2'd0;

    // Events, as the specification counts them.
    wire used   = back_used_buffer && driver_ok && !back_reset_request;
    wire config_change = back_config_notify && back_config_commit_ready && driver_ok &&
                         !back_reset_request;
    wire breaks = back_needs_reset && !back_reset_request && !back_status[6];
    wire resume = acts && at == `VMMIO_REG_STATUS && data[2] && !data[7] && back_status[4] &&
                  !back_status[7]; // from SUSPEND back to DRIVER_OK
    wire told   = breaks && driver_ok || resume && (breaks || back_status[6]);

    wire [1:0] event_now = {config_change || told, used};
    reg  [1:0] pending; // what InterruptStatus has to be
    reg  [1:0] event_before;

    always @(posedge clk) begin
        pending      <= rst || device_reset ? 2'd0 : (pending & ~ack) | event_now;
        event_before <= rst || device_reset ? 2'd0 : event_now;
        if (powered) begin
            irq_is_status: assert (irq == (pending != 2'd0));
            if (asked && asked_control && offset == `VMMIO_REG_INTERRUPT_STATUS) begin
                reads_pending:  assert (read_data == {30'd0, pending});
                no_event_lost:  assert ((event_before & ~read_data[1:0]) == 2'd0);
            end
            event_raises_irq: assert (event_before == 2'd0 || irq);
            `COVER(cover_ack_and_event, ack[0] && used && pending[0]);
            `COVER(cover_both, asked && asked_control && read_data == 32'd3 &&
                   offset == `VMMIO_REG_INTERRUPT_STATUS);
            `COVER(cover_line_falls, $past(irq) && !irq && $past(powered) && !$past(rst) &&
                   !$past(device_reset));
        end
    end
endmodule

bind vmmio_register_block formal_interrupt interrupt (.*);

`default_nettype wire
