// SPDX-License-Identifier: Apache-2.0
#include "vfio_user_server.h"

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace vmmio::vfu
{

namespace
{

/// A peer that does everything wrong shall not fill the log.
constexpr unsigned max_complaints = 8;

const vfio_user_config &checked(const vfio_user_config &config)
{
    const std::uint64_t size = config.bar0_size;
    if (size < 0x1000 || size > 0x40000000 || (size & (size - 1)) != 0)
        throw std::runtime_error("bar0_size is " + std::to_string(size) +
                                 ": make it a power of two from 4 KiB to 1 GiB");
    if (config.expected_bar0 % size != 0 || config.expected_bar0 > 0xffffffff)
        throw std::runtime_error("expected_bar0 is not a multiple of bar0_size below 4 GiB: no "
                                 "guest can put BAR0 there");
    if (config.class_code > 0xffffff)
        throw std::runtime_error("class_code has 24 bits: leave out the revision");
    if (config.interrupts > 1024)
        throw std::runtime_error("interrupts is above 1024: OR some of them first");
    if (config.max_dma_maps < 1 || config.max_dma_maps > 65535)
        throw std::runtime_error("max_dma_maps must be 1 to 65535");
    return config;
}

std::string hex(std::uint64_t value)
{
    char text[24];
    std::snprintf(text, sizeof(text), "0x%" PRIx64, value);
    return text;
}

} // namespace

std::uint8_t *reply::extend(std::size_t count)
{
    std::uint8_t *room = bytes_.data() + size_;
    size_ += count;
    return room;
}

std::size_t reply::finish(const header &command, int error)
{
    header head = command;
    head.flags = flag_type_reply | (error ? flag_error : 0);
    head.error = static_cast<std::uint32_t>(error);
    if (error)
        clear();
    head.size = static_cast<std::uint32_t>(size_);
    std::memcpy(bytes_.data(), &head, sizeof(head));
    return size_;
}

server::server(const vfio_user_config &config, backend &devices)
    : config_(checked(config)), devices_(devices), listener_(config.socket_path),
      memory_(config.max_dma_maps), pci_(config), interrupt_(counters_.interrupts)
{
}

bool server::step()
{
    if (!connection_) {
        take_client();
        return connection_.has_value();
    }
    switch (connection_->receive(request_)) {
    case connection::status::nothing:
        return false;
    case connection::status::received:
        serve();
        return true;
    case connection::status::broken:
        ++counters_.errors;
        complain(connection_->error());
        break;
    case connection::status::closed:
        break;
    }
    disconnect();
    return true;
}

void server::take_client()
{
    unique_fd client = listener_.accept();
    if (!client && (errno == EMFILE || errno == ENFILE)) {
        ++counters_.errors;
        complain(std::string("a client was turned away (") + std::strerror(errno) +
                 "): raise the limit of open files (ulimit -n)");
        listener_.turn_away();
    }
    if (!client)
        return;
    connection_.emplace(std::move(client));
    complaints_ = 0;
    ++counters_.connections;
}

void server::disconnect()
{
    if (!connection_)
        return;
    devices_.reset(vfio_user::reset_cause::disconnect);
    if (!memory_.empty())
        devices_.memory_goes(0, UINT64_MAX);
    memory_.clear();
    interrupt_.connect(unique_fd());
    interrupt_.set_disabled(false);
    pci_.reset();
    request_ = message();
    negotiated_ = false;
    hopeless_ = false;
    connection_.reset();
}

void server::serve()
{
    ++counters_.messages;
    reply_.clear();
    const int error = carry_out();
    if (error)
        ++counters_.errors;
    if ((request_.head.flags & flag_no_reply) == 0) {
        const std::size_t size = reply_.finish(request_.head, error);
        if (!connection_->send(reply_.data(), size)) {
            complain(connection_->error());
            hopeless_ = true;
        }
    }
    if (hopeless_)
        disconnect();
}

int server::carry_out()
{
    const std::uint32_t type = request_.head.flags & flag_type_mask;
    if (type != flag_type_command) {
        hopeless_ = true;
        return refuse(EPROTO, "a message that is not a command (type " + std::to_string(type) +
                                  "); nothing was asked of the client");
    }
    if (request_.fds_lost)
        return refuse(EINVAL, "a message with more than " + std::to_string(max_message_fds) +
                                  " file descriptors");
    const auto which = static_cast<command>(request_.head.command);
    if (!negotiated_ && which != command::version) {
        hopeless_ = true;
        return refuse(EPROTO, "the first message is not VERSION");
    }
    switch (which) {
    case command::version:
        return negotiate();
    case command::dma_map:
        return map_memory();
    case command::dma_unmap:
        return unmap_memory();
    case command::device_get_info:
        return describe_device();
    case command::device_get_region_info:
        return describe_region();
    case command::device_get_irq_info:
        return describe_irq();
    case command::device_set_irqs:
        return set_irqs();
    case command::region_read:
        return read_region();
    case command::region_write:
        return write_region();
    case command::device_reset:
        return reset_device();
    }
    return refuse(ENOTSUP, "a command that this server does not know");
}

int server::negotiate()
{
    hopeless_ = true;
    version_info proposed;
    if (negotiated_)
        return refuse(EPROTO, "a second VERSION");
    if (!request_.get(proposed))
        return refuse(EINVAL, "VERSION is too short");
    if (proposed.major != version_major)
        return refuse(EPROTONOSUPPORT,
                      "the client speaks protocol version " + std::to_string(proposed.major) + "." +
                          std::to_string(proposed.minor) + ", this server " +
                          std::to_string(version_major) + "." + std::to_string(version_minor));

    const auto *text = reinterpret_cast<const char *>(request_.payload) + sizeof(proposed);
    const std::size_t length = request_.payload_size - sizeof(proposed);
    if (length > 0) {
        if (text[length - 1] != '\0')
            return refuse(EINVAL, "the capabilities in VERSION do not end in NUL");
        const auto said = nlohmann::json::parse(text, text + length - 1, nullptr, false);
        if (!said.is_object() || !said.value("capabilities", nlohmann::json::object()).is_object())
            return refuse(EINVAL, "the capabilities in VERSION are not a JSON object");
    }
    const nlohmann::json capabilities = {{"max_msg_fds", max_message_fds},
                                         {"max_data_xfer_size", max_data_xfer_size},
                                         {"max_dma_maps", config_.max_dma_maps},
                                         {"pgsizes", page_size}};
    const std::string answer = nlohmann::json{{"capabilities", capabilities}}.dump();
    reply_.append(version_info{version_major, version_minor});
    std::memcpy(reply_.extend(answer.size() + 1), answer.c_str(), answer.size() + 1);
    negotiated_ = true;
    hopeless_ = false;
    return 0;
}

void server::config_written()
{
    interrupt_.set_disabled(pci_.interrupt_disabled());
    const std::uint32_t now = pci_.bar0();
    const std::uint32_t sizing = static_cast<std::uint32_t>(~(config_.bar0_size - 1));
    if (!pci_.memory_enabled() || now == 0 || now == sizing || now == bar0_address_)
        return;
    bar0_address_ = now;
    if (config_.expected_bar0 != 0 && config_.expected_bar0 != now)
        devices_.warn("the guest put BAR0 at " + hex(now) + ", but " + hex(config_.expected_bar0) +
                      " is expected: its drivers will not find the devices. Change the address in "
                      "the SSDT (or device tree) and in expected_bar0 to " +
                      hex(now) + ", or the guest's PCI devices so that BAR0 moves");
}

void server::set_interrupt(bool high) { interrupt_.set_level(high); }

int server::refuse(int error, const std::string &why)
{
    complain("refused command " + std::to_string(request_.head.command) + ": " + why + " (" +
             std::strerror(error) + ")");
    return error;
}

void server::complain(const std::string &text)
{
    if (++complaints_ > max_complaints)
        return;
    devices_.warn(text + (complaints_ == max_complaints
                              ? "; more trouble of this client will not be reported"
                              : ""));
}

} // namespace vmmio::vfu
