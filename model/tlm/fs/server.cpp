// SPDX-License-Identifier: Apache-2.0
#include "server.h"

#include "check.h"
#include "reply.h"

#include <algorithm>
#include <asio/post.hpp>
#include <asio/thread_pool.hpp>
#include <linux/fuse.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

namespace vmmio::fs
{

namespace
{

// Zeroes behind a message, longer than anything of fixed length in it.
constexpr std::size_t margin = 4096;

// libfuse answers in the thread that gave it the request: this is the request.
thread_local call *answered = nullptr;

ssize_t take_reply(int, iovec *parts, int count, void *)
{
    ssize_t length = 0;
    for (int i = 0; i < count; i++) {
        const auto *bytes = static_cast<const unsigned char *>(parts[i].iov_base);
        length += static_cast<ssize_t>(parts[i].iov_len);
        if (answered)
            answered->out.insert(answered->out.end(), bytes, bytes + parts[i].iov_len);
    }
    return length;
}

ssize_t read_nothing(int, void *, std::size_t, void *)
{
    errno = ENODEV;
    return -1;
}

template <typename Struct>
Struct body_of(const call &c, std::size_t offset = 0)
{
    Struct value;
    std::memcpy(&value, c.in.data() + sizeof(fuse_in_header) + offset, sizeof(value));
    return value;
}

// The reply that carries an errno, or none, and nothing else.
void reply_with(call &c, int error)
{
    const fuse_out_header header{sizeof(header), -error, c.job->unique};
    c.out.resize(sizeof(header));
    std::memcpy(c.out.data(), &header, sizeof(header));
}

bool is_forget(std::uint32_t opcode)
{
    return opcode == FUSE_FORGET || opcode == FUSE_BATCH_FORGET;
}

// Of SETATTR, CREATE and OPEN.
bool may_shorten(const call &c)
{
    if (c.opcode == FUSE_SETATTR)
        return body_of<fuse_setattr_in>(c).valid & FATTR_SIZE;
    if (c.opcode == FUSE_CREATE)
        return body_of<fuse_create_in>(c).flags & O_TRUNC;
    return body_of<fuse_open_in>(c).flags & O_TRUNC;
}

// FUSE_HANDLE_KILLPRIV_V2: whoever asks has no right to keep set-user-id and set-group-id.
bool drops_set_id(const call &c)
{
    switch (c.opcode) {
    case FUSE_WRITE:
        return body_of<fuse_write_in>(c).write_flags & FUSE_WRITE_KILL_SUIDGID;
    case FUSE_OPEN:
        return may_shorten(c) && body_of<fuse_open_in>(c).open_flags & FUSE_OPEN_KILL_SUIDGID;
    case FUSE_SETATTR:
        return may_shorten(c) && body_of<fuse_setattr_in>(c).valid & FATTR_KILL_SUIDGID;
    default:
        return false;
    }
}

} // namespace

session::session(int root, const passthrough_options &options) : files_(root, options)
{
    static const fuse_custom_io io = {take_reply, read_nothing, nullptr, nullptr};
    char name[] = "vmmio";
    char *arguments[] = {name, nullptr};
    fuse_args args = FUSE_ARGS_INIT(1, arguments);
    session_ =
        fuse_session_new(&args, &passthrough::operations(), sizeof(fuse_lowlevel_ops), &files_);
    fuse_opt_free_args(&args); // libfuse put copies in the place of ours
    if (!session_)
        throw std::runtime_error("libfuse gives no session");
    const int unused = ::eventfd(0, EFD_CLOEXEC); // the session's from now on
    if (unused < 0)
        throw std::runtime_error(std::string("no descriptor for libfuse: ") + std::strerror(errno));
    if (fuse_session_custom_io(session_, &io, unused) != 0)
        throw std::runtime_error("libfuse takes no I/O functions");
}

session::~session() { fuse_session_destroy(session_); }

void session::process(call &c)
{
    fuse_buf buffer{};
    buffer.size = c.in_length;
    buffer.mem = c.in.data();
    answered = &c;
    fuse_session_process_buf(session_, &buffer);
    answered = nullptr;
}

server::server(const options &chosen)
    : is_(chosen), root_(::open(chosen.directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)),
      pool_(std::make_unique<asio::thread_pool>(std::max(chosen.threads, 1u)))
{
    if (!root_)
        throw std::runtime_error("cannot serve \"" + chosen.directory +
                                 "\": " + std::strerror(errno) + "; name a directory");
    if (::access("/proc/self/fd", X_OK) != 0)
        throw std::runtime_error("cannot serve \"" + chosen.directory +
                                 "\": /proc is not mounted; mount it");
    wake_.woken = [this] { take_results(); };
}

server::~server()
{
    drain();
    pool_->join();
}

vmmio_fs_backend server::backend()
{
    return {this, [](void *self, vmmio_fs_job *job) { static_cast<server *>(self)->submit(job); },
            [](void *, vmmio_fs_job *job) { delete static_cast<call *>(job->own); },
            [](void *self) { static_cast<server *>(self)->reset(); },
            [](void *self) { return static_cast<server *>(self)->holds(); }};
}

void server::reset()
{
    started_ = false;
    mounted_ = false;
    if (window_)
        window_->unmap_all();
}

bool server::file_of(std::uint64_t nodeid, file_key &key)
{
    const std::shared_lock<std::shared_mutex> lock(session_lock_);
    const inode_ref file = session_ ? session_->files().inodes.find(nodeid) : nullptr;
    if (file)
        key = file->key;
    return file != nullptr;
}

void server::submit(vmmio_fs_job *job)
{
    auto *c = new call;
    c->job = job;
    job->own = c;
    c->opcode = job->opcode;
    c->in_length = VMMIO_FS_IN_HEADER + job->body_bytes;
    c->in.resize(c->in_length + margin);
    std::memcpy(c->in.data(), job->header, VMMIO_FS_IN_HEADER);
    std::memcpy(&c->nodeid, job->header + offsetof(fuse_in_header, nodeid), sizeof(c->nodeid));
    if (!vmmio_fs_job_read(job, 0, c->in.data() + VMMIO_FS_IN_HEADER, job->body_bytes)) {
        vmmio_fs_job_done(job, nullptr, 0);
        return;
    }
    const int error = accept(*c);
    if (error)
        vmmio_fs_job_fail(job, error);
}

// What a driver asks for, on the simulation's thread. 0: it goes on, or has gone.
int server::accept(call &c)
{
    const int error = check_request(c.in.data(), c.in_length, c.job->reply_bytes);
    if (error)
        return error;
    if (c.opcode == FUSE_INIT) {
        started_ = true;
        mounted_ = true;
        starting_++;
    } else if (!started_ || starting_ != 0) {
        return EIO; // nothing comes before INIT is answered
    } else if (c.opcode == FUSE_DESTROY) {
        mounted_ = false;
    }
    switch (c.opcode) {
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET: // never behind what keeps the threads busy (FS-07)
        serve(c);
        vmmio_fs_job_done(c.job, nullptr, 0);
        return 0;
    case FUSE_INTERRUPT:
        interrupt(c);
        vmmio_fs_job_done(c.job, nullptr, 0);
        return 0;
    case FUSE_SETUPMAPPING:
    case FUSE_REMOVEMAPPING:
        if (!window_)
            return ENOSYS;
        reply_with(c, c.opcode == FUSE_SETUPMAPPING ? set_up_mapping(c) : remove_mappings(c));
        vmmio_fs_job_done(c.job, c.out.data(), static_cast<std::uint32_t>(c.out.size()));
        return 0;
    default:
        if (window_)
            before(c);
        post(&c);
        return 0;
    }
}

// The threads see files as the driver has left them in the window.
void server::before(const call &c)
{
    file_key file;
    switch (c.opcode) {
    case FUSE_INIT:
    case FUSE_DESTROY:
        window_->unmap_all();
        return;
    case FUSE_SYNCFS:
    case FUSE_COPY_FILE_RANGE:
        window_->write_back();
        return;
    case FUSE_SETATTR:
    case FUSE_OPEN:
        if (may_shorten(c) && file_of(c.nodeid, file)) {
            window_->write_back(&file);
            window_->revoke(&file);
        }
        return;
    case FUSE_CREATE: // the name may be that of any file that is there already
        if (may_shorten(c)) {
            window_->write_back();
            window_->revoke();
        }
        return;
    case FUSE_READ:
    case FUSE_WRITE:
    case FUSE_FLUSH:
    case FUSE_FSYNC:
    case FUSE_RELEASE:
    case FUSE_FALLOCATE:
    case FUSE_LSEEK:
        if (file_of(c.nodeid, file))
            window_->write_back(&file);
        return;
    default:
        return;
    }
}

// The window shows files as the threads have left them.
void server::after(const call &c)
{
    file_key file;
    switch (c.opcode) {
    case FUSE_CREATE:
    case FUSE_COPY_FILE_RANGE:
        window_->write_back();
        window_->refresh();
        return;
    case FUSE_SETATTR:
    case FUSE_OPEN:
        if (!may_shorten(c))
            return;
        [[fallthrough]];
    case FUSE_WRITE:
    case FUSE_FALLOCATE:
        if (file_of(c.nodeid, file)) {
            window_->write_back(&file);
            window_->refresh(&file);
        }
        return;
    default:
        return;
    }
}

// A request that no thread has begun ends with EINTR; one that a thread works on just ends.
void server::interrupt(const call &c)
{
    const std::uint64_t unique = body_of<fuse_interrupt_in>(c).unique;
    for (call *other : in_flight_) {
        int expected = call::waiting;
        if (other->job->unique == unique)
            other->is.compare_exchange_strong(expected, call::interrupted);
    }
}

int server::set_up_mapping(const call &c)
{
    constexpr std::uint64_t known = FUSE_SETUPMAPPING_FLAG_READ | FUSE_SETUPMAPPING_FLAG_WRITE;
    constexpr auto position_max = static_cast<std::uint64_t>(INT64_MAX);
    const auto in = body_of<fuse_setupmapping_in>(c);
    const bool writable = in.flags & FUSE_SETUPMAPPING_FLAG_WRITE;
    const dax_window::range where{in.moffset, in.len};
    if (!window_->holds(where) || in.foffset % dax_window::alignment != 0 ||
        in.foffset > position_max || in.len > position_max - in.foffset || in.flags == 0 ||
        in.flags & ~known)
        return EINVAL;
    if (writable && is_.files.read_only)
        return EROFS;
    const std::shared_lock<std::shared_mutex> lock(session_lock_);
    const inode_ref file = session_ ? session_->files().inodes.find(c.nodeid) : nullptr;
    if (!file)
        return ESTALE;
    if (in.fh != ~std::uint64_t{0}) { // Linux names no open file
        const handle_ref open = session_->files().handles.find(in.fh);
        if (!open || !open->file || open->key != file->key)
            return EBADF;
        const int access = open->flags & O_ACCMODE;
        if (access == O_WRONLY || (writable && access != O_RDWR))
            return EACCES;
    }
    const int full = window_->room_for(where);
    if (full)
        return full;
    descriptor own = file->open(writable ? O_RDWR : O_RDONLY);
    if (!own)
        return errno;
    return window_->map(where, file->key, std::move(own), in.foffset, writable);
}

int server::remove_mappings(const call &c)
{
    const std::uint32_t count = body_of<fuse_removemapping_in>(c).count;
    const auto range_of = [&c](std::uint32_t i) {
        const auto one = body_of<fuse_removemapping_one>(c, sizeof(fuse_removemapping_in) +
                                                                i * sizeof(fuse_removemapping_one));
        return dax_window::range{one.moffset, one.len};
    };
    for (std::uint32_t i = 0; i < count; i++)
        if (!window_->holds(range_of(i)))
            return EINVAL; // and none of the others is taken away
    for (std::uint32_t i = 0; i < count; i++)
        window_->unmap(range_of(i));
    return 0;
}

// In the threads.

void server::post(call *c)
{
    if (in_flight_.empty())
        wake_.hold();
    in_flight_.push_back(c);
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        executing_++;
    }
    asio::post(*pool_, [this, c] { execute(c); });
}

