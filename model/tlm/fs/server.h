// SPDX-License-Identifier: Apache-2.0
/// @file server.h
/// The back end of a file system device: libfuse sessions fed from a queue instead of a kernel.
#ifndef VMMIO_FS_SERVER_H
#define VMMIO_FS_SERVER_H

#include "dax_window.h"
#include "passthrough.h"

#include "vmmio/dev/fs.h"
#include "vmmio/tlm/host_wake.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

struct fuse_session;
struct iovec;

namespace asio
{
class thread_pool;
}

namespace vmmio::fs
{

/// A request on its way.
struct call {
    vmmio_fs_job *job;
    std::uint32_t opcode;
    std::uint64_t nodeid;
    std::vector<unsigned char> in; ///< the message, and zeroes behind it
    std::size_t in_length;
    std::vector<unsigned char> out;
    /// Whoever changes it from `waiting` decides what becomes of the call.
    enum state { waiting, running, interrupted };
    std::atomic<int> is{waiting};
};

/// A libfuse session with its file system, from one FUSE_INIT to the next.
class session
{
public:
    session(int root, const passthrough_options &options);
    ~session();
    session(const session &) = delete;
    session &operator=(const session &) = delete;

    /// Serves a request whose shape is right; the reply is in c.out.
    void process(call &c);
    passthrough &files() { return files_; }

private:
    passthrough files_;
    fuse_session *session_;
};

/// submit, release, reset, finish and the DAX calls belong to the simulation's thread.
class server
{
public:
    struct options {
        std::string directory;
        unsigned threads;
        passthrough_options files;
    };

    /// @throws std::runtime_error that says what to do if the directory cannot be served.
    explicit server(const options &chosen);
    ~server();
    server(const server &) = delete;
    server &operator=(const server &) = delete;

    vmmio_fs_backend backend();

    /// Called in the update phase: finish has something to do.
    std::function<void()> on_result;
    /// True if threads work, or have results that are not finished.
    bool busy() const { return !in_flight_.empty(); }
    /// True while a driver has mounted the directory, or is about to leave it.
    bool holds() const { return mounted_ || busy(); }
    /// Ends the jobs whose results have come.
    void finish();

    /// The window, once the region exists.
    void use_window(std::unique_ptr<dax_window> window) { window_ = std::move(window); }
    const dax_window *window() const { return window_.get(); }

    /// Waits until the threads have nothing to do, and forgets the results.
    void drain();

private:
    void submit(vmmio_fs_job *job);
    void reset();
    int accept(call &c);
    void before(const call &c);
    void after(const call &c);
    void interrupt(const call &c);
    int set_up_mapping(const call &c);
    int remove_mappings(const call &c);
    void post(call *c);
    void execute(call *c); // in a thread of the pool
    void serve(call &c);
    void start_session(call &c);
    int sync_directory() const;
    bool file_of(std::uint64_t nodeid, file_key &key);
    void take_results();

    const options is_;
    descriptor root_;
    host_wake wake_{"fs_server"};
    std::unique_ptr<dax_window> window_;
    std::shared_mutex session_lock_; // exclusive: to exchange session_
    std::unique_ptr<session> session_;
    bool started_ = false;          // there was an INIT since the last device reset
    bool mounted_ = false;          // the same, and no DESTROY since
    unsigned starting_ = 0;         // INITs that are not answered
    std::vector<call *> in_flight_; // posted and not finished; the simulation's thread only
    std::vector<call *> results_;   // the same
    std::mutex mutex_;              // guards what follows
    std::condition_variable idle_;
    std::vector<call *> fresh_results_;
    unsigned executing_ = 0;
    std::unique_ptr<asio::thread_pool> pool_;
};

} // namespace vmmio::fs

#endif
