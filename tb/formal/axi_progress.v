// SPDX-License-Identifier: Apache-2.0
// With a back side that answers at once, every write is answered in a time that is known.
`default_nettype none
`include "contract.vh"

module formal_axi_progress (
    input wire              clk,
    input wire              rst,
    input wire              s_axil_awvalid,
    input wire              s_axil_awready,
    input wire              s_axil_wvalid,
    input wire              s_axil_wready,
    input wire              s_axil_bvalid,
    input wire              s_axil_bready,
    input wire              back_features_done,
    input wire              back_reset_done,
    input wire              back_enable_done,
    input wire              back_config_write_done
);
    `POWER_UP
    reg [2:0] addresses, datas; // accepted and not answered
    reg [4:0] waited;
    wire      answer = s_axil_bvalid && s_axil_bready;
    always @(posedge clk) begin
        assume (back_features_done && back_reset_done && back_enable_done &&
                back_config_write_done);
        if (rst) begin
            addresses <= 3'd0;
            datas     <= 3'd0;
            waited    <= 5'd0;
        end else begin
            addresses <= addresses + (s_axil_awvalid && s_axil_awready) - answer;
            datas     <= datas + (s_axil_wvalid && s_axil_wready) - answer;
            waited    <= s_axil_bvalid || addresses == 3'd0 || datas == 3'd0 ? 5'd0 : waited + 5'd1;
        end
        if (powered) begin
            write_ends: assert (waited <= 5'd9);
            `COVER(cover_slowest, waited == 5'd9);
        end
    end
endmodule

bind vmmio_axil formal_axi_progress axi_progress (.*);

`default_nettype wire
