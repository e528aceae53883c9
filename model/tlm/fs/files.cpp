// SPDX-License-Identifier: Apache-2.0
// Open files.
#include "reply.h"

#include <algorithm>
#include <linux/falloc.h>
#include <unistd.h>
#include <vector>

namespace vmmio::fs
{

namespace
{

// What a driver may ask for; the rest of its flags differs between architectures, or is dangerous.
int open_flags(int flags) { return flags & (O_ACCMODE | O_TRUNC | O_APPEND); }

bool open_allowed(const request &r, int flags)
{
    return !r.fs.is.read_only || ((flags & O_ACCMODE) == O_RDONLY && !(flags & O_TRUNC));
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
        if (what->flags & O_TRUNC)
            r.fs.drop_set_id(entry.ino);
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

} // namespace

void add_file_operations(fuse_lowlevel_ops &ops)
{
    ops.open = open;
    ops.create = create;
    ops.release = release;
    ops.releasedir = release;
    ops.flush = flush;
    ops.fsync = fsync;
    ops.read = read;
    ops.write = write;
    ops.fallocate = fallocate;
    ops.lseek = lseek;
    ops.copy_file_range = copy_file_range;
}

} // namespace vmmio::fs
