// SPDX-License-Identifier: Apache-2.0
/// @file options.h
/// The command line of vmmio-qtest.
#ifndef VMMIO_QTEST_OPTIONS_H
#define VMMIO_QTEST_OPTIONS_H

#include "vmmio/shm.h"
#include "vmmio/virtio.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vmmio::qtest
{

/// The form of the device under test: the C model; the SystemC device with C registers, with
/// Verilog ones, or with both in lockstep.
enum class form { c, tlm, rtl, lockstep };

/// What the device does.
enum class kind { entropy, pmem, console, net, blk, fs, null };

struct options {
    form dut = form::c;
    kind device = kind::entropy;
    std::uint64_t ram_bytes = 64u << 20;
    std::vector<vmmio_shm_region> regions;  ///< ids may be sparse; not checked yet
    std::optional<vmmio_features> features; ///< to offer; not checked yet
    std::optional<vmmio_features> rings;    ///< bits of the rings to offer
    bool legacy = false;                    ///< the legacy register layout
    std::optional<std::uint64_t> seed;      ///< of the entropy device's bytes
    std::uint16_t pairs = 1;                ///< queue pairs of the net device
    std::uint32_t ports = 1;                ///< of the console device
    std::string directory;                  ///< that the fs device serves
    std::uint64_t disk_bytes = 1u << 20;    ///< of the blk device, a multiple of 512
    bool read_only = false;                 ///< the blk device
    std::string fst_folder;                 ///< of the Verilog's waveforms; empty = none
};

/// Reads the command line. If the program shall not go on (--help, a mistake), it has said so and
/// exit_status is set.
options parse_options(int argc, const char *const *argv, std::optional<int> &exit_status);

} // namespace vmmio::qtest

#endif
