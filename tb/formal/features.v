// SPDX-License-Identifier: Apache-2.0
// FEATURES_OK is never shown for a set with a bit that is not offered, without one that is required,
// or without one that another needs (FEAT-04, FEAT-05, FEAT-11, A-DRVFEAT-SEL, H-30, H-31); and the
// set does not change afterwards (FEAT-01).
//
// The contract follows two of the 128 bits, and does not say which: so it holds for all.
`default_nettype none
`include "contract.vh"

module formal_features #(
    parameter [127:0] FEATURES = 128'd0,
    parameter [127:0] REQUIRED = 128'd0,
    parameter         DEPENDENCY_COUNT = 0,
    parameter [16*(DEPENDENCY_COUNT + 1) - 1:0] DEPENDENCIES = 0
) (
    input wire         clk,
    input wire         rst,
    input wire         write_take,
    input wire [7:0]   write_address,
    input wire [31:0]  write_data,
    input wire [3:0]   write_strobe,
    input wire         write_ready,
    input wire         read_take,
    input wire [7:0]   read_address,
    input wire [31:0]  read_data,
    input wire [7:0]   back_status,
    input wire [127:0] back_features,
    input wire         back_features_request,
    input wire         back_features_done,
    input wire         back_features_accept,
    input wire         back_reset_request,
    input wire         back_reset_done
);
    `POWER_UP
    wire        acts, asked, asked_now, asked_control, device_reset;
    wire [11:0] at, offset;
    wire [31:0] data;
    formal_observer observer (.*);

    (* anyconst *) wire [6:0] bit_a;
    (* anyconst *) wire [6:0] bit_b;

    // What the driver has accepted, offered or not.
    reg [31:0] device_sel, driver_sel;
    reg        accepted_a, accepted_b;
    reg        beyond; // some bit above 127
    wire       store = acts && at == `VMMIO_REG_DRIVER_FEATURES && !back_status[3];

    always @(posedge clk)
        if (rst || device_reset) begin
            device_sel <= 32'd0;
            driver_sel <= 32'd0;
            accepted_a <= 1'b0;
            accepted_b <= 1'b0;
            beyond     <= 1'b0;
        end else begin
            if (acts && at == `VMMIO_REG_DEVICE_FEATURES_SEL)
                device_sel <= data;
            if (acts && at == `VMMIO_REG_DRIVER_FEATURES_SEL)
                driver_sel <= data;
            if (store && driver_sel == {30'd0, bit_a[6:5]})
                accepted_a <= data[bit_a[4:0]];
            if (store && driver_sel == {30'd0, bit_b[6:5]})
                accepted_b <= data[bit_b[4:0]];
            if (store && driver_sel > 3 && data != 32'd0)
                beyond <= 1'b1;
        end

    reg a_needs_b;
    integer d;
    always @* begin
        a_needs_b = 1'b0;
        for (d = 0; d < DEPENDENCY_COUNT; d = d + 1)
            a_needs_b = a_needs_b || (DEPENDENCIES[16*d +: 7] == bit_a &&
                                      DEPENDENCIES[16*d + 8 +: 7] == bit_b);
    end

    // The word of a read is selected when it is taken.
    reg [31:0] asked_sel;
    always @(posedge clk)
        if (read_take)
            asked_sel <= device_sel;
    wire [127:0] of_word = asked_sel < 4 ? FEATURES >> {asked_sel[1:0], 5'd0} : 128'd0;

    wire features_ok = back_status[3];
    reg  features_ok_before;
    reg  [127:0] features_before;
    reg  agreed; // the back side has accepted the set
    always @(posedge clk) begin
        features_ok_before <= features_ok && !rst && !device_reset;
        features_before    <= back_features;
        agreed             <= back_features_request && back_features_done && back_features_accept;
        if (powered) begin
            if (features_ok) begin
                never_unoffered:     assert (!accepted_a || FEATURES[bit_a]);
                never_beyond:        assert (!beyond);
                never_without_required: assert (accepted_a || !REQUIRED[bit_a]);
                never_without_needed: assert (!accepted_a || accepted_b || !a_needs_b);
                features_ok_is_agreed: assert (features_ok_before || agreed);
            end
            if (features_ok && features_ok_before)
                frozen: assert (back_features == features_before);
            features_are_accepted: assert (back_features[bit_a] == (accepted_a && FEATURES[bit_a]));
            if (asked && asked_control && offset == `VMMIO_REG_DEVICE_FEATURES)
                reads_offered: assert (read_data == of_word[31:0]);
            `COVER(cover_accepted, features_ok && accepted_a);
            `COVER(cover_unoffered, store && !FEATURES[bit_a] && accepted_a && back_status[1]);
            `COVER(cover_write_to_frozen, features_ok && acts &&
                   at == `VMMIO_REG_DRIVER_FEATURES && data == 32'd0);
            if (DEPENDENCY_COUNT != 0)
                `COVER(cover_needed, features_ok && a_needs_b && accepted_a && accepted_b);
        end
    end
endmodule

bind vmmio_register_block formal_features #(
    .FEATURES(FEATURES), .REQUIRED(REQUIRED), .DEPENDENCY_COUNT(DEPENDENCY_COUNT),
    .DEPENDENCIES(DEPENDENCIES)) features (.*);

`default_nettype wire
