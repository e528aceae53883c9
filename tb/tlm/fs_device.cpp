// SPDX-License-Identifier: Apache-2.0
// The file system device on a host directory: what it serves, and what a hostile driver gets.
#include "fs_client.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <thread>

namespace vmmio::tb
{

namespace
{

/// The tests ask for refusals on purpose.
void expect_refusals() { reports::get().expect("/vmmio/request"); }

} // namespace

SC_TEST(FsDevice, ReadsWritesCreatesAndRenames)
{
    ROWS("FS-01", "FS-06");
    fs_client c;
    c.host.write("there", {'h', 'o', 's', 't'});
    c.p.run([&] {
        EXPECT_EQ(c.p.cpu.read(VMMIO_REG_DEVICE_ID), 26u);
        c.start();
        const std::uint64_t there = c.node("there");
        const std::uint64_t fh = c.handle(there, O_RDONLY);
        EXPECT_EQ(c.read(there, fh, 1, 100).body, (bytes{'o', 's', 't'}));
        EXPECT_EQ(c.write(there, fh, 0, {'x'}).error, EBADF) << "it is open for reading";

        const answer made = c.create("new", O_RDWR, 0640);
        ASSERT_EQ(made.error, 0);
        const auto entry = made.as<fuse_entry_out>();
        const auto open = made.as<fuse_open_out>(sizeof(fuse_entry_out));
        EXPECT_EQ(entry.attr.mode, S_IFREG | 0640u);
        EXPECT_EQ(c.write(entry.nodeid, open.fh, 2, {'a', 'b'}).error, 0);
        EXPECT_EQ(c.host.read("new"), (bytes{0, 0, 'a', 'b'}));
        EXPECT_EQ(c.read(entry.nodeid, open.fh, 0, 16).body, (bytes{0, 0, 'a', 'b'}));
        fuse_fsync_in sync{};
        sync.fh = open.fh;
        EXPECT_EQ(c.ask(FUSE_FSYNC, entry.nodeid, raw(sync)).error, 0);

        fuse_rename_in rename{};
        rename.newdir = FUSE_ROOT_ID;
        EXPECT_EQ(c.ask(FUSE_RENAME, FUSE_ROOT_ID, raw(rename) + name("new") + name("moved")).error,
                  0);
        EXPECT_EQ(c.host.read("moved").size(), 4u);
        EXPECT_EQ(c.lookup("new").error, ENOENT);
        EXPECT_EQ(c.node("moved"), entry.nodeid) << "the same file";
        EXPECT_EQ(c.ask(FUSE_UNLINK, FUSE_ROOT_ID, name("moved")).error, 0);
        EXPECT_FALSE(std::filesystem::exists(c.host.path("moved")));
        EXPECT_EQ(c.read(entry.nodeid, open.fh, 2, 16).body, (bytes{'a', 'b'})) << "still open";
    });
}

SC_TEST(FsDevice, MakesDirectoriesAndLinks)
{
    fs_client c;
    c.p.run([&] {
        c.start();
        fuse_mkdir_in mkdir{};
        mkdir.mode = 0750;
        const answer made = c.ask(FUSE_MKDIR, FUSE_ROOT_ID, raw(mkdir) + name("sub"));
        ASSERT_EQ(made.error, 0);
        EXPECT_EQ(made.as<fuse_entry_out>().attr.mode, S_IFDIR | 0750u);
        const std::uint64_t file = c.create("file").as<fuse_entry_out>().nodeid;
        const std::uint64_t sub = c.node("sub");
        EXPECT_EQ(c.ask(FUSE_LINK, sub, raw(fuse_link_in{file}) + name("second"))
                      .as<fuse_entry_out>()
                      .nodeid,
                  file);
        EXPECT_EQ(std::filesystem::hard_link_count(c.host.path("file")), 2u);
        const std::string target = "../../secret";
        const answer link = c.ask(FUSE_SYMLINK, sub, name("away") + name(target));
        ASSERT_EQ(link.error, 0);
        const bytes back = c.ask(FUSE_READLINK, link.as<fuse_entry_out>().nodeid).body;
        EXPECT_EQ(std::string(back.begin(), back.end()), target) << "the guest's to resolve";
        EXPECT_EQ(c.ask(FUSE_RMDIR, FUSE_ROOT_ID, name("sub")).error, ENOTEMPTY);
        EXPECT_EQ(c.ask(FUSE_STATFS, FUSE_ROOT_ID).error, 0);
    });
}

SC_TEST(FsDevice, ListsADirectoryWithItsInodes)
{
    fs_client c;
    for (unsigned i = 0; i < 40; i++)
        c.host.write("f" + std::to_string(i), bytes(i, 1));
    c.p.run([&] {
        c.start();
        const answer opened = c.open(FUSE_ROOT_ID, O_RDONLY, FUSE_OPENDIR);
        ASSERT_EQ(opened.error, 0);
        fuse_read_in in{};
        in.fh = opened.as<fuse_open_out>().fh;
        in.size = 2048;
        std::vector<std::string> names;
        for (;;) {
            const answer got = c.ask(FUSE_READDIRPLUS, FUSE_ROOT_ID, raw(in), in.size + 16);
            ASSERT_EQ(got.error, 0);
            if (got.body.empty())
                break;
            for (std::size_t at = 0; at < got.body.size();) {
                const auto entry = got.as<fuse_direntplus>(at);
                const char *text = reinterpret_cast<const char *>(got.body.data()) + at +
                                   offsetof(fuse_direntplus, dirent.name);
                names.emplace_back(text, entry.dirent.namelen);
                if (names.back()[0] != '.') {
                    EXPECT_EQ(entry.entry_out.attr.size, std::stoul(names.back().substr(1)));
                    EXPECT_NE(entry.entry_out.nodeid, 0u);
                }
                in.offset = entry.dirent.off;
                at += FUSE_DIRENTPLUS_SIZE(&entry);
            }
        }
        std::sort(names.begin(), names.end());
        EXPECT_EQ(names.size(), 42u);
        EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
        // No other number leads to a directory that is open.
        in.fh += 1;
        EXPECT_EQ(c.ask(FUSE_READDIRPLUS, FUSE_ROOT_ID, raw(in), in.size + 16).error, EBADF);
    });
}

SC_TEST(FsDevice, ChangesAttributes)
{
    fs_client c;
    c.host.write("f", bytes(100, 7));
    c.p.run([&] {
        c.start();
        const std::uint64_t f = c.node("f");
        EXPECT_EQ(c.truncate(f, 10).as<fuse_attr_out>().attr.size, 10u);
        EXPECT_EQ(c.host.read("f"), bytes(10, 7));
        fuse_setattr_in in{};
        in.valid = FATTR_MODE | FATTR_MTIME;
        in.mode = S_IFREG | 0600;
        in.mtime = 12345;
        const auto attr = c.ask(FUSE_SETATTR, f, raw(in)).as<fuse_attr_out>().attr;
        EXPECT_EQ(attr.mode, S_IFREG | 0600u);
        EXPECT_EQ(attr.mtime, 12345u);
        EXPECT_EQ(c.ask(FUSE_GETATTR, f, raw(fuse_getattr_in{})).as<fuse_attr_out>().attr.mtime,
                  12345u);
        fuse_fallocate_in allocate{};
        allocate.fh = c.handle(f, O_RDWR);
        allocate.length = 8192;
        EXPECT_EQ(c.ask(FUSE_FALLOCATE, f, raw(allocate)).error, 0);
        EXPECT_EQ(c.host.read("f").size(), 8192u);
        fuse_lseek_in seek{};
        seek.fh = allocate.fh;
        seek.whence = SEEK_HOLE;
        EXPECT_EQ(c.ask(FUSE_LSEEK, f, raw(seek)).error, 0);
    });
}

namespace
{

void keeps_user_attributes_only()
{
    expect_refusals();
    fs_client c;
    c.host.write("f", {});
    c.p.run([&] {
        c.start();
        const std::uint64_t f = c.node("f");
        const auto set = [&](const std::string &which) {
            const std::uint32_t fixed[2] = {2, 0}; // size, flags
            return c.ask(FUSE_SETXATTR, f, raw(fixed) + name(which) + bytes{'o', 'k'}).error;
        };
        const int plain = set("user.note");
        EXPECT_EQ(set("security.capability"), EOPNOTSUPP);
        EXPECT_EQ(set("trusted.overlay"), EOPNOTSUPP);
        ASSERT_EQ(plain, 0);
        fuse_getxattr_in get{};
        get.size = 100;
        EXPECT_EQ(c.ask(FUSE_GETXATTR, f, raw(get) + name("user.note")).body, (bytes{'o', 'k'}));
        EXPECT_EQ(c.ask(FUSE_LISTXATTR, f, raw(get)).body, name("user.note"));
        get.size = 1;
        EXPECT_EQ(c.ask(FUSE_GETXATTR, f, raw(get) + name("user.note")).error, ERANGE);
        EXPECT_EQ(c.ask(FUSE_REMOVEXATTR, f, name("user.note")).error, 0);
    });
}

} // namespace

TEST(FsDevice, KeepsUserAttributesOnly)
{
    const host_directory probe;
    if (::setxattr(probe.outer.c_str(), "user.probe", "x", 1, 0) != 0)
        GTEST_SKIP() << "the host's /tmp keeps no user attributes";
    vmmio_test::run_in_child(keeps_user_attributes_only);
}

SC_TEST(FsDevice, NoNameLeadsOutOfTheDirectory)
{
    ROWS("H-56");
    fs_client c;
    c.host.write("inside", {1});
    std::filesystem::create_symlink("../secret", c.host.path("link"));
    c.p.run([&] {
        c.start();
        for (const char *bad : {"..", ".", "../secret", "/etc/passwd", "inside/", "a/b", ""}) {
            EXPECT_EQ(c.lookup(bad).error, EINVAL) << bad;
            EXPECT_EQ(c.create(bad).error, EINVAL) << bad;
            EXPECT_EQ(c.ask(FUSE_UNLINK, FUSE_ROOT_ID, name(bad)).error, EINVAL) << bad;
            EXPECT_EQ(c.ask(FUSE_MKDIR, FUSE_ROOT_ID, raw(fuse_mkdir_in{}) + name(bad)).error,
                      EINVAL);
            EXPECT_EQ(c.ask(FUSE_SYMLINK, FUSE_ROOT_ID, name(bad) + name("x")).error, EINVAL);
            const fuse_rename_in rename{FUSE_ROOT_ID};
            EXPECT_EQ(
                c.ask(FUSE_RENAME, FUSE_ROOT_ID, raw(rename) + name("inside") + name(bad)).error,
                EINVAL);
        }
        // A link is shown, and never followed.
        const answer link = c.lookup("link");
        ASSERT_EQ(link.error, 0);
        const std::uint64_t id = link.as<fuse_entry_out>().nodeid;
        EXPECT_EQ(link.as<fuse_entry_out>().attr.mode & S_IFMT, unsigned(S_IFLNK));
        EXPECT_EQ(c.open(id, O_RDONLY).error, EACCES);
        EXPECT_EQ(c.truncate(id, 0).error, EACCES);
        EXPECT_EQ(c.create("link").error, EACCES) << "the name is taken by a link";
        EXPECT_EQ(c.lookup("secret", id).error, ENOTDIR);
        EXPECT_EQ(c.map(id, 0, dax_page, 0, false), EACCES);
        std::ifstream secret(c.host.outer / "secret");
        std::string text;
        secret >> text;
        EXPECT_EQ(text, "secret");
    });
}

// The host exchanges a file that the driver knows for a link; the number still means the file.
SC_TEST(FsDevice, ALinkInPlaceOfAKnownFileIsNotFollowed)
{
    ROWS("H-56");
    fs_client c;
    c.host.write("f", {'o', 'l', 'd'});
    std::filesystem::create_directory(c.host.path("d"));
    c.host.write("d/f", {'i', 'n'});
    c.p.run([&] {
        c.start();
        const std::uint64_t f = c.node("f");
        const std::uint64_t d = c.node("d");
        std::filesystem::remove(c.host.path("f"));
        std::filesystem::create_symlink("../secret", c.host.path("f"));
        std::filesystem::rename(c.host.path("d"), c.host.path("e"));
        std::filesystem::create_symlink("..", c.host.path("d"));
        EXPECT_EQ(c.read(f, c.handle(f, O_RDONLY), 0, 16).body, (bytes{'o', 'l', 'd'}));
        EXPECT_EQ(c.lookup("secret", d).error, ENOENT) << "d is still the directory";
        const std::uint64_t in = c.node("f", d);
        EXPECT_EQ(c.read(in, c.handle(in, O_RDONLY), 0, 16).body, (bytes{'i', 'n'}));
    });
}

SC_TEST(FsDevice, SpecialFilesAreNeitherMadeNorOpened)
{
    ROWS("H-56");
    fs_client c;
    ASSERT_EQ(::mkfifo(c.host.path("pipe").c_str(), 0600), 0);
    const int unix_socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, c.host.path("socket").c_str(), sizeof(address.sun_path) - 1);
    ASSERT_EQ(::bind(unix_socket, reinterpret_cast<sockaddr *>(&address), sizeof(address)), 0);
    c.p.run([&] {
        c.start();
        for (const unsigned type : {S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK}) {
            fuse_mknod_in in{};
            in.mode = type | 0600;
            in.rdev = 0x103; // /dev/null
            EXPECT_EQ(c.ask(FUSE_MKNOD, FUSE_ROOT_ID, raw(in) + name("special")).error, EPERM);
        }
        EXPECT_FALSE(std::filesystem::exists(c.host.path("special")));
        for (const char *special : {"pipe", "socket"}) {
            const std::uint64_t id = c.node(special);
            EXPECT_EQ(c.open(id, O_RDWR).error, EACCES) << special;
            EXPECT_EQ(c.create(special).error, EACCES) << special;
            EXPECT_EQ(c.map(id, 0, dax_page, 0, false), EACCES) << special;
        }
        fuse_mknod_in regular{};
        regular.mode = S_IFREG | 0600;
        EXPECT_EQ(c.ask(FUSE_MKNOD, FUSE_ROOT_ID, raw(regular) + name("plain")).error, 0);
        const std::uint32_t whiteout = 4;
        fuse_rename2_in rename{FUSE_ROOT_ID, whiteout, 0};
        EXPECT_EQ(c.ask(FUSE_RENAME2, FUSE_ROOT_ID, raw(rename) + name("plain") + name("b")).error,
                  EINVAL)
            << "a whiteout is a device";
    });
    ::close(unix_socket);
}

