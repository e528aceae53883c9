// SPDX-License-Identifier: Apache-2.0
/// @file fs_client.h
/// A driver of a file system device that speaks FUSE as linux/fuse.h has it, and a host directory.
#ifndef VMMIO_TB_FS_CLIENT_H
#define VMMIO_TB_FS_CLIENT_H

#include "platform.h"
#include "vmmio/tlm/fs_device.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <linux/fuse.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace vmmio::tb
{

using bytes = std::vector<std::uint8_t>;

/// An empty directory `shared` beside a file `secret`, gone with the object.
class host_directory
{
public:
    host_directory()
    {
        char name[] = "/tmp/vmmio-fs-XXXXXX";
        EXPECT_NE(::mkdtemp(name), nullptr);
        outer = name;
        std::filesystem::create_directory(outer / "shared");
        std::ofstream(outer / "secret") << "secret";
    }
    ~host_directory() { std::filesystem::remove_all(outer); }
    host_directory(const host_directory &) = delete;
    host_directory &operator=(const host_directory &) = delete;

    std::filesystem::path path(const std::string &name) const { return outer / "shared" / name; }
    void write(const std::string &name, const bytes &data) const
    {
        std::ofstream out(path(name), std::ios::binary);
        out.write(reinterpret_cast<const char *>(data.data()), std::streamsize(data.size()));
    }
    bytes read(const std::string &name) const
    {
        std::ifstream in(path(name), std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    std::filesystem::path outer;
};

template <typename Struct>
bytes raw(const Struct &value)
{
    const auto *first = reinterpret_cast<const std::uint8_t *>(&value);
    return {first, first + sizeof(value)};
}

/// With the end of a name.
inline bytes name(const std::string &text)
{
    bytes out(text.begin(), text.end());
    out.push_back(0);
    return out;
}

inline bytes operator+(bytes a, const bytes &b)
{
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

/// What came back.
struct answer {
    int error = -1; ///< errno, above 0; -1: nothing came
    bytes body;

    template <typename Struct>
    Struct as(std::size_t offset = 0) const
    {
        Struct value{};
        EXPECT_GE(body.size(), offset + sizeof(value));
        if (body.size() >= offset + sizeof(value))
            std::memcpy(&value, body.data() + offset, sizeof(value));
        return value;
    }
};

constexpr std::uint64_t dax_page = 4096, dax_length = 64 * dax_page;
constexpr std::uint64_t no_handle = ~std::uint64_t{0};

/// A platform with a file system device on a new directory.
class fs_client
{
public:
    static fs_options shared(const host_directory &host, std::uint64_t window,
                             unsigned char *memory = nullptr)
    {
        fs_options chosen;
        chosen.directory = (host.outer / "shared").string();
        chosen.dax.base = at::shm;
        chosen.dax.length = window;
        chosen.dax.memory = memory;
        return chosen;
    }

    host_directory host;
    platform<fs_device> p;

    explicit fs_client(std::uint64_t window = dax_length, unsigned char *memory = nullptr,
                       const std::function<void(fs_options &)> &change = {})
        : p(options(window, memory, change))
    {
    }

    void go_live(unsigned request_queues = 1)
    {
        p.go_live(feature_set({VMMIO_F_VERSION_1}), 1 + request_queues);
    }
    /// A live device with a session.
    void start()
    {
        go_live();
        const answer init = ask(FUSE_INIT, 0, init_body());
        ASSERT_EQ(init.error, 0);
        negotiated = init.as<fuse_init_out>();
    }
    static bytes init_body(std::uint32_t more_flags = 0)
    {
        fuse_init_in in{};
        in.major = FUSE_KERNEL_VERSION;
        in.minor = FUSE_KERNEL_MINOR_VERSION;
        in.max_readahead = 1 << 17;
        in.flags = FUSE_MAP_ALIGNMENT | FUSE_BIG_WRITES | FUSE_MAX_PAGES | FUSE_DO_READDIRPLUS |
                   FUSE_ATOMIC_O_TRUNC | more_flags;
        return raw(in);
    }

    struct sent {
        std::uint64_t unique;
        unsigned queue;
        piece out;
    };
    sent offer(std::uint32_t opcode, std::uint64_t nodeid, const bytes &body,
               std::uint32_t room = 8192, unsigned queue = 1, std::uint64_t unique = 0)
    {
        fuse_in_header header{};
        header.len = static_cast<std::uint32_t>(sizeof(header) + body.size());
        header.opcode = opcode;
        header.unique = unique ? unique : ++unique_;
        header.nodeid = nodeid;
        header.uid = ::geteuid();
        header.gid = ::getegid();
        const bytes all = raw(header) + body;
        const piece in = p.readable(static_cast<std::uint32_t>(all.size()));
        p.memory.set_bytes(in.address, all);
        std::vector<piece> pieces{in};
        sent what{header.unique, queue, {}};
        if (room) {
            what.out = p.writable(room);
            p.memory.fill(what.out.address, room, 0xee);
            pieces.push_back(what.out);
        }
        p.offer(pieces, queue);
        return what;
    }
    /// The host has 20 s to answer the next request of this queue.
    std::optional<used_entry> await(unsigned queue = 1)
    {
        std::optional<used_entry> used;
        for (unsigned i = 0; i < 20000 && !(used = p.queues[queue]->reap()); i++) {
            p.cpu.sync(ns(1000));
            ::usleep(i < 10 ? 50 : 1000);
        }
        return used;
    }
    answer result(const sent &what)
    {
        answer got;
        const auto used = await(what.queue);
        EXPECT_TRUE(used.has_value()) << "no answer";
        if (!used || used->length < sizeof(fuse_out_header))
            return got;
        const bytes all = p.memory.bytes(what.out.address, used->length);
        fuse_out_header header;
        std::memcpy(&header, all.data(), sizeof(header));
        EXPECT_EQ(header.len, used->length);
        EXPECT_EQ(header.unique, what.unique);
        got.error = -header.error;
        got.body.assign(all.begin() + sizeof(header), all.end());
        return got;
    }
    /// The same request again and again, in the same memory. Only for what is answered without a
    /// body.
    class again
    {
    public:
        again(fs_client &owner, std::uint32_t opcode, std::uint64_t nodeid)
            : c_(owner), in_(owner.p.readable(256)), out_(owner.p.writable(sizeof(fuse_out_header)))
        {
            header_.opcode = opcode;
            header_.nodeid = nodeid;
        }
        /// The errno, or -1 if there was no answer.
        int ask(const bytes &body)
        {
            header_.len = static_cast<std::uint32_t>(sizeof(header_) + body.size());
            header_.unique = ++c_.unique_;
            c_.p.memory.set_bytes(in_.address, raw(header_) + body);
            c_.p.offer({{in_.address, header_.len, false}, out_}, 1);
            const auto used = c_.await();
            if (!used || used->length != sizeof(fuse_out_header))
                return -1;
            fuse_out_header got;
            const bytes all = c_.p.memory.bytes(out_.address, sizeof(got));
            std::memcpy(&got, all.data(), sizeof(got));
            return got.unique == header_.unique ? -got.error : -1;
        }

    private:
        fs_client &c_;
        piece in_, out_;
        fuse_in_header header_{};
    };

    answer ask(std::uint32_t opcode, std::uint64_t nodeid, const bytes &body = {},
               std::uint32_t room = 8192)
    {
        return result(offer(opcode, nodeid, body, room));
    }

    /// The usual requests.
    answer lookup(const std::string &what, std::uint64_t in = FUSE_ROOT_ID)
    {
        return ask(FUSE_LOOKUP, in, name(what));
    }
    std::uint64_t node(const std::string &what, std::uint64_t in = FUSE_ROOT_ID)
    {
        const answer got = lookup(what, in);
        EXPECT_EQ(got.error, 0) << what;
        return got.error ? 0 : got.as<fuse_entry_out>().nodeid;
    }
    answer open(std::uint64_t id, std::uint32_t flags, std::uint32_t opcode = FUSE_OPEN,
                std::uint32_t open_flags = 0)
    {
        fuse_open_in in{};
        in.flags = flags;
        in.open_flags = open_flags;
        return ask(opcode, id, raw(in));
    }
    std::uint64_t handle(std::uint64_t id, std::uint32_t flags)
    {
        const answer got = open(id, flags);
        EXPECT_EQ(got.error, 0);
        return got.error ? 0 : got.as<fuse_open_out>().fh;
    }
    answer create(const std::string &what, std::uint32_t flags = O_RDWR, std::uint32_t mode = 0644)
    {
        fuse_create_in in{};
        in.flags = flags;
        in.mode = S_IFREG | mode;
        return ask(FUSE_CREATE, FUSE_ROOT_ID, raw(in) + name(what));
    }
    answer read(std::uint64_t id, std::uint64_t fh, std::uint64_t offset, std::uint32_t size)
    {
        fuse_read_in in{};
        in.fh = fh;
        in.offset = offset;
        in.size = size;
        return ask(FUSE_READ, id, raw(in), size + 16);
    }
    answer write(std::uint64_t id, std::uint64_t fh, std::uint64_t offset, const bytes &data,
                 std::uint32_t write_flags = 0)
    {
        fuse_write_in in{};
        in.fh = fh;
        in.write_flags = write_flags;
        in.offset = offset;
        in.size = static_cast<std::uint32_t>(data.size());
        return ask(FUSE_WRITE, id, raw(in) + data);
    }
    answer truncate(std::uint64_t id, std::uint64_t size, std::uint32_t more_valid = 0)
    {
        fuse_setattr_in in{};
        in.valid = FATTR_SIZE | more_valid;
        in.size = size;
        return ask(FUSE_SETATTR, id, raw(in));
    }
    static bytes mapping(std::uint64_t moffset, std::uint64_t length, std::uint64_t foffset,
                         bool writable, std::uint64_t fh = no_handle)
    {
        fuse_setupmapping_in in{};
        in.fh = fh;
        in.foffset = foffset;
        in.len = length;
        in.flags = FUSE_SETUPMAPPING_FLAG_READ | (writable ? FUSE_SETUPMAPPING_FLAG_WRITE : 0);
        in.moffset = moffset;
        return raw(in);
    }
    int map(std::uint64_t id, std::uint64_t moffset, std::uint64_t length, std::uint64_t foffset,
            bool writable, std::uint64_t fh = no_handle)
    {
        return ask(FUSE_SETUPMAPPING, id, mapping(moffset, length, foffset, writable, fh)).error;
    }
    int unmap(std::uint64_t moffset, std::uint64_t length)
    {
        return ask(FUSE_REMOVEMAPPING, FUSE_ROOT_ID,
                   raw(fuse_removemapping_in{1}) + raw(fuse_removemapping_one{moffset, length}))
            .error;
    }
    /// One byte of the window; -1: an error response.
    int load(std::uint64_t offset)
    {
        std::uint8_t byte = 0;
        return p.cpu.load(at::shm + offset, &byte, 1) == tlm::TLM_OK_RESPONSE ? byte : -1;
    }
    bool store(std::uint64_t offset, std::uint8_t byte)
    {
        return p.cpu.store(at::shm + offset, &byte, 1) == tlm::TLM_OK_RESPONSE;
    }

    fuse_init_out negotiated{};

private:
    fs_options options(std::uint64_t window, unsigned char *memory,
                       const std::function<void(fs_options &)> &change) const
    {
        fs_options chosen = shared(host, window, memory);
        if (change)
            change(chosen);
        return chosen;
    }

    std::uint64_t unique_ = 0;
};

/// Pages that tell which they are.
inline bytes pages(unsigned count, std::uint8_t first)
{
    bytes data;
    for (unsigned i = 0; i < count; i++)
        data.insert(data.end(), dax_page, static_cast<std::uint8_t>(first + i));
    return data;
}

} // namespace vmmio::tb
#endif
