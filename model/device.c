/* SPDX-License-Identifier: Apache-2.0 */
/* A device: the register block and the engine, joined at the seam. */
#include "vmmio/device.h"

#include <stddef.h>

static const uint8_t default_bits[] = {VMMIO_F_INDIRECT_DESC, VMMIO_F_EVENT_IDX,
                                       VMMIO_F_VERSION_1,     VMMIO_F_NOTIFICATION_DATA,
                                       VMMIO_F_RING_RESET,    VMMIO_F_SUSPEND};

struct vmmio_features vmmio_device_default_features(void)
{
    struct vmmio_features features = {{0}};

    for (size_t i = 0; i < sizeof(default_bits); i++)
        vmmio_features_add(&features, default_bits[i]);
    return features;
}

struct vmmio_features vmmio_device_features(void)
{
    struct vmmio_features features = vmmio_device_default_features();

    vmmio_features_add(&features, VMMIO_F_ACCESS_PLATFORM);
    vmmio_features_add(&features, VMMIO_F_ORDER_PLATFORM);
    vmmio_features_add(&features, VMMIO_F_RING_PACKED);
    vmmio_features_add(&features, VMMIO_F_IN_ORDER);
    return features;
}

/* struct vmmio_front_side of the C register block. */

static void front_used_buffer(void *context) { vmmio_block_used_buffer(context); }

static void front_needs_reset(void *context) { vmmio_block_needs_reset(context); }

static void front_reset_done(void *context) { vmmio_block_reset_done(context); }

static void front_queue_stop_done(void *context, uint32_t queue)
{
    vmmio_block_queue_stop_done(context, queue);
}

static void front_suspend_done(void *context) { vmmio_block_suspend_done(context); }

static bool front_config_update(void *context, const uint8_t *data, bool notify)
{
    return vmmio_block_config_update(context, data, notify);
}

static const struct vmmio_front_side block_front_side = {
    .used_buffer = front_used_buffer,
    .needs_reset = front_needs_reset,
    .reset_done = front_reset_done,
    .queue_stop_done = front_queue_stop_done,
    .suspend_done = front_suspend_done,
    .config_update = front_config_update,
};

static bool reset_last_step(void *context)
{
    struct vmmio_device *device = context;

    if (device->on_reset)
        device->on_reset(device->host_context);
    device->reset_held = device->hold_reset;
    return !device->hold_reset;
}

void vmmio_device_complete_reset(struct vmmio_device *device)
{
    if (!device->reset_held)
        return;
    device->reset_held = false;
    vmmio_engine_reset_done(&device->engine);
}

void vmmio_device_needs_reset(struct vmmio_device *device) { vmmio_engine_fail(&device->engine); }

static enum vmmio_error check_config(const struct vmmio_device_config *config)
{
    const struct vmmio_features implemented = vmmio_device_features();
    const uint32_t size = config->queue_size_max;

    if (!config->function || !config->queue_registers)
        return VMMIO_ERROR_NULL_ARGUMENT;
    if (config->legacy && config->function->type->modern_only)
        return VMMIO_ERROR_LEGACY_TYPE;
    if (config->legacy && config->between)
        return VMMIO_ERROR_LEGACY_FORM;
    for (size_t i = 0; i < 4; i++)
        if (config->features.word[i] & ~implemented.word[i])
            return VMMIO_ERROR_FEATURE_UNSUPPORTED;
    if (size == 0 || size > VMMIO_QUEUE_SIZE_LIMIT ||
        (size & (size - 1) &&
         (config->legacy || !vmmio_features_has(&config->features, VMMIO_F_RING_PACKED))))
        return VMMIO_ERROR_QUEUE_SIZE;
    if (config->request_count == 0 || config->segment_count / config->request_count < size)
        return VMMIO_ERROR_REQUEST_POOL;
    return VMMIO_ERROR_OK;
}

/* The bits of word 0, and that a driver may cut its buffers as it likes (RFB-L2, FEAT-L1). */
static void offer_legacy(struct vmmio_block_config *block)
{
    block->features = (struct vmmio_features){{block->features.word[0]}};
    vmmio_features_add(&block->features, VMMIO_F_ANY_LAYOUT);
    block->legacy = true;
}

/* What every driver gets to see, and must accept. */
static void offer_modern(struct vmmio_block_config *block, const struct vmmio_features *chosen)
{
    vmmio_features_add(&block->features, VMMIO_F_VERSION_1);
    vmmio_features_add(&block->required_features, VMMIO_F_VERSION_1); /* RFB-06 */
    if (vmmio_features_has(chosen, VMMIO_F_ACCESS_PLATFORM))
        vmmio_features_add(&block->required_features, VMMIO_F_ACCESS_PLATFORM); /* RFB-07 */
}

static enum vmmio_error init_block(struct vmmio_device *device,
                                   const struct vmmio_device_config *config)
{
    const struct vmmio_function *function = config->function;
    struct vmmio_block_config block = {
        .device_id = function->type->device_id,
        .vendor_id = config->vendor_id,
        .features = config->features,
        .dependencies = function->type->dependencies,
        .dependency_count = function->type->dependency_count,
        .queues = config->queue_registers,
        .queue_count = function->queue_count,
        .config = function->config,
        .config_length = function->config_length,
        .back = config->between ? config->between->back : &vmmio_engine_back_side,
        .back_context = config->between ? config->between->context : &device->engine,
        .host = config->host,
    };

    for (size_t i = 0; i < 4; i++)
        block.features.word[i] |= function->features.word[i];
    if (config->legacy)
        offer_legacy(&block);
    else
        offer_modern(&block, &config->features);
    config->function->legacy = config->legacy;
    for (uint32_t i = 0; i < function->queue_count; i++)
        config->queue_registers[i].size_max = config->queue_size_max;
    return vmmio_block_init(&device->block, &block);
}

enum vmmio_error vmmio_device_init(struct vmmio_device *device,
                                   const struct vmmio_device_config *config)
{
    if (!device || !config)
        return VMMIO_ERROR_NULL_ARGUMENT;
    enum vmmio_error error = check_config(config);
    if (error != VMMIO_ERROR_OK)
        return error;

    *device = (struct vmmio_device){.on_reset = config->on_reset,
                                    .host_context = config->host.context,
                                    .hold_reset = config->hold_reset};
    if (config->between)
        device->between = *config->between;
    const struct vmmio_engine_config engine = {
        .function = config->function,
        .memory = config->memory,
        .queues = config->queues,
        .queue_count = config->queue_count,
        .requests = config->requests,
        .request_count = config->request_count,
        .segments = config->segments,
        .segment_count = config->segment_count,
        .front = config->between ? config->between->front : &block_front_side,
        .front_context = config->between ? config->between->context : &device->block,
        .reset = reset_last_step,
        .reset_context = device,
        .diagnostic = config->host.diagnostic,
        .diagnostic_context = config->host.context,
    };
    error = vmmio_engine_init(&device->engine, &engine);
    return error != VMMIO_ERROR_OK ? error : init_block(device, config);
}
