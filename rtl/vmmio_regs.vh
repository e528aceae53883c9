// SPDX-License-Identifier: Apache-2.0
// Generated from include/vmmio/registers.h and virtio.h: do not edit.
`ifndef VMMIO_REGS_VH
`define VMMIO_REGS_VH

// Register offsets in bytes; R: the driver reads, W: it writes.
`define VMMIO_REG_MAGIC_VALUE             12'h000 // R
`define VMMIO_REG_VERSION                 12'h004 // R
`define VMMIO_REG_DEVICE_ID               12'h008 // R
`define VMMIO_REG_VENDOR_ID               12'h00c // R
`define VMMIO_REG_DEVICE_FEATURES         12'h010 // R
`define VMMIO_REG_DEVICE_FEATURES_SEL     12'h014 // W
`define VMMIO_REG_DRIVER_FEATURES         12'h020 // W
`define VMMIO_REG_DRIVER_FEATURES_SEL     12'h024 // W
`define VMMIO_REG_QUEUE_SEL               12'h030 // W
`define VMMIO_REG_QUEUE_SIZE_MAX          12'h034 // R
`define VMMIO_REG_QUEUE_SIZE              12'h038 // W
`define VMMIO_REG_QUEUE_READY             12'h044 // RW
`define VMMIO_REG_QUEUE_NOTIFY            12'h050 // W
`define VMMIO_REG_INTERRUPT_STATUS        12'h060 // R
`define VMMIO_REG_INTERRUPT_ACK           12'h064 // W
`define VMMIO_REG_STATUS                  12'h070 // RW
`define VMMIO_REG_QUEUE_DESC_LOW          12'h080 // W
`define VMMIO_REG_QUEUE_DESC_HIGH         12'h084 // W
`define VMMIO_REG_QUEUE_DRIVER_LOW        12'h090 // W
`define VMMIO_REG_QUEUE_DRIVER_HIGH       12'h094 // W
`define VMMIO_REG_QUEUE_DEVICE_LOW        12'h0a0 // W
`define VMMIO_REG_QUEUE_DEVICE_HIGH       12'h0a4 // W
`define VMMIO_REG_SHM_SEL                 12'h0ac // W
`define VMMIO_REG_SHM_LEN_LOW             12'h0b0 // R
`define VMMIO_REG_SHM_LEN_HIGH            12'h0b4 // R
`define VMMIO_REG_SHM_BASE_LOW            12'h0b8 // R
`define VMMIO_REG_SHM_BASE_HIGH           12'h0bc // R
`define VMMIO_REG_QUEUE_RESET             12'h0c0 // RW
`define VMMIO_REG_CONFIG_GENERATION       12'h0fc // R
`define VMMIO_REG_CONFIG                  12'h100 // device-specific from here

// Register values and bits.
`define VMMIO_MAGIC                       32'h74726976
`define VMMIO_VERSION_MODERN              32'h00000002
`define VMMIO_STATUS_ACKNOWLEDGE          32'h00000001
`define VMMIO_STATUS_DRIVER               32'h00000002
`define VMMIO_STATUS_DRIVER_OK            32'h00000004
`define VMMIO_STATUS_FEATURES_OK          32'h00000008
`define VMMIO_STATUS_SUSPEND              32'h00000010
`define VMMIO_STATUS_NEEDS_RESET          32'h00000040
`define VMMIO_STATUS_FAILED               32'h00000080
`define VMMIO_INTERRUPT_USED_BUFFER       32'h00000001
`define VMMIO_INTERRUPT_CONFIG_CHANGE     32'h00000002

// Feature bit numbers.
`define VMMIO_F_INDIRECT_DESC             7'h1c
`define VMMIO_F_EVENT_IDX                 7'h1d
`define VMMIO_F_VERSION_1                 7'h20
`define VMMIO_F_ACCESS_PLATFORM           7'h21
`define VMMIO_F_RING_PACKED               7'h22
`define VMMIO_F_ORDER_PLATFORM            7'h24
`define VMMIO_F_NOTIFICATION_DATA         7'h26
`define VMMIO_F_RING_RESET                7'h28
`define VMMIO_F_SUSPEND                   7'h2b

`endif
