// SPDX-License-Identifier: Apache-2.0
// What a well-behaved client sees of the bridge. Expected values: the vfio-user protocol text,
// <linux/vfio.h> and the PCI configuration header.
#include "vfio_user_platform.h"

#include <linux/pci_regs.h>
#include <nlohmann/json.hpp>

using namespace vmmio_test;

SC_TEST(VfioUser, AgreesOnTheVersionAndTellsItsLimits)
{
    platform top;
    top.run([&] {
        vfio_user_client client(top.path.get());
        const answer got = client.done(
            VERSION, bytes().u16(0).u16(7).text(R"({"capabilities":{"max_msg_fds":16}})"));
        EXPECT_EQ(got.at<std::uint16_t>(0), 0) << "the major version as proposed";
        EXPECT_LE(got.at<std::uint16_t>(2), 7) << "at most the minor version proposed";
        ASSERT_GT(got.payload.size(), 4u);
        EXPECT_EQ(got.payload.back(), 0);
        const auto said = nlohmann::json::parse(got.payload.begin() + 4, got.payload.end() - 1);
        const auto &limits = said.at("capabilities");
        EXPECT_GE(limits.at("max_msg_fds").get<unsigned>(), 1u);
        EXPECT_GE(limits.at("max_data_xfer_size").get<unsigned>(), 256u);
        EXPECT_EQ(limits.at("pgsizes").get<unsigned>() & 4096, 4096u);
        EXPECT_EQ(limits.at("max_dma_maps").get<unsigned>(), 4096u);
        EXPECT_FALSE(limits.value("write_multiple", false));
    });
    EXPECT_TRUE(warnings().empty());
}

SC_TEST(VfioUser, DescribesAPciFunctionWithBar0AndOneInterrupt)
{
    platform top;
    top.run([&] {
        vfio_user_client client(top.path.get());
        client.hello();
        const answer device = client.done(GET_INFO, bytes().u32(16).u32(0).u32(0).u32(0));
        EXPECT_EQ(device.at<std::uint32_t>(0), 16u);
        EXPECT_EQ(device.at<std::uint32_t>(4), VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI);
        EXPECT_EQ(device.at<std::uint32_t>(8), unsigned(VFIO_PCI_NUM_REGIONS));
        EXPECT_EQ(device.at<std::uint32_t>(12), unsigned(VFIO_PCI_NUM_IRQS));

        for (std::uint32_t index = 0; index < VFIO_PCI_NUM_REGIONS; ++index) {
            const answer region = client.done(
                GET_REGION_INFO, bytes().u32(32).u32(0).u32(index).u32(0).u64(0).u64(0));
            const std::uint64_t size = index == VFIO_PCI_BAR0_REGION_INDEX     ? 0x10000
                                       : index == VFIO_PCI_CONFIG_REGION_INDEX ? 256
                                                                               : 0;
            const std::uint32_t access = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
            EXPECT_EQ(region.at<std::uint32_t>(0), 32u);
            EXPECT_EQ(region.at<std::uint32_t>(4), size ? access : 0) << index;
            EXPECT_EQ(region.at<std::uint32_t>(8), index);
            EXPECT_EQ(region.at<std::uint64_t>(16), size) << index;
        }
        for (std::uint32_t index = 0; index < VFIO_PCI_NUM_IRQS; ++index) {
            const answer irq = client.done(GET_IRQ_INFO, bytes().u32(16).u32(0).u32(index).u32(0));
            const bool exists = index == VFIO_PCI_INTX_IRQ_INDEX;
            EXPECT_EQ(irq.at<std::uint32_t>(4), exists ? VFIO_IRQ_INFO_EVENTFD |
                                                             VFIO_IRQ_INFO_MASKABLE |
                                                             VFIO_IRQ_INFO_AUTOMASKED
                                                       : 0u);
            EXPECT_EQ(irq.at<std::uint32_t>(8), index);
            EXPECT_EQ(irq.at<std::uint32_t>(12), exists ? 1u : 0u);
        }
    });
    EXPECT_TRUE(warnings().empty());
}

