// SPDX-License-Identifier: Apache-2.0
// The state of a device moves between C registers and Verilog ones, in both directions.
#include "platform.h"
#include "ram_disk.h"
#include "vmmio/tlm/blk_device.h"

#include <algorithm>
#include <array>
#include <deque>
#include <random>
#include <zlib.h>

namespace vmmio::rtl_sets
{
extern const rtl_set packed_100; // tb/tlm/CMakeLists.txt
}

namespace vmmio::tb
{

namespace
{

using stream = std::vector<std::uint8_t>;

constexpr std::uint32_t live = 0xf; ///< Status of a running device

register_form_factory form_of(bool lockstep)
{
    rtl_options options;
    options.clock_period = sc_core::SC_ZERO_TIME;
    options.lockstep = lockstep;
    return rtl_form(options);
}

/// Keeps what it gets until it is told to let go of it.
struct keeper : vmmio_function {
    std::deque<vmmio_request *> kept;

    keeper() : vmmio_function{}
    {
        static const vmmio_function_type keeper_type = [] {
            vmmio_function_type made{};
            made.name = "keeper";
            made.device_id = VMMIO_ID_NULL;
            made.handle = [](vmmio_function *self, vmmio_request *request) {
                static_cast<keeper *>(self)->kept.push_back(request);
            };
            made.reset = [](vmmio_function *self) { static_cast<keeper *>(self)->let_go(~0u); };
            return made;
        }();
        type = &keeper_type;
        queue_count = 2;
    }

    void let_go(unsigned count)
    {
        for (; count && !kept.empty(); count--) {
            vmmio_request *const request = kept.front();
            kept.pop_front();
            vmmio_request_complete(request, 0);
        }
    }
};

class keeping_device : private function_holder<keeper>, public device
{
public:
    unsigned let_go = 0; ///< at the next resume_work()

    keeping_device(sc_core::sc_module_name name, const vmmio::device_options &options)
        : device(name, function, options)
    {
        on_resume = [this] {
            function.let_go(std::exchange(let_go, 0u));
            return false;
        };
    }
    std::size_t kept() const { return function.kept.size(); }
};

/// A device with a processor and a memory of its own.
template <typename Device>
struct own_platform : sc_core::sc_module {
    guest_memory memory{dma_mode::pointer};
    ram main{"ram", memory, at::ram, at::ram_size};
    processor cpu{"cpu"};
    router bus{"bus", 2, {{at::registers, VMMIO_BLOCK_SIZE}, {at::ram, at::ram_size}}};
    driver guest{cpu};
    Device dut;
    sc_core::sc_signal<bool> irq{"irq"};

    template <typename... Arguments>
    explicit own_platform(sc_core::sc_module_name name, const Arguments &...arguments)
        : sc_module(name), dut("dut", arguments...)
    {
        cpu.socket.bind(bus.in[0]);
        bus.out[0].bind(dut.registers);
        bus.out[1].bind(main.socket);
        dut.dma().bind(bus.in[1]);
        dut.interrupt.bind(irq);
        memory.judge(false);
    }
};

/// The same driver and the same back end at two devices, one with C registers, one with Verilog
/// ones.
class twins
{
public:
    unsigned served = 0, moves = 0, moves_back = 0, jumps = 0, suspending = 0, resetting = 0,
             with_requests = 0, latched_what_is_gone = 0;

    using twin = own_platform<keeping_device>;

    twins(bool lockstep, unsigned seed)
        : random_(seed), c_("c", options({})), v_("v", options(form_of(lockstep)))
    {
    }

    void run(unsigned steps)
    {
        simulate(c_.cpu, [this, steps] {
            for (unsigned i = 0; i < steps && !::testing::Test::HasFailure(); i++) {
                act();
                if (pick(2))
                    pass(pick(300));
                look();
                if (pick(5) == 0)
                    move();
            }
        });
    }

private:
    static vmmio::device_options options(const register_form_factory &form)
    {
        vmmio::device_options made;
        made.register_latency = sc_core::SC_ZERO_TIME;
        made.reset_latency = ns(200);
        made.serve_in_access = false;
        made.slice = 2;
        made.requests = 64; // those of before a restore are not given back yet when it is judged
        made.form = form;
        return made;
    }

