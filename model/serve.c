/* SPDX-License-Identifier: Apache-2.0 */
/* Turns of a queue: buffers taken from its ring, handed to the function, and given back. */
#include "order.h"
#include "packed.h"
#include "split.h"
#include "work.h"

enum { TURN = 64 }; /* requests of one queue before the next one's turn */

/*
 * The ring formats, behind one set of names. Whoever knows the format passes it as a constant.
 * What is seen of the next buffer is the available index, or the flags of its first descriptor.
 */

/* How many buffers there are, as far as one look tells; false if the queue died. */
static VMMIO_IN_LINE bool look(struct vmmio_engine *engine, struct vmmio_queue *queue, bool packed,
                               uint16_t *seen, uint32_t *fresh)
{
    if (packed) {
        *fresh = vmmio_packed_look(engine, queue, seen);
        return *fresh || engine->served == queue;
    }
    const int32_t index = vmmio_split_avail_index(engine, queue);

    if (index < 0)
        return false;
    *seen = (uint16_t)index;
    *fresh = (uint16_t)(*seen - queue->next_avail);
    if (*fresh > queue->size) {
        vmmio_engine_fatal(engine, VMMIO_DIAG_RING_JUMP, queue->index, *seen);
        return false;
    }
    return true;
}

/* All that is not needed where rings are dealt with in line. */
VMMIO_APART static bool take_otherwise(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                       struct vmmio_request *request, uint16_t seen)
{
    if (!(queue->packed ? vmmio_packed_take_by_bus(engine, queue, request, seen)
                        : vmmio_split_take_by_bus(engine, queue, request)))
        return false;
    if (engine->in_order)
        vmmio_order_append(queue, request);
    return true;
}

static VMMIO_IN_LINE bool take(struct vmmio_engine *engine, struct vmmio_queue *queue,
                               struct vmmio_request *request, bool packed, uint16_t seen)
{
    if (!packed && vmmio_split_direct(engine, queue))
        return vmmio_split_take(engine, queue, request);
    return take_otherwise(engine, queue, request, seen);
}

/* Takes one buffer; NULL if something goes wrong, which ends the queue's turn. */
static VMMIO_IN_LINE struct vmmio_request *
fetch(struct vmmio_engine *engine, struct vmmio_queue *queue, bool packed, uint16_t seen)
{
    struct vmmio_request *request = engine->free_requests;

    vmmio_take_free(engine, request, queue);
    if (!take(engine, queue, request, packed, seen)) {
        vmmio_free_request(request);
        return NULL;
    }
    return request;
}

/* One used entry, for a buffer or for as many as it stands for. */
static inline void put(struct vmmio_engine *engine, struct vmmio_queue *queue, uint32_t id,
                       uint32_t used_length, uint32_t slots)
{
    if (queue->packed)
        vmmio_packed_put(engine, queue, id, used_length, slots);
    else
        vmmio_split_put(engine, queue, id, used_length, slots);
}

/* Gives back this one and those that waited for it, or lets it wait. */
static void put_in_order(struct vmmio_engine *engine, struct vmmio_queue *queue,
                         struct vmmio_request *request, uint32_t used_length)
{
    struct vmmio_request *next;

    request->used_length = used_length;
    request->waiting = true;
    while ((next = vmmio_order_next(queue)) != NULL) { /* none if the queue dies meanwhile */
        if (!vmmio_batch_goes_on(&queue->batch)) {
            const struct vmmio_batch batch = vmmio_batch_end(queue);

            put(engine, queue, batch.id, batch.length, batch.slots);
        }
        vmmio_batch_add(&queue->batch, next);
        vmmio_free_request(next);
    }
}

VMMIO_APART static void publish_otherwise(struct vmmio_engine *engine, struct vmmio_queue *queue)
{
    if (queue->packed)
        vmmio_packed_publish_by_bus(engine, queue);
    else
        vmmio_split_publish_by_bus(engine, queue);
}

static VMMIO_IN_LINE void publish(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                  bool packed)
{
    if (packed && vmmio_packed_direct(engine, queue))
        vmmio_packed_publish(engine, queue);
    else if (!packed && vmmio_split_direct(engine, queue))
        vmmio_split_publish(engine, queue);
    else if (engine->served == queue || vmmio_queue_alive(engine, queue))
        publish_otherwise(engine, queue);
}

