/* SPDX-License-Identifier: Apache-2.0 */
/* The queue engine: which queue is served when, and how everything stops; rings are in split.c. */
#include "split.h"

enum { TURN = 64 }; /* requests of one queue before the next one's turn */

static void list_queue(struct vmmio_engine *engine, struct vmmio_queue *queue)
{
    if (queue->listed)
        return;
    queue->listed = true;
    queue->next_in_list = NULL;
    if (engine->first_listed)
        engine->last_listed->next_in_list = queue;
    else
        engine->first_listed = queue;
    engine->last_listed = queue;
}

static struct vmmio_queue *unlist_queue(struct vmmio_engine *engine)
{
    struct vmmio_queue *queue = engine->first_listed;

    queue->listed = false;
    engine->first_listed = queue->next_in_list;
    return queue;
}

static void list_enabled_queues(struct vmmio_engine *engine)
{
    for (uint32_t i = 0; i < engine->is.queue_count; i++)
        if (engine->is.queues[i].enabled)
            list_queue(engine, &engine->is.queues[i]);
}

static inline void free_request(struct vmmio_request *request)
{
    request->next = request->engine->free_requests;
    request->engine->free_requests = request;
}

/*
 * A function may still hold these; what it makes of them is dropped (A-RESET-INFLIGHT). Free ones
 * are marked with the rest: that ends when they are taken.
 */
static void cancel_requests(struct vmmio_engine *engine, const struct vmmio_queue *queue)
{
    for (uint32_t i = 0; i < engine->is.request_count; i++) {
        struct vmmio_request *request = &engine->is.requests[i];

        if (!queue || queue == request->from)
            request->cancelled = true;
    }
}

static void clear_queue(struct vmmio_queue *queue)
{
    *queue = (struct vmmio_queue){
        .index = queue->index, .listed = queue->listed, .next_in_list = queue->next_in_list};
}

/* No queue takes another buffer before the next one's turn. */
static void end_turn(struct vmmio_engine *engine) { engine->served = NULL; }

static uint32_t held_requests(const struct vmmio_engine *engine)
{
    uint32_t held = 0;

    for (uint32_t i = 0; i < engine->is.queue_count; i++)
        held += engine->is.queues[i].held;
    return held;
}

static bool suspend_finished(struct vmmio_engine *engine)
{
    if (!engine->suspend_wanted || engine->running || (engine->live && held_requests(engine)))
        return false;
    engine->suspend_wanted = false;
    return true;
}

/* Takes one buffer; NULL if something goes wrong, which ends the queue's turn. */
static inline struct vmmio_request *fetch(struct vmmio_engine *engine, struct vmmio_queue *queue)
{
    struct vmmio_request *request = engine->free_requests;

    engine->free_requests = request->next;
    request->queue = queue->index;
    request->from = queue;
    request->cancelled = false;
    if (!vmmio_split_take(engine, queue, request)) {
        free_request(request);
        return NULL;
    }
    queue->held++;
    return request;
}

/* Takes one buffer and hands it to the function. */
static inline void take_one(struct vmmio_engine *engine, struct vmmio_queue *queue)
{
    struct vmmio_request *request = fetch(engine, queue);

    if (request)
        engine->is.function->type->handle(engine->is.function, request);
}

struct vmmio_request *vmmio_queue_take(struct vmmio_engine *engine, uint32_t index)
{
    struct vmmio_queue *queue = &engine->is.queues[index];

    while (engine->served == queue && engine->free_requests) {
        uint16_t avail;

        if (!vmmio_split_avail_index(engine, queue, &avail))
            return NULL;
        const uint16_t fresh = (uint16_t)(avail - queue->next_avail);

        if (fresh > queue->size) {
            vmmio_engine_fatal(engine, VMMIO_DIAG_RING_JUMP, queue->index, avail);
            return NULL;
        }
        if (fresh)
            return fetch(engine, queue);
        if (!engine->event_idx || avail == queue->armed)
            return NULL;
        queue->armed = avail; /* whoever wants more has to hear of it */
        if (!vmmio_split_arm(engine, queue))
            return NULL;
    }
    return NULL;
}

void vmmio_request_return(struct vmmio_request *request)
{
    if (!request->cancelled) {
        request->from->next_avail--;
        request->from->held--;
    }
    free_request(request);
}

void vmmio_queue_wake(struct vmmio_engine *engine, uint32_t queue)
{
    if (vmmio_queue_usable(engine, queue))
        list_queue(engine, &engine->is.queues[queue]);
}

