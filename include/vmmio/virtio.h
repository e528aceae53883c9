/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file virtio.h
 * What the whole of virtio shares: device types, feature bits, ring layout (VIRTIO 1.4).
 */
#ifndef VMMIO_VIRTIO_H
#define VMMIO_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** DeviceID values (chapter 5). */
enum vmmio_device_id {
    VMMIO_ID_PLACEHOLDER = 0, /**< an empty slot: drivers stop silently (MMIO-DEVID-01) */
    VMMIO_ID_NET = 1,         /**< NET-01 */
    VMMIO_ID_BLOCK = 2,       /**< BLK-01 */
    VMMIO_ID_CONSOLE = 3,     /**< CON-01 */
    VMMIO_ID_ENTROPY = 4,     /**< RNG-01 */
    VMMIO_ID_FS = 26,         /**< FS-01 */
    VMMIO_ID_PMEM = 27,       /**< PMEM-01 */
    VMMIO_ID_NULL = 42,       /**< our own null device, for tests and measurements */
};

/** Feature bit numbers that belong to queues and negotiation (chapter 6, RFB-*). */
enum vmmio_feature_bit {
    VMMIO_F_ANY_LAYOUT = 27, /* legacy devices only (RFB-L2) */
    VMMIO_F_INDIRECT_DESC = 28,
    VMMIO_F_EVENT_IDX = 29,
    VMMIO_F_VERSION_1 = 32,
    VMMIO_F_ACCESS_PLATFORM = 33,
    VMMIO_F_RING_PACKED = 34,
    VMMIO_F_IN_ORDER = 35,
    VMMIO_F_ORDER_PLATFORM = 36,
    VMMIO_F_SR_IOV = 37,
    VMMIO_F_NOTIFICATION_DATA = 38,
    VMMIO_F_NOTIF_CONFIG_DATA = 39,
    VMMIO_F_RING_RESET = 40,
    VMMIO_F_SUSPEND = 43,
};

/** pmem's own feature bit (PMEM-01). */
#define VMMIO_PMEM_F_SHMEM_REGION 0

/** A set of the 128 feature bits that have a meaning; word[i] holds bits 32*i .. 32*i+31. */
struct vmmio_features {
    uint32_t word[4];
};

/** A bit that may only be set together with another one (FEAT-05, FEAT-09). */
struct vmmio_feature_dependency {
    uint8_t bit;      /**< the dependent bit, 0..127 */
    uint8_t requires; /**< the bit it needs, 0..127 */
};

/** True if bit (0..127) is in the set; false for every other number. */
static inline bool vmmio_features_has(const struct vmmio_features *features, unsigned bit)
{
    return bit < 128 && (features->word[bit / 32] >> (bit % 32) & 1u) != 0;
}

/** Puts bit (0..127) into the set; other numbers change nothing. */
static inline void vmmio_features_add(struct vmmio_features *features, unsigned bit)
{
    if (bit < 128)
        features->word[bit / 32] |= 1u << (bit % 32);
}

/** Takes bit (0..127) out of the set; other numbers change nothing. */
static inline void vmmio_features_remove(struct vmmio_features *features, unsigned bit)
{
    if (bit < 128)
        features->word[bit / 32] &= ~(1u << (bit % 32));
}

/** Flags of a descriptor (SPLIT-08, PACK-02), and of the split ring's other parts. */
enum vmmio_ring_flags {
    VMMIO_DESC_NEXT = 1,
    VMMIO_DESC_WRITE = 2,
    VMMIO_DESC_INDIRECT = 4,
    VMMIO_DESC_AVAIL = 1 << 7, /**< packed ring only */
    VMMIO_DESC_USED = 1 << 15, /**< packed ring only */
    VMMIO_AVAIL_NO_INTERRUPT = 1,
    VMMIO_USED_NO_NOTIFY = 1,
};

/** Packed ring: flags of an event suppression structure (PACK-19). */
enum vmmio_packed_event {
    VMMIO_EVENT_ENABLE = 0,
    VMMIO_EVENT_DISABLE = 1,
    VMMIO_EVENT_DESC = 2, /**< at one slot, with EVENT_IDX only (PACK-20) */
};

/** Sizes and alignments of the rings' parts in bytes (SPLIT-01, SPLIT-02, PACK-23). */
enum vmmio_ring_layout {
    VMMIO_DESC_BYTES = 16,
    VMMIO_DESC_ALIGN = 16,
    VMMIO_AVAIL_ALIGN = 2,
    VMMIO_USED_ALIGN = 4,
    VMMIO_USED_ELEM_BYTES = 8,
    VMMIO_EVENT_ALIGN = 4,
    VMMIO_EVENT_BYTES = 4,
    VMMIO_QUEUE_SIZE_LIMIT = 32768, /**< of both formats (SPLIT-03, PACK-01) */
};

#ifdef __cplusplus
}
#endif
#endif
