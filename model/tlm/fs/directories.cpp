// SPDX-License-Identifier: Apache-2.0
// Open directories.
#include "reply.h"

#include <cstring>
#include <unistd.h>
#include <vector>

namespace vmmio::fs
{

namespace
{

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

} // namespace

void add_directory_operations(fuse_lowlevel_ops &ops)
{
    ops.opendir = opendir;
    ops.readdir = readdir;
    ops.readdirplus = readdirplus;
    ops.fsyncdir = fsyncdir;
}

} // namespace vmmio::fs
