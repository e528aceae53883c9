// SPDX-License-Identifier: Apache-2.0
// The devices' way to guest memory: the same bytes by DMI and by transactions, with the rights
// of the mapping, and no pointer outlives its mapping.
#include "vfio_user_platform.h"

#include <numeric>

using namespace vmmio_test;

namespace
{

constexpr std::uint64_t base = 0x40000000;

std::vector<std::uint8_t> pattern(std::size_t size, std::uint8_t first)
{
    std::vector<std::uint8_t> data(size);
    std::iota(data.begin(), data.end(), first);
    return data;
}

} // namespace

SC_TEST(VfioUserDma, LetsAForeignPeripheralCopyGuestMemoryAndInterrupt)
{
    platform top;
    top.run([&] {
        const shared_memory memory(4 * page);
        const interrupt_fd irq;
        const auto data = pattern(300, 5);
        std::copy(data.begin(), data.end(), memory.data() + 0x100);
        vfio_user_client client(top.path.get());
        client.hello();
        client.map(memory, base, 4 * page);
        client.set_irqs(VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, {irq.fd()});
        client.write(0x08, base + 0x100, 8);
        client.write(0x10, base + 0x2345, 8);
        client.write(0x18, data.size(), 8);
        EXPECT_TRUE(irq.comes());
        EXPECT_EQ(client.read(0x20, 8), 1u) << "copied";
        EXPECT_TRUE(std::equal(data.begin(), data.end(), memory.data() + 0x2345));
    });
    EXPECT_TRUE(warnings().empty());
}

SC_TEST(VfioUserDma, MovesTheSameBytesByPointerByTransactionAndByDebug)
{
    platform top;
    top.run([&] {
        const shared_memory memory(2 * page);
        vfio_user_client client(top.path.get());
        client.hello();
        client.map(memory, base, page, page); // the second page of the file
        tlm::tlm_dmi dmi;
        ASSERT_TRUE(top.direct(base + 0x10, dmi));
        EXPECT_EQ(dmi.get_start_address(), base);
        EXPECT_EQ(dmi.get_end_address(), base + page - 1);
        EXPECT_TRUE(dmi.is_read_write_allowed());

        auto data = pattern(64, 1);
        EXPECT_EQ(top.access(tlm::TLM_WRITE_COMMAND, base + 0x10, data), tlm::TLM_OK_RESPONSE);
        EXPECT_TRUE(std::equal(data.begin(), data.end(), dmi.get_dmi_ptr() + 0x10));
        EXPECT_TRUE(std::equal(data.begin(), data.end(), memory.data() + page + 0x10));

        dmi.get_dmi_ptr()[page - 1] = 0xa5;
        std::vector<std::uint8_t> last(1);
        EXPECT_EQ(top.access(tlm::TLM_READ_COMMAND, base + page - 1, last), tlm::TLM_OK_RESPONSE);
        EXPECT_EQ(last[0], 0xa5);

        std::vector<std::uint8_t> seen(100);
        tlm::tlm_generic_payload trans;
        platform::prepare(trans, tlm::TLM_READ_COMMAND, base + page - 64, seen);
        unsigned count = 0;
        top.simulation.call([&] { count = top.probe->transport_dbg(trans); });
        EXPECT_EQ(count, 64u) << "a debug access stops where the memory stops";
        EXPECT_EQ(seen[63], 0xa5);
    });
}

SC_TEST(VfioUserDma, ServesTheNonBlockingProtocolInOneStep)
{
    platform top;
    top.run([&] {
        const shared_memory memory(page);
        memory.data()[7] = 0x77;
        vfio_user_client client(top.path.get());
        client.hello();
        client.map(memory, base, page);
        std::vector<std::uint8_t> data(1);
        tlm::tlm_generic_payload trans;
        platform::prepare(trans, tlm::TLM_READ_COMMAND, base + 7, data);
        tlm::tlm_sync_enum answer = tlm::TLM_ACCEPTED;
        top.simulation.call([&] {
            tlm::tlm_phase phase = tlm::BEGIN_REQ;
            sc_core::sc_time delay;
            answer = top.probe->nb_transport_fw(trans, phase, delay);
        });
        EXPECT_EQ(answer, tlm::TLM_COMPLETED);
        EXPECT_EQ(trans.get_response_status(), tlm::TLM_OK_RESPONSE);
        EXPECT_EQ(data[0], 0x77);
    });
}

SC_TEST(VfioUserDma, CrossesAdjacentMappingsButNotHoles)
{
    platform top;
    top.run([&] {
        const shared_memory memory(4 * page);
        vfio_user_client client(top.path.get());
        client.hello();
        client.map(memory, base, page, 2 * page);
        client.map(memory, base + page, page, 0);
        client.map(memory, base + 3 * page, page, 3 * page);
        auto data = pattern(200, 9);
        EXPECT_EQ(top.access(tlm::TLM_WRITE_COMMAND, base + page - 100, data),
                  tlm::TLM_OK_RESPONSE);
        EXPECT_TRUE(std::equal(data.begin(), data.begin() + 100, memory.data() + 3 * page - 100));
        EXPECT_TRUE(std::equal(data.begin() + 100, data.end(), memory.data()));

        const std::vector<std::uint8_t> before(memory.data(), memory.data() + page);
        EXPECT_EQ(top.access(tlm::TLM_WRITE_COMMAND, base + 2 * page - 100, data),
                  tlm::TLM_ADDRESS_ERROR_RESPONSE);
        EXPECT_TRUE(std::equal(before.begin(), before.end(), memory.data()))
            << "an access that fails has no effect";
    });
}

