/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file diagnostic.h
 * Everything the model has to say goes through one hook. A diagnostic never changes what the
 * device does; it names the rule that was broken.
 */
#ifndef VMMIO_DIAGNOSTIC_H
#define VMMIO_DIAGNOSTIC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a diagnostic is about. */
enum vmmio_diag_kind {
    VMMIO_DIAG_DRIVER,  /**< the driver broke a rule; the access had no effect or a defined one */
    VMMIO_DIAG_REQUEST, /**< one request is malformed; it was answered with an error */
    VMMIO_DIAG_FATAL,   /**< a queue cannot go on: DEVICE_NEEDS_RESET */
};

/** X(identifier, kind, row of the requirements or ambiguity, text). */
#define VMMIO_DIAGNOSTICS(X)                                                                       \
    X(ACCESS_WIDTH, DRIVER, "A-WIDTH", "access is not an aligned 32-bit one")                      \
    X(READ_OF_WRITE_ONLY, DRIVER, "MMIO-DRV-02", "read of a write-only register")                  \
    X(WRITE_OF_READ_ONLY, DRIVER, "MMIO-DRV-02", "write to a read-only register")                  \
    X(HOLE, DRIVER, "MMIO-DRV-01", "access to an offset without a register")                       \
    X(WRITE_DURING_RESET, DRIVER, "RST-04", "write while a device reset is running")               \
    X(STATUS_BIT_DROPPED, DRIVER, "STAT-06", "a status write left out a bit that is set")          \
    X(STATUS_NO_ACKNOWLEDGE, DRIVER, "STAT-05", "DRIVER was set without ACKNOWLEDGE")              \
    X(STATUS_ORDER, DRIVER, "INIT-01", "status bits were set out of order")                        \
    X(STATUS_AFTER_FAILED, DRIVER, "STAT-07", "status write after FAILED: only a reset works")     \
    X(STATUS_RESERVED, DRIVER, "STAT-04", "a reserved or device-owned status bit was written")     \
    X(SUSPEND_REFUSED, DRIVER, "SUSP-05", "SUSPEND without the feature or before DRIVER_OK")       \
    X(FEATURE_NOT_OFFERED, DRIVER, "FEAT-04", "the driver accepted a feature that is not offered") \
    X(FEATURE_DEPENDENCY, DRIVER, "FEAT-05", "an accepted feature lacks one that it needs")        \
    X(FEATURE_REQUIRED, DRIVER, "RFB-06", "the driver declined a feature this device insists on")  \
    X(FEATURE_REFUSED, DRIVER, "FEAT-11", "the device cannot work with the accepted features")     \
    X(FEATURE_LATE, DRIVER, "INIT-02", "DriverFeatures written after FEATURES_OK")                 \
    X(FEATURE_WORD, DRIVER, "MMIO-DRVFEATSEL-01", "feature bits 128 and above do not exist")       \
    X(QUEUE_ABSENT, DRIVER, "MMIO-QSEL-02", "the selected queue does not exist")                   \
    X(QUEUE_SIZE_BAD, DRIVER, "MMIO-DRV-10",                                                       \
      "QueueSize is 0, too large, or split and no power of 2")                                     \
    X(QUEUE_ADDRESS_BAD, DRIVER, "SPLIT-02", "a ring address is misaligned, overlaps or wraps")    \
    X(QUEUE_LOCKED, DRIVER, "MMIO-DRV-11", "size or address written while the queue is ready")     \
    X(QUEUE_READY_VALUE, DRIVER, "MMIO-QREADY-01", "QueueReady takes 0 and 1")                     \
    X(QUEUE_READY_EARLY, DRIVER, "INIT-01", "QueueReady before FEATURES_OK or during queue reset") \
    X(QUEUE_RESET_REFUSED, DRIVER, "MMIO-QRESET-01", "QueueReset without RING_RESET, or not 1")    \
    X(NOTIFY_ABSENT, DRIVER, "MMIO-QNOTIFY-01", "QueueNotify names a queue that does not exist")   \
    X(NOTIFY_EARLY, DRIVER, "INIT-06", "QueueNotify before DRIVER_OK, or on a stopped queue")      \
    X(CONFIG_READ_ONLY, DRIVER, "INIT-04", "write to a read-only part of the config space")        \
    X(CONFIG_SUSPENDED, DRIVER, "SUSP-03", "config write while suspended")                         \
    X(RING_DMA, FATAL, "H-60", "a DMA access to a ring or descriptor failed")                      \
    X(RING_JUMP, FATAL, "SPLIT-24", "the available index moved by more than the queue size")       \
    X(RING_HEAD, FATAL, "H-02", "a head index is outside the descriptor table")                    \
    X(RING_NEXT, FATAL, "H-03", "a next index is outside its descriptor table")                    \
    X(RING_LOOP, FATAL, "H-01", "a descriptor chain loops or is longer than the queue size")       \
    X(RING_TAIL, FATAL, "PACK-36", "a later descriptor of a packed list is not available")         \
    X(RING_TOTAL, FATAL, "SPLIT-13", "the lengths of a chain add up to more than 2^32-1")          \
    X(RING_ORDER, FATAL, "SPLIT-06", "a device-readable descriptor follows a writable one")        \
    X(RING_ADDRESS, FATAL, "H-12", "a buffer address wraps at 2^64")                               \
    X(INDIRECT_REFUSED, FATAL, "SPLIT-16", "INDIRECT without the feature")                         \
    X(INDIRECT_NESTED, FATAL, "SPLIT-17", "INDIRECT inside an indirect table")                     \
    X(INDIRECT_NEXT, FATAL, "SPLIT-19", "INDIRECT and NEXT in one descriptor")                     \
    X(INDIRECT_IN_LIST, FATAL, "PACK-42", "INDIRECT inside a list of a packed ring")               \
    X(INDIRECT_SIZE, FATAL, "H-06", "an indirect table's length is 0, too long or no 16-multiple") \
    X(BUFFER_DMA, FATAL, "H-12", "a DMA access to a buffer failed")                                \
    X(SOURCE_EMPTY, FATAL, "RNG-04", "the source of random bytes gave none")                       \
    X(REQUEST_SHORT, REQUEST, "H-14", "a request or its response buffer is too short")             \
    X(REQUEST_UNKNOWN, REQUEST, "PMEM-09", "an unknown request type")                              \
    X(REQUEST_BACKEND, REQUEST, "PMEM-08", "the back end failed")                                  \
    X(REQUEST_DIRECTION, REQUEST, "RNG-02", "a buffer of the wrong direction for this queue")      \
    X(REQUEST_LENGTH, REQUEST, "BLK-30", "the data of a block request has an impossible length")   \
    X(REQUEST_RANGE, REQUEST, "BLK-29", "a block request reaches beyond the capacity or a limit")  \
    X(REQUEST_READ_ONLY, REQUEST, "BLK-31", "a write to a read-only block device")                 \
    X(REQUEST_QUEUE, REQUEST, "FS-08", "a request on a queue that is not for it")                  \
    X(NET_FRAME, REQUEST, "NET-26", "a frame to send is too short or too long")                    \
    X(NET_HEADER, REQUEST, "NET-31", "a frame's header asks for what is not negotiated or wrong")  \
    X(NET_BUFFER, REQUEST, "NET-43", "a receive buffer is too small to be of any use")             \
    X(NET_ROOM, REQUEST, "NET-42", "the receive buffers cannot hold a frame: it is dropped")       \
    X(NET_CONTROL, REQUEST, "NET-55", "a control command is unknown or malformed")                 \
    X(CONSOLE_CONTROL, REQUEST, "CON-11", "a control message names no such port or event")

