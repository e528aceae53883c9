/* SPDX-License-Identifier: Apache-2.0 */
#include "replay.h"

#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <sstream>

namespace vmmio::tb
{

std::vector<trace_access> load_trace(const std::string &file, const std::string &device)
{
    std::vector<trace_access> accesses;
    std::ifstream input(file);
    std::string line;

    while (std::getline(input, line)) {
        std::istringstream fields(line);
        std::string time, who, direction;
        uint32_t offset = 0, bits = 0;
        uint64_t value = 0;
        fields >> time >> who >> direction >> std::hex >> offset >> std::dec >> bits >> std::hex >>
            value;
        if (fields && who == device)
            accesses.push_back(
                {time, direction == "W", offset, bits / 8, static_cast<uint32_t>(value)});
    }
    return accesses;
}

namespace
{

class player
{
public:
    player(const datasheet &sheet, subject dut) : sheet_(sheet), oracle_(sheet), dut_(dut) {}

    void play(const trace_access &access)
    {
        if (access.write)
            write(access);
        else
            read(access);
        EXPECT_EQ(dut_.interrupt(), oracle_.line()) << "MMIO-IRQ-01";
    }

    replay_counts counts;

private:
    void read(const trace_access &access)
    {
        const uint32_t value = dut_.registers.read(access.offset, access.width);
        const std::optional<uint32_t> expected = oracle_.expect(access.offset, access.width);

        EXPECT_EQ(value, expected.value_or(value)) << std::hex << "read of 0x" << access.offset;
        oracle_.saw(access.offset, value);
        counts.reads++;
    }

    void write(const trace_access &access)
    {
        uint32_t value = access.value;

        /* The recorded driver accepted what it was offered then; this one offers other bits. */
        if (access.offset == VMMIO_REG_DRIVER_FEATURES)
            value &= oracle_.offered_word(oracle_.driver_features_sel());
        if (access.offset == VMMIO_REG_QUEUE_READY && value == 1)
            make_ring();
        const bool served = access.offset == VMMIO_REG_QUEUE_NOTIFY && offer(value);

        dut_.registers.write(access.offset, value, access.width);
        oracle_.wrote(access.offset, value);
        dut_.settle();
        counts.writes++;
        if (served)
            judge_used(value);
    }

    /* The recorded driver has zeroed its ring by now. */
    void make_ring()
    {
        const oracle::queue_state &q = oracle_.queue_at(oracle_.selected_queue());
        ring_ = std::make_unique<virtqueue>(dut_.memory, q.desc, q.driver, q.device, q.size);
    }

    bool offer(uint32_t queue)
    {
        if (!oracle_.live() || !oracle_.queue_ready(queue)) {
            counts.ignored_kicks++;
            return false;
        }
        dut_.memory.fill(buffer, 64, 0);
        ring_->offer(sheet_.device_id == VMMIO_ID_PMEM
                         ? ring_->add({{buffer, 4, false}, {buffer + 8, 4, true}})
                         : ring_->add({{buffer, 64, true}}));
        dut_.memory.store32(buffer + 8, 0x55555555);
        return true;
    }

    void judge_used(uint32_t queue)
    {
        const std::optional<used_entry> used = ring_->reap();
        ASSERT_TRUE(used.has_value()) << "queue " << queue;
        if (sheet_.device_id == VMMIO_ID_PMEM) {
            EXPECT_EQ(used->length, 4u);
            EXPECT_EQ(dut_.memory.load32(buffer + 8), 0u) << "PMEM-08";
        } else {
            EXPECT_GE(used->length, 1u) << "RNG-04";
            EXPECT_LE(used->length, 64u);
        }
        oracle_.used_a_buffer();
        counts.buffers++;
    }

    static constexpr uint64_t buffer = 0x10000000;

    datasheet sheet_;
    oracle oracle_;
    subject dut_;
    std::unique_ptr<virtqueue> ring_;
};

} // namespace

replay_counts replay(const std::vector<trace_access> &trace, const datasheet &sheet, subject dut)
{
    player p(sheet, dut);

    for (const trace_access &access : trace) {
        SCOPED_TRACE("at " + access.time);
        p.play(access);
        if (::testing::Test::HasFailure())
            break; /* what follows is no news */
    }
    return p.counts;
}

} // namespace vmmio::tb
