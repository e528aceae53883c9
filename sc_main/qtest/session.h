// SPDX-License-Identifier: Apache-2.0
/// @file session.h
/// QEMU's qtest protocol: a command in, a reply out. docs/qtest.md lists the commands.
#ifndef VMMIO_QTEST_SESSION_H
#define VMMIO_QTEST_SESSION_H

#include "machine.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace vmmio::qtest
{

/// Most bytes that one command moves.
constexpr std::uint64_t block_max = 64u << 20;

/// Most bytes of a command: block_max as hexadecimal digits, and the words before them.
constexpr std::size_t line_max = 2 * block_max + 256;

/// The clock's last moment, in nanoseconds; SystemC's time reaches it in any usual resolution.
constexpr std::uint64_t clock_max = 1ull << 53;

class arguments;

class session
{
public:
    /// @param on becomes the sender of interrupts; must outlive the session.
    explicit session(machine &on);
    ~session();
    session(const session &) = delete;
    session &operator=(const session &) = delete;

    /// Carries out one command and gives the lines to send, each with its end: interrupts that it
    /// caused, then "OK..." or "FAIL reason".
    std::string execute(std::string_view line);

    /// The answer to a command that cannot be read; reason in one line.
    static std::string fail(std::string_view reason);

private:
    using handler = std::string (session::*)(arguments &);
    struct command {
        std::string_view name;
        handler run;
        unsigned width; // of readb, writeb, ...; else 0
    };
    static const command commands[];

    std::string dispatch(std::string_view line);

    std::string read_value(arguments &args);
    std::string write_value(arguments &args);
    std::string read_hex(arguments &args);
    std::string write_hex(arguments &args);
    std::string read_base64(arguments &args);
    std::string write_base64(arguments &args);
    std::string fill(arguments &args);
    std::string intercept(arguments &args);
    std::string step_clock(arguments &args);
    std::string set_clock(arguments &args);
    std::string endianness(arguments &args);
    std::string save(arguments &args);
    std::string restore(arguments &args);

    void interrupt(bool level);

    machine &machine_;
    unsigned width_ = 0;      // of the command that is carried out
    std::string interrupts_;  // lines that are to be sent
    std::string intercepted_; // path given to irq_intercept_in; empty: none
    bool raised_ = false;     // the line as the client knows it
    std::uint64_t clock_ns_ = 0;
};

} // namespace vmmio::qtest

#endif
