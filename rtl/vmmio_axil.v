// SPDX-License-Identifier: Apache-2.0
// The virtio-mmio register block (VIRTIO 1.4, 4.2.2) as an AXI4-Lite slave.
//
// One read and one write a clock, back to back; an access is answered two clocks after its address
// (and data) were taken. Only these writes take longer: QueueReady = 0 and QueueReset (3 clocks),
// Status (6 and what the back side takes), QueueReady = 1 (10 and the back side), the first setting
// of a queue after a reset (10), config (3 and the back side); and the clock after a write to
// QueueSel takes no other. Every response is OKAY: what a driver must not do reads 0 and changes
// nothing (A-WIDTH, A-ALIGN, A-WDIR, A-HOLE).
// A control register is read at its aligned address and written with all four strobes; the config
// window takes strobes of one byte, of an aligned half or of the whole word, and the low two
// address bits do not matter there.
//
// The back side, for whatever owns queues and device function, is all that is named back_*:
//
// - Requests stay until they are done; done may be high in the same clock, or always. Requests of
//   features, enable and config_write hold the write that caused them, so the driver reads their
//   outcome when its write is answered. The driver sees reset, suspend and queue_stop running;
//   HOLD_RESET = 1 makes reset hold its write as well, for drivers that do not wait until Status
//   reads 0 (RST-04).
//   - features: the set in back_features is valid for the block; accept = 0 refuses it (FEAT-11),
//     for instance RING_PACKED while a queue is alive, which was judged as a split one (H-31).
//   - enable: QueueReady = 1 for back_enable_queue, whose size and addresses are well-formed one by
//     one; accept = 0 refuses, for instance parts that overlap.
//   - config_write: bytes of the config space that the driver has written. If they are to read
//     back, commit them, with config_counts = 0, before done.
//   - reset: stop everything; after done no access to memory and no event may follow (RST-02).
//   - suspend: finish what is in flight (SUSP-11). A reset takes the request away.
//   - queue_stop, a bit a queue: queue_alive has fallen; done when the last access is over. A reset
//     takes the request away.
// - queue_alive: the device may use the queue while back_live. notify: a kick of an alive queue,
//   the whole register; the lowest bits are the queue. Look at every alive queue once when
//   back_live rises or a queue becomes alive (A-QNOTIFY-EARLY).
// - queue_read while queue_read_ready: the next clock has a word of a queue's registers, 0 to 6:
//   desc low, high, driver low, high, device low, high, size. They mean something from
//   enable_request until the queue is no longer alive and its queue_stop, if any, is done.
// - used_buffer, needs_reset: events, one a clock while high. In the clock of a write an event
//   counts as the earlier one; of an acknowledge, which never takes it away (A-ACK), of a kick and
//   of the start of a suspend, as the later one.
// - load: a word of the config space or of a region (0 to 3: length low, high, base low, high).
//   Load all words before each commit, which shows them in one step in the first clock that it is
//   high with commit_ready; commit only what has changed. A config commit counts ConfigGeneration
//   up if config_counts; the window reads 0 before the first. A region commit replaces entry
//   back_region_index (below REGIONS) of the table, of which the driver sees nothing before its
//   next write to SHMSel (A-SHM-5). Give regions lengths of at least 1 and ids that differ.
// - config_notify: configuration change interrupt, for a live driver, in a clock with
//   config_commit_ready; together with the commit that it is about, or alone after a region has
//   changed (A-SHM-5). While suspended it is not ready: hold it, and the driver hears at resume.
`default_nettype none

module vmmio_axil #(
    parameter [31:0]          DEVICE_ID    = 32'd42,            // 0: a placeholder
    parameter [31:0]          VENDOR_ID    = 32'h6f696d76,
    parameter [127:0]         FEATURES     = 128'h941_30000000, // offered; VERSION_1 is bit 32
    parameter [127:0]         REQUIRED     = 128'h1_00000000,   // insisted upon, of those (RFB-06)
    parameter                 DEPENDENCY_COUNT = 0,             // 0..128 pairs
    // Of 16 bits, the first in the lowest: 8 for a feature 0..127, above them 8 for what it needs.
    parameter [16*(DEPENDENCY_COUNT + 1) - 1:0] DEPENDENCIES = 0,
    parameter                 QUEUES       = 2,                 // 1..64
    // QueueSizeMax of each, 16 bits, queue 0 lowest: 1..32768, powers of 2 unless RING_PACKED is
    // offered.
    parameter [16*QUEUES-1:0] QUEUE_SIZES  = {QUEUES{16'd256}},
    parameter                 REGIONS      = 1,                 // 0..8
    parameter                 CONFIG_BYTES = 8,                 // 0..256
    parameter                 HOLD_RESET   = 1,                 // 0 or 1, see above
    // Not to be set:
    parameter                 QUEUE_BITS   = QUEUES <= 2 ? 1 : $clog2(QUEUES)
) (
    input  wire                  clk,
    input  wire                  rst, // synchronous

    input  wire [11:0]           s_axil_awaddr,
    input  wire [2:0]            s_axil_awprot, // ignored
    input  wire                  s_axil_awvalid,
    output wire                  s_axil_awready,
    input  wire [31:0]           s_axil_wdata,
    input  wire [3:0]            s_axil_wstrb,
    input  wire                  s_axil_wvalid,
    output wire                  s_axil_wready,
    output wire [1:0]            s_axil_bresp,
    output reg                   s_axil_bvalid,
    input  wire                  s_axil_bready,
    input  wire [11:0]           s_axil_araddr,
    input  wire [2:0]            s_axil_arprot, // ignored
    input  wire                  s_axil_arvalid,
    output wire                  s_axil_arready,
    output reg  [31:0]           s_axil_rdata,
    output wire [1:0]            s_axil_rresp,
    output reg                   s_axil_rvalid,
    input  wire                  s_axil_rready,

    output wire                  irq, // level (MMIO-IRQ-01)

    output wire [7:0]            back_status,
    output wire                  back_live,
    output wire [127:0]          back_features,
    output wire                  back_features_request,
    input  wire                  back_features_done,
    input  wire                  back_features_accept,
    output wire                  back_reset_request,
    input  wire                  back_reset_done,
    output wire                  back_suspend_request,
    input  wire                  back_suspend_done,
    input  wire                  back_used_buffer,
    input  wire                  back_needs_reset,
    output wire [QUEUES-1:0]     back_queue_alive,
    output wire [QUEUES-1:0]     back_queue_stop,
    input  wire [QUEUES-1:0]     back_queue_stop_done,
    output wire                  back_notify,
    output wire [31:0]           back_notify_data,
    output wire                  back_enable_request,
    output wire [QUEUE_BITS-1:0] back_enable_queue,
    input  wire                  back_enable_done,
    input  wire                  back_enable_accept,
    input  wire                  back_queue_read,
    input  wire [QUEUE_BITS-1:0] back_queue_read_queue,
    input  wire [2:0]            back_queue_read_word,
    output wire                  back_queue_read_ready,
    output wire [31:0]           back_queue_read_data,
    output wire                  back_config_write,
    output wire [5:0]            back_config_write_word,
    output wire [3:0]            back_config_write_strobe,
    output wire [31:0]           back_config_write_data,
    input  wire                  back_config_write_done,
    input  wire                  back_load,
    input  wire                  back_load_config,
    input  wire [5:0]            back_load_word,
    input  wire [31:0]           back_load_data,
    input  wire                  back_config_commit,
    input  wire                  back_config_counts,
    input  wire                  back_config_notify,
    output wire                  back_config_commit_ready,
    input  wire                  back_region_commit,
    input  wire [2:0]            back_region_index,
    input  wire [7:0]            back_region_id,
    input  wire                  back_region_present,
    output wire                  back_region_commit_ready
);
    // A module that does not exist stops elaboration and tells what to change.
    generate
        if (QUEUES < 1 || QUEUES > 64)
            vmmio_parameter_QUEUES_must_be_1_to_64 error ();
        if (REGIONS < 0 || REGIONS > 8)
            vmmio_parameter_REGIONS_must_be_0_to_8 error ();
        if (CONFIG_BYTES < 0 || CONFIG_BYTES > 256)
            vmmio_parameter_CONFIG_BYTES_must_be_0_to_256 error ();
        if ((REQUIRED & ~FEATURES) != 128'd0)
            vmmio_parameter_REQUIRED_must_be_part_of_FEATURES error ();
    endgenerate

    wire [7:0]  write_address, read_address;
    wire [31:0] write_data, read_data;
    wire [3:0]  write_strobe;
    wire        address_valid, data_valid, read_valid;
    wire        write_ready, write_done;

    // What an address can be: {in the config window, a control register's (A-ALIGN), word}.
    function [7:0] kind;
        input [11:0] address;
        kind = {address[11:8] == 4'd1, address[11:8] == 4'd0 && address[1:0] == 2'd0, address[7:2]};
    endfunction

    assign s_axil_bresp = 2'b00;
    assign s_axil_rresp = 2'b00;
    wire unused = &{1'b0, s_axil_awprot, s_axil_arprot};

    // A write is taken only when no answer waits in vain, so two places are enough: for the answer
    // of the write that is under way and for the one before.
    reg  more_answers; // two are waiting: s_axil_bvalid is high as well
    wire answer_space = !s_axil_bvalid || s_axil_bready;
    wire write_take   = address_valid && data_valid && write_ready && answer_space;
    wire answered     = s_axil_bvalid && s_axil_bready;

    vmmio_skid #(.WIDTH(8)) skid_aw (
        .clk      (clk),
        .rst      (rst),
        .in_valid (s_axil_awvalid),
        .in_ready (s_axil_awready),
        .in_data  (kind(s_axil_awaddr)),
        .out_valid(address_valid),
        .out_take (write_take),
        .out_data (write_address)
    );
    vmmio_skid #(.WIDTH(36)) skid_w (
        .clk      (clk),
        .rst      (rst),
        .in_valid (s_axil_wvalid),
        .in_ready (s_axil_wready),
        .in_data  ({s_axil_wstrb, s_axil_wdata}),
        .out_valid(data_valid),
        .out_take (write_take),
        .out_data ({write_strobe, write_data})
    );

    always @(posedge clk)
        if (rst) begin
            s_axil_bvalid <= 1'b0;
            more_answers  <= 1'b0;
        end else if (write_done != answered) begin
            s_axil_bvalid <= write_done || more_answers;
            more_answers  <= write_done && s_axil_bvalid;
        end

    // A read passes through the block's decode into s_axil_rdata.
    reg  decoded;
    wire read_step = !s_axil_rvalid || s_axil_rready;
    wire read_take = read_valid && (!decoded || read_step);

    vmmio_skid #(.WIDTH(8)) skid_ar (
        .clk      (clk),
        .rst      (rst),
        .in_valid (s_axil_arvalid),
        .in_ready (s_axil_arready),
        .in_data  (kind(s_axil_araddr)),
        .out_valid(read_valid),
        .out_take (read_take),
        .out_data (read_address)
    );

    always @(posedge clk) begin
        if (read_step) begin
            s_axil_rdata <= 32'd0; // while there is no answer
            if (decoded)
                s_axil_rdata <= read_data;
        end
        if (rst) begin
            decoded       <= 1'b0;
            s_axil_rvalid <= 1'b0;
        end else begin
            if (!decoded || read_step)
                decoded <= read_valid;
            if (read_step)
                s_axil_rvalid <= decoded;
        end
    end

    vmmio_register_block #(
        .DEVICE_ID       (DEVICE_ID),
        .VENDOR_ID       (VENDOR_ID),
        .FEATURES        (FEATURES),
        .REQUIRED        (REQUIRED),
        .DEPENDENCY_COUNT(DEPENDENCY_COUNT),
        .DEPENDENCIES    (DEPENDENCIES),
        .QUEUES          (QUEUES),
        .QUEUE_SIZES     (QUEUE_SIZES),
        .QUEUE_BITS      (QUEUE_BITS),
        .REGIONS         (REGIONS),
        .CONFIG_BYTES    (CONFIG_BYTES),
        .HOLD_RESET      (HOLD_RESET)
    ) block (
        .clk                     (clk),
        .rst                     (rst),
        .write_take              (write_take),
        .write_address           (write_address),
        .write_data              (write_data),
        .write_strobe            (write_strobe),
        .write_ready             (write_ready),
        .write_done              (write_done),
        .read_take               (read_take),
        .read_address            (read_address),
        .read_data               (read_data),
        .irq                     (irq),
        .back_status             (back_status),
        .back_live               (back_live),
        .back_features           (back_features),
        .back_features_request   (back_features_request),
        .back_features_done      (back_features_done),
        .back_features_accept    (back_features_accept),
        .back_reset_request      (back_reset_request),
        .back_reset_done         (back_reset_done),
        .back_suspend_request    (back_suspend_request),
        .back_suspend_done       (back_suspend_done),
        .back_used_buffer        (back_used_buffer),
        .back_needs_reset        (back_needs_reset),
        .back_queue_alive        (back_queue_alive),
        .back_queue_stop         (back_queue_stop),
        .back_queue_stop_done    (back_queue_stop_done),
        .back_notify             (back_notify),
        .back_notify_data        (back_notify_data),
        .back_enable_request     (back_enable_request),
        .back_enable_queue       (back_enable_queue),
        .back_enable_done        (back_enable_done),
        .back_enable_accept      (back_enable_accept),
        .back_queue_read         (back_queue_read),
        .back_queue_read_queue   (back_queue_read_queue),
        .back_queue_read_word    (back_queue_read_word),
        .back_queue_read_ready   (back_queue_read_ready),
        .back_queue_read_data    (back_queue_read_data),
        .back_config_write       (back_config_write),
        .back_config_write_word  (back_config_write_word),
        .back_config_write_strobe(back_config_write_strobe),
        .back_config_write_data  (back_config_write_data),
        .back_config_write_done  (back_config_write_done),
        .back_load               (back_load),
        .back_load_config        (back_load_config),
        .back_load_word          (back_load_word),
        .back_load_data          (back_load_data),
        .back_config_commit      (back_config_commit),
        .back_config_counts      (back_config_counts),
        .back_config_notify      (back_config_notify),
        .back_config_commit_ready(back_config_commit_ready),
        .back_region_commit      (back_region_commit),
        .back_region_index       (back_region_index),
        .back_region_id          (back_region_id),
        .back_region_present     (back_region_present),
        .back_region_commit_ready(back_region_commit_ready)
    );
endmodule

`default_nettype wire
