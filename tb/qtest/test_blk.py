"""The block device of vmmio-qtest, a disk in RAM."""

import struct
import unittest

import servers
import virtio
from rows import ROWS
from virtio import Device, Queue

RINGS = virtio.RAM + 0x1000
BUFFERS = virtio.RAM + 0x100000

IN, OUT, FLUSH, GET_ID, DISCARD, WRITE_ZEROES = 0, 1, 4, 8, 11, 13
OK, IOERR, UNSUPP = 0, 1, 2
SIZE_MAX, SEG_MAX, RO, BLK_SIZE, F_FLUSH = 1 << 1, 1 << 2, 1 << 5, 1 << 6, 1 << 9
TOPOLOGY, CONFIG_WCE, MQ = 1 << 10, 1 << 11, 1 << 12
F_DISCARD, F_WRITE_ZEROES = 1 << 13, 1 << 14
USUAL = (SIZE_MAX | SEG_MAX | BLK_SIZE | F_FLUSH | TOPOLOGY | CONFIG_WCE | MQ | F_DISCARD |
         F_WRITE_ZEROES)
SECTOR = 512
UNTOUCHED = 0xEE


class Block(unittest.TestCase):
    def start(self, *options, features=USUAL, queues=1):
        self.bus = servers.vmmio("--device", "blk", *options)
        self.addCleanup(self.bus.close)
        self.device = Device(self.bus)
        self.assertTrue(self.device.negotiate(features | virtio.F_VERSION_1))
        self.queues = [Queue(self.device, i, RINGS + 0x4000 * i, 16) for i in range(queues)]
        for queue in self.queues:
            queue.enable()
        self.device.drive()

    def ask(self, kind, sector=0, out=b"", length=0, queue=0):
        """Status, used length and bytes of a request with a descriptor for each of its parts."""
        at = BUFFERS
        header = struct.pack("<IIQ", kind, 0, sector)
        self.bus.write(at, header + out)
        chain = [(at, len(header), 0)]
        if out:
            chain.append((at + len(header), len(out), 0))
        at += 0x20000
        self.bus.write(at, bytes([UNTOUCHED]) * (length + 1))
        if length:
            chain.append((at, length, virtio.WRITE))
        chain.append((at + length, 1, virtio.WRITE))
        ring = self.queues[queue]
        head = ring.offer(*chain)
        ring.kick()
        (used, written), = ring.taken()
        self.assertEqual(used, head)
        data = self.bus.read(at, length + 1)
        return data[-1], written, data[:-1]

    def field(self, offset, width):
        return int.from_bytes(self.bus.read(virtio.DEVICE + virtio.CONFIG + offset, width),
                              "little")

    @ROWS("BLK-01", "BLK-02", "BLK-04", "BLK-06", "BLK-12")
    def test_what_it_is(self):
        self.start("--disk", "3k")
        self.assertEqual(self.device[virtio.DEVICE_ID], virtio.BLOCK)
        self.assertEqual(self.device.offered() & 0xFFFFFF, USUAL)
        self.assertEqual(self.field(0, 8), 6)
        self.assertEqual(self.field(20, 4), SECTOR)
        self.assertEqual(self.field(34, 2), 2)

    @ROWS("BLK-22", "BLK-23", "BLK-27", "SPLIT-37")
    def test_writes_and_reads(self):
        self.start()
        data = bytes(range(256)) * 4
        self.assertEqual(self.ask(OUT, 7, data), (OK, 1, b""))
        self.assertEqual(self.ask(IN, 7, length=1024), (OK, 1025, data))
        self.assertEqual(self.ask(IN, 6, length=1024), (OK, 1025, bytes(SECTOR) + data[:SECTOR]))

    @ROWS("BLK-22", "BLK-25", "BLK-28")
    def test_the_other_requests(self):
        self.start()
        self.assertEqual(self.ask(FLUSH), (OK, 1, b""))
        self.assertEqual(self.ask(GET_ID, length=20), (OK, 21, b"vmmio-qtest".ljust(20, b"\0")))
        self.assertEqual(self.ask(99)[0], UNSUPP)

    @ROWS("BLK-24", "BLK-32", "BLK-33", "BLK-34")
    def test_discard_and_write_zeroes(self):
        self.start()
        self.ask(OUT, 0, b"\xaa" * 4 * SECTOR)
        self.assertEqual(self.ask(WRITE_ZEROES, 0, struct.pack("<QII", 1, 2, 0)), (OK, 1, b""))
        self.assertEqual(self.ask(IN, 0, length=4 * SECTOR)[2],
                         b"\xaa" * SECTOR + bytes(2 * SECTOR) + b"\xaa" * SECTOR)
        self.assertEqual(self.ask(DISCARD, 0, struct.pack("<QII", 0, 4, 0))[0], OK)
        self.assertEqual(self.ask(DISCARD, 0, struct.pack("<QII", 0, 4, 1))[0], UNSUPP)
        self.assertEqual(self.ask(WRITE_ZEROES, 0, struct.pack("<QII", 0, 4, 2))[0], UNSUPP)

    @ROWS("BLK-29", "H-49")
    def test_beyond_the_end(self):
        self.start("--disk", "4k")
        self.assertEqual(self.ask(IN, 7, length=SECTOR)[0], OK)
        for sector, sectors in [(8, 1), (7, 2), (1 << 55, 1), (0xFFFFFFFFFFFFFFFF, 1)]:
            status, written, data = self.ask(IN, sector, length=sectors * SECTOR)
            self.assertEqual((status, written), (IOERR, 0))
            self.assertEqual(data, bytes([UNTOUCHED]) * sectors * SECTOR)
            self.assertEqual(self.ask(OUT, sector, bytes(sectors * SECTOR))[0], IOERR)

    @ROWS("BLK-07", "BLK-31")
    def test_read_only(self):
        self.start("--read-only", features=RO)
        self.assertEqual(self.ask(OUT, 0, b"x" * SECTOR)[0], IOERR)
        self.assertEqual(self.ask(IN, 0, length=SECTOR), (OK, SECTOR + 1, bytes(SECTOR)))

    @ROWS("BLK-01")
    def test_two_queues(self):
        self.start(queues=2)
        self.assertEqual(self.ask(OUT, 3, b"q" * SECTOR, queue=1)[0], OK)
        self.assertEqual(self.ask(IN, 3, length=SECTOR, queue=0)[2], b"q" * SECTOR)

    @ROWS("FEAT-02")
    @servers.any_features
    def test_features_can_be_held_back(self):
        with servers.vmmio("--device", "blk", "--features", "100000204") as bus:
            self.assertEqual(Device(bus).offered(), virtio.F_VERSION_1 | SEG_MAX | F_FLUSH)

    def test_a_size_that_cannot_be(self):
        status, said = servers.run("--dut", servers.DUT, "--device", "blk", "--disk", "1000")
        self.assertEqual(status, 2)
        self.assertIn("no multiple of 512", said)


if __name__ == "__main__":
    unittest.main()
