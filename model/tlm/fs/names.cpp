// SPDX-License-Identifier: Apache-2.0
// New, other and no names for files.
#include "reply.h"

#include <cstdio>
#include <sys/syscall.h>
#include <unistd.h>

namespace vmmio::fs
{

namespace
{

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

} // namespace

void add_name_operations(fuse_lowlevel_ops &ops)
{
    ops.mknod = mknod;
    ops.mkdir = mkdir;
    ops.symlink = symlink;
    ops.link = link;
    ops.unlink = unlink;
    ops.rmdir = rmdir;
    ops.rename = rename;
}

} // namespace vmmio::fs