SC_TEST(FsDevice, NumbersThatStandForNothingFindNothing)
{
    ROWS("H-56");
    fs_client c;
    c.host.write("f", {1});
    c.p.run([&] {
        c.start();
        const std::uint64_t f = c.node("f");
        for (const std::uint64_t id : {std::uint64_t{0}, f + 1, ~std::uint64_t{0}}) {
            EXPECT_EQ(c.ask(FUSE_GETATTR, id, raw(fuse_getattr_in{})).error, ESTALE);
            EXPECT_EQ(c.map(id, 0, dax_page, 0, false), ESTALE);
            EXPECT_EQ(c.read(f, id, 0, 1).error, EBADF);
        }
        c.offer(FUSE_FORGET, f, raw(fuse_forget_in{1000}), 0, 0); // more than were looked up
        EXPECT_EQ(c.await(0)->length, 0u);
        EXPECT_EQ(c.ask(FUSE_GETATTR, f, raw(fuse_getattr_in{})).error, ESTALE);
        c.offer(FUSE_FORGET, FUSE_ROOT_ID, raw(fuse_forget_in{~0ull}), 0, 0);
        EXPECT_EQ(c.await(0)->length, 0u);
        EXPECT_NE(c.node("f"), 0u) << "the root stays";
    });
}

