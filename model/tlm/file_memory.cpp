// SPDX-License-Identifier: Apache-2.0
#include "vmmio/tlm/file_memory.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vmmio
{

namespace
{

[[noreturn]] void fail(int descriptor, const std::string &path, const std::string &what)
{
    if (descriptor >= 0)
        close(descriptor);
    throw std::runtime_error("cannot use \"" + path + "\" as memory: " + what);
}

} // namespace

file_memory::file_memory(const std::string &path, std::uint64_t length) : length_(length)
{
    if (length == 0)
        fail(-1, path, "length 0 was asked for; give at least one byte");
    descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor_ < 0)
        fail(-1, path,
             std::string(std::strerror(errno)) +
                 "; name a file that can be read and written, in a directory that exists");

    struct stat is;
    if (fstat(descriptor_, &is) != 0)
        fail(descriptor_, path, std::strerror(errno));
    if (!S_ISREG(is.st_mode))
        fail(descriptor_, path, "it is not a regular file; name one");
    const auto size = static_cast<std::uint64_t>(is.st_size);
    if (size > length)
        fail(descriptor_, path,
             "it has " + std::to_string(size) + " bytes and " + std::to_string(length) +
                 " were asked for; give its real size, so that nothing in it is lost");
    const auto too_large = [&] {
        fail(descriptor_, path,
             "the host does not give " + std::to_string(length) + " bytes (" +
                 std::strerror(errno) + "); make it smaller");
    };
    if (size < length && ftruncate(descriptor_, static_cast<off_t>(length)) != 0)
        too_large();
    void *mapped = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_, 0);
    if (mapped == MAP_FAILED)
        too_large();
    data_ = static_cast<unsigned char *>(mapped);
}

file_memory::~file_memory()
{
    munmap(data_, length_);
    close(descriptor_);
}

bool file_memory::flush() const
{
    return msync(data_, length_, MS_SYNC) == 0 && fsync(descriptor_) == 0;
}

} // namespace vmmio
