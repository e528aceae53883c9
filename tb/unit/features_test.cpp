/* SPDX-License-Identifier: Apache-2.0 */
/* Feature words and their negotiation (2.2, chapter 6). */
#include "rig.h"

#include <random>

namespace vmmio::tb
{
namespace
{

class features : public ::testing::Test
{
protected:
    uint32_t offered_word(uint32_t sel)
    {
        r.write(VMMIO_REG_DEVICE_FEATURES_SEL, sel);
        return r.read(VMMIO_REG_DEVICE_FEATURES);
    }
    void accept_word(uint32_t sel, uint32_t value)
    {
        r.write(VMMIO_REG_DRIVER_FEATURES_SEL, sel);
        r.write(VMMIO_REG_DRIVER_FEATURES, value);
    }
    bool features_ok()
    {
        r.guest.set_status(0x0b);
        return (r.guest.status() & VMMIO_STATUS_FEATURES_OK) != 0;
    }
    void begin()
    {
        r.guest.reset();
        r.guest.set_status(0x03);
        r.forget();
    }

    test_function function;
    rig r{function.function()};
};

TEST_F(features, words_0_to_3_and_nothing_above)
{
    ROWS("FEAT-03", "MMIO-DEVFEAT-01", "MMIO-DEVFEATSEL-01", "A-DEVFEAT-SEL", "H-30");
    const uint32_t word0 = 1u << 28 | 1u << 29;
    const uint32_t word1 = 1u << 0 | 1u << 6 | 1u << 8 | 1u << 11; /* 32, 38, 40, 43 */
    EXPECT_EQ(offered_word(0), word0);
    EXPECT_EQ(offered_word(1), word1);
    EXPECT_EQ(offered_word(2), 0u);
    EXPECT_EQ(offered_word(3), 0u);
    for (const uint32_t sel : {4u, 5u, 31u, 32u, 1u << 27, 1u << 31, 0xfffffffeu, 0xffffffffu})
        EXPECT_EQ(offered_word(sel), 0u) << sel;
    EXPECT_EQ(offered_word(1), word1);
}

TEST(device_features, reach_words_2_and_3)
{
    ROWS("FEAT-03", "MMIO-DEVFEAT-01", "FEAT-02");
    test_function function;
    vmmio_features_add(&function.function().features, 64);
    vmmio_features_add(&function.function().features, 127);
    rig r{function.function()};
    const vmmio_features offered = r.guest.offered();
    EXPECT_EQ(offered.word[2], 1u);
    EXPECT_EQ(offered.word[3], 0x80000000u);
    ASSERT_TRUE(r.guest.negotiate(feature_set({VMMIO_F_VERSION_1, 64, 127})));
    EXPECT_TRUE(vmmio_features_has(&r.device.block.driver_features, 127));
    EXPECT_FALSE(r.guest.negotiate(feature_set({VMMIO_F_VERSION_1, 65})));
}

TEST_F(features, numbers_are_the_specification_s)
{
    ROWS("RFB-11", "RFB-12", "RFB-14", "RFB-15");
    EXPECT_EQ(VMMIO_F_INDIRECT_DESC, 28);
    EXPECT_EQ(VMMIO_F_EVENT_IDX, 29);
    EXPECT_EQ(VMMIO_F_VERSION_1, 32);
    EXPECT_EQ(VMMIO_F_NOTIFICATION_DATA, 38);
    EXPECT_EQ(VMMIO_F_RING_RESET, 40);
    EXPECT_EQ(VMMIO_F_SUSPEND, 43);
    const vmmio_features offered = r.guest.offered();
    for (const unsigned bit : {28u, 29u, 32u, 38u, 40u, 43u})
        EXPECT_TRUE(vmmio_features_has(&offered, bit)) << bit;
}

TEST_F(features, offers_nothing_that_it_cannot_do)
{
    ROWS("FEAT-02", "FEAT-12", "RFB-10", "RFB-13", "RFB-16", "MMIO-FEAT-01", "H-36", "DNOT-02");
    const vmmio_features implemented = vmmio_device_features();
    const unsigned expected[] = {28, 29, 32, 33, 34, 35, 36, 38, 40, 43};
    vmmio_features wanted = {};
    for (const unsigned bit : expected)
        vmmio_features_add(&wanted, bit);
    for (size_t i = 0; i < 4; i++)
        EXPECT_EQ(implemented.word[i], wanted.word[i]) << i;
    const vmmio_features offered = r.guest.offered();
    for (unsigned bit = 0; bit < 128; bit++) {
        const bool is_offered = vmmio_features_has(&offered, bit);
        const bool forbidden = bit == 37 || bit == 39 || bit == 41 || (bit >= 44 && bit <= 49);
        EXPECT_FALSE(is_offered && forbidden) << bit;
        EXPECT_FALSE(is_offered && !vmmio_features_has(&implemented, bit)) << bit;
    }
}

TEST_F(features, refuses_what_was_not_offered)
{
    ROWS("FEAT-04", "FEAT-11", "A-FEAT-REJECT", "H-31");
    const vmmio_features offered = r.guest.offered();
    for (unsigned bit = 0; bit < 128; bit++) {
        if (vmmio_features_has(&offered, bit))
            continue;
        r.forget();
        EXPECT_FALSE(r.guest.negotiate(feature_set({VMMIO_F_VERSION_1, bit}))) << bit;
        EXPECT_EQ(r.guest.status(), 0x03u);
        EXPECT_EQ(r.count(VMMIO_DIAG_FEATURE_NOT_OFFERED), 1u) << bit;
    }
}

TEST_F(features, insists_on_version_1)
{
    ROWS("RFB-01", "RFB-06", "FEAT-11", "A-FEAT-REJECT");
    EXPECT_FALSE(r.guest.negotiate(feature_set({VMMIO_F_EVENT_IDX})));
    EXPECT_EQ(r.count(VMMIO_DIAG_FEATURE_REQUIRED), 1u);
    EXPECT_TRUE(vmmio_features_has(&r.device.block.is.features, VMMIO_F_VERSION_1));
}

TEST(platform_features, access_platform_is_insisted_upon_once_offered)
{
    ROWS("RFB-07", "RFB-09", "FEAT-11");
    null_function null;
    rig_options options;
    options.features = vmmio_device_features();
    rig r{null.function, options};
    EXPECT_FALSE(r.guest.negotiate(feature_set({VMMIO_F_VERSION_1})));
    EXPECT_EQ(r.count(VMMIO_DIAG_FEATURE_REQUIRED), 1u);
    EXPECT_TRUE(r.guest.negotiate(feature_set({VMMIO_F_VERSION_1, VMMIO_F_ACCESS_PLATFORM})))
        << "ORDER_PLATFORM may be declined";
}

TEST(dependencies, an_incomplete_set_is_refused)
{
    ROWS("FEAT-05", "FEAT-11", "H-31");
    test_function function;
    function.dependencies = {{1, 0}, {70, 5}};
    function.use_dependencies();
    for (const unsigned bit : {0u, 1u, 5u, 70u})
        vmmio_features_add(&function.function().features, bit);
    rig r{function.function()};
    EXPECT_FALSE(r.guest.negotiate(feature_set({VMMIO_F_VERSION_1, 1})));
    EXPECT_FALSE(r.guest.negotiate(feature_set({VMMIO_F_VERSION_1, 0, 1, 70})));
    EXPECT_EQ(r.count(VMMIO_DIAG_FEATURE_DEPENDENCY), 2u);
    EXPECT_TRUE(r.guest.negotiate(feature_set({VMMIO_F_VERSION_1, 0, 1})));
    EXPECT_TRUE(r.guest.negotiate(feature_set({VMMIO_F_VERSION_1, 5})));
}

TEST_F(features, the_function_may_refuse)
{
    ROWS("FEAT-11");
    function.on_features_ok = [](const vmmio_features &set) {
        return !vmmio_features_has(&set, VMMIO_F_EVENT_IDX);
    };
    EXPECT_FALSE(r.guest.negotiate(feature_set({VMMIO_F_VERSION_1, VMMIO_F_EVENT_IDX})));
    EXPECT_TRUE(r.guest.negotiate(feature_set({VMMIO_F_VERSION_1})));
}

TEST_F(features, every_valid_subset_is_accepted)
{
    ROWS("FEAT-10");
    const vmmio_features offered = r.guest.offered();
    std::minstd_rand random(1);
    for (int i = 0; i < 1000; i++) {
        vmmio_features subset = {};
        for (unsigned bit = 0; bit < 128; bit++)
            if (vmmio_features_has(&offered, bit) && random() % 2)
                vmmio_features_add(&subset, bit);
        vmmio_features_add(&subset, VMMIO_F_VERSION_1);
        ASSERT_TRUE(r.guest.negotiate(subset));
    }
}

TEST_F(features, an_accepted_set_is_accepted_again)
{
    ROWS("FEAT-13");
    const vmmio_features offered = r.guest.offered();
    for (int i = 0; i < 1000; i++)
        ASSERT_TRUE(r.guest.negotiate(offered));
}

TEST_F(features, a_second_write_replaces_the_word)
{
    ROWS("MMIO-DRVFEAT-01", "A-DRVFEAT-REWRITE");
    begin();
    accept_word(1, 0xffffffff);
    accept_word(1, 1);
    accept_word(0, 0xffffffff);
    accept_word(0, 0);
    EXPECT_TRUE(features_ok());
}

TEST_F(features, a_refused_driver_may_try_again)
{
    ROWS("FEAT-10", "MMIO-DRVFEAT-01");
    begin();
    accept_word(1, 3);
    accept_word(1, 0xffffffff);
    EXPECT_FALSE(features_ok());
    accept_word(1, 1);
    EXPECT_TRUE(features_ok());
}

TEST_F(features, words_above_3_reach_no_other_word)
{
    ROWS("MMIO-DRVFEATSEL-01", "A-DRVFEAT-SEL", "H-30");
    for (const uint32_t sel : {4u, 7u, 32u, 1u << 27, 1u << 31, 0xffffffffu}) {
        begin();
        accept_word(1, 1);
        accept_word(sel, 0);
        EXPECT_TRUE(features_ok()) << "zero claims nothing, word " << sel;
        EXPECT_EQ(r.count(VMMIO_DIAG_FEATURE_WORD), 0u);

        begin();
        accept_word(1, 1);
        const vmmio_features before = r.device.block.driver_features;
        accept_word(sel, 0xffffffff);
        for (size_t i = 0; i < 4; i++)
            EXPECT_EQ(r.device.block.driver_features.word[i], before.word[i]);
        EXPECT_FALSE(features_ok()) << "accepted a bit that cannot exist, word " << sel;
        EXPECT_EQ(r.count(VMMIO_DIAG_FEATURE_WORD), 2u);
    }
    begin();
    accept_word(1, 1);
    EXPECT_TRUE(features_ok()) << "reset forgets it";
}

TEST_F(features, words_2_and_3_are_looked_at)
{
    ROWS("A-DRVFEAT-SEL");
    for (const uint32_t sel : {2u, 3u}) {
        begin();
        accept_word(1, 1);
        accept_word(sel, 1);
        EXPECT_FALSE(features_ok()) << sel;
        accept_word(sel, 0);
        EXPECT_TRUE(features_ok()) << sel;
    }
}

TEST_F(features, are_frozen_by_features_ok)
{
    ROWS("FEAT-01", "INIT-02", "A-DRVFEAT-LATE", "H-31");
    r.go_live(feature_set({VMMIO_F_VERSION_1, VMMIO_F_EVENT_IDX}));
    r.forget();
    accept_word(0, 0);
    accept_word(1, 0);
    EXPECT_EQ(r.count(VMMIO_DIAG_FEATURE_LATE), 2u);
    EXPECT_EQ(r.guest.status(), 0x0fu);
    r.queue(0).set_avail_flags(1); /* means nothing with EVENT_IDX */
    r.queue(0).set_used_event(0);
    r.serve({r.writable(8)});
    EXPECT_EQ(r.guest.interrupts(), 1u) << "EVENT_IDX is still on";
    r.guest.reset();
    EXPECT_FALSE(features_ok()) << "reset forgets the set";
}

} // namespace
} // namespace vmmio::tb
