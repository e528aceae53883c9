// SPDX-License-Identifier: Apache-2.0
// A memory with one write and one registered read port. What reads a word in the clock of its write
// must not care for the answer, which block RAMs leave open.
`default_nettype none

module vmmio_ram #(
    parameter ADDRESS_BITS = 8 // 2^ADDRESS_BITS words of 32 bits
) (
    input  wire                    clk,
    input  wire                    write,
    input  wire [ADDRESS_BITS-1:0] write_address,
    input  wire [31:0]             write_data,
    input  wire                    read,
    input  wire [ADDRESS_BITS-1:0] read_address,
    output reg  [31:0]             read_data
);
    (* no_rw_check *)
    reg [31:0] words [0:(1 << ADDRESS_BITS) - 1];

    always @(posedge clk) begin
        if (write)
            words[write_address] <= write_data;
        if (read)
            read_data <= words[read_address];
    end
endmodule

`default_nettype wire
