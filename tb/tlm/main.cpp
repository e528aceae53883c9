// SPDX-License-Identifier: Apache-2.0
#include "reports.h"

int main(int argc, char *argv[])
{
    ::testing::InitGoogleTest(&argc, argv);
    vmmio::tb::reports::get().watch();
    return RUN_ALL_TESTS();
}

/// SystemC's library refers to it; each test elaborates in a process of its own instead.
int sc_main(int, char *[]) { return 1; }
