// SPDX-License-Identifier: Apache-2.0
// Rings and buffers that point at registers, the device's own or another's (H-35), and two devices
// side by side.
#include "platform.h"

namespace vmmio::tb
{

namespace
{

constexpr vmmio_entropy_config zeros = {[](void *, std::uint8_t *data, std::uint32_t length) {
                                            std::fill_n(data, length, std::uint8_t(0));
                                            return true;
                                        },
                                        nullptr, 0};

/// Its "random" bytes are zeros: a buffer on a register writes 0 there.
struct zero_platform : platform<entropy_device> {
    explicit zero_platform(bool in_access = true) : platform(options_for(in_access), &zeros) {}

private:
    static device_options options_for(bool in_access)
    {
        device_options options;
        options.serve_in_access = in_access;
        return options;
    }
};

piece on_register(vmmio_register offset, bool writable, std::uint32_t length = 4)
{
    return {at::registers + offset, length, writable};
}

void kicks_itself(bool in_access)
{
    zero_platform p(in_access);
    p.run([&] {
        p.go_live();
        for (std::uint16_t i = 1; i <= 3; i++) {
            EXPECT_EQ(p.exchange({on_register(VMMIO_REG_QUEUE_NOTIFY, true)}).length, 4u);
            EXPECT_EQ(p.queues[0]->used_idx(), i);
        }
        EXPECT_EQ(p.dut.requests(), 3u);
    });
}

void resets_itself(bool in_access)
{
    zero_platform p(in_access);
    p.run([&] {
        p.go_live();
        p.offer({on_register(VMMIO_REG_STATUS, true), p.writable(16)});
        p.cpu.sync(ns(1000));
        EXPECT_EQ(p.guest.status(), 0u);
        EXPECT_EQ(p.queues[0]->used_idx(), 0u) << "the request went with the reset";
        EXPECT_FALSE(p.irq.read());
        p.go_live();
        EXPECT_EQ(p.exchange({p.writable(16)}).length, 16u);
    });
}

/// A driver's way to one of several devices.
class window : public bus
{
public:
    window(processor &cpu, std::uint64_t base) : cpu_(cpu), base_(base) {}
    std::uint32_t read(std::uint32_t offset, std::uint32_t width) override
    {
        std::uint32_t value = 0;
        EXPECT_EQ(cpu_.load(base_ + offset, &value, width), tlm::TLM_OK_RESPONSE);
        return value;
    }
    void write(std::uint32_t offset, std::uint32_t value, std::uint32_t width) override
    {
        EXPECT_EQ(cpu_.store(base_ + offset, &value, width), tlm::TLM_OK_RESPONSE);
    }

private:
    processor &cpu_;
    std::uint64_t base_;
};

/// One of two devices, with its driver.
struct side {
    std::uint64_t base;
    entropy_device dut;
    sc_core::sc_signal<bool> irq{sc_core::sc_gen_unique_name("irq")};
    window registers;
    driver guest{registers};
    std::unique_ptr<virtqueue> queue;

    side(const char *name, processor &cpu, std::uint64_t address)
        : base(address), dut(name, device_options{}, &zeros), registers(cpu, address)
    {
        dut.interrupt.bind(irq);
    }
    void go_live(guest_memory &memory, std::uint64_t rings)
    {
        EXPECT_TRUE(guest.negotiate(feature_set({VMMIO_F_VERSION_1})));
        queue = std::make_unique<virtqueue>(memory, rings, 16);
        guest.enable_queue(0, *queue);
        guest.start();
    }
    void offer(const piece &buffer)
    {
        queue->offer(queue->add({buffer}));
        guest.kick(0);
    }
};

struct pair_platform {
    guest_memory memory{dma_mode::pointer};
    ram main{"ram", memory, at::ram, at::ram_size};
    processor cpu{"cpu"};
    side a{"a", cpu, at::registers};
    side b{"b", cpu, at::registers + VMMIO_BLOCK_SIZE};
    router bus{"bus",
               3,
               {{a.base, VMMIO_BLOCK_SIZE}, {b.base, VMMIO_BLOCK_SIZE}, {at::ram, at::ram_size}}};

