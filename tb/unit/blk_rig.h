/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file blk_rig.h
 * A block device on the rig, a storage whose work is the test's, and a driver of block requests.
 */
#ifndef VMMIO_TB_BLK_RIG_H
#define VMMIO_TB_BLK_RIG_H

#include "rig.h"
#include "vmmio/dev/blk_storage.h"

#include <string>

namespace vmmio::tb
{

/* 5.2.6. */
constexpr uint32_t IN = 0, OUT = 1, FLUSH = 4, GET_ID = 8, DISCARD = 11, WRITE_ZEROES = 13;
constexpr unsigned OK = 0, IOERR = 1, UNSUPP = 2;
constexpr unsigned no_status = 0xee; /* what the driver leaves in the place of a status */

/** Bytes in memory without a direct way to them, and a log of what was done. */
class test_storage
{
public:
    explicit test_storage(uint64_t length) : bytes(length) {}

    vmmio_blk_storage storage();
    /** Does a job that was held, or fails it, and says so to the device. */
    void finish(size_t index, bool ok = true);
    void finish_all();

    std::vector<uint8_t> bytes;
    bool hold = false; /**< keep jobs until finish */
    bool fail = false;
    std::vector<vmmio_blk_job *> held;
    std::vector<uint32_t> log; /**< operations in the order they were done */
    std::function<void(const vmmio_blk_job &)> on_job; /**< before each is done */

private:
    bool execute(vmmio_blk_job &job);
};

/** What a test may choose; a 0 is a default. */
struct blk_options {
    dma_mode mode = dma_mode::pointer;
    bool steady = false; /**< all of guest memory is behind one pointer that stays; see mode */
    bool direct = true;  /**< the RAM storage; false: a test_storage */
    uint32_t job_count = 4;
    uint64_t sectors = 64;
    vmmio_blk_config config = {};
    uint32_t requests = 64;
    bool legacy = false;
};

/** What became of a request. */
struct outcome {
    unsigned status;
    uint32_t used;
    std::vector<uint8_t> data;
};

class blk_rig
{
public:
    explicit blk_rig(const blk_options &options = {});

    /** Negotiates what is offered less these bits, and starts. */
    void go_live(std::initializer_list<unsigned> without = {}, uint32_t queues = 1,
                 uint32_t size = 64);

    /** The 16 bytes of 5.2.6 in guest memory. */
    piece header(uint32_t type, uint64_t sector);
    piece readable(const std::vector<uint8_t> &data);
    piece writable(uint32_t length);
    /** One byte that reads no_status. */
    piece status();

    /** The chain of a request in its usual form. */
    std::vector<piece> chain(uint32_t type, uint64_t sector, const std::vector<uint8_t> &out = {},
                             uint32_t in = 0);
    /** Offers a chain and returns what came back; fails if nothing did. */
    outcome ask(const std::vector<piece> &pieces);
    outcome ask(uint32_t type, uint64_t sector = 0, const std::vector<uint8_t> &out = {},
                uint32_t in = 0)
    {
        return ask(chain(type, sector, out, in));
    }
    /** The same without waiting: what finds it again later. */
    std::vector<piece> offer(uint32_t type, uint64_t sector, const std::vector<uint8_t> &out = {},
                             uint32_t in = 0, uint32_t queue = 0);
    unsigned status_of(const std::vector<piece> &pieces);

    const std::vector<uint8_t> &disk() const { return direct_ ? ram_bytes_ : slow.bytes; }
    /** Fills the whole disk, at its place. */
    void fill_disk(const std::vector<uint8_t> &data);
    uint32_t field(uint32_t offset, uint32_t width) { return r->read(0x100 + offset, width); }
    void poll();

    test_storage slow;
    vmmio_blk blk = {};
    std::unique_ptr<rig> r;
    unsigned wakes = 0;

private:
    void make_anew();

    bool direct_;
    std::vector<uint8_t> ram_bytes_;
    vmmio_blk_ram ram_;
    std::vector<vmmio_blk_job> jobs_;
};

/** Bytes that tell where they come from. */
std::vector<uint8_t> pattern(size_t length, unsigned seed);

/** A segment of DISCARD and WRITE_ZEROES (5.2.6). */
std::vector<uint8_t> segment(uint64_t sector, uint32_t count, uint32_t flags = 0);

} // namespace vmmio::tb
#endif
