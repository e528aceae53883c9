/* SPDX-License-Identifier: Apache-2.0 */
/* Verilog and C answer alike, whatever a driver and a back side do. */
#include "pair.h"

#include <cstdlib>

namespace vmmio::tb
{
namespace
{

/* One random step; weights reach the states that matter. */
class random_driver
{
public:
    random_driver(pair &p, unsigned seed) : p_(p), random_(seed) {}

    void step()
    {
        p_.rtl.stalls = pick(4);
        p_.rtl.answers.latency = pick(6);
        p_.rtl.answers.accept_features = pick(8) != 0;
        p_.rtl.answers.accept_queue = pick(8) != 0;
        p_.rtl.answers.accept_config = pick(2);
        switch (pick(16)) {
        case 0:
            event();
            break;
        case 1:
            answers();
            break;
        case 2:
            table();
            break;
        case 3:
            status();
            break;
        case 4:
        case 5:
        case 6:
            queue();
            break;
        case 7:
            features();
            break;
        case 8:
            p_.write_bytes(pick(0x140) & ~3u, word(), pick(16));
            break;
        case 9:
            p_.write(VMMIO_REG_SHM_SEL, pick(4) ? pick(4) : word());
            break;
        default:
            p_.read((pick(4) ? pick(0x100) : pick(0x400)) & ~3u);
        }
    }

private:
    uint32_t pick(uint32_t below) { return static_cast<uint32_t>(random_() % below); }
    uint32_t word() { return pick(3) ? 1u << pick(32) : static_cast<uint32_t>(random_()); }
    bool may_be_slow() { return pick(4) == 0; }

    void answers()
    {
        p_.rtl.answers.stop_now = !may_be_slow();
        p_.rtl.answers.suspend_now = !may_be_slow();
        p_.rtl.answers.reset_now = !may_be_slow();
        // Those that answer at once end what is running.
        for (unsigned q = 0; q < queue_count && p_.rtl.answers.stop_now; q++)
            vmmio_block_queue_stop_done(&p_.c, q);
        if (p_.rtl.answers.suspend_now)
            vmmio_block_suspend_done(&p_.c);
        if (p_.rtl.answers.reset_now)
            vmmio_block_reset_done(&p_.c);
        p_.read(VMMIO_REG_STATUS);
    }

    void event()
    {
        switch (pick(8)) {
        case 0:
            return pick(8) ? p_.used_buffer() : p_.needs_reset();
        case 1:
            return p_.suspend_done();
        case 2:
            return p_.reset_done();
        case 3:
        case 4:
            return p_.stop_done(pick(queue_count));
        case 5:
            return p_.write(VMMIO_REG_INTERRUPT_ACK, pick(4));
        default:
            return p_.used_buffer();
        }
    }

    void table()
    {
        if (pick(2)) {
            std::vector<uint8_t> bytes(config_bytes, static_cast<uint8_t>(pick(256)));
            p_.config_update(bytes, pick(2));
        } else if (pick(3)) {
            const auto id = static_cast<uint8_t>(pick(2) ? pick(4) : pick(256));
            p_.set_region({id, uint64_t{id} << 40 | pick(1 << 30), 1 + uint64_t{word()}});
        } else {
            p_.remove_region(static_cast<uint8_t>(pick(4)));
        }
    }

    void status()
    {
        static const uint32_t usual[] = {0x1, 0x3, 0xb, 0xf, 0xf, 0xf, 0x1b, 0x1f, 0x0, 0xf};

        p_.write(VMMIO_REG_STATUS, pick(8) ? usual[pick(10)] : pick(8) ? pick(256) : word());
    }

    void features()
    {
        if (pick(16) == 0)
            return p_.write(VMMIO_REG_DEVICE_FEATURES_SEL, pick(6));
        const uint32_t sel = pick(24) ? pick(4) : word();
        p_.write(VMMIO_REG_DRIVER_FEATURES_SEL, sel);
        const uint32_t value = sel < 4 ? offered().word[sel] : 0;
        p_.write(VMMIO_REG_DRIVER_FEATURES, pick(12) ? value : value & ~(1u << pick(32)));
    }

    void queue()
    {
        static const uint32_t settings[] = {VMMIO_REG_QUEUE_SIZE,        VMMIO_REG_QUEUE_DESC_LOW,
                                            VMMIO_REG_QUEUE_DESC_HIGH,   VMMIO_REG_QUEUE_DRIVER_LOW,
                                            VMMIO_REG_QUEUE_DRIVER_HIGH, VMMIO_REG_QUEUE_DEVICE_LOW,
                                            VMMIO_REG_QUEUE_DEVICE_HIGH, VMMIO_REG_QUEUE_SEL};

        switch (pick(8)) {
        case 0:
            return p_.write(settings[pick(8)], word());
        case 1:
            return p_.enable_queue(pick(queue_count), pick(4) ? 1u << pick(9) : word());
        case 2:
            return p_.write(VMMIO_REG_QUEUE_SEL, pick(queue_count + 1));
        case 3:
            return p_.write(VMMIO_REG_QUEUE_RESET, pick(8) ? 1 : word());
        case 4:
            return p_.write(VMMIO_REG_QUEUE_READY, pick(8) ? pick(2) : word());
        case 5:
            p_.read(VMMIO_REG_QUEUE_READY);
            p_.read(VMMIO_REG_QUEUE_RESET);
            return;
        default:
            return p_.write(VMMIO_REG_QUEUE_NOTIFY,
                            pick(4) ? pick(queue_count + 1) : pick(queue_count) + word());
        }
    }

    pair &p_;
    std::mt19937 random_;
};

/* VMMIO_SEED and VMMIO_STEPS repeat or lengthen a run. */
unsigned setting(const char *name, unsigned usual)
{
    const char *text = std::getenv(name);
    return text ? static_cast<unsigned>(std::strtoul(text, nullptr, 0)) : usual;
}

TEST(lockstep, random_drivers)
{
    const unsigned first = setting("VMMIO_SEED", 1);
    const unsigned steps = setting("VMMIO_STEPS", 4000);

    for (unsigned seed = first; seed < first + 4; seed++) {
        pair p(seed);
        random_driver driver(p, seed);
        for (unsigned step = 0; step < steps; step++) {
            driver.step();
            if (testing::Test::HasFailure())
                FAIL() << "step " << step << "; repeat with VMMIO_SEED=" << seed;
        }
    }
}

} // namespace
} // namespace vmmio::tb
