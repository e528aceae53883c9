/* SPDX-License-Identifier: Apache-2.0 */
/* Mistakes of whoever builds a device are errors of init, with a text that says what to change. */
#include "rig.h"

#include <set>

namespace vmmio::tb
{
namespace
{

class platform : public ::testing::Test
{
protected:
    platform() : memory(dma_mode::pointer)
    {
        config.function = &null.function;
        config.queue_size_max = 16;
        config.memory = memory.port();
        config.host.interrupt = [](void *, bool) {};
        config.queue_registers = registers;
        config.queues = queues;
        config.queue_count = 2;
        config.requests = requests;
        config.request_count = 2;
        config.segments = segments;
        config.segment_count = 32;
    }
    vmmio_error init() { return vmmio_device_init(&device, &config); }

    null_function null;
    guest_memory memory;
    vmmio_device_config config = {};
    vmmio_queue_registers registers[2];
    vmmio_queue queues[2];
    vmmio_request requests[2];
    vmmio_segment segments[32];
    vmmio_device device;
};

TEST_F(platform, a_complete_configuration_works)
{
    ROWS("H-45");
    EXPECT_EQ(init(), VMMIO_ERROR_OK);
    config.features = vmmio_device_features();
    EXPECT_EQ(init(), VMMIO_ERROR_OK);
    EXPECT_EQ(vmmio_device_read(&device, VMMIO_REG_MAGIC_VALUE, 4), 0x74726976u);
}

TEST_F(platform, missing_pointers)
{
    ROWS("H-45");
    EXPECT_EQ(vmmio_device_init(nullptr, &config), VMMIO_ERROR_NULL_ARGUMENT);
    EXPECT_EQ(vmmio_device_init(&device, nullptr), VMMIO_ERROR_NULL_ARGUMENT);
    const vmmio_device_config good = config;
    const std::vector<std::function<void()>> omissions = {
        [this] { config.function = nullptr; },       [this] { config.memory.map = nullptr; },
        [this] { config.memory.read = nullptr; },    [this] { config.memory.write = nullptr; },
        [this] { config.host.interrupt = nullptr; }, [this] { config.queue_registers = nullptr; },
        [this] { config.queues = nullptr; },         [this] { config.requests = nullptr; },
        [this] { config.segments = nullptr; },
    };
    for (const auto &omit : omissions) {
        config = good;
        omit();
        EXPECT_EQ(init(), VMMIO_ERROR_NULL_ARGUMENT);
    }
}

TEST_F(platform, bad_sizes)
{
    ROWS("H-45", "VQ-01");
    for (const uint32_t size : {0u, 3u, 24u, 65536u, 1u << 31}) {
        config.queue_size_max = size;
        EXPECT_EQ(init(), VMMIO_ERROR_QUEUE_SIZE) << size;
    }
    config.queue_size_max = 32;
    EXPECT_EQ(init(), VMMIO_ERROR_REQUEST_POOL) << "16 segments for each request";
    config.queue_size_max = 16;
    config.request_count = 0;
    EXPECT_EQ(init(), VMMIO_ERROR_REQUEST_POOL);
    config.request_count = 3;
    EXPECT_EQ(init(), VMMIO_ERROR_REQUEST_POOL);
    config.request_count = 2;
    config.queue_count = 1;
    EXPECT_EQ(init(), VMMIO_ERROR_QUEUE_COUNT);
}

TEST_F(platform, features_that_are_not_implemented)
{
    ROWS("FEAT-12", "H-36");
    const vmmio_features implemented = vmmio_device_features();
    for (unsigned bit = 0; bit < 128; bit++) {
        config.features = feature_set({bit});
        EXPECT_EQ(init(), vmmio_features_has(&implemented, bit) ? VMMIO_ERROR_OK
                                                                : VMMIO_ERROR_FEATURE_UNSUPPORTED)
            << bit;
    }
}

TEST_F(platform, features_without_those_they_need)
{
    ROWS("FEAT-09");
    test_function function;
    function.dependencies = {{1, 0}};
    function.use_dependencies();
    config.function = &function.function();
    vmmio_features_add(&function.function().features, 1);
    EXPECT_EQ(init(), VMMIO_ERROR_FEATURE_DEPENDENCY);
    vmmio_features_add(&function.function().features, 0);
    EXPECT_EQ(init(), VMMIO_ERROR_OK);
}

TEST_F(platform, config_space_too_long)
{
    ROWS("H-45");
    test_function function;
    function.config.resize(VMMIO_CONFIG_MAX);
    function.use_config();
    config.function = &function.function();
    EXPECT_EQ(init(), VMMIO_ERROR_OK);
    function.config.resize(VMMIO_CONFIG_MAX + 1);
    function.use_config();
    EXPECT_EQ(init(), VMMIO_ERROR_CONFIG_LENGTH);
    function.function().config = nullptr;
    function.function().config_length = 4;
    EXPECT_EQ(init(), VMMIO_ERROR_NULL_ARGUMENT);
}

TEST_F(platform, pmem_ranges)
{
    ROWS("H-45");
    vmmio_pmem pmem;
    const auto with = [&pmem](uint64_t start, uint64_t size) {
        vmmio_pmem_config range = {};
        range.start = start;
        range.size = size;
        return vmmio_pmem_init(&pmem, &range);
    };
    EXPECT_EQ(vmmio_pmem_init(&pmem, nullptr), VMMIO_ERROR_NULL_ARGUMENT);
    EXPECT_EQ(with(0, 4096), VMMIO_ERROR_PMEM_REGION);
    EXPECT_EQ(with(4096, 0), VMMIO_ERROR_PMEM_REGION);
    EXPECT_EQ(with(UINT64_MAX - 4094, 4096), VMMIO_ERROR_PMEM_REGION);
    EXPECT_EQ(with(UINT64_MAX - 4095, 4096), VMMIO_ERROR_OK);
}

TEST(texts, say_something_different_for_every_error)
{
    ROWS("H-45");
    std::set<std::string> texts;
    size_t count = 0;
#define VMMIO_X(id, words)                                                                         \
    texts.insert(vmmio_error_text(VMMIO_ERROR_##id));                                              \
    EXPECT_STREQ(vmmio_error_text(VMMIO_ERROR_##id), words);                                       \
    count++;
    VMMIO_ERRORS(VMMIO_X)
#undef VMMIO_X
    EXPECT_EQ(texts.size(), count);
    EXPECT_STREQ(vmmio_error_text(static_cast<vmmio_error>(9999)), "unknown error");
}

} // namespace
} // namespace vmmio::tb
