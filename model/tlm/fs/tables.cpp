// SPDX-License-Identifier: Apache-2.0
#include "tables.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace vmmio::fs
{

descriptor::~descriptor()
{
    if (fd_ >= 0)
        ::close(fd_);
}

bool budget::take()
{
    if (used_++ < limit_)
        return true;
    used_--;
    return false;
}

descriptor inode::open(int flags) const
{
    if (type != S_IFREG) {
        errno = type == S_IFDIR ? EISDIR : EACCES;
        return descriptor();
    }
    return descriptor(::open(proc().c_str(), flags | O_CLOEXEC | O_NOCTTY));
}

inode_table::inode_table(descriptor root, const struct stat &is, budget &limit) : limit_(limit)
{
    limit.take();
    const auto first = std::make_shared<inode>(std::move(root), is, 1, limit);
    by_id_[first->id] = first;
    by_file_[first->key] = first;
}

inode_ref inode_table::find(std::uint64_t id) const
{
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : found->second;
}

inode_ref inode_table::enter(descriptor path, const struct stat &is)
{
    const std::lock_guard<std::mutex> lock(mutex_);
    inode_ref &entry = by_file_[{is.st_dev, is.st_ino}];
    if (!entry) {
        if (!limit_.take()) {
            by_file_.erase({is.st_dev, is.st_ino});
            return nullptr;
        }
        entry = std::make_shared<inode>(std::move(path), is, next_++, limit_);
        by_id_[entry->id] = entry;
    }
    entry->lookups++;
    return entry;
}

void inode_table::forget(std::uint64_t id, std::uint64_t lookups)
{
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = by_id_.find(id);
    if (found == by_id_.end() || id == 1)
        return;
    const inode_ref entry = found->second;
    entry->lookups -= std::min(lookups, entry->lookups);
    if (entry->lookups == 0) {
        by_file_.erase(entry->key);
        by_id_.erase(found);
    }
}

handle::~handle()
{
    if (directory)
        ::closedir(directory);
    limit.give_back();
}

handle_ref handle_table::find(std::uint64_t id) const
{
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = handles_.find(id);
    return found == handles_.end() ? nullptr : found->second;
}

std::uint64_t handle_table::add(handle_ref what)
{
    const std::lock_guard<std::mutex> lock(mutex_);
    handles_[next_] = std::move(what);
    return next_++;
}

void handle_table::remove(std::uint64_t id)
{
    const std::lock_guard<std::mutex> lock(mutex_);
    handles_.erase(id);
}

} // namespace vmmio::fs
