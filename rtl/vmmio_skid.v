// SPDX-License-Identifier: Apache-2.0
// A skid buffer: in_ready is a flip-flop, and what arrives while it falls is kept.
`default_nettype none

module vmmio_skid #(
    parameter WIDTH = 32 // bits, 1 or more
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             in_valid,
    output reg              in_ready,
    input  wire [WIDTH-1:0] in_data,
    output wire             out_valid,
    input  wire             out_take,  // only while out_valid
    output wire [WIDTH-1:0] out_data
);
    reg [WIDTH-1:0] kept;

    assign out_valid = in_valid || !in_ready;
    assign out_data  = in_ready ? in_data : kept;

    always @(posedge clk)
        if (rst || out_valid) begin
            if (in_ready)
                kept <= in_data;
            in_ready <= rst || out_take;
        end
endmodule

`default_nettype wire