    std::uint32_t pick(std::uint32_t below)
    {
        return static_cast<std::uint32_t>(random_() % below);
    }

    /// Ends when both have done what is due by then.
    void pass(std::uint32_t nanoseconds)
    {
        c_.cpu.sync(ns(nanoseconds));
        for (unsigned deltas = 8; deltas; deltas--)
            c_.cpu.sync();
    }

    void write(std::uint32_t offset, std::uint32_t value)
    {
        for (twin *each : {&c_, &v_})
            each->cpu.write(offset, value);
    }

    std::uint32_t read(std::uint32_t offset)
    {
        const std::uint32_t value = c_.cpu.read(offset);
        EXPECT_EQ(v_.cpu.read(offset), value) << "register " << std::hex << offset;
        return value;
    }

    template <typename Change>
    void both(Change change)
    {
        change(c_);
        change(v_);
    }

    void negotiate()
    {
        vmmio_features features = vmmio_device_default_features();
        for (const unsigned bit : {VMMIO_F_RING_RESET, VMMIO_F_NOTIFICATION_DATA})
            if (pick(4) == 0)
                vmmio_features_remove(&features, bit);
        if (pick(6) == 0)
            features.word[pick(4)] ^= 1u << pick(32);
        write(VMMIO_REG_STATUS, 0);
        pass(300);
        write(VMMIO_REG_STATUS, 3);
        for (std::uint32_t i = 0; i < 4; i++) {
            write(VMMIO_REG_DRIVER_FEATURES_SEL, i);
            write(VMMIO_REG_DRIVER_FEATURES, features.word[i]);
        }
        if (pick(12) == 0) { // a bit that no device has
            write(VMMIO_REG_DRIVER_FEATURES_SEL, 4 + pick(9));
            write(VMMIO_REG_DRIVER_FEATURES, 4);
        }
    }

    void set_queue(std::uint32_t queue)
    {
        const std::uint32_t base = at::ram + 0x1000 * (1 + pick(3)), size = 1u << pick(5);
        both([base](twin &s) { s.memory.store16(base + 0x402, 0); });
        write(VMMIO_REG_QUEUE_SEL, queue);
        write(VMMIO_REG_QUEUE_SIZE, size + (pick(8) == 0));
        write(VMMIO_REG_QUEUE_DESC_LOW, base + (pick(16) == 0));
        write(VMMIO_REG_QUEUE_DRIVER_LOW, base + 0x400);
        write(VMMIO_REG_QUEUE_DEVICE_LOW, base + 0x800);
        if (pick(8) == 0)
            write(VMMIO_REG_QUEUE_DEVICE_HIGH, pick(2));
        write(VMMIO_REG_QUEUE_READY, 1);
    }

    /// Buffers of one descriptor each, in whichever of the three places a ring may be.
    void offer()
    {
        for (std::uint32_t base = at::ram + 0x1000; base < at::ram + 0x4000; base += 0x1000) {
            both([base](twin &s) {
                for (unsigned i = 0; i < 16; i++) {
                    s.memory.store64(base + 16 * i, at::ram + 0x8000);
                    s.memory.store32(base + 16 * i + 8, 8);
                    s.memory.store32(base + 16 * i + 12, 2);
                    s.memory.store16(base + 0x404 + 2 * i, 0);
                }
                s.memory.store16(base + 0x402,
                                 static_cast<std::uint16_t>(s.memory.load16(base + 0x402) + 1));
            });
        }
        write(VMMIO_REG_QUEUE_NOTIFY, pick(2));
    }

    void change_regions()
    {
        const auto id = static_cast<std::uint8_t>(pick(3));
        const std::uint64_t base = at::shm + 0x100000 * id + 0x1000 * pick(4),
                            length = 0x1000 * (1 + pick(4));
        const unsigned what = pick(3);
        std::array<vmmio_error, 2> errors{};
        unsigned n = 0;
        both([&](twin &s) {
            shm_window &shm = s.dut.shm();
            errors.at(n++) = what == 0   ? shm.remove_region(id)
                             : what == 1 ? shm.add_region(id, base, length)
                                         : shm.move_region(id, base);
        });
        EXPECT_EQ(errors[0], errors[1]);
    }