SC_TEST(FsDevice, MalformedRequestsNeverReachTheServer)
{
    ROWS("H-56");
    expect_refusals();
    fs_client c;
    c.host.write("f", {1});
    c.p.run([&] {
        c.start();
        const std::uint64_t f = c.node("f");
        const std::uint64_t fh = c.handle(f, O_RDWR);
        EXPECT_EQ(c.ask(FUSE_LOOKUP, FUSE_ROOT_ID, bytes{'f'}).error, EINVAL) << "no end";
        EXPECT_EQ(c.ask(FUSE_LOOKUP, FUSE_ROOT_ID).error, EINVAL);
        EXPECT_EQ(c.ask(FUSE_SYMLINK, FUSE_ROOT_ID, name("one")).error, EINVAL);
        EXPECT_EQ(c.ask(FUSE_GETATTR, f, bytes(sizeof(fuse_getattr_in) - 1)).error, EINVAL);
        fuse_write_in write{};
        write.fh = fh;
        write.size = 2;
        EXPECT_EQ(c.ask(FUSE_WRITE, f, raw(write) + bytes{1}).error, EINVAL);
        write.size = 0xffffffff;
        EXPECT_EQ(c.ask(FUSE_WRITE, f, raw(write) + bytes{1}).error, EINVAL);
        fuse_read_in read{};
        read.fh = fh;
        read.size = 0xffffffff;
        EXPECT_EQ(c.ask(FUSE_READ, f, raw(read)).error, EINVAL) << "there is no room for it";
        EXPECT_EQ(c.ask(9999, f, bytes(64)).error, ENOSYS);
        EXPECT_EQ(c.ask(FUSE_IOCTL, f, bytes(64)).error, ENOSYS);
        fuse_batch_forget_in batch{};
        batch.count = 0xffffffff;
        c.offer(FUSE_BATCH_FORGET, 0, raw(batch) + bytes(16), 0, 0);
        EXPECT_EQ(c.await(0)->length, 0u);
        EXPECT_EQ(c.host.read("f"), bytes{1});
        EXPECT_EQ(c.read(f, fh, 0, 4).body, bytes{1}) << "the session goes on";
        EXPECT_EQ(c.ask(FUSE_GETATTR, f, raw(fuse_getattr_in{}), 20).error, EIO)
            << "the reply does not fit";
    });
}

