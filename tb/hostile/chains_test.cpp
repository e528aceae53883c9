/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptor chains that no honest driver makes. */
#include "victim.h"

namespace vmmio::tb
{
namespace
{

class chains : public victim
{
protected:
    /* A table of n entries in RAM that the device may read. */
    uint64_t table(uint32_t entries)
    {
        const uint64_t at = r->alloc(16ull * entries);
        r->memory.name(at, 16ull * entries, may_read);
        return at;
    }
    void entry(uint64_t at, uint32_t i, uint64_t address, uint32_t length, unsigned flags,
               unsigned next)
    {
        r->memory.store64(at + 16ull * i, address);
        r->memory.store32(at + 16ull * i + 8, length);
        r->memory.store16(at + 16ull * i + 12, static_cast<uint16_t>(flags));
        r->memory.store16(at + 16ull * i + 14, static_cast<uint16_t>(next));
    }
    uint64_t buffer(uint32_t length, unsigned rights = may_write)
    {
        const uint64_t at = r->alloc(length);
        r->memory.name(at, length, rights);
        return at;
    }
};

INSTANTIATE_TEST_SUITE_P(memory, chains, every_dma_mode(), dma_mode_name);

TEST_P(chains, H_01_loops_end_and_are_fatal)
{
    ROWS("H-01", "SPLIT-09", "SPLIT-13", "A-RING-BADDESC");
    const uint64_t at = r->alloc(8);
    for (const uint16_t back : {0, 1, 7, 15}) { /* 0 -> 1 -> ... -> 15 -> back */
        for (uint32_t i = 0; i < queue_size; i++)
            q().set_desc(i, at, 8, next_flag | write_flag, i + 1 < queue_size ? i + 1 : back);
        attack(0);
        expect_fatal(VMMIO_DIAG_RING_LOOP);
    }
    q().set_desc(3, at, 8, next_flag | write_flag, 3);
    attack(3);
    expect_fatal(VMMIO_DIAG_RING_LOOP);
}

TEST_P(chains, H_01_loops_of_empty_descriptors_end)
{
    ROWS("H-01", "H-11");
    q().set_desc(0, 0, 0, next_flag, 1);
    q().set_desc(1, 0, 0, next_flag, 0);
    attack(0);
    expect_fatal(VMMIO_DIAG_RING_LOOP);
}

TEST_P(chains, H_01_loops_in_a_table_end)
{
    ROWS("H-01", "SPLIT-18");
    const uint64_t at = table(2);
    entry(at, 0, r->alloc(8), 8, next_flag | write_flag, 1);
    entry(at, 1, r->alloc(8), 8, next_flag | write_flag, 0);
    q().set_desc(0, at, 32, indirect_flag, 0);
    attack(0);
    expect_fatal(VMMIO_DIAG_RING_LOOP);
}

TEST_P(chains, H_02_heads_outside_the_table)
{
    ROWS("H-02", "A-RING-BADDESC");
    for (const uint16_t head : {16, 17, 256, 0x7fff, 0x8000, 0xffff}) {
        attack(head);
        expect_fatal(VMMIO_DIAG_RING_HEAD);
    }
}

TEST_P(chains, H_03_next_outside_the_table)
{
    ROWS("H-03", "A-RING-BADDESC");
    for (const unsigned next : {16u, 255u, 0x8000u, 0xffffu}) {
        q().set_desc(0, r->alloc(8), 8, next_flag | write_flag, next);
        attack(0);
        expect_fatal(VMMIO_DIAG_RING_NEXT);
    }
}

TEST_P(chains, H_04_longer_than_the_queue)
{
    ROWS("H-04", "SPLIT-05", "SPLIT-18");
    for (const uint32_t entries : {queue_size + 1, 1000u, 32768u}) {
        const uint64_t at = table(entries), out = r->alloc(8);
        for (uint32_t i = 0; i < entries; i++)
            entry(at, i, out, 8, i + 1 < entries ? next_flag | write_flag : write_flag, i + 1);
        q().set_desc(0, at, 16 * entries, indirect_flag, 0);
        attack(0);
        expect_fatal(VMMIO_DIAG_RING_LOOP);
    }
}

TEST_P(chains, H_04_more_than_4_gib_in_all)
{
    ROWS("H-04", "SPLIT-13", "A-RING-TOTAL");
    q().set_desc(0, ram_base, 0xffffffff, next_flag | write_flag, 1);
    q().set_desc(1, ram_base, 1, write_flag, 0);
    attack(0);
    expect_fatal(VMMIO_DIAG_RING_TOTAL);
    q().set_desc(0, ram_base, 0x80000000, next_flag, 1);
    q().set_desc(1, ram_base, 0x80000000, write_flag, 0);
    attack(0);
    expect_fatal(VMMIO_DIAG_RING_TOTAL);
}

TEST_P(chains, H_05_next_outside_the_indirect_table)
{
    ROWS("H-05", "SPLIT-15");
    for (const unsigned next : {2u, 3u, 15u, 0xffffu}) { /* some are inside the queue's own */
        const uint64_t at = table(2);
        entry(at, 0, r->alloc(8), 8, next_flag | write_flag, next);
        q().set_desc(0, at, 32, indirect_flag, 0);
        attack(0);
        expect_fatal(VMMIO_DIAG_RING_NEXT);
    }
}

TEST_P(chains, H_06_impossible_table_sizes)
{
    ROWS("H-06", "A-RING-INDIR-LEN");
    for (const uint32_t length : {0u, 1u, 15u, 17u, 31u, 32769u * 16, 0xfffffff0u, 0xffffffffu}) {
        q().set_desc(0, r->alloc(16), length, indirect_flag, 0);
        attack(0);
        expect_fatal(VMMIO_DIAG_INDIRECT_SIZE);
    }
}

TEST_P(chains, H_06_impossible_table_addresses)
{
    ROWS("H-06", "A-RING-BADDESC");
    q().set_desc(0, UINT64_MAX - 30, 32, indirect_flag, 0);
    attack(0);
    expect_fatal(VMMIO_DIAG_RING_ADDRESS);
    r->memory.judge(false); /* it has to look to find out */
    q().set_desc(0, 0xdead0000, 32, indirect_flag, 0);
    attack(0);
    expect_fatal(VMMIO_DIAG_RING_DMA);
    q().set_desc(0, ram_base + ram_size - 8, 16, indirect_flag, 0);
    attack(0);
    expect_fatal(VMMIO_DIAG_RING_DMA);
}

TEST_P(chains, H_06_an_unaligned_table_works)
{
    ROWS("H-06");
    const uint64_t at = table(2) + 3;
    r->memory.name(at, 16, may_read);
    entry(at, 0, buffer(8), 8, write_flag, 0);
    q().set_desc(0, at, 16, indirect_flag, 0);
    attack(0);
    expect_served(8);
}

TEST_P(chains, H_07_tables_in_tables)
{
    ROWS("H-07", "SPLIT-17");
    const uint64_t outer = table(1), inner = table(1);
    entry(inner, 0, r->alloc(8), 8, write_flag, 0);
    entry(outer, 0, inner, 16, indirect_flag, 0);
    q().set_desc(0, outer, 16, indirect_flag, 0);
    attack(0);
    expect_fatal(VMMIO_DIAG_INDIRECT_NESTED);
    r->memory.name(outer, 16, may_read);
    entry(outer, 0, outer, 16, indirect_flag, 0); /* itself */
    q().set_desc(0, outer, 16, indirect_flag, 0);
    attack(0);
    expect_fatal(VMMIO_DIAG_INDIRECT_NESTED);
}

TEST_P(chains, H_07_tables_that_were_not_negotiated)
{
    ROWS("H-07", "SPLIT-16");
    live(false);
    q().set_desc(0, ram_base + 0x100000, 16, indirect_flag, 0); /* not named: not even read */
    attack(0);
    expect_fatal(VMMIO_DIAG_INDIRECT_REFUSED);
}

TEST_P(chains, H_08_a_table_and_a_successor)
{
    ROWS("H-08", "SPLIT-19");
    q().set_desc(0, ram_base + 0x100000, 16, indirect_flag | next_flag, 1);
    q().set_desc(1, r->alloc(8), 8, write_flag, 0);
    attack(0);
    expect_fatal(VMMIO_DIAG_INDIRECT_NEXT);
}

TEST_P(chains, H_09_a_chain_that_ends_in_a_table_is_legal)
{
    ROWS("H-09", "SPLIT-22");
    const uint64_t at = table(1), in = r->alloc(8), out = buffer(8);
    entry(at, 0, out, 8, write_flag, 0);
    q().set_desc(0, in, 8, next_flag, 1);
    q().set_desc(1, at, 16, indirect_flag | write_flag, 0);
    attack(0);
    expect_served(8);
    EXPECT_EQ(r->memory.bytes(out, 8), std::vector<uint8_t>(8, 1));
}

TEST_P(chains, H_10_readable_after_writable)
{
    ROWS("H-10", "SPLIT-06", "A-RING-ORDER");
    const uint64_t out = r->alloc(8), in = r->alloc(8);
    for (const uint32_t length : {8u, 0u}) {
        q().set_desc(0, out, length, next_flag | write_flag, 1);
        q().set_desc(1, in, 8, 0, 0);
        attack(0);
        expect_fatal(VMMIO_DIAG_RING_ORDER);
    }
    EXPECT_EQ(r->memory.bytes(in, 8), std::vector<uint8_t>(8, 0));
    EXPECT_EQ(r->memory.bytes(out, 8), std::vector<uint8_t>(8, 0));
}

TEST_P(chains, H_11_nothing_but_empty_descriptors)
{
    ROWS("H-11", "A-RING-ZEROLEN");
    for (uint32_t i = 0; i < queue_size; i++)
        q().set_desc(i, UINT64_MAX, 0, i + 1 < queue_size ? next_flag : 0, i + 1);
    attack(0);
    expect_served(0);
}

TEST_P(chains, H_12_buffers_that_wrap)
{
    ROWS("H-12");
    q().set_desc(0, UINT64_MAX - 6, 8, write_flag, 0);
    attack(0);
    expect_fatal(VMMIO_DIAG_RING_ADDRESS);
}

TEST_P(chains, H_12_buffers_in_holes_and_in_rom)
{
    ROWS("H-12", "A-RING-BADDESC");
    const uint64_t rom = 0x10000, end = ram_base + ram_size;
    r->memory.add_ram(rom, 4096, false);
    r->memory.judge(false);
    for (const uint64_t address : {uint64_t{0xdead0000}, rom, end, UINT64_MAX - 63}) {
        q().set_desc(0, address, 64, write_flag, 0);
        attack(0);
        expect_fatal(VMMIO_DIAG_BUFFER_DMA);
    }
    EXPECT_EQ(r->memory.bytes(rom, 4096), std::vector<uint8_t>(4096, 0));
    q().set_desc(0, end - 32, 64, write_flag, 0); /* half of it is RAM */
    attack(0);
    expect_fatal(VMMIO_DIAG_BUFFER_DMA);
}

TEST_P(chains, H_12_a_buffer_over_two_memories_is_no_error_of_the_device)
{
    ROWS("H-12");
    const uint64_t border = 0x90000000;
    r->memory.add_ram(border - 4096, 4096);
    r->memory.add_ram(border, 4096);
    r->memory.name(border - 32, 32, may_write);
    r->memory.name(border, 32, may_write);
    q().set_desc(0, border - 32, 32, write_flag | next_flag, 1);
    q().set_desc(1, border, 32, write_flag, 0);
    attack(0);
    expect_served(64);
    EXPECT_EQ(r->memory.bytes(border, 32), std::vector<uint8_t>(32, 1));
}

TEST_P(chains, H_13_readable_memory_is_never_written)
{
    ROWS("H-13", "SPLIT-10");
    const uint64_t in = buffer(64, may_read);
    q().set_desc(0, in, 64, 0, 0);
    attack(0);
    expect_served(0);
    EXPECT_EQ(r->memory.bytes(in, 64), std::vector<uint8_t>(64, 0));
}

TEST_P(chains, H_14_more_than_fits_is_not_written)
{
    ROWS("H-14");
    function.on_request = [](vmmio_request *request) {
        uint8_t data[16] = {1, 2, 3, 4, 5, 6, 7, 8};
        EXPECT_FALSE(vmmio_request_write(request, 0, data, 9));
        EXPECT_FALSE(vmmio_request_write(request, 9, data, 0));
        EXPECT_FALSE(vmmio_request_write(request, 4, data, 5));
        EXPECT_FALSE(vmmio_request_write(request, 0xffffffff, data, 2));
        EXPECT_FALSE(vmmio_request_read(request, 0, data, 5));
        EXPECT_FALSE(vmmio_request_read(request, 0xfffffffe, data, 4));
        EXPECT_TRUE(vmmio_request_write(request, 8, data, 0));
        EXPECT_TRUE(vmmio_request_read(request, 0, data, 4));
        vmmio_request_complete(request, 0);
    };
    const uint64_t in = buffer(4, may_read), out = buffer(8);
    q().set_desc(0, in, 4, next_flag, 1);
    q().set_desc(1, out, 8, write_flag, 0);
    attack(0);
    expect_served(0);
    EXPECT_EQ(r->memory.bytes(out, 8), std::vector<uint8_t>(8, 0));
}

TEST_P(chains, H_17_the_same_head_twice)
{
    ROWS("H-17");
    function.hold();
    const uint64_t out = buffer(8);
    q().set_desc(0, out, 8, write_flag, 0);
    q().queue(0);
    q().queue(0);
    attack(0);
    ASSERT_EQ(function.held.size(), 3u);
    for (vmmio_request *request : function.held)
        vmmio_request_complete(request, 0);
    EXPECT_EQ(q().used_idx(), 3u) << "each one is given back once";
    EXPECT_EQ(r->guest.status(), 0x0fu);
}

TEST_P(chains, H_46_a_buffer_in_a_shared_memory_region)
{
    ROWS("H-46", "A-SHM-11");
    const uint64_t window = 0x200000000;
    r->memory.add_ram(window, 4096);
    const vmmio_shm_region region = {0, window, 4096};
    ASSERT_EQ(vmmio_shm_add(vmmio_device_shm(&r->device), &region), VMMIO_ERROR_OK);
    r->memory.name(window + 100, 64, may_write);
    q().set_desc(0, window + 100, 64, write_flag, 0);
    attack(0);
    expect_served(64);
    EXPECT_EQ(r->memory.bytes(window + 100, 64), std::vector<uint8_t>(64, 1));
}

} // namespace
} // namespace vmmio::tb