    void act()
    {
        static constexpr std::uint32_t statuses[] = {0,    1,    2,    3,    0xb, live,
                                                     live, 0x1f, 0x1f, 0x80, 4};
        switch (pick(18)) {
        case 0:
            negotiate();
            write(VMMIO_REG_STATUS, 0xb);
            return;
        case 1: // rings may come before FEATURES_OK
            negotiate();
            set_queue(pick(2));
            write(VMMIO_REG_STATUS, 0xb);
            set_queue(0);
            set_queue(1);
            write(VMMIO_REG_STATUS, live);
            return;
        case 2:
        case 3:
            return set_queue(pick(3));
        case 4:
            return write(VMMIO_REG_STATUS, statuses[pick(11)]);
        case 5:
            write(VMMIO_REG_SHM_SEL, pick(8) ? pick(4) : random_());
            return;
        case 6:
            return change_regions();
        case 7:
            return write(VMMIO_REG_INTERRUPT_ACK, pick(4));
        case 8:
            write(pick(2) ? VMMIO_REG_DEVICE_FEATURES_SEL : VMMIO_REG_DRIVER_FEATURES_SEL,
                  pick(4) ? pick(5) : random_());
            return write(VMMIO_REG_QUEUE_SEL, pick(4) ? pick(3) : random_());
        case 9:
            write(VMMIO_REG_QUEUE_SEL, pick(2));
            return write(pick(2) ? VMMIO_REG_QUEUE_READY : VMMIO_REG_QUEUE_RESET, pick(2));
        case 10: {
            const unsigned count = 1 + pick(3);
            return both([count](twin &s) {
                s.dut.let_go = count;
                s.dut.resume_work();
            });
        }
        case 11:
        case 12:
            return write(VMMIO_REG_STATUS, pick(3) ? live : live | VMMIO_STATUS_SUSPEND);
        default:
            return offer();
        }
    }

    /// All that a driver can see.
    void look()
    {
        for (const std::uint32_t offset : {VMMIO_REG_STATUS, VMMIO_REG_INTERRUPT_STATUS})
            read(offset);
        EXPECT_EQ(c_.dut.kept(), v_.dut.kept());
        served += c_.dut.kept() != 0;
        if (pick(4) == 0)
            for (std::uint32_t offset = 0; offset <= VMMIO_REG_CONFIG; offset += 4)
                read(offset);
    }

    void count(const stream &bytes)
    {
        const vmmio_block &b = c_.dut.model().block;
        suspending += b.suspending;
        resetting += b.resetting;
        with_requests += c_.dut.kept() != 0;
        const vmmio_shm_region *region = vmmio_shm_find(&b.shm, b.shm.sel);
        latched_what_is_gone += b.shm.length != ~0ull && !(region && region->base == b.shm.base);
        if (pick(8) == 0)
            earlier_ = bytes;
    }

    static void restore(twin &s, const stream &bytes)
    {
        const vmmio_error error = s.dut.restore(bytes);
        EXPECT_EQ(error, VMMIO_ERROR_OK) << vmmio_error_text(error);
    }

    void move()
    {
        const stream bytes = saved(c_.dut);
        EXPECT_EQ(saved(v_.dut), bytes) << "both have gone the same way";
        count(bytes);
        const bool jump =
            pick(3) == 0 && !earlier_.empty() && c_.dut.restore(earlier_) == VMMIO_ERROR_OK;
        if (jump) { // to what was long ago, if the regions are those of then
            restore(v_, earlier_);
            EXPECT_EQ(saved(v_.dut), saved(c_.dut));
            jumps++;
        } else if (pick(2)) {
            restore(v_, bytes);
            restore(c_, saved(v_.dut));
            moves++;
        } else {
            restore(c_, saved(v_.dut));
            restore(v_, bytes);
            moves_back++;
        }
        if (!jump) {
            EXPECT_EQ(saved(c_.dut), bytes);
            EXPECT_EQ(saved(v_.dut), bytes);
        }
        look();
    }

