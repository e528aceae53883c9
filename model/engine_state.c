/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Save and restore of the engine: queues with their positions, and the requests in the function.
 * While nothing is running, the rest of the engine follows from the register block.
 */
#include "order.h"
#include "packed.h"
#include "rooms.h"
#include "split.h"
#include "state_parts.h"
#include "work.h"

/* What follows from the registers, and what is counted on the way. */
struct prospect {
    bool live;
    bool may_enable;
    struct vmmio_terms terms;
    uint32_t free;              /* request structs */
    struct vmmio_request **end; /* of the list of those that were in the function */
};

static uint32_t length_of(const struct vmmio_request *list)
{
    uint32_t length = 0;

    for (; list; list = list->next)
        length++;
    return length;
}

static struct prospect prospect_of(struct vmmio_engine *engine, const struct vmmio_block *fresh,
                                   const struct vmmio_features *negotiated)
{
    const uint32_t started = VMMIO_STATUS_DRIVER_OK | VMMIO_STATUS_SUSPEND;
    const uint32_t ended = VMMIO_STATUS_NEEDS_RESET | VMMIO_STATUS_FAILED;
    struct prospect p = {.terms = vmmio_terms_of(engine->is.function, negotiated),
                         .end = &engine->restored};

    p.may_enable = !fresh->resetting;
    p.live = (fresh->status & started || fresh->legacy_started) && !(fresh->status & ended) &&
             !fresh->resetting;
    p.free = length_of(engine->free_requests) + length_of(engine->restored);
    return p;
}

/* Requests: those that are neither free nor cancelled are in the function, or on the way to it. */

static void mark_requests(const struct vmmio_engine *engine)
{
    for (uint32_t i = 0; i < engine->is.request_count; i++)
        engine->is.requests[i].mark = true;
    for (struct vmmio_request *r = engine->free_requests; r; r = r->next)
        r->mark = false;
}

static bool in_function(const struct vmmio_request *request, const struct vmmio_queue *queue)
{
    return request->mark && !request->cancelled && request->from == queue;
}

static void visit_low_half(struct vmmio_state *state, uint32_t *value)
{
    uint16_t low = (uint16_t)*value;

    vmmio_state_u16(state, &low);
    *value = low;
}

/* Where it is in its queue: packed rings and IN_ORDER have more to keep. */
static void visit_place(struct vmmio_request *request, const struct vmmio_queue *queue,
                        bool in_order, struct vmmio_state *state)
{
    vmmio_state_u16(state, &request->head);
    if (queue->packed)
        visit_low_half(state, &request->slots);
    if (in_order) {
        vmmio_state_bool(state, &request->waiting);
        vmmio_state_u32(state, &request->used_length);
    }
}

static void save_request(struct vmmio_request *request, bool in_order, struct vmmio_state *state)
{
    visit_place(request, request->from, in_order, state);
    vmmio_state_u32(state, &request->readable_count);
    vmmio_state_u32(state, &request->segment_count);
    for (uint32_t i = 0; i < request->segment_count; i++) {
        vmmio_state_u64(state, &request->segments[i].address);
        vmmio_state_u32(state, &request->segments[i].length);
    }
}

static void save_requests(const struct vmmio_engine *engine, const struct vmmio_queue *queue,
                          struct vmmio_state *state)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < engine->is.request_count; i++)
        count += in_function(&engine->is.requests[i], queue);
    vmmio_state_u32(state, &count);
    if (engine->in_order && count) {
        for (struct vmmio_request *r = queue->oldest; r; r = r->after)
            save_request(r, true, state);
        return;
    }
    for (uint32_t i = 0; i < engine->is.request_count; i++)
        if (in_function(&engine->is.requests[i], queue))
            save_request(&engine->is.requests[i], false, state);
}

