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

/// The parts of a mode that a driver may choose: without ids of its own, files are the process's
/// user's, and must not lend his rights to others.
mode_t mode_of(const passthrough &fs, mode_t mode);

/// Counts a lookup of name in parent. 0, or an errno.
int look_up(passthrough &fs, const inode &parent, const char *name, fuse_entry_param &entry);

void reply_entry(fuse_req_t req, int error, const fuse_entry_param &entry);

/// Gives what was just made in parent its owner and mode, whatever the process's umask is.
int finish_new(const request &r, const inode &parent, std::uint64_t id, mode_t mode);

/// A handle within the budget; null, and the error is replied.
handle_ref new_handle(const request &r);

/// Puts a handle into the table, and its number into info.
void fill_info(const request &r, const handle_ref &what, fuse_file_info *info);

void add_name_operations(fuse_lowlevel_ops &ops);
void add_file_operations(fuse_lowlevel_ops &ops);
void add_directory_operations(fuse_lowlevel_ops &ops);

/// The operations on extended attributes: those of the "user." name space, and no others, because
/// the host believes some of them (capabilities, labels).
void add_attribute_operations(fuse_lowlevel_ops &ops);

} // namespace vmmio::fs

#endif
