/* SPDX-License-Identifier: Apache-2.0 */
/* The legacy interface: Version 1, rings by page number, no FEATURES_OK. */
#include "legacy_driver.h"

#include "vmmio/dev/pmem.h"

#include <set>

namespace vmmio::tb
{
namespace
{

constexpr uint32_t any_layout = 1u << 27, indirect = 1u << 28, event_idx = 1u << 29;

class legacy : public ::testing::TestWithParam<dma_mode>
{
protected:
    static rig_options options()
    {
        rig_options o;
        o.mode = GetParam();
        o.legacy = true;
        return o;
    }
    vmmio_function &with_config()
    {
        function.config = {1, 2, 3, 4};
        function.use_config();
        return function.function();
    }
    std::optional<used_entry> exchange() { return r->exchange({r->writable(64)}); }

    test_function function{3};
    std::unique_ptr<rig> r = std::make_unique<rig>(with_config(), options());
    legacy_driver driver{*r};
};

INSTANTIATE_TEST_SUITE_P(memory, legacy, every_dma_mode(), dma_mode_name);

TEST_P(legacy, says_what_it_is)
{
    ROWS("MMIOL-01", "MMIOL-02", "FEAT-L1", "RFB-L2");
    EXPECT_EQ(r->read(VMMIO_REG_MAGIC_VALUE), 0x74726976u);
    EXPECT_EQ(r->read(VMMIO_REG_VERSION), 1u);
    const vmmio_features offered = r->guest.offered();
    EXPECT_EQ(offered.word[0], any_layout | indirect | event_idx);
    for (int i = 1; i < 4; i++)
        EXPECT_EQ(offered.word[i], 0u) << "word " << i;
}

TEST_P(legacy, has_no_modern_register)
{
    ROWS("MMIOL-11");
    driver.go_live();
    const uint32_t status = r->guest.status();
    const uint32_t pfn = driver.pfn(0);
    for (uint32_t offset = 0x044; offset < 0x100; offset += 4) {
        if (offset == VMMIO_REG_QUEUE_NOTIFY || offset == VMMIO_REG_INTERRUPT_STATUS ||
            offset == VMMIO_REG_INTERRUPT_ACK || offset == VMMIO_REG_STATUS)
            continue;
        r->forget();
        EXPECT_EQ(r->read(offset), 0u) << offset;
        r->write(offset, 1);
        EXPECT_EQ(r->count(VMMIO_DIAG_HOLE), 2u) << offset;
        EXPECT_EQ(vmmio_block_peek(&r->device.block, offset), 0u) << offset;
        EXPECT_FALSE(vmmio_block_poke(&r->device.block, offset, 1)) << offset;
    }
    EXPECT_EQ(r->guest.status(), status);
    EXPECT_EQ(driver.pfn(0), pfn);
    EXPECT_TRUE(exchange());
}

TEST_P(legacy, finds_the_ring_by_page_and_alignment)
{
    ROWS("MMIOL-03", "MMIOL-04", "MMIOL-06", "MMIOL-10", "MMIOL-12", "SPLIT-L1", "SPLIT-L3");
    for (const legacy_pages pages : {legacy_pages{4096, 4096},
                                     {4096, 4},
                                     {4096, 64},
                                     {256, 256},
                                     {65536, 4096},
                                     {4096, 65536},
                                     {16, 16}}) {
        for (const uint32_t size : {1u, 2u, 64u, 256u}) {
            driver.go_live(0, 2, size, pages);
            const auto used = exchange();
            ASSERT_TRUE(used) << pages.page << " " << pages.align << " " << size;
            EXPECT_EQ(used->length, 0u);
            EXPECT_EQ(r->guest.interrupts(), 1u);
            r->guest.acknowledge(1);
            r->queue(1).offer(r->queue(1).add({r->writable(64)}));
            r->guest.kick(1);
            r->run();
            EXPECT_TRUE(r->queue(1).reap());
        }
    }
    EXPECT_TRUE(r->diagnostics.empty());
}

TEST_P(legacy, shows_the_page_number_while_the_queue_is_in_use)
{
    ROWS("MMIOL-05", "MMIOL-07", "MMIOL-08", "MMIOL-09", "MMIOL-13");
    driver.go_live(0, 2);
    EXPECT_EQ(r->read_queue(0, VMMIO_REG_QUEUE_SIZE_MAX), 256u);
    const uint32_t page = static_cast<uint32_t>(r->queue(0).desc / 4096);
    EXPECT_EQ(driver.pfn(0), page);
    EXPECT_EQ(driver.pfn(2), 0u);
    EXPECT_EQ(driver.pfn(3), 0u) << "there is no such queue";
    EXPECT_EQ(vmmio_block_peek(&r->device.block, VMMIO_REG_QUEUE_ALIGN), 0u);

    r->write_queue(0, VMMIO_REG_QUEUE_PFN, page + 1);
    EXPECT_EQ(driver.pfn(0), page) << "it is in use";
    EXPECT_EQ(r->count(VMMIO_DIAG_QUEUE_LOCKED), 1u);

    r->write_queue(0, VMMIO_REG_QUEUE_PFN, 0);
    EXPECT_EQ(driver.pfn(0), 0u);
    EXPECT_NE(driver.pfn(1), 0u) << "the other one goes on";
    r->queue(0).offer(r->queue(0).add({r->writable(64)}));
    r->guest.kick(0);
    r->run();
    EXPECT_FALSE(r->queue(0).reap());
    r->queue(1).offer(r->queue(1).add({r->writable(64)}));
    r->guest.kick(1);
    r->run();
    EXPECT_TRUE(r->queue(1).reap());

    r->guest.reset();
    EXPECT_EQ(driver.pfn(0), 0u);
    EXPECT_EQ(driver.pfn(1), 0u);
    driver.go_live();
    EXPECT_TRUE(exchange());
}

TEST_P(legacy, keeps_the_page_size_over_a_reset)
{
    ROWS("MMIOL-03", "MMIOL-09");
    r->write(VMMIO_REG_GUEST_PAGE_SIZE, 4096); /* as Linux does it: once, before the reset */
    driver.begin();
    const virtqueue q = driver.lay_out(16);
    r->write_queue(0, VMMIO_REG_QUEUE_SIZE, 16);
    r->write(VMMIO_REG_QUEUE_ALIGN, 4096);
    r->write(VMMIO_REG_QUEUE_PFN, static_cast<uint32_t>(q.desc / 4096));
    EXPECT_EQ(driver.pfn(0), q.desc / 4096);
}

TEST_P(legacy, a_queue_taken_out_of_use_is_let_go)
{
    ROWS("MMIOL-07");
    function.hold();
    driver.go_live();
    r->serve({r->writable(64)});
    ASSERT_EQ(function.held.size(), 1u);
    r->write_queue(0, VMMIO_REG_QUEUE_PFN, 0);
    EXPECT_EQ(driver.pfn(0), 0u);
    EXPECT_TRUE(function.held[0]->cancelled);
    vmmio_request_complete(function.held[0], 64);
    r->run();
    EXPECT_EQ(r->queue(0).used_idx(), 0u);
    function.on_request = [](vmmio_request *request) { vmmio_request_complete(request, 1); };
    driver.make_queues();
    const auto used = exchange();
    ASSERT_TRUE(used);
    EXPECT_EQ(used->length, 1u);
}

TEST_P(legacy, works_without_features_ok_and_before_driver_ok)
{
    ROWS("INIT-L1", "INIT-L3", "FEAT-L3");
    driver.begin();
    driver.make_queues();
    EXPECT_TRUE(exchange());
    EXPECT_EQ(r->guest.interrupts(), 1u);
    r->guest.acknowledge(1);
    r->guest.add_status(VMMIO_STATUS_FEATURES_OK);
    EXPECT_EQ(r->guest.status(), 0x03u) << "no such bit";
    EXPECT_EQ(r->count(VMMIO_DIAG_STATUS_ORDER), 1u);
    r->queue(0).offer(r->queue(0).add({r->writable(64)}));
    r->guest.start();
    EXPECT_EQ(r->guest.status(), 0x07u);
    r->run();
    EXPECT_TRUE(r->queue(0).reap()) << "looked at without a kick";
    r->guest.add_status(VMMIO_STATUS_SUSPEND);
    EXPECT_EQ(r->guest.status(), 0x07u);
}

TEST_P(legacy, takes_features_over_when_the_first_queue_is_used)
{
    ROWS("FEAT-L2", "INIT-L1", "RFB-L3");
    std::set<uint32_t> seen;
    function.on_features_ok = [&](const vmmio_features &negotiated) {
        EXPECT_FALSE(vmmio_features_has(&negotiated, VMMIO_F_VERSION_1));
        seen.insert(negotiated.word[0]);
        return true;
    };
    driver.begin(0x40000001 | event_idx);
    r->write(VMMIO_REG_DRIVER_FEATURES_SEL, 1);
    r->write(VMMIO_REG_DRIVER_FEATURES, 0xffffffff);
    driver.make_queues(2);
    r->guest.start();
    EXPECT_EQ(seen, std::set<uint32_t>{event_idx}) << "what is not offered does not count";
    EXPECT_EQ(r->count(VMMIO_DIAG_FEATURE_NOT_OFFERED), 2u);
    r->write(VMMIO_REG_DRIVER_FEATURES_SEL, 0);
    r->write(VMMIO_REG_DRIVER_FEATURES, indirect);
    EXPECT_EQ(r->count(VMMIO_DIAG_FEATURE_LATE), 1u);
    EXPECT_TRUE(exchange());
    EXPECT_EQ(r->queue(0).avail_event(), 1u) << "as EVENT_IDX asks";

    driver.begin(indirect);
    r->guest.start(); /* or at DRIVER_OK */
    EXPECT_EQ(seen, (std::set<uint32_t>{event_idx, indirect}));
    driver.make_queues();
    const uint16_t head = r->queue(0).add_indirect({r->readable(8), r->writable(64)}, r->alloc(32));
    r->queue(0).offer(head);
    r->guest.kick(0);
    r->run();
    EXPECT_TRUE(r->queue(0).reap());
}

TEST_P(legacy, does_not_start_if_its_function_refuses)
{
    ROWS("FEAT-L3");
    function.on_features_ok = [](const vmmio_features &) { return false; };
    driver.begin();
    driver.make_queues();
    EXPECT_EQ(driver.pfn(0), 0u);
    r->guest.start();
    EXPECT_EQ(r->guest.status(), 0x03u);
    r->queue(0).offer(r->queue(0).add({r->writable(64)}));
    r->guest.kick(0);
    r->run();
    EXPECT_FALSE(r->queue(0).reap());
    EXPECT_EQ(r->count(VMMIO_DIAG_FEATURE_REFUSED), 2u);
}

TEST_P(legacy, config_may_be_written_before_features)
{
    ROWS("INIT-L2", "CFG-L1", "CFG-L2");
    function.on_config_write = [this](uint32_t at, const uint8_t *data, uint32_t length) {
        std::copy(data, data + length, function.config.begin() + at);
        return true;
    };
    r->guest.add_status(VMMIO_STATUS_ACKNOWLEDGE);
    r->write(0x100, 0x04030205);
    EXPECT_EQ(r->read(0x100), 0x04030205u) << "little-endian, as its guests are";
    EXPECT_EQ(r->read(VMMIO_REG_CONFIG_GENERATION), 0u) << "there is none";
    driver.go_live();
    function.config[0] = 9;
    vmmio_device_config_changed(&r->device);
    EXPECT_EQ(r->read(0x100, 1), 9u);
    EXPECT_EQ(r->guest.interrupts(), 2u);
}

TEST_P(legacy, refuses_rings_that_cannot_be)
{
    ROWS("H-21", "MMIOL-13", "SPLIT-L2");
    const virtqueue q = driver.lay_out(16);
    const uint32_t pfn = static_cast<uint32_t>(q.desc / 4096);
    struct attempt {
        uint32_t page, size, align;
    };
    for (const attempt a : {attempt{0, 16, 4096},
                            {3, 16, 4096},
                            {4097, 16, 4096},
                            {0xffffffff, 16, 4096},
                            {4096, 0, 4096},
                            {4096, 3, 4096},
                            {4096, 512, 4096},
                            {4096, 0x10000, 4096},
                            {4096, 0x10010, 4096},
                            {4096, 16, 0},
                            {4096, 16, 1},
                            {4096, 16, 3},
                            {4096, 16, 0xffffffff}}) {
        driver.begin();
        r->write(VMMIO_REG_GUEST_PAGE_SIZE, a.page);
        r->write_queue(0, VMMIO_REG_QUEUE_SIZE, a.size);
        r->write(VMMIO_REG_QUEUE_ALIGN, a.align);
        r->write(VMMIO_REG_QUEUE_PFN, pfn);
        EXPECT_EQ(driver.pfn(0), 0u) << a.page << " " << a.size << " " << a.align;
        r->guest.start();
        r->guest.kick(0);
        r->run();
        EXPECT_EQ(r->guest.status(), 0x07u);
    }
    driver.begin();
    r->write_queue(7, VMMIO_REG_QUEUE_SIZE, 16);
    r->write(VMMIO_REG_QUEUE_ALIGN, 4096);
    r->write(VMMIO_REG_QUEUE_PFN, pfn);
    EXPECT_EQ(r->count(VMMIO_DIAG_QUEUE_ABSENT), 3u);
    r->write_queue(0, VMMIO_REG_QUEUE_PFN, pfn);
    EXPECT_EQ(driver.pfn(0), 0u) << "no queue size";
}

TEST_P(legacy, survives_rings_where_nothing_is)
{
    ROWS("H-19", "H-21", "STAT-11");
    r->memory.judge(false);
    for (const legacy_pages pages :
         {legacy_pages{0x80000000, 4096}, {4096, 0x80000000}, {16, 16}}) {
        driver.begin();
        r->write(VMMIO_REG_GUEST_PAGE_SIZE, pages.page);
        r->write_queue(0, VMMIO_REG_QUEUE_SIZE, 256);
        r->write(VMMIO_REG_QUEUE_ALIGN, pages.align);
        r->write(VMMIO_REG_QUEUE_PFN, 0xffffffff);
        EXPECT_EQ(driver.pfn(0), 0xffffffffu);
        r->guest.start();
        r->guest.kick(0);
        r->run();
        EXPECT_EQ(r->guest.status(), 0x47u);
    }
    r->memory.judge(true);
    driver.go_live();
    EXPECT_TRUE(exchange());
}

TEST_P(legacy, failure_ends_it)
{
    ROWS("STAT-07", "FEAT-L3");
    driver.begin();
    driver.make_queues();
    r->guest.add_status(VMMIO_STATUS_FAILED);
    EXPECT_FALSE(exchange());
    driver.go_live();
    vmmio_device_needs_reset(&r->device);
    EXPECT_FALSE(exchange());
    driver.go_live();
    EXPECT_TRUE(exchange());
}

TEST_P(legacy, goes_on_in_another_device)
{
    driver.begin(event_idx);
    driver.make_queues(2);
    ASSERT_TRUE(exchange());
    r->guest.acknowledge(1);
    ASSERT_TRUE(r->move()) << "before DRIVER_OK";
    EXPECT_EQ(driver.pfn(0), r->queue(0).desc / 4096);
    EXPECT_TRUE(exchange());
    r->guest.start();
    ASSERT_TRUE(r->move());
    EXPECT_EQ(r->guest.status(), 0x07u);
    EXPECT_TRUE(exchange());
    r->write_queue(1, VMMIO_REG_QUEUE_PFN, 0);
    ASSERT_TRUE(r->move());
    EXPECT_EQ(vmmio_block_peek(&r->device.block, VMMIO_REG_QUEUE_ALIGN), 4096u);
    r->write(VMMIO_REG_QUEUE_PFN, static_cast<uint32_t>(r->queue(1).desc / 4096));
    EXPECT_EQ(driver.pfn(1), r->queue(1).desc / 4096);

    rig_options modern = options();
    modern.legacy = false;
    rig other(function.function(), modern);
    EXPECT_EQ(other.restore(r->save()), VMMIO_ERROR_STATE_DEVICE);
}

TEST(legacy_choice, is_not_there_unless_asked_for)
{
    ROWS("FEAT-L4", "MMIO-DRV-01");
    null_function null;
    rig r(null.function, {});
    EXPECT_EQ(r.read(VMMIO_REG_VERSION), 2u);
    for (const uint32_t offset : {0x028u, 0x03cu, 0x040u}) {
        r.forget();
        r.write(offset, 4096);
        EXPECT_EQ(r.read(offset), 0u);
        EXPECT_EQ(vmmio_block_peek(&r.device.block, offset), 0u);
        EXPECT_FALSE(vmmio_block_poke(&r.device.block, offset, 1));
        EXPECT_EQ(r.count(VMMIO_DIAG_HOLE), 2u);
    }
}

TEST(legacy_choice, is_refused_for_types_without_it)
{
    ROWS("FEAT-L4");
    vmmio_pmem pmem;
    vmmio_pmem_config config = {};
    config.start = 0x100000000;
    config.size = 4096;
    ASSERT_EQ(vmmio_pmem_init(&pmem, &config), VMMIO_ERROR_OK);
    rig_options options;
    options.legacy = true;
    EXPECT_THROW(rig(pmem.function, options), std::invalid_argument);
}

TEST(legacy_choice, debug_writes_reach_its_registers)
{
    ROWS("A-DBG");
    null_function null;
    rig_options options;
    options.legacy = true;
    rig r(null.function, options);
    vmmio_block &block = r.device.block;
    EXPECT_TRUE(vmmio_block_poke(&block, VMMIO_REG_GUEST_PAGE_SIZE, 4096));
    EXPECT_TRUE(vmmio_block_poke(&block, VMMIO_REG_QUEUE_ALIGN, 64));
    EXPECT_FALSE(vmmio_block_poke(&block, VMMIO_REG_QUEUE_PFN, 1));
    EXPECT_EQ(vmmio_block_peek(&block, VMMIO_REG_GUEST_PAGE_SIZE), 4096u);
    EXPECT_EQ(vmmio_block_peek(&block, VMMIO_REG_QUEUE_ALIGN), 64u);
    EXPECT_EQ(vmmio_block_peek(&block, VMMIO_REG_QUEUE_PFN), 0u);
}

} // namespace
} // namespace vmmio::tb
