/* SPDX-License-Identifier: Apache-2.0 */
#include "blk_rig.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace vmmio::tb
{

namespace
{

template <typename T>
std::vector<uint8_t> little_endian(T value)
{
    std::vector<uint8_t> bytes;
    for (size_t i = 0; i < sizeof(T); i++)
        bytes.push_back(static_cast<uint8_t>(value >> 8 * i));
    return bytes;
}

bool all_of_ram(void *memory, uint64_t address, bool write, vmmio_memory_range *all)
{
    const vmmio_memory port = static_cast<guest_memory *>(memory)->port();
    auto *const here = static_cast<uint8_t *>(port.map(memory, address, 1, write));
    if (!here || address < ram_base || address - ram_base >= ram_size)
        return false;
    *all = {ram_base, ram_size, here - (address - ram_base)};
    return true;
}

} // namespace

std::vector<uint8_t> pattern(size_t length, unsigned seed)
{
    std::vector<uint8_t> bytes(length);
    for (size_t i = 0; i < length; i++)
        bytes[i] = static_cast<uint8_t>(seed + 7 * i + i / 251);
    return bytes;
}

std::vector<uint8_t> segment(uint64_t sector, uint32_t count, uint32_t flags)
{
    return little_endian(sector) + little_endian(count) + little_endian(flags);
}

vmmio_blk_storage test_storage::storage()
{
    vmmio_blk_storage s = {};
    s.context = this;
    s.submit = [](void *self, vmmio_blk_job *job) {
        auto &that = *static_cast<test_storage *>(self);
        if (that.hold)
            that.held.push_back(job);
        else
            vmmio_blk_job_done(job, that.execute(*job));
    };
    s.resize = [](void *self, uint64_t length) {
        return length <= static_cast<test_storage *>(self)->bytes.size();
    };
    s.discards = true;
    s.may_unmap = true;
    return s;
}

bool test_storage::execute(vmmio_blk_job &job)
{
    if (on_job)
        on_job(job);
    log.push_back(job.operation);
    if (fail)
        return false;
    EXPECT_LE(job.offset + job.length, bytes.size());
    EXPECT_EQ(job.length == 0, job.operation == VMMIO_BLK_T_FLUSH);
    const auto at = bytes.begin() + static_cast<long>(job.offset);
    const auto length = static_cast<long>(job.length);
    if (job.operation == VMMIO_BLK_T_IN)
        std::copy(at, at + length, job.data);
    else if (job.operation == VMMIO_BLK_T_OUT)
        std::copy(job.data, job.data + length, at);
    else if (job.operation == VMMIO_BLK_T_WRITE_ZEROES)
        std::fill(at, at + length, uint8_t(0));
    else if (job.operation == VMMIO_BLK_T_DISCARD)
        std::fill(at, at + length, uint8_t(0xdd));
    return true;
}

void test_storage::finish(size_t index, bool ok)
{
    vmmio_blk_job *job = held.at(index);
    held.erase(held.begin() + static_cast<long>(index));
    vmmio_blk_job_done(job, execute(*job) && ok);
}

void test_storage::finish_all()
{
    while (!held.empty())
        finish(0);
}

blk_rig::blk_rig(const blk_options &options)
    : slow(options.sectors * VMMIO_BLK_SECTOR), direct_(options.direct),
      ram_bytes_(slow.bytes.size()), ram_{ram_bytes_.data(), ram_bytes_.size()},
      jobs_(options.job_count)
{
    vmmio_blk_config config = options.config;
    config.storage = direct_ ? vmmio_blk_use_ram(&ram_) : slow.storage();
    config.capacity = options.sectors;
    config.jobs = jobs_.data();
    config.job_count = options.job_count;
    config.wake = [](void *self) { static_cast<blk_rig *>(self)->wakes++; };
    config.wake_context = this;
    const vmmio_error error = vmmio_blk_init(&blk, &config);
    if (error != VMMIO_ERROR_OK)
        throw std::invalid_argument(vmmio_error_text(error));
    rig_options surroundings;
    surroundings.mode = options.mode;
    surroundings.requests = options.requests;
    surroundings.legacy = options.legacy;
    r = std::make_unique<rig>(blk.function, surroundings);
    if (options.steady)
        r->device.engine.is.memory.range = all_of_ram;
    r->renew = [this] { make_anew(); };
}

/* Its counters are no state. */
void blk_rig::make_anew()
{
    const vmmio_blk old = blk;
    slow.held.clear();
    EXPECT_EQ(vmmio_blk_init(&blk, &old.is), VMMIO_ERROR_OK);
    blk.requests = old.requests;
    blk.bytes_read = old.bytes_read;
    blk.bytes_written = old.bytes_written;
}

void blk_rig::go_live(std::initializer_list<unsigned> without, uint32_t queues, uint32_t size)
{
    vmmio_features features = r->guest.offered();
    for (const unsigned bit : without)
        vmmio_features_remove(&features, bit);
    vmmio_features_remove(&features, VMMIO_F_NOTIFICATION_DATA);
    vmmio_features_remove(&features, VMMIO_F_EVENT_IDX);
    r->go_live(features, queues, size);
}

piece blk_rig::readable(const std::vector<uint8_t> &data)
{
    const piece p = r->readable(static_cast<uint32_t>(data.size()));
    r->memory.set_bytes(p.address, data);
    return p;
}

piece blk_rig::header(uint32_t type, uint64_t sector)
{
    return readable(little_endian(type) + little_endian(uint32_t(0)) + little_endian(sector));
}

piece blk_rig::writable(uint32_t length)
{
    const piece p = r->writable(length);
    r->memory.fill(p.address, length, no_status);
    return p;
}

piece blk_rig::status() { return writable(1); }

std::vector<piece> blk_rig::chain(uint32_t type, uint64_t sector, const std::vector<uint8_t> &out,
                                  uint32_t in)
{
    std::vector<piece> pieces = {header(type, sector)};
    if (!out.empty())
        pieces.push_back(readable(out));
    if (in)
        pieces.push_back(writable(in));
    pieces.push_back(status());
    return pieces;
}

outcome blk_rig::ask(const std::vector<piece> &pieces)
{
    const std::optional<used_entry> used = r->exchange(pieces);
    if (!used) {
        ADD_FAILURE() << "the request did not come back";
        return {no_status, 0, {}};
    }
    std::vector<uint8_t> written;
    for (const piece &p : pieces)
        if (p.writable)
            written = written + r->memory.bytes(p.address, p.length);
    if (written.empty())
        return {no_status, used->length, {}};
    const unsigned status = written.back();
    written.pop_back();
    return {status, used->length, written};
}

std::vector<piece> blk_rig::offer(uint32_t type, uint64_t sector, const std::vector<uint8_t> &out,
                                  uint32_t in, uint32_t queue)
{
    const std::vector<piece> pieces = chain(type, sector, out, in);
    r->queue(queue).offer(r->queue(queue).add(pieces));
    r->guest.kick(queue);
    r->run();
    return pieces;
}

unsigned blk_rig::status_of(const std::vector<piece> &pieces)
{
    return r->memory.bytes(pieces.back().address, 1)[0];
}

void blk_rig::fill_disk(const std::vector<uint8_t> &data)
{
    ASSERT_EQ(data.size(), disk().size());
    std::copy(data.begin(), data.end(), (direct_ ? ram_bytes_ : slow.bytes).begin());
}

void blk_rig::poll()
{
    EXPECT_FALSE(vmmio_blk_poll(&blk));
    r->run();
}

} // namespace vmmio::tb
