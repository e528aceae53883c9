// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <systemc>

// SystemC's own main would greet the user with a copyright message, also before --help.
int main(int argc, char *argv[])
{
    ::setenv("SYSTEMC_DISABLE_COPYRIGHT_MESSAGE", "1", 0);
    return sc_core::sc_elab_and_sim(argc, argv);
}