bool vmmio_queue_usable(const struct vmmio_engine *engine, uint32_t queue)
{
    return vmmio_queue_alive(engine, &engine->is.queues[queue]);
}

/* One turn of a queue whose function may choose; false if it does not. */
VMMIO_APART static bool serve_by_choice(struct vmmio_engine *engine, struct vmmio_queue *queue)
{
    struct vmmio_function *function = engine->is.function;

    engine->served = queue;
    if (!function->type->turn(function, engine, queue->index))
        return false;
    if (engine->served == queue || vmmio_queue_alive(engine, queue))
        vmmio_split_publish(engine, queue);
    return true;
}

/* One turn of one queue; returns how many requests are left of the budget. */
static uint32_t serve(struct vmmio_engine *engine, struct vmmio_queue *queue, uint32_t budget)
{
    engine->served = queue;
    for (;;) {
        uint16_t avail;

        if (!vmmio_split_avail_index(engine, queue, &avail))
            return budget;
        const uint16_t fresh = (uint16_t)(avail - queue->next_avail);

        if (fresh > queue->size) {
            vmmio_engine_fatal(engine, VMMIO_DIAG_RING_JUMP, queue->index, avail);
            return budget;
        }
        uint32_t count = fresh < budget ? fresh : budget;

        budget -= count;
        for (; count && engine->free_requests && engine->served == queue; count--)
            take_one(engine, queue);
        budget += count;
        if (engine->served == queue || vmmio_queue_alive(engine, queue))
            vmmio_split_publish(engine, queue);
        if (engine->served != queue) /* stopped or paused */
            return budget;
        if (queue->next_avail != avail) { /* out of budget or of request structs */
            list_queue(engine, queue);
            return budget;
        }
        if (!engine->event_idx || avail == queue->armed)
            return budget;
        queue->armed = avail;
        if (!vmmio_split_arm(engine, queue))
            return budget;
    }
}

/*
 * Queues that the negotiated features do not have: one that was enabled too early keeps its
 * QueueReady, but is never served.
 */
static void limit_queues(struct vmmio_engine *engine, uint32_t usable)
{
    engine->usable_queues = usable;
    for (uint32_t i = usable; i < engine->is.queue_count; i++)
        engine->is.queues[i].enabled = false;
}

static void end_suspend(struct vmmio_engine *engine)
{
    if (suspend_finished(engine))
        engine->is.front->suspend_done(engine->is.front_context);
}

static void stop_all(struct vmmio_engine *engine)
{
    engine->live = false;
    end_turn(engine);
    cancel_requests(engine, NULL);
}

static void finish_reset(struct vmmio_engine *engine)
{
    const struct vmmio_engine_config *is = &engine->is;

    engine->reset_wanted = false;
    engine->paused = false;
    engine->suspend_wanted = false;
    engine->stop_wanted = false;
    engine->event_idx = false;
    engine->indirect = false;
    for (uint32_t i = 0; i < is->queue_count; i++)
        clear_queue(&is->queues[i]);
    engine->usable_queues = is->function->queue_count;
    while (engine->first_listed)
        unlist_queue(engine);
    while (engine->restored) {
        struct vmmio_request *request = engine->restored;

        engine->restored = request->next;
        free_request(request);
    }
    if (is->function->type->reset)
        is->function->type->reset(is->function);
    engine->config_deferred = false;
    is->front->config_update(is->front_context, is->function->config, false);
}

void vmmio_engine_clear(struct vmmio_engine *engine)
{
    stop_all(engine);
    finish_reset(engine);
}

static bool reset_now(struct vmmio_engine *engine)
{
    finish_reset(engine);
    return !engine->is.reset || engine->is.reset(engine->is.reset_context);
}

void vmmio_engine_reset_done(struct vmmio_engine *engine)
{
    engine->is.front->reset_done(engine->is.front_context);
}

VMMIO_APART static void do_what_waited(struct vmmio_engine *engine)
{
    const struct vmmio_engine_config *is = &engine->is;

    if (engine->reset_wanted) {
        if (reset_now(engine))
            vmmio_engine_reset_done(engine);
        return;
    }
    if (engine->stop_wanted) {
        engine->stop_wanted = false;
        for (uint32_t i = 0; i < is->queue_count; i++) {
            if (is->queues[i].stopping) {
                clear_queue(&is->queues[i]);
                is->front->queue_stop_done(is->front_context, i);
            }
        }
    }
    end_suspend(engine);
}

/* What was asked for while the engine was busy, now that the last access is done. */
static inline void settle(struct vmmio_engine *engine)
{
    if (engine->reset_wanted || engine->stop_wanted || engine->suspend_wanted)
        do_what_waited(engine);
}