SC_TEST(VfioUser, HasAConfigurationSpaceThatFirmwareCanSizeAndProgram)
{
    vmmio::vfio_user_config config = two_interrupts();
    config.vendor_id = 0x1af4;
    config.device_id = 0x1099;
    config.revision_id = 3;
    config.class_code = 0x058000;
    config.subsystem_vendor_id = 0x10ab;
    config.subsystem_id = 0x10cd;
    config.bar0_size = 0x4000;
    config.expected_bar0 = 0xfebe0000;
    platform top(config);
    top.run([&] {
        vfio_user_client client(top.path.get());
        client.hello();
        EXPECT_EQ(client.read_config(PCI_VENDOR_ID, 2), 0x1af4u);
        EXPECT_EQ(client.read_config(PCI_DEVICE_ID, 2), 0x1099u);
        EXPECT_EQ(client.read_config(PCI_CLASS_REVISION, 4), 0x05800003u);
        EXPECT_EQ(client.read_config(PCI_SUBSYSTEM_VENDOR_ID, 4), 0x10cd10abu);
        EXPECT_EQ(client.read_config(PCI_HEADER_TYPE, 1), unsigned(PCI_HEADER_TYPE_NORMAL));
        EXPECT_EQ(client.read_config(PCI_INTERRUPT_PIN, 1), 1u) << "INTA";
        EXPECT_EQ(client.read_config(PCI_CAPABILITY_LIST, 1), 0u);
        client.write_config(PCI_VENDOR_ID, 0, 4);
        EXPECT_EQ(client.read_config(PCI_VENDOR_ID, 4), 0x10991af4u) << "read-only";

        client.write_config(PCI_BASE_ADDRESS_0, 0xffffffff, 4);
        EXPECT_EQ(client.read_config(PCI_BASE_ADDRESS_0, 4), 0xffffc000u) << "16 KiB of memory";
        client.write_config(PCI_BASE_ADDRESS_1, 0xffffffff, 4);
        EXPECT_EQ(client.read_config(PCI_BASE_ADDRESS_1, 4), 0u) << "no BAR1";
        client.write_config(PCI_BASE_ADDRESS_0, 0xfebe0000, 4);
        client.write_config(PCI_INTERRUPT_LINE, 11, 1);
        EXPECT_EQ(client.read_config(PCI_BASE_ADDRESS_0, 4), 0xfebe0000u);
        EXPECT_EQ(client.read_config(PCI_INTERRUPT_LINE, 1), 11u);
        client.write_config(PCI_COMMAND, 0xffff, 2);
        EXPECT_EQ(client.read_config(PCI_COMMAND, 2),
                  unsigned(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
                           PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE));
        EXPECT_EQ(
            client.done(REGION_READ, bytes().u64(0).u32(VFIO_PCI_CONFIG_REGION_INDEX).u32(256))
                .payload.size(),
            16u + 256u);
        client.done(DEVICE_RESET, bytes());
        EXPECT_EQ(client.read_config(PCI_BASE_ADDRESS_0, 4), 0u);
        EXPECT_EQ(client.read_config(PCI_COMMAND, 2), 0u);
    });
    EXPECT_EQ(top.bridge.bar0_address(), 0xfebe0000u);
    EXPECT_TRUE(warnings().empty());
}

