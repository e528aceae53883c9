/* SPDX-License-Identifier: Apache-2.0 */
/* The data of a request: copies between a device function and scattered guest memory. */
#include "direct.h"

/* What a transaction came to: false if the queue died meanwhile, or dies of it. */
static bool outcome(struct vmmio_engine *engine, struct vmmio_queue *queue, bool ok,
                    uint64_t address, enum vmmio_diag_id fault)
{
    if (!vmmio_queue_alive(engine, queue))
        return false; /* reset while the bus was busy: an error concerns nobody */
    if (!ok)
        vmmio_engine_fatal(engine, fault, queue->index, address);
    return ok;
}

bool vmmio_dma_read(struct vmmio_engine *engine, struct vmmio_queue *queue, uint64_t address,
                    void *data, uint32_t length, enum vmmio_diag_id fault)
{
    const struct vmmio_memory *memory = &engine->is.memory;

    return vmmio_queue_alive(engine, queue) &&
           outcome(engine, queue, memory->read(memory->context, address, data, length), address,
                   fault);
}

bool vmmio_dma_write(struct vmmio_engine *engine, struct vmmio_queue *queue, uint64_t address,
                     const void *data, uint32_t length, enum vmmio_diag_id fault)
{
    const struct vmmio_memory *memory = &engine->is.memory;

    return vmmio_queue_alive(engine, queue) &&
           outcome(engine, queue, memory->write(memory->context, address, data, length), address,
                   fault);
}

/*
 * A host pointer to these bytes, by way of the range around them if there is one: it is known from
 * then on. Asking may itself take ranges and pointers away; map's own answer comes after that.
 */
static uint8_t *find_pointer(struct vmmio_engine *engine, uint64_t address, uint32_t length,
                             bool write)
{
    const struct vmmio_memory *memory = &engine->is.memory;
    uint8_t *pointer = vmmio_in_range(&engine->ranges[write], address, length);
    struct vmmio_memory_range range;

    if (pointer)
        return pointer;
    if (memory->range) {
        const uint64_t epoch = engine->map_epoch;

        if (memory->range(memory->context, address, write, &range) && epoch == engine->map_epoch) {
            engine->ranges[write] = range;
            pointer = vmmio_in_range(&range, address, length);
        }
    }
    return pointer ? pointer : memory->map(memory->context, address, length, write);
}

/* One piece inside one segment, by pointer or by transaction. Exactly one of in, out is set. */
static bool move(struct vmmio_request *request, uint64_t address, uint32_t length, void *in,
                 const void *out)
{
    struct vmmio_engine *engine = request->engine;
    struct vmmio_queue *queue = request->from;
    void *mapped = find_pointer(engine, address, length, out != NULL);

    if (mapped && in)
        vmmio_copy_once(in, mapped, length);
    else if (mapped)
        memcpy(mapped, out, length);
    else if (in)
        return vmmio_dma_read(engine, queue, address, in, length, VMMIO_DIAG_BUFFER_DMA);
    else
        return vmmio_dma_write(engine, queue, address, out, length, VMMIO_DIAG_BUFFER_DMA);
    return true;
}

/* Walks [offset, offset+length) of the segments first .. last-1, which hold that many bytes. */
static bool scatter(struct vmmio_request *request, uint32_t first, uint32_t last, uint32_t offset,
                    uint32_t length, uint8_t *in, const uint8_t *out)
{
    for (uint32_t i = first; i < last && length; i++) {
        const struct vmmio_segment *segment = &request->segments[i];

        if (offset >= segment->length) {
            offset -= segment->length;
            continue;
        }
        const uint32_t rest = segment->length - offset;
        const uint32_t piece = rest < length ? rest : length;

        if (!move(request, segment->address + offset, piece, in, out) || request->cancelled)
            return false;
        if (in)
            in += piece;
        else
            out += piece;
        length -= piece;
        offset = 0;
    }
    return true;
}

bool vmmio_request_read(struct vmmio_request *request, uint32_t offset, void *data, uint32_t length)
{
    if (request->cancelled || offset > request->readable_bytes ||
        length > request->readable_bytes - offset)
        return false;
    const bool first = vmmio_engine_enter(request->engine);
    const bool ok = scatter(request, 0, request->readable_count, offset, length, data, NULL);

    vmmio_engine_leave(request->engine, first);
    return ok;
}

bool vmmio_request_write(struct vmmio_request *request, uint32_t offset, const void *data,
                         uint32_t length)
{
    if (request->cancelled || offset > request->writable_bytes ||
        length > request->writable_bytes - offset)
        return false;
    const bool first = vmmio_engine_enter(request->engine);
    const bool ok = scatter(request, request->readable_count, request->segment_count, offset,
                            length, NULL, data);

    vmmio_engine_leave(request->engine, first);
    return ok;
}

void vmmio_request_report(const struct vmmio_request *request, enum vmmio_diag_id id,
                          uint64_t value)
{
    const struct vmmio_engine_config *is = &request->engine->is;
    const struct vmmio_diagnostic diagnostic = {id, request->queue, value};

    if (is->diagnostic)
        is->diagnostic(is->diagnostic_context, &diagnostic);
}
