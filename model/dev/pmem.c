/* SPDX-License-Identifier: Apache-2.0 */
#include "vmmio/dev/pmem.h"

#include "ring.h"

enum { REQUEST_BYTES = 4, RESPONSE_BYTES = 4 };

static const uint32_t success = 0;
static const uint32_t failure = 0xffffffff; /* -1 (PMEM-08) */

static void show_range(struct vmmio_pmem *pmem, bool visible)
{
    vmmio_put_le64(pmem->config_bytes, visible ? pmem->is.start : 0);
    vmmio_put_le64(pmem->config_bytes + 8, visible ? pmem->is.size : 0);
}

static bool features_ok(struct vmmio_function *function, const struct vmmio_features *negotiated)
{
    show_range((struct vmmio_pmem *)function,
               !vmmio_features_has(negotiated, VMMIO_PMEM_F_SHMEM_REGION));
    return true;
}

static void reset(struct vmmio_function *function)
{
    show_range((struct vmmio_pmem *)function, true);
}

static uint32_t serve(struct vmmio_pmem *pmem, struct vmmio_request *request)
{
    uint8_t raw[REQUEST_BYTES];

    if (request->readable_bytes < REQUEST_BYTES) {
        vmmio_request_report(request, VMMIO_DIAG_REQUEST_SHORT, request->readable_bytes);
        return failure;
    }
    if (!vmmio_request_read(request, 0, raw, sizeof(raw)))
        return failure;
    if (vmmio_le32(raw) != VMMIO_PMEM_FLUSH) { /* PMEM-09 */
        vmmio_request_report(request, VMMIO_DIAG_REQUEST_UNKNOWN, vmmio_le32(raw));
        return failure;
    }
    if (pmem->is.flush && !pmem->is.flush(pmem->is.context)) {
        vmmio_request_report(request, VMMIO_DIAG_REQUEST_BACKEND, 0);
        return failure;
    }
    pmem->flushes++;
    return success;
}

static void handle(struct vmmio_function *function, struct vmmio_request *request)
{
    uint8_t response[RESPONSE_BYTES];

    if (request->writable_bytes < RESPONSE_BYTES) { /* no place for an answer: do nothing (H-14) */
        vmmio_request_report(request, VMMIO_DIAG_REQUEST_SHORT, request->writable_bytes);
        vmmio_request_complete(request, 0);
        return;
    }
    vmmio_put_le32(response, serve((struct vmmio_pmem *)function, request));
    const bool written = vmmio_request_write(request, 0, response, sizeof(response));
    vmmio_request_complete(request, written ? RESPONSE_BYTES : 0);
}

static const struct vmmio_function_type pmem_type = {
    .name = "pmem",
    .device_id = VMMIO_ID_PMEM,
    .modern_only = true,
    .handle = handle,
    .features_ok = features_ok,
    .reset = reset,
};

enum vmmio_error vmmio_pmem_init(struct vmmio_pmem *pmem, const struct vmmio_pmem_config *config)
{
    if (!pmem || !config)
        return VMMIO_ERROR_NULL_ARGUMENT;
    if (config->start == 0 || config->size == 0 ||
        config->start + (config->size - 1) < config->start)
        return VMMIO_ERROR_PMEM_REGION;

    *pmem = (struct vmmio_pmem){.is = *config};
    pmem->function = (struct vmmio_function){.type = &pmem_type,
                                             .queue_count = 1,
                                             .config = pmem->config_bytes,
                                             .config_length = sizeof(pmem->config_bytes)};
    if (!config->no_shmem_region)
        vmmio_features_add(&pmem->function.features, VMMIO_PMEM_F_SHMEM_REGION);
    show_range(pmem, true);
    return VMMIO_ERROR_OK;
}