/* Into request, whose segments are not kept if it has no room for them. */
static bool restore_request(struct vmmio_request *request, const struct vmmio_queue *queue,
                            bool in_order, uint32_t most, struct vmmio_state *state)
{
    uint64_t readable = 0, writable = 0;

    request->slots = 1;
    visit_place(request, queue, in_order, state);
    vmmio_state_u32(state, &request->readable_count);
    vmmio_state_u32(state, &request->segment_count);
    if ((!queue->packed && request->head >= queue->size) || request->slots == 0 ||
        request->segment_count > most || request->readable_count > request->segment_count)
        return false;
    for (uint32_t i = 0; i < request->segment_count; i++) {
        struct vmmio_segment segment = {0, 0};

        vmmio_state_u64(state, &segment.address);
        vmmio_state_u32(state, &segment.length);
        if (vmmio_wraps(segment.address, segment.length))
            return false;
        *(i < request->readable_count ? &readable : &writable) += segment.length;
        if (request->segments)
            request->segments[i] = segment;
    }
    request->readable_bytes = (uint32_t)readable;
    request->writable_bytes = (uint32_t)writable;
    return readable + writable <= UINT32_MAX && !state->failed;
}

/* As if it had been taken from the ring; the function gets it at the next run, unless it waits. */
static void take_again(struct vmmio_engine *engine, struct vmmio_queue *queue,
                       struct vmmio_request *request, struct prospect *p)
{
    if (p->terms.in_order)
        vmmio_order_append(queue, request);
    if (request->waiting)
        return;
    vmmio_list_queue(engine, &engine->stand_in);
    request->next = NULL;
    *p->end = request;
    p->end = &request->next;
}

static enum vmmio_error restore_requests(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                         struct prospect *p, struct vmmio_state *state)
{
    uint32_t count, slots = 0;

    vmmio_state_u32(state, &count);
    if (count && !(queue->enabled && p->live))
        return VMMIO_ERROR_STATE_INVALID;
    for (uint32_t i = 0; i < count; i++) {
        struct vmmio_request judged = {0};

        if (p->free == 0) /* the others are still in the function, if there are others */
            return count <= engine->is.request_count ? VMMIO_ERROR_STATE_BUSY
                                                     : VMMIO_ERROR_STATE_DEVICE;
        p->free--;
        struct vmmio_request *request = state->commit ? engine->free_requests : &judged;

        if (state->commit)
            vmmio_take_free(engine, request, queue);
        if (!restore_request(request, queue, p->terms.in_order, engine->segments_each, state))
            return VMMIO_ERROR_STATE_INVALID;
        slots += request->slots;
        if (i == 0 && request->waiting)
            return VMMIO_ERROR_STATE_INVALID;
        if (state->commit)
            take_again(engine, queue, request, p);
    }
    if (queue->enabled && p->live && slots != vmmio_in_function(queue))
        return VMMIO_ERROR_STATE_INVALID;
    return VMMIO_ERROR_OK;
}

/* Queues. */

static void visit_queue(struct vmmio_queue *queue, struct vmmio_state *state)
{
    vmmio_state_bool(state, &queue->enabled);
    vmmio_state_u32(state, &queue->armed);
    if (queue->packed && !vmmio_state_reading(state)) { /* all that is used shows between calls */
        queue->next_avail = vmmio_packed_avail_position(queue);
        queue->next_used = vmmio_packed_position(queue->next_used, queue->used_lap != 0);
        queue->published = queue->next_used;
    }
    vmmio_state_u16(state, &queue->next_avail);
    vmmio_state_u16(state, &queue->next_used);
    vmmio_state_u16(state, &queue->published);
}

static void take_over(struct vmmio_queue *queue, const struct vmmio_queue_registers *registers)
{
    queue->desc = registers->desc;
    queue->driver = registers->driver;
    queue->device = registers->device;
    queue->size = registers->size;
}

/* Of a packed ring, whose positions came as those of an event structure; false if impossible. */
static bool take_over_positions(struct vmmio_queue *queue)
{
    const uint16_t avail = queue->next_avail, used = queue->next_used;

    queue->next_avail = avail & 0x7fff;
    queue->avail_lap = VMMIO_PACKED_WORD(avail & 0x8000 ? VMMIO_DESC_AVAIL : VMMIO_DESC_USED);
    queue->next_used = used & 0x7fff;
    queue->used_lap = used & 0x8000 ? VMMIO_PACKED_BOTH : 0;
    queue->published = queue->next_used;
    queue->published_lap = queue->used_lap;
    queue->holds = false;
    return queue->next_avail < queue->size && queue->next_used < queue->size &&
           vmmio_packed_taken(queue) <= queue->size;
}

