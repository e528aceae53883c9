// SPDX-License-Identifier: Apache-2.0
#include "reports.h"

#include <algorithm>

namespace vmmio::tb
{

namespace
{

bool has(const std::string &text, const std::string &words)
{
    return text.find(words) != std::string::npos;
}

} // namespace

reports &reports::get()
{
    static reports all;
    return all;
}

void reports::watch() { sc_core::sc_report_handler::set_handler(&reports::handle); }

void reports::handle(const sc_core::sc_report &report, const sc_core::sc_actions &)
{
    reports &self = get();
    const std::string type = report.get_msg_type();

    if (report.get_severity() == sc_core::SC_INFO)
        return;
    if (report.get_severity() != sc_core::SC_WARNING)
        throw report;
    if (std::find(self.expected_.begin(), self.expected_.end(), type) == self.expected_.end())
        ADD_FAILURE() << "unexpected warning " << type << ": " << report.get_msg();
    self.seen_.push_back({type, report.get_msg()});
}

std::size_t reports::count(const std::string &words) const
{
    return static_cast<std::size_t>(
        std::count_if(seen_.begin(), seen_.end(),
                      [&](const warning &w) { return has(w.type, words) || has(w.text, words); }));
}

void expect_error(const std::string &type, const std::vector<std::string> &words,
                  const std::function<void()> &action)
{
    try {
        action();
        ADD_FAILURE() << "no error was reported";
    } catch (const sc_core::sc_report &error) {
        EXPECT_EQ(error.get_msg_type(), type);
        for (const std::string &part : words)
            EXPECT_PRED2(has, std::string(error.get_msg()), part);
    }
}

} // namespace vmmio::tb
