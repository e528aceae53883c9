// SPDX-License-Identifier: Apache-2.0
#include "function.h"

#include "common/rings.h"

#include <algorithm>
#include <fmt/format.h>
#include <stdexcept>

namespace vmmio::qtest
{

void check(vmmio_error error)
{
    if (error != VMMIO_ERROR_OK)
        throw std::invalid_argument(vmmio_error_text(error));
}

function::function(const options &chosen)
{
    switch (chosen.device) {
    case kind::entropy: {
        vmmio_entropy_config config{};
        if (chosen.seed) {
            random_.seed(*chosen.seed);
            config.fill = fill;
            config.context = this;
        }
        vmmio_entropy_init(&entropy_, &config);
        model_ = &entropy_.function;
        break;
    }
    case kind::pmem:
        init_pmem(chosen);
        break;
    case kind::console:
        init_console(chosen);
        break;
    case kind::net:
        init_net(chosen);
        break;
    case kind::blk:
        init_blk(chosen);
        break;
    case kind::fs:
        break;
    case kind::null:
        vmmio_null_init(&null_);
        model_ = &null_.function;
        break;
    }
    if (chosen.features)
        restrict_to(*chosen.features, chosen.legacy);
    if (chosen.rings)
        offer_rings(features_, *chosen.rings);
}

// Each number of the generator gives eight bytes, lowest first; a request begins with a new one.
bool function::fill(void *self, std::uint8_t *data, std::uint32_t length)
{
    std::uint64_t number = 0;
    for (std::uint32_t i = 0; i < length; i++, number >>= 8) {
        if (i % 8 == 0)
            number = static_cast<function *>(self)->random_();
        data[i] = static_cast<std::uint8_t>(number);
    }
    return true;
}

void function::init_pmem(const options &chosen)
{
    const auto range = std::find_if(chosen.regions.begin(), chosen.regions.end(),
                                    [](const auto &r) { return r.id == VMMIO_PMEM_SHM_ID; });
    vmmio_pmem_config config{};
    config.start = range->base;
    config.size = range->length;
    config.no_shmem_region =
        chosen.features && !vmmio_features_has(&*chosen.features, VMMIO_PMEM_F_SHMEM_REGION);
    check(vmmio_pmem_init(&pmem_, &config));
    model_ = &pmem_.function;
}

// Each port has a cable back to itself; what does not fit into it waits. An emergency write goes
// that way, too.
void function::init_console(const options &chosen)
{
    for (std::uint32_t i = 0; i < chosen.ports; i++) {
        port_names_.push_back(fmt::format("port{}", i));
        port_buffers_.emplace_back(4096);
    }
    for (std::uint32_t i = 0; i < chosen.ports; i++) {
        vmmio_console_port port{};
        port.name = port_names_[i].c_str();
        port.buffer = port_buffers_[i].data();
        port.buffer_bytes = static_cast<std::uint32_t>(port_buffers_[i].size());
        port.console = i == 0;
        port.cols = 80;
        port.rows = 25;
        ports_.push_back(port);
    }
    vmmio_console_config config{};
    config.backend.context = &console_;
    config.backend.write = [](void *console, std::uint32_t port, const std::uint8_t *data,
                              std::uint32_t length) {
        return vmmio_console_receive(static_cast<vmmio_console *>(console), port, data, length);
    };
    config.backend.room = [](void *console, std::uint32_t port) {
        vmmio_console_writable(static_cast<vmmio_console *>(console), port);
    };
    config.ports = ports_.data();
    config.port_count = chosen.ports;
    config.multiport = chosen.ports > 1;
    if (chosen.features)
        config.withheld = ~chosen.features->word[0];
    check(vmmio_console_init(&console_, &config));
    model_ = &console_.function;
}

// A cable whose ends are in one socket: what is sent is received, as it is.
void function::init_net(const options &chosen)
{
    constexpr std::uint32_t everything = VMMIO_NET_OFFLOAD_CSUM | VMMIO_NET_OFFLOAD_TSO4 |
                                         VMMIO_NET_OFFLOAD_TSO6 | VMMIO_NET_OFFLOAD_ECN |
                                         VMMIO_NET_OFFLOAD_USO;
    frames_.resize(64);
    vmmio_net_config config{};
    config.backend.context = &net_;
    config.backend.send = [](void *net, const vmmio_net_header *header, const std::uint8_t *frame,
                             std::uint32_t length) {
        return vmmio_net_receive(static_cast<vmmio_net *>(net), header, frame, length);
    };
    config.backend.takes = everything;
    config.backend.gives = everything;
    config.mtu = 1500;
    config.pairs = chosen.pairs;
    config.frames = frames_.data();
    config.frame_count = static_cast<std::uint32_t>(frames_.size());
    if (chosen.features)
        config.withheld =
            ~(chosen.features->word[0] | std::uint64_t{chosen.features->word[1]} << 32);
    check(vmmio_net_init(&net_, &config));
    model_ = &net_.function;
}

// A disk of zeroes in RAM.
void function::init_blk(const options &chosen)
{
    disk_.resize(chosen.disk_bytes);
    disk_ram_ = {disk_.data(), disk_.size()};
    jobs_.resize(1); // the storage ends each at once
    vmmio_blk_config config{};
    config.storage = vmmio_blk_use_ram(&disk_ram_);
    config.capacity = chosen.disk_bytes / VMMIO_BLK_SECTOR;
    config.id = "vmmio-qtest";
    config.read_only = chosen.read_only;
    config.queue_count = 2;
    config.jobs = jobs_.data();
    config.job_count = static_cast<std::uint32_t>(jobs_.size());
    if (chosen.features)
        config.withheld = ~chosen.features->word[0];
    check(vmmio_blk_init(&blk_, &config));
    model_ = &blk_.function;
}

void function::restrict_to(const vmmio_features &wanted, bool legacy)
{
    if (legacy && (wanted.word[1] || wanted.word[2] || wanted.word[3]))
        throw std::invalid_argument("--features: the legacy layout has bits 0 to 31 only");
    const vmmio_features implemented = vmmio_device_features();
    const vmmio_features own = model_ ? model_->features : vmmio_features{};
    for (unsigned bit = 0; bit < 128; bit++) {
        if (!vmmio_features_has(&wanted, bit) || vmmio_features_has(&own, bit))
            continue;
        if (!vmmio_features_has(&implemented, bit) && !(legacy && bit == VMMIO_F_ANY_LAYOUT))
            throw std::invalid_argument(fmt::format("--features: bit {} is not implemented for {}: "
                                                    "take it out of the mask",
                                                    bit, model_ ? model_->type->name : "fs"));
    }
    if (!legacy && !vmmio_features_has(&wanted, VMMIO_F_VERSION_1))
        throw std::invalid_argument("--features: bit 32 (VERSION_1) is always offered: add it to "
                                    "the mask (0x100000000)");
    for (unsigned i = 0; i < 4; i++)
        features_.word[i] = wanted.word[i] & implemented.word[i];
}

} // namespace vmmio::qtest
