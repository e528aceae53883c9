/* SPDX-License-Identifier: Apache-2.0 */
#include "vmmio/dev/entropy.h"

#include <errno.h>
#include <stddef.h>
#include <sys/random.h>

static bool fill_from_host(void *context, uint8_t *data, uint32_t length)
{
    (void)context;
    while (length) {
        const ssize_t got = getrandom(data, length, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        data += got;
        length -= (uint32_t)got;
    }
    return true;
}

static void handle(struct vmmio_function *function, struct vmmio_request *request)
{
    struct vmmio_entropy *entropy = (struct vmmio_entropy *)function;
    const uint32_t wanted =
        request->writable_bytes < entropy->is.cap ? request->writable_bytes : entropy->is.cap;
    uint8_t bytes[256];
    uint32_t done = 0;

    if (request->readable_bytes) /* left alone, the writable part is still filled (RNG-02) */
        vmmio_request_report(request, VMMIO_DIAG_REQUEST_DIRECTION, request->readable_bytes);
    if (wanted == 0)
        vmmio_request_report(request, VMMIO_DIAG_REQUEST_SHORT, 0);
    while (done < wanted) {
        const uint32_t left = wanted - done;
        const uint32_t piece = left < sizeof(bytes) ? left : (uint32_t)sizeof(bytes);

        if (!entropy->is.fill(entropy->is.context, bytes, piece)) {
            if (done)
                break; /* less than asked for is allowed (RNG-05), nothing is not */
            vmmio_request_fail(request, VMMIO_DIAG_SOURCE_EMPTY, wanted);
            return;
        }
        if (!vmmio_request_write(request, done, bytes, piece))
            break;
        done += piece;
    }
    entropy->requests++;
    entropy->bytes += done;
    vmmio_request_complete(request, done);
}

static const struct vmmio_function_type entropy_type = {
    .name = "entropy",
    .device_id = VMMIO_ID_ENTROPY,
    .handle = handle,
};

void vmmio_entropy_init(struct vmmio_entropy *entropy, const struct vmmio_entropy_config *config)
{
    *entropy = (struct vmmio_entropy){.function = {.type = &entropy_type, .queue_count = 1}};
    if (config)
        entropy->is = *config;
    if (!entropy->is.fill)
        entropy->is.fill = fill_from_host;
    if (entropy->is.cap == 0)
        entropy->is.cap = VMMIO_ENTROPY_CAP;
}
