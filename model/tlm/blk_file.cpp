// SPDX-License-Identifier: Apache-2.0
#include "vmmio/tlm/blk_file.h"

#include <algorithm>
#include <asio/post.hpp>
#include <asio/thread_pool.hpp>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <unistd.h>
#include <utility>

namespace vmmio
{

namespace
{

int open_file(const std::string &path, blk_file::access rights)
{
    const int flags = rights == blk_file::access::read_only ? O_RDONLY : O_RDWR | O_CREAT;
    const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
    if (descriptor < 0)
        throw std::runtime_error("cannot use \"" + path + "\" as a disk: " + std::strerror(errno));
    if (::lseek(descriptor, 0, SEEK_END) < 0) {
        ::close(descriptor);
        throw std::runtime_error("cannot use \"" + path +
                                 "\" as a disk: name a file or a block device");
    }
    return descriptor;
}

} // namespace

blk_file::blk_file(const std::string &path, access rights, unsigned threads)
    : descriptor_(open_file(path, rights)),
      pool_(std::make_unique<asio::thread_pool>(std::max(threads, 1u)))
{
    wake_.woken = [this] { take_results(); };
}

blk_file::~blk_file()
{
    pool_->join();
    ::close(descriptor_);
}

vmmio_blk_storage blk_file::storage()
{
    vmmio_blk_storage storage{};
    storage.context = this;
    storage.submit = submit_call;
    storage.resize = resize_call;
    storage.drain = drain_call;
    storage.discards = true;
    storage.may_unmap = true;
    return storage;
}

std::uint64_t blk_file::sectors() const
{
    return static_cast<std::uint64_t>(::lseek(descriptor_, 0, SEEK_END)) / VMMIO_BLK_SECTOR;
}

void blk_file::submit_call(void *self, vmmio_blk_job *job)
{
    static_cast<blk_file *>(self)->submit(job);
}

bool blk_file::resize_call(void *self, std::uint64_t bytes)
{
    return vmmio_blk_file_reserve(static_cast<blk_file *>(self)->descriptor_, bytes);
}

void blk_file::drain_call(void *self) { static_cast<blk_file *>(self)->drain(); }

void blk_file::submit(vmmio_blk_job *job)
{
    if (unanswered_++ == 0)
        wake_.hold();
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        executing_++;
    }
    asio::post(*pool_, [this, job] { execute(job); });
}

void blk_file::execute(vmmio_blk_job *job)
{
    const bool ok = vmmio_blk_file_execute(descriptor_, job);
    const std::lock_guard<std::mutex> lock(mutex_);
    results_.push_back({job, ok});
    if (--executing_ == 0)
        idle_.notify_all();
    wake_.notify();
}

void blk_file::take_results()
{
    std::vector<result> results;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        results.swap(results_);
    }
    for (const result &r : results)
        vmmio_blk_job_done(r.job, r.ok);
    if (results.empty())
        return;
    unanswered_ -= static_cast<unsigned>(results.size());
    if (unanswered_ == 0)
        wake_.release();
}

// The jobs go away: their results are nobody's any more.
void blk_file::drain()
{
    std::unique_lock<std::mutex> lock(mutex_);
    idle_.wait(lock, [this] { return executing_ == 0; });
    results_.clear();
    if (unanswered_ != 0)
        wake_.release();
    unanswered_ = 0;
}

} // namespace vmmio
