// SPDX-License-Identifier: Apache-2.0
// No value of a shared memory register is torn or stale: what SHMLen and SHMBase read is one entry
// of the table as it was when SHMSel was written, or all ones (A-SHM-1..6, MMIO-SHM-01..06, H-44).
//
// The contract follows one bit of the four words, and does not say which: so it holds for all.
`default_nettype none
`include "contract.vh"

module formal_shm #(
    parameter REGIONS = 0
) (
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
    input wire        back_reset_request,
    input wire        back_reset_done,
    input wire        back_load,
    input wire        back_load_config,
    input wire [5:0]  back_load_word,
    input wire [31:0] back_load_data,
    input wire        back_region_commit,
    input wire [2:0]  back_region_index,
    input wire [7:0]  back_region_id,
    input wire        back_region_present,
    input wire        back_region_commit_ready
);
    `POWER_UP
    wire        acts, asked, asked_now, asked_control, device_reset;
    wire [11:0] at, offset;
    wire [31:0] data;
    formal_observer observer (.*);

    (* anyconst *) wire [1:0] some_word;
    (* anyconst *) wire [4:0] some_bit;

    // The back side as it is told to be: all words before each commit, ids that differ.
    reg [3:0] loaded;
    reg       load;                   // the bit that was loaded last
    reg [8:0] entry [0:7];            // {present, id}
    reg       value [0:7];            // of the bit, in the entry
    wire      commit = back_region_commit && back_region_commit_ready && REGIONS != 0;
    wire      load_region = back_load && !back_load_config;
    integer   i;

    always @(posedge clk) begin
        if (load_region)
            assume (back_load_word < 4 && !back_region_commit);
        if (back_region_commit) begin
            assume (back_region_index < REGIONS);
            assume (!back_region_present || &loaded);
            for (i = 0; i < 8; i = i + 1)
                assume (!back_region_present || i[2:0] == back_region_index ||
                        entry[i] != {1'b1, back_region_id});
        end
        if (rst || commit)
            loaded <= 4'd0;
        else if (load_region)
            loaded[back_load_word[1:0]] <= 1'b1;
        if (load_region && back_load_word[1:0] == some_word)
            load <= back_load_data[some_bit];
        if (rst)
            for (i = 0; i < 8; i = i + 1)
                entry[i] <= 9'd0;
        else if (commit) begin
            entry[back_region_index] <= {back_region_present, back_region_id};
            value[back_region_index] <= load;
        end
    end

    // The latch. Without a write to SHMSel since power-up it follows the table (A-SHM-3).
    reg  touched, follow;
    reg  latch;
    wire select = acts && at == `VMMIO_REG_SHM_SEL;
    wire [31:0] id = select ? data : 32'd0;
    reg  found;
    always @* begin
        found = 1'b1;
        for (i = 0; i < 8; i = i + 1)
            if (entry[i][8] && {24'd0, entry[i][7:0]} == id)
                found = value[i];
    end

    reg expected; // of the read that was taken last
    always @(posedge clk) begin
        touched <= !rst && (touched || select);
        follow  <= !rst && commit && !touched;
        if (rst)
            latch <= 1'b1;
        else if (select || follow || device_reset)
            latch <= found;
        if (read_take)
            expected <= latch;
    end

    wire answer = asked && asked_control &&
                  offset == `VMMIO_REG_SHM_LEN_LOW + {8'd0, some_word, 2'd0};

    always @(posedge clk)
        if (powered) begin
            if (answer)
                latch_is_one_entry: assert (read_data[some_bit] == expected);
            if (select || device_reset)
                no_change_while_selected: assert (!commit);
            if (REGIONS != 0) begin
                `COVER(cover_zero_and_one, answer && !expected && touched);
                `COVER(cover_removed_but_latched, answer && !expected && touched &&
                       {entry[0][8], entry[1][8], entry[2][8], entry[3][8]} == 4'd0);
                `COVER(cover_followed, answer && !expected && !touched);
            end else begin
                `COVER(cover_all_ones, answer && read_data == 32'hffffffff);
            end
        end
endmodule

bind vmmio_register_block formal_shm #(.REGIONS(REGIONS)) shm (.*);

`default_nettype wire
