/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file registers.h
 * The one register map: every offset and bit of the modern virtio-mmio layout (VIRTIO 1.4,
 * 4.2.2) is written here and nowhere else. The Verilog header rtl/vmmio_regs.vh is generated
 * from it, and a test compares it with linux/virtio_mmio.h.
 */
#ifndef VMMIO_REGISTERS_H
#define VMMIO_REGISTERS_H

/**
 * X(identifier, name in the specification, offset in bytes, access), access being
 * R (driver reads), W (driver writes) or RW.
 */
#define VMMIO_REGISTERS(X)                                                                         \
    X(MAGIC_VALUE, "MagicValue", 0x000, R)                                                         \
    X(VERSION, "Version", 0x004, R)                                                                \
    X(DEVICE_ID, "DeviceID", 0x008, R)                                                             \
    X(VENDOR_ID, "VendorID", 0x00c, R)                                                             \
    X(DEVICE_FEATURES, "DeviceFeatures", 0x010, R)                                                 \
    X(DEVICE_FEATURES_SEL, "DeviceFeaturesSel", 0x014, W)                                          \
    X(DRIVER_FEATURES, "DriverFeatures", 0x020, W)                                                 \
    X(DRIVER_FEATURES_SEL, "DriverFeaturesSel", 0x024, W)                                          \
    X(QUEUE_SEL, "QueueSel", 0x030, W)                                                             \
    X(QUEUE_SIZE_MAX, "QueueSizeMax", 0x034, R)                                                    \
    X(QUEUE_SIZE, "QueueSize", 0x038, W)                                                           \
    X(QUEUE_READY, "QueueReady", 0x044, RW)                                                        \
    X(QUEUE_NOTIFY, "QueueNotify", 0x050, W)                                                       \
    X(INTERRUPT_STATUS, "InterruptStatus", 0x060, R)                                               \
    X(INTERRUPT_ACK, "InterruptACK", 0x064, W)                                                     \
    X(STATUS, "Status", 0x070, RW)                                                                 \
    X(QUEUE_DESC_LOW, "QueueDescLow", 0x080, W)                                                    \
    X(QUEUE_DESC_HIGH, "QueueDescHigh", 0x084, W)                                                  \
    X(QUEUE_DRIVER_LOW, "QueueDriverLow", 0x090, W)                                                \
    X(QUEUE_DRIVER_HIGH, "QueueDriverHigh", 0x094, W)                                              \
    X(QUEUE_DEVICE_LOW, "QueueDeviceLow", 0x0a0, W)                                                \
    X(QUEUE_DEVICE_HIGH, "QueueDeviceHigh", 0x0a4, W)                                              \
    X(SHM_SEL, "SHMSel", 0x0ac, W)                                                                 \
    X(SHM_LEN_LOW, "SHMLenLow", 0x0b0, R)                                                          \
    X(SHM_LEN_HIGH, "SHMLenHigh", 0x0b4, R)                                                        \
    X(SHM_BASE_LOW, "SHMBaseLow", 0x0b8, R)                                                        \
    X(SHM_BASE_HIGH, "SHMBaseHigh", 0x0bc, R)                                                      \
    X(QUEUE_RESET, "QueueReset", 0x0c0, RW)                                                        \
    X(CONFIG_GENERATION, "ConfigGeneration", 0x0fc, R)

/**
 * The registers that only the legacy layout has (4.2.4). Of the modern ones it does not have
 * QueueReady and those from QueueDescLow on (MMIOL-11). For the C model alone.
 */
#define VMMIO_LEGACY_REGISTERS(X)                                                                  \
    X(GUEST_PAGE_SIZE, "GuestPageSize", 0x028, W)                                                  \
    X(QUEUE_ALIGN, "QueueAlign", 0x03c, W)                                                         \
    X(QUEUE_PFN, "QueuePFN", 0x040, RW)

/** Register offsets in bytes from the start of the register block. */
enum vmmio_register {
#define VMMIO_X(id, name, offset, access) VMMIO_REG_##id = (offset),
    VMMIO_REGISTERS(VMMIO_X) VMMIO_LEGACY_REGISTERS(VMMIO_X)
#undef VMMIO_X
    /** First byte of the device-specific configuration space (MMIO-CONFIG-01). */
    VMMIO_REG_CONFIG = 0x100,
};

/** X(identifier, value): every constant of the registers that is not an offset. */
#define VMMIO_REGISTER_BITS(X)                                                                     \
    X(MAGIC, 0x74726976)        /* MagicValue, "virt" (MMIO-MAGIC-01) */                           \
    X(VERSION_MODERN, 2)        /* Version (MMIO-VERSION-01) */                                    \
    X(STATUS_ACKNOWLEDGE, 0x01) /* Status bits (STAT-02, STAT-03) */                               \
    X(STATUS_DRIVER, 0x02)                                                                         \
    X(STATUS_DRIVER_OK, 0x04)                                                                      \
    X(STATUS_FEATURES_OK, 0x08)                                                                    \
    X(STATUS_SUSPEND, 0x10)                                                                        \
    X(STATUS_NEEDS_RESET, 0x40)                                                                    \
    X(STATUS_FAILED, 0x80)                                                                         \
    X(INTERRUPT_USED_BUFFER, 0x1) /* InterruptStatus bits (MMIO-INTSTAT-01) */                     \
    X(INTERRUPT_CONFIG_CHANGE, 0x2)

/** Values and bits of the registers. */
enum vmmio_register_bits {
#define VMMIO_X(id, value) VMMIO_##id = (value),
    VMMIO_REGISTER_BITS(VMMIO_X)
#undef VMMIO_X
};

enum vmmio_legacy_value {
    VMMIO_VERSION_LEGACY = 1,         /**< Version (MMIOL-01) */
    VMMIO_QUEUE_ALIGN_DEFAULT = 4096, /**< QueueAlign after a reset */
};

/** Bytes that one register block decodes on a bus; offsets behind the config space read 0. */
#define VMMIO_BLOCK_SIZE 0x1000u

/** Bytes of device-specific configuration that a block can hold; the largest type needs 96. */
#define VMMIO_CONFIG_MAX 256u

#endif
