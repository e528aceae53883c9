/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rows.h
 * ROWS("SPLIT-22", "H-09") at the start of a test names the requirements that it proves. The
 * arguments are string literals: tb/matrix.py finds them in the source.
 */
#ifndef VMMIO_TB_ROWS_H
#define VMMIO_TB_ROWS_H

#include <gtest/gtest.h>
#include <initializer_list>
#include <string>

namespace vmmio::tb
{

inline void record_rows(std::initializer_list<const char *> rows)
{
    std::string all;
    for (const char *row : rows)
        all += (all.empty() ? "" : " ") + std::string(row);
    ::testing::Test::RecordProperty("rows", all);
}

} // namespace vmmio::tb

#define ROWS(...) ::vmmio::tb::record_rows({__VA_ARGS__})

#endif
