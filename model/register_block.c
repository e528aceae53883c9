/* SPDX-License-Identifier: Apache-2.0 */
/* The address decoder of the register block; what a register means is in its room. */
#include "rooms.h"

#include <stddef.h>

static enum vmmio_error check_features(const struct vmmio_block_config *config)
{
    for (uint32_t i = 0; i < config->dependency_count; i++) {
        const struct vmmio_feature_dependency *d = &config->dependencies[i];

        if (vmmio_features_has(&config->features, d->bit) &&
            !vmmio_features_has(&config->features, d->requires))
            return VMMIO_ERROR_FEATURE_DEPENDENCY; /* FEAT-09 */
    }
    return VMMIO_ERROR_OK;
}

enum vmmio_error vmmio_block_init(struct vmmio_block *block,
                                  const struct vmmio_block_config *config)
{
    if (!block || !config || !config->back || !config->host.interrupt ||
        (config->queue_count && !config->queues) || (config->config_length && !config->config) ||
        (config->dependency_count && !config->dependencies))
        return VMMIO_ERROR_NULL_ARGUMENT;
    if (config->queue_count > 65535)
        return VMMIO_ERROR_QUEUE_COUNT;
    if (config->config_length > VMMIO_CONFIG_MAX)
        return VMMIO_ERROR_CONFIG_LENGTH;

    enum vmmio_error error = check_features(config);
    if (error != VMMIO_ERROR_OK)
        return error;

    *block = (struct vmmio_block){.is = *config};
    for (uint32_t i = 0; i < config->config_length; i++)
        block->config[i] = config->config[i];
    block->is.config = NULL; /* copied: the caller's bytes need not live on */
    vmmio_shm_init(&block->shm);
    vmmio_queues_clear(block);
    return VMMIO_ERROR_OK;
}

/* The registers of a queue that does not exist read 0 (MMIO-QSEL-02). */
static const struct vmmio_queue_registers *selected_queue(const struct vmmio_block *block)
{
    static const struct vmmio_queue_registers absent;
    const struct vmmio_queue_registers *queue = vmmio_queues_selected(block);

    return queue ? queue : &absent;
}

/* False for what a driver cannot read: write-only registers and everything between registers. */
static inline bool read_register(const struct vmmio_block *block, uint32_t offset, uint32_t *value)
{
    switch (offset) {
    case VMMIO_REG_MAGIC_VALUE:
        *value = VMMIO_MAGIC;
        return true;
    case VMMIO_REG_VERSION:
        *value = block->is.legacy ? VMMIO_VERSION_LEGACY : VMMIO_VERSION_MODERN;
        return true;
    case VMMIO_REG_DEVICE_ID:
        *value = block->is.device_id;
        return true;
    case VMMIO_REG_VENDOR_ID:
        *value = block->is.vendor_id;
        return true;
    case VMMIO_REG_DEVICE_FEATURES:
        *value = vmmio_features_device_word(block);
        return true;
    case VMMIO_REG_QUEUE_SIZE_MAX:
        *value = selected_queue(block)->size_max;
        return true;
    case VMMIO_REG_QUEUE_READY:
        *value = selected_queue(block)->ready;
        return !block->is.legacy;
    case VMMIO_REG_QUEUE_PFN:
        *value = selected_queue(block)->ready ? selected_queue(block)->pfn : 0;
        return block->is.legacy;
    case VMMIO_REG_QUEUE_RESET:
        *value = selected_queue(block)->reset;
        return !block->is.legacy;
    case VMMIO_REG_INTERRUPT_STATUS:
        *value = block->interrupt_status;
        return true;
    case VMMIO_REG_STATUS:
        *value = block->status;
        return true;
    case VMMIO_REG_SHM_LEN_LOW:
        *value = vmmio_low(block->shm.length);
        return !block->is.legacy;
    case VMMIO_REG_SHM_LEN_HIGH:
        *value = vmmio_high(block->shm.length);
        return !block->is.legacy;
    case VMMIO_REG_SHM_BASE_LOW:
        *value = vmmio_low(block->shm.base);
        return !block->is.legacy;
    case VMMIO_REG_SHM_BASE_HIGH:
        *value = vmmio_high(block->shm.base);
        return !block->is.legacy;
    case VMMIO_REG_CONFIG_GENERATION:
        *value = block->config_generation;
        return !block->is.legacy;
    default:
        return false;
    }
}

uint32_t vmmio_block_read(struct vmmio_block *block, uint32_t offset, uint32_t width)
{
    uint32_t value;

    if (offset >= VMMIO_REG_CONFIG)
        return vmmio_config_read(block, offset, width);
    if (width == 4 && read_register(block, offset, &value))
        return value;
    return vmmio_layout_refuse_read(block, offset, width);
}

