/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file chain.h
 * A buffer of a split ring, dealt with where it is: descriptor by descriptor, each behind a host
 * pointer, by a function that is done with it at once (serve_in_place). Whatever is not as it
 * expects, it leaves in the ring, where the general way finds it and tells what it is.
 */
#ifndef VMMIO_MODEL_CHAIN_H
#define VMMIO_MODEL_CHAIN_H

#include "direct.h"
#include "split.h"

struct vmmio_chain {
    const uint8_t *table; /* of the ring, or an indirect one */
    uint32_t size;        /* entries */
    uint32_t head;
    struct vmmio_desc d; /* the current one, read once */
};

/* Looks at the next buffer of a queue in its turn; the caller knows that there is one. */
static VMMIO_IN_LINE bool vmmio_chain_start(struct vmmio_chain *chain,
                                            const struct vmmio_engine *engine,
                                            const struct vmmio_queue *queue)
{
    const uint32_t head = vmmio_load_le16(queue->driver_mapped + vmmio_split_avail_offset(queue));

    if (head >= queue->size)
        return false;
    chain->head = head;
    chain->table = queue->desc_mapped;
    chain->size = queue->size;
    chain->d = vmmio_desc_load(chain->table, head);
    if (!(vmmio_split_flags(chain->d) & VMMIO_DESC_INDIRECT))
        return true;
    const uint32_t bytes = vmmio_desc_length(chain->d);

    if (!engine->indirect || bytes == 0 || bytes % VMMIO_DESC_BYTES ||
        bytes / VMMIO_DESC_BYTES > VMMIO_QUEUE_SIZE_LIMIT ||
        vmmio_split_flags(chain->d) & VMMIO_DESC_NEXT)
        return false;
    chain->size = bytes / VMMIO_DESC_BYTES;
    chain->table = vmmio_in_range(&engine->ranges[false], chain->d.address, bytes);
    if (!chain->table)
        return false;
    chain->d = vmmio_desc_load(chain->table, 0);
    return true;
}

/* The current descriptor's bytes; false if it has other flags, or no pointer that is known. */
static VMMIO_IN_LINE bool vmmio_chain_part(const struct vmmio_chain *chain,
                                           const struct vmmio_engine *engine, uint32_t flags,
                                           uint8_t **at)
{
    const struct vmmio_memory_range *range = &engine->ranges[(flags & VMMIO_DESC_WRITE) != 0];

    if (vmmio_split_flags(chain->d) != flags ||
        !vmmio_range_holds(range, chain->d.address, vmmio_desc_length(chain->d)))
        return false;
    *at = range->pointer + (chain->d.address - range->address);
    return true;
}

static VMMIO_IN_LINE bool vmmio_chain_next(struct vmmio_chain *chain)
{
    const uint32_t index = vmmio_split_next(chain->d);

    if (index >= chain->size)
        return false;
    chain->d = vmmio_desc_load(chain->table, index);
    return true;
}

/* Gives the buffer back; it was the next one. */
static VMMIO_IN_LINE void vmmio_chain_end(const struct vmmio_chain *chain,
                                          struct vmmio_engine *engine, struct vmmio_queue *queue,
                                          uint32_t used_length)
{
    queue->next_avail++;
    vmmio_split_put(engine, queue, chain->head, used_length, 1);
}

#endif
