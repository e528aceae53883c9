/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file victim.h
 * A device whose driver lies, and what has to be true of it afterwards: no access outside the
 * named addresses, bounded work, NEEDS_RESET with its interrupt or a completed request, and a
 * reset that brings it back.
 */
#ifndef VMMIO_TB_VICTIM_H
#define VMMIO_TB_VICTIM_H

#include "requests.h"
#include "rig.h"

namespace vmmio::tb
{

constexpr uint32_t queue_size = 16;

class victim : public ::testing::TestWithParam<dma_mode>
{
protected:
    victim()
    {
        /* Writes 1s into the first 64 bytes of whatever it gets. */
        function.on_request = [](vmmio_request *request) {
            const std::vector<uint8_t> ones(std::min(request->writable_bytes, 64u), 1);
            const uint32_t length = static_cast<uint32_t>(ones.size());
            const bool ok = length == 0 || vmmio_request_write(request, 0, ones.data(), length);
            vmmio_request_complete(request, ok ? length : 0);
        };
        rig_options options;
        options.mode = GetParam();
        vmmio_features_add(&options.features, VMMIO_F_RING_PACKED);
        r = std::make_unique<rig>(function.function(), options);
        live();
    }

    void live(bool indirect = true)
    {
        vmmio_features features = feature_set({VMMIO_F_VERSION_1});
        if (indirect)
            vmmio_features_add(&features, VMMIO_F_INDIRECT_DESC);
        r->go_live(features, 2, queue_size);
        r->forget();
        r->edges.clear();
    }
    virtqueue &q() { return r->queue(0); }

    /* Kicks and runs, and counts the accesses of the device. */
    void attack()
    {
        const size_t before = r->memory.log.size();
        r->guest.kick(0);
        r->run();
        work = r->memory.log.size() - before;
    }
    /* The same with head offered before. */
    void attack(uint16_t head)
    {
        q().offer(head);
        attack();
    }

    /* The device gave up in the right way, and comes back. */
    void expect_fatal(vmmio_diag_id id)
    {
        EXPECT_EQ(r->count(id), 1u) << vmmio_diag_text(id);
        EXPECT_EQ(r->diagnostics.size(), 1u);
        EXPECT_EQ(r->guest.status(), 0x4fu);
        EXPECT_EQ(r->guest.interrupts() & 2u, 2u);
        EXPECT_TRUE(r->line);
        EXPECT_LE(work, 3u * queue_size + 8) << "bounded work";
        const size_t before = r->memory.log.size();
        for (uint32_t i = 0; i < 2; i++)
            r->guest.kick(i);
        r->run();
        EXPECT_EQ(r->memory.log.size(), before) << "no queue is served any more";
        live();
        EXPECT_TRUE(r->exchange({r->writable(8)}).has_value()) << "reset recovers";
    }

    /* The device did what was asked, and nothing is wrong. */
    void expect_served(uint32_t length)
    {
        EXPECT_EQ(r->guest.status(), 0x0fu);
        const std::optional<used_entry> used = q().reap();
        ASSERT_TRUE(used.has_value());
        EXPECT_EQ(used->length, length);
    }

    test_function function;
    std::unique_ptr<rig> r;
    size_t work = 0;
};

} // namespace vmmio::tb
#endif