/*
 * Brackets accesses that a device function starts outside of a run: a reset or stop that comes
 * meanwhile ends after them, as it does in a run.
 */
bool vmmio_engine_enter(struct vmmio_engine *engine)
{
    const bool first = !engine->running;

    engine->running = true;
    return first;
}

void vmmio_engine_leave(struct vmmio_engine *engine, bool first)
{
    if (!first)
        return;
    engine->running = false;
    settle(engine);
}

VMMIO_APART static void complete_out_of_turn(struct vmmio_request *request, uint32_t used_length)
{
    struct vmmio_engine *engine = request->engine;
    struct vmmio_queue *queue = request->from;
    const bool first = vmmio_engine_enter(engine);

    if (!request->cancelled) {
        queue->held--;
        if (vmmio_split_put(engine, queue, request->head, used_length))
            vmmio_split_publish(engine, queue);
    }
    free_request(request);
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

    if (engine->served != queue) {
        complete_out_of_turn(request, used_length);
        return;
    }
    free_request(request);
    if (!request->cancelled) {
        queue->held--;
        vmmio_split_put(engine, queue, request->head, used_length);
    }
}

/* Requests that were in the function when the device was saved. */
VMMIO_APART static void hand_over_again(struct vmmio_engine *engine)
{
    while (engine->restored) {
        struct vmmio_request *request = engine->restored;

        engine->restored = request->next;
        if (request->cancelled)
            free_request(request);
        else
            engine->is.function->type->handle(engine->is.function, request);
    }
}

uint32_t vmmio_engine_run(struct vmmio_engine *engine, uint32_t budget)
{
    uint32_t left = budget;

    if (engine->running)
        return 0;
    engine->running = true;
    if (engine->restored)
        hand_over_again(engine);
    while (left && engine->first_listed && engine->free_requests) {
        struct vmmio_queue *queue = unlist_queue(engine);
        const uint32_t turn = left < TURN ? left : TURN;

        if (!vmmio_queue_alive(engine, queue) || engine->paused)
            continue;
        if (engine->is.function->type->turn && serve_by_choice(engine, queue))
            left -= turn; /* the function has its own measure */
        else
            left -= turn - serve(engine, queue, turn);
    }
    end_turn(engine);
    engine->running = false;
    settle(engine);
    return budget - left;
}

void vmmio_engine_forget_pointers(struct vmmio_engine *engine)
{
    engine->map_epoch++;
    engine->ranges[false].length = 0;
    engine->ranges[true].length = 0;
}

void vmmio_engine_config_changed(struct vmmio_engine *engine, bool notify)
{
    const struct vmmio_engine_config *is = &engine->is;

    if (!is->front->config_update(is->front_context, is->function->config, notify))
        engine->config_deferred = true;
}

void vmmio_engine_fail(struct vmmio_engine *engine)
{
    stop_all(engine);
    engine->is.front->needs_reset(engine->is.front_context);
    end_suspend(engine); /* nothing is waited for any more (SUSP-09) */
}

void vmmio_engine_fatal(struct vmmio_engine *engine, enum vmmio_diag_id id, uint32_t queue,
                        uint64_t value)
{
    const struct vmmio_diagnostic diagnostic = {id, queue, value};

    if (engine->is.diagnostic)
        engine->is.diagnostic(engine->is.diagnostic_context, &diagnostic);
    vmmio_engine_fail(engine);
}

void vmmio_request_fail(struct vmmio_request *request, enum vmmio_diag_id id, uint64_t value)
{
    if (!request->cancelled)
        vmmio_engine_fatal(request->engine, id, request->queue, value);
    vmmio_request_complete(request, 0);
}

/* The calls of struct vmmio_back_side follow. */

static bool back_features_ok(void *context, const struct vmmio_features *negotiated)
{
    struct vmmio_engine *engine = context;
    struct vmmio_function *function = engine->is.function;

    if (function->type->features_ok && !function->type->features_ok(function, negotiated))
        return false;
    if (function->type->usable_queues)
        limit_queues(engine, function->type->usable_queues(function, negotiated));
    engine->event_idx = vmmio_features_has(negotiated, VMMIO_F_EVENT_IDX);
    engine->indirect = vmmio_features_has(negotiated, VMMIO_F_INDIRECT_DESC);
    vmmio_engine_config_changed(engine, false);
    return true;
}

static void back_driver_ok(void *context)
{
    struct vmmio_engine *engine = context;

    engine->live = true;
    list_enabled_queues(engine);
}

static void back_failed(void *context) { stop_all(context); }