static bool queue_possible(const struct vmmio_queue_registers *registers, struct vmmio_queue *queue,
                           const struct prospect *p)
{
    struct vmmio_queue trial = *queue;

    const bool fits = vmmio_queues_fault(registers, p->terms.packed) == VMMIO_DIAG_COUNT;

    if (registers->ready && !fits && /* a split one of before FEATURES_OK is never in operation */
        vmmio_queues_fault(registers, false) != VMMIO_DIAG_COUNT)
        return false;
    if (queue->armed > UINT16_MAX && queue->armed != UINT32_MAX)
        return false;
    if (!queue->enabled)
        return true;
    return registers->ready && fits && p->may_enable && queue->index < p->terms.usable_queues &&
           (queue->packed ? take_over_positions(queue) && vmmio_packed_enable(&trial)
                          : vmmio_split_enable(&trial));
}

static enum vmmio_error visit_one(struct vmmio_engine *engine, const struct vmmio_block *fresh,
                                  uint32_t index, struct prospect *p, struct vmmio_state *state)
{
    struct vmmio_queue_registers registers = fresh->is.queues[index];
    struct vmmio_queue queue = engine->is.queues[index];

    vmmio_queues_visit(&registers, fresh->is.legacy, state);
    visit_queue(&queue, state);
    if (!vmmio_state_reading(state)) {
        save_requests(engine, &engine->is.queues[index], state);
        return VMMIO_ERROR_OK;
    }
    queue.packed = queue.enabled && p->terms.packed;
    if (queue.enabled)
        take_over(&queue, &registers);
    if (!queue_possible(&registers, &queue, p))
        return VMMIO_ERROR_STATE_INVALID;
    if (!state->commit)
        return restore_requests(engine, &queue, p, state);
    queue.map_epoch = engine->map_epoch - 1;
    queue.direct = NULL;
    engine->is.queues[index] = queue;
    fresh->is.queues[index] = registers;
    return restore_requests(engine, &engine->is.queues[index], p, state);
}

/* The work list: which queues have their turn next. */

static void save_list(const struct vmmio_engine *engine, struct vmmio_state *state)
{
    uint32_t count = 0;

    for (const struct vmmio_queue *q = engine->first_listed; q; q = q->next_in_list)
        count += vmmio_queue_alive(engine, q);
    vmmio_state_u32(state, &count);
    for (struct vmmio_queue *q = engine->first_listed; q; q = q->next_in_list)
        if (vmmio_queue_alive(engine, q))
            vmmio_state_u32(state, &q->index);
}

static enum vmmio_error restore_list(struct vmmio_engine *engine, uint32_t queue_count,
                                     struct vmmio_state *state)
{
    uint32_t count;

    vmmio_state_u32(state, &count);
    if (count > queue_count)
        return VMMIO_ERROR_STATE_INVALID;
    for (uint32_t i = 0; i < queue_count; i++)
        engine->is.queues[i].mark = false;
    for (; count; count--) {
        uint32_t index;

        vmmio_state_u32(state, &index);
        if (index >= queue_count || engine->is.queues[index].mark)
            return VMMIO_ERROR_STATE_INVALID;
        engine->is.queues[index].mark = true;
        if (state->commit)
            vmmio_queue_wake(engine, index);
    }
    return VMMIO_ERROR_OK;
}

static void take_over_engine(struct vmmio_engine *engine, const struct vmmio_block *fresh,
                             const struct prospect *p)
{
    vmmio_engine_agree(engine, &p->terms);
    engine->live = p->live;
    engine->suspend_wanted = fresh->suspending && p->live;
    engine->paused = engine->suspend_wanted || fresh->status & VMMIO_STATUS_SUSPEND;
}

enum vmmio_error vmmio_engine_state(struct vmmio_engine *engine, const struct vmmio_block *fresh,
                                    struct vmmio_state *state)
{
    const uint32_t queue_count = fresh->is.queue_count;
    struct prospect p = prospect_of(engine, fresh, state->negotiated);
    enum vmmio_error error = VMMIO_ERROR_OK;

    if (!vmmio_state_reading(state))
        mark_requests(engine);
    if (state->commit)
        take_over_engine(engine, fresh, &p);
    for (uint32_t i = 0; i < queue_count && error == VMMIO_ERROR_OK; i++)
        error = visit_one(engine, fresh, i, &p, state);
    if (error != VMMIO_ERROR_OK)
        return error;
    if (vmmio_state_reading(state))
        return restore_list(engine, queue_count, state);
    save_list(engine, state);
    return VMMIO_ERROR_OK;
}
