// SPDX-License-Identifier: Apache-2.0
// The config window: which bytes exist, their generation, and the driver's writes (2.5, A-CFG-*).
// Twin of model/config.c.
//
// The bytes are in one of two banks of a memory; the back side loads the other one, and a commit
// changes over in one clock, together with ConfigGeneration and interrupt (A-CFG-ATOMIC).
`default_nettype none

module vmmio_config #(
    parameter BYTES = 0 // 0..256
) (
    input  wire        clk,
    input  wire        rst,
    input  wire        write,          // a legal write to the window
    input  wire        first,          // its first clock
    input  wire [5:0]  word,
    input  wire [3:0]  strobe,
    output wire        done,
    input  wire        suspend,        // Status shows SUSPEND
    input  wire        suspended,      // or is about to
    input  wire        resetting,
    input  wire        driver_ok,
    output reg         request,        // the driver's write, for the back side
    output reg  [3:0]  request_strobe, // its bytes that exist
    input  wire        request_done,
    input  wire        commit,
    input  wire        commit_counts,  // as a new generation
    input  wire        notify,         // without a commit: a shared memory region changed
    output wire        commit_ready,
    output reg         bank,           // what the driver reads
    output reg         loaded,         // there was a commit; before, the window reads 0
    output reg  [31:0] generation,
    output wire        raise           // configuration change interrupt
);
    localparam [256:0] EXISTS = (257'd1 << BYTES) - 257'd1; // a bit a byte

    reg  [3:0] bytes;
    reg        begins;
    always @* begin
        bytes  = 4'd0;
        begins = 1'b0;
        if (BYTES != 0 && write && first) begin
            bytes  = strobe & EXISTS[{1'b0, word, 2'd0} +: 4];
            begins = bytes != 4'd0 && !suspended; // SUSP-06
        end
    end

    assign done = request ? request_done : write && first && !begins;

    assign commit_ready = !suspend || resetting; // SUSP-07
    wire take = commit && commit_ready && BYTES != 0;
    assign raise = notify && commit_ready && driver_ok && !resetting; // SUSP-08

    always @(posedge clk) begin
        if (begins)
            request_strobe <= bytes;
        if (BYTES != 0)
            request <= !rst && (begins || (request && !request_done));
        else
            request <= 1'b0;
        if (rst) begin
            bank       <= 1'b0;
            loaded     <= 1'b0;
            generation <= 32'd0;
        end else if (take) begin
            bank   <= !bank;
            loaded <= 1'b1;
            if (commit_counts)
                generation <= generation + 32'd1; // wraps, and survives a device reset (A-GEN)
        end
    end
endmodule

`default_nettype wire
