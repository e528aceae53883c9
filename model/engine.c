/* SPDX-License-Identifier: Apache-2.0 */
/* The queue engine: which queue may be served when, and how everything stops. */
#include "packed.h"
#include "split.h"
#include "work.h"

static void list_enabled_queues(struct vmmio_engine *engine)
{
    for (uint32_t i = 0; i < engine->is.queue_count; i++)
        if (engine->is.queues[i].enabled)
            vmmio_list_queue(engine, &engine->is.queues[i]);
}

/*
 * A function may still hold these; what it makes of them is dropped (A-RESET-INFLIGHT). Free ones
 * are marked with the rest: that ends when they are taken. The stand-in is never alive.
 */
static void cancel_requests(struct vmmio_engine *engine, const struct vmmio_queue *queue)
{
    for (uint32_t i = 0; i < engine->is.request_count; i++) {
        struct vmmio_request *request = &engine->is.requests[i];

        if (queue && queue != request->from)
            continue;
        request->cancelled = true;
        request->from = &engine->stand_in;
        if (request->waiting) { /* the function is done with it */
            request->waiting = false;
            vmmio_free_request(request);
        }
    }
}

static void clear_queue(struct vmmio_queue *queue)
{
    *queue = (struct vmmio_queue){
        .index = queue->index, .listed = queue->listed, .next_in_list = queue->next_in_list};
}

static bool holds_requests(const struct vmmio_engine *engine)
{
    for (uint32_t i = 0; i < engine->is.queue_count; i++)
        if (engine->is.queues[i].enabled && vmmio_in_function(&engine->is.queues[i]))
            return true;
    return false;
}

static bool suspend_finished(struct vmmio_engine *engine)
{
    if (!engine->suspend_wanted || engine->running || (engine->live && holds_requests(engine)))
        return false;
    engine->suspend_wanted = false;
    return true;
}

static void end_suspend(struct vmmio_engine *engine)
{
    if (suspend_finished(engine))
        engine->is.front->suspend_done(engine->is.front_context);
}

static void stop_all(struct vmmio_engine *engine)
{
    engine->live = false;
    vmmio_end_turn(engine);
    cancel_requests(engine, NULL);
}

static void finish_reset(struct vmmio_engine *engine)
{
    const struct vmmio_engine_config *is = &engine->is;
    const struct vmmio_terms none = vmmio_terms_of(is->function, NULL);

    engine->reset_wanted = false;
    engine->paused = false;
    engine->suspend_wanted = false;
    engine->stop_wanted = false;
    vmmio_engine_agree(engine, &none);
    for (uint32_t i = 0; i < is->queue_count; i++)
        clear_queue(&is->queues[i]);
    while (engine->first_listed)
        vmmio_unlist_queue(engine);
    while (engine->restored) {
        struct vmmio_request *request = engine->restored;

        engine->restored = request->next;
        vmmio_free_request(request);
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

void vmmio_engine_do_what_waited(struct vmmio_engine *engine)
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
    vmmio_engine_settle(engine);
}

void vmmio_engine_forget_pointers(struct vmmio_engine *engine)
{
    engine->map_epoch++;
    engine->direct_split = NULL;
    engine->direct_packed = NULL;
    for (uint32_t i = 0; i < engine->is.queue_count; i++)
        engine->is.queues[i].direct = NULL;
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

static bool any_enabled(const struct vmmio_engine *engine)
{
    for (uint32_t i = 0; i < engine->is.queue_count; i++)
        if (engine->is.queues[i].enabled)
            return true;
    return false;
}

static bool back_features_ok(void *context, const struct vmmio_features *negotiated)
{
    struct vmmio_engine *engine = context;
    struct vmmio_function *function = engine->is.function;

    /* Queues were enabled as split rings, when nobody knew better (H-31). */
    if (vmmio_features_has(negotiated, VMMIO_F_RING_PACKED) && any_enabled(engine))
        return false;
    if (function->type->features_ok && !function->type->features_ok(function, negotiated))
        return false;
    const struct vmmio_terms terms = vmmio_terms_of(function, negotiated);

    vmmio_engine_agree(engine, &terms);
    /* Queues that do not exist: one that was enabled too early keeps its QueueReady. */
    for (uint32_t i = terms.usable_queues; i < engine->is.queue_count; i++)
        engine->is.queues[i].enabled = false;
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
    vmmio_list_queue(engine, &engine->is.queues[queue]);
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
    queue->packed = engine->packed;
    queue->enabled = index < engine->usable_queues &&
                     (queue->packed ? vmmio_packed_enable(queue) : vmmio_split_enable(queue));
    if (queue->enabled && engine->live)
        vmmio_list_queue(engine, queue);
    return queue->enabled;
}

static bool back_queue_stop(void *context, uint32_t index)
{
    struct vmmio_engine *engine = context;
    struct vmmio_queue *queue = &engine->is.queues[index];

    queue->enabled = false;
    if (engine->served == queue)
        vmmio_end_turn(engine);
    cancel_requests(engine, queue);
    if (engine->is.function->type->queue_stopped)
        engine->is.function->type->queue_stopped(engine->is.function, index);
    if (engine->running) { /* an access may be on its way; vmmio_engine_settle() reports the end */
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
    engine->suspend_wanted = true;
    if (engine->running) {
        vmmio_end_turn(engine);
        return false;
    }
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
        vmmio_free_request(&config->requests[i]);
    }
    return VMMIO_ERROR_OK;
}
