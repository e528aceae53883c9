// SPDX-License-Identifier: Apache-2.0
#include "reply.h"

#include <cstring>
#include <sys/xattr.h>
#include <vector>

namespace vmmio::fs
{

namespace
{

constexpr std::size_t most = 65536; // XATTR_SIZE_MAX and XATTR_LIST_MAX of Linux

bool is_user(const char *name) { return std::strncmp(name, "user.", 5) == 0; }

// The file, if it can have this attribute; null, and the error is replied.
inode_ref bearer(const request &r, fuse_ino_t ino, const char *name)
{
    inode_ref in = r.inode(ino);
    if (in && !is_user(name)) {
        fuse_reply_err(r.req, EOPNOTSUPP);
        return nullptr;
    }
    return in;
}

void reply_value(fuse_req_t req, const std::vector<char> &value, std::size_t size)
{
    if (size == 0)
        fuse_reply_xattr(req, value.size());
    else if (value.size() > size)
        fuse_reply_err(req, ERANGE);
    else
        fuse_reply_buf(req, value.data(), value.size());
}

void setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, std::size_t size,
              int flags)
{
    request r(req);
    const inode_ref in = bearer(r, ino, name);
    if (in && r.writable())
        fuse_reply_err(req, ::setxattr(in->proc().c_str(), name, value, size, flags) ? errno : 0);
}

void getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, std::size_t size)
{
    request r(req);
    const inode_ref in = bearer(r, ino, name);
    if (!in)
        return;
    std::vector<char> value(most);
    const ssize_t length = ::getxattr(in->proc().c_str(), name, value.data(), value.size());
    if (length < 0) {
        fuse_reply_err(req, errno);
        return;
    }
    value.resize(static_cast<std::size_t>(length));
    reply_value(req, value, size);
}

void listxattr(fuse_req_t req, fuse_ino_t ino, std::size_t size)
{
    request r(req);
    const inode_ref in = r.inode(ino);
    if (!in)
        return;
    std::vector<char> all(most);
    const ssize_t length = ::listxattr(in->proc().c_str(), all.data(), all.size());
    if (length < 0) {
        fuse_reply_err(req, errno);
        return;
    }
    std::vector<char> names;
    const char *end = all.data() + length;
    for (const char *name = all.data(); name < end; name += std::strlen(name) + 1)
        if (is_user(name))
            names.insert(names.end(), name, name + std::strlen(name) + 1);
    reply_value(req, names, size);
}

void removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
    request r(req);
    const inode_ref in = bearer(r, ino, name);
    if (in && r.writable())
        fuse_reply_err(req, ::removexattr(in->proc().c_str(), name) ? errno : 0);
}

} // namespace

void add_attribute_operations(fuse_lowlevel_ops &ops)
{
    ops.setxattr = setxattr;
    ops.getxattr = getxattr;
    ops.listxattr = listxattr;
    ops.removexattr = removexattr;
}

} // namespace vmmio::fs
