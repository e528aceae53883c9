// SPDX-License-Identifier: Apache-2.0
// The ready-made devices through the whole stack, and the file behind a pmem device.
#include "platform.h"
#include "vmmio/tlm/file_memory.h"

#include <climits>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace vmmio::tb
{

namespace
{

using bytes = std::vector<std::uint8_t>;

/// A folder that goes with the test.
class folder
{
public:
    folder()
    {
        char name[] = "/tmp/vmmio-test-XXXXXX";
        if (!::mkdtemp(name))
            throw std::runtime_error("no folder for the test");
        path_ = name;
    }
    ~folder()
    {
        ::unlink(file().c_str());
        ::rmdir(path_.c_str());
    }
    folder(const folder &) = delete;
    folder &operator=(const folder &) = delete;

    const std::string &path() const { return path_; }
    std::string file() const { return path_ + "/memory"; }

private:
    std::string path_;
};

/// What the exception says; empty if there is none.
std::string mistake(const std::string &path, std::uint64_t length)
{
    try {
        const file_memory memory(path, length);
    } catch (const std::runtime_error &error) {
        return error.what();
    }
    return {};
}

void expect_words(const std::string &text, std::initializer_list<const char *> words)
{
    for (const char *part : words)
        EXPECT_NE(text.find(part), std::string::npos) << "\"" << part << "\" in: " << text;
}

/// A pmem device with a driver that can flush.
struct pmem_platform : platform<pmem_device> {
    pmem_platform(unsigned char *behind, std::uint64_t length, std::function<bool()> flush = {})
        : platform(pmem_range{at::shm, length, behind, std::move(flush)})
    {
    }

    /// Sends a request of this type; the answer of the device.
    std::uint32_t request(std::uint32_t type)
    {
        const piece command = readable(4), answer = writable(4);
        memory.store32(command.address, type);
        memory.store32(answer.address, 0x5a5a5a5a);
        EXPECT_EQ(exchange({command, answer}).length, 4u);
        return memory.load32(answer.address);
    }
};

vmmio_features with_region() { return feature_set({VMMIO_F_VERSION_1, VMMIO_PMEM_F_SHMEM_REGION}); }

} // namespace

SC_TEST(Entropy, FillsBuffersFromItsSource)
{
    ROWS("RNG-01", "RNG-04");
    counting_source source;
    const vmmio_entropy_config config = source.config();
    platform<entropy_device> p(device_options{}, &config);
    p.run([&] {
        EXPECT_EQ(p.cpu.read(VMMIO_REG_DEVICE_ID), 4u);
        p.cpu.write(VMMIO_REG_QUEUE_SEL, 1);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_QUEUE_SIZE_MAX), 0u) << "one queue";
        p.go_live();
        const piece first = p.writable(3), second = p.writable(5);
        EXPECT_EQ(p.exchange({first, second}).length, 8u);
        EXPECT_EQ(p.memory.bytes(first.address, 3), (bytes{1, 2, 3}));
        EXPECT_EQ(p.memory.bytes(second.address, 5), (bytes{4, 5, 6, 7, 8}));
        EXPECT_EQ(p.dut.bytes(), 8u);
        EXPECT_EQ(p.dut.requests(), 1u);
        EXPECT_TRUE(p.irq.read());
    });
}

SC_TEST(Entropy, TakesTheHostsByDefault)
{
    ROWS("RNG-04");
    platform<entropy_device> p;
    p.run([&] {
        p.go_live();
        const piece one = p.writable(64), other = p.writable(64);
        EXPECT_EQ(p.exchange({one}).length, 64u);
        EXPECT_EQ(p.exchange({other}).length, 64u);
        EXPECT_NE(p.memory.bytes(one.address, 64), p.memory.bytes(other.address, 64));
    });
}

