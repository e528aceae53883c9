// SPDX-License-Identifier: Apache-2.0
// The bus: who gets which access, at which address, and what it makes of DMI.
#include "platform.h"

namespace vmmio::tb
{

namespace
{

using addressing = router::addressing;

/// Remembers the addresses it sees; grants what it is told to grant.
class witness : public sc_core::sc_module
{
public:
    tlm_utils::simple_target_socket<witness> socket{"socket"};
    std::vector<std::uint64_t> seen;
    std::uint64_t first = 0, last = 0;
    bool grants = true;
    unsigned char memory[64] = {};

    explicit witness(sc_core::sc_module_name name) : sc_module(name)
    {
        socket.register_b_transport(this, &witness::b_transport);
        socket.register_transport_dbg(this, &witness::transport_dbg);
        socket.register_get_direct_mem_ptr(this, &witness::get_direct_mem_ptr);
    }

private:
    void b_transport(tlm::tlm_generic_payload &tx, sc_time &delay)
    {
        seen.push_back(tx.get_address());
        delay += ns(3);
        tx.set_response_status(tlm::TLM_OK_RESPONSE);
    }
    unsigned transport_dbg(tlm::tlm_generic_payload &tx)
    {
        seen.push_back(tx.get_address());
        return tx.get_data_length();
    }
    bool get_direct_mem_ptr(tlm::tlm_generic_payload &, tlm::tlm_dmi &dmi)
    {
        dmi.set_dmi_ptr(memory);
        dmi.set_start_address(first);
        dmi.set_end_address(last);
        dmi.allow_read();
        return grants;
    }
};

/// Two initiators; the first window shows offsets, the second one addresses.
struct bus_platform {
    processor cpu{"cpu"}, second{"second"};
    router bus{"bus", 2, {{0x1000, 0x100}, {0x8000, 0x100, addressing::absolute}}};
    witness low{"low"}, high{"high"};

