/* SPDX-License-Identifier: Apache-2.0 */
/* The C model alone: an entropy device and the first read of every driver. */
#include <vmmio/dev/entropy.h>
#include <vmmio/device.h>

#include <stdio.h>

static void *map(void *context, uint64_t address, uint64_t length, bool write)
{
    (void)context, (void)address, (void)length, (void)write;
    return NULL;
}

static bool read_memory(void *context, uint64_t address, void *data, uint32_t length)
{
    (void)context, (void)address, (void)data, (void)length;
    return false;
}

static bool write_memory(void *context, uint64_t address, const void *data, uint32_t length)
{
    (void)context, (void)address, (void)data, (void)length;
    return false;
}

static void interrupt(void *context, bool level) { (void)context, (void)level; }

int main(void)
{
    static struct vmmio_queue_registers registers[1];
    static struct vmmio_queue queues[1];
    static struct vmmio_request requests[1];
    static struct vmmio_segment segments[64];
    struct vmmio_entropy entropy;
    struct vmmio_device device;

    vmmio_entropy_init(&entropy, NULL);
    const struct vmmio_device_config config = {
        .function = &entropy.function,
        .features = vmmio_device_default_features(),
        .queue_size_max = 64,
        .memory = {NULL, map, read_memory, write_memory},
        .host = {NULL, interrupt, NULL},
        .queue_registers = registers,
        .queues = queues,
        .queue_count = 1,
        .requests = requests,
        .request_count = 1,
        .segments = segments,
        .segment_count = 64,
    };
    const enum vmmio_error error = vmmio_device_init(&device, &config);

    if (error != VMMIO_ERROR_OK) {
        fprintf(stderr, "%s\n", vmmio_error_text(error));
        return 1;
    }
    printf("MagicValue 0x%08x\n", vmmio_device_read(&device, VMMIO_REG_MAGIC_VALUE, 4));
    return 0;
}
