/* SPDX-License-Identifier: Apache-2.0 */
/* What a block device offers, and the configuration space that tells it. */
#include "blk_parts.h"

#include "ring.h"

enum {
    SIZE_MAX_DEFAULT = 1 << 20,
    SEG_MAX_DEFAULT = 126,
    DISCARD_SECTORS_DEFAULT = 1 << 22,
    DISCARD_SEG_DEFAULT = 16,
    WRITE_ZEROES_SECTORS_DEFAULT = 1 << 15,
    WRITE_ZEROES_SEG_DEFAULT = 8,
    SEGMENTS_LIMIT = VMMIO_BLK_PIECE / 16, /* a job has room for so many */
};

static const uint64_t capacity_limit = UINT64_C(1) << 54; /* bytes fit a signed 64-bit offset */

static void use_default(uint32_t *value, uint32_t standard)
{
    if (*value == 0)
        *value = standard;
}

static void use_defaults(struct vmmio_blk_config *is)
{
    use_default(&is->size_max, SIZE_MAX_DEFAULT);
    use_default(&is->seg_max, SEG_MAX_DEFAULT);
    use_default(&is->block_size, VMMIO_BLK_SECTOR);
    use_default(&is->max_discard_sectors, DISCARD_SECTORS_DEFAULT);
    use_default(&is->max_discard_seg, DISCARD_SEG_DEFAULT);
    use_default(&is->discard_sector_alignment, is->block_size / VMMIO_BLK_SECTOR);
    use_default(&is->max_write_zeroes_sectors, WRITE_ZEROES_SECTORS_DEFAULT);
    use_default(&is->max_write_zeroes_seg, WRITE_ZEROES_SEG_DEFAULT);
    if (is->queue_count == 0)
        is->queue_count = 1;
}

static enum vmmio_error check_capacity(const struct vmmio_blk_config *is, uint64_t capacity)
{
    const uint32_t size = is->block_size;

    if (size < VMMIO_BLK_SECTOR || size & (size - 1) || capacity >= capacity_limit ||
        capacity % (size / VMMIO_BLK_SECTOR))
        return VMMIO_ERROR_BLK_CAPACITY;
    if (is->storage.resize && !is->storage.resize(is->storage.context, capacity * VMMIO_BLK_SECTOR))
        return VMMIO_ERROR_BLK_SIZE;
    return VMMIO_ERROR_OK;
}

static struct vmmio_features offered(const struct vmmio_blk_config *is)
{
    struct vmmio_features features = {{0}};
    uint32_t bits = 1u << VMMIO_BLK_F_SIZE_MAX | 1u << VMMIO_BLK_F_SEG_MAX |
                    1u << VMMIO_BLK_F_BLK_SIZE | 1u << VMMIO_BLK_F_FLUSH |
                    1u << VMMIO_BLK_F_TOPOLOGY | 1u << VMMIO_BLK_F_CONFIG_WCE;

    if (is->read_only)
        features.word[0] |= 1u << VMMIO_BLK_F_RO; /* not to be withheld: it is how it works */
    else
        bits |= 1u << VMMIO_BLK_F_WRITE_ZEROES;
    if (!is->read_only && is->storage.discards)
        bits |= 1u << VMMIO_BLK_F_DISCARD;
    if (is->queue_count > 1)
        bits |= 1u << VMMIO_BLK_F_MQ;
    bits &= ~is->withheld;
    if (!(bits >> VMMIO_BLK_F_FLUSH & 1u)) /* BLK-12 */
        bits &= ~(1u << VMMIO_BLK_F_CONFIG_WCE);
    features.word[0] |= bits;
    return features;
}

