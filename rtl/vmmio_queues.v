// SPDX-License-Identifier: Apache-2.0
// The registers of the queues, and what may be written to them when (4.2.2, 2.6.1).
// Twin of model/queues.c.
//
// QueueSize and the addresses are write-only, so they live in a memory of eight words a queue.
// What a reset has to make 0 is cleared when the queue is written for the first time after it, and
// what QueueReady = 1 has to check is read back then: a queue costs three flip-flops.
`default_nettype none

module vmmio_queues #(
    parameter                  QUEUES      = 2,
    parameter [16*QUEUES-1:0]  QUEUE_SIZES = {QUEUES{16'd256}},
    parameter                  QUEUE_BITS  = 1, // 2^QUEUE_BITS >= QUEUES, 1..6
    parameter                  PACKED      = 0  // RING_PACKED is offered
) (
    input  wire                  clk,
    input  wire                  rst,            // also at the end of a device reset (MMIO-RST-01)
    // Writes. A setting stays until !sweep, the others but write_notify until the clock after done.
    input  wire                  first,          // in its first clock
    input  wire                  write_sel,
    input  wire                  write_setting,  // QueueSize or an address
    input  wire                  write_ready,
    input  wire                  write_reset,
    input  wire                  write_notify,
    input  wire [2:0]            setting,        // desc, driver, device low/high, size
    input  wire [31:0]           data,
    input  wire                  data_upper,     // data[31:16] is not 0
    input  wire                  data_middle,    // data[15:8] is not 0
    input  wire                  data_low,       // data[7:1] is not 0
    output wire                  sweep,          // not yet: the queue's words are being cleared
    output wire                  done,
    // What the driver reads of the selected queue.
    output wire [15:0]           size_max,
    output reg                   ready,
    output reg                   reset_runs,
    // Conditions.
    input  wire                  live,
    input  wire                  ring_reset,     // negotiated
    input  wire                  ring_packed,    // negotiated; before FEATURES_OK rings are split
    input  wire                  with_data,      // NOTIFICATION_DATA is negotiated
    // Back side.
    output wire [QUEUES-1:0]     queue_alive,    // the device may use the queue
    output wire [QUEUES-1:0]     queue_stop,     // it is to stop using it
    input  wire [QUEUES-1:0]     queue_stop_done,
    output reg                   notify,
    output reg  [31:0]           notify_data,
    output wire                  enable_request,
    output wire [QUEUE_BITS-1:0] enable_queue,
    input  wire                  enable_done,
    input  wire                  enable_accept,
    input  wire                  read,
    input  wire [QUEUE_BITS-1:0] read_queue,
    input  wire [2:0]            read_word,
    output wire                  read_ready,
    output wire [31:0]           read_data
);
    genvar queue;
    generate
        for (queue = 0; queue < QUEUES; queue = queue + 1) begin : g_size
            localparam [15:0] SIZE = QUEUE_SIZES[16*queue +: 16];
            if (SIZE == 16'd0 || SIZE > 16'h8000)
                vmmio_parameter_QUEUE_SIZES_must_be_1_to_32768 error ();
            if (PACKED == 0 && (SIZE & (SIZE - 16'd1)) != 16'd0)
                vmmio_parameter_QUEUE_SIZES_must_be_powers_of_2_without_RING_PACKED error ();
        end
    endgenerate

    localparam [255:0] EXISTS = (256'd1 << QUEUES) - 256'd1; // a bit an index
    localparam [2:0]   LAST   = 3'd6; // step of QueueReady = 1 in which the back side decides

    // Per queue. Not alive and not stopping: as after reset, or written. Stopping but not written:
    // a queue reset, which forgets what was written.
    reg [QUEUES-1:0] alive, stopping, written;

    reg [QUEUE_BITS-1:0] sel;
    reg                  exists; // all 32 bits of QueueSel count: 65536 is not queue 0

    wire [QUEUES-1:0] one = 1;

    // What is below changes only when it is moved, or in the clock after; the rest of the time a
    // simulator need not look at it.
    wire moves = write_setting || write_ready || write_reset || stopping != {QUEUES{1'b0}};
    reg  moved;

    // The selected queue as it was in the clock before: what changes it from the bus takes two
    // clocks, and a stop that ends meanwhile counts as later than the write.
    reg  sel_alive, sel_fresh;
    wire sel_idle = exists && !ready;

    reg  [2:0] step;
    reg        enabling, fault;
    wire       store   = write_setting && sel_idle;
    wire       swept   = sweep && step == 3'd6;
    wire       checked = step == LAST;

    // In the first clock of a write of one bit.
    reg        wipe, stop, enable;
    always @* begin
        wipe   = 1'b0;
        stop   = 1'b0;
        enable = 1'b0;
        if (first && (write_ready || write_reset) && !data_upper && !data_middle && !data_low) begin
            wipe   = write_reset && data[0] && ring_reset;
            stop   = sel_alive && (wipe || (write_ready && !data[0]));
            enable = write_ready && data[0] && sel_idle;
        end
    end

    reg        end_now, start;
    always @* begin
        end_now = 1'b0;
        start   = 1'b0;
        if (enabling && checked) begin
            end_now = fault || enable_done;
            start   = !fault && enable_done && enable_accept;
        end
    end

    assign enable_request = enabling && checked && !fault;
    assign enable_queue   = sel;
    assign sweep          = write_setting && sel_fresh;
    assign done           = enabling ? end_now : first && !enable &&
                                                 (write_sel || write_ready || write_reset);

    reg                  store_now;
    reg [2:0]            store_word;
    wire [31:0]          check_data;

    // In steps 1 to 4 the check asks for driver, device, size and desc.
    assign read_ready = !enabling || checked;
    assign read_data  = check_data;
    vmmio_ram #(.ADDRESS_BITS(QUEUE_BITS + 3)) ram (
        .clk          (clk),
        .write        (store_now),
        .write_address({sel, store_word}),
        .write_data   (notify_data),
        .read         (read || !read_ready),
        .read_address (read_ready ? {read_queue, read_word} : {sel, step[1:0], 1'b0}),
        .read_data    (check_data)
    );

    wire [15:0] limit = QUEUE_SIZES[16*sel +: 16];
    assign size_max = exists ? limit : 16'd0;

    function several;
        input [3:0] bits;
        several = (bits[3] && bits[2]) || (bits[1] && bits[0]) || (|bits[3:2] && |bits[1:0]);
    endfunction

    assign queue_alive = alive;
    assign queue_stop  = stopping;

    reg size_bad;

    // The check of QueueReady = 1.
    always @(posedge clk)
        if (enabling) begin : check
            reg [15:0] mask, size;
            reg        size_over, size_mixed;
            reg [3:0]  some;
            reg        fault_now;

            // Up to the limit (MMIO-DRV-10), and in a split ring a power of 2 (SPLIT-03): one bit is
            // set. Where all rings are split, the limit is one as well, and no bit above it is set.
            mask       = limit | (limit - 16'd1);
            size       = PACKED != 0 ? check_data[15:0] : check_data[15:0] & mask;
            size_over  = PACKED != 0 ? check_data[31:16] != 16'd0 || check_data[15:0] > limit
                                     : (check_data & ~{16'd0, mask}) != 32'd0;
            some       = {|size[15:12], |size[11:8], |size[7:4], |size[3:0]};
            size_mixed = several(some) || several(size[15:12]) || several(size[11:8]) ||
                         several(size[7:4]) || several(size[3:0]);
            size_bad  <= size_over || some == 4'd0 || (!ring_packed && size_mixed);
            case (step)
            3'd1:    fault_now = sel_fresh;
            // Driver area: 2 bytes; of a packed ring as its device area, 4 (PACK-23).
            3'd2:    fault_now = check_data[0] || (ring_packed && check_data[1]);
            3'd3:    fault_now = check_data[1:0] != 2'd0;             // device area, 4 bytes
            3'd5:    fault_now = size_bad || check_data[3:0] != 4'd0; // descriptors, 16 bytes
            default: fault_now = 1'b0;
            endcase
            fault     <= step != 3'd0 && (fault || fault_now);
        end

    always @(posedge clk) begin
        moved <= write_sel || moves;
        if (rst || moved) begin : look
            reg is_alive, is_stopping, is_written;

            is_alive    = ((alive >> sel) & one) != {QUEUES{1'b0}};
            is_stopping = ((stopping >> sel) & one) != {QUEUES{1'b0}};
            is_written  = ((written >> sel) & one) != {QUEUES{1'b0}};
            ready      <= !rst && exists && (is_alive || is_stopping);
            reset_runs <= !rst && exists && is_stopping && !is_written;
            sel_alive  <= !rst && exists && is_alive;
            sel_fresh  <= rst || (exists && !is_alive && !is_stopping && !is_written);
        end
    end

    always @(posedge clk) begin
        enabling <= !rst && (enable || (enabling && !end_now));
        if (rst || !(sweep || enabling))
            step <= 3'd0;
        else if (sweep || !checked)
            step <= step + 3'd1;
    end

    always @(posedge clk) begin
        store_now <= store;
        begin
            store_word  <= sweep ? step : setting;
            notify_data <= sweep ? 32'd0 : data;
        end
        notify <= 1'b0;
        if (write_notify) // a queue that does not exist is never alive
            notify <= !rst && live && ((alive >> data[QUEUE_BITS-1:0]) & one) != {QUEUES{1'b0}} &&
                      (data[7:0] >> QUEUE_BITS) == 8'd0 && !data_middle &&
                      (with_data || !data_upper);
    end

    always @(posedge clk) begin
        if (write_sel) begin
            sel    <= data[QUEUE_BITS-1:0];
            exists <= !data_upper && !data_middle && EXISTS[data[7:0]];
        end
        if (rst) begin
            sel    <= {QUEUE_BITS{1'b0}};
            exists <= 1'b1;
        end
    end

    wire [QUEUES-1:0] hot = exists ? one << sel : {QUEUES{1'b0}};

    always @(posedge clk)
        if (rst)
            alive    <= {QUEUES{1'b0}};
        else if (moves)
            alive    <= (alive & ~(hot & {QUEUES{stop}})) | (hot & {QUEUES{start}});
    always @(posedge clk)
        if (rst)
            stopping <= {QUEUES{1'b0}};
        else if (moves)
            stopping <= (stopping & ~queue_stop_done) | (hot & ~stopping & {QUEUES{stop}});
    always @(posedge clk)
        if (rst)
            written  <= {QUEUES{1'b0}};
        else if (moves)
            written  <= (written & ~(hot & {QUEUES{wipe}})) | (hot & {QUEUES{swept}});
endmodule

`default_nettype wire
