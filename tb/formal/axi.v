// SPDX-License-Identifier: Apache-2.0
// AXI4-Lite on all five channels (IHI 0022, A3.2, A3.3), and that the register block gets exactly
// the accesses that the bus has carried, in their order.
`default_nettype none
`include "contract.vh"

module formal_axi (
    input wire        clk,
    input wire        rst,
    input wire [11:0] s_axil_awaddr,
    input wire        s_axil_awvalid,
    input wire        s_axil_awready,
    input wire [31:0] s_axil_wdata,
    input wire [3:0]  s_axil_wstrb,
    input wire        s_axil_wvalid,
    input wire        s_axil_wready,
    input wire [1:0]  s_axil_bresp,
    input wire        s_axil_bvalid,
    input wire        s_axil_bready,
    input wire [11:0] s_axil_araddr,
    input wire        s_axil_arvalid,
    input wire        s_axil_arready,
    input wire [31:0] s_axil_rdata,
    input wire [1:0]  s_axil_rresp,
    input wire        s_axil_rvalid,
    input wire        s_axil_rready,
    // Between the bus side and the register block.
    input wire        write_take,
    input wire [7:0]  write_address,
    input wire [31:0] write_data,
    input wire [3:0]  write_strobe,
    input wire        write_ready,
    input wire        write_done,
    input wire        read_take,
    input wire [7:0]  read_address,
    input wire [31:0] read_data
);
    `POWER_UP

    // The master keeps to the protocol.
    reg        reset_before;
    reg        aw_waits, w_waits, ar_waits;
    reg [11:0] aw, ar;
    reg [35:0] w;
    always @(posedge clk) begin
        reset_before <= rst;
        aw_waits <= s_axil_awvalid && !s_axil_awready && !rst;
        w_waits  <= s_axil_wvalid && !s_axil_wready && !rst;
        ar_waits <= s_axil_arvalid && !s_axil_arready && !rst;
        aw <= s_axil_awaddr;
        ar <= s_axil_araddr;
        w  <= {s_axil_wstrb, s_axil_wdata};
        if (rst) // A3.1.2
            assume (!s_axil_awvalid && !s_axil_wvalid && !s_axil_arvalid);
        if (aw_waits)
            assume (s_axil_awvalid && s_axil_awaddr == aw);
        if (w_waits)
            assume (s_axil_wvalid && {s_axil_wstrb, s_axil_wdata} == w);
        if (ar_waits)
            assume (s_axil_arvalid && s_axil_araddr == ar);
    end

    // The slave, too.
    reg        b_waits, r_waits;
    reg [31:0] r;
    reg [2:0]  addresses, datas, reads; // accepted and not answered
    wire       address_in = s_axil_awvalid && s_axil_awready;
    wire       data_in    = s_axil_wvalid && s_axil_wready;
    wire       read_in    = s_axil_arvalid && s_axil_arready;
    wire       answer     = s_axil_bvalid && s_axil_bready;
    wire       read_out   = s_axil_rvalid && s_axil_rready;
    always @(posedge clk) begin
        b_waits <= s_axil_bvalid && !s_axil_bready && !rst;
        r_waits <= s_axil_rvalid && !s_axil_rready && !rst;
        r       <= s_axil_rdata;
        if (rst) begin
            addresses <= 3'd0;
            datas     <= 3'd0;
            reads     <= 3'd0;
        end else begin
            addresses <= addresses + address_in - answer;
            datas     <= datas + data_in - answer;
            reads     <= reads + read_in - read_out;
        end
    end

    // What waits between a channel and the block.
    function [7:0] kind;
        input [11:0] address;
        kind = {address[11:8] == 4'd1, address[11:8] == 4'd0 && address[1:0] == 2'd0,
                address[7:2]};
    endfunction
    reg        aw_kept, w_kept, ar_kept, decoded;
    reg [11:0] aw_address, ar_address;
    reg [35:0] w_data;
    reg [31:0] read_data_before;
    reg        decoded_before;
    wire       read_new = s_axil_rvalid && !r_waits;
    wire       read_shown = decoded && (!s_axil_rvalid || s_axil_rready);
    always @(posedge clk) begin
        aw_kept <= !rst && (aw_kept || address_in) && !write_take;
        w_kept  <= !rst && (w_kept || data_in) && !write_take;
        ar_kept <= !rst && (ar_kept || read_in) && !read_take;
        decoded <= !rst && (read_take || (decoded && !read_shown));
        if (address_in)
            aw_address <= s_axil_awaddr;
        if (data_in)
            w_data <= {s_axil_wstrb, s_axil_wdata};
        if (read_in)
            ar_address <= s_axil_araddr;
        read_data_before <= read_data;
        decoded_before   <= decoded && !rst;
    end

    // Every answer comes: reads in a time that is known, writes as soon as the block is done.
    reg [2:0] read_waited;
    reg [1:0] write_waited;
    always @(posedge clk) begin
        read_waited  <= rst || s_axil_rvalid || reads == 3'd0 ? 3'd0 : read_waited + 3'd1;
        write_waited <= rst || s_axil_bvalid || !write_done ? 2'd0 : write_waited + 2'd1;
    end

    always @(posedge clk)
        if (powered) begin
            if (reset_before)
                silent_after_reset: assert (!s_axil_bvalid && !s_axil_rvalid);
            okay_always: assert (s_axil_bresp == 2'b00 && s_axil_rresp == 2'b00);
            if (b_waits)
                answer_waits: assert (s_axil_bvalid);
            if (r_waits)
                data_waits: assert (s_axil_rvalid && s_axil_rdata == r);
            no_answer_without_write: assert (!s_axil_bvalid ||
                                             (addresses != 3'd0 && datas != 3'd0));
            no_data_without_address: assert (!s_axil_rvalid || reads != 3'd0);
            few_outstanding: assert (addresses <= 3'd4 && datas <= 3'd4 && reads <= 3'd3);
            ready_when_empty: assert ((s_axil_awready || addresses != 3'd0) &&
                                      (s_axil_wready || datas != 3'd0) &&
                                      (s_axil_arready || reads != 3'd0));
            read_is_answered: assert (read_waited <= 3'd2);
            write_is_answered: assert (write_waited <= 2'd1);
            if (write_take)
                write_is_the_buss: assert (write_ready && (aw_kept || address_in) &&
                    (w_kept || data_in) &&
                    write_address == kind(aw_kept ? aw_address : s_axil_awaddr) &&
                    {write_strobe, write_data} ==
                        (w_kept ? w_data : {s_axil_wstrb, s_axil_wdata}));
            if (read_take)
                read_is_the_buss: assert ((ar_kept || read_in) &&
                    read_address == kind(ar_kept ? ar_address : s_axil_araddr));
            none_is_overtaken: assert (!(aw_kept && address_in) && !(w_kept && data_in) &&
                                       !(ar_kept && read_in) &&
                                       !(decoded && read_take && !read_shown));
            if (read_new)
                data_is_the_blocks: assert (decoded_before && s_axil_rdata == read_data_before);
            `COVER(cover_two_answers, addresses == 3'd3 && answer && write_take);
            `COVER(cover_data_first, data_in && addresses == 3'd0 && datas == 3'd0 && !address_in);
            `COVER(cover_read_every_clock, read_in && read_take && decoded && read_out);
            `COVER(cover_read_stalls, ar_kept && decoded && r_waits);
        end
endmodule

bind vmmio_axil formal_axi axi (.*);

`default_nettype wire