    std::mt19937 random_;
    twin c_, v_;
    stream earlier_;
};

void move_at_random(bool lockstep)
{
    for (const char *type : {"/vmmio/driver", "/vmmio/ring", "/vmmio/request"})
        reports::get().expect(type);
    twins t(lockstep, lockstep ? 2 : 1);
    t.run(8000);
    EXPECT_GT(t.moves, 100u);
    EXPECT_GT(t.moves_back, 100u);
    EXPECT_GT(t.jumps, 20u);
    EXPECT_GT(t.suspending, 5u);
    EXPECT_GT(t.resetting, 5u);
    EXPECT_GT(t.with_requests, 100u);
    EXPECT_GT(t.served, 500u);
    EXPECT_GT(t.latched_what_is_gone, 20u);
}

} // namespace

SC_TEST(RtlState, MovesBetweenTheFormsAtRandomMoments) { move_at_random(false); }

SC_TEST(RtlState, MovesBetweenTheFormsInLockstep) { move_at_random(true); }

namespace
{

/// Disks with no room for shared memory in their Verilog registers.
struct two_disks {
    static constexpr std::uint16_t queues = 2; // as the set "blk" has

    ram_disk one, other;
    own_platform<blk_device> c{"c", one.config(queues)};
    own_platform<blk_device> v;

    two_disks() : v("v", other.config(queues), verilog()) {}

