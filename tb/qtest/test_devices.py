"""The devices of vmmio-qtest: null, pmem and the reproducible entropy device."""

import struct
import unittest

import servers
import virtio
from rows import ROWS
from virtio import Device, Queue

RINGS = virtio.RAM + 0x1000
BUFFERS = virtio.RAM + 0x10000


class Driven(unittest.TestCase):
    """A device under test that was negotiated with."""

    def start(self, *options, features=virtio.F_VERSION_1, queues=1, size=8):
        self.bus = servers.vmmio(*options)
        self.addCleanup(self.bus.close)
        self.bus.command(f"irq_intercept_in {servers.ANY_PATH}")
        self.device = Device(self.bus)
        return self.restart(features, queues, size)

    def restart(self, features, queues, size=8):
        self.assertTrue(self.device.negotiate(features))
        started = [Queue(self.device, i, RINGS + 0x4000 * i, size) for i in range(queues)]
        for queue in started:
            queue.enable()
        self.device.drive()
        return started


class Null(Driven):
    def start(self, *options, **how):
        return super().start("--device", "null", *options, queues=2, **how)

    @ROWS("MMIO-QSEL-02", "SPLIT-10", "SPLIT-12", "SPLIT-35")
    def test_gives_every_chain_back_untouched(self):
        queues = self.start()
        self.assertEqual(self.device[virtio.DEVICE_ID], virtio.NULL)
        self.bus.command(f"memset {BUFFERS:#x} 0x1000 0x5a")
        for queue in queues:
            heads = [queue.offer((BUFFERS, 64, 0), (BUFFERS + 64, 1, virtio.WRITE)),
                     queue.offer((BUFFERS + 0x100, 0x100, virtio.WRITE)),
                     queue.offer((BUFFERS + 0x200, 16, 0), (BUFFERS + 0x300, 16, 0),
                                 (BUFFERS + 0x400, 0, virtio.WRITE))]
            table = self.bus.read(queue.desc, 16 * queue.size)
            queue.kick()
            self.assertEqual(queue.taken(), [(head, 0) for head in heads])
            self.assertEqual(self.bus.read(queue.desc, 16 * queue.size), table)
        self.assertEqual(self.bus.read(BUFFERS, 0x1000), b"\x5a" * 0x1000)

    @ROWS("MMIO-QNOTIFY-01", "DNOT-01")
    def test_a_kick_is_for_one_queue(self):
        first, second = self.start()
        first.offer((BUFFERS, 8, 0))
        second.offer((BUFFERS, 8, 0))
        second.kick()
        self.assertEqual(len(second.taken()), 1)
        self.assertEqual(first.taken(), [])
        first.kick()
        self.assertEqual(len(first.taken()), 1)

    @ROWS("MMIO-IRQ-01")
    def test_the_interrupt_comes_before_the_reply_of_the_kick(self):
        queue, _ = self.start()
        queue.offer((BUFFERS, 8, 0))
        address = virtio.DEVICE + virtio.QUEUE_NOTIFY
        self.bus.server.stdin.write(f"writel {address:#x} 0\nendianness\n".encode())
        self.bus.server.stdin.flush()
        lines = [self.bus.server.stdout.readline() for _ in range(3)]
        self.assertEqual(lines, [b"IRQ raise 47\n", b"OK\n", b"OK little\n"])

    @ROWS("SPLIT-30", "A-ACK")
    def test_the_interrupt_stays_up_until_it_is_acknowledged(self):
        queue, _ = self.start()
        for _ in range(3):
            queue.offer((BUFFERS, 8, 0))
            queue.kick()
        self.assertEqual(self.bus.taken_interrupts(), [("raise", virtio.INTERRUPT)])
        self.device[virtio.INTERRUPT_ACK] = virtio.USED_BUFFER
        queue.offer((BUFFERS, 8, 0))
        queue.kick()
        self.assertEqual(self.bus.taken_interrupts(),
                         [("lower", virtio.INTERRUPT), ("raise", virtio.INTERRUPT)])

    @ROWS("SPLIT-15", "SPLIT-22", "H-09")
    def test_indirect_tables(self):
        queue, _ = self.start(features=virtio.F_VERSION_1 | virtio.F_INDIRECT_DESC)
        table = BUFFERS + 0x800
        self.bus.write(table, struct.pack("<QIHHQIHH", BUFFERS, 8, virtio.NEXT, 1,
                                          BUFFERS + 8, 8, virtio.WRITE, 0))
        alone = queue.offer((table, 32, virtio.INDIRECT))
        mixed = queue.offer((BUFFERS + 16, 4, 0), (table, 32, virtio.INDIRECT))
        queue.kick()
        self.assertEqual(queue.taken(), [(alone, 0), (mixed, 0)])

    @ROWS("STAT-09", "STAT-10", "INIT-06", "A-QNOTIFY-EARLY", "H-39")
    def test_what_was_offered_early_is_served_at_driver_ok(self):
        self.start()
        self.assertTrue(self.device.negotiate(virtio.F_VERSION_1))
        queue = Queue(self.device, 0, RINGS)
        queue.enable()
        head = queue.offer((BUFFERS, 8, 0))
        queue.kick()
        self.assertEqual(queue.taken(), [])
        self.assertEqual(self.bus.taken_interrupts(), [])
        self.device.drive()
        self.assertEqual(queue.taken(), [(head, 0)])

    def test_a_full_ring_is_done_before_the_reply(self):
        queue, _ = self.start(size=256)
        heads = [queue.offer((BUFFERS, 8, 0)) for _ in range(256)]
        queue.kick()
        self.assertEqual(queue.taken(), [(head, 0) for head in heads])

    @ROWS("STAT-11", "STAT-12", "H-02")
    def test_a_bad_head_needs_a_reset(self):
        queue, _ = self.start()
        self.bus.writew(queue.driver + 4, queue.size)
        self.bus.writew(queue.driver + 2, 1)
        queue.kick()
        self.assertTrue(self.device[virtio.STATUS] & virtio.NEEDS_RESET)
        self.assertEqual(self.device[virtio.INTERRUPT_STATUS], virtio.CONFIG_CHANGE)
        queue, _ = self.restart(virtio.F_VERSION_1, 2)
        head = queue.offer((BUFFERS, 8, 0))
        queue.kick()
        self.assertEqual(queue.taken(), [(head, 0)])

    @ROWS("H-19", "H-60")
    def test_a_ring_where_nothing_is_needs_a_reset(self):
        self.start()
        self.assertTrue(self.device.negotiate(virtio.F_VERSION_1))
        queue = Queue(self.device, 0, 0x30000000000)
        queue.enable()
        self.device.drive()
        queue.kick()
        self.assertTrue(self.device[virtio.STATUS] & virtio.NEEDS_RESET)

    @ROWS("A-SHM-11", "H-46")
    def test_rings_in_shared_memory(self):
        self.start("--shm", "id=5,base=0x80000000,len=64k")
        self.assertTrue(self.device.negotiate(virtio.F_VERSION_1))
        queue = Queue(self.device, 0, 0x80000000)
        queue.enable()
        self.device.drive()
        head = queue.offer((0x80001000, 8, virtio.WRITE))
        queue.kick()
        self.assertEqual(queue.taken(), [(head, 0)])


