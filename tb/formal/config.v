// SPDX-License-Identifier: Apache-2.0
// The config window: a byte reads what was committed last, generation and bytes change in one step
// (MMIO-CONFIG-01, MMIO-GEN-01, MMIO-GEN-02, A-CFG-OOB, A-CFG-ATOMIC, A-GEN), and the back side
// gets the driver's legal writes, no other (A-CFG-WIDTH, SUSP-06, H-23, H-29).
//
// The contract follows one bit of the config space, and does not say which: so it holds for all.
`default_nettype none
`include "contract.vh"

module formal_config #(
    parameter CONFIG_BYTES = 0
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
    input wire [7:0]  back_status,
    input wire        back_reset_request,
    input wire        back_reset_done,
    input wire        back_suspend_request,
    input wire        back_config_write,
    input wire [5:0]  back_config_write_word,
    input wire [3:0]  back_config_write_strobe,
    input wire [31:0] back_config_write_data,
    input wire        back_config_write_done,
    input wire        back_load,
    input wire        back_load_config,
    input wire [5:0]  back_load_word,
    input wire [31:0] back_load_data,
    input wire        back_config_commit,
    input wire        back_config_counts,
    input wire        back_config_commit_ready
);
    `POWER_UP
    wire        acts, asked, asked_now, asked_control, device_reset;
    wire [11:0] at, offset;
    wire [31:0] data;
    formal_observer observer (.*);

    localparam WORDS = (CONFIG_BYTES + 3) / 4;
    localparam [256:0] EXISTS = (257'd1 << CONFIG_BYTES) - 257'd1; // a bit a byte

    (* anyconst *) wire [5:0] some_word;
    (* anyconst *) wire [4:0] some_bit;
    wire exists = EXISTS[{1'b0, some_word, some_bit[4:3]}];

    // The back side as it is told to be: all words before each commit.
    reg  loaded, load;
    wire load_config = back_load && back_load_config;
    wire commit = back_config_commit && back_config_commit_ready && CONFIG_BYTES != 0;
    reg  shown, expected;
    reg  [31:0] generation;

    always @(posedge clk) begin
        if (load_config)
            assume (back_load_word < WORDS && !back_config_commit);
        if (back_config_commit && some_word < WORDS)
            assume (loaded);
        if (rst || commit)
            loaded <= 1'b0;
        else if (load_config && back_load_word == some_word)
            loaded <= 1'b1;
        if (load_config && back_load_word == some_word)
            load <= back_load_data[some_bit];
        if (rst)
            shown <= 1'b0;
        else if (commit)
            shown <= load;
        if (rst)
            generation <= 32'd0;
        else if (commit && back_config_counts)
            generation <= generation + 32'd1;
        if (read_take)
            expected <= shown && exists;
    end

    // A write that the back side gets: in the clock after it was taken.
    reg        write, write_before;
    reg [5:0]  word;
    reg [3:0]  bytes;
    reg [31:0] bytes_data;
    wire       natural = write_strobe == 4'b0001 || write_strobe == 4'b0010 ||
                         write_strobe == 4'b0100 || write_strobe == 4'b1000 ||
                         write_strobe == 4'b0011 || write_strobe == 4'b1100 ||
                         write_strobe == 4'b1111;
    wire [3:0] within = write_strobe & EXISTS[{1'b0, write_address[5:0], 2'd0} +: 4];
    wire       passes = write && !back_suspend_request && !back_status[4];
    reg        passed, write_held;
    reg [41:0] held;
    always @(posedge clk) begin
        write <= write_take && !rst && write_address[7] && natural && within != 4'd0 &&
                 !(back_reset_request && !back_reset_done);
        if (write_take) begin
            word       <= write_address[5:0];
            bytes      <= within;
            bytes_data <= write_data;
        end
        passed     <= passes && !rst;
        write_held <= back_config_write && !back_config_write_done && !rst;
        held       <= {back_config_write_word, back_config_write_strobe, back_config_write_data};
    end

    always @(posedge clk)
        if (powered) begin
            if (asked && offset[8] && offset[7:2] == some_word)
                window_reads_commit: assert (read_data[some_bit] == expected);
            if (asked && asked_control && offset == `VMMIO_REG_CONFIG_GENERATION)
                generation_counts_commits: assert (read_data == generation);
            commit_waits_for_resume: assert (back_config_commit_ready ==
                                             (!back_status[4] || back_reset_request));
            write_is_passed: assert (!passed || (back_config_write &&
                back_config_write_word == word && back_config_write_strobe == bytes &&
                back_config_write_data == bytes_data));
            no_other_write: assert (!back_config_write || passed || write_held);
            if (write_held)
                write_is_held: assert (back_config_write && held ==
                    {back_config_write_word, back_config_write_strobe, back_config_write_data});
            if (CONFIG_BYTES != 0) begin
                `COVER(cover_window, asked && offset[8] && offset[7:2] == some_word && expected &&
                       generation == 32'd1);
                `COVER(cover_write_passed, passed && bytes == 4'b0010);
                `COVER(cover_reset_keeps_generation, device_reset && generation == 32'd2);
            end
        end
endmodule

bind vmmio_register_block formal_config #(.CONFIG_BYTES(CONFIG_BYTES)) window (.*);

`default_nettype wire
