// SPDX-License-Identifier: Apache-2.0
#include "dax_window.h"

#include "vmmio/dev/fs.h"

#include <algorithm>
#include <cerrno>
#include <iterator>

namespace vmmio::fs
{

namespace
{

constexpr std::uint8_t region_id = VMMIO_FS_SHM_ID;

} // namespace

dax_window::dax_window(shm_window &region, std::unique_ptr<dax_memory> memory, std::uint64_t length,
                       std::size_t limit)
    : region_(region), memory_(std::move(memory)), length_(length), limit_(limit)
{
}

bool dax_window::holds(const range &where) const
{
    return where.length != 0 && where.length % alignment == 0 && where.offset % alignment == 0 &&
           where.offset <= length_ && where.length <= length_ - where.offset;
}

dax_piece dax_window::piece_of(const table::value_type &entry)
{
    const mapping &m = entry.second;
    return {entry.first, m.length, m.file->fd.get(), m.position, m.file->writable};
}

// The first mapping that ends behind offset.
dax_window::table::const_iterator dax_window::from(std::uint64_t offset) const
{
    auto m = mappings_.upper_bound(offset);
    if (m != mappings_.begin() && std::prev(m)->first + std::prev(m)->second.length > offset)
        --m;
    return m;
}

int dax_window::room_for(const range &where) const
{
    const std::uint64_t end = where.offset + where.length;
    std::size_t count = mappings_.size() + 1;
    for (auto m = from(where.offset); m != mappings_.end() && m->first < end; ++m) {
        const bool before = m->first < where.offset;
        const bool behind = m->first + m->second.length > end;
        if (before && behind)
            count++; // split
        else if (!before && !behind)
            count--; // replaced
    }
    return count <= limit_ ? 0 : ENOSPC;
}

std::shared_ptr<dax_window::open_file> dax_window::share(file_key key, descriptor file,
                                                         bool writable)
{
    std::weak_ptr<open_file> &known = files_[{key, writable}];
    std::shared_ptr<open_file> shared = known.lock();
    if (!shared) {
        shared = std::make_shared<open_file>(open_file{key, std::move(file), writable});
        known = shared;
    }
    return shared;
}

void dax_window::forget_files()
{
    for (auto f = files_.begin(); f != files_.end();)
        f = f->second.expired() ? files_.erase(f) : std::next(f);
}

bool dax_window::show_in_region(const dax_piece &piece)
{
    return region_.map(region_id, piece.offset, memory_->data() + piece.offset, piece.length,
                       piece.writable ? rights::read_write : rights::read, lifetime::until_reset);
}

int dax_window::map(const range &where, file_key key, descriptor file, std::uint64_t position,
                    bool writable)
{
    const mapping fresh{where.length, position, share(key, std::move(file), writable)};
    unmap(where);
    const auto entry = mappings_.emplace(where.offset, fresh).first;
    const dax_piece piece = piece_of(*entry);
    int error = memory_->show(piece);
    if (!error && !show_in_region(piece))
        error = ENXIO; // the platform took the region away
    if (error) {
        memory_->hide(where.offset, where.length);
        mappings_.erase(entry);
        forget_files();
    }
    return error;
}

// Takes the range out of the table.
void dax_window::cut(const range &where)
{
    const std::uint64_t end = where.offset + where.length;
    auto m = from(where.offset);
    while (m != mappings_.end() && m->first < end) {
        const std::uint64_t offset = m->first;
        const mapping old = m->second;
        m = mappings_.erase(m);
        if (offset < where.offset)
            mappings_[offset] = {where.offset - offset, old.position, old.file};
        if (offset + old.length > end)
            mappings_[end] = {offset + old.length - end, old.position + (end - offset), old.file};
    }
}

void dax_window::unmap(const range &where)
{
    const std::uint64_t end = where.offset + where.length;
    for (auto m = from(where.offset); m != mappings_.end() && m->first < end; ++m)
        memory_->write_back(piece_of(*m));
    region_.unmap(region_id, where.offset, where.length);
    memory_->hide(where.offset, where.length);
    cut(where);
    forget_files();
}

void dax_window::unmap_all()
{
    while (!mappings_.empty())
        unmap({mappings_.begin()->first, mappings_.begin()->second.length});
}

int dax_window::write_back(const file_key *file)
{
    int error = 0;
    for (const auto &entry : mappings_) {
        if (file && entry.second.file->key != *file)
            continue;
        const int failed = memory_->write_back(piece_of(entry));
        error = error ? error : failed;
    }
    return error;
}

void dax_window::refresh(const file_key *file)
{
    for (const auto &entry : mappings_)
        if (!file || entry.second.file->key == *file)
            memory_->refresh(piece_of(entry));
}

void dax_window::revoke(const file_key *file)
{
    for (const auto &entry : mappings_)
        if (!file || entry.second.file->key == *file)
            show_in_region(piece_of(entry)); // a new mapping of the same bytes
}

} // namespace vmmio::fs