class Entropy(Driven):
    def take(self, queue, length):
        """length random bytes from one request."""
        queue.offer((BUFFERS, length, virtio.WRITE))
        queue.kick()
        [(_, used)] = queue.taken()
        self.assertEqual(used, length)
        return self.bus.read(BUFFERS, length)

    def test_a_seed_gives_the_numbers_of_mt19937_64(self):
        """The C++ standard says what the 10,000th number of the default seed is."""
        [queue] = self.start("--seed", "5489")
        self.take(queue, 65536)
        last = self.take(queue, 80000 - 65536)[-8:]
        self.assertEqual(int.from_bytes(last, "little"), 9981545732273789042)

    def test_the_seed_alone_decides(self):
        got = [self.take(*self.start("--seed", seed), 64) for seed in ("7", "7", "8")]
        self.assertEqual(got[0], got[1])
        self.assertNotEqual(got[0], got[2])

    def test_without_a_seed_bytes_do_not_repeat(self):
        self.assertNotEqual(self.take(*self.start(), 64), self.take(*self.start(), 64))

    @ROWS("RNG-05", "H-54")
    def test_one_request_gets_no_more_than_the_cap(self):
        [queue] = self.start("--seed", "1")
        queue.offer((BUFFERS, 0x20000, virtio.WRITE))
        queue.kick()
        self.assertEqual([length for _, length in queue.taken()], [65536])
        self.assertEqual(self.bus.read(BUFFERS + 65536, 65536), bytes(65536))

    @ROWS("H-12", "STAT-11")
    def test_a_buffer_where_nothing_is_needs_a_reset(self):
        [queue] = self.start()
        queue.offer((0x30000000000, 16, virtio.WRITE))
        queue.kick()
        self.assertTrue(self.device[virtio.STATUS] & virtio.NEEDS_RESET)

    @ROWS("H-35")
    def test_a_buffer_over_its_own_registers_does_no_harm(self):
        for offset in (virtio.QUEUE_NOTIFY, virtio.STATUS, virtio.QUEUE_READY):
            [queue] = self.start("--seed", "3")
            queue.offer((virtio.DEVICE + offset, 4, virtio.WRITE))
            queue.kick()
            self.device[virtio.STATUS] = 0
            self.assertEqual(self.device[virtio.STATUS], 0)
            self.assertEqual(len(self.take(*self.restart(virtio.F_VERSION_1, 1), 16)), 16)