SC_TEST(Entropy, ASourceThatRunsDryEndsInNeedsReset)
{
    ROWS("RNG-04", "STAT-11");
    counting_source source;
    source.left = 0;
    const vmmio_entropy_config config = source.config();
    platform<entropy_device> p(device_options{}, &config);
    reports::get().expect("/vmmio/ring");
    p.run([&] {
        p.go_live();
        p.offer({p.writable(16)});
        p.cpu.sync(ns(1000));
        EXPECT_TRUE(p.guest.status() & VMMIO_STATUS_NEEDS_RESET);
        EXPECT_EQ(p.queues[0]->used_idx(), 0u);
        source.left = 16;
        p.go_live();
        EXPECT_EQ(p.exchange({p.writable(16)}).length, 16u);
    });
}

SC_TEST(Pmem, ShowsItsRangeAsRegion0AndInItsConfig)
{
    ROWS("PMEM-01", "PMEM-02", "PMEM-03", "PMEM-04");
    unsigned char memory[8192] = {};
    pmem_platform p(memory, sizeof(memory));
    const auto config = [&](std::uint32_t offset) {
        return p.cpu.read(VMMIO_REG_CONFIG + offset) |
               static_cast<std::uint64_t>(p.cpu.read(VMMIO_REG_CONFIG + offset + 4)) << 32;
    };
    p.run([&] {
        EXPECT_EQ(p.cpu.read(VMMIO_REG_DEVICE_ID), 27u);
        p.go_live();
        EXPECT_EQ(config(0), at::shm);
        EXPECT_EQ(config(8), sizeof(memory));
        p.go_live(with_region());
        EXPECT_EQ(config(0), 0u);
        EXPECT_EQ(config(8), 0u);
        p.cpu.write(VMMIO_REG_SHM_SEL, 0);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_SHM_LEN_LOW), sizeof(memory));
        EXPECT_EQ(p.cpu.read(VMMIO_REG_SHM_BASE_LOW), static_cast<std::uint32_t>(at::shm));
        EXPECT_EQ(p.cpu.read(VMMIO_REG_SHM_BASE_HIGH), at::shm >> 32);
    });
}

SC_TEST(Pmem, AFlushIsDurableBeforeTheDriverSeesItsEnd)
{
    ROWS("PMEM-06", "PMEM-07", "PMEM-08");
    unsigned char memory[4096] = {};
    surroundings *platform = nullptr;
    unsigned flushes = 0;
    pmem_platform p(memory, sizeof(memory), [&] {
        EXPECT_EQ(memory[100], 0x77) << "everything written before is there to be made durable";
        EXPECT_EQ(platform->queues[0]->used_idx(), flushes);
        EXPECT_EQ(platform->guest.interrupts(), 0u);
        flushes++;
        return true;
    });
    platform = &p;
    p.run([&] {
        p.go_live(with_region());
        const std::uint8_t byte = 0x77;
        EXPECT_EQ(p.cpu.store(at::shm + 100, &byte, 1), tlm::TLM_OK_RESPONSE);
        EXPECT_EQ(p.request(0), 0u);
        p.guest.acknowledge(VMMIO_INTERRUPT_USED_BUFFER);
        EXPECT_EQ(p.request(0), 0u);
        EXPECT_EQ(flushes, 2u);
        EXPECT_EQ(p.dut.flushes(), 2u);
    });
}

SC_TEST(Pmem, AFailureOfTheBackEndAndUnknownRequestsAnswerMinusOne)
{
    ROWS("PMEM-08", "PMEM-09", "H-55");
    unsigned char memory[4096] = {};
    bool works = false;
    pmem_platform p(memory, sizeof(memory), [&] { return works; });
    reports::get().expect("/vmmio/request");
    p.run([&] {
        p.go_live(with_region());
        EXPECT_EQ(p.request(0), 0xffffffffu);
        works = true;
        EXPECT_EQ(p.request(1), 0xffffffffu);
        EXPECT_EQ(p.request(0xffffffff), 0xffffffffu);
        EXPECT_EQ(p.request(0), 0u);
        EXPECT_EQ(p.dut.flushes(), 1u);
    });
}

