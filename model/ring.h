/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file ring.h
 * What the engine and the ring formats share.
 */
#ifndef VMMIO_MODEL_RING_H
#define VMMIO_MODEL_RING_H

#include "vmmio/engine.h"

#include <stdatomic.h>
#include <string.h>

/* Keeps what is rarely needed out of line, so that its caller gets by without a stack frame. */
#if defined(__GNUC__)
#define VMMIO_APART __attribute__((noinline))
#else
#define VMMIO_APART
#endif

/* Hosts that are known to be little-endian read and write the fields of guest memory as they are.
 */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define VMMIO_HOST_IS_LE 1
#else
#define VMMIO_HOST_IS_LE 0
#endif

/* Little-endian fields of guest memory in a private copy or behind a host pointer. */
static inline uint16_t vmmio_le16(const uint8_t *p)
{
    uint16_t value;

    memcpy(&value, p, sizeof(value));
    return VMMIO_HOST_IS_LE ? value : (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t vmmio_le32(const uint8_t *p)
{
    uint32_t value;

    memcpy(&value, p, sizeof(value));
    return VMMIO_HOST_IS_LE ? value : (uint32_t)vmmio_le16(p) | (uint32_t)vmmio_le16(p + 2) << 16;
}

static inline uint64_t vmmio_le64(const uint8_t *p)
{
    uint64_t value;

    memcpy(&value, p, sizeof(value));
    return VMMIO_HOST_IS_LE ? value : vmmio_le32(p) | (uint64_t)vmmio_le32(p + 4) << 32;
}

static inline void vmmio_put_le16(uint8_t *p, uint16_t value)
{
    if (VMMIO_HOST_IS_LE) {
        memcpy(p, &value, sizeof(value));
        return;
    }
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

static inline void vmmio_put_le32(uint8_t *p, uint32_t value)
{
    if (VMMIO_HOST_IS_LE) {
        memcpy(p, &value, sizeof(value));
        return;
    }
    vmmio_put_le16(p, (uint16_t)value);
    vmmio_put_le16(p + 2, (uint16_t)(value >> 16));
}

static inline void vmmio_put_le64(uint8_t *p, uint64_t value)
{
    vmmio_put_le32(p, (uint32_t)value);
    vmmio_put_le32(p + 4, (uint32_t)(value >> 32));
}

/*
 * Memory that another master changes: one load or store of 16 bits at an even address. A
 * private copy made with memcpy is followed by a signal fence, so that the compiler cannot read
 * the original again (A-DBLFETCH).
 */
static inline uint16_t vmmio_load_le16(const uint8_t *shared)
{
    const uint16_t value = *(const volatile uint16_t *)(const void *)shared;
    uint8_t bytes[2];

    memcpy(bytes, &value, 2);
    return vmmio_le16(bytes);
}

static inline void vmmio_store_le16(uint8_t *shared, uint16_t value)
{
    uint8_t bytes[2];
    uint16_t raw;

    vmmio_put_le16(bytes, value);
    memcpy(&raw, bytes, 2);
    *(volatile uint16_t *)(void *)shared = raw;
}

static inline void vmmio_copy_once(void *copy, const void *shared, size_t length)
{
    memcpy(copy, shared, length);
    atomic_signal_fence(memory_order_seq_cst);
}

/* False as soon as nothing may touch the queue any more: reset, stop, fatal error. */
static inline bool vmmio_queue_alive(const struct vmmio_engine *engine,
                                     const struct vmmio_queue *queue)
{
    return engine->live && queue->enabled;
}

/* True if all parts of the ring can be reached by pointer right now. */
static inline bool vmmio_queue_direct(const struct vmmio_engine *engine,
                                      const struct vmmio_queue *queue)
{
    return queue->direct_epoch == engine->map_epoch;
}

/* What a device function does to guest memory is put between these two; see engine.c. */
bool vmmio_engine_enter(struct vmmio_engine *engine);
void vmmio_engine_leave(struct vmmio_engine *engine, bool first);

/* As a reset does, but without a word to the register block's status. */
void vmmio_engine_clear(struct vmmio_engine *engine);

/*
 * DMA by transaction on behalf of a queue. False if the queue died before, during (another
 * process may reset the device meanwhile) or because of it: a bus error is fatal with this id.
 */
bool vmmio_dma_read(struct vmmio_engine *engine, struct vmmio_queue *queue, uint64_t address,
                    void *data, uint32_t length, enum vmmio_diag_id fault);
bool vmmio_dma_write(struct vmmio_engine *engine, struct vmmio_queue *queue, uint64_t address,
                     const void *data, uint32_t length, enum vmmio_diag_id fault);

#endif