/* True if the driver's next kick is newly asked for: then it has to be looked for buffers again. */
static VMMIO_IN_LINE bool arm(struct vmmio_engine *engine, struct vmmio_queue *queue, bool packed)
{
    if (!engine->event_idx)
        return false;
    const uint16_t position = packed ? vmmio_packed_avail_position(queue) : queue->next_avail;

    if (position == queue->armed)
        return false;
    queue->armed = position;
    return packed ? vmmio_packed_arm(engine, queue) : vmmio_split_arm(engine, queue);
}

/* Takes one buffer and hands it to the function. */
static VMMIO_IN_LINE void take_one(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                   bool packed, uint16_t seen)
{
    struct vmmio_request *request = fetch(engine, queue, packed, seen);

    if (request)
        engine->is.function->type->handle(engine->is.function, request);
}

struct vmmio_request *vmmio_queue_take(struct vmmio_engine *engine, uint32_t index)
{
    struct vmmio_queue *queue = &engine->is.queues[index];

    while (engine->served == queue && engine->free_requests) {
        uint16_t seen;
        uint32_t fresh;

        if (!look(engine, queue, queue->packed, &seen, &fresh))
            return NULL;
        if (fresh)
            return fetch(engine, queue, queue->packed, seen);
        if (!arm(engine, queue, queue->packed))
            return NULL;
    }
    return NULL;
}

void vmmio_request_return(struct vmmio_request *request)
{
    struct vmmio_queue *queue = request->from;

    if (!request->cancelled) {
        if (queue->packed)
            vmmio_packed_untake(queue, request->slots);
        else
            queue->next_avail--;
        if (request->engine->in_order)
            vmmio_order_remove(queue, request);
    }
    vmmio_free_request(request);
}

void vmmio_queue_wake(struct vmmio_engine *engine, uint32_t queue)
{
    if (vmmio_queue_usable(engine, queue))
        vmmio_list_queue(engine, &engine->is.queues[queue]);
}

bool vmmio_queue_usable(const struct vmmio_engine *engine, uint32_t queue)
{
    return vmmio_queue_alive(engine, &engine->is.queues[queue]);
}

/* One turn of a queue whose function may choose; false if it does not. */
VMMIO_APART static bool serve_by_choice(struct vmmio_engine *engine, struct vmmio_queue *queue)
{
    struct vmmio_function *function = engine->is.function;

    vmmio_begin_turn(engine, queue, queue->packed);
    if (!function->type->turn(function, engine, queue->index))
        return false;
    publish(engine, queue, queue->packed);
    return true;
}

/*
 * Hands over what is there; how much of the budget is left. The queue is in the work list again if
 * it has more buffers than that, or than there are request structs.
 */
static VMMIO_IN_LINE uint32_t hand_over_split(struct vmmio_engine *engine,
                                              struct vmmio_queue *queue, uint32_t budget)
{
    struct vmmio_function *function = engine->is.function;
    uint16_t avail;
    uint32_t fresh;

    if (!look(engine, queue, false, &avail, &fresh))
        return budget;
    uint32_t count = fresh < budget ? fresh : budget;

    budget -= count;
    while (count) {
        if (function->type->serve_in_place && vmmio_split_direct(engine, queue))
            count -= function->type->serve_in_place(function, engine, queue, count);
        else
            for (; count && engine->free_requests && vmmio_split_direct(engine, queue); count--)
                take_one(engine, queue, false, 0);
        if (!count || !engine->free_requests || engine->served != queue)
            break;
        take_one(engine, queue, false, 0); /* it is not mapped, or not for there */
        count--;
    }
    if (queue->next_avail != avail && engine->served == queue)
        vmmio_list_queue(engine, queue);
    return budget + count;
}

/* What is not plain or not mapped: one buffer; LEFT for want of budget or of request structs. */
VMMIO_APART static enum vmmio_found hand_over_other(struct vmmio_engine *engine,
                                                    struct vmmio_queue *queue, uint32_t budget)
{
    uint16_t flags;

    if (engine->served != queue || !vmmio_packed_look(engine, queue, &flags))
        return VMMIO_NOTHING;
    if (!budget || !engine->free_requests)
        return VMMIO_LEFT;
    take_one(engine, queue, true, flags);
    return VMMIO_TAKEN;
}

/* The same for a packed ring: how many buffers there are shows one by one. */
static VMMIO_IN_LINE uint32_t hand_over_packed(struct vmmio_engine *engine,
                                               struct vmmio_queue *queue, uint32_t budget)
{
    struct vmmio_function *function = engine->is.function;
    struct vmmio_request *request;
    enum vmmio_found found;

