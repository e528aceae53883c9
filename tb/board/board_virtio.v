// SPDX-License-Identifier: Apache-2.0
// The register block on a board: two queues, one shared memory region. What is left to do is the
// engine that serves the queues.
`default_nettype none

module board_virtio #(
    parameter [63:0] REGION_BASE   = 64'h4_0000_0000,
    parameter [63:0] REGION_LENGTH = 64'h100_0000
) (
    input  wire        aclk,
    input  wire        aresetn,
    input  wire [11:0] s_axil_awaddr,
    input  wire [2:0]  s_axil_awprot,
    input  wire        s_axil_awvalid,
    output wire        s_axil_awready,
    input  wire [31:0] s_axil_wdata,
    input  wire [3:0]  s_axil_wstrb,
    input  wire        s_axil_wvalid,
    output wire        s_axil_wready,
    output wire [1:0]  s_axil_bresp,
    output wire        s_axil_bvalid,
    input  wire        s_axil_bready,
    input  wire [11:0] s_axil_araddr,
    input  wire [2:0]  s_axil_arprot,
    input  wire        s_axil_arvalid,
    output wire        s_axil_arready,
    output wire [31:0] s_axil_rdata,
    output wire [1:0]  s_axil_rresp,
    output wire        s_axil_rvalid,
    input  wire        s_axil_rready,
    output wire        irq,

    // The engine: queues that it may use; those of which it has no access under way; the kick of
    // one; a buffer that it has used; where a queue is, in the clock after the question.
    output wire [1:0]  queue_alive,
    input  wire [1:0]  queue_idle,
    output wire        kick,
    output wire [15:0] kicked_queue,
    input  wire        used_buffer,
    input  wire        queue_read,
    input  wire        queue_read_queue,
    input  wire [2:0]  queue_read_word, // 0 to 6, see docs/fpga.md
    output wire        queue_read_ready,
    output wire [31:0] queue_read_data
);
    wire rst = !aresetn;

    // The region table is empty after a reset: load the four words of an entry, then commit it.
    localparam [127:0] REGION = {REGION_BASE, REGION_LENGTH};
    reg  [2:0] step;
    wire       commit_ready;
    wire       load   = step < 3'd4;
    wire       commit = step == 3'd4;

    always @(posedge aclk)
        if (rst)
            step <= 3'd0;
        else if (load || (commit && commit_ready))
            step <= step + 3'd1;

    wire [31:0] kick_data;
    assign kicked_queue = kick_data[15:0];

    // A reset, a suspend and a queue that stops end the use of queues; each is done when what is
    // under way is over. A queue may be alive before the driver is (STAT-09).
    wire [1:0] alive;
    wire       live;
    assign queue_alive = alive & {2{live}};

    // What this back side does not look at.
    wire [7:0]   status;
    wire [127:0] features;
    wire         features_request, reset_request, suspend_request, enable_request;
    wire         config_write, config_commit_ready;
    wire [1:0]   queue_stop;
    wire         enable_queue;
    wire [31:0]  config_write_data;
    wire [5:0]   config_write_word;
    wire [3:0]   config_write_strobe;
    wire unused = &{1'b0, status, features, features_request, reset_request, suspend_request,
                    enable_request, config_write, config_commit_ready, queue_stop, enable_queue,
                    config_write_data, config_write_word, config_write_strobe, kick_data[31:16]};

    vmmio_axil #(
        .DEVICE_ID   (32'd42),
        .FEATURES    (128'h1_00000000), // VERSION_1, and what the engine can do (FEAT-12)
        .QUEUES      (2),
        .QUEUE_SIZES ({16'd256, 16'd256}),
        .REGIONS     (1),
        .CONFIG_BYTES(0)
    ) registers (
        .clk                     (aclk),
        .rst                     (rst),
        .s_axil_awaddr           (s_axil_awaddr),
        .s_axil_awprot           (s_axil_awprot),
        .s_axil_awvalid          (s_axil_awvalid),
        .s_axil_awready          (s_axil_awready),
        .s_axil_wdata            (s_axil_wdata),
        .s_axil_wstrb            (s_axil_wstrb),
        .s_axil_wvalid           (s_axil_wvalid),
        .s_axil_wready           (s_axil_wready),
        .s_axil_bresp            (s_axil_bresp),
        .s_axil_bvalid           (s_axil_bvalid),
        .s_axil_bready           (s_axil_bready),
        .s_axil_araddr           (s_axil_araddr),
        .s_axil_arprot           (s_axil_arprot),
        .s_axil_arvalid          (s_axil_arvalid),
        .s_axil_arready          (s_axil_arready),
        .s_axil_rdata            (s_axil_rdata),
        .s_axil_rresp            (s_axil_rresp),
        .s_axil_rvalid           (s_axil_rvalid),
        .s_axil_rready           (s_axil_rready),
        .irq                     (irq),
        .back_status             (status),
        .back_live               (live),
        .back_features           (features),
        .back_features_request   (features_request),
        .back_features_done      (1'b1),
        .back_features_accept    (1'b1),
        .back_reset_request      (reset_request),
        .back_reset_done         (&queue_idle),
        .back_suspend_request    (suspend_request),
        .back_suspend_done       (&queue_idle),
        .back_used_buffer        (used_buffer),
        .back_needs_reset        (1'b0),
        .back_queue_alive        (alive),
        .back_queue_stop         (queue_stop),
        .back_queue_stop_done    (queue_idle),
        .back_notify             (kick),
        .back_notify_data        (kick_data),
        .back_enable_request     (enable_request),
        .back_enable_queue       (enable_queue),
        .back_enable_done        (1'b1),
        .back_enable_accept      (1'b1),
        .back_queue_read         (queue_read),
        .back_queue_read_queue   (queue_read_queue),
        .back_queue_read_word    (queue_read_word),
        .back_queue_read_ready   (queue_read_ready),
        .back_queue_read_data    (queue_read_data),
        .back_config_write       (config_write),
        .back_config_write_word  (config_write_word),
        .back_config_write_strobe(config_write_strobe),
        .back_config_write_data  (config_write_data),
        .back_config_write_done  (1'b1),
        .back_load               (load),
        .back_load_config        (1'b0),
        .back_load_word          ({4'd0, step[1:0]}),
        .back_load_data          (REGION[32*step[1:0] +: 32]),
        .back_config_commit      (1'b0),
        .back_config_counts      (1'b0),
        .back_config_notify      (1'b0),
        .back_config_commit_ready(config_commit_ready),
        .back_region_commit      (commit),
        .back_region_index       (3'd0),
        .back_region_id          (8'd0),
        .back_region_present     (1'b1),
        .back_region_commit_ready(commit_ready)
    );
endmodule

`default_nettype wire
