/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of docs/state.md: streams are walked by them, and every value is where they say. */
#include "blk_rig.h"
#include "console_rig.h"
#include "legacy_driver.h"
#include "net_rig.h"

#include <fstream>

namespace vmmio::tb
{
namespace
{

struct field {
    size_t bytes;
    std::string name; /* up to a colon */
};

/* By their title, the heading of the second column. */
std::map<std::string, std::vector<field>> tables_of(const std::string &path)
{
    std::map<std::string, std::vector<field>> tables;
    std::ifstream file(path);
    std::string title;
    for (std::string line; std::getline(file, line);) {
        const size_t second = line.find('|', 1), end = line.rfind(" |");
        if (line.empty() || line[0] != '|' || second == std::string::npos || end <= second) {
            title.clear();
            continue;
        }
        const std::string left = line.substr(2, second - 3);
        const std::string right = line.substr(second + 2, end - second - 2);
        if (left == "bytes")
            title = right;
        else if (!title.empty() && left.find_first_not_of("0123456789") == std::string::npos)
            tables[title].push_back({std::stoul(left), right.substr(0, right.find(':'))});
    }
    return tables;
}

/* A stream, read from front to back. */
class walk
{
public:
    explicit walk(bytes state) : state_(std::move(state)) { read("field"); }

    /** The fields of a table; a bool is one. */
    std::map<std::string, uint64_t> read(const std::string &table)
    {
        static const auto tables = tables_of(VMMIO_DOCS "/state.md");
        std::map<std::string, uint64_t> values;
        const auto found = tables.find(table);
        if (found == tables.end()) {
            ADD_FAILURE() << "no table " << table;
            return values;
        }
        for (const field &f : found->second) {
            const uint64_t value = number(f.bytes);
            EXPECT_TRUE(values.emplace(f.name, value).second) << f.name << " twice";
            if (f.name.find("(bool)") != std::string::npos) {
                EXPECT_LE(value, 1u) << f.name;
            }
        }
        return values;
    }

    uint64_t number(size_t length)
    {
        uint64_t value = 0;
        const bytes raw = take(length);
        for (size_t i = 0; i < raw.size() && i < 8; i++)
            value |= uint64_t{raw[i]} << 8 * i;
        return value;
    }

    bytes take(size_t length)
    {
        if (length > state_.size() - at_) {
            ADD_FAILURE() << "the stream ends before the tables do";
            return {};
        }
        at_ += length;
        return {state_.begin() + long(at_ - length), state_.begin() + long(at_)};
    }

    void begin(const std::string &name)
    {
        const auto head = read("section");
        std::string found;
        for (unsigned i = 0; i < 4; i++)
            found += char(head.at("name") >> 8 * i);
        EXPECT_EQ(found, name);
        end_ = at_ + head.at("length of what follows in it");
    }
    void end() { EXPECT_EQ(at_, end_) << "the section is longer than its tables"; }
    void finish() { EXPECT_EQ(at_, state_.size()); }

private:
    bytes state_;
    size_t at_ = 0, end_ = 0;
};

/* The sections that all devices have, as far as func. */
struct general {
    std::map<std::string, uint64_t> devi, devi2, regs;
    std::vector<std::map<std::string, uint64_t>> regions, queues, requests, segments;
    std::vector<uint64_t> size_max, list;
    bytes config;