SC_TEST(FsDevice, NothingIsServedBeforeInitAndEachInitIsANewSession)
{
    ROWS("FS-06", "H-56");
    fs_client c;
    c.host.write("f", pages(1, 5));
    c.p.run([&] {
        c.go_live();
        EXPECT_EQ(c.lookup("f").error, EIO);
        fuse_init_in old{};
        old.major = FUSE_KERNEL_VERSION;
        old.minor = 30;
        EXPECT_EQ(c.ask(FUSE_INIT, 0, raw(old)).error, EPROTO);
        c.start();
        const std::uint64_t f = c.node("f");
        EXPECT_EQ(c.map(f, 0, dax_page, 0, false), 0);
        EXPECT_EQ(c.ask(FUSE_INIT, 0, fs_client::init_body()).error, 0);
        EXPECT_EQ(c.load(0), -1) << "mappings ended with their session";
        EXPECT_EQ(c.ask(FUSE_GETATTR, f, raw(fuse_getattr_in{})).error, ESTALE);
        EXPECT_NE(c.node("f"), 0u);
        c.start(); // through a device reset
        EXPECT_NE(c.node("f"), 0u);
    });
}

SC_TEST(FsDevice, AReadOnlyDirectoryStaysAsItIs)
{
    fs_client c(dax_length, nullptr, [](fs_options &o) { o.read_only = true; });
    c.host.write("f", pages(1, 5));
    c.p.run([&] {
        c.start();
        const std::uint64_t f = c.node("f");
        EXPECT_EQ(c.open(f, O_RDWR).error, EROFS);
        EXPECT_EQ(c.open(f, O_RDONLY | O_TRUNC).error, EROFS);
        EXPECT_EQ(c.create("new").error, EROFS);
        EXPECT_EQ(c.truncate(f, 0).error, EROFS);
        EXPECT_EQ(c.ask(FUSE_UNLINK, FUSE_ROOT_ID, name("f")).error, EROFS);
        EXPECT_EQ(c.map(f, 0, dax_page, 0, true), EROFS);
        EXPECT_EQ(c.map(f, 0, dax_page, 0, false), 0);
        EXPECT_EQ(c.load(0), 5);
        EXPECT_EQ(c.host.read("f"), pages(1, 5));
    });
}

