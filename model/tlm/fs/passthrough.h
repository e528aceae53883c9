// SPDX-License-Identifier: Apache-2.0
/// @file passthrough.h
/// A host directory as the operations of libfuse's low-level API. Nothing that a driver asks for
/// leaves the directory: files are reached by O_PATH descriptors and single names, never by paths.
#ifndef VMMIO_FS_PASSTHROUGH_H
#define VMMIO_FS_PASSTHROUGH_H

#include "tables.h"

#include <cstdint>
#include <string>

struct fuse_lowlevel_ops;

namespace vmmio::fs
{

struct passthrough_options {
    bool read_only;
    bool keep_ids;        ///< files belong to who makes them in the guest; needs root
    double timeout;       ///< seconds that a driver may believe names and attributes
    bool keep_pages;      ///< and the contents of files that it opens again
    std::uint64_t budget; ///< descriptors
};

/// The state of one session. Calls may come from several threads at once.
class passthrough
{
public:
    /// @param root O_PATH descriptor of the directory; not owned.
    passthrough(int root, const passthrough_options &options);

    /// The operations; the session's userdata is the passthrough.
    static const fuse_lowlevel_ops &operations();

    /// Somebody without the right to keep them writes to the file or shortens it: set-user-id goes,
    /// and set-group-id of a program. A process that lacks CAP_FSETID has the host's kernel do it.
    void drop_set_id(std::uint64_t id);

    const passthrough_options is;
    budget descriptors;
    inode_table inodes;
    handle_table handles;
};

} // namespace vmmio::fs

#endif
