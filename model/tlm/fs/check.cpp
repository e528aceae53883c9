// SPDX-License-Identifier: Apache-2.0
#include "check.h"

#include <cerrno>
#include <cstring>
#include <linux/fuse.h>

namespace vmmio::fs
{

namespace
{

struct shape {
    std::uint32_t opcode;
    std::size_t fixed; // bytes behind the header
    unsigned names;    // that follow, each with its end
};

constexpr std::size_t setxattr_bytes = FUSE_COMPAT_SETXATTR_IN_SIZE; // the flags are not negotiated

constexpr shape shapes[] = {
    {FUSE_LOOKUP, 0, 1},
    {FUSE_FORGET, sizeof(fuse_forget_in), 0},
    {FUSE_GETATTR, sizeof(fuse_getattr_in), 0},
    {FUSE_SETATTR, sizeof(fuse_setattr_in), 0},
    {FUSE_READLINK, 0, 0},
    {FUSE_SYMLINK, 0, 2},
    {FUSE_MKNOD, sizeof(fuse_mknod_in), 1},
    {FUSE_MKDIR, sizeof(fuse_mkdir_in), 1},
    {FUSE_UNLINK, 0, 1},
    {FUSE_RMDIR, 0, 1},
    {FUSE_RENAME, sizeof(fuse_rename_in), 2},
    {FUSE_LINK, sizeof(fuse_link_in), 1},
    {FUSE_OPEN, sizeof(fuse_open_in), 0},
    {FUSE_READ, sizeof(fuse_read_in), 0},
    {FUSE_WRITE, sizeof(fuse_write_in), 0},
    {FUSE_STATFS, 0, 0},
    {FUSE_RELEASE, sizeof(fuse_release_in), 0},
    {FUSE_FSYNC, sizeof(fuse_fsync_in), 0},
    {FUSE_SETXATTR, setxattr_bytes, 1},
    {FUSE_GETXATTR, sizeof(fuse_getxattr_in), 1},
    {FUSE_LISTXATTR, sizeof(fuse_getxattr_in), 0},
    {FUSE_REMOVEXATTR, 0, 1},
    {FUSE_FLUSH, sizeof(fuse_flush_in), 0},
    {FUSE_INIT, 16, 0}, // more of it from 7.36 on
    {FUSE_OPENDIR, sizeof(fuse_open_in), 0},
    {FUSE_READDIR, sizeof(fuse_read_in), 0},
    {FUSE_RELEASEDIR, sizeof(fuse_release_in), 0},
    {FUSE_FSYNCDIR, sizeof(fuse_fsync_in), 0},
    {FUSE_CREATE, sizeof(fuse_create_in), 1},
    {FUSE_INTERRUPT, sizeof(fuse_interrupt_in), 0},
    {FUSE_DESTROY, 0, 0},
    {FUSE_BATCH_FORGET, sizeof(fuse_batch_forget_in), 0},
    {FUSE_FALLOCATE, sizeof(fuse_fallocate_in), 0},
    {FUSE_READDIRPLUS, sizeof(fuse_read_in), 0},
    {FUSE_RENAME2, sizeof(fuse_rename2_in), 2},
    {FUSE_LSEEK, sizeof(fuse_lseek_in), 0},
    {FUSE_COPY_FILE_RANGE, sizeof(fuse_copy_file_range_in), 0},
    {FUSE_SETUPMAPPING, sizeof(fuse_setupmapping_in), 0},
    {FUSE_REMOVEMAPPING, sizeof(fuse_removemapping_in), 0},
    {FUSE_SYNCFS, sizeof(fuse_syncfs_in), 0},
};

template <typename Struct>
Struct at(const unsigned char *body)
{
    Struct value;
    std::memcpy(&value, body, sizeof(value));
    return value;
}

// INIT names the version that decides how long everything else is: an old one would be read
// otherwise than it was checked.
int check_init(const unsigned char *body)
{
    const auto minor = at<std::uint32_t>(body + 4);
    return at<std::uint32_t>(body) == FUSE_KERNEL_VERSION && minor < 31 ? EPROTO : 0;
}

// The part behind the fixed one: rest bytes behind the names.
int check_rest(std::uint32_t opcode, const unsigned char *body, std::size_t rest,
               std::uint32_t room)
{
    const std::uint32_t space = room < sizeof(fuse_out_header) ? 0 : room - sizeof(fuse_out_header);

    switch (opcode) {
    case FUSE_INIT:
        return check_init(body);
    case FUSE_WRITE:
        return at<fuse_write_in>(body).size <= rest ? 0 : EINVAL;
    case FUSE_SETXATTR:
        return at<std::uint32_t>(body) <= rest ? 0 : EINVAL;
    case FUSE_READ:
    case FUSE_READDIR:
    case FUSE_READDIRPLUS:
        return at<fuse_read_in>(body).size <= space ? 0 : EINVAL;
    case FUSE_GETXATTR:
    case FUSE_LISTXATTR:
        return at<fuse_getxattr_in>(body).size <= space ? 0 : EINVAL;
    case FUSE_BATCH_FORGET:
        return at<fuse_batch_forget_in>(body).count <= rest / sizeof(fuse_forget_one) ? 0 : EINVAL;
    case FUSE_REMOVEMAPPING:
        return at<fuse_removemapping_in>(body).count <= rest / sizeof(fuse_removemapping_one)
                   ? 0
                   : EINVAL;
    default:
        return 0;
    }
}

} // namespace

int check_request(const void *request, std::size_t length, std::uint32_t room)
{
    const auto *header = static_cast<const unsigned char *>(request);
    if (length < sizeof(fuse_in_header))
        return EINVAL;
    const std::uint32_t opcode = at<fuse_in_header>(header).opcode;
    for (const shape &s : shapes) {
        if (s.opcode != opcode)
            continue;
        const unsigned char *body = header + sizeof(fuse_in_header);
        std::size_t rest = length - sizeof(fuse_in_header);
        if (rest < s.fixed)
            return EINVAL;
        rest -= s.fixed;
        const unsigned char *name = body + s.fixed;
        for (unsigned i = 0; i < s.names; i++) {
            const std::size_t bytes = ::strnlen(reinterpret_cast<const char *>(name), rest);
            if (bytes == rest)
                return EINVAL; // it does not end
            name += bytes + 1;
            rest -= bytes + 1;
        }
        return check_rest(opcode, body, rest, room);
    }
    return ENOSYS;
}

} // namespace vmmio::fs
