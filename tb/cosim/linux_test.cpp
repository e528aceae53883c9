/* SPDX-License-Identifier: Apache-2.0 */
/* The accesses of unmodified Linux drivers to five devices, played to both forms; what the
 * specification says that they answer is judged as well. */
#include "pair.h"
#include "replay.h"
#include "rows.h"

#include <algorithm>

namespace vmmio::tb
{
namespace
{

class recorded_driver
{
public:
    recorded_driver() : oracle_(sheet())
    {
        p_.back.answers.accept_config = false;
        if (region_count)
            p_.set_region({0, sheet().region_base, sheet().region_length});
    }

    void play(const trace_access &a)
    {
        if (a.write)
            write(a);
        else
            read(a);
        EXPECT_EQ(p_.pins().irq, oracle_.line()) << "MMIO-IRQ-01";
        played++;
    }

    unsigned played = 0, kicks = 0, interrupts = 0;

private:
    static datasheet sheet()
    {
        datasheet s = {};
        s.device_id = 42;
        s.vendor_id = 0x6f696d76;
        s.offered = offered();
        s.queue_count = std::min(queue_count, 2u); // as many as the oracle follows
        s.queue_size_max = size_max(0);
        s.has_region = region_count != 0;
        s.region_base = 0x3456789000;
        s.region_length = 0x108000000;
        return s;
    }

    void read(const trace_access &a)
    {
        if (a.offset == VMMIO_REG_INTERRUPT_STATUS && oracle_.live())
            raise(a.value);
        const uint32_t value = p_.read(a.offset) >> 8 * (a.offset % 4);
        if (a.width != 4) // a bus of 32 bits has no narrow reads, and two of them for a wide one
            return;
        const bool of_queue =
            a.offset == VMMIO_REG_QUEUE_SIZE_MAX || a.offset == VMMIO_REG_QUEUE_READY;
        if (of_queue && oracle_.selected_queue() >= sheet().queue_count)
            return;
        const uint32_t expected = of_queue && a.offset == VMMIO_REG_QUEUE_SIZE_MAX
                                      ? size_max(oracle_.selected_queue())
                                      : oracle_.expect(a.offset, 4).value_or(value);
        EXPECT_EQ(value, expected) << std::hex << "read of 0x" << a.offset;
        oracle_.saw(a.offset, value);
    }

    /* The recorded device interrupted at this time. */
    void raise(uint32_t bits)
    {
        if (bits & VMMIO_INTERRUPT_USED_BUFFER) {
            p_.used_buffer();
            oracle_.used_a_buffer();
        }
        if (bits & VMMIO_INTERRUPT_CONFIG_CHANGE) {
            p_.regions_changed();
            oracle_.changed();
        }
        interrupts += bits != 0;
    }

    /* The recorded device offered other features and larger queues. */
    void write(const trace_access &a)
    {
        const uint32_t queue = oracle_.selected_queue();
        uint32_t value = a.value;

        if (a.offset == VMMIO_REG_DRIVER_FEATURES)
            value &= oracle_.driver_features_sel() == 0
                         ? oracle_.offered_word(0) & 0xff000000 // the others mean another device's
                         : oracle_.offered_word(oracle_.driver_features_sel());
        if (a.offset == VMMIO_REG_QUEUE_SIZE && queue < queue_count)
            value = std::min(value, size_max(queue));
        const uint64_t events = p_.board.events;
        const bool told = a.offset == VMMIO_REG_QUEUE_NOTIFY && value < sheet().queue_count &&
                          oracle_.live() && oracle_.queue_ready(value);
        p_.write_bytes(a.offset, value << 8 * (a.offset % 4),
                       ((1u << a.width) - 1) << a.offset % 4);
        oracle_.wrote(a.offset, value);
        if (told) {
            EXPECT_EQ(p_.board.events, events + 1) << "a kick";
            kicks++;
        }
    }

    pair p_;
    oracle oracle_;
};

TEST(linux_driver, of_every_device_and_version)
{
    ROWS("INIT-01", "MMIO-INIT-02", "MMIO-IRQ-01", "MMIO-SHM-01", "MMIO-GEN-01", "FEAT-13",
         "STAT-02", "MMIO-RST-01");
    for (const char *version : {"6.1", "6.12"}) {
        const std::string file = std::string(VMMIO_TRACES "/linux-") + version + ".txt";
        for (const char *device : {"rng", "pmem", "blk", "fs", "net"}) {
            SCOPED_TRACE(std::string(version) + " " + device);
            const std::vector<trace_access> trace = load_trace(file, device);
            ASSERT_GT(trace.size(), 50u);
            recorded_driver driver;
            for (const trace_access &a : trace) {
                SCOPED_TRACE("at " + a.time);
                driver.play(a);
                if (HasFailure())
                    return; // what follows is no news
            }
            EXPECT_EQ(driver.played, trace.size());
            // The file system was not mounted.
            EXPECT_EQ(driver.interrupts != 0, std::string(device) != "fs");
            EXPECT_EQ(driver.kicks != 0, std::string(device) != "fs");
        }
    }
}

} // namespace
} // namespace vmmio::tb