// By whoever has no right to keep them, as the driver says in each request.
SC_TEST(FsDevice, WritingAndShorteningTakeSetIdBitsAway)
{
    ROWS("FS-01");
    if (::geteuid() != 0)
        GTEST_SKIP() << "only root can make files that keep the bits when others write to them";
    fs_client c;
    c.host.write("f", {1, 2, 3});
    const std::string path = c.host.path("f").string();
    const auto mode = [&] {
        struct stat is {
        };
        EXPECT_EQ(::stat(path.c_str(), &is), 0);
        return is.st_mode & 07777;
    };
    c.p.run([&] {
        c.start();
        EXPECT_FALSE(c.negotiated.flags & (FUSE_HANDLE_KILLPRIV | FUSE_HANDLE_KILLPRIV_V2))
            << "this driver does it itself";
        const answer init = c.ask(
            FUSE_INIT, 0, fs_client::init_body(FUSE_HANDLE_KILLPRIV | FUSE_HANDLE_KILLPRIV_V2));
        EXPECT_EQ(init.as<fuse_init_out>().flags & (FUSE_HANDLE_KILLPRIV | FUSE_HANDLE_KILLPRIV_V2),
                  unsigned(FUSE_HANDLE_KILLPRIV_V2));
        const std::uint64_t f = c.node("f");
        const std::uint64_t fh = c.handle(f, O_RDWR);
        const auto with = [&](::mode_t before, const std::function<answer()> &request) {
            EXPECT_EQ(::chmod(path.c_str(), before), 0);
            EXPECT_EQ(request().error, 0);
            return mode();
        };
        const auto write = [&] { return c.write(f, fh, 0, {9}); };
        const auto others_write = [&] { return c.write(f, fh, 0, {9}, FUSE_WRITE_KILL_SUIDGID); };
        EXPECT_EQ(with(06755, write), 06755u);
        EXPECT_EQ(with(06755, others_write), 0755u);
        EXPECT_EQ(with(06745, others_write), 02745u) << "not a program of the group's";
        EXPECT_EQ(with(06755, [&] { return c.truncate(f, 2); }), 06755u);
        EXPECT_EQ(with(06755, [&] { return c.truncate(f, 1, FATTR_KILL_SUIDGID); }), 0755u);
        EXPECT_EQ(with(06755, [&] { return c.open(f, O_RDWR | O_TRUNC); }), 06755u);
        EXPECT_EQ(
            with(06755,
                 [&] { return c.open(f, O_RDWR | O_TRUNC, FUSE_OPEN, FUSE_OPEN_KILL_SUIDGID); }),
            0755u);
        EXPECT_EQ(with(06755, [&] { return c.create("f", O_RDWR | O_TRUNC); }), 0755u);
        EXPECT_EQ(with(06755, [&] { return c.create("f", O_RDWR); }), 06755u);
    });
}