    explicit general(walk &w)
    {
        w.begin("devi");
        devi = w.read("devi");
        for (uint64_t i = 0; i < devi.at("number of queues"); i++)
            size_max.push_back(w.number(4));
        devi2 = w.read("devi, continued");
        for (uint64_t i = 0; i < devi2.at("number of regions"); i++)
            regions.push_back(w.read("region"));
        w.end();
        w.begin("regs");
        regs = w.read("regs");
        config = w.take(devi2.at("length of the config space"));
        const bool legacy = devi.at("register layout") == 1;
        if (legacy)
            regs.merge(w.read("legacy regs"));
        w.end();
        w.begin("queu");
        for (uint64_t i = 0; i < devi.at("number of queues"); i++) {
            const auto more = legacy ? w.read("legacy queue") : std::map<std::string, uint64_t>{};
            queues.push_back(w.read("queue"));
            queues.back().insert(more.begin(), more.end());
            for (uint64_t n = queues.back().at("number of requests in the function"); n; n--) {
                requests.push_back(w.read("request"));
                for (uint64_t k = requests.back().at("number of segments"); k; k--)
                    segments.push_back(w.read("segment"));
            }
        }
        for (uint64_t n = w.number(4); n; n--)
            list.push_back(w.number(4));
        w.end();
        w.begin("func");
    }
};

void finish(walk &w)
{
    w.end();
    w.begin("time");
    EXPECT_EQ(w.read("time").at("until the running reset ends"), 0u);
    w.end();
    w.finish();
}

TEST(state_layout, of_the_legacy_registers)
{
    null_function null;
    rig_options options;
    options.legacy = true;
    rig r(null.function, options);
    legacy_driver driver(r);
    driver.go_live(0, 1, 16, {4096, 64});
    walk w(r.save());
    general g(w);
    finish(w);
    EXPECT_EQ(g.devi.at("register layout"), 1u);
    EXPECT_EQ(g.regs.at("features are taken over (bool)"), 1u);
    EXPECT_EQ(g.regs.at("GuestPageSize"), 4096u);
    EXPECT_EQ(g.queues[0].at("QueueAlign"), 64u);
    EXPECT_EQ(g.queues[0].at("QueuePFN, as last written"), r.queue(0).desc / 4096);
    EXPECT_EQ(g.queues[0].at("QueueDesc"), r.queue(0).desc);
    EXPECT_EQ(g.queues[0].at("QueueDevice"), r.queue(0).device);
}

TEST(state_layout, of_the_registers_and_queues)
{
    test_function function(2);
    function.config = {1, 2, 3, 4, 5};
    function.use_config();
    rig r(function.function());
    const vmmio_shm_region a = {9, 0x123456789abc, 0x1000}, b = {3, 0x10000, 0x2000};
    ASSERT_EQ(vmmio_shm_add(&r.device.block.shm, &a), VMMIO_ERROR_OK);
    ASSERT_EQ(vmmio_shm_add(&r.device.block.shm, &b), VMMIO_ERROR_OK);
    r.go_live(feature_set({VMMIO_F_VERSION_1, VMMIO_F_EVENT_IDX}), 2, 16);
    ASSERT_TRUE(r.exchange({r.writable(4)}));
    function.hold();
    const piece in = r.readable(5), out = r.writable(6);
    r.serve({in, out});
    r.guest.kick(1);
    r.write(VMMIO_REG_SHM_SEL, 9);
    r.write(VMMIO_REG_DEVICE_FEATURES_SEL, 3);
    r.write(VMMIO_REG_INTERRUPT_ACK, 0x10);

    walk w(r.save());
    general g(w);
    finish(w);
    EXPECT_EQ(g.devi.at("DeviceID"), uint64_t{VMMIO_ID_NULL});
    EXPECT_EQ(g.devi.at("VendorID"), vendor);
    EXPECT_EQ(g.devi.at("register layout"), 2u);
    EXPECT_EQ(g.devi.at("DeviceFeatures, word 1"), r.guest.offered().word[1]);
    EXPECT_EQ(g.size_max, (std::vector<uint64_t>{256, 256}));
    EXPECT_EQ(g.regions.at(0).at("id"), 3u);
    EXPECT_EQ(g.regions.at(1).at("base"), 0x123456789abcu);
    EXPECT_EQ(g.regions.at(1).at("length"), 0x1000u);
    EXPECT_EQ(g.config, function.config);
    EXPECT_EQ(g.regs.at("Status"), 15u);
    EXPECT_EQ(g.regs.at("DeviceFeaturesSel"), 3u);
    EXPECT_EQ(g.regs.at("DriverFeaturesSel"), 3u);
    EXPECT_EQ(g.regs.at("DriverFeatures, word 0"), 1u << VMMIO_F_EVENT_IDX);
    EXPECT_EQ(g.regs.at("DriverFeatures, word 1"), 1u);
    EXPECT_EQ(g.regs.at("QueueSel"), 1u);
    EXPECT_EQ(g.regs.at("QueueNotify, as last written"), 1u);
    EXPECT_EQ(g.regs.at("InterruptStatus"), 1u);
    EXPECT_EQ(g.regs.at("InterruptACK, as last written"), 0x10u);
    EXPECT_EQ(g.regs.at("SHMSel"), 9u);
    EXPECT_EQ(g.regs.at("SHMLen"), 0x1000u);
    EXPECT_EQ(g.regs.at("SHMBase"), 0x123456789abcu);
    EXPECT_EQ(g.regs.at("SHMSel was never written (bool)"), 0u);
    const auto &q = g.queues.at(0);
    EXPECT_EQ(q.at("QueueSize"), 16u);
    EXPECT_EQ(q.at("QueueDesc"), r.queue(0).desc);
    EXPECT_EQ(q.at("QueueDriver"), r.queue(0).driver);
    EXPECT_EQ(q.at("QueueDevice"), r.queue(0).device);
    EXPECT_EQ(q.at("QueueReady (bool)"), 1u);
    EXPECT_EQ(q.at("in operation (bool)"), 1u);
    EXPECT_EQ(q.at("position at which a kick was last asked for; 2^32-1"), 2u);
    EXPECT_EQ(q.at("position of the next buffer to take"), 2u);
    EXPECT_EQ(q.at("position of the next buffer to give back"), 1u);
    EXPECT_EQ(q.at("position up to which the driver sees them"), 1u);
    EXPECT_EQ(q.at("number of requests in the function"), 1u);
    EXPECT_EQ(g.requests.at(0).at("number of device-readable segments"), 1u);
    ASSERT_EQ(g.segments.size(), 2u);
    EXPECT_EQ(g.segments[0].at("address"), in.address);
    EXPECT_EQ(g.segments[0].at("length"), 5u);
    EXPECT_EQ(g.segments[1].at("address"), out.address);
    EXPECT_EQ(g.list, std::vector<uint64_t>{1});
}

TEST(state_layout, of_a_block_device)
{
    blk_rig b;
    b.go_live();
    b.r->write(0x120, 0, 1);
    walk w(b.r->save());
    general g(w);
    const auto f = w.read("block");
    EXPECT_EQ(f.at("capacity in sectors"), 64u);
    EXPECT_EQ(f.at("write through (bool)"), 1u);
    finish(w);
}

TEST(state_layout, of_a_console)
{
    console_options options;
    options.ports = 2;
    options.prepare = [](std::vector<vmmio_console_port> &ports) { ports[1].cols = 132; };
    console_rig c(options);
    c.greet();
    c.tell(1, 6, 1);
    c.budget = 3;
    c.offer(1, {c.readable(bytes_of("stuck"))});
    c.arrive(bytes_of("ahead"), 1);
    c.r->write(0x108, 0x41, 4);
    walk w(c.r->save());
    general g(w);
    const auto f = w.read("console");
    EXPECT_EQ(f.at("emerg_wr, as last written"), 0x41u);
    EXPECT_EQ(f.at("the driver said DEVICE_READY (bool)"), 1u);
    const auto zero = w.read("port");
    EXPECT_EQ(zero.at("output waits for the host (bool)"), 1u);
    EXPECT_EQ(zero.at("bytes of the next output buffer that are sent"), 3u);
    EXPECT_EQ(zero.at("opened by the driver (bool)"), 0u);
    const auto one = w.read("port");
    EXPECT_EQ(one.at("columns"), 132u);
    EXPECT_EQ(one.at("opened by the driver (bool)"), 1u);
    EXPECT_EQ(w.take(one.at("bytes of input that wait")), bytes_of("ahead"));
    finish(w);
}

TEST(state_layout, of_a_network_device)
{
    net_options options;
    options.config.pairs = 2;
    net_rig n(options);
    n.go_live();
    EXPECT_EQ(n.control(1, 1, {0x52, 1, 2, 3, 4, 5}), 0u);
    EXPECT_EQ(n.control(0, 1, {1}), 0u);
    EXPECT_EQ(n.control(4, 0, {2, 0}), 0u);
    EXPECT_EQ(n.control(2, 0, {77, 0}), 0u);
    EXPECT_EQ(n.control(1, 0, {1, 0, 0, 0, 2, 2, 2, 2, 2, 2, 0, 0, 0, 0}), 0u);
    const bytes frame = plain_frame(60, {0x52, 1, 2, 3, 4, 5});
    EXPECT_TRUE(n.arrive(frame));

    walk w(n.r->save());
    general g(w);
    const auto f = w.read("net");
    EXPECT_EQ(f.at("link is up (bool)"), 1u);
    EXPECT_EQ(f.at("mac"), 0x050403020152u);
    EXPECT_EQ(f.at("queue pairs in use"), 2u);
    EXPECT_EQ(f.at("modes, by command of class RX"), 0x100u);
    EXPECT_EQ(w.number(4), 1u);
    EXPECT_EQ(w.take(6), (bytes{2, 2, 2, 2, 2, 2}));
    EXPECT_EQ(w.number(4), 0u);
    EXPECT_EQ(w.take(512).at(77 / 8), 1u << 77 % 8);
    w.take(2 * 256);
    std::vector<bytes> frames;
    for (unsigned pair = 0; pair < 2; pair++)
        for (uint64_t count = w.number(4); count; count--) {
            const auto head = w.read("frame");
            EXPECT_EQ(head.at("flags"), 0u);
            frames.push_back(w.take(head.at("length")));
        }
    EXPECT_EQ(frames, std::vector<bytes>{frame});
    finish(w);
}

} // namespace
} // namespace vmmio::tb
