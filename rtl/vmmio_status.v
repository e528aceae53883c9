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
    output reg  [7:0] status,
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

    localparam ACKNOWLEDGE = 0, DRIVER = 1, DRIVER_OK = 2, FEATURES_OK = 3, SUSPEND = 4,
               NEEDS_RESET = 6, FAILED = 7; // bits of Status

    reg [1:0] step;
    reg       resetting, suspending;

    assign live            = status[DRIVER_OK] && !suspended && !status[NEEDS_RESET] &&
                             !status[FAILED] && !resetting;
    assign suspended       = status[SUSPEND] || suspending;
    assign reset_request   = resetting;
    assign suspend_request = suspending;
    assign clear           = resetting && reset_done;
    assign done            = step == END && !(HOLD_RESET != 0 && resetting && !reset_done);

    // Conditions that seldom hold come first: the rest is no work for a simulator then.
    reg  breaks, resume, ask;
    always @* begin
        breaks = 1'b0;
        resume = 1'b0;
        ask    = 1'b0;
        if (needs_reset)
            breaks = !resetting && !status[NEEDS_RESET];
        if (write && first)
            resume = step == BEGIN && !data_zero && !status[FAILED] && !data[7] &&
                     status[SUSPEND] && data[2];
        if (step == FEATURES)
            ask    = data[3] && !status[FEATURES_OK] && status[DRIVER] && acceptable;
    end

    // What broke while suspended is told at resume (SUSP-10).
    assign raise            = (breaks && status[DRIVER_OK]) ||
                              (resume && (status[NEEDS_RESET] || breaks));
    assign features_request = ask;

    always @(posedge clk) begin
        if (breaks)
            status[NEEDS_RESET] <= 1'b1;
        if (suspending && suspend_done) begin
            suspending <= 1'b0;
            if (!status[NEEDS_RESET] && !breaks) begin // else the other allowed end (SUSP-09)
                status[SUSPEND]   <= 1'b1;
                status[DRIVER_OK] <= 1'b0;
            end
        end
        case (step)
        BEGIN:
            if (!write || !first) begin
                step <= BEGIN;
            end else if (data_zero) begin
                resetting <= 1'b1;
                step      <= END;
            end else if (status[FAILED] || data[7]) begin
                status[FAILED] <= 1'b1;
                step           <= END;
            end else if (status[SUSPEND]) begin
                if (resume) begin
                    status[SUSPEND]   <= 1'b0;
                    status[DRIVER_OK] <= 1'b1;
                end
                step <= END;
            end else begin
                status[ACKNOWLEDGE] <= status[ACKNOWLEDGE] || data[0];
                status[DRIVER]      <= status[DRIVER] || data[1];
                if (data[4] && live && suspend_offered)
                    suspending <= 1'b1;
                step <= FEATURES;
            end
        FEATURES:
            if (!ask || features_done) begin
                status[FEATURES_OK] <= status[FEATURES_OK] || (ask && features_accept);
                step                <= DRIVE;
            end
        DRIVE: begin
            if (data[2] && status[FEATURES_OK] && !suspended)
                status[DRIVER_OK] <= 1'b1;
            step <= END;
        end
        END:
            if (done)
                step <= BEGIN;
        endcase
        if (rst || clear) begin
            step       <= BEGIN;
            status     <= 8'd0;
            resetting  <= 1'b0;
            suspending <= 1'b0;
        end
    end
endmodule

`default_nettype wire
