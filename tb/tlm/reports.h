// SPDX-License-Identifier: Apache-2.0
/// @file reports.h
/// What SystemC reports during a test. An error is thrown; a warning that the test did not announce
/// fails it.
#ifndef VMMIO_TB_REPORTS_H
#define VMMIO_TB_REPORTS_H

#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <systemc>
#include <vector>

namespace vmmio::tb
{

struct warning {
    std::string type;
    std::string text;
};

/// The reports of this test's process.
class reports
{
public:
    static reports &get();

    /// To be called once, before any test.
    void watch();

    /// Warnings of this type are part of the test from now on.
    void expect(const std::string &type) { expected_.push_back(type); }

    /// The warnings so far.
    const std::vector<warning> &seen() const { return seen_; }

    /// How many of them have these words in type or text.
    std::size_t count(const std::string &words) const;

private:
    static void handle(const sc_core::sc_report &report, const sc_core::sc_actions &actions);

    std::vector<std::string> expected_;
    std::vector<warning> seen_;
};

/// Fails unless action is stopped by an SC_ERROR of this type whose text has all these words.
void expect_error(const std::string &type, const std::vector<std::string> &words,
                  const std::function<void()> &action);

/// The same for a mistake of the platform that vmmio finds.
inline void expect_mistake(const std::vector<std::string> &words,
                           const std::function<void()> &action)
{
    expect_error("/vmmio/platform", words, action);
}

} // namespace vmmio::tb
#endif
