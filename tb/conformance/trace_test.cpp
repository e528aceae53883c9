/* SPDX-License-Identifier: Apache-2.0 */
/* Unmodified Linux drivers against the C model. */
#include "replay.h"
#include "rig.h"

#include <algorithm>

namespace vmmio::tb
{
namespace
{

class trace : public ::testing::TestWithParam<const char *>
{
protected:
    /* The whole of a recorded driver's life with this function. */
    void live_through(vmmio_function &function, const char *device, datasheet sheet)
    {
        const std::vector<trace_access> accesses =
            load_trace(std::string(VMMIO_TRACES "/linux-") + GetParam() + ".txt", device);
        ASSERT_GT(accesses.size(), 100u);
        for (const dma_mode mode : {dma_mode::pointer, dma_mode::transaction}) {
            rig_options options;
            options.mode = mode;
            rig r(function, options);
            r.memory.add_ram(0, 0x20000000); /* the recorded guest had 512 MiB */
            if (sheet.has_region) {
                const vmmio_shm_region region = {0, sheet.region_base, sheet.region_length};
                ASSERT_EQ(vmmio_shm_add(vmmio_device_shm(&r.device), &region), VMMIO_ERROR_OK);
            }
            const replay_counts counts =
                replay(accesses, sheet, {r, r.memory, [&r] { r.run(); }, [&r] { return r.line; }});
            EXPECT_EQ(counts.reads + counts.writes, accesses.size());
            const auto kicks =
                std::count_if(accesses.begin(), accesses.end(), [](const trace_access &a) {
                    return a.write && a.offset == VMMIO_REG_QUEUE_NOTIFY;
                });
            EXPECT_EQ(counts.buffers + counts.ignored_kicks, static_cast<size_t>(kicks));
            EXPECT_GE(counts.buffers, 5u);
            EXPECT_EQ(r.count(VMMIO_DIAG_NOTIFY_EARLY), counts.ignored_kicks);
        }
    }
    static datasheet sheet_of(uint32_t id, std::initializer_list<unsigned> own_bits)
    {
        datasheet sheet = {};
        sheet.device_id = id;
        sheet.vendor_id = vendor;
        sheet.offered = feature_set({28, 29, 32, 38, 40, 43});
        for (const unsigned bit : own_bits)
            vmmio_features_add(&sheet.offered, bit);
        sheet.queue_count = 1;
        sheet.queue_size_max = 256;
        return sheet;
    }
};

INSTANTIATE_TEST_SUITE_P(linux, trace, ::testing::Values("6.1", "6.12"), [](const auto &version) {
    std::string name = std::string("linux_") + version.param;
    std::replace(name.begin(), name.end(), '.', '_');
    return name;
});

TEST_P(trace, entropy)
{
    ROWS("STAT-02", "MMIO-INIT-02", "MMIO-QREADY-01", "MMIO-INTSTAT-01", "MMIO-INTACK-01",
         "MMIO-IRQ-01", "MMIO-RST-01", "RNG-01", "RNG-04", "FEAT-13", "A-WIDTH", "A-64");
    vmmio_entropy function;
    vmmio_entropy_init(&function, nullptr);
    live_through(function.function, "rng", sheet_of(4, {}));
}

TEST_P(trace, pmem)
{
    ROWS("STAT-02", "MMIO-INIT-02", "MMIO-SHM-01", "MMIO-SHM-02", "MMIO-SHM-04", "A-SHM-8",
         "MMIO-GEN-01", "PMEM-02", "PMEM-03", "PMEM-04", "PMEM-06", "PMEM-08", "A-QNOTIFY-EARLY");
    datasheet sheet = sheet_of(27, {0});
    sheet.has_region = true;
    sheet.region_base = 0x3456789000; /* not where the recorded device had it */
    sheet.region_length = 0x108000000;
    vmmio_pmem_config config = {};
    config.start = sheet.region_base;
    config.size = sheet.region_length;
    vmmio_pmem function;
    ASSERT_EQ(vmmio_pmem_init(&function, &config), VMMIO_ERROR_OK);
    live_through(function.function, "pmem", sheet);
}

} // namespace
} // namespace vmmio::tb
