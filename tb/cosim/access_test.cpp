/* SPDX-License-Identifier: Apache-2.0 */
/* Decoder: what a register is, and what is none. Each access goes to both forms. */
#include "pair.h"
#include "rows.h"

#include <map>
#include <string>

namespace vmmio::tb
{
namespace
{

TEST(access, constants_in_every_status_and_after_writes)
{
    ROWS("MMIO-MAGIC-01", "MMIO-VERSION-01", "MMIO-DEVID-01", "MMIO-VENDOR-01", "MMIO-LE-01");
    pair p;

    for (const uint32_t status : {0u, initialised, 0x80u}) {
        p.write(VMMIO_REG_STATUS, status);
        for (uint32_t offset = 0; offset < 16; offset += 4)
            p.write(offset, ~0u);
        EXPECT_EQ(p.read(VMMIO_REG_MAGIC_VALUE), 0x74726976u); // 'v' in the lowest byte
        EXPECT_EQ(p.read(VMMIO_REG_VERSION), 2u);
        EXPECT_EQ(p.read(VMMIO_REG_DEVICE_ID), 42u);
        EXPECT_EQ(p.read(VMMIO_REG_VENDOR_ID), 0x6f696d76u);
    }
}

TEST(access, holes_and_the_wrong_direction)
{
    ROWS("MMIO-DRV-01", "MMIO-DRV-02", "A-HOLE", "A-WDIR", "H-27");
    std::map<uint32_t, std::string> direction;
    pair p;

#define VMMIO_X(id, name, offset, access) direction[offset] = #access;
    VMMIO_REGISTERS(VMMIO_X)
#undef VMMIO_X
    for (uint32_t offset = 0; offset < VMMIO_REG_CONFIG; offset += 4) {
        const std::string can = direction.count(offset) ? direction[offset] : "";
        if (can == "" || can == "R") {
            const uint32_t before = p.read(offset);
            p.write(offset, ~before);
            EXPECT_EQ(p.read(offset), before) << offset;
        }
        if (can == "" || can == "W") {
            EXPECT_EQ(p.read(offset), 0u) << offset;
        }
    }
    EXPECT_EQ(p.status(), 0u);
    for (uint32_t offset = 0x200; offset < VMMIO_BLOCK_SIZE; offset += 0x74) {
        p.write(offset, ~0u);
        EXPECT_EQ(p.read(offset), 0u) << offset;
    }
    p.read_all();
}

TEST(access, every_register_after_power_up_and_reset)
{
    ROWS("STAT-01", "MMIO-INTSTAT-04", "MMIO-QRESET-02", "MMIO-DRV-01", "MMIO-DRV-02");
    pair p;

    p.read_all();
    p.start(offered());
    p.enable_queue(0, 1);
    p.used_buffer();
    p.read_all();
    p.write(VMMIO_REG_STATUS, 0);
    EXPECT_EQ(p.read(VMMIO_REG_STATUS), 0u);
    p.read_all();
}

TEST(access, accesses_that_are_not_32_bit_change_nothing)
{
    ROWS("MMIO-DRV-03");
    pair p;

    for (unsigned strobe = 0; strobe < 15; strobe++) {
        p.write_bytes(VMMIO_REG_STATUS, initialised, strobe);
        p.write_bytes(VMMIO_REG_QUEUE_SEL, 5, strobe);
    }
    for (uint32_t low = 1; low < 4; low++) {
        EXPECT_EQ(p.read(VMMIO_REG_MAGIC_VALUE + low), 0u);
        p.write(VMMIO_REG_STATUS + low, initialised);
    }
    p.write(0x800 + VMMIO_REG_STATUS, initialised);
    EXPECT_EQ(p.read(0x800 + VMMIO_REG_MAGIC_VALUE), 0u);
    p.read_all();
    EXPECT_EQ(p.read(VMMIO_REG_STATUS), 0u);
}

} // namespace
} // namespace vmmio::tb
