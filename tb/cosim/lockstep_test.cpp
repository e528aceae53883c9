/* SPDX-License-Identifier: Apache-2.0 */
/* Verilog and C answer alike, room by room. */
#include "pair.h"
#include "rows.h"

namespace vmmio::tb
{
namespace
{

TEST(lockstep, every_register_after_power_up_and_reset)
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

TEST(lockstep, accesses_that_are_not_32_bit_change_nothing)
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

TEST(lockstep, device_features_of_every_word)
{
    ROWS("MMIO-DEVFEAT-01", "MMIO-DEVFEATSEL-01", "FEAT-03");
    pair p;

    for (const uint32_t sel : {0u, 1u, 2u, 3u, 4u, 8u, 256u, 65536u, 1u << 27, 1u << 31, ~0u}) {
        p.write(VMMIO_REG_DEVICE_FEATURES_SEL, sel);
        EXPECT_EQ(p.read(VMMIO_REG_DEVICE_FEATURES), sel < 4 ? offered().word[sel] : 0u);
    }
}

TEST(lockstep, features_that_are_refused)
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

TEST(lockstep, status_bits_in_every_combination)
{
    ROWS("STAT-02", "STAT-04", "STAT-07", "SUSP-05", "MMIO-STATUS-01");
    pair p;

    for (unsigned first = 0; first < 256; first += 5)
        for (unsigned second = 0; second < 256; second++) {
            p.write(VMMIO_REG_STATUS, 0);
            p.write(VMMIO_REG_DRIVER_FEATURES_SEL, 1);
            p.write(VMMIO_REG_DRIVER_FEATURES, offered().word[1]);
            p.write(VMMIO_REG_STATUS, first ? first : 0x100);
            p.write(VMMIO_REG_STATUS, second ? second : 0x80000000);
            if (testing::Test::HasFailure())
                FAIL() << first << " then " << second;
        }
}

TEST(lockstep, suspend_and_needs_reset)
{
    ROWS("STAT-11", "STAT-12", "SUSP-06", "SUSP-07", "SUSP-09", "SUSP-11");
    pair p;

    p.needs_reset();
    p.start(offered());
    p.back.answers.suspend_percent = 0;
    p.write(VMMIO_REG_STATUS, running | VMMIO_STATUS_SUSPEND);
    p.write_bytes(VMMIO_REG_CONFIG, 0x01020304, 0xf);
    p.used_buffer();
    p.read_all();
    p.suspend_done();
    p.read_all();
    p.config_update(std::vector<uint8_t>(config_bytes, 0x55), true);
    p.write(VMMIO_REG_STATUS, running);
    p.write(VMMIO_REG_STATUS, running | VMMIO_STATUS_SUSPEND);
    p.needs_reset();
    p.suspend_done();
    p.read_all();
}

TEST(lockstep, an_error_while_suspended_is_told_at_resume)
{
    ROWS("STAT-12", "SUSP-07", "SUSP-10");
    pair p;

    p.start(offered());
    p.write(VMMIO_REG_STATUS, running | VMMIO_STATUS_SUSPEND);
    if (!(p.read(VMMIO_REG_STATUS) & VMMIO_STATUS_SUSPEND))
        GTEST_SKIP() << "SUSPEND is not offered";
    p.needs_reset();
    EXPECT_EQ(p.read(VMMIO_REG_INTERRUPT_STATUS), 0u);
    p.write(VMMIO_REG_STATUS, running);
    EXPECT_EQ(p.read(VMMIO_REG_STATUS), running | VMMIO_STATUS_NEEDS_RESET);
    EXPECT_EQ(p.read(VMMIO_REG_INTERRUPT_STATUS), uint32_t{VMMIO_INTERRUPT_CONFIG_CHANGE});
}

TEST(lockstep, a_changed_region_is_told_to_a_live_driver_and_at_resume)
{
    ROWS("A-SHM-5", "SUSP-07", "SUSP-08");
    pair p;
    const auto told = [&p] {
        const uint32_t bits = p.read(VMMIO_REG_INTERRUPT_STATUS);
        p.write(VMMIO_REG_INTERRUPT_ACK, bits);
        return bits;
    };

    p.regions_changed();
    EXPECT_EQ(told(), 0u);
    p.start(offered());
    const uint32_t generation = p.read(VMMIO_REG_CONFIG_GENERATION);
    p.regions_changed();
    EXPECT_EQ(told(), uint32_t{VMMIO_INTERRUPT_CONFIG_CHANGE});
    EXPECT_EQ(p.read(VMMIO_REG_CONFIG_GENERATION), generation);
    p.write(VMMIO_REG_STATUS, running | VMMIO_STATUS_SUSPEND);
    const bool suspended = p.read(VMMIO_REG_STATUS) & VMMIO_STATUS_SUSPEND;
    p.regions_changed();
    EXPECT_EQ(told(), suspended ? 0u : uint32_t{VMMIO_INTERRUPT_CONFIG_CHANGE});
    p.write(VMMIO_REG_STATUS, running);
    EXPECT_EQ(told(), suspended ? uint32_t{VMMIO_INTERRUPT_CONFIG_CHANGE} : 0u);
    p.write(VMMIO_REG_STATUS, running | VMMIO_STATUS_SUSPEND);
    p.regions_changed();
    p.write(VMMIO_REG_STATUS, 0); // forgets it
    p.start(offered());
    EXPECT_EQ(told(), 0u);
}

TEST(lockstep, queue_settings_are_checked_when_it_is_made_ready)
{
    ROWS("MMIO-DRV-10", "MMIO-DRV-11", "MMIO-QSEL-01", "MMIO-QADDR-01", "MMIO-QADDR-02");
    pair p;

    p.start(offered());
    for (unsigned q = 0; q < queue_count; q++) {
        p.enable_queue(q, size_max(q));
        EXPECT_EQ(p.read(VMMIO_REG_QUEUE_READY), 1u);
        p.write(VMMIO_REG_QUEUE_SIZE, 0); // locked
        p.write(VMMIO_REG_QUEUE_READY, 0);
        for (const uint32_t size : {0u, 1u, 2u, 3u, 6u, 0x80u, 0x100u, 0x101u, 0x8000u, 0x10000u,
                                    0x10001u, 0x80000000u, ~0u}) {
            p.enable_queue(q, size);
            p.write(VMMIO_REG_QUEUE_READY, 0);
        }
        for (const uint32_t low : {1u, 2u, 4u, 8u, 16u})
            for (const uint32_t area : {VMMIO_REG_QUEUE_DESC_LOW, VMMIO_REG_QUEUE_DRIVER_LOW,
                                        VMMIO_REG_QUEUE_DEVICE_LOW}) {
                p.set_queue(q, 1);
                p.write(area, 0xfffff000 + low);
                p.write(VMMIO_REG_QUEUE_READY, 1);
                p.write(VMMIO_REG_QUEUE_READY, 0);
            }
    }
}

TEST(lockstep, nothing_of_a_queue_survives_a_reset)
{
    ROWS("MMIO-RST-01", "VQ-06", "MMIO-QRESET-05");
    pair p;

    p.start(offered());
    for (unsigned q = 0; q < queue_count; q++)
        p.enable_queue(q, 1);
    p.start(offered());
    for (unsigned q = 0; q < queue_count; q++) {
        p.write(VMMIO_REG_QUEUE_SEL, q);
        p.write(VMMIO_REG_QUEUE_READY, 1); // refused: the size is 0 again
        EXPECT_EQ(p.read(VMMIO_REG_QUEUE_READY), 0u);
        p.write(VMMIO_REG_QUEUE_SIZE, 1); // the event shows that the addresses are 0
        p.write(VMMIO_REG_QUEUE_READY, 1);
        EXPECT_EQ(p.read(VMMIO_REG_QUEUE_READY), 1u);
        p.write(VMMIO_REG_QUEUE_RESET, 1);
        p.write(VMMIO_REG_QUEUE_DESC_HIGH, 7);
        p.write(VMMIO_REG_QUEUE_SIZE, 1);
        p.write(VMMIO_REG_QUEUE_READY, 1);
    }
}

TEST(lockstep, a_queue_stops_and_resets_in_its_own_time)
{
    ROWS("MMIO-DRV-12", "MMIO-QRESET-01", "MMIO-QRESET-04", "MMIO-QRESET-05");
    pair p;

    p.start(offered());
    p.back.answers.stop_percent = 0;
    p.write(VMMIO_REG_QUEUE_RESET, 1); // not in use: at once
    p.enable_queue(0, 1);
    p.stop_done(0);
    p.write(VMMIO_REG_QUEUE_READY, 0);
    p.write(VMMIO_REG_QUEUE_READY, 1);
    p.read_all();
    p.stop_done(0);
    p.read_all();
    p.write(VMMIO_REG_QUEUE_READY, 1);
    for (const uint32_t value : {0u, 2u, 1u, 1u}) {
        p.write(VMMIO_REG_QUEUE_RESET, value);
        p.write(VMMIO_REG_QUEUE_READY, 0);
        p.read_all();
    }
    p.stop_done(0);
    p.read_all();
    p.enable_queue(0, 1);
    p.write(VMMIO_REG_QUEUE_READY, 0);
    p.write(VMMIO_REG_QUEUE_RESET, 1); // while it stops
    p.read_all();
    p.stop_done(0);
    p.write(VMMIO_REG_QUEUE_READY, 1);
    p.read_all();
}

TEST(lockstep, queues_that_do_not_exist)
{
    ROWS("MMIO-QSEL-02", "VQ-01", "MMIO-QNOTIFY-01", "MMIO-QNOTIFY-02", "MMIO-NOTIFY-01");
    vmmio_features without_data = offered();
    pair p;

    vmmio_features_remove(&without_data, VMMIO_F_NOTIFICATION_DATA);
    for (const vmmio_features &features : {offered(), without_data}) {
        p.start(features);
        for (unsigned q = 0; q < queue_count; q++)
            p.enable_queue(q, 1);
        for (const uint32_t q : {queue_count, queue_count + 1, 31u, 32u, 63u, 64u, 128u, 255u, 256u,
                                 65535u, 65536u, ~0u}) {
            p.write(VMMIO_REG_QUEUE_SEL, q);
            EXPECT_EQ(p.read(VMMIO_REG_QUEUE_SIZE_MAX), 0u);
            p.read(VMMIO_REG_QUEUE_READY);
            p.set_queue(q, 1);
            p.write(VMMIO_REG_QUEUE_READY, 1);
            p.write(VMMIO_REG_QUEUE_NOTIFY, q);
        }
        for (unsigned q = 0; q < queue_count; q++)
            for (const uint32_t data : {0u, 0x10000u, 0x80000000u, 0x100u})
                p.write(VMMIO_REG_QUEUE_NOTIFY, data + q);
    }
}

TEST(lockstep, interrupts_and_their_acknowledge)
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

TEST(lockstep, shared_memory_is_latched_whole)
{
    ROWS("MMIO-SHM-01", "MMIO-SHM-02", "MMIO-SHM-03", "MMIO-SHM-04", "MMIO-SHM-05", "MMIO-SHM-06");
    pair p;
    const auto show = [&p] {
        for (const uint32_t at : {VMMIO_REG_SHM_LEN_LOW, VMMIO_REG_SHM_LEN_HIGH,
                                  VMMIO_REG_SHM_BASE_LOW, VMMIO_REG_SHM_BASE_HIGH})
            p.read(at);
    };

    show();
    p.set_region({0, 0x123456789abcd000, 0xfedcba9876});
    show(); // followed: SHMSel was never written
    p.remove_region(0);
    show();
    for (unsigned i = 0; i < region_count; i++)
        EXPECT_TRUE(p.set_region({static_cast<uint8_t>(37 * i), 0x100000000ull * (i + 1), 0x1001}));
    for (const uint32_t sel : {0u, 37u, 74u, 259u, 256u, 0x10000u, 0x80000000u, ~0u, 0u}) {
        p.write(VMMIO_REG_SHM_SEL, sel);
        show();
        for (unsigned change = 1; change < 9; change++) { // the latch must not move
            p.set_region({0, 0x4000000000u + change * 0x10000u, 0x2000u + change});
            show();
        }
        p.remove_region(0);
        show();
        p.set_region({0, 0x5000000000, 0x3000});
        show();
    }
    p.write(VMMIO_REG_STATUS, 0);
    show();
}

TEST(lockstep, config_window)
{
    ROWS("MMIO-CONFIG-01", "MMIO-GEN-01", "MMIO-GEN-02", "MMIO-DRV-04", "CFG-02", "CFG-07");
    pair p;

    for (unsigned value = 1; value < 8; value++) {
        std::vector<uint8_t> bytes(config_bytes);
        for (unsigned i = 0; i < config_bytes; i++)
            bytes[i] = static_cast<uint8_t>(value * 31 + i);
        p.config_update(bytes, value % 2);
        p.read_all();
    }
    for (uint32_t at = 0; at <= config_bytes; at += 4)
        for (unsigned strobe = 0; strobe < 16; strobe++)
            for (const bool accept : {false, true}) {
                p.back.answers.accept_config = accept;
                p.write_bytes(VMMIO_REG_CONFIG + at, 0x87654321 + strobe, strobe);
                p.read(VMMIO_REG_CONFIG + at);
                p.read(VMMIO_REG_CONFIG_GENERATION);
            }
    p.back.answers.answer_percent = 10;
    p.write(VMMIO_REG_CONFIG, 0x12345678);
}

TEST(lockstep, reset_in_its_own_time)
{
    ROWS("RST-01", "RST-02", "RST-04");
    pair p;

    p.start(offered());
    p.enable_queue(0, 1);
    p.back.answers.reset_percent = hold_reset ? 3 : 0;
    p.write(VMMIO_REG_STATUS, 0);
    if (!hold_reset) {
        EXPECT_EQ(p.read(VMMIO_REG_STATUS), running);
        p.used_buffer();
        p.needs_reset();
        p.write(VMMIO_REG_STATUS, initialised);
        p.write(VMMIO_REG_INTERRUPT_ACK, 1);
        p.config_update(std::vector<uint8_t>(config_bytes, 0x11), true);
        p.read_all();
        p.reset_done();
    }
    EXPECT_EQ(p.read(VMMIO_REG_STATUS), 0u);
    p.read_all();
}

} // namespace
} // namespace vmmio::tb