SC_TEST(VfioUserDma, ReachesTheLastByteOfTheAddressSpaceAndDoesNotWrap)
{
    platform top;
    top.run([&] {
        const shared_memory memory(2 * page);
        vfio_user_client client(top.path.get());
        client.hello();
        client.map(memory, UINT64_MAX - page + 1, page);
        client.map(memory, 0, page, page);
        auto data = pattern(16, 1);
        EXPECT_EQ(top.access(tlm::TLM_WRITE_COMMAND, UINT64_MAX - 15, data), tlm::TLM_OK_RESPONSE);
        EXPECT_EQ(memory.data()[page - 1], 16);
        EXPECT_EQ(top.access(tlm::TLM_WRITE_COMMAND, UINT64_MAX - 14, data),
                  tlm::TLM_ADDRESS_ERROR_RESPONSE);
        EXPECT_EQ(memory.data()[page], 0);
    });
}

SC_TEST(VfioUserDma, GrantsTheRightsOfTheMapping)
{
    platform top;
    top.run([&] {
        const shared_memory memory(2 * page);
        vfio_user_client client(top.path.get());
        client.hello();
        client.done(DMA_MAP, vfio_user_client::map_request(base, page, 0, VFIO_DMA_MAP_FLAG_READ),
                    {memory.fd()});
        std::vector<std::uint8_t> data(8);
        EXPECT_EQ(top.access(tlm::TLM_READ_COMMAND, base, data), tlm::TLM_OK_RESPONSE);
        EXPECT_EQ(top.access(tlm::TLM_WRITE_COMMAND, base, data), tlm::TLM_COMMAND_ERROR_RESPONSE);
        tlm::tlm_dmi dmi;
        EXPECT_FALSE(top.direct(base, dmi, tlm::TLM_WRITE_COMMAND));
        ASSERT_TRUE(top.direct(base, dmi, tlm::TLM_READ_COMMAND));
        EXPECT_TRUE(dmi.is_read_allowed());
        EXPECT_FALSE(dmi.is_write_allowed());
    });
}

SC_TEST(VfioUserDma, RefusesByteEnablesAndStreaming)
{
    platform top;
    top.run([&] {
        const shared_memory memory(page);
        vfio_user_client client(top.path.get());
        client.hello();
        client.map(memory, base, page);
        std::vector<std::uint8_t> data(8);
        std::uint8_t enables[1] = {0xff};
        tlm::tlm_generic_payload trans;
        platform::prepare(trans, tlm::TLM_WRITE_COMMAND, base, data);
        trans.set_byte_enable_ptr(enables);
        trans.set_byte_enable_length(1);
        const auto transport = [&] {
            sc_core::sc_time delay;
            top.probe->b_transport(trans, delay);
        };
        top.simulation.call(transport);
        EXPECT_EQ(trans.get_response_status(), tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE);
        trans.set_byte_enable_ptr(nullptr);
        trans.set_streaming_width(4);
        top.simulation.call(transport);
        EXPECT_EQ(trans.get_response_status(), tlm::TLM_BURST_ERROR_RESPONSE);
    });
}

SC_TEST(VfioUserDma, TakesPointersBackBeforeTheMemoryGoes)
{
    platform top;
    top.run([&] {
        const shared_memory memory(2 * page);
        vfio_user_client client(top.path.get());
        client.hello();
        client.map(memory, base, page);
        client.map(memory, base + page, page, page);
        tlm::tlm_dmi dmi;
        ASSERT_TRUE(top.direct(base, dmi));
        ASSERT_TRUE(top.direct(base + page, dmi));
        const answer got = client.done(DMA_UNMAP, vfio_user_client::unmap_request(base, page));
        EXPECT_EQ(got.payload, vfio_user_client::unmap_request(base, page).get())
            << "the answer repeats the request";
        std::vector<std::uint8_t> data(1);
        EXPECT_EQ(top.access(tlm::TLM_READ_COMMAND, base, data), tlm::TLM_ADDRESS_ERROR_RESPONSE);
        EXPECT_FALSE(top.direct(base, dmi));
        EXPECT_TRUE(top.direct(base + page, dmi)) << "the other mapping stays";
        client.done(DMA_UNMAP, vfio_user_client::unmap_request(0, 0, VFIO_DMA_UNMAP_FLAG_ALL));
        EXPECT_FALSE(top.direct(base + page, dmi));
        client.map(memory, base, page);
        ASSERT_TRUE(top.direct(base, dmi));
        client.close();
        ::usleep(50'000);
        EXPECT_FALSE(top.direct(base, dmi)) << "gone with the client";
    });
    using range = std::pair<std::uint64_t, std::uint64_t>;
    EXPECT_EQ(top.invalidated,
              (std::vector<range>{{base, base + page - 1}, {0, UINT64_MAX}, {0, UINT64_MAX}}));
}

SC_TEST(VfioUserDma, SaysWhatToChangeWhenMemoryComesWithoutADescriptor)
{
    platform top;
    top.run([&] {
        vfio_user_client client(top.path.get());
        client.hello();
        client.done(DMA_MAP, vfio_user_client::map_request(base, page));
        std::vector<std::uint8_t> data(1);
        tlm::tlm_dmi dmi;
        EXPECT_TRUE(warnings().empty()) << "firmware comes this way as well";
        EXPECT_FALSE(top.direct(base, dmi));
        for (int i = 0; i < 3; ++i)
            EXPECT_EQ(top.access(tlm::TLM_READ_COMMAND, base, data),
                      tlm::TLM_ADDRESS_ERROR_RESPONSE);
        client.done(DMA_UNMAP, vfio_user_client::unmap_request(base, page));
    });
    EXPECT_TRUE(warned_of("share=on"));
    EXPECT_EQ(warnings().size(), 1u) << "once";
}
