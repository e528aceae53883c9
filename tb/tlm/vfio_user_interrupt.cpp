// SPDX-License-Identifier: Apache-2.0
// INTA through an eventfd: level, automasked, shared by all inputs.
#include "vfio_user_platform.h"

#include <linux/pci_regs.h>

using namespace vmmio_test;

namespace
{

constexpr std::uint32_t mask = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK;
constexpr std::uint32_t unmask = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK;

/// A client with its eventfd connected and a way to drive the second interrupt input.
struct listening_client : vfio_user_client {
    explicit listening_client(platform &owner) : vfio_user_client(owner.path.get()), top(owner)
    {
        hello();
        set_irqs(connect_irq, {irq.fd()});
    }

    void drive(bool level)
    {
        top.simulation.call([&] { top.second.write(level); });
        settle();
    }

    /// Whatever the line did is done when a further command has been answered.
    void settle() { read_config(0, 4); }

    platform &top;
    interrupt_fd irq;
};

} // namespace

SC_TEST(VfioUserInterrupt, TriggersOnceAndMasksItself)
{
    platform top;
    top.run([&] {
        listening_client client(top);
        EXPECT_EQ(client.irq.take(), 0u);
        client.drive(true);
        EXPECT_EQ(client.irq.take(), 1u);
        client.drive(false);
        client.drive(true);
        EXPECT_EQ(client.irq.take(), 0u) << "masked until UNMASK";
        client.drive(false);
        client.set_irqs(unmask);
        EXPECT_EQ(client.irq.take(), 0u) << "nothing to tell";
        client.drive(true);
        EXPECT_EQ(client.irq.take(), 1u);
    });
    EXPECT_EQ(top.bridge.counters().interrupts, 2u);
}

SC_TEST(VfioUserInterrupt, TriggersAgainOnUnmaskWhileTheLineIsHigh)
{
    platform top;
    top.run([&] {
        listening_client client(top);
        client.drive(true);
        for (int i = 0; i < 3; ++i) {
            EXPECT_EQ(client.irq.take(), 1u);
            client.set_irqs(unmask);
        }
        EXPECT_EQ(client.irq.take(), 1u);
    });
}

SC_TEST(VfioUserInterrupt, DoesNotTriggerAgainAfterTheDriverAcknowledged)
{
    platform top;
    top.run([&] {
        listening_client client(top);
        for (int i = 0; i < 50; ++i) {
            client.write(0x18, 0, 8); // start a copy of no bytes: the line rises
            ASSERT_TRUE(client.irq.comes());
            // In one piece, so that the bridge has both before the line can have fallen.
            auto burst = message(REGION_WRITE, bytes().u64(0x20).u32(0).u32(8).u64(0), NO_REPLY);
            const auto next = message(SET_IRQS, vfio_user_client::irq_request(unmask));
            burst.insert(burst.end(), next.begin(), next.end());
            client.send(burst);
            ASSERT_TRUE(client.receive().has_value());
            ASSERT_EQ(client.irq.take(), 0u);
        }
    });
}

SC_TEST(VfioUserInterrupt, IsTheOrOfAllInputs)
{
    platform top;
    top.run([&] {
        listening_client client(top);
        client.drive(true);
        client.write(0x18, 0, 8);
        client.settle();
        EXPECT_EQ(client.irq.take(), 1u);
        client.drive(false);
        client.set_irqs(unmask);
        EXPECT_EQ(client.irq.take(), 1u) << "the other input is still high";
    });
}

