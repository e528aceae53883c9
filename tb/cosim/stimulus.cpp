/* SPDX-License-Identifier: Apache-2.0 */
#include "stimulus.h"

#include <algorithm>

namespace vmmio::tb
{

namespace
{

constexpr uint32_t queue_settings[] = {VMMIO_REG_QUEUE_DESC_LOW,   VMMIO_REG_QUEUE_DESC_HIGH,
                                       VMMIO_REG_QUEUE_DRIVER_LOW, VMMIO_REG_QUEUE_DRIVER_HIGH,
                                       VMMIO_REG_QUEUE_DEVICE_LOW, VMMIO_REG_QUEUE_DEVICE_HIGH,
                                       VMMIO_REG_QUEUE_SIZE};

} // namespace

/* One bit of 32, or all at random. */
uint32_t stimulus::word() { return pick(3) ? 1u << pick(32) : static_cast<uint32_t>(random_()); }

/* Mostly one that exists; else the first that does not, one more bit, or anything. */
uint32_t stimulus::selector(uint32_t count)
{
    switch (pick(8)) {
    case 0:
        return count;
    case 1:
        return pick(count) + (1u << pick(32));
    case 2:
        return word();
    default:
        return pick(count);
    }
}

void stimulus::write(uint32_t offset, uint32_t value, unsigned strobe)
{
    l_.master.push({true, random_.chance(alone_percent_), offset, value, strobe});
}

void stimulus::read(uint32_t address)
{
    l_.master.push({false, random_.chance(alone_percent_), address});
}

/* ---- The back side ---- */

/* For the next few hundred clocks: how both sides stall, and how eager the back side is. */
void stimulus::change_mood()
{
    static const unsigned alone[] = {100, 60, 0, 0};
    static const unsigned speed[] = {100, 100, 50, 10, 3};
    static const unsigned stall[] = {0, 0, 20, 50, 80, 90};
    back_answers &a = l_.back.answers;

    mood_clocks_ = 100 + pick(300);
    alone_percent_ = alone[pick(4)];
    const unsigned all = stall[pick(6)];
    const bool each = pick(3) == 0;
    static constexpr bin levels[] = {bin::stalls_on_aw, bin::stalls_on_w, bin::stalls_on_b,
                                     bin::stalls_on_ar, bin::stalls_on_r};
    for (unsigned channel = 0; channel < channel_count; channel++) {
        const unsigned percent = each ? pick(91) : all;
        l_.master.stall_percent[channel] = percent;
        l_.covered.hit(levels[channel], (percent + 29) / 30);
    }
    a.answer_percent = speed[pick(5)];
    a.stop_percent = pick(6) ? speed[pick(5)] : 0;
    a.suspend_percent = pick(6) ? speed[pick(5)] : 0;
    a.reset_percent = hold_reset || pick(6) ? speed[pick(5)] : 0;
    a.probe_percent = pick(2) ? 30 : 0;
    event_percent_ = pick(3) ? 1 + pick(4) : 20;
}

void stimulus::change_region()
{
    const uint32_t ids[] = {pick(4), pick(4), pick(256)};
    const auto id = static_cast<uint8_t>(ids[pick(3)]);

    if (pick(3) == 0)
        l_.remove_region(id);
    else // every id has room of its own
        l_.set_region({id, uint64_t{id} << 40 | uint64_t{pick(1u << 20)} << 12 | word() % 4096,
                       1 + (random_() >> (25 + pick(39)))});
}

void stimulus::change_config()
{
    std::array<uint8_t, VMMIO_CONFIG_MAX> bytes = l_.back.config;

    if (config_bytes == 0 || l_.back.busy())
        return;
    for (unsigned n = 1 + pick(4); n; n--)
        bytes[pick(config_bytes)] = static_cast<uint8_t>(random_());
    l_.back.change_config(bytes.data(), pick(2));
}

void stimulus::back_events()
{
    back_side &b = l_.back;
    const access *acting = l_.board.acting();
    const bool meets = acting && (acting->address == VMMIO_REG_INTERRUPT_ACK ||
                                  acting->address == VMMIO_REG_STATUS);

    b.answers.accept_features = b.answers.accept_queue = pick(16) != 0;
    b.answers.accept_config = pick(4) != 0;
    if (!random_.chance(meets ? 50 : event_percent_))
        return;
    const bool live = vmmio_block_live(&l_.board.c);
    switch (pick(meets ? 6 : 12)) {
    case 0:
    case 1:
    case 2:
        b.used_buffer = true;
        return;
    case 3:
        b.needs_reset = pick(live ? 40 : 4) == 0;
        return;
    case 4:
        b.tell_regions_changed();
        return;
    case 5:
    case 6:
        return change_config();
    case 7:
        b.stop_done = random_();
        return;
    case 8:
        b.suspend_done = true;
        return;
    case 9:
        b.reset_done = true;
        return;
    default:
        return change_region();
    }
}

/* ---- The driver ---- */

void stimulus::negotiate(bool well)
{
    vmmio_features features = offered();

    for (unsigned i = 0; i < 4; i++)
        if (pick(3) == 0)
            features.word[i] &= static_cast<uint32_t>(random_()) | required().word[i];
    if (packed_offered && pick(2))
        vmmio_features_remove(&features, VMMIO_F_RING_PACKED);
    if (!well)
        features.word[pick(4)] ^= word();
    for (uint32_t i = 0; i < 4; i++) {
        write(VMMIO_REG_DRIVER_FEATURES_SEL, i);
        if (well || pick(4))
            write(VMMIO_REG_DRIVER_FEATURES, features.word[i]);
    }
    if (!well && pick(4) == 0) {
        write(VMMIO_REG_DRIVER_FEATURES_SEL, selector(4));
        write(VMMIO_REG_DRIVER_FEATURES, word());
    }
}

void stimulus::set_up_queue(uint32_t queue, bool well)
{
    const uint32_t limit = size_max(queue % queue_count);
    uint32_t size = 1;

    while (2 * size <= limit && pick(packed_offered ? 8 : 4))
        size *= 2;
    if (packed_offered && pick(2)) // any, for a packed ring
        size += std::min(pick(size), limit - size);
    write(VMMIO_REG_QUEUE_SEL, queue);
    for (const uint32_t offset : queue_settings)
        if (offset != VMMIO_REG_QUEUE_SIZE && (well || pick(8)))
            write(offset, static_cast<uint32_t>(random_()) & ~15u);
    write(VMMIO_REG_QUEUE_SIZE, size);
    const uint32_t top = 1u << pick(32);
    if (!well && pick(2))
        write(VMMIO_REG_QUEUE_SIZE, pick(8) ? top | pick(top) : pick(2) ? limit + 1 : 0);
    else if (!well)
        write(queue_settings[2 * pick(3)], 1u << pick(5));
    write(VMMIO_REG_QUEUE_READY, 1);
    if (pick(2))
        read(VMMIO_REG_QUEUE_READY);
}

void stimulus::bring_up()
{
    write(VMMIO_REG_STATUS, 0);
    write(VMMIO_REG_STATUS, VMMIO_STATUS_ACKNOWLEDGE);
    write(VMMIO_REG_STATUS, initialised);
    negotiate(pick(8) != 0);
    write(VMMIO_REG_STATUS, accepted);
    read(VMMIO_REG_STATUS);
    const uint32_t first = pick(queue_count);
    for (uint32_t i = 0, n = pick(4); i < n; i++)
        set_up_queue((first + i) % queue_count, true);
    write(VMMIO_REG_STATUS, running);
}

void stimulus::queue_scene()
{
    switch (pick(12)) {
    case 0:
    case 1:
        return set_up_queue(pick(queue_count), true);
    case 2:
    case 3:
        return set_up_queue(selector(queue_count), false);
    case 4:
        write(VMMIO_REG_QUEUE_SEL, selector(queue_count));
        read(VMMIO_REG_QUEUE_SIZE_MAX);
        return read(VMMIO_REG_QUEUE_READY);
    case 5: // stop, and set at once what may not be set yet
    case 6:
        write(pick(2) ? VMMIO_REG_QUEUE_READY : VMMIO_REG_QUEUE_RESET, pick(2));
        write(queue_settings[pick(7)], word());
        return write(VMMIO_REG_QUEUE_READY, 1);
    case 7:
        write(VMMIO_REG_QUEUE_RESET, pick(8) ? 1 : word());
        read(VMMIO_REG_QUEUE_RESET);
        return read(VMMIO_REG_QUEUE_READY);
    case 8:
        write(VMMIO_REG_QUEUE_READY, pick(4) ? pick(2) : word());
        return read(VMMIO_REG_QUEUE_READY);
    default:
        for (unsigned n = 1 + pick(4); n; n--)
            write(VMMIO_REG_QUEUE_NOTIFY,
                  pick(3) ? pick(queue_count)
                          : selector(queue_count) + (pick(2) ? word() << 16 : 0));
    }
}

void stimulus::status_scene()
{
    static const uint32_t usual[] = {0x01, 0x03, 0x0b, 0x0f, 0x0f, 0x00, 0x1f, 0x04, 0x08, 0x80};

    write(VMMIO_REG_STATUS, pick(4) ? usual[pick(10)] : pick(3) ? pick(256) : word());
    if (pick(2))
        read(VMMIO_REG_STATUS);
}

void stimulus::interrupt_scene()
{
    if (pick(2))
        read(VMMIO_REG_INTERRUPT_STATUS);
    write(VMMIO_REG_INTERRUPT_ACK, pick(8) ? pick(4) : word());
}

void stimulus::shm_scene()
{
    const vmmio_shm &shm = l_.board.c.shm;
    uint32_t sel = pick(2) ? pick(4) : word();

    if (shm.region_count && pick(3))
        sel = shm.region[pick(shm.region_count)].id;
    if (pick(6) == 0)
        sel += 1u << (8 + pick(24)); // another id with the same low byte
    write(VMMIO_REG_SHM_SEL, sel);
    for (unsigned times = 1 + pick(2); times; times--)
        for (const uint32_t at : {VMMIO_REG_SHM_LEN_LOW, VMMIO_REG_SHM_LEN_HIGH,
                                  VMMIO_REG_SHM_BASE_LOW, VMMIO_REG_SHM_BASE_HIGH})
            read(at);
}

void stimulus::config_scene()
{
    const uint32_t words = (config_bytes + 3) / 4 + 1;

    if (pick(3) == 0) {
        const uint32_t at =
            VMMIO_REG_CONFIG + 4 * pick(pick(8) ? words : 64) + (pick(8) ? 0 : pick(4));
        write(at, static_cast<uint32_t>(random_()), pick(16));
        return read(at);
    }
    read(VMMIO_REG_CONFIG_GENERATION);
    for (uint32_t n = 1 + pick(4), at = pick(words); n; n--, at++)
        read(VMMIO_REG_CONFIG + 4 * (at % words));
    read(VMMIO_REG_CONFIG_GENERATION);
}

void stimulus::suspend_scene()
{
    write(VMMIO_REG_STATUS, running | VMMIO_STATUS_SUSPEND);
    for (unsigned n = pick(6); n; n--)
        switch (pick(8)) {
        case 0:
            write(VMMIO_REG_CONFIG, word());
            break;
        case 1:
            write(VMMIO_REG_QUEUE_NOTIFY, pick(queue_count));
            break;
        case 2:
            queue_scene();
            break;
        case 3:
            any_access();
            break;
        default:
            read(VMMIO_REG_STATUS);
        }
    write(VMMIO_REG_STATUS, pick(4) ? running : 0);
}

/* Every word, strobe and alignment, most of them not allowed. */
void stimulus::any_access()
{
    uint32_t address = 4 * pick(64);

    if (pick(8) == 0)
        address = pick(pick(2) ? 0x200 : 0x1000);
    if (pick(16) == 0)
        address |= pick(4);
    if (pick(2))
        return read(address);
    write(address, word(), pick(2) ? 0xf : pick(16));
}

void stimulus::scene()
{
    if (!vmmio_block_live(&l_.board.c) && pick(3) == 0)
        return bring_up();
    switch (pick(18)) {
    case 0:
        return status_scene();
    case 1:
    case 2:
    case 3:
        return shm_scene();
    case 4:
    case 5:
        return config_scene();
    case 6:
        return suspend_scene();
    case 7:
    case 8:
    case 9:
        return interrupt_scene();
    case 10:
        write(VMMIO_REG_DEVICE_FEATURES_SEL, selector(4));
        return read(VMMIO_REG_DEVICE_FEATURES);
    case 11:
        write(VMMIO_REG_DRIVER_FEATURES_SEL, selector(4));
        return write(VMMIO_REG_DRIVER_FEATURES, word());
    case 12:
    case 13:
        return any_access();
    default:
        return queue_scene();
    }
}

void stimulus::clock()
{
    if (mood_clocks_-- == 0)
        change_mood();
    if (l_.master.waiting() < 4)
        scene();
    back_events();
    if (pick(20000) == 0) // at any point
        l_.power_reset(1 + pick(3));
    l_.clock();
}

episode run_episode(uint64_t seed, bins &covered, const episode_options &options)
{
    constexpr uint64_t clocks_per_access = 2000; // more only if something hangs
    lockstep l(seed, covered, options.fst);
    stimulus s(l);

    l.board.fault.from_access = options.fault_from_access;
    l.board.fault.bits = 1u << 30; // that no register has in use
    while (l.board.accesses < options.accesses && l.board.difference().empty() &&
           l.now() < clocks_per_access * options.accesses)
        s.clock();
    episode e{l.board.accesses, l.now(), l.board.events, l.board.difference(), {}};
    if (e.difference.empty() && e.accesses < options.accesses)
        e.difference = "accesses are not answered, at clock " + std::to_string(l.now());
    if (!e.difference.empty())
        e.history = l.board.history();
    return e;
}

} // namespace vmmio::tb
