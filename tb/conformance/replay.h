/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file replay.h
 * Plays the accesses of a recorded driver to a device and has the oracle judge its answers. What
 * the recorded device answered does not count. Any form of the device fits behind `subject`.
 */
#ifndef VMMIO_TB_REPLAY_H
#define VMMIO_TB_REPLAY_H

#include "driver.h"
#include "guest_memory.h"
#include "oracle.h"

#include <functional>
#include <string>
#include <vector>

namespace vmmio::tb
{

/** A device under test. */
struct subject {
    bus &registers;
    guest_memory &memory;            /**< RAM at the recorded ring addresses */
    std::function<void()> settle;    /**< lets the device finish what it was told to do */
    std::function<bool()> interrupt; /**< level of the line */
};

/** One line of a trace. */
struct trace_access {
    std::string time;
    bool write;
    uint32_t offset, width; /**< width in bytes */
    uint32_t value;         /**< written; a value that was read is not looked at */
};

/** The accesses of one device in a file; empty if the file cannot be read. */
std::vector<trace_access> load_trace(const std::string &file, const std::string &device);

/** What a replay did. */
struct replay_counts {
    unsigned reads = 0;         /**< judged */
    unsigned writes = 0;        /**< played */
    unsigned buffers = 0;       /**< offered at a kick and used by the device */
    unsigned ignored_kicks = 0; /**< for a queue that is not ready */
};

/** Plays the trace; failures are reported to GoogleTest. */
replay_counts replay(const std::vector<trace_access> &trace, const datasheet &sheet, subject dut);

} // namespace vmmio::tb
#endif
