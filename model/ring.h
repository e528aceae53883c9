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
/* What must be in line, so that the constants that its callers give it disappear. */
#define VMMIO_IN_LINE inline __attribute__((always_inline))
#define VMMIO_RARELY(condition) __builtin_expect(condition, 0)
#else
#define VMMIO_APART
#define VMMIO_IN_LINE inline
#define VMMIO_RARELY(condition) (condition)
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
 * Memory that another master changes: one load or store of 16 or 32 bits at an aligned address. A
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

static inline uint32_t vmmio_load_le32(const uint8_t *shared)
{
    const uint32_t value = *(const volatile uint32_t *)(const void *)shared;
    uint8_t bytes[4];

    memcpy(bytes, &value, 4);
    return vmmio_le32(bytes);
}

static inline void vmmio_store_le32(uint8_t *shared, uint32_t value)
{
    uint8_t bytes[4];
    uint32_t raw;

    vmmio_put_le32(bytes, value);
    memcpy(&raw, bytes, 4);
    *(volatile uint32_t *)(void *)shared = raw;
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

/* Buffers of the queue that is served are dealt with in line, if its pointers are known now. */
static inline void vmmio_note_pointers(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                       bool packed)
{
    if (packed)
        engine->direct_packed = queue->direct;
    else
        engine->direct_split = queue->direct;
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

/* True if the range goes on at address 0; one that is empty or ends at 2^64 does not. */
static inline bool vmmio_wraps(uint64_t address, uint64_t length)
{
    const uint64_t end = address + length;

    return VMMIO_RARELY(end < address) && end != 0;
}

/* One descriptor, read once. What follows the address stays in one word until it is needed. */
struct vmmio_desc {
    uint64_t address;
    uint64_t rest;
};

static inline uint32_t vmmio_desc_length(struct vmmio_desc d) { return (uint32_t)d.rest; }

static inline struct vmmio_desc vmmio_desc_decode(const uint8_t *raw)
{
    return (struct vmmio_desc){vmmio_le64(raw), vmmio_le64(raw + 8)};
}

static inline struct vmmio_desc vmmio_desc_load(const uint8_t *table, uint32_t index)
{
    uint8_t raw[VMMIO_DESC_BYTES];

    vmmio_copy_once(raw, table + (size_t)VMMIO_DESC_BYTES * index, sizeof(raw));
    return vmmio_desc_decode(raw);
}

/* Descriptors in guest memory: the queue's own or an indirect table. */
struct vmmio_table {
    uint64_t address;
    const uint8_t *mapped; /* NULL: by transactions */
    uint64_t map_epoch;
    uint32_t size; /* entries */
};

static inline struct vmmio_table vmmio_own_table(const struct vmmio_queue *queue)
{
    return (struct vmmio_table){queue->desc, queue->desc_mapped, queue->map_epoch, queue->size};
}

/* Lengths of the descriptor, driver and device areas in bytes. */
struct vmmio_ring_parts {
    uint64_t desc, driver, device;
    bool write_desc; /* the device writes there, too */
};

/* ring.c. What returns bool returns false if the queue died. */

/* A fatal error of the queue; false. */
bool vmmio_ring_fault(struct vmmio_engine *engine, struct vmmio_queue *queue, enum vmmio_diag_id id,
                      uint64_t value);
/* The parts lie in the address space, and none on top of another. */
bool vmmio_ring_fits(const struct vmmio_queue *queue, struct vmmio_ring_parts bytes);
/*
 * Asks for pointers to the parts, aligned enough for single loads and stores of `alignment` bytes.
 */
void vmmio_ring_map(struct vmmio_engine *engine, struct vmmio_queue *queue,
                    struct vmmio_ring_parts bytes, uintptr_t alignment);
bool vmmio_table_fetch_by_bus(struct vmmio_engine *engine, struct vmmio_queue *queue,
                              const struct vmmio_table *table, uint32_t index,
                              struct vmmio_desc *d);
/* Enters the indirect table that d points at; misplaced: why d must not be one, or DIAG_COUNT. */
bool vmmio_table_open(struct vmmio_engine *engine, struct vmmio_queue *queue,
                      struct vmmio_table *table, struct vmmio_desc d, enum vmmio_diag_id misplaced);

static inline bool vmmio_table_fetch(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                     const struct vmmio_table *table, uint32_t index,
                                     struct vmmio_desc *d)
{
    if (!table->mapped || table->map_epoch != engine->map_epoch)
        return vmmio_table_fetch_by_bus(engine, queue, table, index, d);
    *d = vmmio_desc_load(table->mapped, index);
    return true;
}

static inline void vmmio_request_clear(struct vmmio_request *request)
{
    request->readable_bytes = 0;
    request->writable_bytes = 0;
    request->readable_count = 0;
    request->segment_count = 0;
}

static inline bool vmmio_request_add(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                     struct vmmio_request *request, struct vmmio_desc d,
                                     bool writable)
{
    const uint32_t length = vmmio_desc_length(d);
    const uint64_t total = (uint64_t)request->readable_bytes + request->writable_bytes + length;

    if (!writable && request->segment_count > request->readable_count)
        return vmmio_ring_fault(engine, queue, VMMIO_DIAG_RING_ORDER, d.address);
    if (vmmio_wraps(d.address, length))
        return vmmio_ring_fault(engine, queue, VMMIO_DIAG_RING_ADDRESS, d.address);
    if (total > UINT32_MAX)
        return vmmio_ring_fault(engine, queue, VMMIO_DIAG_RING_TOTAL, total);

    /* An empty one is kept: it still says which part it belongs to (A-RING-ZEROLEN). */
    request->segments[request->segment_count++] = (struct vmmio_segment){d.address, length};
    if (writable) {
        request->writable_bytes += length;
    } else {
        request->readable_bytes += length;
        request->readable_count++;
    }
    return true;
}

#endif
