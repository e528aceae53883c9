// SPDX-License-Identifier: Apache-2.0
// What happens while a DMA access waits in its target, and when DMA comes back to the device.
#include "platform.h"

namespace vmmio::tb
{

namespace
{

const vmmio_features features =
    feature_set({VMMIO_F_VERSION_1, VMMIO_F_RING_RESET, VMMIO_F_SUSPEND});

/// A device whose memory waits 1 us in each transaction, and a second processor that does
/// something in the midst of the k-th one after the kick.
struct slow_platform : platform<null_device> {
    std::function<void()> meanwhile;
    bool interrupted = false; ///< the k-th transaction came

    explicit slow_platform(bool in_access) : platform(options_for(in_access))
    {
        reports::get().expect("/vmmio/driver");
        main.dmi = false;
        second.program = [this] {
            sc_core::wait(go_);
            meanwhile();
            done_ = true;
        };
    }

    /// Kicks, and lets `meanwhile` happen in the k-th transaction.
    void kick(unsigned k)
    {
        main.waits = ns(1000);
        main.on_transaction = [this, k, seen = 0u](tlm::tlm_generic_payload &) mutable {
            interrupted = interrupted || seen == k;
            if (seen++ == k)
                go_.notify(ns(500));
        };
        queues[0]->offer(queues[0]->add({writable(16)}));
        guest.kick(0);
        cpu.sync(ns(100000));
        main.waits = sc_core::SC_ZERO_TIME;
        main.on_transaction = nullptr;
        EXPECT_TRUE(done_ || !interrupted);
    }

private:
    static device_options options_for(bool in_access)
    {
        device_options options;
        options.serve_in_access = in_access;
        return options;
    }