// What a guest may do is then what the process may do.
SC_TEST(FsDevice, ServesWithoutRoot)
{
    ROWS("FS-01", "H-56");
    constexpr ::uid_t nobody = 65534;
    const host_directory host;
    const std::filesystem::path shared = host.outer / "shared";
    host.write("roots", {1});
    ASSERT_EQ(::chmod(host.path("roots").c_str(), 0600), 0);
    const bool was_root = ::geteuid() == 0;
    if (was_root) {
        ASSERT_EQ(::chown(host.outer.c_str(), nobody, nobody), 0);
        ASSERT_EQ(::chown(shared.c_str(), nobody, nobody), 0);
        ASSERT_EQ(::setgroups(0, nullptr), 0);
        ASSERT_EQ(::setresgid(nobody, nobody, nobody), 0);
        ASSERT_EQ(::setresuid(nobody, nobody, nobody), 0);
        ASSERT_EQ(::prctl(PR_SET_DUMPABLE, 1), 0) << "or /proc/self would be root's";
    }
    fs_client c(dax_length, nullptr,
                [&](fs_options &chosen) { chosen.directory = shared.string(); });
    c.p.run([&] {
        c.start();
        const answer made = c.create("mine", O_RDWR, 06755);
        ASSERT_EQ(made.error, 0);
        const auto entry = made.as<fuse_entry_out>();
        EXPECT_EQ(entry.attr.uid, ::geteuid());
        EXPECT_EQ(entry.attr.mode, unsigned(S_IFREG | 0755)) << "no set-user-id, no set-group-id";
        const auto fh = made.as<fuse_open_out>(sizeof(fuse_entry_out)).fh;
        EXPECT_EQ(c.write(entry.nodeid, fh, 0, {1, 2}).error, 0);
        EXPECT_EQ(c.map(entry.nodeid, 0, dax_page, 0, true), 0);
        EXPECT_TRUE(c.store(1, 7));
        EXPECT_EQ(c.read(entry.nodeid, fh, 0, 2).body, (bytes{1, 7}));
        fuse_setattr_in owner{};
        owner.valid = FATTR_UID;
        owner.uid = ::geteuid() + 1;
        EXPECT_EQ(c.ask(FUSE_SETATTR, entry.nodeid, raw(owner)).error, EPERM);
        if (was_root) {
            const std::uint64_t roots = c.node("roots");
            EXPECT_EQ(c.open(roots, O_RDONLY).error, EACCES);
            EXPECT_EQ(c.map(roots, 0, dax_page, 0, false), EACCES);
            fuse_setattr_in mode{};
            mode.valid = FATTR_MODE;
            mode.mode = 0666;
            EXPECT_EQ(c.ask(FUSE_SETATTR, roots, raw(mode)).error, EPERM);
        }
    });
}

