// SPDX-License-Identifier: Apache-2.0
// "What to check first on a board" of docs/fpga.md, with the board of this folder, by simulation.
`default_nettype none

module board_test;
    reg aclk = 1'b0;
    always #5 aclk = !aclk;

    reg         aresetn = 1'b0, used_buffer = 1'b0;
    reg  [11:0] awaddr, araddr;
    reg  [31:0] wdata, got;
    reg         awvalid = 1'b0, wvalid = 1'b0, bready = 1'b0, arvalid = 1'b0, rready = 1'b0;
    wire [31:0] rdata;
    wire [1:0]  bresp, rresp;
    wire        awready, wready, bvalid, arready, rvalid, irq, kick;
    wire [1:0]  queue_alive;
    reg  [1:0]  queue_idle = 2'b11;
    wire [15:0] kicked_queue;
    reg         queue_read = 1'b0;
    reg  [2:0]  queue_read_word;
    wire [31:0] queue_read_data;
    wire        queue_read_ready;
    integer     kicks = 0, wrong = 0;

    board_virtio board (
        .aclk(aclk), .aresetn(aresetn),
        .s_axil_awaddr(awaddr), .s_axil_awprot(3'd0), .s_axil_awvalid(awvalid),
        .s_axil_awready(awready),
        .s_axil_wdata(wdata), .s_axil_wstrb(4'hf), .s_axil_wvalid(wvalid), .s_axil_wready(wready),
        .s_axil_bresp(bresp), .s_axil_bvalid(bvalid), .s_axil_bready(bready),
        .s_axil_araddr(araddr), .s_axil_arprot(3'd0), .s_axil_arvalid(arvalid),
        .s_axil_arready(arready),
        .s_axil_rdata(rdata), .s_axil_rresp(rresp), .s_axil_rvalid(rvalid), .s_axil_rready(rready),
        .irq(irq), .queue_alive(queue_alive), .queue_idle(queue_idle), .kick(kick),
        .kicked_queue(kicked_queue), .used_buffer(used_buffer), .queue_read(queue_read),
        .queue_read_queue(1'b1), .queue_read_word(queue_read_word),
        .queue_read_ready(queue_read_ready), .queue_read_data(queue_read_data)
    );

    always @(posedge aclk)
        if (aresetn && kick)
            kicks = kicks + 1 + 100 * kicked_queue;

    // Inputs change at the falling edge. Ready is high whenever nothing is under way.
    task write(input [11:0] address, input [31:0] value);
        begin
            awaddr  = address;
            wdata   = value;
            awvalid = awready && wready;
            wvalid  = awvalid;
            bready  = 1'b1;
            @(negedge aclk);
            awvalid = 1'b0;
            wvalid  = 1'b0;
            while (bvalid !== 1'b1)
                @(negedge aclk);
            @(negedge aclk);
            bready = 1'b0;
        end
    endtask

    task read(input [11:0] address);
        begin
            araddr  = address;
            arvalid = arready;
            rready  = 1'b1;
            @(negedge aclk);
            arvalid = 1'b0;
            while (rvalid !== 1'b1)
                @(negedge aclk);
            got = rdata;
            @(negedge aclk);
            rready = 1'b0;
        end
    endtask

    task same(input [31:0] value, input [31:0] expected);
        if (value !== expected) begin
            wrong = wrong + 1;
            $display("at %0t: 0x%h instead of 0x%h", $time, value, expected);
        end
    endtask

    task reads(input [11:0] address, input [31:0] expected);
        begin
            read(address);
            same(got, expected);
        end
    endtask

    // What the engine sees of queue 1.
    task engine_reads(input [2:0] word, input [31:0] expected);
        begin
            queue_read_word = word;
            queue_read      = queue_read_ready;
            @(negedge aclk);
            queue_read = 1'b0;
            same(queue_read_data, expected);
        end
    endtask

    initial begin
        repeat (2) @(negedge aclk);
        aresetn = 1'b1;
        repeat (8) @(negedge aclk); // the region is loaded

        reads(12'h000, 32'h74726976); // 1: MagicValue
        reads(12'h004, 32'd2);        // 2: Version, DeviceID
        reads(12'h008, 32'd42);

        write(12'h0ac, 32'hffffffff); // 3: a region that is not there, one that is
        reads(12'h0b0, 32'hffffffff);
        write(12'h0ac, 32'd0);
        reads(12'h0b0, 32'h01000000);
        reads(12'h0b4, 32'h00000000);
        reads(12'h0b8, 32'h00000000);
        reads(12'h0bc, 32'h00000004);

        write(12'h070, 32'd0);        // 4: Status
        reads(12'h070, 32'd0);
        write(12'h070, 32'd1);
        reads(12'h070, 32'd1);
        write(12'h070, 32'd3);
        reads(12'h070, 32'd3);

        write(12'h024, 32'd1);        // 5: VERSION_1, a queue, DRIVER_OK
        write(12'h020, 32'd1);
        write(12'h070, 32'd11);
        reads(12'h070, 32'd11);
        write(12'h030, 32'd1);
        write(12'h038, 32'd256);
        write(12'h080, 32'h1000);
        write(12'h090, 32'h2000);
        write(12'h0a0, 32'h3000);
        write(12'h044, 32'd1);
        reads(12'h044, 32'd1);
        same(queue_alive, 2'b00);     // not before DRIVER_OK
        write(12'h070, 32'd15);
        reads(12'h070, 32'd15);
        same(queue_alive, 2'b10);
        engine_reads(3'd0, 32'h1000);
        engine_reads(3'd2, 32'h2000);
        engine_reads(3'd4, 32'h3000);
        engine_reads(3'd6, 32'd256);
        write(12'h050, 32'd1);
        repeat (4) @(negedge aclk);
        same(kicks, 101);
        same(irq, 1'b0);
        used_buffer = 1'b1;           // 6: an interrupt
        @(negedge aclk);
        used_buffer = 1'b0;
        reads(12'h060, 32'd1);
        same(irq, 1'b1);
        write(12'h064, 32'd1);
        reads(12'h060, 32'd0);
        same(irq, 1'b0);
        same({bresp, rresp}, 4'd0);

        queue_idle = 2'b01;           // a stop waits for what the engine has under way
        write(12'h044, 32'd0);
        same(queue_alive, 2'b00);
        reads(12'h044, 32'd1);
        queue_idle = 2'b11;
        repeat (2) @(negedge aclk);
        reads(12'h044, 32'd0);
        write(12'h044, 32'd1);
        same(queue_alive, 2'b10);

        queue_idle = 2'b01;           // and a reset
        fork
            write(12'h070, 32'd0);
            begin
                repeat (20) @(negedge aclk);
                same({queue_alive, bvalid}, 3'b000);
                queue_idle = 2'b11;
            end
        join
        reads(12'h070, 32'd0);

        if (wrong == 0)
            $display("the board is right");
        $finish;
    end

    initial #100000 begin
        $display("no answer on the bus");
        $finish;
    end
endmodule

`default_nettype wire
