/* SPDX-License-Identifier: Apache-2.0 */
/* The table of diagnostics, and that nothing depends on somebody listening. */
#include "rig.h"

#include <set>

namespace vmmio::tb
{
namespace
{

TEST(diagnostics, each_has_its_own_text_and_a_row)
{
    std::set<std::string> texts;
    for (int i = 0; i < VMMIO_DIAG_COUNT; i++) {
        const auto id = static_cast<vmmio_diag_id>(i);
        EXPECT_TRUE(texts.insert(vmmio_diag_text(id)).second) << vmmio_diag_text(id);
        EXPECT_STRNE(vmmio_diag_row(id), "") << vmmio_diag_text(id);
        EXPECT_NE(vmmio_diag_text(id)[0], '\0');
    }
    for (const int nobody : {static_cast<int>(VMMIO_DIAG_COUNT), 100000, -1}) {
        const auto id = static_cast<vmmio_diag_id>(nobody);
        EXPECT_STREQ(vmmio_diag_text(id), "unknown diagnostic");
        EXPECT_STREQ(vmmio_diag_row(id), "");
        EXPECT_EQ(vmmio_diag_kind_of(id), VMMIO_DIAG_DRIVER);
    }
}

TEST(diagnostics, kinds_follow_from_what_happens)
{
    EXPECT_EQ(vmmio_diag_kind_of(VMMIO_DIAG_HOLE), VMMIO_DIAG_DRIVER);
    EXPECT_EQ(vmmio_diag_kind_of(VMMIO_DIAG_REQUEST_SHORT), VMMIO_DIAG_REQUEST);
    EXPECT_EQ(vmmio_diag_kind_of(VMMIO_DIAG_RING_HEAD), VMMIO_DIAG_FATAL);
}

TEST(diagnostics, say_where_and_what)
{
    ROWS("MMIO-DRV-01", "MMIO-DRV-02");
    null_function null;
    rig r(null.function);
    r.write(0x018, 0x1234);
    r.read(VMMIO_REG_QUEUE_SEL);
    ASSERT_EQ(r.diagnostics.size(), 2u);
    EXPECT_EQ(r.diagnostics[0].id, VMMIO_DIAG_HOLE);
    EXPECT_EQ(r.diagnostics[0].where, 0x018u);
    EXPECT_EQ(r.diagnostics[0].value, 0x1234u);
    EXPECT_EQ(r.diagnostics[1].id, VMMIO_DIAG_READ_OF_WRITE_ONLY);
    EXPECT_EQ(r.diagnostics[1].where, 0x030u);
}

TEST(diagnostics, a_correct_driver_causes_none)
{
    ROWS("INIT-01", "MMIO-INIT-02");
    null_function null;
    rig r(null.function);
    r.guest.offered();
    r.go_live(2);
    for (int i = 0; i < 100; i++)
        r.exchange({r.readable(8), r.writable(8)});
    r.guest.acknowledge(r.guest.interrupts());
    r.guest.reset();
    EXPECT_TRUE(r.diagnostics.empty());
}

TEST(diagnostics, hook_is_optional)
{
    ROWS("H-38");
    null_function null;
    rig r(null.function);
    r.device.block.is.host.diagnostic = nullptr;
    r.device.engine.is.diagnostic = nullptr;
    r.go_live();
    r.read(0x018);
    r.write(0x018, 0, 1);
    r.queue(0).offer(0xffff);
    r.guest.kick(0);
    r.run();
    EXPECT_EQ(r.guest.status(), 0x4fu);
    EXPECT_TRUE(r.diagnostics.empty());
}

} // namespace
} // namespace vmmio::tb
