/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rig.h
 * A device under test with everything around it: guest memory with its monitor, the interrupt
 * line, the diagnostics, and a driver. After every access the rig checks that the line equals
 * InterruptStatus != 0, and at its end that no access left what the driver had named.
 *
 * With VMMIO_TEST_MOVES in the environment it moves the state into a new device before each access
 * and each run, so that every test shows that no driver notices.
 */
#ifndef VMMIO_TB_RIG_H
#define VMMIO_TB_RIG_H

#include "driver.h"
#include "guest_memory.h"
#include "packed_driver.h"
#include "rows.h"
#include "vmmio/dev/entropy.h"
#include "vmmio/dev/null.h"
#include "vmmio/dev/pmem.h"
#include "vmmio/device.h"
#include "vmmio/state.h"

#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <ostream>
#include <vector>

namespace vmmio::tb
{

constexpr uint64_t ram_base = 0x40000000;
constexpr uint64_t ram_size = 16 << 20;
constexpr uint64_t registers_base = 0x0a003e00;
constexpr uint32_t vendor = 0x564d4d49;

/** A device function whose behaviour is the test's; by default it gives requests back at once. */
class test_function
{
public:
    explicit test_function(uint32_t queues = 2);
    test_function(const test_function &) = delete;
    test_function &operator=(const test_function &) = delete;

    vmmio_function &function() { return head_.function; }
    /** From now on requests are kept; see held. */
    void hold();

    std::function<void(vmmio_request *)> on_request;
    std::function<bool(const vmmio_features &)> on_features_ok;
    std::function<uint32_t(const vmmio_features &)> on_usable_queues;
    std::function<void()> on_reset;
    std::function<bool(uint32_t, const uint8_t *, uint32_t)> on_config_write;
    std::vector<vmmio_request *> held;
    std::vector<uint8_t> config; /**< call use_config after the first change of its length */
    void use_config();
    std::vector<vmmio_feature_dependency> dependencies;
    void use_dependencies();

private:
    struct head {
        vmmio_function function;
        test_function *owner;
    };
    static test_function &of(vmmio_function *function)
    {
        return *reinterpret_cast<head *>(function)->owner;
    }
    head head_ = {};
    vmmio_function_type type_ = {};
};

/** The null function, initialised. */
struct null_function : vmmio_null {
    null_function() { vmmio_null_init(this); }
};

/** One after the other. */
std::vector<uint8_t> operator+(std::vector<uint8_t> a, const std::vector<uint8_t> &b);

struct rig_options {
    dma_mode mode = dma_mode::pointer;
    vmmio_features features = vmmio_device_default_features(); /**< to offer */
    uint32_t queue_size_max = 256;
    uint32_t requests = 64;
    bool hold_reset = false;
    bool legacy = false;
};

inline void PrintTo(dma_mode mode, std::ostream *out) { *out << name_of(mode); }

/** For INSTANTIATE_TEST_SUITE_P: what is true of rings is true however they are reached. */
inline auto every_dma_mode()
{
    return ::testing::Values(dma_mode::pointer, dma_mode::transaction, dma_mode::mixed,
                             dma_mode::fleeting, dma_mode::whole);
}
inline std::string dma_mode_name(const ::testing::TestParamInfo<dma_mode> &mode)
{
    return name_of(mode.param);
}

class rig : public bus
{
public:
    explicit rig(vmmio_function &function, const rig_options &options = {});
    ~rig() override;
    rig(const rig &) = delete;
    rig &operator=(const rig &) = delete;

    /* The bus. */
    uint32_t read(uint32_t offset, uint32_t width = 4) override;
    void write(uint32_t offset, uint32_t value, uint32_t width = 4) override;
    /** Selects a queue, then reads one of its registers. */
    uint32_t read_queue(uint32_t queue, uint32_t offset);
    void write_queue(uint32_t queue, uint32_t offset, uint32_t value);

    /** Lets the device work until it has nothing to do. */
    void run();

    /** The state of the device; the test fails if it has none. */
    std::vector<uint8_t> save();
    vmmio_error restore(const std::vector<uint8_t> &state)
    {
        return vmmio_device_restore(&device, nullptr, state.data(), state.size());
    }
    /**
     * Replaces the device by a new one that gets its state, and nothing else of it. Whoever owns
     * the function makes that anew in `renew`. False, and nothing happens, while the device cannot
     * be saved.
     */
    bool move();
    std::function<void()> renew;
    bool moving() const { return moving_; } /**< what is called now is not the driver's doing */

    /** How often the diagnostic came since the last forget(). */
    size_t count(vmmio_diag_id id) const;
    void forget() { diagnostics.clear(); }

    /** Reset, negotiation of these bits, queues 0..n-1 of their format and this size, DRIVER_OK. */
    void go_live(const vmmio_features &features, uint32_t queue_count = 1, uint32_t size = 16);
    void go_live(uint32_t queue_count = 1, uint32_t size = 16)
    {
        go_live(feature_set({VMMIO_F_VERSION_1}), queue_count, size);
    }
    /** A new queue somewhere in RAM. */
    virtqueue make_queue(uint32_t size);
    packed_queue make_packed_queue(uint32_t size);
    virtqueue &queue(uint32_t index) { return *queues[index]; }
    packed_queue &packed(uint32_t index) { return *packed_queues[index]; }

    /** Unused RAM, with a gap behind it that the monitor guards. */
    uint64_t alloc(uint64_t length, uint64_t alignment = 16);
    piece readable(uint32_t length) { return {alloc(length), length, false}; }
    piece writable(uint32_t length) { return {alloc(length), length, true}; }

    /** Offer a chain on queue 0, kick and run; then what came back. */
    void serve(const std::vector<piece> &pieces);
    std::optional<used_entry> exchange(const std::vector<piece> &pieces);
    /** The same with a packed queue. */
    std::optional<packed_used> exchange_packed(const std::vector<piece> &pieces);

    guest_memory memory;
    vmmio_device device;
    driver guest;
    std::vector<std::unique_ptr<virtqueue>> queues;
    std::vector<std::unique_ptr<packed_queue>> packed_queues;
    std::vector<vmmio_diagnostic> diagnostics;
    std::vector<bool> edges; /**< levels that the line changed to */
    std::function<void(bool)> on_interrupt;
    bool line = false;
    unsigned resets = 0; /**< calls of on_reset */

private:
    void check_line() const;
    void make_device();
    void move_if_asked();

    vmmio_device_config config_ = {};
    bool moving_ = false;
    uint64_t free_ram_ = ram_base;
    std::vector<vmmio_queue_registers> queue_registers_;
    std::vector<vmmio_queue> queues_;
    std::vector<vmmio_request> requests_;
    std::vector<vmmio_segment> segments_;
};

} // namespace vmmio::tb
#endif