class Pmem(Driven):
    BASE, LENGTH = 0x100000000, 16 << 20
    BOTH = virtio.F_VERSION_1 | virtio.PMEM_F_SHMEM_REGION

    def start(self, *options, features=BOTH, **how):
        [queue] = super().start("--device", "pmem", *options, features=features, **how)
        return queue

    def flush(self, queue, request=struct.pack("<I", 0), room=4):
        """Sends a request; gives the used length and the 8 bytes at the response's place."""
        self.bus.write(BUFFERS, request + bytes(64))
        self.bus.command(f"memset {BUFFERS + 0x100:#x} 8 0xee")
        queue.offer((BUFFERS, len(request), 0), (BUFFERS + 0x100, room, virtio.WRITE))
        queue.kick()
        [(_, length)] = queue.taken()
        return length, self.bus.read(BUFFERS + 0x100, 8)

    @ROWS("PMEM-01", "PMEM-06", "PMEM-08")
    def test_answers_a_flush(self):
        queue = self.start()
        self.assertEqual(self.device[virtio.DEVICE_ID], virtio.PMEM)
        self.assertEqual(self.flush(queue), (4, bytes(4) + b"\xee" * 4))

    @ROWS("PMEM-09", "H-55")
    def test_answers_minus_one_to_what_is_no_flush(self):
        queue = self.start()
        minus_one = (4, b"\xff" * 4 + b"\xee" * 4)
        self.assertEqual(self.flush(queue, struct.pack("<I", 1)), minus_one)
        self.assertEqual(self.flush(queue, b"\0\0\0"), minus_one)

    @ROWS("PMEM-09", "H-14", "H-55")
    def test_writes_no_answer_where_there_is_no_room(self):
        queue = self.start()
        self.assertEqual(self.flush(queue, room=3), (0, b"\xee" * 8))

    @ROWS("PMEM-02", "MMIO-SHM-02", "MMIO-SHM-04", "A-SHM-8")
    def test_the_range_is_region_0_from_power_up(self):
        self.start()
        self.device[virtio.STATUS] = 0
        self.assertEqual(self.device.region(0), (self.BASE, self.LENGTH))

    @ROWS("PMEM-03", "PMEM-04", "CFG-07")
    def test_start_and_size_read_0_while_the_feature_is_negotiated(self):
        self.start()
        start, size = virtio.CONFIG, virtio.CONFIG + 8
        self.assertEqual((self.device.wide(start), self.device.wide(size)), (0, 0))
        self.device[virtio.STATUS] = 0
        self.assertEqual((self.device.wide(start), self.device.wide(size)),
                         (self.BASE, self.LENGTH))
        self.restart(virtio.F_VERSION_1, 1)
        self.assertEqual((self.device.wide(start), self.device.wide(size)),
                         (self.BASE, self.LENGTH))

    @ROWS("PMEM-04")
    def test_follows_the_region_it_is_given(self):
        self.start("--shm", "id=0,base=0x80000000,len=2M")
        self.assertEqual(self.device.region(0), (0x80000000, 2 << 20))
        self.device[virtio.STATUS] = 0
        self.assertEqual(self.device.wide(virtio.CONFIG), 0x80000000)
        self.assertEqual(self.device.wide(virtio.CONFIG + 8), 2 << 20)

    @ROWS("PMEM-10", "PMEM-07", "A-SHM-10")
    def test_the_range_is_memory_that_survives_a_reset(self):
        queue = self.start()
        text = b"all the bytes of the range" * 1000
        self.bus.write(self.BASE + 12345, text)
        self.bus.writel(self.BASE + self.LENGTH - 4, 0x12345678)
        self.assertEqual(self.flush(queue)[0], 4)
        self.device[virtio.STATUS] = 0
        self.assertEqual(self.bus.read(self.BASE + 12345, len(text)), text)
        self.assertEqual(self.bus.readq(self.BASE + self.LENGTH - 4), 0x12345678)

    @ROWS("FEAT-04", "PMEM-04")
    @servers.any_features
    def test_without_the_feature_it_is_not_accepted(self):
        self.start("--features", "100000000", features=virtio.F_VERSION_1)
        self.assertEqual(self.device.offered(), virtio.F_VERSION_1)
        self.assertEqual(self.device.wide(virtio.CONFIG), self.BASE)
        self.assertFalse(self.device.negotiate(self.BOTH))