SC_TEST(FsDevice, ADriverHasABudgetOfDescriptors)
{
    ROWS("H-47");
    fs_client c(dax_length, nullptr, [](fs_options &o) { o.descriptors = 4; });
    for (unsigned i = 0; i < 8; i++)
        c.host.write(std::to_string(i), {});
    c.p.run([&] {
        c.start();
        std::vector<std::uint64_t> known;
        for (unsigned i = 0; i < 3; i++)
            known.push_back(c.node(std::to_string(i)));
        EXPECT_EQ(c.lookup("3").error, ENFILE);
        EXPECT_EQ(c.open(known[0], O_RDONLY).error, ENFILE);
        c.offer(FUSE_FORGET, known[2], raw(fuse_forget_in{1}), 0, 0);
        c.await(0);
        EXPECT_EQ(c.open(known[0], O_RDONLY).error, 0);
    });
}

// A lease of the host's keeps the only thread in open() until it is given up.
SC_TEST(FsDevice, HiprioIsServedWhileTheThreadIsStuck)
{
    ROWS("FS-07", "FS-08");
    fs_client c(dax_length, nullptr, [](fs_options &o) { o.threads = 1; });
    c.host.write("f", {1});
    c.host.write("g", {2});
    ::signal(SIGIO, SIG_IGN); // what tells the holder of a lease
    c.p.run([&] {
        constexpr std::uint64_t second = 777;
        c.start();
        const std::uint64_t f = c.node("f");
        const std::uint64_t g = c.node("g");
        const int lease = ::open(c.host.path("f").c_str(), O_RDONLY);
        ASSERT_EQ(::fcntl(lease, F_SETLEASE, F_RDLCK), 0);
        fuse_open_in in{};
        in.flags = O_RDWR;
        const auto stuck = c.offer(FUSE_OPEN, f, raw(in));
        const auto waiting = c.offer(FUSE_GETATTR, g, raw(fuse_getattr_in{}), 8192, 1, second);
        c.offer(FUSE_FORGET, g, raw(fuse_forget_in{1}), 0, 0);
        EXPECT_EQ(c.await(0)->length, 0u);
        c.offer(FUSE_INTERRUPT, 0, raw(fuse_interrupt_in{second}), 0, 0);
        EXPECT_EQ(c.await(0)->length, 0u);
        EXPECT_EQ(c.p.queues[1]->used_idx(), 3u) << "INIT and two LOOKUPs";
        EXPECT_EQ(::fcntl(lease, F_SETLEASE, F_UNLCK), 0);
        EXPECT_EQ(c.result(stuck).error, 0);
        EXPECT_EQ(c.result(waiting).error, EINTR);
        EXPECT_EQ(c.ask(FUSE_GETATTR, g, raw(fuse_getattr_in{})).error, ESTALE) << "forgotten";
        ::close(lease);
    });
}