    static vmmio::device_options verilog()
    {
        vmmio::device_options made;
        made.form = form_of(true);
        return made;
    }
};

/// The field of section "regs" this many bytes behind its beginning (docs/state.md).
enum regs_field { config_generation = 45, shm_len = 56, shm_base = 64, shm_untouched = 72 };

void forge(stream &bytes, regs_field field, std::uint64_t value, unsigned length)
{
    constexpr char name[] = {'r', 'e', 'g', 's'};
    constexpr std::size_t header = 24, checksum = 12, section = 12;
    const auto regs = std::search(bytes.begin() + header, bytes.end(), name, name + sizeof name);
    ASSERT_NE(regs, bytes.end());
    for (unsigned i = 0; i < length; i++)
        regs[section + field + i] = static_cast<std::uint8_t>(value >> 8 * i);
    const std::uint64_t sum =
        ::crc32(0, bytes.data() + header, static_cast<uInt>(bytes.size() - header));
    for (unsigned i = 0; i < 4; i++)
        bytes[checksum + i] = static_cast<std::uint8_t>(sum >> 8 * i);
}

} // namespace

SC_TEST(RtlState, KeepsConfigBytesAndGeneration)
{
    ROWS("MMIO-GEN-01");
    two_disks t;
    simulate(t.c.cpu, [&] {
        ASSERT_TRUE(t.c.guest.negotiate(t.c.guest.offered()));
        t.c.guest.start();
        for (const std::uint64_t sectors : {16u, 48u, 32u}) {
            t.c.dut.resize(sectors);
            t.v.dut.resize(sectors);
        }
        t.v.dut.resize(16);
        t.v.dut.resize(32);
        EXPECT_EQ(t.v.cpu.read(VMMIO_REG_CONFIG_GENERATION), 5u);
        const stream bytes = saved(t.c.dut);
        ASSERT_EQ(t.v.dut.restore(bytes), VMMIO_ERROR_OK);
        EXPECT_EQ(saved(t.v.dut), bytes);
        EXPECT_EQ(t.v.cpu.read(VMMIO_REG_CONFIG_GENERATION), 3u);
        EXPECT_EQ(t.v.cpu.read(VMMIO_REG_CONFIG), 32u);
        EXPECT_EQ(t.v.guest.interrupts(), std::uint32_t{VMMIO_INTERRUPT_CONFIG_CHANGE});
        t.c.cpu.sync(ns(1));
        EXPECT_TRUE(t.v.irq.read());
        t.v.guest.acknowledge(VMMIO_INTERRUPT_CONFIG_CHANGE);
        t.v.dut.resize(16);
        EXPECT_EQ(t.v.cpu.read(VMMIO_REG_CONFIG_GENERATION), 4u);
        EXPECT_EQ(t.v.guest.interrupts(), std::uint32_t{VMMIO_INTERRUPT_CONFIG_CHANGE});
        t.c.dut.resize(16);
        ASSERT_EQ(t.c.dut.restore(saved(t.v.dut)), VMMIO_ERROR_OK);
        EXPECT_EQ(t.c.cpu.read(VMMIO_REG_CONFIG_GENERATION), 4u);
    });
}

// One that is packed, and one from before FEATURES_OK, which was judged as a split ring.
SC_TEST(RtlState, KeepsRingsOfEitherLayout)
{
    vmmio::device_options options;
    options.queue_size_max = 100;
    vmmio_features_add(&options.features, VMMIO_F_RING_PACKED);
    vmmio::device_options verilog = options;
    rtl_options set;
    set.sets = {&rtl_sets::packed_100};
    verilog.form = lockstep_form(set);
    own_platform<vmmio::entropy_device> c("c", options), v("v", verilog);
    reports::get().expect("/vmmio/driver");
    simulate(c.cpu, [&] {
        const auto there_and_back = [&] {
            const stream bytes = saved(c.dut);
            ASSERT_EQ(v.dut.restore(bytes), VMMIO_ERROR_OK);
            EXPECT_EQ(saved(v.dut), bytes);
            EXPECT_EQ(v.cpu.read(VMMIO_REG_QUEUE_READY), 1u);
            EXPECT_EQ(v.guest.status(), c.guest.status());
            ASSERT_EQ(c.dut.restore(saved(v.dut)), VMMIO_ERROR_OK);
            EXPECT_EQ(saved(c.dut), bytes);
        };
        const vmmio_features features = feature_set({VMMIO_F_VERSION_1, VMMIO_F_RING_PACKED});
        ASSERT_TRUE(c.guest.negotiate(features));
        c.guest.enable_queue(0, {at::ram, at::ram + 0x1000, at::ram + 0x2000, 99});
        there_and_back();
        c.guest.start();
        there_and_back();

        c.guest.reset();
        c.guest.set_status(3);
        c.guest.accept(features);
        c.guest.enable_queue(0, {at::ram, at::ram + 0x1002, at::ram + 0x2000, 64});
        there_and_back();
        c.guest.add_status(VMMIO_STATUS_FEATURES_OK);
        there_and_back();
    });
}

SC_TEST(RtlState, RefusesWhatTheVerilogCannotShow)
{
    two_disks t;
    simulate(t.c.cpu, [&] {
        const stream plain = saved(t.c.dut);
        t.v.guest.add_status(3);
        const stream before = saved(t.v.dut);

        stream counted = plain;
        forge(counted, config_generation, 1000, 4);
        EXPECT_EQ(t.v.dut.restore(counted), VMMIO_ERROR_OK);
        EXPECT_EQ(t.v.cpu.read(VMMIO_REG_CONFIG_GENERATION), 1000u);
        ASSERT_EQ(t.v.dut.restore(before), VMMIO_ERROR_OK);
        EXPECT_EQ(t.v.cpu.read(VMMIO_REG_CONFIG_GENERATION), 0u);

        stream long_lived = plain, region = plain;
        forge(long_lived, config_generation, (1u << 20) + 1, 4);
        forge(region, shm_len, 0x1000, 8);
        forge(region, shm_base, at::shm, 8);
        forge(region, shm_untouched, 0, 1);
        for (const stream &bytes : {long_lived, region}) {
            EXPECT_EQ(t.v.dut.restore(bytes), VMMIO_ERROR_STATE_FORM);
            EXPECT_EQ(saved(t.v.dut), before);
            EXPECT_EQ(t.v.guest.status(), 3u);
            EXPECT_EQ(t.c.dut.restore(bytes), VMMIO_ERROR_OK);
            EXPECT_EQ(saved(t.c.dut), bytes);
        }
    });
}

} // namespace vmmio::tb