static void control_write(struct vmmio_block *block, uint32_t offset, uint32_t value)
{
    switch (offset) {
    case VMMIO_REG_DEVICE_FEATURES_SEL:
        block->device_features_sel = value;
        return;
    case VMMIO_REG_DRIVER_FEATURES:
        vmmio_features_driver_write(block, value);
        return;
    case VMMIO_REG_DRIVER_FEATURES_SEL:
        block->driver_features_sel = value;
        return;
    case VMMIO_REG_QUEUE_SEL:
        block->queue_sel = value; /* all 32 bits: 65536 is not queue 0 (A-QSEL-OOR) */
        return;
    case VMMIO_REG_QUEUE_SIZE:
    case VMMIO_REG_QUEUE_READY:
    case VMMIO_REG_QUEUE_RESET:
    case VMMIO_REG_QUEUE_DESC_LOW:
    case VMMIO_REG_QUEUE_DESC_HIGH:
    case VMMIO_REG_QUEUE_DRIVER_LOW:
    case VMMIO_REG_QUEUE_DRIVER_HIGH:
    case VMMIO_REG_QUEUE_DEVICE_LOW:
    case VMMIO_REG_QUEUE_DEVICE_HIGH:
        vmmio_queues_write(block, offset, value);
        return;
    case VMMIO_REG_QUEUE_NOTIFY:
        vmmio_queues_notify(block, value);
        return;
    case VMMIO_REG_INTERRUPT_ACK:
        block->interrupt_ack = value;
        vmmio_interrupt_clear(block, value);
        return;
    case VMMIO_REG_STATUS:
        vmmio_status_write(block, value);
        return;
    case VMMIO_REG_SHM_SEL:
        if (block->is.legacy)
            vmmio_layout_other_write(block, offset, value);
        else
            vmmio_shm_select(&block->shm, value);
        return;
    default:
        vmmio_layout_other_write(block, offset, value);
    }
}

void vmmio_block_write(struct vmmio_block *block, uint32_t offset, uint32_t width, uint32_t value)
{
    if (offset < VMMIO_REG_CONFIG && !vmmio_is_word(offset, width))
        vmmio_block_report(block, VMMIO_DIAG_ACCESS_WIDTH, offset, width);
    else if (block->resetting)
        vmmio_block_report(block, VMMIO_DIAG_WRITE_DURING_RESET, offset, value);
    else if (offset < VMMIO_REG_CONFIG)
        control_write(block, offset, value);
    else
        vmmio_config_write(block, offset, width, value);
}

static uint32_t peek_write_only(const struct vmmio_block *block, uint32_t offset)
{
    const struct vmmio_queue_registers *queue = selected_queue(block);

    if (block->is.legacy && vmmio_modern_only(offset))
        return 0;
    switch (offset) {
    case VMMIO_REG_DEVICE_FEATURES_SEL:
        return block->device_features_sel;
    case VMMIO_REG_DRIVER_FEATURES:
        return block->driver_features_sel < 4
                   ? block->driver_features.word[block->driver_features_sel]
                   : 0;
    case VMMIO_REG_DRIVER_FEATURES_SEL:
        return block->driver_features_sel;
    case VMMIO_REG_GUEST_PAGE_SIZE:
        return block->guest_page_size;
    case VMMIO_REG_QUEUE_SEL:
        return block->queue_sel;
    case VMMIO_REG_QUEUE_SIZE:
        return queue->size;
    case VMMIO_REG_QUEUE_ALIGN:
        return block->is.legacy ? queue->align : 0;
    case VMMIO_REG_QUEUE_NOTIFY:
        return block->queue_notify;
    case VMMIO_REG_INTERRUPT_ACK:
        return block->interrupt_ack;
    case VMMIO_REG_QUEUE_DESC_LOW:
        return vmmio_low(queue->desc);
    case VMMIO_REG_QUEUE_DESC_HIGH:
        return vmmio_high(queue->desc);
    case VMMIO_REG_QUEUE_DRIVER_LOW:
        return vmmio_low(queue->driver);
    case VMMIO_REG_QUEUE_DRIVER_HIGH:
        return vmmio_high(queue->driver);
    case VMMIO_REG_QUEUE_DEVICE_LOW:
        return vmmio_low(queue->device);
    case VMMIO_REG_QUEUE_DEVICE_HIGH:
        return vmmio_high(queue->device);
    case VMMIO_REG_SHM_SEL:
        return block->shm.sel;
    default:
        return 0;
    }
}

uint32_t vmmio_block_peek(struct vmmio_block *block, uint32_t offset)
{
    uint32_t value;

    if (offset >= VMMIO_REG_CONFIG)
        return offset % 4 == 0 ? vmmio_config_peek(block, offset - VMMIO_REG_CONFIG, 4) : 0;
    return read_register(block, offset, &value) ? value : peek_write_only(block, offset);
}

/* Whether a write is taken, and without a word about the driver: it is not the one who writes. */
static bool may_poke(const struct vmmio_block *block, uint32_t offset)
{
    const struct vmmio_queue_registers *queue = vmmio_queues_selected(block);

    if (!vmmio_layout_has(block, offset))
        return false;
    switch (offset) {
    case VMMIO_REG_DEVICE_FEATURES_SEL:
    case VMMIO_REG_DRIVER_FEATURES_SEL:
    case VMMIO_REG_GUEST_PAGE_SIZE:
    case VMMIO_REG_QUEUE_SEL:
    case VMMIO_REG_SHM_SEL:
        return true;
    case VMMIO_REG_DRIVER_FEATURES:
        return !(block->status & VMMIO_STATUS_FEATURES_OK) && !block->legacy_started &&
               block->driver_features_sel < 4;
    case VMMIO_REG_QUEUE_SIZE:
    case VMMIO_REG_QUEUE_ALIGN:
    case VMMIO_REG_QUEUE_DESC_LOW:
    case VMMIO_REG_QUEUE_DESC_HIGH:
    case VMMIO_REG_QUEUE_DRIVER_LOW:
    case VMMIO_REG_QUEUE_DRIVER_HIGH:
    case VMMIO_REG_QUEUE_DEVICE_LOW:
    case VMMIO_REG_QUEUE_DEVICE_HIGH:
        return queue && !queue->ready && !queue->stopping && !queue->reset;
    default:
        return false;
    }
}

bool vmmio_block_poke(struct vmmio_block *block, uint32_t offset, uint32_t value)
{
    if (block->resetting || !may_poke(block, offset))
        return false;
    vmmio_block_write(block, offset, 4, value);
    return true;
}
