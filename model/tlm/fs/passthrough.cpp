// SPDX-License-Identifier: Apache-2.0
#include "passthrough.h"

#include "reply.h"

#include <algorithm>
#include <sys/statvfs.h>
#include <unistd.h>

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

void init(void *, fuse_conn_info *conn)
{
    conn->max_write = std::min(conn->max_write, 1u << 20);
    // HANDLE_KILLPRIV does not tell whose write takes set-user-id away; the server has its
    // successor.
    conn->want &=
        ~unsigned(FUSE_CAP_EXPORT_SUPPORT | FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_HANDLE_KILLPRIV);
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
    ops.statfs = statfs;
    add_name_operations(ops);
    add_file_operations(ops);
    add_directory_operations(ops);
    add_attribute_operations(ops);
    return ops;
}

} // namespace

void passthrough::drop_set_id(std::uint64_t id)
{
    const inode_ref in = inodes.find(id);
    struct stat now;
    if (is.read_only || !in || in->type != S_IFREG || ::fstat(in->path.get(), &now) != 0)
        return;
    const mode_t gone = S_ISUID | (now.st_mode & S_IXGRP ? S_ISGID : 0);
    if (now.st_mode & gone)
        ::chmod(in->proc().c_str(), now.st_mode & ~gone & 07777);
}

const fuse_lowlevel_ops &passthrough::operations()
{
    static const fuse_lowlevel_ops ops = make_operations();
    return ops;
}

} // namespace vmmio::fs