/* A field without its feature reads 0. */
static void fill_config(struct vmmio_blk *blk)
{
    const struct vmmio_blk_config *is = &blk->is;
    const struct vmmio_features *features = &blk->function.features;
    uint8_t *bytes = blk->config_bytes;

    vmmio_put_le64(bytes + VMMIO_BLK_CONFIG_CAPACITY, is->capacity);
    if (vmmio_features_has(features, VMMIO_BLK_F_SIZE_MAX))
        vmmio_put_le32(bytes + VMMIO_BLK_CONFIG_SIZE_MAX, is->size_max);
    if (vmmio_features_has(features, VMMIO_BLK_F_SEG_MAX))
        vmmio_put_le32(bytes + VMMIO_BLK_CONFIG_SEG_MAX, is->seg_max);
    if (vmmio_features_has(features, VMMIO_BLK_F_BLK_SIZE))
        vmmio_put_le32(bytes + VMMIO_BLK_CONFIG_BLK_SIZE, is->block_size);
    if (vmmio_features_has(features, VMMIO_BLK_F_TOPOLOGY)) {
        bytes[VMMIO_BLK_CONFIG_PHYSICAL_BLOCK_EXP] = is->physical_block_exp;
        bytes[VMMIO_BLK_CONFIG_ALIGNMENT_OFFSET] = is->alignment_offset;
        vmmio_put_le16(bytes + VMMIO_BLK_CONFIG_MIN_IO_SIZE, is->min_io_size);
        vmmio_put_le32(bytes + VMMIO_BLK_CONFIG_OPT_IO_SIZE, is->opt_io_size);
    }
    if (vmmio_features_has(features, VMMIO_BLK_F_MQ))
        vmmio_put_le16(bytes + VMMIO_BLK_CONFIG_NUM_QUEUES, is->queue_count);
    if (vmmio_features_has(features, VMMIO_BLK_F_DISCARD)) {
        vmmio_put_le32(bytes + VMMIO_BLK_CONFIG_MAX_DISCARD_SECTORS, is->max_discard_sectors);
        vmmio_put_le32(bytes + VMMIO_BLK_CONFIG_MAX_DISCARD_SEG, is->max_discard_seg);
        vmmio_put_le32(bytes + VMMIO_BLK_CONFIG_DISCARD_SECTOR_ALIGNMENT,
                       is->discard_sector_alignment);
    }
    if (vmmio_features_has(features, VMMIO_BLK_F_WRITE_ZEROES)) {
        vmmio_put_le32(bytes + VMMIO_BLK_CONFIG_MAX_WRITE_ZEROES_SECTORS,
                       is->max_write_zeroes_sectors);
        vmmio_put_le32(bytes + VMMIO_BLK_CONFIG_MAX_WRITE_ZEROES_SEG, is->max_write_zeroes_seg);
        bytes[VMMIO_BLK_CONFIG_WRITE_ZEROES_MAY_UNMAP] = is->storage.may_unmap;
    }
    vmmio_blk_show_mode(blk);
}

void vmmio_blk_show_mode(struct vmmio_blk *blk)
{
    blk->config_bytes[VMMIO_BLK_CONFIG_WRITEBACK] =
        vmmio_features_has(&blk->function.features, VMMIO_BLK_F_CONFIG_WCE) && !blk->write_through;
}

bool vmmio_blk_writes_mode(const struct vmmio_blk *blk, uint32_t offset, const uint8_t *data,
                           uint32_t length)
{
    return offset == VMMIO_BLK_CONFIG_WRITEBACK && data[0] <= 1 &&
           memcmp(data + 1, blk->config_bytes + offset + 1, length - 1) == 0;
}

static void set_id(struct vmmio_blk *blk, const char *id)
{
    for (uint32_t i = 0; id && i < VMMIO_BLK_ID_BYTES && id[i]; i++)
        blk->id[i] = (uint8_t)id[i];
}

enum vmmio_error vmmio_blk_init(struct vmmio_blk *blk, const struct vmmio_blk_config *config)
{
    if (!blk || !config || !config->storage.submit || !config->jobs || config->job_count == 0)
        return VMMIO_ERROR_NULL_ARGUMENT;
    struct vmmio_blk_config is = *config;

    use_defaults(&is);
    if (is.max_discard_seg > SEGMENTS_LIMIT || is.max_write_zeroes_seg > SEGMENTS_LIMIT)
        return VMMIO_ERROR_BLK_LIMIT;
    const enum vmmio_error error = check_capacity(&is, is.capacity);
    if (error != VMMIO_ERROR_OK)
        return error;

    *blk = (struct vmmio_blk){.is = is, .write_through = is.write_through};
    blk->function = (struct vmmio_function){.type = &vmmio_blk_type,
                                            .features = offered(&is),
                                            .queue_count = is.queue_count,
                                            .config = blk->config_bytes,
                                            .config_length = sizeof(blk->config_bytes)};
    blk->request_max = (uint64_t)is.size_max * is.seg_max;
    set_id(blk, is.id);
    for (uint32_t i = 0; i < is.job_count; i++) {
        is.jobs[i].blk = blk;
        is.jobs[i].request = NULL;
        is.jobs[i].pending = false;
        is.jobs[i].next = blk->free_jobs;
        blk->free_jobs = &is.jobs[i];
    }
    fill_config(blk);
    return VMMIO_ERROR_OK;
}

enum vmmio_error vmmio_blk_resize(struct vmmio_blk *blk, uint64_t capacity)
{
    const enum vmmio_error error = check_capacity(&blk->is, capacity);

    if (error != VMMIO_ERROR_OK)
        return error;
    blk->is.capacity = capacity;
    vmmio_put_le64(blk->config_bytes + VMMIO_BLK_CONFIG_CAPACITY, capacity);
    return VMMIO_ERROR_OK;
}
