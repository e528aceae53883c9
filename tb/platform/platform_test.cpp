// SPDX-License-Identifier: Apache-2.0
// vmmio-platform as QEMU meets it: a process with a socket, a region's file, a trace and a report.
#include "../tlm/vfio_user_client.h"
#include "vmmio/registers.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <sys/stat.h>
#include <sys/wait.h>

namespace
{

using namespace vmmio_test;
namespace fs = std::filesystem;

constexpr std::uint64_t shm_size = 4 << 20;
constexpr std::uint64_t shm_base = 0x140000000;
constexpr std::uint64_t rng = 0, pmem = VMMIO_BLOCK_SIZE;
const std::string token = "00112233445566778899aabbccddeeff";

/// The program, started with a folder of its own.
class program
{
public:
    explicit program(const std::vector<std::string> &more = {},
                     const std::function<void(const program &)> &prepare = {})
    {
        char name[] = "/tmp/vmmio-test-XXXXXX";
        folder_ = ::mkdtemp(name);
        if (prepare)
            prepare(*this);
        start(more);
    }
    ~program()
    {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
        fs::remove_all(folder_);
    }
    program(const program &) = delete;
    program &operator=(const program &) = delete;

    std::string file(const std::string &name) const { return folder_ / name; }

    std::string text(const std::string &name) const
    {
        std::ostringstream all;
        all << std::ifstream(file(name)).rdbuf();
        return all.str();
    }

    nlohmann::json report() const { return nlohmann::json::parse(text("report.json")); }

    /// True when it says that it listens.
    bool is_ready() const
    {
        return soon([this] {
            return text("output").find("ready: " + file("socket") + "\n") != std::string::npos;
        });
    }

