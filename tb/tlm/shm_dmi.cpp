// SPDX-License-Identifier: Apache-2.0
// Pointers into shared memory: what is granted, and that it is taken back before it goes (H-42).
#include "platform.h"

namespace vmmio::tb
{

namespace
{

using bytes = std::vector<unsigned char>;
using ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

constexpr std::uint64_t region_size = 0x10000;
constexpr std::uint64_t old_first = 0x4000, old_last = 0x7fff; // offsets of the mapping under test

/// A region with one mapping of 0x11 bytes, to which the processor holds a pointer. When it is
/// taken back the processor looks whether the old state still stands.
struct holder_platform : platform<null_device> {
    bytes old_memory = bytes(old_last - old_first + 1, 0x11);
    bytes new_memory = bytes(region_size, 0x22);
    processor::grant held{};
    std::function<void()> when_taken_back;

    explicit holder_platform(lifetime until = lifetime::permanent)
    {
        dut.add_region(0, at::shm, region_size);
        map_old(until);
        cpu.on_invalidate = [this] {
            EXPECT_EQ(peek(old_first), 0x11) << "the change took effect too early";
            EXPECT_EQ(*held.pointer, 0x11);
            if (when_taken_back)
                when_taken_back();
        };
    }
    void map_old(lifetime until)
    {
        EXPECT_TRUE(dut.shm().map(0, old_first, old_memory.data(), old_memory.size(),
                                  rights::read_write, until));
    }
    /// From inside the program.
    void hold()
    {
        held = cpu.ask(at::shm + old_first);
        EXPECT_TRUE(held.granted);
        EXPECT_EQ(held.first, at::shm + old_first);
        EXPECT_EQ(held.last, at::shm + old_last);
        EXPECT_EQ(held.pointer, old_memory.data());
        EXPECT_TRUE(cpu.invalidated.empty());
    }
    /// The byte at an offset by debug access; -1 if nothing is there.
    int peek(std::uint64_t offset)
    {
        std::uint8_t byte = 0;
        return cpu.peek(at::shm + offset, &byte, 1) == 1 ? byte : -1;
    }
    void expect_taken_back_once() { EXPECT_EQ(cpu.invalidated, ranges({{held.first, held.last}})); }
};

/// What an overlap by [first, last] must leave: new bytes there, old ones around them.
void overlap(std::uint64_t first, std::uint64_t last)
{
    holder_platform p;
    p.run([&] {
        p.hold();
        EXPECT_TRUE(p.dut.shm().map(0, first, p.new_memory.data(), last - first + 1,
                                    rights::read_write, lifetime::permanent));
        p.expect_taken_back_once();
        const auto inside = [](std::uint64_t offset, std::uint64_t from, std::uint64_t to) {
            return from <= offset && offset <= to;
        };
        for (std::uint64_t offset = 0; offset < region_size; offset += 0x10)
            ASSERT_EQ(p.peek(offset), inside(offset, first, last)           ? 0x22
                                      : inside(offset, old_first, old_last) ? 0x11
                                                                            : -1)
                << std::hex << offset;
        // A new grant ends where its own mapping does.
        const processor::grant fresh = p.cpu.ask(at::shm + first);
        EXPECT_EQ(fresh.first, at::shm + first);
        EXPECT_EQ(fresh.last, at::shm + last);
        if (first > old_first) {
            const processor::grant left = p.cpu.ask(at::shm + old_first);
            EXPECT_EQ(left.last, at::shm + first - 1);
            EXPECT_EQ(left.pointer, p.old_memory.data());
        }
        if (last < old_last) {
            const processor::grant right = p.cpu.ask(at::shm + old_last);
            EXPECT_EQ(right.first, at::shm + last + 1);
            EXPECT_EQ(right.pointer, &p.old_memory.back());
        }
    });
}

} // namespace

SC_TEST(SharedMemoryPointers, SpanExactlyTheMapping)
{
    ROWS("H-42");
    holder_platform p;
    p.run([&] {
        for (const std::uint64_t offset : {old_first, old_first + 1, old_last}) {
            const processor::grant grant = p.cpu.ask(at::shm + offset);
            EXPECT_TRUE(grant.granted && grant.readable && grant.writable);
            EXPECT_EQ(grant.first, at::shm + old_first);
            EXPECT_EQ(grant.last, at::shm + old_last);
            EXPECT_EQ(grant.pointer, p.old_memory.data() + (offset - old_first));
        }
        *p.cpu.ask(at::shm + old_last).pointer = 0x77;
        EXPECT_EQ(p.peek(old_last), 0x77) << "the same memory as by transaction";
    });
}

SC_TEST(SharedMemoryPointers, AreRefusedForTheWholeHole)
{
    ROWS("H-43");
    holder_platform p;
    p.run([&] {
        const processor::grant below = p.cpu.ask(at::shm);
        EXPECT_FALSE(below.granted);
        EXPECT_EQ(below.first, at::shm);
        EXPECT_EQ(below.last, at::shm + old_first - 1);
        const processor::grant above = p.cpu.ask(at::shm + region_size - 1);
        EXPECT_FALSE(above.granted);
        EXPECT_EQ(above.first, at::shm + old_last + 1);
        EXPECT_EQ(above.last, at::shm + region_size - 1);
        EXPECT_FALSE(p.cpu.ask(at::shm + region_size).granted) << "outside the region";
    });
}

SC_TEST(SharedMemoryPointers, AdjoiningMappingsAreGrantedEachForItself)
{
    holder_platform p;
    p.run([&] {
        ASSERT_TRUE(p.dut.shm().map(0, old_last + 1, p.new_memory.data(), 0x1000,
                                    rights::read_write, lifetime::permanent));
        EXPECT_EQ(p.cpu.ask(at::shm + old_last).last, at::shm + old_last);
        EXPECT_EQ(p.cpu.ask(at::shm + old_last + 1).first, at::shm + old_last + 1);
    });
}

SC_TEST(SharedMemoryPointers, ToAReadOnlyMappingAreForReadingOnly)
{
    ROWS("H-48");
    holder_platform p;
    p.run([&] {
        ASSERT_TRUE(
            p.dut.shm().map(0, 0, p.new_memory.data(), 0x1000, rights::read, lifetime::permanent));
        const processor::grant read = p.cpu.ask(at::shm);
        EXPECT_TRUE(read.granted && read.readable);
        EXPECT_FALSE(read.writable);
        const processor::grant write = p.cpu.ask(at::shm, tlm::TLM_WRITE_COMMAND);
        EXPECT_FALSE(write.granted);
        EXPECT_EQ(write.last, at::shm + 0xfff) << "refused for no more than the mapping";
    });
}

SC_TEST(SharedMemoryPointers, AreOfferedWhereThereIsMemory)
{
    holder_platform p;
    p.run([&] {
        std::uint32_t word = 0;
        payload tx(tlm::TLM_READ_COMMAND, at::shm + old_first, &word, 4);
        p.cpu.send(tx);
        EXPECT_TRUE(tx.is_dmi_allowed());
        tx.set_address(at::shm);
        p.cpu.send(tx);
        EXPECT_FALSE(tx.is_dmi_allowed());
    });
}

SC_TEST(SharedMemoryPointers, AreTakenBackBeforeAnUnmap)
{
    ROWS("H-42");
    holder_platform p;
    p.run([&] {
        p.hold();
        EXPECT_TRUE(p.dut.shm().unmap(0, old_first, p.old_memory.size()));
        p.expect_taken_back_once();
        EXPECT_EQ(p.peek(old_first), -1);
        EXPECT_FALSE(p.cpu.ask(at::shm + old_first).granted);
    });
}

SC_TEST(SharedMemoryPointers, AreTakenBackWholeWhenAPartIsUnmapped)
{
    ROWS("H-42", "H-43");
    holder_platform p;
    p.run([&] {
        p.hold();
        EXPECT_TRUE(p.dut.shm().unmap(0, 0x5000, 0x1000));
        p.expect_taken_back_once();
        EXPECT_EQ(p.peek(0x4fff), 0x11);
        EXPECT_EQ(p.peek(0x5000), -1);
        EXPECT_EQ(p.peek(0x5fff), -1);
        EXPECT_EQ(p.peek(0x6000), 0x11);
        EXPECT_EQ(p.cpu.ask(at::shm + 0x6000).pointer, p.old_memory.data() + 0x2000);
    });
}

SC_TEST(SharedMemoryPointers, StayWhenOnlyTheirSurroundingsAreUnmapped)
{
    holder_platform p;
    p.run([&] {
        p.hold();
        EXPECT_TRUE(p.dut.shm().unmap(0, 0, old_first));
        EXPECT_TRUE(p.dut.shm().unmap(0, old_last + 1, 0x1000));
        EXPECT_TRUE(p.cpu.invalidated.empty());
        EXPECT_EQ(p.peek(old_first), 0x11);
    });
}

SC_TEST(SharedMemoryPointers, ThatNobodyHoldsAreNotTakenBack)
{
    holder_platform p;
    p.run([&] {
        EXPECT_TRUE(p.dut.shm().unmap(0, old_first, 1));
        EXPECT_TRUE(p.cpu.invalidated.empty());
    });
}

SC_TEST(SharedMemoryPointers, AreTakenBackBeforeAnOverlapOfAll)
{
    ROWS("H-41", "H-42");
    overlap(0x3000, 0x8fff);
}

SC_TEST(SharedMemoryPointers, AreTakenBackBeforeAnExactOverlap)
{
    ROWS("H-41", "H-42");
    overlap(old_first, old_last);
}

SC_TEST(SharedMemoryPointers, AreTakenBackBeforeAnOverlapOnTheLeft)
{
    ROWS("H-41", "H-42");
    overlap(0x3000, 0x4fff);
}

SC_TEST(SharedMemoryPointers, AreTakenBackBeforeAnOverlapOnTheRight)
{
    ROWS("H-41", "H-42");
    overlap(0x7000, 0x8fff);
}

SC_TEST(SharedMemoryPointers, AreTakenBackBeforeAnOverlapInside)
{
    ROWS("H-41", "H-42");
    overlap(0x5000, 0x5fff);
}

SC_TEST(SharedMemoryPointers, AreTakenBackBeforeAnOverlapOfOneByteAtAnEnd)
{
    ROWS("H-41", "H-42");
    overlap(old_last, old_last);
}

SC_TEST(SharedMemoryPointers, AnOverlapOfSeveralMappingsTakesAllBackAtOnce)
{
    ROWS("H-41", "H-42");
    holder_platform p;
    p.run([&] {
        for (const std::uint64_t offset : {0x0, 0x1000, 0x2000})
            ASSERT_TRUE(p.dut.shm().map(0, offset, p.new_memory.data() + offset, 0x1000,
                                        rights::read_write, lifetime::permanent));
        p.hold();
        ASSERT_TRUE(p.cpu.ask(at::shm + 0x2000).granted);
        bytes newest(0x4000, 0x33);
        ASSERT_TRUE(p.dut.shm().map(0, 0x1800, newest.data(), newest.size(), rights::read_write,
                                    lifetime::permanent));
        EXPECT_EQ(p.cpu.invalidated, ranges({{at::shm + 0x2000, at::shm + old_last}}));
        EXPECT_EQ(p.peek(0x17ff), 0x22);
        EXPECT_EQ(p.peek(0x1800), 0x33);
        EXPECT_EQ(p.peek(0x57ff), 0x33);
        EXPECT_EQ(p.peek(0x5800), 0x11);
    });
}

SC_TEST(SharedMemoryPointers, AreTakenBackBeforeAMove)
{
    ROWS("H-42", "SHM-02");
    holder_platform p;
    p.run([&] {
        p.hold();
        const std::uint64_t away = 0x1000000;
        EXPECT_EQ(p.dut.shm().move_region(0, at::shm + away), VMMIO_ERROR_OK);
        p.expect_taken_back_once();
        EXPECT_EQ(p.peek(old_first), -1);
        EXPECT_EQ(p.peek(away + old_first), 0x11) << "the mapping went along";
        EXPECT_EQ(p.cpu.ask(at::shm + away + old_first).pointer, p.old_memory.data());
    });
}

SC_TEST(SharedMemoryPointers, StayWhenAMoveIsRefused)
{
    holder_platform p;
    p.dut.add_region(1, at::shm + 0x100000, 0x1000);
    p.run([&] {
        p.hold();
        EXPECT_NE(p.dut.shm().move_region(0, at::shm + 0x100000), VMMIO_ERROR_OK);
        EXPECT_NE(p.dut.shm().resize_region(0, 0), VMMIO_ERROR_OK);
        EXPECT_TRUE(p.cpu.invalidated.empty());
        EXPECT_EQ(p.peek(old_first), 0x11);
    });
}

SC_TEST(SharedMemoryPointers, AreTakenBackBeforeTheirRegionShrinks)
{
    ROWS("H-42");
    holder_platform p;
    p.run([&] {
        p.hold();
        EXPECT_EQ(p.dut.shm().resize_region(0, old_last + 1), VMMIO_ERROR_OK);
        EXPECT_TRUE(p.cpu.invalidated.empty()) << "that does not concern the mapping";
        EXPECT_EQ(p.dut.shm().resize_region(0, 0x5000), VMMIO_ERROR_OK);
        p.expect_taken_back_once();
        EXPECT_EQ(p.peek(0x4fff), 0x11);
        EXPECT_EQ(p.peek(0x5000), -1);
        EXPECT_EQ(p.dut.shm().resize_region(0, region_size), VMMIO_ERROR_OK);
        EXPECT_EQ(p.peek(0x5000), -1) << "what was cut off does not come back";
        EXPECT_EQ(p.cpu.ask(at::shm + old_first).last, at::shm + 0x4fff);
    });
}

SC_TEST(SharedMemoryPointers, AreTakenBackBeforeTheirRegionGoes)
{
    ROWS("H-42");
    holder_platform p;
    p.run([&] {
        p.hold();
        EXPECT_EQ(p.dut.shm().remove_region(0), VMMIO_ERROR_OK);
        p.expect_taken_back_once();
        EXPECT_EQ(p.peek(old_first), -1);
        EXPECT_EQ(p.dut.shm().add_region(0, at::shm, region_size), VMMIO_ERROR_OK);
        EXPECT_EQ(p.peek(old_first), -1) << "a new region is empty";
    });
}

SC_TEST(SharedMemoryPointers, AreTakenBackBeforeAResetIsDone)
{
    ROWS("H-42", "RST-01");
    holder_platform p;
    p.run([&] {
        p.guest.add_status(VMMIO_STATUS_ACKNOWLEDGE);
        p.map_old(lifetime::until_reset);
        p.hold();
        unsigned calls = 0;
        p.when_taken_back = [&] {
            std::uint32_t status = 0;
            p.cpu.peek(at::registers + VMMIO_REG_STATUS, &status, 4);
            EXPECT_EQ(status, 1u) << "Status must not read 0 yet";
            calls++;
        };
        p.guest.reset();
        EXPECT_EQ(calls, 1u);
        EXPECT_EQ(p.guest.status(), 0u);
        p.expect_taken_back_once();
        EXPECT_EQ(p.peek(old_first), -1) << "mappings end with a reset";
    });
}

SC_TEST(SharedMemoryPointers, AreTakenBackByAResetAlsoFromAMappingThatStays)
{
    ROWS("H-42", "PMEM-10");
    holder_platform p;
    p.run([&] {
        p.hold();
        p.guest.reset();
        p.expect_taken_back_once();
        EXPECT_EQ(p.peek(old_first), 0x11);
        EXPECT_EQ(p.cpu.ask(at::shm + old_first).pointer, p.old_memory.data());
    });
}

SC_TEST(SharedMemoryPointers, AreTakenBackFromEveryInitiatorAndEachTime)
{
    ROWS("H-42");
    holder_platform p;
    p.run([&] {
        for (std::size_t round = 1; round <= 3; round++) {
            ASSERT_TRUE(p.second.ask(at::shm + old_first).granted);
            p.held = p.cpu.ask(at::shm + old_first);
            p.guest.reset();
            EXPECT_EQ(p.cpu.invalidated.size(), round);
            EXPECT_EQ(p.second.invalidated.size(), round);
        }
    });
}

SC_TEST(SharedMemoryPointers, AskedForWhileBeingTakenBackAreRefused)
{
    ROWS("H-42");
    holder_platform p;
    p.run([&] {
        p.hold();
        p.when_taken_back = [&] { EXPECT_FALSE(p.cpu.ask(at::shm + old_first).granted); };
        EXPECT_TRUE(p.dut.shm().unmap(0, old_first, 0x1000));
        p.expect_taken_back_once();
        EXPECT_TRUE(p.cpu.ask(at::shm + old_last).granted);
    });
}

} // namespace vmmio::tb