    for (;;) {
        while ((request = engine->free_requests) != NULL && vmmio_packed_direct(engine, queue)) {
            found = vmmio_packed_take_plain(queue, request);
            if (found == VMMIO_NOTHING)
                return budget;
            if (found == VMMIO_LEFT)
                break;
            vmmio_take_free(engine, request, queue);
            function->type->handle(function, request);
            if (--budget == 0)
                break;
        }
        do
            found = hand_over_other(engine, queue, budget);
        while (found == VMMIO_TAKEN && --budget == 0);
        if (found == VMMIO_NOTHING)
            return budget;
        if (found == VMMIO_LEFT)
            break;
    }
    vmmio_list_queue(engine, queue);
    return budget;
}

/* The queue gets another turn if it has buffers. */
VMMIO_APART static void list_if_filled(struct vmmio_engine *engine, struct vmmio_queue *queue)
{
    uint16_t seen;
    uint32_t fresh;

    if (look(engine, queue, queue->packed, &seen, &fresh) && fresh)
        vmmio_list_queue(engine, queue);
}

/* One turn of one queue; returns how many requests are left of the budget, which is not 0. */
static VMMIO_IN_LINE uint32_t serve(struct vmmio_engine *engine, struct vmmio_queue *queue,
                                    bool packed, uint32_t budget)
{
    vmmio_begin_turn(engine, queue, packed);
    do {
        budget = packed ? hand_over_packed(engine, queue, budget)
                        : hand_over_split(engine, queue, budget);
        publish(engine, queue, packed);
        if (engine->served != queue || queue->listed || !arm(engine, queue, packed))
            return budget;
    } while (budget);
    list_if_filled(engine, queue);
    return 0;
}

/* Whatever is not given back in line, in its queue's turn. */
VMMIO_APART static void complete_otherwise(struct vmmio_request *request, uint32_t used_length)
{
    struct vmmio_engine *engine = request->engine;
    struct vmmio_queue *queue = request->from;
    const bool in_turn = engine->served == queue;
    const bool first = vmmio_engine_enter(engine);

    if (request->cancelled) {
        vmmio_free_request(request);
    } else {
        if (engine->in_order) {
            put_in_order(engine, queue, request, used_length);
        } else {
            put(engine, queue, request->head, used_length, queue->packed ? request->slots : 1);
            vmmio_free_request(request);
        }
        if (!in_turn)
            publish(engine, queue, queue->packed);
    }
    vmmio_engine_leave(engine, first);
}

/*
 * Used entries are published at the end of their queue's turn, or at once outside of one. The
 * queue of a request that is not cancelled is alive: whoever stops it cancels first.
 */
void vmmio_request_complete(struct vmmio_request *request, uint32_t used_length)
{
    struct vmmio_engine *engine = request->engine;
    struct vmmio_queue *queue = request->from;

    if (vmmio_packed_direct(engine, queue)) {
        vmmio_free_request(request);
        vmmio_packed_put(engine, queue, request->head, used_length, request->slots);
    } else if (vmmio_split_direct(engine, queue)) {
        vmmio_free_request(request);
        vmmio_split_put(engine, queue, request->head, used_length, 1);
    } else {
        complete_otherwise(request, used_length);
    }
}

/* Requests that were in the function when the device was saved. */
VMMIO_APART static void hand_over_again(struct vmmio_engine *engine)
{
    while (engine->restored) {
        struct vmmio_request *request = engine->restored;

        engine->restored = request->next;
        if (request->cancelled)
            vmmio_free_request(request);
        else
            engine->is.function->type->handle(engine->is.function, request);
    }
}

uint32_t vmmio_engine_run(struct vmmio_engine *engine, uint32_t budget)
{
    uint32_t done = 0;

    if (engine->running)
        return 0;
    engine->running = true;
    while (done < budget && engine->first_listed && (engine->free_requests || engine->restored)) {
        struct vmmio_queue *queue = vmmio_unlist_queue(engine);
        const uint32_t turn = budget - done < TURN ? budget - done : TURN;

        if (!vmmio_queue_alive(engine, queue) || engine->paused) {
            hand_over_again(engine);
            continue;
        }
        if (engine->is.function->type->turn && serve_by_choice(engine, queue))
            done += turn; /* the function has its own measure */
        else if (queue->packed)
            done += turn - serve(engine, queue, true, turn);
        else
            done += turn - serve(engine, queue, false, turn);
    }
    vmmio_end_turn(engine);
    engine->running = false;
    vmmio_engine_settle(engine);
    return done;
}