class Regions(unittest.TestCase):
    REGIONS = {3: (0x80000000, 0x1000), 200: (0x800000000, 0x300000), 255: (0x90000000, 12)}

    def setUp(self):
        options = [word for shm_id, (base, length) in self.REGIONS.items()
                   for word in ("--shm", f"id={shm_id},base={base:#x},len={length}")]
        self.bus = servers.vmmio("--device", "null", *options)
        self.addCleanup(self.bus.close)
        self.device = Device(self.bus)

    @ROWS("MMIO-SHM-01", "MMIO-SHM-02", "MMIO-SHM-04", "A-SHM-2")
    def test_are_found_by_their_ids(self):
        for shm_id, region in self.REGIONS.items():
            self.assertEqual(self.device.region(shm_id), region)

    @ROWS("MMIO-SHM-03", "MMIO-SHM-05", "MMIO-SHM-06", "A-SHM-1", "H-44")
    def test_other_ids_read_all_ones(self):
        for shm_id in (0, 1, 2, 4, 201, 254, 256, 3 + 256, 3 + 2**16, 2**31 + 3, 2**32 - 1):
            self.assertEqual(self.device.region(shm_id), (2**64 - 1, 2**64 - 1), shm_id)

    def test_have_memory_of_their_own(self):
        for shm_id, (base, length) in self.REGIONS.items():
            self.bus.command(f"memset {base:#x} {length} {shm_id}")
        for shm_id, (base, length) in self.REGIONS.items():
            self.assertEqual(self.bus.read(base, length), bytes([shm_id]) * length)
            self.assertEqual(self.bus.readb(base - 1), 0)
            self.assertEqual(self.bus.readb(base + length), 0)

    def test_an_access_may_end_behind_a_region(self):
        base, length = self.REGIONS[255]
        self.bus.command(f"memset {base - 4:#x} {length + 8} 0x5a")
        self.assertEqual(self.bus.read(base - 4, length + 8),
                         bytes(4) + b"\x5a" * length + bytes(4))


if __name__ == "__main__":
    unittest.main()