SC_TEST(VfioUser, SaysClearlyWhereTheGuestPutBar0)
{
    vmmio::vfio_user_config config = two_interrupts();
    config.expected_bar0 = 0xfebe0000;
    platform top(config);
    top.run([&] {
        vfio_user_client client(top.path.get());
        client.hello();
        client.write_config(PCI_BASE_ADDRESS_0, 0xfebe0000, 4);
        client.write_config(PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
        client.write_config(PCI_BASE_ADDRESS_0, 0xffffffff, 4); // sized while enabled
        client.write_config(PCI_COMMAND, 0, 2);
        client.write_config(PCI_BASE_ADDRESS_0, 0xfebf0000, 4);
        client.read_config(PCI_COMMAND, 2);
        EXPECT_TRUE(warnings().empty()) << "the new address is not enabled yet";
        client.write_config(PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    });
    EXPECT_EQ(top.bridge.bar0_address(), 0xfebf0000u);
    EXPECT_TRUE(warned_of("0xfebf0000"));
    EXPECT_TRUE(warned_of("0xfebe0000 is expected"));
    EXPECT_TRUE(warned_of("SSDT"));
}

SC_TEST(VfioUser, PassesRegisterAccessesOfEveryWidthToTheDevice)
{
    platform top;
    top.run([&] {
        vfio_user_client client(top.path.get());
        client.hello();
        client.write(0, 0x8877665544332211, 8);
        EXPECT_EQ(client.read(0, 8), 0x8877665544332211u);
        EXPECT_EQ(client.read(0, 4), 0x44332211u);
        EXPECT_EQ(client.read(6, 2), 0x8877u);
        EXPECT_EQ(client.read(3, 1), 0x44u);
        client.write(1, 0xee, 1);
        client.write(2, 0xdddd, 2);
        client.write(4, 0xcccccccc, 4);
        EXPECT_EQ(client.read(0, 8), 0xccccccccddddee11u);
        EXPECT_EQ(client.read(0x8000, 4), 0xffffffffu) << "the device's error reads as on PCI";
        client.write(0x8000, 1, 4);
        EXPECT_EQ(client.read(0, 8), 0xccccccccddddee11u);
    });
    EXPECT_EQ(top.bridge.counters().bar0_reads, 7u);
    EXPECT_EQ(top.bridge.counters().bar0_writes, 5u);
    EXPECT_EQ(top.bridge.counters().bar0_failures, 2u);
    EXPECT_TRUE(warnings().empty());
}

SC_TEST(VfioUser, AdvancesTimeByWhatTheDeviceAnnotates)
{
    platform top;
    sc_core::sc_time before, after;
    top.run([&] {
        vfio_user_client client(top.path.get());
        client.hello();
        client.read(0, 8);
        client.read_config(0, 4); // is answered after the time of the read has passed
        top.simulation.call([&] { before = sc_core::sc_time_stamp(); });
        for (int i = 0; i < 7; ++i)
            client.read(0, 8);
        client.read_config(0, 4);
        top.simulation.call([&] { after = sc_core::sc_time_stamp(); });
    });
    EXPECT_EQ(after - before, sc_core::sc_time(70, sc_core::SC_NS));
}

SC_TEST(VfioUser, KeepsTheSimulationAliveWhileNothingHappens)
{
    platform top;
    bool came_late = false;
    top.run([&] {
        vfio_user_client client(top.path.get());
        client.hello();
        ::usleep(100'000);
        client.write(0, 42, 8);
        ::usleep(100'000);
        came_late = client.read(0, 8) == 42;
    });
    EXPECT_TRUE(came_late);
    EXPECT_EQ(sc_core::sc_get_status(), sc_core::SC_STOPPED);
}

SC_TEST(VfioUser, CarriesOutCommandsInOrderHoweverTheyArrive)
{
    platform top;
    top.run([&] {
        vfio_user_client client(top.path.get());
        client.hello();
        const shared_memory memory(0x1000);
        const interrupt_fd irq;

        // One write without reply and ten reads in one piece.
        std::vector<std::uint8_t> burst =
            message(REGION_WRITE, bytes().u64(0).u32(0).u32(8).u64(7), NO_REPLY);
        for (std::uint16_t id = 0; id < 10; ++id) {
            const auto read = message(REGION_READ, bytes().u64(0).u32(0).u32(8), 0, id);
            burst.insert(burst.end(), read.begin(), read.end());
        }
        client.send(burst);
        for (std::uint16_t id = 0; id < 10; ++id) {
            const auto got = client.receive();
            ASSERT_TRUE(got.has_value());
            EXPECT_EQ(got->id, id);
            EXPECT_EQ(got->at<std::uint64_t>(16), 7u);
        }

        // Descriptors stay with their message when others wait in front of and behind it.
        for (int i = 0; i < 20; ++i)
            client.send(message(GET_INFO, bytes().u32(16).u32(0).u32(0).u32(0)));
        client.send(message(DMA_MAP, vfio_user_client::map_request(0, 0x1000)), {memory.fd()});
        client.send(message(SET_IRQS, vfio_user_client::irq_request(VFIO_IRQ_SET_DATA_EVENTFD |
                                                                    VFIO_IRQ_SET_ACTION_TRIGGER)),
                    {irq.fd()});
        client.send(message(GET_INFO, bytes().u32(16).u32(0).u32(0).u32(0)));
        for (int i = 0; i < 23; ++i)
            EXPECT_EQ(client.receive().value_or(answer{0, 0, 0, 1, {}}).error, 0u);
        tlm::tlm_dmi dmi;
        EXPECT_TRUE(top.direct(0, dmi));
        client.set_irqs(VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER);
        EXPECT_TRUE(irq.comes());

        // A message that comes byte by byte.
        for (const std::uint8_t byte : message(REGION_READ, bytes().u64(0).u32(0).u32(8)))
            client.send({byte});
        EXPECT_EQ(client.receive().value_or(answer{}).at<std::uint64_t>(16), 7u);
    });
    EXPECT_TRUE(warnings().empty());
}

SC_TEST(VfioUser, TellsThePlatformOfADeviceReset)
{
    platform top;
    top.run([&] {
        vfio_user_client client(top.path.get());
        client.hello();
        client.done(DEVICE_RESET, bytes());
        client.write_config(PCI_BASE_ADDRESS_0, 0xfebf0000, 4);
        client.write_config(PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
        client.finish();
        EXPECT_FALSE(top.bridge.connected());
        vfio_user_client next(top.path.get());
        next.hello();
        EXPECT_EQ(next.read_config(PCI_BASE_ADDRESS_0, 4), 0u) << "the next guest starts anew";
        EXPECT_EQ(next.read_config(PCI_COMMAND, 2), 0u);
    });
    using cause = vmmio::vfio_user::reset_cause;
    ASSERT_GE(top.resets.size(), 2u);
    EXPECT_EQ(top.resets[0], cause::message);
    EXPECT_EQ(top.resets[1], cause::disconnect);
    EXPECT_EQ(top.bridge.counters().resets, 1u);
    EXPECT_EQ(top.bridge.bar0_address(), 0xfebf0000u);
}
