// SPDX-License-Identifier: Apache-2.0
// Feature words 0-3 and their negotiation (2.2). Twin of model/features.c.
`default_nettype none

module vmmio_features #(
    parameter [127:0] FEATURES         = 128'd0,
    parameter [127:0] REQUIRED         = 128'd0,
    parameter         DEPENDENCY_COUNT = 0,
    // Of 16 bits, the first in the lowest: 8 for a feature, above them 8 for the one it needs.
    parameter [16*(DEPENDENCY_COUNT + 1) - 1:0] DEPENDENCIES = 0
) (
    input  wire         clk,
    input  wire         rst,
    input  wire         write_device_sel,
    input  wire         write_driver_sel,
    input  wire         write_driver,
    input  wire [31:0]  data,
    input  wire         data_above_byte,    // data[31:8] is not 0
    input  wire         features_ok,        // Status shows FEATURES_OK
    input  wire         check,              // in the clock before acceptable counts
    output wire [3:0]   device_word,        // one-hot: the word of FEATURES that is selected
    output reg  [127:0] features,           // accepted by the driver, as far as offered
    output reg          acceptable          // of the writes before the last check
);
    reg  [3:0] device_sel;  // one-hot, none for words above 3, which do not exist
    reg  [3:0] driver_sel;
    reg  [3:0] unoffered;   // per word: a bit is accepted that is not offered
    reg        beyond;      // a bit above 127 is accepted (A-DRVFEAT-SEL)

    wire       store = write_driver && !features_ok;

    assign device_word = device_sel;

    function [3:0] hot;
        input [7:0] low;
        input        above_byte;
        hot = above_byte || low[7:2] != 6'd0 ? 4'd0 : 4'd1 << low[1:0];
    endfunction

    integer d;
    always @(posedge clk)
        if (check) begin : look
            reg dependent; // some bit is accepted without the one that it needs

            dependent = 1'b0;
            for (d = 0; d < DEPENDENCY_COUNT; d = d + 1)
                dependent = dependent || (features[DEPENDENCIES[16*d +: 7]] &&
                                          !features[DEPENDENCIES[16*d + 8 +: 7]]);
            acceptable <= unoffered == 4'd0 && !beyond && !dependent &&
                          (REQUIRED & ~features) == 128'd0;
        end

    integer i;
    always @(posedge clk)
        if (rst) begin
            device_sel <= 4'b0001;
            driver_sel <= 4'b0001;
            features   <= 128'd0;
            unoffered  <= 4'd0;
            beyond     <= 1'b0;
        end else begin
            if (write_device_sel)
                device_sel <= hot(data[7:0], data_above_byte);
            if (write_driver_sel)
                driver_sel <= hot(data[7:0], data_above_byte);
            if (store) begin : take
                reg [31:0] offered;
                reg        extra;

                offered = FEATURES[31:0]   & {32{driver_sel[0]}} |
                          FEATURES[63:32]  & {32{driver_sel[1]}} |
                          FEATURES[95:64]  & {32{driver_sel[2]}} |
                          FEATURES[127:96] & {32{driver_sel[3]}};
                extra   = |(data & ~offered);
                beyond <= beyond || (driver_sel == 4'd0 && extra); // every bit is an extra one
                for (i = 0; i < 4; i = i + 1)
                    if (driver_sel[i]) begin
                        features[32*i +: 32] <= data & FEATURES[32*i +: 32];
                        unoffered[i]         <= extra;
                    end
            end
        end
endmodule

`default_nettype wire
