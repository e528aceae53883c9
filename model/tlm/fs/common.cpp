// SPDX-License-Identifier: Apache-2.0
#include "reply.h"

#include <sys/stat.h>
#include <unistd.h>

namespace vmmio::fs
{

mode_t mode_of(const passthrough &fs, mode_t mode)
{
    return mode & (fs.is.keep_ids ? 07777 : 01777);
}

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
    if (made->type != S_IFREG && made->type != S_IFDIR)
        return 0;
    struct stat now;
    if (::fstat(made->path.get(), &now) != 0)
        return errno;
    const mode_t inherited = made->type == S_IFDIR ? now.st_mode & S_ISGID : 0;
    return ::chmod(made->proc().c_str(), mode_of(r.fs, mode) | inherited) ? errno : 0;
}

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

} // namespace vmmio::fs
