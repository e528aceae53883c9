// SPDX-License-Identifier: Apache-2.0
// The status machine (2.1, 3.1, 3.4). Twin of model/status.c.
//
// A write takes its steps in the order of the initialisation, one a clock, so that several bits at
// once mean the same as one after the other (A-STATUS-ORDER); SUSPEND comes first, for it needs a
// DRIVER_OK from before (SUSP-05).
`default_nettype none

module vmmio_status #(
    parameter HOLD_RESET = 1
) (
    input  wire       clk,
    input  wire       rst,
    input  wire       write,           // stays until the clock after done
    input  wire       first,           // its first clock
    input  wire [7:0] data,
    input  wire       data_zero,       // all 32 bits
    output wire       done,
    output wire [7:0] status,
    output wire       live,            // between DRIVER_OK and whatever ends it
    output wire       suspended,       // or about to be
    output wire       clear,           // last clock of a device reset
    output wire       raise,           // configuration change interrupt (STAT-12)
    input  wire       acceptable,
    input  wire       suspend_offered, // SUSPEND is negotiated, given FEATURES_OK
    input  wire       needs_reset,
    output wire       features_request,
    input  wire       features_done,
    input  wire       features_accept,
    output wire       reset_request,
    input  wire       reset_done,
    output wire       suspend_request,
    input  wire       suspend_done
);
    wire unused = &{1'b0, data[6:5]}; // 0x20 and the device's own bit are not stored

    localparam [1:0] BEGIN = 2'd0, FEATURES = 2'd1, DRIVE = 2'd2, END = 2'd3;

    reg [1:0] step;
    reg       acknowledge, driver, driver_ok, features_ok, suspend, broken, failed;
    reg       resetting, suspending;

    assign status          = {failed, broken, 1'b0, suspend, features_ok, driver_ok, driver,
                              acknowledge};
    assign live            = driver_ok && !suspended && !broken && !failed && !resetting;
    assign suspended       = suspend || suspending;
    assign reset_request   = resetting;
    assign suspend_request = suspending;
    assign clear           = resetting && reset_done;

    wire breaks = needs_reset && !resetting && !broken;
    wire resume = step == BEGIN && write && first && !data_zero && !failed && !data[7] && suspend &&
                  data[2];
    wire ask    = data[3] && !features_ok && driver && acceptable;
    wire start  = data[4] && live && features_ok && suspend_offered;

    // What broke while suspended is told at resume (SUSP-10).
    assign raise            = (breaks && driver_ok) || (resume && (broken || breaks));
    assign features_request = step == FEATURES && ask;
    assign done             = step == END && !(HOLD_RESET != 0 && resetting && !reset_done);

    always @(posedge clk) begin
        if (rst || clear) begin
            step        <= BEGIN;
            acknowledge <= 1'b0;
            driver      <= 1'b0;
            driver_ok   <= 1'b0;
            features_ok <= 1'b0;
            suspend     <= 1'b0;
            broken      <= 1'b0;
            failed      <= 1'b0;
            resetting   <= 1'b0;
            suspending  <= 1'b0;
        end else begin
            if (breaks)
                broken <= 1'b1;
            if (suspending && suspend_done) begin
                suspending <= 1'b0;
                if (!broken && !breaks) begin // else the other allowed end (SUSP-09)
                    suspend   <= 1'b1;
                    driver_ok <= 1'b0;
                end
            end
            case (step)
            BEGIN:
                if (!write || !first) begin
                    step <= BEGIN;
                end else if (data_zero) begin
                    resetting <= 1'b1;
                    step      <= END;
                end else if (failed || data[7]) begin
                    failed <= 1'b1;
                    step   <= END;
                end else if (suspend) begin
                    if (resume) begin
                        suspend   <= 1'b0;
                        driver_ok <= 1'b1;
                    end
                    step <= END;
                end else begin
                    acknowledge <= acknowledge || data[0];
                    driver      <= driver || data[1];
                    if (start)
                        suspending <= 1'b1;
                    step <= FEATURES;
                end
            FEATURES:
                if (!ask || features_done) begin
                    features_ok <= features_ok || (ask && features_accept);
                    step        <= DRIVE;
                end
            DRIVE: begin
                if (data[2] && features_ok && !suspended)
                    driver_ok <= 1'b1;
                step <= END;
            end
            END:
                if (done)
                    step <= BEGIN;
            endcase
        end
    end
endmodule

`default_nettype wire
