// SPDX-License-Identifier: Apache-2.0
// What a read gets that is not of a readable register (A-WDIR, A-HOLE, A-ALIGN, A-CFG-OOB, H-27),
// and the registers that are constants.
`default_nettype none
`include "contract.vh"

module formal_write_only #(
    parameter [31:0] DEVICE_ID    = 32'd0,
    parameter [31:0] VENDOR_ID    = 32'd0,
    parameter        CONFIG_BYTES = 0
) (
    input wire        clk,
    input wire        rst,
    input wire        write_take,
    input wire [7:0]  write_address,
    input wire [31:0] write_data,
    input wire [3:0]  write_strobe,
    input wire        write_ready,
    input wire        read_take,
    input wire [7:0]  read_address,
    input wire [31:0] read_data,
    input wire        back_reset_request,
    input wire        back_reset_done
);
    `POWER_UP
    wire        acts, asked, asked_now, asked_control, device_reset;
    wire [11:0] at, offset;
    wire [31:0] data;
    formal_observer observer (.*);

    reg readable;
    always @*
        case (offset)
        `VMMIO_REG_MAGIC_VALUE, `VMMIO_REG_VERSION, `VMMIO_REG_DEVICE_ID, `VMMIO_REG_VENDOR_ID,
        `VMMIO_REG_DEVICE_FEATURES, `VMMIO_REG_QUEUE_SIZE_MAX, `VMMIO_REG_QUEUE_READY,
        `VMMIO_REG_INTERRUPT_STATUS, `VMMIO_REG_STATUS, `VMMIO_REG_SHM_LEN_LOW,
        `VMMIO_REG_SHM_LEN_HIGH, `VMMIO_REG_SHM_BASE_LOW, `VMMIO_REG_SHM_BASE_HIGH,
        `VMMIO_REG_QUEUE_RESET, `VMMIO_REG_CONFIG_GENERATION: readable = 1'b1;
        default: readable = 1'b0;
        endcase

    wire [11:0] config_word = offset - `VMMIO_REG_CONFIG;
    wire in_config = asked && offset[8];

    always @(posedge clk)
        if (powered && asked) begin
            if (asked_control && !readable)
                write_only_reads_zero: assert (read_data == 32'd0);
            if (!asked_control && !offset[8])
                nowhere_reads_zero: assert (read_data == 32'd0);
            if (in_config && config_word >= CONFIG_BYTES)
                behind_config_reads_zero: assert (read_data == 32'd0);
            if (asked_control && offset == `VMMIO_REG_MAGIC_VALUE)
                magic: assert (read_data == `VMMIO_MAGIC);
            if (asked_control && offset == `VMMIO_REG_VERSION)
                version: assert (read_data == `VMMIO_VERSION_MODERN);
            if (asked_control && offset == `VMMIO_REG_DEVICE_ID)
                device_id: assert (read_data == DEVICE_ID);
            if (asked_control && offset == `VMMIO_REG_VENDOR_ID)
                vendor_id: assert (read_data == VENDOR_ID);
            `COVER(cover_write_only_is_read, asked_control && offset == `VMMIO_REG_SHM_SEL);
            `COVER(cover_hole_is_read, asked_control && offset == 12'h018);
            `COVER(cover_nowhere_is_read, !asked_control && !offset[8]);
        end
endmodule

bind vmmio_register_block formal_write_only #(
    .DEVICE_ID(DEVICE_ID), .VENDOR_ID(VENDOR_ID), .CONFIG_BYTES(CONFIG_BYTES)) write_only (.*);

`default_nettype wire
