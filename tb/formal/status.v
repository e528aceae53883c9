// SPDX-License-Identifier: Apache-2.0
// The status machine: bits are only added, in an order that is allowed (STAT-02, STAT-04, STAT-07,
// A-STATUS-SET, A-STATUS-ORDER, SUSP-05, SUSP-09, H-32), and what a reset leaves behind (RST-01,
// MMIO-RST-01, MMIO-INTSTAT-04, MMIO-QRESET-02, registers.md, section 4).
`default_nettype none
`include "contract.vh"

module formal_status #(
    parameter                 QUEUES      = 1,
    parameter [16*QUEUES-1:0] QUEUE_SIZES = 0,
    parameter [127:0]         FEATURES    = 128'd0
) (
    input wire              clk,
    input wire              rst,
    input wire              write_take,
    input wire [7:0]        write_address,
    input wire [31:0]       write_data,
    input wire [3:0]        write_strobe,
    input wire              write_ready,
    input wire              read_take,
    input wire [7:0]        read_address,
    input wire [31:0]       read_data,
    input wire              irq,
    input wire [7:0]        back_status,
    input wire              back_live,
    input wire [127:0]      back_features,
    input wire              back_reset_request,
    input wire              back_reset_done,
    input wire              back_suspend_request,
    input wire              back_suspend_done,
    input wire              back_needs_reset,
    input wire [QUEUES-1:0] back_queue_alive,
    input wire [QUEUES-1:0] back_queue_stop,
    input wire              back_notify,
    input wire              back_enable_request,
    input wire              back_features_request,
    input wire              back_config_write
);
    `POWER_UP
    wire        acts, asked, asked_now, asked_control, device_reset;
    wire [11:0] at, offset;
    wire [31:0] data;
    formal_observer observer (.*);

    reg  [7:0] before;       // Status in the clock before
    reg        same_life;    // no reset since then
    reg  [7:0] wanted;       // bits of the last write to Status
    reg        wanted_suspend; // since the reset
    reg        reset_before, reset_written, needed, suspend_before;
    wire       writes = acts && at == `VMMIO_REG_STATUS;
    wire       writes_zero = writes && data == 32'd0;

    // Between a reset and the first write that acts.
    reg fresh, asked_fresh, just_reset;

    always @(posedge clk) begin
        before         <= back_status;
        same_life      <= !rst && !device_reset;
        reset_before   <= back_reset_request && !back_reset_done && !rst;
        suspend_before <= back_suspend_request && !back_suspend_done && !rst && !device_reset;
        needed         <= back_needs_reset && !back_reset_request && !rst;
        reset_written  <= writes_zero && !rst;
        just_reset     <= rst || device_reset;
        fresh          <= rst || device_reset || (fresh && !acts);
        if (writes)
            wanted <= data[7:0];
        wanted_suspend <= !rst && !device_reset && (wanted_suspend || (writes && data[4]));
        if (read_take)
            asked_fresh <= fresh;

        if (powered) begin
            if (same_life) begin
                bits_stay: assert ((before & ~back_status & 8'b1110_1011) == 8'd0);
                driver_ok_stays: assert (!before[2] || back_status[2] ||
                                         (back_status[4] && !before[4]));
                suspend_stays: assert (!before[4] || back_status[4] ||
                                       (back_status[2] && !before[2]));
                bits_were_written: assert ((back_status & ~before & 8'b1000_1111 & ~wanted) ==
                                           8'd0);
                suspend_was_written: assert (!back_status[4] || wanted_suspend);
                failed_ends: assert (!before[7] || before[5:0] == back_status[5:0] ||
                                     back_status[4]);
                needs_reset_is_the_devices: assert (back_status[6] == (before[6] || needed));
            end
            no_reserved_bit: assert (!back_status[5]);
            order: assert ((!back_status[3] || back_status[1]) &&
                           (!(back_status[2] || back_status[4]) || back_status[3]) &&
                           !(back_status[2] && back_status[4]));
            suspend_is_negotiated: assert (!back_status[4] ||
                                           back_features[`VMMIO_F_SUSPEND]);
            live_is_status: assert (back_live ==
                (back_status[2] && !back_status[4] && !back_status[6] && !back_status[7] &&
                 !back_reset_request && !back_suspend_request));
            if (asked && asked_control && offset == `VMMIO_REG_STATUS)
                reads_status: assert (read_data == {24'd0, back_status});
            reset_is_written: assert (!back_reset_request || reset_before || reset_written);
            if (reset_written)
                zero_resets: assert (back_reset_request || back_status == 8'd0);
            if (reset_before)
                reset_is_held: assert (back_reset_request && (back_status[5:0] == before[5:0] ||
                                       (before[2] && back_status[4]))); // a suspend has ended
            if (suspend_before)
                suspend_is_held: assert (back_suspend_request);
            if (just_reset) begin
                reset_clears_status: assert (back_status == 8'd0 && !back_live &&
                    !back_reset_request && !back_suspend_request && !back_features_request);
                reset_clears_irq: assert (!irq);
                reset_clears_queues: assert (back_queue_alive == 0 && back_queue_stop == 0 &&
                    !back_notify && !back_enable_request);
                reset_clears_features: assert (back_features == 128'd0);
            end
            if (asked && asked_control && asked_fresh && fresh) begin
                if (offset == `VMMIO_REG_STATUS) // a device may break at any time
                    reset_reads_status: assert ((read_data & 32'hffffffbf) == 32'd0);
                if (offset == `VMMIO_REG_INTERRUPT_STATUS || offset == `VMMIO_REG_QUEUE_READY ||
                    offset == `VMMIO_REG_QUEUE_RESET)
                    reset_reads_zero: assert (read_data == 32'd0);
                if (offset == `VMMIO_REG_QUEUE_SIZE_MAX)
                    reset_selects_queue_0: assert (read_data == {16'd0, QUEUE_SIZES[15:0]});
                if (offset == `VMMIO_REG_DEVICE_FEATURES)
                    reset_selects_word_0: assert (read_data == FEATURES[31:0]);
            end
            `COVER(cover_driver_ok, back_status == 8'h0f);
            `COVER(cover_reset_of_live, device_reset && back_status == 8'h0f && irq &&
                   back_queue_alive != 0);
            `COVER(cover_fresh_read, asked && asked_control && asked_fresh && fresh && !just_reset);
            if (FEATURES[`VMMIO_F_SUSPEND]) begin
                `COVER(cover_suspended, back_status == 8'h1b);
                `COVER(cover_resumed, same_life && before[4] && back_status == 8'h0f);
                `COVER(cover_broken_suspend, same_life && suspend_before && back_status[6]);
            end
        end
    end
endmodule

bind vmmio_register_block formal_status #(
    .QUEUES(QUEUES), .QUEUE_SIZES(QUEUE_SIZES), .FEATURES(FEATURES)) status_machine (.*);

`default_nettype wire
