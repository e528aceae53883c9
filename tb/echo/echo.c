/* SPDX-License-Identifier: Apache-2.0 */
#include "echo.h"

#include <ctype.h>

static uint32_t smaller(uint32_t a, uint32_t b) { return a < b ? a : b; }

static uint32_t limit_of(const struct echo *echo)
{
    const uint8_t *le32 = echo->config;

    return le32[0] | (uint32_t)le32[1] << 8 | (uint32_t)le32[2] << 16 | (uint32_t)le32[3] << 24;
}

static void handle(struct vmmio_function *function, struct vmmio_request *request)
{
    struct echo *echo = (struct echo *)function;
    const uint32_t length =
        smaller(limit_of(echo), smaller(request->readable_bytes, request->writable_bytes));
    uint32_t done = 0;

    while (done < length) {
        uint8_t piece[64];
        const uint32_t count = smaller(length - done, sizeof(piece));

        if (!vmmio_request_read(request, done, piece, count))
            break;
        for (uint32_t i = 0; echo->upper && i < count; i++)
            piece[i] = (uint8_t)toupper(piece[i]);
        if (!vmmio_request_write(request, done, piece, count))
            break;
        done += count;
    }
    echo->bytes += done;
    vmmio_request_complete(request, done);
}

static bool features_ok(struct vmmio_function *function, const struct vmmio_features *negotiated)
{
    ((struct echo *)function)->upper = vmmio_features_has(negotiated, ECHO_F_UPPER);
    return true;
}

static void reset(struct vmmio_function *function) { ((struct echo *)function)->upper = false; }

static const struct vmmio_function_type type = {
    .name = "echo",
    .device_id = 63,
    .handle = handle,
    .features_ok = features_ok,
    .reset = reset,
};

void echo_init(struct echo *echo, uint32_t limit)
{
    *echo = (struct echo){
        .function = {.type = &type,
                     .queue_count = 1,
                     .config = echo->config,
                     .config_length = sizeof(echo->config)},
        .config = {(uint8_t)limit, (uint8_t)(limit >> 8), (uint8_t)(limit >> 16),
                   (uint8_t)(limit >> 24)},
    };
    vmmio_features_add(&echo->function.features, ECHO_F_UPPER);
}