    pair_platform()
    {
        cpu.socket.bind(bus.in[0]);
        a.dut.dma().bind(bus.in[1]);
        b.dut.dma().bind(bus.in[2]);
        bus.out[0].bind(a.dut.registers);
        bus.out[1].bind(b.dut.registers);
        bus.out[2].bind(main.socket);
    }
    void run(const std::function<void()> &program)
    {
        simulate(cpu, [&] {
            a.go_live(memory, at::ram);
            b.go_live(memory, at::ram + 0x1000);
            program();
        });
        for (const std::string &violation : memory.violations)
            ADD_FAILURE() << violation;
    }
};

} // namespace

SC_TEST(Reentrancy, ABufferOnQueueNotifyKicksWithoutRecursion)
{
    ROWS("H-35");
    kicks_itself(true);
}

SC_TEST(Reentrancy, ABufferOnQueueNotifyKicksADeviceInItsOwnProcess)
{
    ROWS("H-35");
    kicks_itself(false);
}

SC_TEST(Reentrancy, ABufferOnStatusResetsTheDeviceWhenItsDmaIsDone)
{
    ROWS("H-35", "H-34");
    resets_itself(true);
}

SC_TEST(Reentrancy, ABufferOnStatusResetsADeviceInItsOwnProcess)
{
    ROWS("H-35", "H-34");
    resets_itself(false);
}

SC_TEST(Reentrancy, ALongBufferOnRegistersIsABusError)
{
    ROWS("H-35", "H-12");
    zero_platform p;
    reports::get().expect("/vmmio/ring");
    p.run([&] {
        p.go_live();
        p.offer({on_register(VMMIO_REG_QUEUE_SEL, true, 64)});
        p.cpu.sync(ns(1000));
        EXPECT_TRUE(p.guest.status() & VMMIO_STATUS_NEEDS_RESET);
        EXPECT_EQ(p.queues[0]->used_idx(), 0u);
        p.go_live();
        EXPECT_EQ(p.exchange({p.writable(16)}).length, 16u);
    });
}

SC_TEST(Reentrancy, RingsOnRegistersEndInNeedsResetAtTheFirstUse)
{
    ROWS("H-35", "H-19");
    zero_platform p;
    reports::get().expect("/vmmio/ring");
    p.run([&] {
        p.go_live();
        ASSERT_TRUE(p.guest.negotiate(feature_set({VMMIO_F_VERSION_1})));
        virtqueue &queue = *p.queues[0];
        queue.desc = at::registers; // 16 bytes in one go: refused there
        p.memory.name(at::registers, queue.desc_bytes(), may_read);
        p.guest.enable_queue(0, queue);
        queue.avail_idx = 0;
        p.memory.store16(queue.driver + 4, 0);
        p.memory.store16(queue.driver + 2, 1);
        p.guest.start();
        p.cpu.sync(ns(1000));
        EXPECT_TRUE(p.guest.status() & VMMIO_STATUS_NEEDS_RESET);
        p.go_live();
        EXPECT_EQ(p.exchange({p.writable(16)}).length, 16u);
    });
}

SC_TEST(Reentrancy, ARequestMayBeReadFromARegister)
{
    ROWS("H-35", "PMEM-09");
    unsigned char memory[4096];
    platform<pmem_device> p(pmem_range{at::shm, sizeof(memory), memory, {}});
    reports::get().expect("/vmmio/request");
    p.run([&] {
        p.go_live();
        const piece answer = p.writable(4);
        EXPECT_EQ(p.exchange({on_register(VMMIO_REG_INTERRUPT_STATUS, false), answer}).length, 4u);
        EXPECT_EQ(p.memory.load32(answer.address), 0u) << "0 is a flush";
        EXPECT_EQ(p.exchange({on_register(VMMIO_REG_MAGIC_VALUE, false), answer}).length, 4u);
        EXPECT_EQ(p.memory.load32(answer.address), 0xffffffffu) << "\"virt\" is nothing";
    });
}

SC_TEST(TwoDevices, ServeSideBySide)
{
    pair_platform p;
    p.run([&] {
        p.a.offer({at::ram + 0x2000, 16, true});
        p.cpu.sync(ns(1000));
        EXPECT_TRUE(p.a.irq.read());
        EXPECT_FALSE(p.b.irq.read());
        p.b.offer({at::ram + 0x3000, 32, true});
        p.cpu.sync(ns(1000));
        EXPECT_TRUE(p.b.irq.read());
        EXPECT_EQ(p.a.queue->reap()->length, 16u);
        EXPECT_EQ(p.b.queue->reap()->length, 32u);
        p.a.guest.reset();
        EXPECT_EQ(p.a.guest.status(), 0u);
        EXPECT_TRUE(p.b.guest.status() & VMMIO_STATUS_DRIVER_OK);
    });
}

SC_TEST(TwoDevices, ThatKickEachOtherComeToAnEnd)
{
    ROWS("H-35");
    pair_platform p;
    p.run([&] {
        // Offered to both before the first kick, so that each kick finds work.
        p.b.queue->offer(p.b.queue->add({{p.a.base + VMMIO_REG_QUEUE_NOTIFY, 4, true}}));
        p.a.queue->offer(p.a.queue->add({{p.b.base + VMMIO_REG_QUEUE_NOTIFY, 4, true}}));
        p.a.guest.kick(0);
        p.cpu.sync(ns(1000));
        EXPECT_EQ(p.a.dut.requests(), 1u);
        EXPECT_EQ(p.b.dut.requests(), 1u);
        EXPECT_EQ(p.a.queue->used_idx(), 1u);
        EXPECT_EQ(p.b.queue->used_idx(), 1u);
    });
}

SC_TEST(TwoDevices, ThatResetEachOtherComeToAnEnd)
{
    ROWS("H-35", "H-34");
    pair_platform p;
    p.run([&] {
        p.b.queue->offer(p.b.queue->add({{p.a.base + VMMIO_REG_STATUS, 4, true}}));
        p.a.queue->offer(p.a.queue->add({{p.b.base + VMMIO_REG_QUEUE_NOTIFY, 4, true}}));
        p.a.guest.kick(0); // a kicks b, which resets a in the midst of its access
        p.cpu.sync(ns(1000));
        EXPECT_EQ(p.a.guest.status(), 0u);
        EXPECT_EQ(p.a.queue->used_idx(), 0u);
        EXPECT_EQ(p.b.queue->used_idx(), 1u);
    });
}

} // namespace vmmio::tb
