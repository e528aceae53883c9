// SPDX-License-Identifier: Apache-2.0
#include "passthrough.h"

#include "reply.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <linux/fs.h>
#include <new>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace vmmio::fs
{

namespace
{

descriptor duplicate(int fd) { return descriptor(::fcntl(fd, F_DUPFD_CLOEXEC, 0)); }

struct stat status_of(int fd)
{
    struct stat is {
    };
    ::fstat(fd, &is);
    return is;
}

} // namespace

passthrough::passthrough(int root, const passthrough_options &options)
    : is(options), descriptors(options.budget),
      inodes(duplicate(root), status_of(root), descriptors)
{
}

namespace
{

// The parts of a mode that a driver may choose: without ids of its own, files are the process's
// user's, and must not lend his rights to others.
mode_t mode_of(const passthrough &fs, mode_t mode)
{
    return mode & (fs.is.keep_ids ? 07777 : 01777);
}

// Enters name of parent into the table.
int look_up(passthrough &fs, const inode &parent, const char *name, fuse_entry_param &entry)
{
    descriptor path(::openat(parent.path.get(), name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    entry = {};
    if (!path)
        return errno;
    if (::fstat(path.get(), &entry.attr) != 0)
        return errno;
    const inode_ref found = fs.inodes.enter(std::move(path), entry.attr);
    if (!found)
        return ENFILE;
    entry.ino = found->id;
    entry.attr_timeout = fs.is.timeout;
    entry.entry_timeout = fs.is.timeout;
    return 0;
}

void reply_entry(fuse_req_t req, int error, const fuse_entry_param &entry)
{
    if (error)
        fuse_reply_err(req, error);
    else
        fuse_reply_entry(req, &entry);
}

void lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    request r(req);
    fuse_entry_param entry;
    const inode_ref in = r.directory(parent, name);
    if (in)
        reply_entry(req, look_up(r.fs, *in, name, entry), entry);
}

void forget(fuse_req_t req, fuse_ino_t ino, std::uint64_t lookups)
{
    request(req).fs.inodes.forget(ino, lookups);
    fuse_reply_none(req);
}

void forget_multi(fuse_req_t req, std::size_t count, fuse_forget_data *forgets)
{
    for (std::size_t i = 0; i < count; i++)
        request(req).fs.inodes.forget(forgets[i].ino, forgets[i].nlookup);
    fuse_reply_none(req);
}

void getattr(fuse_req_t req, fuse_ino_t ino, fuse_file_info *)
{
    request r(req);
    struct stat is;
    const inode_ref in = r.inode(ino);
    if (!in)
        return;
    if (::fstat(in->path.get(), &is) != 0)
        fuse_reply_err(req, errno);
    else
        fuse_reply_attr(req, &is, r.fs.is.timeout);
}

int change_owner(const request &r, const inode &in, const struct stat &attr, int what)
{
    const uid_t uid = what & FUSE_SET_ATTR_UID ? attr.st_uid : uid_t(-1);
    const gid_t gid = what & FUSE_SET_ATTR_GID ? attr.st_gid : gid_t(-1);
    if (!r.fs.is.keep_ids) {
        struct stat is;
        if (::fstat(in.path.get(), &is) != 0)
            return errno;
        const bool same =
            (uid == uid_t(-1) || uid == is.st_uid) && (gid == gid_t(-1) || gid == is.st_gid);
        return same ? 0 : EPERM;
    }
    return ::fchownat(in.path.get(), "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) ? errno : 0;
}

int change_size(const request &r, const inode &in, off_t size, const fuse_file_info *info)
{
    if (info) {
        const handle_ref open = r.fs.handles.find(info->fh);
        if (!open)
            return EBADF;
        return ::ftruncate(open->file.get(), size) ? errno : 0;
    }
    const descriptor file = in.open(O_RDWR);
    return !file || ::ftruncate(file.get(), size) ? errno : 0;
}

int change_times(const inode &in, const struct stat &attr, int what)
{
    timespec times[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
    if (what & FUSE_SET_ATTR_ATIME_NOW)
        times[0].tv_nsec = UTIME_NOW;
    else if (what & FUSE_SET_ATTR_ATIME)
        times[0] = attr.st_atim;
    if (what & FUSE_SET_ATTR_MTIME_NOW)
        times[1].tv_nsec = UTIME_NOW;
    else if (what & FUSE_SET_ATTR_MTIME)
        times[1] = attr.st_mtim;
    if (in.type == S_IFLNK)
        return ::utimensat(in.path.get(), "", times, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) ? errno
                                                                                          : 0;
    return ::utimensat(AT_FDCWD, in.proc().c_str(), times, 0) ? errno : 0;
}

int change_mode(const request &r, const inode &in, mode_t mode)
{
    if (in.type != S_IFREG && in.type != S_IFDIR)
        return EOPNOTSUPP;
    return ::chmod(in.proc().c_str(), mode_of(r.fs, mode)) ? errno : 0;
}

void setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int what, fuse_file_info *info)
{
    constexpr int owner = FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID;
    constexpr int times = FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME |
                          FUSE_SET_ATTR_MTIME_NOW;
    request r(req);
    const inode_ref in = r.inode(ino);
    if (!in || !r.writable())
        return;
    int error = what & owner ? change_owner(r, *in, *attr, what) : 0;
    if (!error && what & FUSE_SET_ATTR_MODE)
        error = change_mode(r, *in, attr->st_mode);
    if (!error && what & FUSE_SET_ATTR_SIZE)
        error = change_size(r, *in, attr->st_size, info);
    if (!error && what & times)
        error = change_times(*in, *attr, what);
    if (error)
        fuse_reply_err(req, error);
    else
        getattr(req, ino, info);
}

void readlink(fuse_req_t req, fuse_ino_t ino)
{
    request r(req);
    char target[PATH_MAX + 1];
    const inode_ref in = r.inode(ino);
    if (!in)
        return;
    const ssize_t length = ::readlinkat(in->path.get(), "", target, PATH_MAX);
    if (length < 0) {
        fuse_reply_err(req, errno);
        return;
    }
    target[length] = 0;
    fuse_reply_readlink(req, target);
}

// New names.

// Gives what was just made its owner and mode, whatever the process's umask is.
int finish_new(const request &r, const inode &parent, std::uint64_t id, mode_t mode)
{
    const inode_ref made = r.fs.inodes.find(id);
    if (!made)
        return ENOENT; // forgotten already
    if (r.fs.is.keep_ids) {
        struct stat above;
        if (::fstat(parent.path.get(), &above) != 0)
            return errno;
        const fuse_ctx *who = fuse_req_ctx(r.req);
        const gid_t gid = above.st_mode & S_ISGID ? gid_t(-1) : who->gid;
        if (::fchownat(made->path.get(), "", who->uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
            return errno;
    }
    const mode_t inherited =
        made->type == S_IFDIR ? status_of(made->path.get()).st_mode & S_ISGID : 0;
    if (made->type == S_IFREG || made->type == S_IFDIR)
        return ::chmod(made->proc().c_str(), mode_of(r.fs, mode) | inherited) ? errno : 0;
    return 0;
}

// made says whether there is the new name in parent now.
void reply_new(const request &r, const inode &parent, const char *name, bool made, mode_t mode)
{
    fuse_entry_param entry{};
    int error = made ? look_up(r.fs, parent, name, entry) : errno;
    if (!error) {
        error = finish_new(r, parent, entry.ino, mode);
        ::fstat(r.fs.inodes.find(entry.ino)->path.get(), &entry.attr);
    }
    reply_entry(r.req, error, entry);
}

void mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t)
{
    request r(req);
    const inode_ref in = r.directory(parent, name);
    if (!in || !r.writable())
        return;
    if (!S_ISREG(mode)) { // no devices, no pipes, no sockets
        fuse_reply_err(req, EPERM);
        return;
    }
    const descriptor file(
        ::openat(in->path.get(), name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
    reply_new(r, *in, name, bool(file), mode);
}

void mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
    request r(req);
    const inode_ref in = r.directory(parent, name);
    if (in && r.writable())
        reply_new(r, *in, name, ::mkdirat(in->path.get(), name, 0700) == 0, mode);
}

void symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
    request r(req);
    const inode_ref in = r.directory(parent, name);
    if (in && r.writable())
        reply_new(r, *in, name, ::symlinkat(target, in->path.get(), name) == 0, 0);
}

void link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
    request r(req);
    const inode_ref in = r.inode(ino);
    const inode_ref to = in ? r.directory(parent, name) : nullptr;
    if (!to || !r.writable())
        return;
    fuse_entry_param entry{};
    int error = 0;
    if (::linkat(AT_FDCWD, in->proc().c_str(), to->path.get(), name, AT_SYMLINK_FOLLOW) != 0)
        error = errno;
    reply_entry(req, error ? error : look_up(r.fs, *to, name, entry), entry);
}

void remove(fuse_req_t req, fuse_ino_t parent, const char *name, int flags)
{
    request r(req);
    const inode_ref in = r.directory(parent, name);
    if (in && r.writable())
        fuse_reply_err(req, ::unlinkat(in->path.get(), name, flags) ? errno : 0);
}

void unlink(fuse_req_t req, fuse_ino_t parent, const char *name) { remove(req, parent, name, 0); }

void rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    remove(req, parent, name, AT_REMOVEDIR);
}

void rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
            const char *new_name, unsigned flags)
{
    request r(req);
    const inode_ref from = r.directory(parent, name);
    const inode_ref to = from ? r.directory(new_parent, new_name) : nullptr;
    if (!to || !r.writable())
        return;
    if (flags & ~unsigned(RENAME_NOREPLACE | RENAME_EXCHANGE)) { // a whiteout is a device
        fuse_reply_err(req, EINVAL);
        return;
    }
    const long result =
        ::syscall(SYS_renameat2, from->path.get(), name, to->path.get(), new_name, flags);
    fuse_reply_err(req, result ? errno : 0);
}

// Open files.

// What a driver may ask for; the rest of its flags differs between architectures, or is dangerous.
int open_flags(int flags) { return flags & (O_ACCMODE | O_TRUNC | O_APPEND); }

bool open_allowed(const request &r, int flags)
{
    return !r.fs.is.read_only || ((flags & O_ACCMODE) == O_RDONLY && !(flags & O_TRUNC));
}

// A handle within the budget; null, and the error is replied.
handle_ref new_handle(const request &r)
{
    if (r.fs.descriptors.take())
        return std::make_shared<handle>(r.fs.descriptors);
    fuse_reply_err(r.req, ENFILE);
    return nullptr;
}

void fill_info(const request &r, const handle_ref &what, fuse_file_info *info)
{
    info->fh = r.fs.handles.add(what);
    info->keep_cache = r.fs.is.keep_pages;
}

void open(fuse_req_t req, fuse_ino_t ino, fuse_file_info *info)
{
    request r(req);
    const inode_ref in = r.inode(ino);
    if (!in)
        return;
    if (!open_allowed(r, info->flags)) {
        fuse_reply_err(req, EROFS);
        return;
    }
    const handle_ref what = new_handle(r);
    if (!what)
        return;
    what->flags = open_flags(info->flags);
    what->file = in->open(what->flags);
    what->key = in->key;
    if (!what->file) {
        fuse_reply_err(req, errno);
        return;
    }
    fill_info(r, what, info);
    fuse_reply_open(req, info);
}

// A file that exists is opened by its inode: by name it could be a link or a pipe by now.
void create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, fuse_file_info *info)
{
    request r(req);
    const inode_ref in = r.directory(parent, name);
    if (!in || !r.writable())
        return;
    const handle_ref what = new_handle(r);
    if (!what)
        return;
    what->flags = open_flags(info->flags);
    what->file = descriptor(::openat(in->path.get(), name,
                                     what->flags | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600));
    const bool made = bool(what->file);
    if (!made && (errno != EEXIST || info->flags & O_EXCL)) {
        fuse_reply_err(req, errno);
        return;
    }
    fuse_entry_param entry{};
    int error = look_up(r.fs, *in, name, entry);
    const inode_ref found = error ? nullptr : r.fs.inodes.find(entry.ino);
    if (!error && !found)
        error = ENOENT;
    if (!error && !made) {
        what->file = found->open(what->flags);
        error = what->file ? 0 : errno;
    } else if (!error) {
        error = finish_new(r, *in, entry.ino, mode);
    }
    if (error) {
        if (found)
            r.fs.inodes.forget(entry.ino, 1);
        fuse_reply_err(req, error);
        return;
    }
    ::fstat(found->path.get(), &entry.attr);
    what->key = found->key;
    fill_info(r, what, info);
    fuse_reply_create(req, &entry, info);
}

void release(fuse_req_t req, fuse_ino_t, fuse_file_info *info)
{
    request(req).fs.handles.remove(info->fh);
    fuse_reply_err(req, 0);
}

void flush(fuse_req_t req, fuse_ino_t, fuse_file_info *info)
{
    request r(req);
    if (const handle_ref what = r.file(info->fh))
        fuse_reply_err(req, ::close(::dup(what->file.get())) ? errno : 0);
}

void fsync(fuse_req_t req, fuse_ino_t, int data_only, fuse_file_info *info)
{
    request r(req);
    const handle_ref what = r.file(info->fh);
    if (!what)
        return;
    const int fd = what->file.get();
    fuse_reply_err(req, (data_only ? ::fdatasync(fd) : ::fsync(fd)) ? errno : 0);
}

void read(fuse_req_t req, fuse_ino_t, std::size_t size, off_t offset, fuse_file_info *info)
{
    request r(req);
    const handle_ref what = r.file(info->fh);
    if (!what)
        return;
    std::vector<char> data(size);
    std::size_t done = 0;
    while (done < size) {
        const ssize_t got = ::pread(what->file.get(), data.data() + done, size - done,
                                    offset + static_cast<off_t>(done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && done == 0) {
            fuse_reply_err(req, errno);
            return;
        }
        if (got <= 0)
            break;
        done += static_cast<std::size_t>(got);
    }
    fuse_reply_buf(req, data.data(), done);
}

void write(fuse_req_t req, fuse_ino_t, const char *data, std::size_t size, off_t offset,
           fuse_file_info *info)
{
    request r(req);
    const handle_ref what = r.file(info->fh);
    if (!what || !r.writable())
        return;
    std::size_t done = 0;
    while (done < size) {
        const ssize_t put =
            ::pwrite(what->file.get(), data + done, size - done, offset + static_cast<off_t>(done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0 && done == 0) {
            fuse_reply_err(req, errno);
            return;
        }
        if (put <= 0)
            break;
        done += static_cast<std::size_t>(put);
    }
    fuse_reply_write(req, done);
}

void fallocate(fuse_req_t req, fuse_ino_t, int mode, off_t offset, off_t length,
               fuse_file_info *info)
{
    constexpr int known = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE;
    request r(req);
    const handle_ref what = r.file(info->fh);
    if (!what || !r.writable())
        return;
    if (mode & ~known)
        fuse_reply_err(req, EOPNOTSUPP);
    else
        fuse_reply_err(req, ::fallocate(what->file.get(), mode, offset, length) ? errno : 0);
}

void lseek(fuse_req_t req, fuse_ino_t, off_t offset, int whence, fuse_file_info *info)
{
    request r(req);
    const handle_ref what = r.file(info->fh);
    if (!what)
        return;
    const off_t position = ::lseek(what->file.get(), offset, whence);
    if (position < 0)
        fuse_reply_err(req, errno);
    else
        fuse_reply_lseek(req, position);
}

void copy_file_range(fuse_req_t req, fuse_ino_t, off_t in_offset, fuse_file_info *in, fuse_ino_t,
                     off_t out_offset, fuse_file_info *out, std::size_t length, int flags)
{
    request r(req);
    const handle_ref from = r.file(in->fh);
    const handle_ref to = from ? r.file(out->fh) : nullptr;
    if (!to || !r.writable())
        return;
    // Bounded, for a thread's sake; the driver asks again for the rest.
    const ssize_t done =
        ::copy_file_range(from->file.get(), &in_offset, to->file.get(), &out_offset,
                          std::min<std::size_t>(length, 64u << 20), static_cast<unsigned>(flags));
    if (done < 0)
        fuse_reply_err(req, errno);
    else
        fuse_reply_write(req, static_cast<std::size_t>(done));
}

void statfs(fuse_req_t req, fuse_ino_t ino)
{
    request r(req);
    struct statvfs is;
    const inode_ref in = r.inode(ino);
    if (!in)
        return;
    if (::fstatvfs(in->path.get(), &is) != 0)
        fuse_reply_err(req, errno);
    else
        fuse_reply_statfs(req, &is);
}

// Directories.

void opendir(fuse_req_t req, fuse_ino_t ino, fuse_file_info *info)
{
    request r(req);
    const inode_ref in = r.inode(ino);
    const handle_ref what = in ? new_handle(r) : nullptr;
    if (!what)
        return;
    descriptor fd(::openat(in->path.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    what->directory = fd ? ::fdopendir(fd.get()) : nullptr;
    if (!what->directory) {
        fuse_reply_err(req, errno);
        return;
    }
    fd.release();
    what->key = in->key;
    fill_info(r, what, info);
    fuse_reply_open(req, info);
}

// One entry behind what buffer holds already; its bytes, more than room if it does not fit.
std::size_t put_entry(const request &r, const inode &in, const dirent &entry, char *buffer,
                      std::size_t room, bool plus)
{
    const bool dots = std::strcmp(entry.d_name, ".") == 0 || std::strcmp(entry.d_name, "..") == 0;
    struct stat is {
    };
    is.st_ino = dots ? in.key.second : entry.d_ino; // what is above is nobody's business
    is.st_mode = static_cast<mode_t>(DTTOIF(entry.d_type));
    if (!plus)
        return fuse_add_direntry(r.req, buffer, room, entry.d_name, &is, entry.d_off);
    fuse_entry_param found{};
    if (dots || look_up(r.fs, in, entry.d_name, found) != 0)
        found.attr = is; // not looked up: the driver sees a name
    const std::size_t bytes =
        fuse_add_direntry_plus(r.req, buffer, room, entry.d_name, &found, entry.d_off);
    if (bytes > room && found.ino)
        r.fs.inodes.forget(found.ino, 1);
    return bytes;
}

void read_directory(fuse_req_t req, fuse_ino_t ino, std::size_t size, off_t offset,
                    const fuse_file_info *info, bool plus)
{
    request r(req);
    const inode_ref in = r.inode(ino);
    const handle_ref what = in ? r.fs.handles.find(info->fh) : nullptr;
    if (!in)
        return;
    if (!what || !what->directory || what->key != in->key) {
        fuse_reply_err(req, EBADF);
        return;
    }
    const std::lock_guard<std::mutex> lock(what->reading);
    std::vector<char> buffer(size);
    std::size_t done = 0;
    ::seekdir(what->directory, offset);
    for (;;) {
        errno = 0;
        const dirent *entry = ::readdir(what->directory);
        if (!entry && errno && done == 0) {
            fuse_reply_err(req, errno);
            return;
        }
        if (!entry)
            break;
        const std::size_t bytes =
            put_entry(r, *in, *entry, buffer.data() + done, size - done, plus);
        if (bytes > size - done)
            break;
        done += bytes;
    }
    fuse_reply_buf(req, buffer.data(), done);
}

void readdir(fuse_req_t req, fuse_ino_t ino, std::size_t size, off_t offset, fuse_file_info *info)
{
    read_directory(req, ino, size, offset, info, false);
}

void readdirplus(fuse_req_t req, fuse_ino_t ino, std::size_t size, off_t offset,
                 fuse_file_info *info)
{
    read_directory(req, ino, size, offset, info, true);
}

void fsyncdir(fuse_req_t req, fuse_ino_t, int, fuse_file_info *info)
{
    request r(req);
    const handle_ref what = r.fs.handles.find(info->fh);
    if (!what || !what->directory)
        fuse_reply_err(req, EBADF);
    else
        fuse_reply_err(req, ::fsync(::dirfd(what->directory)) ? errno : 0);
}

void init(void *, fuse_conn_info *conn)
{
    conn->max_write = std::min(conn->max_write, 1u << 20);
    conn->want &= ~unsigned(FUSE_CAP_EXPORT_SUPPORT | FUSE_CAP_WRITEBACK_CACHE);
}

fuse_lowlevel_ops make_operations()
{
    fuse_lowlevel_ops ops{};
    ops.init = init;
    ops.lookup = lookup;
    ops.forget = forget;
    ops.forget_multi = forget_multi;
    ops.getattr = getattr;
    ops.setattr = setattr;
    ops.readlink = readlink;
    ops.mknod = mknod;
    ops.mkdir = mkdir;
    ops.unlink = unlink;
    ops.rmdir = rmdir;
    ops.symlink = symlink;
    ops.rename = rename;
    ops.link = link;
    ops.open = open;
    ops.create = create;
    ops.read = read;
    ops.write = write;
    ops.flush = flush;
    ops.release = release;
    ops.fsync = fsync;
    ops.opendir = opendir;
    ops.readdir = readdir;
    ops.readdirplus = readdirplus;
    ops.releasedir = release;
    ops.fsyncdir = fsyncdir;
    ops.statfs = statfs;
    ops.fallocate = fallocate;
    ops.lseek = lseek;
    ops.copy_file_range = copy_file_range;
    add_attribute_operations(ops);
    return ops;
}

} // namespace

const fuse_lowlevel_ops &passthrough::operations()
{
    static const fuse_lowlevel_ops ops = make_operations();
    return ops;
}

} // namespace vmmio::fs
