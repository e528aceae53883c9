// SPDX-License-Identifier: Apache-2.0
// The shared memory registers: a sparse table of regions and the latch behind SHMSel.
// Twin of model/shm.c.
//
// Length and base of a region are four words in one slot of a memory, and a slot that the driver
// may be reading is never written: the latch is a pointer to a slot. Two slots more than regions
// let the back side load one while another, no longer in the table, is still latched. So a write to
// SHMSel takes 128 bits in one step at the price of a few, and no value is ever torn (A-SHM-4).
`default_nettype none

module vmmio_shm #(
    parameter REGIONS   = 1,
    parameter SLOT_BITS = 2 // 2^SLOT_BITS >= REGIONS + 2
) (
    input  wire                 clk,
    input  wire                 rst,
    input  wire                 clear,           // end of a device reset
    input  wire                 write_sel,
    input  wire [7:0]           data,
    input  wire                 data_above_byte, // data[31:8] is not 0
    input  wire                 commit,
    input  wire [2:0]           commit_index,
    input  wire [7:0]           commit_id,
    input  wire                 commit_present,
    output wire                 commit_ready,
    output wire [SLOT_BITS-1:0] load_slot,       // what the back side loads
    output wire                 latched,         // false: the registers read all ones
    output wire [SLOT_BITS-1:0] latched_slot
);
    generate
        if (REGIONS == 0) begin : g_none
            assign commit_ready = 1'b1;
            assign load_slot    = {SLOT_BITS{1'b0}};
            assign latched      = 1'b0;
            assign latched_slot = {SLOT_BITS{1'b0}};
            wire unused = &{1'b0, clk, rst, clear, write_sel, data, data_above_byte, commit,
                            commit_index, commit_id, commit_present};
        end else begin : g_table
            reg [REGIONS-1:0]           present;
            reg [8*REGIONS-1:0]         id;
            reg [SLOT_BITS*REGIONS-1:0] slot;
            reg [SLOT_BITS-1:0]         load;    // free for loading
            reg [SLOT_BITS-1:0]         spare;   // free, or latched and no longer in the table
            reg                         found;   // the latch: whether there is a region,
            reg [SLOT_BITS-1:0]         pointer; // and where
            reg                         touched; // SHMSel was written: no longer follow the table
            reg                         follow;

            wire select = write_sel || follow || clear;
            wire take   = commit && !select;

            // Not in the clock of a select, whose answer decides which slot stays.
            assign commit_ready = !select;
            assign load_slot    = load;
            assign latched      = found;
            assign latched_slot = pointer;

            integer i;
            always @(posedge clk) begin
                if (select) begin : search
                    reg [7:0]           sel; // without a write 0: reset selects it again (A-SHM-6)
                    reg                 match;
                    reg [SLOT_BITS-1:0] match_slot; // any, if there is no match

                    sel        = data & {8{write_sel}};
                    match      = 1'b0;
                    match_slot = slot[SLOT_BITS-1:0];
                    for (i = 0; i < REGIONS; i = i + 1)
                        if (present[i] && id[8*i +: 8] == sel && !(data_above_byte && write_sel))
                        begin
                            match      = 1'b1;
                            match_slot = slot[SLOT_BITS*i +: SLOT_BITS];
                        end
                    found   <= match;
                    pointer <= match_slot;
                end
                if (rst)
                    found <= 1'b0;
            end

            always @(posedge clk) begin
                follow <= !rst && take && !touched;
                if (rst) begin
                    present <= {REGIONS{1'b0}};
                    for (i = 0; i < REGIONS; i = i + 1)
                        slot[SLOT_BITS*i +: SLOT_BITS] <= i[SLOT_BITS-1:0];
                    load    <= REGIONS[SLOT_BITS-1:0];
                    spare   <= REGIONS[SLOT_BITS-1:0] + 1'b1;
                    touched <= 1'b0;
                end else begin
                    if (write_sel)
                        touched <= 1'b1;
                    if (take) begin : replace
                        reg [SLOT_BITS-1:0] old_slot;
                        reg                 keep;

                        old_slot = {SLOT_BITS{1'b0}};
                        for (i = 0; i < REGIONS; i = i + 1)
                            if (commit_index == i[2:0])
                                old_slot = slot[SLOT_BITS*i +: SLOT_BITS];
                        keep = found && pointer == old_slot;
                        load <= keep ? spare : old_slot;
                        if (keep)
                            spare <= old_slot;
                        for (i = 0; i < REGIONS; i = i + 1)
                            if (commit_index == i[2:0]) begin
                                present[i]                     <= commit_present;
                                slot[SLOT_BITS*i +: SLOT_BITS] <= load;
                            end
                    end
                end
                if (take)
                    for (i = 0; i < REGIONS; i = i + 1)
                        if (commit_index == i[2:0])
                            id[8*i +: 8] <= commit_id;
            end
        end
    endgenerate
endmodule

`default_nettype wire
