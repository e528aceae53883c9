/* SPDX-License-Identifier: Apache-2.0 */
/* Feature words and their negotiation. Each access goes to both forms. */
#include "pair.h"
#include "rows.h"

namespace vmmio::tb
{
namespace
{

TEST(features, any_set_with_its_dependencies_is_accepted_again_and_again)
{
    ROWS("FEAT-10", "FEAT-13", "RFB-01", "RFB-06", "INIT-01");
    pair p;

    for (unsigned i = 0; i < 100; i++) {
        vmmio_features features = offered();
        for (unsigned j = 0; j < 4; j++)
            features.word[j] &= static_cast<uint32_t>(p.random()) | required().word[j];
        for (unsigned times = 0; times < 4; times++) // what others need, needs others
            for (const vmmio_feature_dependency &d : dependencies())
                if (vmmio_features_has(&features, d.bit))
                    vmmio_features_add(&features, d.requires);
        for (unsigned times = 0; times < 2; times++) {
            p.negotiate(features);
            EXPECT_EQ(p.status(), accepted);
        }
    }
}

TEST(features, the_last_write_to_a_word_counts_until_features_ok)
{
    ROWS("FEAT-01", "INIT-02", "A-DRVFEAT-REWRITE", "A-DRVFEAT-LATE", "A-FEAT-REJECT", "H-31",
         "MMIO-DRVFEAT-01", "MMIO-DRV-09");
    pair p;

    p.write(VMMIO_REG_STATUS, initialised);
    p.write(VMMIO_REG_DRIVER_FEATURES, ~offered().word[0]); // without a write to the selector
    p.write(VMMIO_REG_DRIVER_FEATURES_SEL, 1);
    p.write(VMMIO_REG_DRIVER_FEATURES, ~0u);
    p.write(VMMIO_REG_STATUS, accepted);
    EXPECT_EQ(p.status(), initialised); // not offered
    p.write(VMMIO_REG_DRIVER_FEATURES, required().word[1]);
    p.write(VMMIO_REG_STATUS, accepted);
    EXPECT_EQ(p.status(), initialised); // word 0 still has a bit too many
    p.write(VMMIO_REG_DRIVER_FEATURES_SEL, 0);
    p.write(VMMIO_REG_DRIVER_FEATURES, 0);
    p.write(VMMIO_REG_STATUS, accepted);
    EXPECT_EQ(p.status(), accepted);
    for (uint32_t sel = 0; sel < 6; sel++) {
        p.write(VMMIO_REG_DRIVER_FEATURES_SEL, sel);
        p.write(VMMIO_REG_DRIVER_FEATURES, ~0u);
    }
    for (unsigned i = 0; i < 4; i++)
        EXPECT_EQ(p.pins().back_features[i], required().word[i]);
    p.write(VMMIO_REG_STATUS, running);
    EXPECT_EQ(p.status(), running);
}

TEST(features, selectors_do_not_alias)
{
    ROWS("A-DEVFEAT-SEL", "A-DRVFEAT-SEL", "MMIO-DEVFEATSEL-01", "MMIO-DRVFEATSEL-01",
         "MMIO-DRV-08", "H-30");
    pair p;

    EXPECT_EQ(p.read(VMMIO_REG_DEVICE_FEATURES), offered().word[0]); // selector 0 at power-up
    for (unsigned bit = 2; bit < 32; bit++)
        for (uint32_t low = 0; low < 4; low++) {
            const uint32_t sel = (1u << bit) + low;
            p.write(VMMIO_REG_DEVICE_FEATURES_SEL, sel);
            EXPECT_EQ(p.read(VMMIO_REG_DEVICE_FEATURES), 0u) << sel;
            p.write(VMMIO_REG_STATUS, 0);
            p.write(VMMIO_REG_STATUS, initialised);
            p.write(VMMIO_REG_DRIVER_FEATURES_SEL, 1);
            p.write(VMMIO_REG_DRIVER_FEATURES, required().word[1]);
            p.write(VMMIO_REG_DRIVER_FEATURES_SEL, sel);
            p.write(VMMIO_REG_DRIVER_FEATURES, low ? 1u << bit : 0); // only a bit does harm
            p.write(VMMIO_REG_STATUS, accepted);
            EXPECT_EQ(p.status(), low ? initialised : accepted) << sel;
        }
}

TEST(features, device_features_of_every_word)
{
    ROWS("MMIO-DEVFEAT-01", "MMIO-DEVFEATSEL-01", "FEAT-03");
    pair p;

    for (const uint32_t sel : {0u, 1u, 2u, 3u, 4u, 8u, 256u, 65536u, 1u << 27, 1u << 31, ~0u}) {
        p.write(VMMIO_REG_DEVICE_FEATURES_SEL, sel);
        EXPECT_EQ(p.read(VMMIO_REG_DEVICE_FEATURES), sel < 4 ? offered().word[sel] : 0u);
    }
}

TEST(features, features_that_are_refused)
{
    ROWS("FEAT-04", "FEAT-05", "FEAT-11", "MMIO-DRVFEATSEL-01", "MMIO-DRVFEAT-01");
    pair p;

    for (unsigned bit = 0; bit < 128; bit++) {
        vmmio_features features = offered();
        features.word[bit / 32] ^= 1u << (bit % 32);
        p.negotiate(features);
    }
    p.negotiate({{0, 0, 0, 0}});
    EXPECT_EQ(p.read(VMMIO_REG_STATUS), initialised);
    p.write(VMMIO_REG_DRIVER_FEATURES_SEL, 1);
    p.write(VMMIO_REG_DRIVER_FEATURES, 1);
    p.back.answers.accept_features = false;
    p.write(VMMIO_REG_STATUS, initialised | VMMIO_STATUS_FEATURES_OK);
    EXPECT_EQ(p.read(VMMIO_REG_STATUS), initialised);
    p.back.answers.accept_features = true;
    p.back.answers.answer_percent = 5;
    p.write(VMMIO_REG_STATUS, initialised | VMMIO_STATUS_FEATURES_OK);
    EXPECT_EQ(p.read(VMMIO_REG_STATUS), initialised | VMMIO_STATUS_FEATURES_OK);

    p.write(VMMIO_REG_STATUS, 0);
    p.write(VMMIO_REG_DRIVER_FEATURES_SEL, 4);
    p.write(VMMIO_REG_DRIVER_FEATURES, 1);
    p.write(VMMIO_REG_DRIVER_FEATURES_SEL, 1);
    p.write(VMMIO_REG_DRIVER_FEATURES, 1);
    p.write(VMMIO_REG_STATUS, initialised | VMMIO_STATUS_FEATURES_OK);
    EXPECT_EQ(p.read(VMMIO_REG_STATUS), initialised);
}

} // namespace
} // namespace vmmio::tb
