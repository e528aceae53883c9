/* SPDX-License-Identifier: Apache-2.0 */
/* InterruptStatus and the line. Each access goes to both forms. */
#include "pair.h"
#include "rows.h"

namespace vmmio::tb
{
namespace
{

TEST(interrupt, each_source_has_its_bit_until_it_is_acknowledged)
{
    ROWS("MMIO-INTSTAT-01", "MMIO-INTSTAT-02", "MMIO-INTSTAT-03", "MMIO-INTACK-01", "MMIO-IRQ-01",
         "MMIO-IRQ-03", "A-IRQ-LEVEL", "A-ACK-UNSET", "NOTF-01", "H-37");
    pair p;

    p.start(offered());
    for (unsigned bit = 0; bit < 32; bit++)
        p.write(VMMIO_REG_INTERRUPT_ACK, 1u << bit); // of nothing
    EXPECT_EQ(p.interrupts(), 0u);
    for (const uint32_t raised : {1u, 2u, 3u})
        for (uint32_t acknowledged = 0; acknowledged < 4; acknowledged++)
            for (const uint32_t upper : {0u, 0xfffffffcu}) {
                if (raised & 1)
                    p.used_buffer();
                if (raised & 2)
                    p.regions_changed();
                EXPECT_EQ(p.interrupts(), raised);
                EXPECT_EQ(p.interrupts(), raised); // a read changes nothing
                EXPECT_TRUE(p.pins().irq);
                p.write(VMMIO_REG_INTERRUPT_ACK, upper | acknowledged);
                EXPECT_EQ(p.interrupts(), raised & ~acknowledged);
                EXPECT_EQ(p.pins().irq, (raised & ~acknowledged) != 0);
                p.write(VMMIO_REG_INTERRUPT_ACK, 3);
                EXPECT_FALSE(p.pins().irq);
            }
}

TEST(interrupt, none_before_driver_ok)
{
    ROWS("STAT-10", "A-IRQ-EARLY", "OPER-01");
    pair p;

    for (const uint32_t status : {0u, 1u, 3u, 0xbu}) {
        p.negotiate(offered());
        if (status < 0xb)
            p.write(VMMIO_REG_STATUS, 0);
        if (status)
            p.write(VMMIO_REG_STATUS, status);
        const uint32_t generation = p.read(VMMIO_REG_CONFIG_GENERATION);
        p.used_buffer();
        p.regions_changed();
        p.config_update(std::vector<uint8_t>(config_bytes, static_cast<uint8_t>(status + 1)), true);
        EXPECT_EQ(p.interrupts(), 0u);
        EXPECT_EQ(p.read(VMMIO_REG_CONFIG_GENERATION), generation + (config_bytes != 0));
    }
}

TEST(interrupt, interrupts_and_their_acknowledge)
{
    ROWS("MMIO-INTSTAT-01", "MMIO-INTSTAT-03", "MMIO-INTACK-01", "MMIO-IRQ-01", "STAT-10");
    pair p;

    p.used_buffer();
    p.start(offered());
    for (const uint32_t ack : {0u, 2u, 0xfffffffcu, 1u, 3u, ~0u}) {
        p.used_buffer();
        p.config_update(std::vector<uint8_t>(config_bytes, static_cast<uint8_t>(ack + 1)), true);
        p.read(VMMIO_REG_INTERRUPT_STATUS);
        p.write(VMMIO_REG_INTERRUPT_ACK, ack);
        p.read(VMMIO_REG_INTERRUPT_STATUS);
    }
}

} // namespace
} // namespace vmmio::tb
