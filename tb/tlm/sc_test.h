// SPDX-License-Identifier: Apache-2.0
/// @file sc_test.h
/// SC_TEST(Suite, Name) { body } is a GoogleTest test whose body runs in a child process, where
/// SystemC has not been elaborated yet. It fails if the body fails an expectation, throws, ends
/// the process or takes longer than a minute. The body may use GTEST_SKIP().
#ifndef VMMIO_TB_SC_TEST_H
#define VMMIO_TB_SC_TEST_H

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <systemc>
#include <unistd.h>

namespace vmmio_test
{

constexpr unsigned sc_test_seconds = 60;
constexpr int sc_test_skipped = 77; // exit status of a child

[[noreturn]] inline void run_and_exit(const std::function<void()> &body)
{
    ::alarm(sc_test_seconds);
    try {
        body();
    } catch (const std::exception &error) {
        ADD_FAILURE() << "uncaught: " << error.what();
    }
    std::fflush(nullptr);
    if (::testing::Test::HasFailure())
        ::_exit(EXIT_FAILURE);
    ::_exit(::testing::Test::IsSkipped() ? sc_test_skipped : EXIT_SUCCESS);
}

inline void run_in_child(const std::function<void()> &body)
{
    std::fflush(nullptr);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0)
        run_and_exit(body);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
    if (WEXITSTATUS(status) == sc_test_skipped)
        GTEST_SKIP() << "skipped in the child, see above";
    EXPECT_EQ(WEXITSTATUS(status), EXIT_SUCCESS) << "failed in the child, see above";
}

} // namespace vmmio_test

#define SC_TEST(suite, name)                                                                       \
    static void suite##_##name##_in_child();                                                       \
    TEST(suite, name) { ::vmmio_test::run_in_child(suite##_##name##_in_child); }                   \
    static void suite##_##name##_in_child()

#endif
