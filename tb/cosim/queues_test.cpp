/* SPDX-License-Identifier: Apache-2.0 */
/* The registers of the queues. Each access goes to both forms. */
#include "pair.h"
#include "rows.h"

namespace vmmio::tb
{
namespace
{

/* The addresses and the size that the back side has read of the queue enabled last. */
std::array<uint64_t, 4> enabled_with(const pair &p)
{
    const auto &w = p.back.enable_words();
    return {w[1] * (1ull << 32) + w[0], w[3] * (1ull << 32) + w[2], w[5] * (1ull << 32) + w[4],
            w[6]};
}

bool told(pair &p, uint32_t data)
{
    const uint64_t events = p.board.events;
    p.write(VMMIO_REG_QUEUE_NOTIFY, data);
    return p.board.events != events;
}

TEST(queues, two_programmed_side_by_side)
{
    ROWS("MMIO-QSEL-01", "MMIO-QADDR-01", "MMIO-QADDR-02", "MMIO-QSIZE-01", "MMIO-QREADY-01",
         "MMIO-INIT-02", "H-63");
    static const uint32_t order[] = {VMMIO_REG_QUEUE_DEVICE_HIGH, VMMIO_REG_QUEUE_SIZE,
                                     VMMIO_REG_QUEUE_DESC_HIGH,   VMMIO_REG_QUEUE_DRIVER_LOW,
                                     VMMIO_REG_QUEUE_DESC_LOW,    VMMIO_REG_QUEUE_DRIVER_HIGH,
                                     VMMIO_REG_QUEUE_DEVICE_LOW};
    const unsigned last = queue_count - 1;
    pair p;

    p.start(offered());
    for (const uint32_t offset : order)
        for (const unsigned q : {0u, last}) {
            p.write(VMMIO_REG_QUEUE_SEL, q);
            p.write(offset, offset == VMMIO_REG_QUEUE_SIZE
                                ? size_max(q)
                                : 0xf0000000 + 0x10000 * q + 16 * offset);
        }
    for (const unsigned q : {0u, last}) {
        const auto area = [q](uint32_t low) {
            const uint64_t base = 0xf0000000 + 0x10000 * q;
            return (base + 16 * (low + 4)) << 32 | (base + 16 * low);
        };
        p.write(VMMIO_REG_QUEUE_SEL, q);
        EXPECT_EQ(p.read(VMMIO_REG_QUEUE_READY), 0u);
        p.write(VMMIO_REG_QUEUE_READY, 1);
        EXPECT_EQ(p.read(VMMIO_REG_QUEUE_READY), 1u);
        EXPECT_EQ(p.read(VMMIO_REG_QUEUE_SIZE_MAX), size_max(q));
        EXPECT_EQ(enabled_with(p),
                  (std::array<uint64_t, 4>{area(VMMIO_REG_QUEUE_DESC_LOW),
                                           area(VMMIO_REG_QUEUE_DRIVER_LOW),
                                           area(VMMIO_REG_QUEUE_DEVICE_LOW), size_max(q)}));
        if (last == 0)
            break;
    }
}

/* Split rings, and packed ones if they are offered. */
std::vector<bool> ring_layouts()
{
    return packed_offered ? std::vector<bool>{false, true} : std::vector<bool>{false};
}

vmmio_features with_rings(bool packed)
{
    vmmio_features features = offered();
    if (!packed)
        vmmio_features_remove(&features, VMMIO_F_RING_PACKED);
    return features;
}

TEST(queues, sizes_that_are_refused)
{
    ROWS("MMIO-DRV-10", "A-QSIZE-BAD", "SPLIT-03", "PACK-01", "H-21");
    for (const bool packed : ring_layouts()) {
        pair p;
        p.start(with_rings(packed));
        for (unsigned q = 0; q < queue_count; q++) {
            std::vector<uint32_t> sizes = {
                3, 5, 7, 100, size_max(q), size_max(q) + 1, size_max(q) - 1, size_max(q) + 0x10000};
            for (unsigned bit = 0; bit < 32; bit++)
                sizes.insert(sizes.end(), {1u << bit, (1u << bit) - 1, (1u << bit) + 0x10000});
            for (const uint32_t size : sizes) {
                const bool good =
                    size != 0 && size <= size_max(q) && (packed || !(size & (size - 1)));
                p.set_queue(q, size);
                p.write(VMMIO_REG_QUEUE_READY, 1);
                EXPECT_EQ(p.read(VMMIO_REG_QUEUE_READY), good) << q << " " << size << " " << packed;
                if (good) {
                    EXPECT_EQ(enabled_with(p)[3], size);
                }
                p.write(VMMIO_REG_QUEUE_READY, 0);
            }
        }
    }
}

TEST(queues, alignment_of_the_three_parts)
{
    ROWS("A-QADDR-BAD", "SPLIT-02", "PACK-23", "H-19");
    for (const bool packed : ring_layouts()) {
        pair p;
        p.start(with_rings(packed));
        for (unsigned bit = 0; bit < 32; bit++)
            for (const auto &[offset, align] :
                 {std::pair(VMMIO_REG_QUEUE_DESC_LOW, 16u),
                  std::pair(VMMIO_REG_QUEUE_DRIVER_LOW, packed ? 4u : 2u),
                  std::pair(VMMIO_REG_QUEUE_DEVICE_LOW, 4u)}) {
                p.set_queue(0, 1);
                p.write(offset, 1u << bit);
                p.write(VMMIO_REG_QUEUE_READY, 1);
                EXPECT_EQ(p.read(VMMIO_REG_QUEUE_READY), 1u << bit >= align)
                    << offset << " " << bit << " " << packed;
                p.write(VMMIO_REG_QUEUE_READY, 0);
            }
    }
}

/* What is negotiated when QueueReady is written counts, not what is offered or accepted. */
TEST(queues, rings_are_split_until_features_ok)
{
    ROWS("PACK-01", "PACK-23", "A-QREADY-LATE");
    const unsigned q = queue_count - 1;
    const uint32_t size = 3, driver = 0x20000 + 2;
    pair p;
    const auto enable = [&](uint32_t with_size, uint32_t with_driver) {
        p.set_queue(q, with_size);
        p.write(VMMIO_REG_QUEUE_DRIVER_LOW, with_driver);
        p.write(VMMIO_REG_QUEUE_READY, 1);
        const uint32_t ready = p.read(VMMIO_REG_QUEUE_READY);
        p.write(VMMIO_REG_QUEUE_READY, 0);
        return ready;
    };

    p.write(VMMIO_REG_STATUS, VMMIO_STATUS_ACKNOWLEDGE);
    p.write(VMMIO_REG_STATUS, VMMIO_STATUS_ACKNOWLEDGE | VMMIO_STATUS_DRIVER);
    for (uint32_t i = 0; i < 4; i++) {
        p.write(VMMIO_REG_DRIVER_FEATURES_SEL, i);
        p.write(VMMIO_REG_DRIVER_FEATURES, offered().word[i]);
    }
    EXPECT_EQ(enable(size, driver), 0u);
    EXPECT_EQ(enable(4, driver), 1u);
    p.write(VMMIO_REG_STATUS, accepted);
    EXPECT_EQ(enable(size, driver), 0u);
    EXPECT_EQ(enable(4, driver), !packed_offered);
    EXPECT_EQ(enable(size, driver + 2), packed_offered);
    p.write(VMMIO_REG_STATUS, 0);
    EXPECT_EQ(enable(size, driver + 2), 0u);
    EXPECT_EQ(enable(4, driver), 1u);
}

TEST(queues, the_back_side_may_refuse)
{
    ROWS("A-QADDR-BAD");
    pair p;

    p.start(offered());
    p.back.answers.accept_queue = false;
    p.enable_queue(0, 1);
    EXPECT_EQ(p.read(VMMIO_REG_QUEUE_READY), 0u);
    EXPECT_FALSE(told(p, 0));
    p.back.answers.accept_queue = true;
    p.back.answers.answer_percent = 5;
    p.write(VMMIO_REG_QUEUE_READY, 1);
    EXPECT_EQ(p.read(VMMIO_REG_QUEUE_READY), 1u);
}

TEST(queues, settings_are_locked_while_ready)
{
    ROWS("MMIO-DRV-11", "A-QCFG-READY", "H-22", "H-64");
    pair p;

    p.start(offered());
    p.enable_queue(0, 1);
    const auto before = enabled_with(p);
    const auto try_all = [&p] {
        for (const uint32_t offset :
             {VMMIO_REG_QUEUE_SIZE, VMMIO_REG_QUEUE_DESC_LOW, VMMIO_REG_QUEUE_DESC_HIGH,
              VMMIO_REG_QUEUE_DRIVER_LOW, VMMIO_REG_QUEUE_DRIVER_HIGH, VMMIO_REG_QUEUE_DEVICE_LOW,
              VMMIO_REG_QUEUE_DEVICE_HIGH})
            p.write(offset, 0xabcde0);
    };
    try_all();
    p.back.answers.stop_percent = 0;
    p.write(VMMIO_REG_QUEUE_READY, 0);
    try_all(); // the last access is not over
    EXPECT_EQ(p.read(VMMIO_REG_QUEUE_READY), 1u);
    p.stop_done(0);
    EXPECT_EQ(p.read(VMMIO_REG_QUEUE_READY), 0u);
    p.write(VMMIO_REG_QUEUE_READY, 1);
    EXPECT_EQ(enabled_with(p), before);
}

TEST(queues, ready_takes_0_and_1)
{
    ROWS("A-QREADY-VALUE", "A-QREADY-0", "A-QREADY-RB", "A-QREADY-LATE", "MMIO-QREADY-01",
         "MMIO-QREADY-02");
    pair p;

    p.negotiate(offered());
    p.enable_queue(0, 1);
    p.write(VMMIO_REG_STATUS, running);
    EXPECT_EQ(p.read(VMMIO_REG_QUEUE_READY), 1u);
    for (unsigned bit = 1; bit < 32; bit++) {
        p.write(VMMIO_REG_QUEUE_READY, 1u << bit);
        EXPECT_EQ(p.read(VMMIO_REG_QUEUE_READY), 1u);
    }
    EXPECT_TRUE(told(p, 0));
    p.write(VMMIO_REG_QUEUE_READY, 0);
    EXPECT_EQ(p.read(VMMIO_REG_QUEUE_READY), 0u);
    EXPECT_FALSE(told(p, 0));
    for (unsigned bit = 1; bit < 32; bit++) {
        p.write(VMMIO_REG_QUEUE_READY, (1u << bit) + 1);
        EXPECT_EQ(p.read(VMMIO_REG_QUEUE_READY), 0u);
    }
    p.write(VMMIO_REG_QUEUE_READY, 1); // after DRIVER_OK
    EXPECT_TRUE(told(p, 0));
}

TEST(queues, kicks_that_are_told)
{
    ROWS("INIT-06", "MMIO-QNOTIFY-01", "MMIO-QNOTIFY-02", "MMIO-NOTIFY-01", "A-QNOTIFY-EARLY",
         "A-QNOTIFY-OOR", "A-NDATA", "DNOT-01", "DNOT-03", "DNOT-05", "NOTF-01", "H-20", "H-39");
    vmmio_features without = offered();
    vmmio_features_remove(&without, VMMIO_F_NOTIFICATION_DATA);

    for (const vmmio_features &features : {without, offered()}) {
        const bool data = vmmio_features_has(&features, VMMIO_F_NOTIFICATION_DATA);
        pair p;
        EXPECT_FALSE(told(p, 0));
        p.negotiate(features);
        for (unsigned q = 0; q < queue_count; q++)
            p.enable_queue(q, 1);
        EXPECT_FALSE(told(p, 0));
        p.write(VMMIO_REG_STATUS, running);
        for (unsigned q = 0; q < queue_count; q++) {
            for (unsigned times = 0; times < 2; times++)
                EXPECT_TRUE(told(p, q));
            for (unsigned bit = 16; bit < 32; bit++)
                EXPECT_EQ(told(p, q + (1u << bit)), data) << bit;
        }
        for (unsigned bit = 0; bit < 16; bit++) {
            const uint32_t q = 1u << bit;
            EXPECT_EQ(told(p, q), q < queue_count) << q;
        }
        EXPECT_FALSE(told(p, queue_count));
        EXPECT_EQ(p.interrupts(), 0u);
    }
}

TEST(queues, reset_of_one)
{
    ROWS("MMIO-QRESET-01", "MMIO-QRESET-02", "MMIO-QRESET-03", "MMIO-QRESET-04", "MMIO-QRESET-05",
         "MMIO-DRV-15", "MMIO-DRV-16", "A-QRESET-1", "A-QRESET-2", "A-QRESET-3", "A-QRESET-4",
         "A-QRESET-5", "A-QRESET-6", "VQ-04", "VQ-05", "VQ-06", "VQ-09", "RFB-14");
    pair p;
    vmmio_features without = offered();
    const auto ready_and_reset = [&p] {
        return std::pair(p.read(VMMIO_REG_QUEUE_READY), p.read(VMMIO_REG_QUEUE_RESET));
    };
    const std::pair<uint32_t, uint32_t> idle{0, 0}, alive{1, 0}, resetting{1, 1};

    vmmio_features_remove(&without, VMMIO_F_RING_RESET);
    p.start(without);
    p.enable_queue(0, 1);
    p.write(VMMIO_REG_QUEUE_RESET, 1);
    EXPECT_EQ(ready_and_reset(), alive);
    EXPECT_TRUE(told(p, 0));
    if (!ring_reset_offered)
        return;

    p.start(offered());
    EXPECT_EQ(ready_and_reset(), idle);
    p.set_queue(0, 1);
    p.write(VMMIO_REG_QUEUE_RESET, 1); // not in use: done at once, and forgets its settings
    EXPECT_EQ(ready_and_reset(), idle);
    p.write(VMMIO_REG_QUEUE_READY, 1);
    EXPECT_EQ(ready_and_reset(), idle);
    p.enable_queue(0, 1);
    for (unsigned bit = 0; bit < 32; bit++)
        p.write(VMMIO_REG_QUEUE_RESET, bit ? 1u << bit : 0);
    EXPECT_EQ(ready_and_reset(), alive);
    p.used_buffer();
    p.back.answers.stop_percent = 0;
    p.write(VMMIO_REG_QUEUE_RESET, 1);
    EXPECT_EQ(ready_and_reset(), resetting);
    EXPECT_FALSE(told(p, 0));
    p.write(VMMIO_REG_QUEUE_READY, 1);
    p.write(VMMIO_REG_QUEUE_READY, 0);
    EXPECT_EQ(ready_and_reset(), resetting);
    p.stop_done(0);
    EXPECT_EQ(ready_and_reset(), idle);
    EXPECT_EQ(p.interrupts(), 1u); // the device's, not the queue's
    p.write(VMMIO_REG_QUEUE_SIZE, 1);
    p.write(VMMIO_REG_QUEUE_READY, 1);
    EXPECT_EQ(ready_and_reset(), alive);
    EXPECT_EQ(enabled_with(p), (std::array<uint64_t, 4>{0, 0, 0, 1}));
}

TEST(queues, selector_counts_with_all_32_bits)
{
    ROWS("MMIO-QSEL-02", "A-QSEL-OOR", "VQ-01", "H-20");
    pair p;

    p.start(offered());
    for (unsigned q = 0; q < queue_count; q++)
        p.enable_queue(q, 1);
    for (unsigned bit = 0; bit < 32; bit++) {
        const uint32_t q = 1u << bit;
        p.write(VMMIO_REG_QUEUE_SEL, q);
        EXPECT_EQ(p.read(VMMIO_REG_QUEUE_SIZE_MAX), q < queue_count ? size_max(q) : 0);
        EXPECT_EQ(p.read(VMMIO_REG_QUEUE_READY), q < queue_count);
        if (q >= queue_count)
            p.write(VMMIO_REG_QUEUE_READY, 0);
    }
    for (unsigned q = 0; q < queue_count; q++)
        EXPECT_TRUE(told(p, q)) << "a write to an absent queue stopped " << q;
}

TEST(queues, queue_settings_are_checked_when_it_is_made_ready)
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

TEST(queues, nothing_of_a_queue_survives_a_reset)
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

TEST(queues, a_queue_stops_and_resets_in_its_own_time)
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

TEST(queues, queues_that_do_not_exist)
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
            EXPECT_EQ(p.read(VMMIO_REG_QUEUE_SIZE_MAX), q < queue_count ? size_max(q) : 0);
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

} // namespace
} // namespace vmmio::tb
