/* SPDX-License-Identifier: Apache-2.0 */
/* The device of docs/device.md, in C. */
#include "rig.h"

extern "C" {
#include "echo.h"
}

namespace vmmio::tb
{
namespace
{

class echo_function : public ::testing::TestWithParam<dma_mode>
{
protected:
    echo_function()
    {
        echo_init(&function, 100);
        rig_options options;
        options.mode = GetParam();
        r = std::make_unique<rig>(function.function, options);
    }

    /* What comes back of text, with this much room. */
    std::string said(const std::string &text, uint32_t room)
    {
        const piece in = r->readable(static_cast<uint32_t>(text.size())), out = r->writable(room);
        r->memory.set_bytes(in.address, {text.begin(), text.end()});
        const auto used = r->exchange({in, out});
        EXPECT_TRUE(used.has_value());
        const auto bytes = r->memory.bytes(out.address, used ? used->length : 0);
        return {bytes.begin(), bytes.end()};
    }

    echo function;
    std::unique_ptr<rig> r;
};

INSTANTIATE_TEST_SUITE_P(memory, echo_function, every_dma_mode(), dma_mode_name);

TEST_P(echo_function, answers_what_it_was_told)
{
    r->go_live();
    EXPECT_EQ(r->read(VMMIO_REG_DEVICE_ID), 63u);
    EXPECT_EQ(r->read(VMMIO_REG_CONFIG), 100u);
    EXPECT_EQ(said("Hello", 10), "Hello");
    EXPECT_EQ(said("Hello", 4), "Hell");
    const std::string longer(150, 'x');
    EXPECT_EQ(said(longer, 200), longer.substr(0, 100)) << "its limit";
    EXPECT_EQ(function.bytes, 109u);
}

TEST_P(echo_function, upper_case_is_negotiated)
{
    r->go_live(feature_set({VMMIO_F_VERSION_1, ECHO_F_UPPER}));
    EXPECT_EQ(said("Hello, 7", 10), "HELLO, 7");
    r->go_live();
    EXPECT_EQ(said("Hello, 7", 10), "Hello, 7");
}

} // namespace
} // namespace vmmio::tb
