// SPDX-License-Identifier: Apache-2.0
#include "dax_memory.h"

#include "guard.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vmmio::fs
{

namespace
{

unsigned char *anonymous(void *where, std::uint64_t length)
{
    const int fixed = where ? MAP_FIXED : 0;
    void *memory = ::mmap(where, length, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | fixed, -1, 0);
    if (memory == MAP_FAILED)
        throw std::runtime_error("the host gives no address space of " + std::to_string(length) +
                                 " bytes for a DAX window: make it smaller");
    return static_cast<unsigned char *>(memory);
}

class mapped_memory : public dax_memory
{
public:
    explicit mapped_memory(std::uint64_t length)
        : data_(anonymous(nullptr, length)), length_(length), guard_(data_, length)
    {
    }
    ~mapped_memory() override { ::munmap(data_, length_); }
    mapped_memory(const mapped_memory &) = delete;
    mapped_memory &operator=(const mapped_memory &) = delete;

    unsigned char *data() override { return data_; }

    int show(const dax_piece &piece) override
    {
        const int rights = PROT_READ | (piece.writable ? PROT_WRITE : 0);
        if (::mmap(data_ + piece.offset, piece.length, rights, MAP_SHARED | MAP_FIXED, piece.file,
                   static_cast<off_t>(piece.position)) != MAP_FAILED)
            return 0;
        const int error = errno;
        hide(piece.offset, piece.length);
        return error;
    }
    void hide(std::uint64_t offset, std::uint64_t length) override
    {
        anonymous(data_ + offset, length);
    }
    int write_back(const dax_piece &) override { return 0; }
    // A page that was behind the file's end when it was touched is not the file's; the file may
    // have grown since.
    void refresh(const dax_piece &piece) override
    {
        if (guard_.replaced() != 0)
            show(piece);
    }

private:
    unsigned char *data_;
    std::uint64_t length_;
    guard guard_;
};

class copied_memory : public dax_memory
{
public:
    copied_memory(unsigned char *memory, std::uint64_t length)
        : data_(memory), known_(anonymous(nullptr, length)), length_(length)
    {
    }
    ~copied_memory() override { ::munmap(known_, length_); }
    copied_memory(const copied_memory &) = delete;
    copied_memory &operator=(const copied_memory &) = delete;

    unsigned char *data() override { return data_; }

    int show(const dax_piece &piece) override
    {
        const int error = load(piece);
        if (error)
            hide(piece.offset, piece.length);
        else
            std::memcpy(data_ + piece.offset, known_ + piece.offset, piece.length);
        return error;
    }

    void hide(std::uint64_t offset, std::uint64_t length) override
    {
        std::memset(data_ + offset, 0, length);
        anonymous(known_ + offset, length);
    }

    int write_back(const dax_piece &piece) override
    {
        struct stat is;
        if (!piece.writable)
            return 0;
        if (::fstat(piece.file, &is) != 0)
            return errno;
        const auto size = static_cast<std::uint64_t>(is.st_size);
        const std::uint64_t inside =
            size > piece.position ? std::min(size - piece.position, piece.length) : 0;
        int error = 0;
        for (std::uint64_t done = 0; done < inside; done += page) {
            const int failed = save_page(piece, done, std::min(page, inside - done));
            error = error ? error : failed;
        }
        // As with a mapped file: what is stored behind its end is lost, and not there when it
        // grows.
        for (std::uint64_t done = inside; done < piece.length;) {
            const std::uint64_t length = std::min(page - done % page, piece.length - done);
            clear(piece.offset + done, length);
            done += length;
        }
        return error;
    }

    void refresh(const dax_piece &piece) override
    {
        if (load(piece))
            return;
        for (std::uint64_t done = 0; done < piece.length; done += page)
            if (std::memcmp(data_ + piece.offset + done, known_ + piece.offset + done, page) != 0)
                std::memcpy(data_ + piece.offset + done, known_ + piece.offset + done, page);
    }

private:
    static constexpr std::uint64_t page = 4096;

    // The file's bytes into known_.
    int load(const dax_piece &piece)
    {
        std::uint64_t done = 0;
        while (done < piece.length) {
            const ssize_t got =
                ::pread(piece.file, known_ + piece.offset + done, piece.length - done,
                        static_cast<off_t>(piece.position + done));
            if (got < 0 && errno == EINTR)
                continue;
            if (got < 0)
                return errno;
            if (got == 0)
                break;
            done += static_cast<std::uint64_t>(got);
        }
        std::memset(known_ + piece.offset + done, 0, piece.length - done);
        return 0;
    }

    void clear(std::uint64_t offset, std::uint64_t length)
    {
        static const unsigned char zeroes[page] = {};
        for (unsigned char *memory : {data_ + offset, known_ + offset})
            if (std::memcmp(memory, zeroes, length) != 0)
                std::memset(memory, 0, length);
    }

    // Only what differs, so that other bytes of the page stay as others have written them.
    int save_page(const dax_piece &piece, std::uint64_t done, std::uint64_t length)
    {
        unsigned char now[page];
        unsigned char *before = known_ + piece.offset + done;
        std::memcpy(now, data_ + piece.offset + done, length); // once: the driver goes on writing
        std::uint64_t first = 0;
        std::uint64_t end = length;
        if (std::memcmp(now, before, length) == 0)
            return 0;
        while (now[first] == before[first])
            first++;
        while (now[end - 1] == before[end - 1])
            end--;
        while (first < end) {
            const ssize_t put = ::pwrite(piece.file, now + first, end - first,
                                         static_cast<off_t>(piece.position + done + first));
            if (put < 0 && errno == EINTR)
                continue;
            if (put <= 0)
                return put < 0 ? errno : EIO;
            std::memcpy(before + first, now + first, static_cast<std::size_t>(put));
            first += static_cast<std::uint64_t>(put);
        }
        return 0;
    }

    unsigned char *data_;
    unsigned char *known_; // what the file and the window had in common last
    std::uint64_t length_;
};

} // namespace

std::unique_ptr<dax_memory> map_files(std::uint64_t length)
{
    return std::make_unique<mapped_memory>(length);
}

std::unique_ptr<dax_memory> copy_files(unsigned char *memory, std::uint64_t length)
{
    return std::make_unique<copied_memory>(memory, length);
}

} // namespace vmmio::fs