SC_TEST(Pmem, ContentSurvivesAReset)
{
    ROWS("PMEM-10", "PMEM-07");
    unsigned char memory[4096] = {};
    pmem_platform p(memory, sizeof(memory));
    p.run([&] {
        p.go_live(with_region());
        const processor::grant pointer = p.cpu.ask(at::shm + 8, tlm::TLM_WRITE_COMMAND);
        ASSERT_TRUE(pointer.granted);
        std::memcpy(pointer.pointer, "durable", 8);
        p.guest.reset();
        EXPECT_EQ(p.cpu.invalidated.size(), 1u) << "the pointer is taken back";
        char text[8] = {};
        EXPECT_EQ(p.cpu.load(at::shm + 8, text, 8), tlm::TLM_OK_RESPONSE);
        EXPECT_STREQ(text, "durable");
        p.go_live(with_region());
        EXPECT_EQ(p.request(0), 0u);
    });
}

SC_TEST(Pmem, MayHaveAFileAsMemory)
{
    ROWS("PMEM-07", "PMEM-10");
    const folder here;
    {
        const file_memory memory(here.file(), 8192);
        pmem_platform p(memory.data(), memory.length(), [&] { return memory.flush(); });
        p.run([&] {
            p.go_live(with_region());
            EXPECT_EQ(p.cpu.store(at::shm + 4096, "in the file", 11), tlm::TLM_OK_RESPONSE);
            EXPECT_EQ(p.request(0), 0u);
            std::ifstream file(here.file());
            file.seekg(4096);
            std::string text(11, 0);
            file.read(text.data(), 11);
            EXPECT_EQ(text, "in the file");
        });
    }
    const file_memory again(here.file(), 8192);
    EXPECT_EQ(std::memcmp(again.data() + 4096, "in the file", 11), 0) << "and after a restart";
}

TEST(FileMemory, IsMadeAsLongAsWantedAndZero)
{
    const folder here;
    const file_memory memory(here.file(), 10000);
    struct stat is;
    ASSERT_EQ(::stat(here.file().c_str(), &is), 0);
    EXPECT_EQ(is.st_size, 10000);
    EXPECT_EQ(is.st_mode & 0777, 0600u) << "for its owner alone";
    EXPECT_EQ(memory.length(), 10000u);
    EXPECT_TRUE(std::all_of(memory.data(), memory.data() + 10000, [](auto b) { return b == 0; }));
    EXPECT_TRUE(memory.flush());
}

TEST(FileMemory, KeepsAndExtendsAFileThatIsThere)
{
    const folder here;
    std::ofstream(here.file()) << "abc";
    const file_memory memory(here.file(), 4096);
    EXPECT_EQ(std::memcmp(memory.data(), "abc\0", 4), 0);
}

TEST(FileMemory, SaysWhyAFileCannotBeUsed)
{
    ROWS("H-45");
    const folder here;
    const std::string absent = here.path() + "/no/such/file";
    expect_words(mistake(absent, 4096), {absent.c_str(), "No such file or directory"});
    expect_words(mistake(here.path(), 4096), {here.path().c_str(), "Is a directory"});
    expect_words(mistake("/dev/null", 4096), {"/dev/null", "not a regular file"});
    expect_words(mistake(here.file(), 0), {"length 0", "give"});
    expect_words(mistake(here.file(), std::uint64_t(INT64_MAX) + 1), {here.file().c_str()});

    std::ofstream(here.file()) << std::string(5000, 'x');
    expect_words(mistake(here.file(), 4096), {"5000 bytes", "4096", "real size"});
    struct stat is;
    ASSERT_EQ(::stat(here.file().c_str(), &is), 0);
    EXPECT_EQ(is.st_size, 5000) << "nothing in it is lost";
}

} // namespace vmmio::tb
