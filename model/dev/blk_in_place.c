/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and writes of a disk that is behind a pointer, in buffers that are, too: most of a busy
 * disk's requests have a header, data in one piece and a status byte, and need no request struct.
 */
#include "blk_parts.h"
#include "chain.h"

/* One request. False if it is another one, or not in order: nothing was done. */
static VMMIO_IN_LINE bool transfer(struct vmmio_blk *blk, struct vmmio_engine *engine,
                                   struct vmmio_queue *queue, uint8_t *disk)
{
    struct vmmio_chain chain;
    uint8_t header[VMMIO_BLK_HEADER_BYTES];
    uint8_t *at, *data, *status;

    if (!vmmio_chain_start(&chain, engine, queue) || vmmio_desc_length(chain.d) != sizeof(header) ||
        !vmmio_chain_part(&chain, engine, VMMIO_DESC_NEXT, &at) || !vmmio_chain_next(&chain))
        return false;
    vmmio_copy_once(header, at, sizeof(header));
    const bool in = vmmio_le32(header) == VMMIO_BLK_T_IN;
    const uint64_t sector = vmmio_le64(header + 8);
    const uint32_t bytes = vmmio_desc_length(chain.d);

    if (!in && (vmmio_le32(header) != VMMIO_BLK_T_OUT || blk->is.read_only || blk->write_through))
        return false;
    if (bytes == 0 || bytes % VMMIO_BLK_SECTOR || bytes > blk->request_max ||
        !vmmio_blk_inside(blk, sector, bytes / VMMIO_BLK_SECTOR))
        return false;
    if (!(in ? vmmio_chain_part(&chain, engine, VMMIO_DESC_NEXT | VMMIO_DESC_WRITE, &data)
             : vmmio_chain_part(&chain, engine, VMMIO_DESC_NEXT, &data)))
        return false;
    if (!vmmio_chain_next(&chain) || vmmio_desc_length(chain.d) != 1 ||
        !vmmio_chain_part(&chain, engine, VMMIO_DESC_WRITE, &status))
        return false;
    disk += sector * VMMIO_BLK_SECTOR;
    memcpy(in ? data : disk, in ? disk : data, bytes);
    *status = VMMIO_BLK_S_OK;
    *(in ? &blk->bytes_read : &blk->bytes_written) += bytes;
    vmmio_chain_end(&chain, engine, queue, in ? bytes + 1 : 1);
    return true;
}

uint32_t vmmio_blk_serve_in_place(struct vmmio_function *function, struct vmmio_engine *engine,
                                  struct vmmio_queue *queue, uint32_t count)
{
    enum { PARTS = 3 };
    struct vmmio_blk *blk = (struct vmmio_blk *)function;
    const struct vmmio_blk_storage *storage = &blk->is.storage;
    uint32_t done = 0;

    if (blk->busy || !storage->map || queue->size < PARTS || engine->segments_each < PARTS)
        return 0;
    uint8_t *disk = storage->map(storage->context, 0, blk->is.capacity * VMMIO_BLK_SECTOR);

    if (disk && vmmio_split_direct(engine, queue)) /* asking may have ended that */
        while (done < count && transfer(blk, engine, queue, disk))
            done++;
    blk->requests += done;
    return done;
}
