/* SPDX-License-Identifier: Apache-2.0 */
#include "vmmio/dev/null.h"

static void handle(struct vmmio_function *function, struct vmmio_request *request)
{
    struct vmmio_null *null = (struct vmmio_null *)function;

    null->requests++;
    vmmio_request_complete(request, 0);
}

static const struct vmmio_function_type null_type = {
    .name = "null",
    .device_id = VMMIO_ID_NULL,
    .handle = handle,
};

void vmmio_null_init(struct vmmio_null *null)
{
    *null = (struct vmmio_null){.function = {.type = &null_type, .queue_count = 2}};
}

static const struct vmmio_function_type placeholder_type = {
    .name = "placeholder",
    .device_id = VMMIO_ID_PLACEHOLDER,
    .handle = handle,
};

void vmmio_placeholder_init(struct vmmio_null *null)
{
    *null = (struct vmmio_null){.function = {.type = &placeholder_type}};
}
