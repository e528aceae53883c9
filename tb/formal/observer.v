// SPDX-License-Identifier: Apache-2.0
// What a driver has done, seen at the bus side of the register block: for the contracts.
`default_nettype none
`include "contract.vh"

module formal_observer (
    input  wire        clk,
    input  wire        rst,
    input  wire        write_take,
    input  wire [7:0]  write_address,
    input  wire [31:0] write_data,
    input  wire [3:0]  write_strobe,
    input  wire        write_ready,
    input  wire        read_take,
    input  wire [7:0]  read_address,
    input  wire        back_reset_request,
    input  wire        back_reset_done,
    output reg         acts,      // a legal write to a control register acts in this clock
    output reg  [11:0] at,        // its offset
    output reg  [31:0] data,
    output reg         asked,     // there was a read, and read_data is its answer
    output reg         asked_now, // in the clock before
    output reg         asked_control,
    output reg  [11:0] offset,    // of a control register, or in the config window
    output wire        device_reset // its last clock
);
    assign device_reset = back_reset_request && back_reset_done;

    initial acts = 1'b0;
    initial asked = 1'b0;
    initial asked_now = 1'b0;

    always @(posedge clk) begin
        assume (!write_take || write_ready); // "only while write_ready"
        acts      <= !rst && write_take && write_address[6] && write_strobe == 4'b1111 &&
                     !(back_reset_request && !back_reset_done);
        asked_now <= !rst && read_take;
        asked     <= !rst && (read_take || asked);
        if (write_take) begin
            at   <= {4'd0, write_address[5:0], 2'd0};
            data <= write_data;
        end
        if (read_take) begin
            asked_control <= read_address[6];
            offset        <= {3'd0, read_address[7], read_address[5:0], 2'd0};
        end
        // An address is in one place at most.
        assume (!(write_address[7] && write_address[6]));
        assume (!(read_address[7] && read_address[6]));
    end
endmodule

`default_nettype wire