static void back_notify(void *context, uint32_t queue, uint32_t data)
{
    struct vmmio_engine *engine = context;

    (void)data; /* a hint at most (A-NDATA) */
    list_queue(engine, &engine->is.queues[queue]);
}

static bool back_queue_enable(void *context, uint32_t index,
                              const struct vmmio_queue_registers *registers)
{
    struct vmmio_engine *engine = context;
    struct vmmio_queue *queue = &engine->is.queues[index];

    clear_queue(queue);
    queue->desc = registers->desc;
    queue->driver = registers->driver;
    queue->device = registers->device;
    queue->size = registers->size;
    queue->armed = UINT32_MAX;
    queue->map_epoch = engine->map_epoch - 1;
    queue->direct_epoch = queue->map_epoch;
    queue->enabled = index < engine->usable_queues && vmmio_split_enable(queue);
    if (queue->enabled && engine->live)
        list_queue(engine, queue);
    return queue->enabled;
}

static bool back_queue_stop(void *context, uint32_t index)
{
    struct vmmio_engine *engine = context;
    struct vmmio_queue *queue = &engine->is.queues[index];

    queue->enabled = false;
    if (engine->served == queue)
        end_turn(engine);
    cancel_requests(engine, queue);
    queue->held = 0;
    if (engine->is.function->type->queue_stopped)
        engine->is.function->type->queue_stopped(engine->is.function, index);
    if (engine->running) { /* an access may be on its way; settle() reports the end */
        queue->stopping = true;
        engine->stop_wanted = true;
        return false;
    }
    clear_queue(queue);
    end_suspend(engine); /* its requests may have been the last ones that it waited for */
    return true;
}

static bool back_suspend(void *context)
{
    struct vmmio_engine *engine = context;

    engine->paused = true;
    end_turn(engine);
    engine->suspend_wanted = true;
    return suspend_finished(engine);
}

static void back_resume(void *context)
{
    struct vmmio_engine *engine = context;

    engine->paused = false;
    if (engine->config_deferred) {
        engine->config_deferred = false;
        vmmio_engine_config_changed(engine, true);
    }
    list_enabled_queues(engine);
}

static bool back_reset(void *context)
{
    struct vmmio_engine *engine = context;

    stop_all(engine);
    if (engine->running) {
        engine->reset_wanted = true;
        return false;
    }
    return reset_now(engine);
}

static bool back_config_write(void *context, uint32_t offset, const uint8_t *data, uint32_t length)
{
    struct vmmio_function *function = ((struct vmmio_engine *)context)->is.function;

    return function->type->config_write &&
           function->type->config_write(function, offset, data, length);
}

const struct vmmio_back_side vmmio_engine_back_side = {
    .features_ok = back_features_ok,
    .driver_ok = back_driver_ok,
    .failed = back_failed,
    .notify = back_notify,
    .queue_enable = back_queue_enable,
    .queue_stop = back_queue_stop,
    .suspend = back_suspend,
    .resume = back_resume,
    .reset = back_reset,
    .config_write = back_config_write,
};

static enum vmmio_error check_config(const struct vmmio_engine_config *config)
{
    const struct vmmio_memory *memory = &config->memory;

    if (!config->function || !config->function->type || !config->function->type->handle ||
        !config->queues || !config->requests || !config->segments || !config->front ||
        !memory->map || !memory->read || !memory->write)
        return VMMIO_ERROR_NULL_ARGUMENT;
    if (config->queue_count < config->function->queue_count)
        return VMMIO_ERROR_QUEUE_COUNT;
    if (config->request_count == 0 || config->segment_count < config->request_count)
        return VMMIO_ERROR_REQUEST_POOL;
    return VMMIO_ERROR_OK;
}

enum vmmio_error vmmio_engine_init(struct vmmio_engine *engine,
                                   const struct vmmio_engine_config *config)
{
    if (!engine || !config)
        return VMMIO_ERROR_NULL_ARGUMENT;
    const enum vmmio_error error = check_config(config);
    if (error != VMMIO_ERROR_OK)
        return error;

    *engine = (struct vmmio_engine){.is = *config};
    engine->segments_each = config->segment_count / config->request_count;
    engine->usable_queues = config->function->queue_count;
    for (uint32_t i = 0; i < config->queue_count; i++)
        config->queues[i] = (struct vmmio_queue){.index = i};
    for (uint32_t i = 0; i < config->request_count; i++) {
        config->requests[i] = (struct vmmio_request){
            .engine = engine, .segments = &config->segments[i * engine->segments_each]};
        free_request(&config->requests[i]);
    }
    return VMMIO_ERROR_OK;
}