    bus_platform()
    {
        cpu.socket.bind(bus.in[0]);
        second.socket.bind(bus.in[1]);
        bus.out[0].bind(low.socket);
        bus.out[1].bind(high.socket);
    }
    void run(std::function<void()> program) { simulate(cpu, std::move(program)); }
};

std::vector<std::uint64_t> list(std::initializer_list<std::uint64_t> values) { return values; }

} // namespace

SC_TEST(Router, PassesAnAccessToItsWindowAndNowhereElse)
{
    bus_platform p;
    p.run([&] {
        std::uint32_t word = 0;
        EXPECT_EQ(p.cpu.load(0x10fc, &word, 4), tlm::TLM_OK_RESPONSE);
        EXPECT_EQ(p.second.load(0x8004, &word, 4), tlm::TLM_OK_RESPONSE);
        EXPECT_EQ(p.cpu.peek(0x1004, &word, 4), 4u);
        EXPECT_EQ(p.low.seen, list({0xfc, 4}));
        EXPECT_EQ(p.high.seen, list({0x8004}));
        EXPECT_EQ(p.cpu.local, ns(3)) << "the bus itself takes no time";
    });
}

SC_TEST(Router, AnswersAnAddressErrorBetweenWindowsAndAcrossTheirBorders)
{
    bus_platform p;
    p.run([&] {
        std::uint32_t word = 0;
        for (const std::uint64_t address : list({0xffc, 0xffe, 0x10fe, 0x1100, 0x7ffe, ~0ull}))
            EXPECT_EQ(p.cpu.load(address, &word, 4), tlm::TLM_ADDRESS_ERROR_RESPONSE) << address;
        EXPECT_EQ(p.cpu.peek(0x10fe, &word, 4), 0u);
        EXPECT_TRUE(p.low.seen.empty() && p.high.seen.empty());
    });
}

SC_TEST(Router, JudgesAStreamingBurstByTheAddressesThatItReaches)
{
    bus_platform p;
    p.run([&] {
        std::uint8_t bytes[16] = {};
        payload stream(tlm::TLM_READ_COMMAND, 0x10fc, bytes, sizeof(bytes));
        stream.set_streaming_width(4);
        EXPECT_EQ(p.cpu.send(stream), tlm::TLM_OK_RESPONSE);
        stream.set_streaming_width(8);
        EXPECT_EQ(p.cpu.send(stream), tlm::TLM_ADDRESS_ERROR_RESPONSE);
        EXPECT_EQ(p.low.seen, list({0xfc}));
    });
}

SC_TEST(Router, LeavesTheAddressOfATransactionAsItWas)
{
    bus_platform p;
    p.run([&] {
        std::uint32_t word = 0;
        payload tx(tlm::TLM_READ_COMMAND, 0x1010, &word, 4);
        p.cpu.send(tx);
        EXPECT_EQ(tx.get_address(), 0x1010u);
    });
}

SC_TEST(Router, CutsGrantsAtTheBordersOfTheWindow)
{
    bus_platform p;
    p.run([&] {
        p.low.last = ~0ull;
        processor::grant grant = p.cpu.ask(0x1008);
        EXPECT_TRUE(grant.granted);
        EXPECT_EQ(grant.first, 0x1000u);
        EXPECT_EQ(grant.last, 0x10ffu);
        EXPECT_EQ(grant.pointer, p.low.memory + 8);

        p.high.first = 0x7ff0; // begins in front of the window
        p.high.last = 0x800f;
        grant = p.cpu.ask(0x8008);
        EXPECT_TRUE(grant.granted);
        EXPECT_EQ(grant.first, 0x8000u);
        EXPECT_EQ(grant.last, 0x800fu);
        EXPECT_EQ(grant.pointer, p.high.memory + 0x18);
    });
}

SC_TEST(Router, RefusesPointersForNoMoreThanTheHole)
{
    bus_platform p;
    p.run([&] {
        const processor::grant hole = p.cpu.ask(0x2000);
        EXPECT_FALSE(hole.granted);
        EXPECT_EQ(hole.first, 0x1100u);
        EXPECT_EQ(hole.last, 0x7fffu);
        EXPECT_EQ(p.cpu.ask(0x0).last, 0xfffu);
        EXPECT_EQ(p.cpu.ask(0x9000).first, 0x8100u);

        p.low.grants = false;
        p.low.last = ~0ull; // "nowhere": the other window is not its to refuse
        const processor::grant refused = p.cpu.ask(0x1000);
        EXPECT_FALSE(refused.granted);
        EXPECT_EQ(refused.last, 0x10ffu);
    });
}

SC_TEST(Router, TellsEveryInitiatorWhatIsTakenBack)
{
    bus_platform p;
    p.run([&] {
        p.low.socket->invalidate_direct_mem_ptr(0, ~0ull);
        p.high.socket->invalidate_direct_mem_ptr(0x8010, 0x801f);
        p.low.socket->invalidate_direct_mem_ptr(0x100, 0x1ff); // beyond its window
        const std::vector<std::pair<std::uint64_t, std::uint64_t>> expected = {{0x1000, 0x10ff},
                                                                               {0x8010, 0x801f}};
        EXPECT_EQ(p.cpu.invalidated, expected);
        EXPECT_EQ(p.second.invalidated, expected);
    });
}

SC_TEST(Router, WindowsThatOverlapStopElaboration)
{
    ROWS("H-45");
    expect_mistake({"bus: window 1, 0x10 bytes at 0x10ff",
                    "overlaps window 0, 0x100 bytes at 0x1000", "move one of them"},
                   [] {
                       router bus("bus", 1, {{0x1000, 0x100}, {0x10ff, 0x10}});
                   });
}

SC_TEST(Router, AWindowThatWrapsStopsElaboration)
{
    ROWS("H-45");
    expect_mistake({"window 0", "ends above 2^64", "lower"}, [] {
        router bus("bus", 1, {{~0ull, 2}});
    });
}

SC_TEST(Router, AnEmptyWindowStopsElaboration)
{
    ROWS("H-45");
    expect_mistake({"window 0", "is empty", "leave it out"}, [] {
        router bus("bus", 1, {{0, 0}});
    });
}

SC_TEST(Router, WindowsMayTouchAndReachTheLastAddress)
{
    const router bus("bus", 1, {{~0ull - 0xff, 0x80}, {~0ull - 0x7f, 0x80}});
    EXPECT_TRUE(reports::get().seen().empty());
}

} // namespace vmmio::tb