// A host that exchanges names all the time is as good as a second, hostile guest.
SC_TEST(FsDevice, NamesThatChangeAllTheTimeDoNotLeadOut)
{
    ROWS("H-56");
    fs_client c;
    c.host.write("plain", bytes(6, 'p'));
    std::filesystem::create_symlink("../secret", c.host.path("link"));
    std::filesystem::create_hard_link(c.host.path("plain"), c.host.path("x"));
    std::atomic<bool> going{true};
    std::thread swapping([&] {
        while (going) {
            for (const char *from : {"link", "plain"}) {
                std::filesystem::remove(c.host.path("next"));
                if (std::string(from) == "link")
                    std::filesystem::create_symlink("../secret", c.host.path("next"));
                else
                    std::filesystem::create_hard_link(c.host.path("plain"), c.host.path("next"));
                std::filesystem::rename(c.host.path("next"), c.host.path("x"));
            }
        }
    });
    c.p.run([&] {
        for (unsigned i = 0; i < 20; i++) {
            c.start();
            const answer made = c.create("x", O_RDWR);
            if (made.error) {
                EXPECT_TRUE(made.error == EACCES || made.error == ENOENT) << made.error;
                continue;
            }
            const auto fh = made.as<fuse_open_out>(sizeof(fuse_entry_out)).fh;
            EXPECT_NE(c.read(made.as<fuse_entry_out>().nodeid, fh, 0, 6).body,
                      (bytes{'s', 'e', 'c', 'r', 'e', 't'}));
        }
    });
    going = false;
    swapping.join();
    std::ifstream secret(c.host.outer / "secret");
    std::string text;
    secret >> text;
    EXPECT_EQ(text, "secret");
}

SC_TEST(FsDevice, AResetWithRequestsInFlightLeavesNothingBehind)
{
    ROWS("A-RESET-INFLIGHT", "H-34");
    fs_client c;
    c.host.write("f", pages(4, 1));
    c.p.run([&] {
        for (unsigned round = 0; round < 10; round++) {
            c.start();
            const std::uint64_t f = c.node("f");
            EXPECT_EQ(c.map(f, 0, dax_page, 0, true), 0);
            fuse_read_in in{};
            in.fh = c.handle(f, O_RDONLY);
            in.size = 4096;
            std::vector<fs_client::sent> old;
            for (unsigned i = 0; i < 3; i++)
                old.push_back(c.offer(FUSE_READ, f, raw(in), 4112));
            std::vector<bytes> before;
            for (const auto &what : old)
                before.push_back(c.p.memory.bytes(what.out.address, what.out.length));
            c.p.guest.reset();
            EXPECT_EQ(c.p.guest.status(), 0u);
            EXPECT_EQ(c.p.dut.mappings(), 0u);
            EXPECT_EQ(c.load(0), -1);
            c.start();
            EXPECT_NE(c.node("f"), 0u);
            for (unsigned i = 0; i < 3; i++)
                EXPECT_EQ(c.p.memory.bytes(old[i].out.address, old[i].out.length), before[i]);
        }
    });
}

SC_TEST(FsDevice, SaysWhatIsWrongWithItsOptions)
{
    host_directory host;
    const auto with = [&](const std::function<void(fs_options &)> &change) {
        fs_options chosen = fs_client::shared(host, dax_length);
        change(chosen);
        fs_device dut("dut", chosen);
    };
    expect_mistake({"dut", "/nonexistent", "directory"},
                   [&] { with([](fs_options &o) { o.directory = "/nonexistent"; }); });
    expect_mistake({"dut", "tag"}, [&] { with([](fs_options &o) { o.tag = ""; }); });
    expect_mistake({"dut", "4096"}, [&] { with([](fs_options &o) { o.dax.length = 4097; }); });
}

} // namespace vmmio::tb
