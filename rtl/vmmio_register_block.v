// SPDX-License-Identifier: Apache-2.0
// The address decoder of the register block; what a register means is in its room.
// Twin of model/register_block.c. Parameters and the back side's ports: see vmmio_axil.
//
// A write is decoded while it is taken and acts in the next clock, or later if a room is busy with
// it. A read is decoded while it is taken, too, and its data is there in the next clock.
`default_nettype none
`include "vmmio_regs.vh"

module vmmio_register_block #(
    parameter [31:0]          DEVICE_ID        = 32'd0,
    parameter [31:0]          VENDOR_ID        = 32'd0,
    parameter [127:0]         FEATURES         = 128'd0,
    parameter [127:0]         REQUIRED         = 128'd0,
    parameter                 DEPENDENCY_COUNT = 0,
    parameter [16*(DEPENDENCY_COUNT + 1) - 1:0] DEPENDENCIES = 0,
    parameter                 QUEUES           = 2,
    parameter [16*QUEUES-1:0] QUEUE_SIZES      = {QUEUES{16'd256}},
    parameter                 QUEUE_BITS       = 1,
    parameter                 REGIONS          = 1,
    parameter                 CONFIG_BYTES     = 0,
    parameter                 HOLD_RESET       = 1
) (
    input  wire                  clk,
    input  wire                  rst,

    // Bus side. An address is {in the config window, a control register's, word within either}.
    input  wire                  write_take,    // only while write_ready
    input  wire [7:0]            write_address,
    input  wire [31:0]           write_data,
    input  wire [3:0]            write_strobe,
    output wire                  write_ready,
    output wire                  write_done,    // the last clock of a write
    input  wire                  read_take,
    input  wire [7:0]            read_address,
    output wire [31:0]           read_data,     // of the last read taken
    output wire                  irq,

    // Back side.
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
    // One memory holds config space and region table: both are loaded by the back side and read by
    // the bus alone.
    localparam SLOT_BITS = REGIONS <= 2 ? 2 : REGIONS <= 6 ? 3 : 4;
    localparam WORD_BITS = CONFIG_BYTES <= 8 ? 1 : $clog2((CONFIG_BYTES + 3) / 4);
    localparam PART_BITS = WORD_BITS + 1 > SLOT_BITS + 2 ? WORD_BITS + 1 : SLOT_BITS + 2;

    wire       status_done, queues_done, queues_sweep, config_done;
    wire       live, suspended, clear, status_raise, config_raise, acceptable;
    wire [7:0] status;
    wire       features_ok = status[3];
    wire       driver_ok   = status[2];
    wire       block_rst   = rst || clear;

    function is_at;
        input [5:0]  word;
        input [11:0] offset;
        is_at = {4'd0, word, 2'd0} == offset;
    endfunction

    // An access of natural alignment and 8, 16 or 32 bits.
    function is_natural;
        input [3:0] strobe;
        is_natural = strobe == 4'b0001 || strobe == 4'b0010 || strobe == 4'b0100 ||
                     strobe == 4'b1000 || strobe == 4'b0011 || strobe == 4'b1100 ||
                     strobe == 4'b1111;
    endfunction

    reg w_device_features_sel, w_driver_features, w_driver_features_sel, w_queue_sel,
        w_queue_setting, w_queue_ready, w_queue_notify, w_interrupt_ack, w_status, w_shm_sel,
        w_queue_reset, w_config;
    reg        w_valid, w_first;     // not answered; in its first clock
    reg [31:0] w_data;
    reg [5:0]  w_word;
    reg [3:0]  w_strobe;
    reg        w_upper, w_middle, w_low; // data[31:16], [15:8], [7:1] are not 0

    // A write that its room has to say is done stays for one more clock; others for one in all.
    reg  w_slow;
    wire w_busy = w_slow || queues_sweep;
    reg  w_holds;
    always @* begin
        w_holds = 1'b0;
        if (w_slow)
            w_holds = !(status_done || queues_done || config_done);
    end
    // QueueSel keeps others away for two clocks, but is answered in the first: who waits for the
    // answer comes late enough to see the queue.
    assign write_ready = !w_busy;
    assign write_done  = w_valid && (w_queue_sel || !w_busy);

    // Write: decode.
    always @(posedge clk) begin
        w_first <= write_take;
        w_valid <= !rst && (write_take || (w_valid && !write_done));
        if (write_take && !rst) begin : decode
            reg       refused, control, for_config;
            reg [5:0] at;

            refused    = back_reset_request && !clear;
            at         = write_address[5:0];
            control    = write_address[6] && write_strobe == 4'b1111 && !refused; // A-WIDTH
            for_config = write_address[7] && is_natural(write_strobe) && !refused;
            w_device_features_sel <= control && is_at(at, `VMMIO_REG_DEVICE_FEATURES_SEL);
            w_driver_features     <= control && is_at(at, `VMMIO_REG_DRIVER_FEATURES);
            w_driver_features_sel <= control && is_at(at, `VMMIO_REG_DRIVER_FEATURES_SEL);
            w_queue_sel           <= control && is_at(at, `VMMIO_REG_QUEUE_SEL);
            w_queue_setting       <= control && (is_at(at, `VMMIO_REG_QUEUE_SIZE) ||
                                                 is_at(at, `VMMIO_REG_QUEUE_DESC_LOW) ||
                                                 is_at(at, `VMMIO_REG_QUEUE_DESC_HIGH) ||
                                                 is_at(at, `VMMIO_REG_QUEUE_DRIVER_LOW) ||
                                                 is_at(at, `VMMIO_REG_QUEUE_DRIVER_HIGH) ||
                                                 is_at(at, `VMMIO_REG_QUEUE_DEVICE_LOW) ||
                                                 is_at(at, `VMMIO_REG_QUEUE_DEVICE_HIGH));
            w_queue_ready         <= control && is_at(at, `VMMIO_REG_QUEUE_READY);
            w_queue_notify        <= control && is_at(at, `VMMIO_REG_QUEUE_NOTIFY);
            w_interrupt_ack       <= control && is_at(at, `VMMIO_REG_INTERRUPT_ACK);
            w_status              <= control && is_at(at, `VMMIO_REG_STATUS);
            w_shm_sel             <= control && is_at(at, `VMMIO_REG_SHM_SEL);
            w_queue_reset         <= control && is_at(at, `VMMIO_REG_QUEUE_RESET);
            w_config              <= for_config;
            w_slow                <= for_config || (control && (is_at(at, `VMMIO_REG_QUEUE_SEL) ||
                                                                is_at(at, `VMMIO_REG_QUEUE_READY) ||
                                                                is_at(at, `VMMIO_REG_QUEUE_RESET) ||
                                                                is_at(at, `VMMIO_REG_STATUS)));
        end else if (rst || !w_busy) begin
            w_slow                <= 1'b0;
            w_device_features_sel <= 1'b0;
            w_driver_features     <= 1'b0;
            w_driver_features_sel <= 1'b0;
            w_queue_sel           <= 1'b0;
            w_queue_setting       <= 1'b0;
            w_queue_ready         <= 1'b0;
            w_queue_notify        <= 1'b0;
            w_interrupt_ack       <= 1'b0;
            w_status              <= 1'b0;
            w_shm_sel             <= 1'b0;
            w_queue_reset         <= 1'b0;
            w_config              <= 1'b0;
        end else begin
            w_slow                <= w_holds;
        end
    end

    always @(posedge clk)
        if (write_take) begin
            w_data   <= write_data;
            w_word   <= write_address[5:0];
            w_strobe <= write_strobe;
            w_upper  <= write_data[31:16] != 16'd0;
            w_middle <= write_data[15:8] != 8'd0;
            w_low    <= write_data[7:1] != 7'd0;
        end

    wire w_above_byte = w_upper || w_middle;
    wire w_above_bit  = w_above_byte || w_low;

    // Rooms.
    vmmio_status #(.HOLD_RESET(HOLD_RESET)) room_status (
        .clk             (clk),
        .rst             (rst),
        .write           (w_status),
        .first           (w_first),
        .data            (w_data[7:0]),
        .data_zero       (!w_above_bit && !w_data[0]),
        .done            (status_done),
        .status          (status),
        .live            (live),
        .suspended       (suspended),
        .clear           (clear),
        .raise           (status_raise),
        .acceptable      (acceptable),
        .suspend_offered (back_features[`VMMIO_F_SUSPEND]),
        .needs_reset     (back_needs_reset),
        .features_request(back_features_request),
        .features_done   (back_features_done),
        .features_accept (back_features_accept),
        .reset_request   (back_reset_request),
        .reset_done      (back_reset_done),
        .suspend_request (back_suspend_request),
        .suspend_done    (back_suspend_done)
    );
    assign back_status = status;
    assign back_live   = live;

    wire [3:0] device_word;
    vmmio_features #(
        .FEATURES        (FEATURES),
        .REQUIRED        (REQUIRED),
        .DEPENDENCY_COUNT(DEPENDENCY_COUNT),
        .DEPENDENCIES    (DEPENDENCIES)
    ) room_features (
        .clk             (clk),
        .rst             (block_rst),
        .write_device_sel(w_device_features_sel),
        .write_driver_sel(w_driver_features_sel),
        .write_driver    (w_driver_features),
        .data            (w_data),
        .data_above_byte (w_above_byte),
        .features_ok     (features_ok),
        .check           (w_status),
        .device_word     (device_word),
        .features        (back_features),
        .acceptable      (acceptable)
    );

    wire [15:0] queue_size_max;
    wire        queue_ready, queue_reset;
    vmmio_queues #(
        .QUEUES     (QUEUES),
        .QUEUE_SIZES(QUEUE_SIZES),
        .QUEUE_BITS (QUEUE_BITS),
        .PACKED     (FEATURES[`VMMIO_F_RING_PACKED])
    ) room_queues (
        .clk            (clk),
        .rst            (block_rst),
        .first          (w_first),
        .write_sel      (w_queue_sel),
        .write_setting  (w_queue_setting),
        .write_ready    (w_queue_ready),
        .write_reset    (w_queue_reset),
        .write_notify   (w_queue_notify),
        .setting        ({w_word[3:2], w_word[0]}), // tells the seven offsets apart
        .data           (w_data),
        .data_upper     (w_upper),
        .data_middle    (w_middle),
        .data_low       (w_low),
        .sweep          (queues_sweep),
        .done           (queues_done),
        .size_max       (queue_size_max),
        .ready          (queue_ready),
        .reset_runs     (queue_reset),
        .live           (live),
        .ring_reset     (features_ok && back_features[`VMMIO_F_RING_RESET]),
        .ring_packed    (features_ok && back_features[`VMMIO_F_RING_PACKED]),
        .with_data      (features_ok && back_features[`VMMIO_F_NOTIFICATION_DATA]),
        .queue_alive    (back_queue_alive),
        .queue_stop     (back_queue_stop),
        .queue_stop_done(back_queue_stop_done),
        .notify         (back_notify),
        .notify_data    (back_notify_data),
        .enable_request (back_enable_request),
        .enable_queue   (back_enable_queue),
        .enable_done    (back_enable_done),
        .enable_accept  (back_enable_accept),
        .read           (back_queue_read),
        .read_queue     (back_queue_read_queue),
        .read_word      (back_queue_read_word),
        .read_ready     (back_queue_read_ready),
        .read_data      (back_queue_read_data)
    );

    wire [1:0] interrupt_status;
    reg  [1:0] raise;
    always @* begin
        raise = 2'b00;
        if (back_used_buffer)
            raise[0] = driver_ok && !back_reset_request; // STAT-10, RST-02
        if (back_config_notify || back_needs_reset || w_status)
            raise[1] = status_raise || config_raise;
    end
    vmmio_interrupt room_interrupt (
        .clk             (clk),
        .rst             (block_rst),
        .ack             (w_interrupt_ack),
        .ack_bits        (w_data[1:0]),
        .raise           (raise),
        .interrupt_status(interrupt_status),
        .irq             (irq)
    );

    wire                 shm_latched;
    wire [SLOT_BITS-1:0] shm_slot, shm_load_slot;
    vmmio_shm #(.REGIONS(REGIONS), .SLOT_BITS(SLOT_BITS)) room_shm (
        .clk            (clk),
        .rst            (rst),
        .clear          (clear),
        .write_sel      (w_shm_sel),
        .data           (w_data[7:0]),
        .data_above_byte(w_above_byte),
        .commit         (back_region_commit),
        .commit_index   (back_region_index),
        .commit_id      (back_region_id),
        .commit_present (back_region_present),
        .commit_ready   (back_region_commit_ready),
        .load_slot      (shm_load_slot),
        .latched        (shm_latched),
        .latched_slot   (shm_slot)
    );

    wire        config_bank, config_loaded;
    wire [31:0] config_generation;
    vmmio_config #(.BYTES(CONFIG_BYTES)) room_config (
        .clk           (clk),
        .rst           (rst),
        .write         (w_config),
        .first         (w_first),
        .word          (w_word),
        .strobe        (w_strobe),
        .done          (config_done),
        .suspend       (status[4]),
        .suspended     (suspended),
        .resetting     (back_reset_request),
        .driver_ok     (driver_ok),
        .request       (back_config_write),
        .request_strobe(back_config_write_strobe),
        .request_done  (back_config_write_done),
        .commit        (back_config_commit),
        .commit_counts (back_config_counts),
        .notify        (back_config_notify),
        .commit_ready  (back_config_commit_ready),
        .bank          (config_bank),
        .loaded        (config_loaded),
        .generation    (config_generation),
        .raise         (config_raise)
    );
    assign back_config_write_word = w_word;
    assign back_config_write_data = w_data;

    localparam [64:0] CONFIG_EXISTS = (65'd1 << (CONFIG_BYTES + 3) / 4) - 65'd1; // a bit a word

    // Read: decode. {r_memory, r_generation} = 11 reads all ones: no such region.
    reg       r_memory, r_generation;
    reg       r_magic, r_version, r_device_id, r_vendor_id, r_queue_size_max, r_queue_ready,
              r_interrupt_status, r_status, r_queue_reset;
    reg [3:0] r_features;

    always @(posedge clk)
        if (read_take) begin : decode_read
            reg [5:0] read_at;
            reg       read_config, read_control, read_shm;

            read_at      = read_address[5:0];
            read_config  = read_address[7] && config_loaded && CONFIG_EXISTS[{1'b0, read_at}];
            read_control = read_address[6];
            read_shm     = read_control && (is_at(read_at, `VMMIO_REG_SHM_LEN_LOW) ||
                                            is_at(read_at, `VMMIO_REG_SHM_LEN_HIGH) ||
                                            is_at(read_at, `VMMIO_REG_SHM_BASE_LOW) ||
                                            is_at(read_at, `VMMIO_REG_SHM_BASE_HIGH));
            r_memory           <= read_shm || read_config;
            r_generation       <= (read_shm && !shm_latched) ||
                                  (read_control && is_at(read_at, `VMMIO_REG_CONFIG_GENERATION));
            r_magic            <= read_control && is_at(read_at, `VMMIO_REG_MAGIC_VALUE);
            r_version          <= read_control && is_at(read_at, `VMMIO_REG_VERSION);
            r_device_id        <= read_control && is_at(read_at, `VMMIO_REG_DEVICE_ID);
            r_vendor_id        <= read_control && is_at(read_at, `VMMIO_REG_VENDOR_ID);
            r_features         <= device_word &
                                  {4{read_control && is_at(read_at, `VMMIO_REG_DEVICE_FEATURES)}};
            r_queue_size_max   <= read_control && is_at(read_at, `VMMIO_REG_QUEUE_SIZE_MAX);
            r_queue_ready      <= read_control && is_at(read_at, `VMMIO_REG_QUEUE_READY);
            r_interrupt_status <= read_control && is_at(read_at, `VMMIO_REG_INTERRUPT_STATUS);
            r_status           <= read_control && is_at(read_at, `VMMIO_REG_STATUS);
            r_queue_reset      <= read_control && is_at(read_at, `VMMIO_REG_QUEUE_RESET);
        end

    // The memory. Bytes of the last word of the config space that do not exist read 0.
    localparam [31:0] TAIL = ~(32'hffffffff << 8 * (CONFIG_BYTES % 4));
    localparam [31:0] FULL_WORDS = CONFIG_BYTES / 4;
    wire load_tail = CONFIG_BYTES % 4 != 0 && back_load_config &&
                     back_load_word == FULL_WORDS[5:0];
    wire [31:0] memory_data;
    wire [PART_BITS-1:0] read_config_at, read_region_at, load_config_at, load_region_at;

    assign read_config_at = {{(PART_BITS - WORD_BITS - 1){1'b0}}, config_bank,
                             read_address[WORD_BITS-1:0]};
    assign load_config_at = {{(PART_BITS - WORD_BITS - 1){1'b0}}, !config_bank,
                             back_load_word[WORD_BITS-1:0]};
    assign read_region_at = {{(PART_BITS - SLOT_BITS - 2){1'b0}}, shm_slot,
                             read_address[1:0]};
    assign load_region_at = {{(PART_BITS - SLOT_BITS - 2){1'b0}}, shm_load_slot,
                             back_load_word[1:0]};

    vmmio_ram #(.ADDRESS_BITS(PART_BITS + 1)) memory (
        .clk          (clk),
        .write        (back_load),
        .write_address({back_load_config, back_load_config ? load_config_at : load_region_at}),
        .write_data   (back_load_data & (load_tail ? TAIL : 32'hffffffff)),
        .read         (read_take),
        .read_address ({read_address[7], read_address[7] ? read_config_at : read_region_at}),
        .read_data    (memory_data)
    );

    assign read_data =
        (r_memory ? memory_data | {32{r_generation}} : config_generation & {32{r_generation}}) |
        (`VMMIO_MAGIC & {32{r_magic}}) |
        (`VMMIO_VERSION_MODERN & {32{r_version}}) |
        (DEVICE_ID & {32{r_device_id}}) |
        (VENDOR_ID & {32{r_vendor_id}}) |
        (FEATURES[31:0] & {32{r_features[0]}}) |
        (FEATURES[63:32] & {32{r_features[1]}}) |
        (FEATURES[95:64] & {32{r_features[2]}}) |
        (FEATURES[127:96] & {32{r_features[3]}}) |
        {16'd0, queue_size_max & {16{r_queue_size_max}}} |
        {24'd0, status & {8{r_status}}} |
        {30'd0, interrupt_status & {2{r_interrupt_status}}} |
        {31'd0, (queue_ready && r_queue_ready) || (queue_reset && r_queue_reset)};
endmodule

`default_nettype wire
