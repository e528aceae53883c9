// SPDX-License-Identifier: Apache-2.0
// The registers of one queue, whichever it is: what was written when it was not in use, and nothing
// else, is what the back side reads (MMIO-QADDR-01, MMIO-DRV-10, MMIO-DRV-11, VQ-06, H-21, H-22,
// H-63), if it is right for a ring of the negotiated layout (SPLIT-02, SPLIT-03, PACK-01, PACK-23);
// QueueReady and QueueReset read back what runs (MMIO-DRV-12, MMIO-QRESET-01..05, H-64); a kick
// reaches a queue that is alive, and no other (MMIO-QNOTIFY-01, MMIO-NOTIFY-01, H-20, H-39).
`default_nettype none
`include "contract.vh"

module formal_queues #(
    parameter                 QUEUES      = 1,
    parameter [16*QUEUES-1:0] QUEUE_SIZES = 0,
    parameter [127:0]         FEATURES    = 128'd0,
    parameter                 QUEUE_BITS  = 1
) (
    input wire                  clk,
    input wire                  rst,
    input wire                  write_take,
    input wire [7:0]            write_address,
    input wire [31:0]           write_data,
    input wire [3:0]            write_strobe,
    input wire                  write_ready,
    input wire                  read_take,
    input wire [7:0]            read_address,
    input wire [31:0]           read_data,
    input wire [7:0]            back_status,
    input wire                  back_live,
    input wire [127:0]          back_features,
    input wire                  back_reset_request,
    input wire                  back_reset_done,
    input wire [QUEUES-1:0]     back_queue_alive,
    input wire [QUEUES-1:0]     back_queue_stop,
    input wire [QUEUES-1:0]     back_queue_stop_done,
    input wire                  back_notify,
    input wire [31:0]           back_notify_data,
    input wire                  back_enable_request,
    input wire [QUEUE_BITS-1:0] back_enable_queue,
    input wire                  back_enable_done,
    input wire                  back_enable_accept,
    input wire                  back_queue_read,
    input wire [QUEUE_BITS-1:0] back_queue_read_queue,
    input wire [2:0]            back_queue_read_word,
    input wire                  back_queue_read_ready,
    input wire [31:0]           back_queue_read_data
);
    `POWER_UP
    wire        acts, asked, asked_now, asked_control, device_reset;
    wire [11:0] at, offset;
    wire [31:0] data;
    formal_observer observer (.*);

    (* anyconst *) wire [5:0] q;         // the queue,
    (* anyconst *) wire [2:0] some_word; // a word of its registers,
    (* anyconst *) wire [4:0] some_bit;  // and a bit of the word
    always @(posedge clk)
        assume (q < QUEUES && some_word < 7);

    function [2:0] word_of; // 7: not a setting
        input [11:0] offset;
        case (offset)
        `VMMIO_REG_QUEUE_DESC_LOW:    word_of = 3'd0;
        `VMMIO_REG_QUEUE_DESC_HIGH:   word_of = 3'd1;
        `VMMIO_REG_QUEUE_DRIVER_LOW:  word_of = 3'd2;
        `VMMIO_REG_QUEUE_DRIVER_HIGH: word_of = 3'd3;
        `VMMIO_REG_QUEUE_DEVICE_LOW:  word_of = 3'd4;
        `VMMIO_REG_QUEUE_DEVICE_HIGH: word_of = 3'd5;
        `VMMIO_REG_QUEUE_SIZE:        word_of = 3'd6;
        default:                      word_of = 3'd7;
        endcase
    endfunction

    wire alive    = back_queue_alive[q[QUEUE_BITS-1:0]];
    wire stopping = back_queue_stop[q[QUEUE_BITS-1:0]];
    wire stopped  = back_queue_stop_done[q[QUEUE_BITS-1:0]];

    reg  [31:0] sel, sel_before, sel_before_that;
    reg         used;   // the queue was in use in the clock before
    wire        ours    = acts && sel == {26'd0, q};
    wire        setting = ours && word_of(at) != 3'd7 && !used;
    wire        packed_ring = back_status[3] && back_features[`VMMIO_F_RING_PACKED];
    wire        ring_reset = back_status[3] && back_features[`VMMIO_F_RING_RESET];
    wire        wipes   = ours && at == `VMMIO_REG_QUEUE_RESET && data == 32'd1 && ring_reset;
    wire        stops   = ours && at == `VMMIO_REG_QUEUE_READY && data == 32'd0;
    wire        starts  = ours && at == `VMMIO_REG_QUEUE_READY && data == 32'd1;

    reg  empty;     // nothing was written since the last reset of the device or the queue
    reg  resetting; // by QueueReset
    reg  value;     // of the bit
    reg  [31:0] size;
    reg  alive_before, stopping_before, to_stop, to_end, enable_before, may_start;
    reg  start_asked;

    always @(posedge clk) begin
        sel_before      <= sel;
        sel_before_that <= sel_before;
        used            <= !rst && !device_reset && (alive || stopping);
        alive_before    <= !rst && !device_reset && alive;
        stopping_before <= !rst && !device_reset && stopping;
        to_stop         <= alive && (stops || wipes) && !rst && !device_reset;
        to_end          <= stopping && stopped;
        may_start       <= back_enable_request && back_enable_done && back_enable_accept &&
                           back_enable_queue == q[QUEUE_BITS-1:0];
        enable_before   <= !rst && !device_reset && back_enable_request && !back_enable_done;
        if (rst || device_reset) begin
            sel         <= 32'd0;
            empty       <= 1'b1;
            resetting   <= 1'b0;
            start_asked <= 1'b0;
        end else begin
            if (acts)
                start_asked <= starts && !used;
            if (acts && at == `VMMIO_REG_QUEUE_SEL)
                sel <= data;
            if (wipes)
                empty <= 1'b1;
            else if (setting)
                empty <= 1'b0;
            resetting <= (resetting && stopping && !stopped) ||
                         (wipes && (alive || (stopping && !stopped)));
            if (setting) begin
                if (word_of(at) == some_word)
                    value <= data[some_bit];
                else if (empty)
                    value <= 1'b0;
                if (word_of(at) == 3'd6)
                    size <= data;
                else if (empty)
                    size <= 32'd0;
            end
        end
    end

    wire [15:0] size_max = QUEUE_SIZES[16*q[QUEUE_BITS-1:0] +: 16];
    wire must_be_zero = some_word == 3'd0 && some_bit < 4 || some_word == 3'd2 && some_bit < 1 ||
                        some_word == 3'd4 && some_bit < 2;

    // Reads of the back side, and of the driver.
    reg word_read, expected, asked_used, asked_resetting;
    always @(posedge clk) begin
        word_read <= back_queue_read && back_queue_read_ready &&
                     back_queue_read_queue == q[QUEUE_BITS-1:0] &&
                     back_queue_read_word == some_word && !rst && !device_reset &&
                     (alive || stopping ||
                      (back_enable_request && back_enable_queue == q[QUEUE_BITS-1:0]));
        expected        <= value;
        asked_used      <= alive || stopping;
        asked_resetting <= resetting;
    end
    wire settled = sel == sel_before && sel == sel_before_that && asked && asked_control;

    // A kick.
    wire        with_data = back_status[3] && back_features[`VMMIO_F_NOTIFICATION_DATA];
    wire [31:0] index     = with_data ? {16'd0, data[15:0]} : data;
    reg         kick;
    reg  [31:0] kick_data;
    always @(posedge clk) begin
        kick      <= acts && at == `VMMIO_REG_QUEUE_NOTIFY && back_live && index == {26'd0, q} &&
                     alive && !rst && !device_reset;
        kick_data <= data;
    end
    wire notified = with_data ? back_notify_data[15:0] == {10'd0, q} :
                                back_notify_data == {26'd0, q};

    always @(posedge clk)
        if (powered) begin
            if (word_read)
                back_reads_what_was_written: assert (back_queue_read_data[some_bit] == expected);
            if (back_enable_request && back_enable_queue == q[QUEUE_BITS-1:0]) begin
                enable_was_asked: assert (start_asked && !empty && !alive && !stopping);
                size_is_legal: assert (size != 32'd0 && size <= {16'd0, size_max} &&
                                       (packed_ring || (size & (size - 32'd1)) == 32'd0));
                addresses_are_aligned: assert (!must_be_zero || !value);
                if (FEATURES[`VMMIO_F_RING_PACKED])
                    packed_events_are_aligned: assert (
                        !packed_ring || some_word != 3'd2 || some_bit != 5'd1 || !value);
            end
            if (enable_before)
                enable_is_held: assert (back_enable_request);
            if (!alive_before && alive)
                alive_was_accepted: assert (may_start);
            if (may_start && !$past(rst) && !$past(device_reset))
                accepted_is_alive: assert (alive);
            if (alive_before)
                alive_until_stopped: assert (to_stop ? !alive && stopping : alive);
            if (stopping_before)
                stop_until_done: assert (to_end ? !stopping : stopping);
            stop_has_a_reason: assert (!stopping || stopping_before || to_stop);
            not_both: assert (!(alive && stopping));
            if (settled && sel == {26'd0, q}) begin
                if (offset == `VMMIO_REG_QUEUE_READY && !$past(rst || device_reset))
                    ready_reads_back: assert (read_data == {31'd0, asked_used});
                if (offset == `VMMIO_REG_QUEUE_RESET && !$past(rst || device_reset))
                    queue_reset_reads_back: assert (read_data == {31'd0, asked_resetting});
            end
            if (asked && asked_control && offset == `VMMIO_REG_QUEUE_SIZE_MAX) begin
                if (sel == {26'd0, q})
                    size_max_reads: assert (read_data == {16'd0, size_max});
                if (sel >= QUEUES)
                    absent_queue_reads_zero: assert (read_data == 32'd0);
            end
            if (settled && sel >= QUEUES && (offset == `VMMIO_REG_QUEUE_READY ||
                                             offset == `VMMIO_REG_QUEUE_RESET))
                absent_queue_is_idle: assert (read_data == 32'd0);
            kick_is_told: assert (!kick || (back_notify && back_notify_data == kick_data));
            if (back_notify && notified && $past(with_data) == with_data)
                no_other_kick: assert (kick);
            if (back_notify && back_status[3])
                kick_is_of_a_queue: assert (with_data ? back_notify_data[15:0] < QUEUES :
                                                        back_notify_data < QUEUES);
            `COVER(cover_alive, alive && word_read && expected && q == QUEUES - 1);
            `COVER(cover_locked_write, ours && word_of(at) != 3'd7 && used);
            `COVER(cover_kick, kick);
            `COVER(cover_refused, starts && !used && !empty && size == 32'd3);
            if (FEATURES[`VMMIO_F_RING_PACKED]) begin
                `COVER(cover_packed_ring, alive && size == 32'd99 && empty == 1'b0);
                `COVER(cover_split_driver_area, back_enable_request && value &&
                       back_enable_queue == q[QUEUE_BITS-1:0] && back_status[3] &&
                       some_word == 3'd2 && some_bit == 5'd1);
            end
            if (FEATURES[`VMMIO_F_RING_RESET]) begin
                `COVER(cover_queue_reset, settled && offset == `VMMIO_REG_QUEUE_RESET &&
                       read_data == 32'd1);
                `COVER(cover_alive_again, alive && !empty && q == 0 && back_status[3] &&
                       size == 32'd1 && sel != 0);
            end
        end
endmodule

bind vmmio_register_block formal_queues #(
    .QUEUES(QUEUES), .QUEUE_SIZES(QUEUE_SIZES), .FEATURES(FEATURES), .QUEUE_BITS(QUEUE_BITS))
    queues (.*);

`default_nettype wire