/** Identifies a diagnostic. */
enum vmmio_diag_id {
#define VMMIO_X(id, kind, row, text) VMMIO_DIAG_##id,
    VMMIO_DIAGNOSTICS(VMMIO_X)
#undef VMMIO_X
        VMMIO_DIAG_COUNT
};

/** One event: which rule, where, and the value concerned. */
struct vmmio_diagnostic {
    enum vmmio_diag_id id;
    uint32_t where; /**< register offset, or queue index for kinds REQUEST and FATAL */
    uint64_t value; /**< what was written, or the index or address at fault */
};

/**
 * The hook. It is called from inside the access or the run that found the problem and must not
 * call back into the device. May be NULL: then nothing is reported.
 */
typedef void (*vmmio_diagnostic_hook)(void *context, const struct vmmio_diagnostic *diagnostic);

/** What kind of event id is; VMMIO_DIAG_DRIVER for a number that is none. */
enum vmmio_diag_kind vmmio_diag_kind_of(enum vmmio_diag_id id);

/** The row of the specification table that id is about, e.g. "MMIO-DRV-02". Never NULL. */
const char *vmmio_diag_row(enum vmmio_diag_id id);

/** One sentence in English without final stop. Never NULL. */
const char *vmmio_diag_text(enum vmmio_diag_id id);

#ifdef __cplusplus
}
#endif
#endif
