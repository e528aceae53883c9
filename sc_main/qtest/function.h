// SPDX-License-Identifier: Apache-2.0
/// @file function.h
/// What the device under test does, chosen by name; the same C code behind every form.
#ifndef VMMIO_QTEST_FUNCTION_H
#define VMMIO_QTEST_FUNCTION_H

#include "options.h"

#include "vmmio/dev/blk_storage.h"
#include "vmmio/dev/console.h"
#include "vmmio/dev/entropy.h"
#include "vmmio/dev/net.h"
#include "vmmio/dev/null.h"
#include "vmmio/dev/pmem.h"
#include "vmmio/device.h"

#include <random>
#include <string>
#include <vector>

namespace vmmio::qtest
{

/// Region 0 of a pmem device that is given none.
constexpr vmmio_shm_region default_pmem_region = {VMMIO_PMEM_SHM_ID, 0x100000000, 16u << 20};

/// @throws std::invalid_argument with the text of error, unless it is VMMIO_ERROR_OK.
void check(vmmio_error error);

/// A device function with its feature bits.
class function
{
public:
    /// @param chosen with region 0 for a pmem device.
    /// @throws std::invalid_argument with what to change.
    explicit function(const options &chosen);
    function(const function &) = delete;
    function &operator=(const function &) = delete;

    /// For the device's config. NULL for the fs device, which brings its own.
    vmmio_function *model() { return model_; }

    /// Queue and negotiation bits to offer.
    const vmmio_features &features() const { return features_; }

private:
    static bool fill(void *self, std::uint8_t *data, std::uint32_t length);

    void init_pmem(const options &chosen);
    void init_console(const options &chosen);
    void init_net(const options &chosen);
    void init_blk(const options &chosen);
    void restrict_to(const vmmio_features &wanted, bool legacy);

    vmmio_entropy entropy_;
    vmmio_pmem pmem_;
    vmmio_console console_;
    std::vector<vmmio_console_port> ports_; // of the console device
    std::vector<std::string> port_names_;
    std::vector<std::vector<std::uint8_t>> port_buffers_;
    vmmio_net net_;
    std::vector<vmmio_net_frame> frames_; // the net device's backlog
    std::vector<std::uint8_t> disk_;      // the blk device's bytes
    vmmio_blk_ram disk_ram_;
    std::vector<vmmio_blk_job> jobs_;
    vmmio_blk blk_;
    vmmio_null null_;
    vmmio_function *model_ = nullptr;
    vmmio_features features_ = vmmio_device_default_features();
    std::mt19937_64 random_;
};

} // namespace vmmio::qtest

#endif