void server::execute(call *c)
{
    int expected = call::waiting;
    if (c->is.compare_exchange_strong(expected, call::running))
        serve(*c);
    else
        reply_with(*c, EINTR);
    const std::lock_guard<std::mutex> lock(mutex_);
    fresh_results_.push_back(c);
    if (--executing_ == 0)
        idle_.notify_all();
    wake_.notify();
}

void server::serve(call &c)
{
    if (c.opcode == FUSE_INIT) {
        start_session(c);
        return;
    }
    const std::shared_lock<std::shared_mutex> lock(session_lock_);
    if (!session_)
        reply_with(c, EIO); // the last INIT failed
    else if (c.opcode == FUSE_SYNCFS)
        reply_with(c, sync_directory());
    else {
        if (drops_set_id(c))
            session_->files().drop_set_id(c.nodeid);
        session_->process(c);
    }
    if (is_forget(c.opcode))
        c.out.clear();
}

int server::sync_directory() const
{
    const descriptor directory(::openat(root_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return !directory || ::syncfs(directory.get()) ? errno : 0;
}

// A new INIT is a new session (FS-06): no number of the old one means anything any more.
void server::start_session(call &c)
{
    const std::unique_lock<std::shared_mutex> lock(session_lock_);
    session_.reset();
    session_ = std::make_unique<session>(root_.get(), is_.files);
    session_->process(c);

    // What libfuse knows nothing of the reply tells here.
    constexpr std::size_t header = sizeof(fuse_out_header);
    fuse_out_header status;
    fuse_init_out out;
    if (c.out.size() < header + sizeof(out))
        return; // an error, or the version that is spoken
    std::memcpy(&status, c.out.data(), header);
    std::memcpy(&out, c.out.data() + header, sizeof(out));
    if (status.error != 0)
        return;
    const std::uint32_t wanted = body_of<std::uint32_t>(c, offsetof(fuse_init_in, flags));
    // A driver that has it need not ask for security.capability before each write.
    out.flags |= wanted & FUSE_HANDLE_KILLPRIV_V2;
    out.flags &= ~std::uint32_t{FUSE_MAP_ALIGNMENT};
    out.map_alignment = 0;
    if (window_ && wanted & FUSE_MAP_ALIGNMENT) {
        out.flags |= FUSE_MAP_ALIGNMENT;
        out.map_alignment = static_cast<std::uint16_t>(__builtin_ctzll(dax_window::alignment));
    }
    std::memcpy(c.out.data() + header, &out, sizeof(out));
}

// Results come back.

void server::take_results()
{
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        results_.insert(results_.end(), fresh_results_.begin(), fresh_results_.end());
        fresh_results_.clear();
    }
    if (!results_.empty() && on_result)
        on_result();
}

void server::finish()
{
    std::vector<call *> ended;
    ended.swap(results_);
    for (call *c : ended) {
        in_flight_.erase(std::find(in_flight_.begin(), in_flight_.end(), c));
        if (c->opcode == FUSE_INIT)
            starting_--;
        if (window_)
            after(*c);
        vmmio_fs_job_done(c->job, c->out.data(), static_cast<std::uint32_t>(c->out.size()));
    }
    if (!ended.empty() && in_flight_.empty())
        wake_.release();
}

void server::drain()
{
    std::unique_lock<std::mutex> lock(mutex_);
    idle_.wait(lock, [this] { return executing_ == 0; });
    fresh_results_.clear();
    results_.clear();
    if (!in_flight_.empty())
        wake_.release();
    for (call *c : in_flight_)
        delete c;
    in_flight_.clear();
}

} // namespace vmmio::fs
