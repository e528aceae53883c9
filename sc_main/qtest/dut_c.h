// SPDX-License-Identifier: Apache-2.0
/// @file dut_c.h
/// The C reference model on the machine's bus.
#ifndef VMMIO_QTEST_DUT_C_H
#define VMMIO_QTEST_DUT_C_H

#include "dut.h"

#include <vector>

namespace vmmio::qtest
{

/// The C model with all that it needs, as a page of registers.
class c_device : public register_page
{
public:
    /// @param function, side must outlive the device.
    /// @throws std::invalid_argument with what to change.
    c_device(vmmio_function *function, const vmmio_features &features, bool legacy,
             const machine_side &side);

    c_device(const c_device &) = delete;
    c_device &operator=(const c_device &) = delete;

    vmmio_device &model() { return model_; }

private:
    std::uint32_t read_register(std::uint32_t offset, unsigned width) override;
    void write_register(std::uint32_t offset, unsigned width, std::uint32_t value) override;

    machine_side side_;
    vmmio_device model_;
    std::vector<vmmio_queue_registers> queue_registers_;
    std::vector<vmmio_queue> queues_;
    std::vector<vmmio_request> requests_;
    std::vector<vmmio_segment> segments_;
};

/// A placeholder slot (DeviceID 0), the C model in any machine.
class placeholder
{
public:
    explicit placeholder(const machine_side &side);
    placeholder(const placeholder &) = delete;
    placeholder &operator=(const placeholder &) = delete;

    bus_target &registers() { return device_; }

private:
    static vmmio_function *init(vmmio_null &null);

    vmmio_null null_;
    c_device device_;
};

/// --dut c.
class dut_c : public dut
{
public:
    dut_c(const options &chosen, function &what, const machine_side &side);

    bus_target &registers() override { return device_; }
    bus_target &region(std::size_t index) override { return *memories_[index]; }
    void run(const std::function<void()> &commands) override { commands(); }
    void settle() override;
    vmmio_error save(std::vector<std::uint8_t> &state) override;
    vmmio_error restore(const std::vector<std::uint8_t> &state) override;
    void advance(std::uint64_t) override {} // the model knows no time

private:
    c_device device_;
    std::vector<std::unique_ptr<ram>> memories_;
};

} // namespace vmmio::qtest

#endif
