/* SPDX-License-Identifier: Apache-2.0 */
#include "pair.h"

#include <cstdio>

namespace vmmio::tb
{

namespace
{
constexpr unsigned patience = 4000; // clocks until an answer must have come

std::string text(const char *what, uint32_t address, uint32_t value)
{
    char line[64];
    std::snprintf(line, sizeof(line), "%s 0x%03x 0x%08x", what, address, value);
    return line;
}
} // namespace

pair::pair(uint64_t seed) : pair(seed, std::make_unique<bins>()) {}

pair::pair(uint64_t seed, std::unique_ptr<bins> unused)
    : lockstep(seed, *unused), bins_(std::move(unused))
{
    arrive("power-up");
}

void pair::report(const std::string &after)
{
    if (reported_ || board.difference().empty())
        return;
    reported_ = true;
    ADD_FAILURE() << board.difference() << "\nafter " << after << ", and before that\n"
                  << board.history();
}

void pair::arrive(const std::string &what)
{
    clocks(3);
    report(what);
}

uint64_t pair::finish()
{
    const uint64_t begin = now();

    while (!master.idle() && now() < begin + patience)
        clock();
    EXPECT_TRUE(master.idle()) << "an access is not answered";
    return now() - begin;
}

void pair::write_bytes(uint32_t address, uint32_t data, unsigned strobe)
{
    master.push({true, true, address, data, strobe});
    finish();
    arrive(text("write", address, data) + " strobe " + std::to_string(strobe));
}

uint32_t pair::read(uint32_t address)
{
    master.push({false, true, address});
    finish();
    arrive(text("read", address, board.last_read));
    return board.last_read;
}

void pair::read_all()
{
    for (uint32_t offset = 0; offset < VMMIO_REG_CONFIG + VMMIO_CONFIG_MAX; offset += 4)
        read(offset);
}

void pair::used_buffer()
{
    back.used_buffer = true;
    arrive("used_buffer");
}

void pair::needs_reset()
{
    back.needs_reset = true;
    arrive("needs_reset");
}

void pair::stop_done(unsigned queue)
{
    back.stop_done = 1ull << queue;
    arrive("stop_done " + std::to_string(queue));
}

void pair::suspend_done()
{
    back.suspend_done = true;
    arrive("suspend_done");
}

void pair::reset_done()
{
    back.reset_done = true;
    arrive("reset_done");
}

void pair::config_update(const std::vector<uint8_t> &bytes, bool notify)
{
    if (config_bytes == 0)
        return;
    back.change_config(bytes.data(), notify);
    clocks(config_bytes / 4 + 4);
    arrive("config_update");
}

bool pair::set_region(const vmmio_shm_region &region)
{
    if (!lockstep::set_region(region))
        return false;
    clocks(8);
    arrive("set_region " + std::to_string(region.id));
    return true;
}

void pair::remove_region(uint8_t id)
{
    if (!lockstep::remove_region(id))
        return;
    clocks(4);
    arrive("remove_region " + std::to_string(id));
}

void pair::regions_changed()
{
    back.tell_regions_changed();
    arrive("regions_changed");
}

void pair::negotiate(const vmmio_features &features)
{
    write(VMMIO_REG_STATUS, 0);
    write(VMMIO_REG_STATUS, VMMIO_STATUS_ACKNOWLEDGE);
    write(VMMIO_REG_STATUS, VMMIO_STATUS_ACKNOWLEDGE | VMMIO_STATUS_DRIVER);
    for (uint32_t i = 0; i < 4; i++) {
        write(VMMIO_REG_DRIVER_FEATURES_SEL, i);
        write(VMMIO_REG_DRIVER_FEATURES, features.word[i]);
    }
    write(VMMIO_REG_STATUS,
          VMMIO_STATUS_ACKNOWLEDGE | VMMIO_STATUS_DRIVER | VMMIO_STATUS_FEATURES_OK);
}

void pair::start(const vmmio_features &features)
{
    negotiate(features);
    write(VMMIO_REG_STATUS, read(VMMIO_REG_STATUS) | VMMIO_STATUS_DRIVER_OK);
}

void pair::set_queue(unsigned queue, uint32_t size)
{
    write(VMMIO_REG_QUEUE_SEL, queue);
    write(VMMIO_REG_QUEUE_SIZE, size);
    write(VMMIO_REG_QUEUE_DESC_LOW, 0x10000 * (queue + 1));
    write(VMMIO_REG_QUEUE_DESC_HIGH, queue);
    write(VMMIO_REG_QUEUE_DRIVER_LOW, 0x10000 * (queue + 1) + 0x4004);
    write(VMMIO_REG_QUEUE_DRIVER_HIGH, queue);
    write(VMMIO_REG_QUEUE_DEVICE_LOW, 0x10000 * (queue + 1) + 0x8004);
    write(VMMIO_REG_QUEUE_DEVICE_HIGH, queue);
}

void pair::enable_queue(unsigned queue, uint32_t size)
{
    set_queue(queue, size);
    write(VMMIO_REG_QUEUE_READY, 1);
}

} // namespace vmmio::tb
