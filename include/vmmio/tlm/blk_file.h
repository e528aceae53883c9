// SPDX-License-Identifier: Apache-2.0
/// @file blk_file.h
/// A file as the storage of a block device, read and written by threads of their own.
#ifndef VMMIO_TLM_BLK_FILE_H
#define VMMIO_TLM_BLK_FILE_H

#include "vmmio/dev/blk_storage.h"
#include "vmmio/tlm/host_wake.h"

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace asio
{
class thread_pool;
}

namespace vmmio
{

/// Works on a file while the simulation goes on. When a request ends in simulated time therefore
/// depends on the host; for the same run every time use vmmio_blk_use_file, which makes the
/// simulation wait. While work is in flight the simulation does not end for want of events.
class blk_file
{
public:
    enum class access { read_write, read_only };

    /// Opens path, creating it unless read_only; it becomes as long as the device that uses it.
    /// @param threads jobs at the same time, at least 1.
    /// @throws std::runtime_error that says what to do if the file cannot be had.
    explicit blk_file(const std::string &path, access rights = access::read_write,
                      unsigned threads = 4);

    /// Finishes what is in flight.
    ~blk_file();

    blk_file(const blk_file &) = delete;
    blk_file &operator=(const blk_file &) = delete;

    /// For vmmio_blk_config of one device; valid as long as the file.
    vmmio_blk_storage storage();

    /// Whole sectors of 512 bytes in the file now.
    std::uint64_t sectors() const;

private:
    struct result {
        vmmio_blk_job *job;
        bool ok;
    };

    static void submit_call(void *self, vmmio_blk_job *job);
    static bool resize_call(void *self, std::uint64_t bytes);
    static void drain_call(void *self);

    void submit(vmmio_blk_job *job);
    void execute(vmmio_blk_job *job); // in a thread of the pool
    void drain();
    void take_results();

    int descriptor_;
    host_wake wake_{"blk_file"};
    std::unique_ptr<asio::thread_pool> pool_;
    unsigned unanswered_ = 0; // jobs that the device waits for; the simulation's thread only
    std::mutex mutex_;        // guards what follows
    std::condition_variable idle_;
    std::vector<result> results_;
    unsigned executing_ = 0; // jobs that have no result yet
};

} // namespace vmmio

#endif
