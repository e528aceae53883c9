// SPDX-License-Identifier: Apache-2.0
/// @file rtl_top.h
/// The verilated vmmio_axil of one set of parameters, behind an interface that does not depend on
/// them. The CMake function vmmio_add_rtl makes one for each set.
#ifndef VMMIO_TLM_RTL_TOP_H
#define VMMIO_TLM_RTL_TOP_H

#include "vmmio/virtio.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vmmio
{

/// The parameters of vmmio_axil; see its head for their meaning.
struct rtl_parameters {
    std::uint32_t device_id;
    std::uint32_t vendor_id;
    vmmio_features features;
    vmmio_features required;
    std::vector<vmmio_feature_dependency> dependencies;
    std::vector<std::uint32_t> queue_sizes; ///< one for each queue
    unsigned regions;
    unsigned config_bytes;
};

/// X(name, type): the ports whose width is the same for all parameters.
#define VMMIO_RTL_PINS(X)                                                                          \
    X(clk, std::uint8_t)                                                                           \
    X(rst, std::uint8_t)                                                                           \
    X(s_axil_awaddr, std::uint16_t)                                                                \
    X(s_axil_awvalid, std::uint8_t)                                                                \
    X(s_axil_awready, std::uint8_t)                                                                \
    X(s_axil_wdata, std::uint32_t)                                                                 \
    X(s_axil_wstrb, std::uint8_t)                                                                  \
    X(s_axil_wvalid, std::uint8_t)                                                                 \
    X(s_axil_wready, std::uint8_t)                                                                 \
    X(s_axil_bvalid, std::uint8_t)                                                                 \
    X(s_axil_bready, std::uint8_t)                                                                 \
    X(s_axil_araddr, std::uint16_t)                                                                \
    X(s_axil_arvalid, std::uint8_t)                                                                \
    X(s_axil_arready, std::uint8_t)                                                                \
    X(s_axil_rdata, std::uint32_t)                                                                 \
    X(s_axil_rvalid, std::uint8_t)                                                                 \
    X(s_axil_rready, std::uint8_t)                                                                 \
    X(irq, std::uint8_t)                                                                           \
    X(back_status, std::uint8_t)                                                                   \
    X(back_live, std::uint8_t)                                                                     \
    X(back_features_request, std::uint8_t)                                                         \
    X(back_features_done, std::uint8_t)                                                            \
    X(back_features_accept, std::uint8_t)                                                          \
    X(back_reset_request, std::uint8_t)                                                            \
    X(back_reset_done, std::uint8_t)                                                               \
    X(back_suspend_request, std::uint8_t)                                                          \
    X(back_suspend_done, std::uint8_t)                                                             \
    X(back_used_buffer, std::uint8_t)                                                              \
    X(back_needs_reset, std::uint8_t)                                                              \
    X(back_notify, std::uint8_t)                                                                   \
    X(back_notify_data, std::uint32_t)                                                             \
    X(back_enable_request, std::uint8_t)                                                           \
    X(back_enable_queue, std::uint8_t)                                                             \
    X(back_enable_done, std::uint8_t)                                                              \
    X(back_enable_accept, std::uint8_t)                                                            \
    X(back_queue_read, std::uint8_t)                                                               \
    X(back_queue_read_queue, std::uint8_t)                                                         \
    X(back_queue_read_word, std::uint8_t)                                                          \
    X(back_queue_read_ready, std::uint8_t)                                                         \
    X(back_queue_read_data, std::uint32_t)                                                         \
    X(back_config_write, std::uint8_t)                                                             \
    X(back_config_write_word, std::uint8_t)                                                        \
    X(back_config_write_strobe, std::uint8_t)                                                      \
    X(back_config_write_data, std::uint32_t)                                                       \
    X(back_config_write_done, std::uint8_t)                                                        \
    X(back_load, std::uint8_t)                                                                     \
    X(back_load_config, std::uint8_t)                                                              \
    X(back_load_word, std::uint8_t)                                                                \
    X(back_load_data, std::uint32_t)                                                               \
    X(back_config_commit, std::uint8_t)                                                            \
    X(back_config_counts, std::uint8_t)                                                            \
    X(back_config_notify, std::uint8_t)                                                            \
    X(back_config_commit_ready, std::uint8_t)                                                      \
    X(back_region_commit, std::uint8_t)                                                            \
    X(back_region_index, std::uint8_t)                                                             \
    X(back_region_id, std::uint8_t)                                                                \
    X(back_region_present, std::uint8_t)                                                           \
    X(back_region_commit_ready, std::uint8_t)

/// The ports themselves.
struct rtl_pins {
#define VMMIO_X(name, type) type &name;
    VMMIO_RTL_PINS(VMMIO_X)
#undef VMMIO_X
};

/// Outputs in one word: one comparison tells whether anything has happened.
enum rtl_said : std::uint64_t {
    rtl_said_status = 0xff,
    rtl_said_irq = 1u << 8,
    rtl_said_reset_request = 1u << 9,
    rtl_said_suspend_request = 1u << 10,
    rtl_said_request = 1u << 11,    ///< a kick, or a request of features, enable or config_write
    rtl_said_queue_stop = 1u << 12, ///< of any queue
};

/// One instance of the verilated block, in no defined state before its first reset.
class rtl_top
{
public:
    const rtl_pins pins;

    virtual ~rtl_top() = default;

    /// One clock, with the inputs as they are: clk rises, which its pin need not show.
    /// @return what the block says at its back side, as in rtl_said.
    virtual std::uint64_t clock() = 0;

    /// clk falls, for a trace to show it.
    virtual void fall() = 0;

    /// Ports with a bit for each queue, and the 128 bits of back_features.
    virtual std::uint64_t queue_alive() const = 0;
    virtual std::uint64_t queue_stop() const = 0;
    virtual void queue_stop_done(std::uint64_t queues) = 0;
    virtual vmmio_features features() const = 0;

    /// From now on each dump() writes what has changed into an FST file.
    virtual void trace(const std::string &path) = 0;
    /// @param time in units of 1 ps.
    virtual void dump(std::uint64_t time) = 0;

protected:
    explicit rtl_top(const rtl_pins &all) : pins(all) {}
};

/// One set of parameters for which there is a verilated block.
struct rtl_set {
    const char *name;
    rtl_parameters parameters;
    std::unique_ptr<rtl_top> (*make)();
};

} // namespace vmmio

#endif