    /// Its exit status, once it has ended by itself; -1 if it does not.
    int exit_status()
    {
        int status = 0;
        if (!soon([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; }))
            return -1;
        pid_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

    template <typename Condition>
    static bool soon(Condition condition)
    {
        for (int i = 0; i < 2000; ++i) {
            if (condition())
                return true;
            ::usleep(10'000);
        }
        return false;
    }

    std::unique_ptr<vfio_user_client> connect() const
    {
        auto client = std::make_unique<vfio_user_client>(file("socket"));
        client->hello();
        return client;
    }

private:
    void start(const std::vector<std::string> &more)
    {
        std::vector<std::string> words = {VMMIO_PLATFORM};
        words.insert(words.end(), more.begin(), more.end());
        for (const auto &[option, value] :
             {std::pair<std::string, std::string>{"--socket", "@socket"},
              {"--shm-file", "@shm"},
              {"--shm-size", std::to_string(shm_size)},
              {"--shm-base", "0x140000000"},
              {"--report", "@report.json"}})
            if (std::find(more.begin(), more.end(), option) == more.end())
                words.insert(words.end(), {option, value});
        for (std::string &word : words)
            if (const auto sign = word.find('@'); sign != std::string::npos) // in the folder
                word = word.substr(0, sign) + file(word.substr(sign + 1));
        std::vector<char *> arguments;
        for (std::string &word : words)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        const std::string output = file("output");
        pid_ = ::fork();
        if (pid_ == 0) {
            const int input = ::open(file("input").c_str(), O_RDONLY);
            if (input >= 0)
                ::dup2(input, STDIN_FILENO);
            const int log = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
            ::dup2(log, STDOUT_FILENO);
            ::dup2(log, STDERR_FILENO);
            ::execv(arguments[0], arguments.data());
            ::_exit(127);
        }
    }

    fs::path folder_;
    pid_t pid_ = 0;
};

/// Record `index` of the pattern file, as its format is described.
std::array<std::uint8_t, 64> record(std::uint64_t index)
{
    std::array<std::uint8_t, 64> bytes{};
    for (std::size_t i = 0; i < 16; ++i)
        bytes[i] = static_cast<std::uint8_t>(0x11 * i);
    for (std::size_t i = 0; i < 8; ++i)
        bytes[16 + i] = static_cast<std::uint8_t>(index >> (8 * i));
    for (std::size_t i = 0; i < 40; ++i)
        bytes[24 + i] = static_cast<std::uint8_t>(index * 131 + i * 7 + bytes[i % 16]);
    return bytes;
}

} // namespace

TEST(Platform, OffersAnEntropyAndAPmemDeviceInOneBar) // MMIO-MAGIC-01 MMIO-DEVID-01 PMEM-02
{
    program platform;
    ASSERT_TRUE(platform.is_ready());
    auto client = platform.connect();
    for (const std::uint64_t block : {rng, pmem}) {
        EXPECT_EQ(client->read(block + VMMIO_REG_MAGIC_VALUE, 4), 0x74726976u);
        EXPECT_EQ(client->read(block + VMMIO_REG_VERSION, 4), 2u);
    }
    EXPECT_EQ(client->read(rng + VMMIO_REG_DEVICE_ID, 4), 4u);
    EXPECT_EQ(client->read(pmem + VMMIO_REG_DEVICE_ID, 4), 27u);
    EXPECT_EQ(client->read(2 * VMMIO_BLOCK_SIZE, 4), 0xffffffffu) << "no third device";

    client->write(pmem + VMMIO_REG_SHM_SEL, 0, 4);
    EXPECT_EQ(client->read(pmem + VMMIO_REG_SHM_LEN_LOW, 4), shm_size);
    EXPECT_EQ(client->read(pmem + VMMIO_REG_SHM_LEN_HIGH, 4), 0u);
    EXPECT_EQ(client->read(pmem + VMMIO_REG_SHM_BASE_LOW, 4), shm_base & 0xffffffff);
    EXPECT_EQ(client->read(pmem + VMMIO_REG_SHM_BASE_HIGH, 4), shm_base >> 32);
    EXPECT_EQ(fs::file_size(platform.file("shm")), shm_size) << "made, as it was absent";
}

TEST(Platform, AttachesDisksThatAreFiles) // MMIO-DEVID-01 BLK-05 BLK-31
{
    program platform({"--disk", "@disk", "--read-only-disk", "@shm"}, [](const program &p) {
        std::ofstream(p.file("disk"));
        fs::resize_file(p.file("disk"), 3 << 20);
        std::ofstream(p.file("shm"));
        fs::resize_file(p.file("shm"), shm_size);
    });
    ASSERT_TRUE(platform.is_ready()) << platform.text("output");
    auto client = platform.connect();
    const std::uint64_t disk = 2 * VMMIO_BLOCK_SIZE, read_only = 3 * VMMIO_BLOCK_SIZE;
    constexpr std::uint32_t ro = 1 << 5;
    EXPECT_EQ(client->read(disk + VMMIO_REG_DEVICE_ID, 4), 2u);
    EXPECT_EQ(client->read(disk + VMMIO_REG_CONFIG, 4), (3u << 20) / 512);
    EXPECT_EQ(client->read(disk + VMMIO_REG_DEVICE_FEATURES, 4) & ro, 0u);
    EXPECT_EQ(client->read(read_only + VMMIO_REG_DEVICE_ID, 4), 2u);
    EXPECT_EQ(client->read(read_only + VMMIO_REG_CONFIG, 4), shm_size / 512);
    EXPECT_EQ(client->read(read_only + VMMIO_REG_DEVICE_FEATURES, 4) & ro, ro);
}

TEST(Platform, TakesCommandsFromStandardInput) // BLK-36
{
    program platform({"--control", "--disk", "@disk"}, [](const program &p) {
        std::ofstream(p.file("disk"));
        fs::resize_file(p.file("disk"), 1 << 20);
        std::ofstream(p.file("input")) << "resize disk 2M\nresize disk 513\nresize pmem 1M\n"
                                          "explode\n";
    });
    ASSERT_TRUE(platform.is_ready()) << platform.text("output");
    auto client = platform.connect();
    for (const std::string answer : {"ok: resize disk 2M", "error: a disk has whole sectors",
                                     "error: there is no device 'pmem'",
                                     "error: 'explode' is no command: write resize NAME SIZE"})
        EXPECT_TRUE(platform.soon([&] {
            return platform.text("output").find(answer) != std::string::npos;
        })) << platform.text("output");
    const std::uint64_t disk = 2 * VMMIO_BLOCK_SIZE;
    EXPECT_EQ(client->read(disk + VMMIO_REG_CONFIG, 4), (2u << 20) / 512);
}

TEST(Platform, AttachesAConsoleWithPorts) // MMIO-DEVID-01 CON-03 CON-04 CON-08
{
    program platform({"--control", "--console", "file:@console", "--console-size", "100x30",
                      "--port", "org.vmmio.test=listen:@port"},
                     [](const program &p) {
                         std::ofstream(p.file("input")) << "resize console 132x43\n"
                                                           "resize console 132\n"
                                                           "resize console 99999x1\n";
                     });
    ASSERT_TRUE(platform.is_ready()) << platform.text("output");
    auto client = platform.connect();
    const std::uint64_t console = 2 * VMMIO_BLOCK_SIZE;
    EXPECT_EQ(client->read(console + VMMIO_REG_DEVICE_ID, 4), 3u);
    EXPECT_EQ(client->read(console + VMMIO_REG_CONFIG + 4, 4), 2u) << "ports";
    for (const std::string answer :
         {"ok: resize console 132x43", "error: '132' is no size of a console: write e.g. 80x25",
          "error: '99999x1' is no size"})
        EXPECT_TRUE(platform.soon([&] {
            return platform.text("output").find(answer) != std::string::npos;
        })) << platform.text("output");
    EXPECT_EQ(client->read(console + VMMIO_REG_CONFIG, 4), 132u | 43u << 16);
    client->write(console + VMMIO_REG_CONFIG + 8, 'E', 4);
    EXPECT_TRUE(platform.soon([&] { return platform.text("console") == "E"; }));
    EXPECT_TRUE(fs::is_socket(platform.file("port")));
}

TEST(Platform, OffersTheRingsThatWereAskedFor) // FEAT-01
{
    constexpr std::uint32_t indirect = 1 << 28, event_idx = 1 << 29;
    program platform({"--rings", "rng=split", "--rings", "pmem=split+event_idx"});
    ASSERT_TRUE(platform.is_ready()) << platform.text("output");
    auto client = platform.connect();
    EXPECT_EQ(client->read(rng + VMMIO_REG_DEVICE_FEATURES, 4) & (indirect | event_idx), 0u);
    EXPECT_EQ(client->read(pmem + VMMIO_REG_DEVICE_FEATURES, 4) & (indirect | event_idx),
              event_idx);
}

#ifdef VMMIO_WITH_RTL
TEST(Platform, PutsItsDevicesOnVerilogRegisters) // MMIO-MAGIC-01
{
    for (const std::string form : {"rtl", "lockstep"}) {
        program platform({"--form", form, "--rings", "rng=split+in_order"});
        ASSERT_TRUE(platform.is_ready()) << platform.text("output");
        auto client = platform.connect();
        EXPECT_EQ(client->read(rng + VMMIO_REG_MAGIC_VALUE, 4), 0x74726976u);
        client->write(pmem + VMMIO_REG_STATUS, 1, 4);
        EXPECT_EQ(client->read(pmem + VMMIO_REG_STATUS, 4), 1u);
        client->finish();
        EXPECT_EQ(platform.exit_status(), 0);
        const nlohmann::json report = platform.report();
        for (const nlohmann::json &device : report.at("devices"))
            EXPECT_GT(device["clocks"], 0) << device;
    }
}
#endif

TEST(Platform, HasTheLegacyLayoutWhereItWasAskedFor) // MMIOL-01
{
    program platform({"--legacy", "rng"});
    ASSERT_TRUE(platform.is_ready()) << platform.text("output");
    auto client = platform.connect();
    EXPECT_EQ(client->read(rng + VMMIO_REG_VERSION, 4), 1u);
    EXPECT_EQ(client->read(pmem + VMMIO_REG_VERSION, 4), 2u);
}

TEST(Platform, EndsWithItsClientAndReportsWhatHappened)
{
    program platform;
    ASSERT_TRUE(platform.is_ready());
    auto client = platform.connect();
    client->write_config(0x10, 0xfebe0000, 4);
    client->write_config(0x04, 0x2, 2);
    client->write(pmem + VMMIO_REG_STATUS, 1, 4);
    client->read(rng + VMMIO_REG_STATUS, 4);
    const shared_memory memory(0x1000);
    client->map(memory, 0, 0x1000);
    client->finish();
    EXPECT_EQ(platform.exit_status(), 0);
    const nlohmann::json report = platform.report();
    EXPECT_EQ(report["register_accesses"], 2);
    EXPECT_EQ(report["messages"], 6);
    EXPECT_EQ(report["refused"], 0);
    EXPECT_EQ(report["dma_maps"], 1);
    EXPECT_EQ(report["irqs"], 0);
    EXPECT_EQ(report["bar0"], 0xfebe0000);
    EXPECT_TRUE(report["token_found"].is_null());
    ASSERT_EQ(report["devices"].size(), 2u);
    EXPECT_EQ(report["devices"][0]["device_id"], 4);
    EXPECT_EQ(report["devices"][0]["status"], 0);
    EXPECT_EQ(report["devices"][1]["device_id"], 27);
    EXPECT_EQ(report["devices"][1]["status"], 1) << "as it was when the client went";
    EXPECT_FALSE(fs::exists(platform.file("socket")));
}

TEST(Platform, KeepsListeningIfAskedAndStartsEachClientAfresh)
{
    program platform({"--keep-listening"});
    ASSERT_TRUE(platform.is_ready());
    auto first = platform.connect();
    first->write(pmem + VMMIO_REG_STATUS, 1, 4);
    first->finish();
    auto second = platform.connect();
    EXPECT_EQ(second->read(pmem + VMMIO_REG_STATUS, 4), 0u);
    second->finish();
    EXPECT_TRUE(platform.soon([&] { return !platform.text("report.json").empty(); }));
}

TEST(Platform, FindsTheRecordsOfTheGuestInAnyOrderAndNoOthers)
{
    program platform({"--find-token", token});
    ASSERT_TRUE(platform.is_ready());
    auto client = platform.connect();
    {
        std::fstream shm(platform.file("shm"), std::ios::in | std::ios::out | std::ios::binary);
        const auto put = [&shm](std::uint64_t offset, const std::array<std::uint8_t, 64> &bytes) {
            shm.seekp(static_cast<std::streamoff>(offset));
            shm.write(reinterpret_cast<const char *>(bytes.data()), bytes.size());
        };
        put(0x300000, record(0)); // behind its successors, as a file system may do
        put(0x100000, record(1));
        put(0x100040, record(2));
        put(0x200000, record(2)); // a second copy does not count
        auto wrong = record(3);
        wrong[63] ^= 1;
        put(0x200040, wrong);
        put(shm_size - 64, record(300));
    }
    client->finish();
    EXPECT_EQ(platform.exit_status(), 0);
    EXPECT_EQ(platform.report()["token_found"],
              (nlohmann::json{{"offset", 0x300000}, {"bytes", 4 * 64}}));
}

TEST(Platform, TracesEachRegisterAccess)
{
    program platform({"--trace", "@trace"});
    ASSERT_TRUE(platform.is_ready());
    auto client = platform.connect();
    client->read(rng + VMMIO_REG_MAGIC_VALUE, 4);
    client->write(pmem + VMMIO_REG_SHM_SEL, 7, 4);
    client->read(pmem + VMMIO_REG_CONFIG, 1);
    client->finish();
    EXPECT_EQ(platform.exit_status(), 0);
    std::istringstream lines(platform.text("trace"));
    const std::vector<std::string> expected = {"rng R 000 32 74726976 MagicValue",
                                               "pmem W 0ac 32 00000007 SHMSel",
                                               "pmem R 100 8 00 Config"};
    for (const std::string &line : expected) {
        std::string time, rest;
        lines >> time >> std::ws;
        std::getline(lines, rest);
        EXPECT_EQ(rest, line);
        EXPECT_NE(time.find('.'), std::string::npos) << "seconds: " << time;
    }
}

TEST(Platform, SaysWhatToChangeWhenItCannotStart)
{
    const std::vector<std::pair<std::vector<std::string>, std::string>> mistakes = {
        {{"--find-token", "123"}, "32 hexadecimal digits"},
        {{"--bar", "0x1234"}, "expected_bar0"},
        {{"--trace", "/nowhere/trace"}, "choose a file in a writable directory"},
        {{"--report", "/nowhere/report"}, "choose a file in a writable directory"},
        {{"--shm-file", "/nowhere/shm"}, "in a directory that exists"},
        {{"--shm-size", "16000000G"}, "make it smaller"},
        {{"--shm-size", "18446744073709551616"}, "--shm-size: '18446744073709551616' is no number"},
        {{"--shm-size", "-4096"}, "--shm-size: '-4096' is no number"},
        {{"--shm-size", "0"}, "at least one byte"},
        {{"--shm-base", "0"}, "not 0"},
        {{"--socket", std::string(200, 'a')}, "choose a shorter one"},
        {{"--no-such-option"}, "--no-such-option"},
        {{"--form", "vhdl"}, "tlm,rtl,lockstep"},
        {{"--fst", "/tmp"}, "only the Verilog form writes FST files"},
        {{"--disk", "/nowhere/disk"}, "cannot use \"/nowhere/disk\" as a disk"},
        {{"--rings", "rng"}, "write e.g. disk=packed+event_idx"},
        {{"--rings", "rng=square"}, "'square' is nothing that rings have"},
        {{"--rings", "disk=split"}, "there is no device 'disk': the devices are rng, pmem"},
        {{"--legacy", "disk"}, "--legacy: there is no device 'disk': the devices are rng, pmem"},
        {{"--legacy", "pmem"}, "has no legacy interface"},
    };
    for (const auto &[options, words] : mistakes) {
        program platform(options);
        EXPECT_GT(platform.exit_status(), 0) << words;
        EXPECT_NE(platform.text("output").find(words), std::string::npos)
            << platform.text("output");
    }
}
