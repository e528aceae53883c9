// SPDX-License-Identifier: Apache-2.0
// What can be saved of a device that serves a host directory, and what cannot.
#include "fs_client.h"

namespace vmmio::tb
{

SC_TEST(FsState, AMountedDirectoryIsNotSaved)
{
    fs_client c;
    c.p.run([&] {
        bytes state;
        EXPECT_EQ(c.p.dut.save(state), VMMIO_ERROR_OK) << "nothing is mounted yet";
        c.start();
        EXPECT_EQ(c.p.dut.save(state), VMMIO_ERROR_STATE_SESSION);
        EXPECT_EQ(c.ask(FUSE_DESTROY, 0, {}).error, 0);
        ASSERT_EQ(c.p.dut.save(state), VMMIO_ERROR_OK);

        c.p.guest.reset();
        ASSERT_EQ(c.p.dut.restore(state), VMMIO_ERROR_OK);
        EXPECT_EQ(c.p.guest.status(), 15u);
        EXPECT_EQ(c.ask(FUSE_LOOKUP, FUSE_ROOT_ID, name("x")).error, EIO) << "not mounted";
        EXPECT_EQ(c.ask(FUSE_INIT, 0, fs_client::init_body()).error, 0) << "mounted again";
        EXPECT_EQ(c.ask(FUSE_LOOKUP, FUSE_ROOT_ID, name("x")).error, ENOENT);
    });
}

SC_TEST(FsState, ARestoreEndsTheSession)
{
    fs_client c;
    c.p.run([&] {
        bytes state;
        c.go_live();
        ASSERT_EQ(c.p.dut.save(state), VMMIO_ERROR_OK);
        EXPECT_EQ(c.ask(FUSE_INIT, 0, fs_client::init_body()).error, 0);
        c.p.cpu.sync(ns(1000));
        ASSERT_EQ(c.p.dut.restore(state), VMMIO_ERROR_OK);
        EXPECT_EQ(c.p.dut.save(state), VMMIO_ERROR_OK);
    });
}

} // namespace vmmio::tb