SC_TEST(VfioUserInterrupt, CanBeMaskedTakenAwayAndTriggeredByTheClient)
{
    platform top;
    top.run([&] {
        listening_client client(top);
        client.set_irqs(mask);
        client.drive(true);
        EXPECT_EQ(client.irq.take(), 0u);
        client.done(SET_IRQS, vfio_user_client::irq_request(VFIO_IRQ_SET_DATA_BOOL |
                                                            VFIO_IRQ_SET_ACTION_UNMASK)
                                  .u8(0));
        EXPECT_EQ(client.irq.take(), 0u) << "the boolean says no";
        client.done(SET_IRQS, vfio_user_client::irq_request(VFIO_IRQ_SET_DATA_BOOL |
                                                            VFIO_IRQ_SET_ACTION_UNMASK)
                                  .u8(1));
        EXPECT_EQ(client.irq.take(), 1u);
        client.set_irqs(VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER);
        EXPECT_EQ(client.irq.take(), 1u);

        client.set_irqs(connect_irq); // no descriptor: taken away
        client.set_irqs(unmask);
        EXPECT_EQ(client.irq.take(), 0u);
        client.set_irqs(connect_irq, {client.irq.fd()});
        EXPECT_EQ(client.irq.take(), 1u) << "the line was high all the time";
        client.done(SET_IRQS, vfio_user_client::irq_request(VFIO_IRQ_SET_DATA_NONE |
                                                                VFIO_IRQ_SET_ACTION_TRIGGER,
                                                            VFIO_PCI_INTX_IRQ_INDEX, 0, 0));
        client.set_irqs(unmask);
        EXPECT_EQ(client.irq.take(), 0u) << "all taken away";
    });
    EXPECT_TRUE(warnings().empty());
}

SC_TEST(VfioUserInterrupt, ObeysTheCommandRegisterAndShowsInTheStatusRegister)
{
    platform top;
    top.run([&] {
        listening_client client(top);
        EXPECT_EQ(client.read_config(PCI_STATUS, 2) & PCI_STATUS_INTERRUPT, 0u);
        client.write_config(PCI_COMMAND, PCI_COMMAND_INTX_DISABLE, 2);
        client.drive(true);
        EXPECT_EQ(client.read_config(PCI_STATUS, 2) & PCI_STATUS_INTERRUPT,
                  unsigned(PCI_STATUS_INTERRUPT));
        EXPECT_EQ(client.irq.take(), 0u);
        client.write_config(PCI_COMMAND, 0, 2);
        EXPECT_EQ(client.irq.take(), 1u);
    });
}

SC_TEST(VfioUserInterrupt, DoesNotWaitForAClientThatLetsItsEventfdFill)
{
    platform top;
    top.run([&] {
        listening_client client(top);
        const int full = ::eventfd(0, EFD_CLOEXEC); // a write to it would wait
        const std::uint64_t most = UINT64_MAX - 1;
        ASSERT_EQ(::write(full, &most, sizeof(most)), static_cast<ssize_t>(sizeof(most)));
        client.set_irqs(connect_irq, {full});
        client.drive(true);
        client.settle();
        ::close(full);
    });
    EXPECT_EQ(top.bridge.counters().interrupts, 0u);
}

SC_TEST(VfioUserInterrupt, GoesWithItsClient)
{
    platform top;
    top.run([&] {
        listening_client first(top);
        first.finish();
        vfio_user_client second(top.path.get());
        second.hello();
        top.simulation.call([&] { top.second.write(true); });
        second.read_config(0, 4);
        EXPECT_EQ(first.irq.take(), 0u) << "the eventfd of a client that has gone";
        const interrupt_fd irq;
        second.set_irqs(connect_irq, {irq.fd()});
        EXPECT_EQ(irq.take(), 1u);
    });
}

SC_TEST(VfioUserInterrupt, MayBeAbsent)
{
    vmmio::vfio_user_config config;
    config.interrupts = 0;
    platform top(config);
    top.run([&] {
        vfio_user_client client(top.path.get());
        client.hello();
        EXPECT_EQ(client.read_config(PCI_INTERRUPT_PIN, 1), 0u);
        const answer irq =
            client.done(GET_IRQ_INFO, bytes().u32(16).u32(0).u32(VFIO_PCI_INTX_IRQ_INDEX).u32(0));
        EXPECT_EQ(irq.at<std::uint32_t>(12), 0u);
    });
}
