// SPDX-License-Identifier: Apache-2.0
// The device of docs/device.md, on a TLM bus.
#include "echo_device.h"
#include "platform.h"

namespace vmmio::tb
{

SC_TEST(EchoDevice, AnswersOnABus)
{
    platform<echo_device> p(1000);
    p.run([&] {
        EXPECT_EQ(p.cpu.read(VMMIO_REG_DEVICE_ID), 63u);
        EXPECT_EQ(p.cpu.read(VMMIO_REG_CONFIG), 1000u);
        p.go_live(feature_set({VMMIO_F_VERSION_1, ECHO_F_UPPER}));
        const piece in = p.readable(5), out = p.writable(10);
        p.memory.set_bytes(in.address, {'H', 'e', 'l', 'l', 'o'});
        EXPECT_EQ(p.exchange({in, out}).length, 5u);
        EXPECT_EQ(p.memory.bytes(out.address, 5),
                  (std::vector<std::uint8_t>{'H', 'E', 'L', 'L', 'O'}));
        EXPECT_EQ(p.dut.bytes(), 5u);
    });
}

} // namespace vmmio::tb
