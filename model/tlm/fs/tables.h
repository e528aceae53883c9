// SPDX-License-Identifier: Apache-2.0
/// @file tables.h
/// What a driver's numbers stand for: inodes and open files. A number that stands for nothing finds
/// nothing; no number is a pointer.
#ifndef VMMIO_FS_TABLES_H
#define VMMIO_FS_TABLES_H

#include <atomic>
#include <cstdint>
#include <dirent.h>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <sys/stat.h>
#include <utility>

namespace vmmio::fs
{

/// A descriptor that is closed with the object.
class descriptor
{
public:
    explicit descriptor(int fd = -1) : fd_(fd) {}
    descriptor(descriptor &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    descriptor &operator=(descriptor &&other) noexcept
    {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~descriptor();

    int get() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }
    explicit operator bool() const { return fd_ >= 0; }

private:
    int fd_;
};

/// What file it is, whatever its name.
using file_key = std::pair<dev_t, ino_t>;

/// How many descriptors a driver may make the process hold.
class budget
{
public:
    explicit budget(std::uint64_t limit) : limit_(limit) {}
    /// False: the limit is reached. True: give_back once.
    bool take();
    void give_back() { used_--; }

private:
    const std::uint64_t limit_;
    std::atomic<std::uint64_t> used_{0};
};

/// A file that the driver has looked up, as an O_PATH descriptor: neither names nor links are
/// followed again to reach it.
struct inode {
    descriptor path;
    file_key key;
    mode_t type; ///< S_IFMT bits; a file keeps them for its life
    std::uint64_t id;
    std::uint64_t lookups = 0; ///< guarded by the table
    budget &limit;

    inode(descriptor fd, const struct stat &is, std::uint64_t number, budget &from)
        : path(std::move(fd)), key(is.st_dev, is.st_ino), type(is.st_mode & S_IFMT), id(number),
          limit(from)
    {
    }
    ~inode() { limit.give_back(); }
    inode(const inode &) = delete;
    inode &operator=(const inode &) = delete;

    /// The magic link to it, for calls that take a path.
    std::string proc() const { return "/proc/self/fd/" + std::to_string(path.get()); }
    /// A new descriptor. Only for regular files: opening anything else may block, or do things.
    descriptor open(int flags) const;
};

using inode_ref = std::shared_ptr<inode>;

/// The inodes, by number and by file.
class inode_table
{
public:
    inode_table(descriptor root, const struct stat &is, budget &limit);

    inode_ref find(std::uint64_t id) const; ///< null if there is none
    /// Counts one lookup of the file behind an O_PATH descriptor. Null: over budget.
    inode_ref enter(descriptor path, const struct stat &is);
    void forget(std::uint64_t id, std::uint64_t lookups);

private:
    budget &limit_;
    mutable std::mutex mutex_;
    std::map<std::uint64_t, inode_ref> by_id_;
    std::map<file_key, inode_ref> by_file_;
    std::uint64_t next_ = 2; // 1 is the root
};

/// An open file or directory.
struct handle {
    descriptor file;
    int flags = 0; ///< as opened
    DIR *directory = nullptr;
    std::mutex reading; ///< the position in directory
    file_key key;
    budget &limit;

    explicit handle(budget &from) : limit(from) {}
    ~handle();
    handle(const handle &) = delete;
    handle &operator=(const handle &) = delete;
};

using handle_ref = std::shared_ptr<handle>;

class handle_table
{
public:
    handle_ref find(std::uint64_t id) const;
    std::uint64_t add(handle_ref what);
    void remove(std::uint64_t id);

private:
    mutable std::mutex mutex_;
    std::map<std::uint64_t, handle_ref> handles_;
    std::uint64_t next_ = 1;
};

} // namespace vmmio::fs

#endif