    sc_core::sc_event go_;
    bool done_ = false;
};

/// The transactions of one request: index, head, descriptor, used entry, used index, flags.
constexpr unsigned transactions_of_a_request = 6;

/// One test for each transaction that may be interrupted; each needs a simulation of its own.
template <typename Body>
void in_each_transaction(Body body)
{
    for (const bool in_access : {true, false}) {
        for (unsigned k = 0; k < transactions_of_a_request; k++) {
            SCOPED_TRACE(
                (in_access ? "in the access, transaction " : "in a process, transaction ") +
                std::to_string(k));
            vmmio_test::run_in_child([&] { body(in_access, k); });
        }
    }
}

} // namespace

TEST(WhileDmaWaits, AResetIsDoneWhenTheAccessIs)
{
    ROWS("RST-03", "RST-02", "H-33", "H-34");
    in_each_transaction([](bool in_access, unsigned k) {
        slow_platform p(in_access);
        p.meanwhile = [&] {
            p.second.write(VMMIO_REG_STATUS, 0);
            EXPECT_NE(p.second.read(VMMIO_REG_STATUS), 0u) << "an access is on its way";
            p.second.sync(ns(400));
            EXPECT_NE(p.second.read(VMMIO_REG_STATUS), 0u);
            p.second.sync(ns(200));
            EXPECT_EQ(p.second.read(VMMIO_REG_STATUS), 0u);
            const std::uint64_t transactions = p.main.transactions;
            p.second.sync(ns(5000));
            EXPECT_EQ(p.main.transactions, transactions) << "no DMA after Status reads 0";
            EXPECT_EQ(p.second.read(VMMIO_REG_INTERRUPT_STATUS), 0u);
            EXPECT_FALSE(p.irq.read());
        };
        p.run([&] {
            p.go_live(features);
            p.kick(k);
            EXPECT_TRUE(p.interrupted);
            p.go_live(features);
            EXPECT_EQ(p.exchange({p.writable(16)}).length, 0u) << "as good as new";
        });
    });
}

TEST(WhileDmaWaits, AQueueResetIsDoneWhenTheAccessIs)
{
    ROWS("MMIO-QRESET-02", "MMIO-QRESET-05", "VQ-06", "H-33", "H-64");
    in_each_transaction([](bool in_access, unsigned k) {
        slow_platform p(in_access);
        p.meanwhile = [&] {
            p.second.write(VMMIO_REG_QUEUE_SEL, 0);
            p.second.write(VMMIO_REG_QUEUE_RESET, 1);
            EXPECT_EQ(p.second.read(VMMIO_REG_QUEUE_RESET), 1u) << "running";
            p.second.sync(ns(600));
            EXPECT_EQ(p.second.read(VMMIO_REG_QUEUE_RESET), 0u);
            EXPECT_EQ(p.second.read(VMMIO_REG_QUEUE_READY), 0u);
            const std::uint64_t transactions = p.main.transactions;
            p.second.sync(ns(5000));
            EXPECT_EQ(p.main.transactions, transactions) << "no DMA of this queue any more";
        };
        p.run([&] {
            p.go_live(features);
            p.kick(k);
            EXPECT_TRUE(p.interrupted);
            EXPECT_EQ(p.guest.status() & VMMIO_STATUS_NEEDS_RESET, 0u);
            p.queues[0] = std::make_unique<virtqueue>(p.memory, p.alloc(1024), 16);
            p.guest.enable_queue(0, *p.queues[0]);
            EXPECT_EQ(p.exchange({p.writable(16)}).length, 0u);
        });
    });
}

TEST(WhileDmaWaits, AStoppedQueueReadsReadyUntilTheAccessIsDone)
{
    ROWS("MMIO-QREADY-02", "MMIO-DRV-12", "H-64");
    in_each_transaction([](bool in_access, unsigned k) {
        slow_platform p(in_access);
        p.meanwhile = [&] {
            p.second.write(VMMIO_REG_QUEUE_SEL, 0);
            p.second.write(VMMIO_REG_QUEUE_READY, 0);
            EXPECT_EQ(p.second.read(VMMIO_REG_QUEUE_READY), 1u);
            p.second.sync(ns(600));
            EXPECT_EQ(p.second.read(VMMIO_REG_QUEUE_READY), 0u);
            const std::uint64_t transactions = p.main.transactions;
            p.second.sync(ns(5000));
            EXPECT_EQ(p.main.transactions, transactions);
        };
        p.run([&] {
            p.go_live(features);
            p.kick(k);
            EXPECT_TRUE(p.interrupted);
        });
    });
}

TEST(WhileDmaWaits, ASuspendIsDoneWhenTheRequestIs)
{
    ROWS("SUSP-09", "H-39");
    in_each_transaction([](bool in_access, unsigned k) {
        slow_platform p(in_access);
        p.meanwhile = [&] {
            p.second.write(VMMIO_REG_STATUS, VMMIO_STATUS_ACKNOWLEDGE | VMMIO_STATUS_DRIVER |
                                                 VMMIO_STATUS_FEATURES_OK | VMMIO_STATUS_SUSPEND);
            EXPECT_EQ(p.second.read(VMMIO_REG_STATUS) & VMMIO_STATUS_SUSPEND, 0u);
            while (!(p.second.read(VMMIO_REG_STATUS) & VMMIO_STATUS_SUSPEND) &&
                   sc_core::sc_time_stamp() < ns(50000))
                p.second.sync(ns(100));
            EXPECT_TRUE(p.second.read(VMMIO_REG_STATUS) & VMMIO_STATUS_SUSPEND);
            const std::uint64_t transactions = p.main.transactions;
            p.second.sync(ns(5000));
            EXPECT_EQ(p.main.transactions, transactions) << "no DMA while suspended";
        };
        p.run([&] {
            p.go_live(features);
            p.kick(k);
            EXPECT_TRUE(p.interrupted);
            p.guest.set_status(VMMIO_STATUS_ACKNOWLEDGE | VMMIO_STATUS_DRIVER |
                               VMMIO_STATUS_FEATURES_OK | VMMIO_STATUS_DRIVER_OK);
            p.cpu.sync(ns(1000));
            EXPECT_EQ(p.queues[0]->used_idx(), 1u) << "the buffer is served after the resume";
        });
    });
}

TEST(WhileDmaWaits, AnotherKickIsNotLost)
{
    ROWS("H-38");
    in_each_transaction([](bool in_access, unsigned k) {
        slow_platform p(in_access);
        p.meanwhile = [&] {
            p.queues[0]->offer(p.queues[0]->add({p.writable(16)}));
            p.second.write(VMMIO_REG_QUEUE_NOTIFY, 0);
        };
        p.run([&] {
            p.go_live(features);
            p.kick(k);
            EXPECT_EQ(p.queues[0]->used_idx(), 2u);
            EXPECT_EQ(p.dut.requests(), 2u);
        });
    });
}

SC_TEST(WhileDmaWaits, AMistakeOfAnotherInitiatorIsNotHeldAgainstTheKick)
{
    device_options options;
    options.strict = true;
    platform<null_device> p(options);
    reports::get().expect("/vmmio/driver");
    p.main.dmi = false;
    bool done = false;
    p.second.program = [&] {
        sc_core::wait(p.main.waiting);
        std::uint32_t word = 0;
        EXPECT_EQ(p.second.load(at::registers + VMMIO_REG_QUEUE_SEL, &word, 4),
                  tlm::TLM_COMMAND_ERROR_RESPONSE);
        done = true;
    };
    p.run([&] {
        p.go_live();
        p.main.waits = ns(100);
        p.offer({p.writable(16)}); // expects TLM_OK_RESPONSE
        EXPECT_TRUE(done);
    });
}

} // namespace vmmio::tb
