/* SPDX-License-Identifier: Apache-2.0 */
/* The shared memory registers; see shm.h. */
#include "vmmio/shm.h"

#include <stddef.h>

static struct vmmio_shm_region *find(struct vmmio_shm *shm, uint32_t id)
{
    for (uint32_t i = 0; i < shm->region_count; i++)
        if (shm->region[i].id == id)
            return &shm->region[i];
    return NULL;
}

const struct vmmio_shm_region *vmmio_shm_find(const struct vmmio_shm *shm, uint32_t id)
{
    return find((struct vmmio_shm *)(uintptr_t)shm, id);
}

static void latch(struct vmmio_shm *shm, uint32_t sel)
{
    const struct vmmio_shm_region *region = find(shm, sel);

    shm->sel = sel;
    shm->length = region ? region->length : UINT64_MAX;
    shm->base = region ? region->base : UINT64_MAX;
}

void vmmio_shm_select(struct vmmio_shm *shm, uint32_t sel)
{
    shm->untouched = false;
    latch(shm, sel);
}

void vmmio_shm_init(struct vmmio_shm *shm)
{
    shm->region_count = 0;
    shm->untouched = true;
    latch(shm, 0);
}

void vmmio_shm_reset(struct vmmio_shm *shm) { latch(shm, 0); }

/* The checks of add and change; `self` is the entry that is being replaced, if any. */
static enum vmmio_error check(const struct vmmio_shm *shm, const struct vmmio_shm_region *region,
                              const struct vmmio_shm_region *self)
{
    const uint64_t last = region->base + (region->length - 1);

    if (region->length == 0)
        return VMMIO_ERROR_REGION_ZERO;
    if (last < region->base)
        return VMMIO_ERROR_REGION_WRAP;
    for (uint32_t i = 0; i < shm->region_count; i++) {
        const struct vmmio_shm_region *other = &shm->region[i];

        if (other != self && region->base <= other->base + (other->length - 1) &&
            other->base <= last)
            return VMMIO_ERROR_REGION_OVERLAP;
    }
    return VMMIO_ERROR_OK;
}

static void table_changed(struct vmmio_shm *shm)
{
    if (shm->untouched)
        latch(shm, 0);
}

enum vmmio_error vmmio_shm_add(struct vmmio_shm *shm, const struct vmmio_shm_region *region)
{
    const enum vmmio_error error = check(shm, region, NULL);

    if (error != VMMIO_ERROR_OK)
        return error;
    if (find(shm, region->id))
        return VMMIO_ERROR_REGION_ID_USED;
    if (shm->region_count == VMMIO_SHM_REGIONS_MAX)
        return VMMIO_ERROR_REGION_TABLE_FULL;
    shm->region[shm->region_count++] = *region;
    table_changed(shm);
    return VMMIO_ERROR_OK;
}

enum vmmio_error vmmio_shm_remove(struct vmmio_shm *shm, uint8_t id)
{
    struct vmmio_shm_region *region = find(shm, id);

    if (!region)
        return VMMIO_ERROR_REGION_ID_UNKNOWN;
    *region = shm->region[--shm->region_count];
    table_changed(shm);
    return VMMIO_ERROR_OK;
}

enum vmmio_error vmmio_shm_change(struct vmmio_shm *shm, const struct vmmio_shm_region *region)
{
    struct vmmio_shm_region *old = find(shm, region->id);

    if (!old)
        return VMMIO_ERROR_REGION_ID_UNKNOWN;
    const enum vmmio_error error = check(shm, region, old);
    if (error != VMMIO_ERROR_OK)
        return error;
    *old = *region;
    table_changed(shm);
    return VMMIO_ERROR_OK;
}
