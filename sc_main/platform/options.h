// SPDX-License-Identifier: Apache-2.0
/// @file options.h
/// The command line of vmmio-platform.
#ifndef VMMIO_PLATFORM_OPTIONS_H
#define VMMIO_PLATFORM_OPTIONS_H

#include "pattern.h"
#include "vmmio/tlm/device.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vmmio::platform
{

struct options {
    std::string socket;         ///< where QEMU's vfio-user-pci connects to
    std::string shm_file;       ///< memory behind region 0 of the pmem device
    std::uint64_t shm_size = 0; ///< bytes
    std::uint64_t shm_base = 0; ///< guest physical address of the region
    std::uint64_t bar = 0;      ///< where the guest's tables say BAR0 is; 0 = they do not
    std::string disk;           ///< file of a block device; empty = no such device
    std::string read_only_disk; ///< the same for one that cannot be written
    std::string console;        ///< host's end of a console device; empty = no such device
    std::string console_size;   ///< e.g. "80x25"
    /// Names and host's ends of its other ports.
    std::vector<std::pair<std::string, std::string>> ports;
    bool net = false;           ///< a network device on a network in user mode
    std::string share;          ///< directory of a file system device; empty = no such device
    std::string dax_file;       ///< memory behind its window; empty = it has none
    std::uint64_t dax_size = 0; ///< bytes
    std::uint64_t dax_base = 0; ///< guest physical address of the window
    std::string form = "tlm";   ///< of the register blocks: tlm, rtl or lockstep
    std::string fst_folder;     ///< where the Verilog ones write waveforms; empty = nowhere
    std::map<std::string, vmmio_features> rings; ///< bits of the rings, by name of the device
    std::set<std::string> legacy; ///< names of the devices with the legacy register layout
    std::string trace;            ///< file for a line per register access; empty = none
    std::optional<token> wanted;
    std::string report;
    bool once = true;     ///< end with the first client
    bool control = false; ///< take commands from standard input

    /// How the device of this name is to be built.
    device_options options_for(const std::string &name) const;
};

/// @return nothing if the program has to end with exit_status, after what had to be said.
std::optional<options> parse_options(int argc, char *argv[], int &exit_status);

} // namespace vmmio::platform
#endif
