// SPDX-License-Identifier: Apache-2.0
/// @file reply.h
/// What the operations of a passthrough share: a request's numbers resolved, or refused.
#ifndef VMMIO_FS_REPLY_H
#define VMMIO_FS_REPLY_H

#define FUSE_USE_VERSION 314

#include "passthrough.h"

#include <cerrno>
#include <climits>
#include <cstring>
#include <fcntl.h>
#include <fuse_lowlevel.h>

namespace vmmio::fs
{

/// A request and the file system that it is for. A member that finds nothing has replied.
struct request {
    fuse_req_t req;
    passthrough &fs;

    explicit request(fuse_req_t r) : req(r), fs(*static_cast<passthrough *>(fuse_req_userdata(r)))
    {
    }

    inode_ref inode(fuse_ino_t id) const
    {
        inode_ref found = fs.inodes.find(id);
        if (!found)
            fuse_reply_err(req, ESTALE);
        return found;
    }
    /// The directory in which name shall be something. It is one name: no way leads out.
    inode_ref directory(fuse_ino_t id, const char *name) const
    {
        if (*name == 0 || std::strchr(name, '/') || !std::strcmp(name, ".") ||
            !std::strcmp(name, "..")) {
            fuse_reply_err(req, EINVAL);
            return nullptr;
        }
        inode_ref found = inode(id);
        if (!found || found->type == S_IFDIR)
            return found;
        fuse_reply_err(req, ENOTDIR);
        return nullptr;
    }
    /// An open regular file.
    handle_ref file(std::uint64_t id) const
    {
        handle_ref found = fs.handles.find(id);
        if (found && found->file)
            return found;
        fuse_reply_err(req, EBADF);
        return nullptr;
    }
    /// False, and the error is replied, if nothing may change.
    bool writable() const
    {
        if (fs.is.read_only)
            fuse_reply_err(req, EROFS);
        return !fs.is.read_only;
    }
};

/// The operations on extended attributes: those of the "user." name space, and no others, because
/// the host believes some of them (capabilities, labels).
void add_attribute_operations(fuse_lowlevel_ops &ops);

} // namespace vmmio::fs

#endif
