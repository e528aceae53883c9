// SPDX-License-Identifier: Apache-2.0
// What a driver must not do changes nothing (A-WIDTH, A-ALIGN, A-WDIR, A-HOLE, A-CFG-OOB, MMIO-DRV-01,
// MMIO-DRV-03, H-28), and a read changes nothing, whatever it is of.
//
// Beside the block stands a twin that gets the same, but for refused accesses: it sees each as one
// to a place where nothing is, or in `reads`, it sees no read at all. No one can tell them apart.
`default_nettype none
`include "contract.vh"

module formal_refused #(
    parameter [31:0]          DEVICE_ID        = 32'd0,
    parameter [31:0]          VENDOR_ID        = 32'd0,
    parameter [127:0]         FEATURES         = 128'd0,
    parameter [127:0]         REQUIRED         = 128'd0,
    parameter                 DEPENDENCY_COUNT = 0,
    parameter [16*(DEPENDENCY_COUNT + 1) - 1:0] DEPENDENCIES = 0,
    parameter                 QUEUES           = 2,
    parameter [16*QUEUES-1:0] QUEUE_SIZES      = 0,
    parameter                 QUEUE_BITS       = 1,
    parameter                 REGIONS          = 1,
    parameter                 CONFIG_BYTES     = 0,
    parameter                 HOLD_RESET       = 1
) (
    input wire                  clk,
    input wire                  rst,
    input wire                  write_take,
    input wire [7:0]            write_address,
    input wire [31:0]           write_data,
    input wire [3:0]            write_strobe,
    input wire                  write_ready,
    input wire                  write_done,
    input wire                  read_take,
    input wire [7:0]            read_address,
    input wire [31:0]           read_data,
    input wire                  irq,
    input wire [7:0]            back_status,
    input wire                  back_live,
    input wire [127:0]          back_features,
    input wire                  back_features_request,
    input wire                  back_features_done,
    input wire                  back_features_accept,
    input wire                  back_reset_request,
    input wire                  back_reset_done,
    input wire                  back_suspend_request,
    input wire                  back_suspend_done,
    input wire                  back_used_buffer,
    input wire                  back_needs_reset,
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
    input wire [31:0]           back_queue_read_data,
    input wire                  back_config_write,
    input wire [5:0]            back_config_write_word,
    input wire [3:0]            back_config_write_strobe,
    input wire [31:0]           back_config_write_data,
    input wire                  back_config_write_done,
    input wire                  back_load,
    input wire                  back_load_config,
    input wire [5:0]            back_load_word,
    input wire [31:0]           back_load_data,
    input wire                  back_config_commit,
    input wire                  back_config_counts,
    input wire                  back_config_notify,
    input wire                  back_config_commit_ready,
    input wire                  back_region_commit,
    input wire [2:0]            back_region_index,
    input wire [7:0]            back_region_id,
    input wire                  back_region_present,
    input wire                  back_region_commit_ready
);
    `POWER_UP

    // Which accesses are refused.
    localparam [256:0] EXISTS = (257'd1 << CONFIG_BYTES) - 257'd1; // a bit a byte
    reg writable, natural;
    always @* begin
        case ({4'd0, write_address[5:0], 2'd0})
        `VMMIO_REG_DEVICE_FEATURES_SEL, `VMMIO_REG_DRIVER_FEATURES,
        `VMMIO_REG_DRIVER_FEATURES_SEL, `VMMIO_REG_QUEUE_SEL, `VMMIO_REG_QUEUE_SIZE,
        `VMMIO_REG_QUEUE_READY, `VMMIO_REG_QUEUE_NOTIFY, `VMMIO_REG_INTERRUPT_ACK,
        `VMMIO_REG_STATUS, `VMMIO_REG_QUEUE_DESC_LOW, `VMMIO_REG_QUEUE_DESC_HIGH,
        `VMMIO_REG_QUEUE_DRIVER_LOW, `VMMIO_REG_QUEUE_DRIVER_HIGH, `VMMIO_REG_QUEUE_DEVICE_LOW,
        `VMMIO_REG_QUEUE_DEVICE_HIGH, `VMMIO_REG_SHM_SEL, `VMMIO_REG_QUEUE_RESET: writable = 1'b1;
        default: writable = 1'b0;
        endcase
        case (write_strobe)
        4'b0001, 4'b0010, 4'b0100, 4'b1000, 4'b0011, 4'b1100, 4'b1111: natural = 1'b1;
        default: natural = 1'b0;
        endcase
    end
    wire resetting = back_reset_request && !back_reset_done;
    wire legal = !resetting &&
                 (write_address[6] && writable && write_strobe == 4'b1111 ||
                  write_address[7] && natural &&
                  (write_strobe & EXISTS[{1'b0, write_address[5:0], 2'd0} +: 4]) != 4'd0);

    // A write behind the config space takes the bus for a clock more, so the twin gets it as it is;
    // contract "config" says that it reaches no one.
    wire same = legal || (write_address[7] && natural && !resetting);

    // The twin.
    (* anyconst *) wire reads; // leave out reads, not writes
    wire [31:0]           twin_read_data, twin_notify_data, twin_queue_read_data,
                          twin_config_write_data;
    wire                  twin_irq, twin_live, twin_features_request, twin_reset_request,
                          twin_suspend_request, twin_notify, twin_enable_request,
                          twin_queue_read_ready, twin_config_write, twin_config_commit_ready,
                          twin_region_commit_ready, twin_write_ready, twin_write_done;
    wire [7:0]            twin_status;
    wire [127:0]          twin_features;
    wire [QUEUES-1:0]     twin_queue_alive, twin_queue_stop;
    wire [QUEUE_BITS-1:0] twin_enable_queue;
    wire [5:0]            twin_config_write_word;
    wire [3:0]            twin_config_write_strobe;

    vmmio_register_block #(
        .DEVICE_ID(DEVICE_ID), .VENDOR_ID(VENDOR_ID), .FEATURES(FEATURES), .REQUIRED(REQUIRED),
        .DEPENDENCY_COUNT(DEPENDENCY_COUNT), .DEPENDENCIES(DEPENDENCIES), .QUEUES(QUEUES),
        .QUEUE_SIZES(QUEUE_SIZES), .QUEUE_BITS(QUEUE_BITS), .REGIONS(REGIONS),
        .CONFIG_BYTES(CONFIG_BYTES), .HOLD_RESET(HOLD_RESET)
    ) twin (
        .write_address           ({write_address[7:6] & {2{same || reads}}, write_address[5:0]}),
        .read_take               (read_take && !reads),
        .read_data               (twin_read_data),
        .irq                     (twin_irq),
        .write_ready             (twin_write_ready),
        .write_done              (twin_write_done),
        .back_status             (twin_status),
        .back_live               (twin_live),
        .back_features           (twin_features),
        .back_features_request   (twin_features_request),
        .back_reset_request      (twin_reset_request),
        .back_suspend_request    (twin_suspend_request),
        .back_queue_alive        (twin_queue_alive),
        .back_queue_stop         (twin_queue_stop),
        .back_notify             (twin_notify),
        .back_notify_data        (twin_notify_data),
        .back_enable_request     (twin_enable_request),
        .back_enable_queue       (twin_enable_queue),
        .back_queue_read_ready   (twin_queue_read_ready),
        .back_queue_read_data    (twin_queue_read_data),
        .back_config_write       (twin_config_write),
        .back_config_write_word  (twin_config_write_word),
        .back_config_write_strobe(twin_config_write_strobe),
        .back_config_write_data  (twin_config_write_data),
        .back_config_commit_ready(twin_config_commit_ready),
        .back_region_commit_ready(twin_region_commit_ready),
        .*
    );

    reg taken, refused_before;
    initial taken = 1'b0;
    always @(posedge clk) begin
        taken          <= !rst && (taken || read_take); // read_data is of a read
        refused_before <= write_take && !same && !rst;
    end

    always @(posedge clk)
        if (powered) begin
            leaves_no_trace_at_the_back: assert (
                {irq, back_status, back_live, back_features, back_features_request,
                 back_reset_request, back_suspend_request, back_queue_alive, back_queue_stop,
                 back_notify, back_enable_request, back_enable_queue, back_queue_read_ready,
                 back_config_write, back_config_commit_ready, back_region_commit_ready} ==
                {twin_irq, twin_status, twin_live, twin_features, twin_features_request,
                 twin_reset_request, twin_suspend_request, twin_queue_alive, twin_queue_stop,
                 twin_notify, twin_enable_request, twin_enable_queue, twin_queue_read_ready,
                 twin_config_write, twin_config_commit_ready, twin_region_commit_ready});
            leaves_no_trace_in_time: assert ({write_ready, write_done} ==
                                             {twin_write_ready, twin_write_done});
            leaves_no_trace_in_data: assert (
                (!back_notify || back_notify_data == twin_notify_data) &&
                (!back_config_write ||
                 {back_config_write_word, back_config_write_strobe, back_config_write_data} ==
                 {twin_config_write_word, twin_config_write_strobe, twin_config_write_data}));
            if (taken && !reads)
                leaves_no_trace_in_reads: assert (read_data == twin_read_data);
            `COVER(cover_refused_while_alive, refused_before && back_queue_alive != 0 && back_live);
            `COVER(cover_refused_by_reset, write_take && resetting && write_strobe == 4'b1111 &&
                   write_address[6] && HOLD_RESET == 0 || HOLD_RESET != 0 && refused_before);
            `COVER(cover_read, taken && reads && read_data != twin_read_data);
        end
endmodule

bind vmmio_axil formal_refused #(
    .DEVICE_ID(DEVICE_ID), .VENDOR_ID(VENDOR_ID), .FEATURES(FEATURES), .REQUIRED(REQUIRED),
    .DEPENDENCY_COUNT(DEPENDENCY_COUNT), .DEPENDENCIES(DEPENDENCIES), .QUEUES(QUEUES),
    .QUEUE_SIZES(QUEUE_SIZES), .QUEUE_BITS(QUEUE_BITS), .REGIONS(REGIONS),
    .CONFIG_BYTES(CONFIG_BYTES), .HOLD_RESET(HOLD_RESET)) refused (.*);

`default_nettype wire
