"""The legacy register layout of vmmio-qtest: Version 1, rings by page number."""

import struct
import unittest

import servers
import virtio
from rows import ROWS
from virtio import ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK, Device, Queue

GUEST_PAGE_SIZE, QUEUE_ALIGN, QUEUE_PFN = 0x028, 0x03C, 0x040
PAGE = 4096
ANY_LAYOUT = 1 << 27
RINGS = virtio.RAM + 0x100000
BUFFERS = virtio.RAM + 0x400000


class LegacyQueue(Queue):
    """The used ring is at the next `align` after the available one (2.7.2)."""

    def __init__(self, device, index, memory, size=8, align=PAGE):
        super().__init__(device, index, memory, size)
        self.align = align
        self.used = (self.driver + 6 + 2 * size + align - 1) & ~(align - 1)
        self.end = self.used + 6 + 8 * size

    def enable(self):
        self.bus.write(self.desc, bytes(self.end - self.desc))
        device = self.device
        device[virtio.QUEUE_SEL] = self.index
        device[virtio.QUEUE_SIZE] = self.size
        device[QUEUE_ALIGN] = self.align
        device[QUEUE_PFN] = self.desc // PAGE


class Legacy(unittest.TestCase):
    def start(self, *options, features=0, queues=1, align=PAGE):
        self.bus = servers.vmmio("--legacy", *options)
        self.addCleanup(self.bus.close)
        self.device = device = Device(self.bus)
        device[virtio.STATUS] = 0
        device[virtio.STATUS] = ACKNOWLEDGE
        device[virtio.STATUS] = ACKNOWLEDGE | DRIVER
        device[virtio.DRIVER_FEATURES_SEL] = 0
        device[virtio.DRIVER_FEATURES] = features
        device[GUEST_PAGE_SIZE] = PAGE
        self.queues = [LegacyQueue(device, i, RINGS + 0x10000 * i, 16, align)
                       for i in range(queues)]
        for queue in self.queues:
            queue.enable()
        device[virtio.STATUS] = ACKNOWLEDGE | DRIVER | DRIVER_OK

    def serve(self, *chain, queue=0):
        ring = self.queues[queue]
        head = ring.offer(*chain)
        ring.kick()
        (used, written), = ring.taken()
        self.assertEqual(used, head)
        return written

    @ROWS("MMIOL-01", "MMIOL-02", "MMIOL-11", "FEAT-L1", "RFB-L2")
    def test_what_it_is(self):
        self.start()
        self.assertEqual(self.device[virtio.VERSION], 1)
        self.assertEqual(self.device.offered(),
                         ANY_LAYOUT | virtio.F_INDIRECT_DESC | 1 << 29)
        for register in (virtio.QUEUE_READY, virtio.QUEUE_DESC, virtio.SHM_LEN, 0x0FC):
            self.assertEqual(self.device[register], 0)
        self.device[virtio.STATUS] = ACKNOWLEDGE | DRIVER | DRIVER_OK | FEATURES_OK
        self.assertEqual(self.device[virtio.STATUS], ACKNOWLEDGE | DRIVER | DRIVER_OK)

    @ROWS("MMIOL-03", "MMIOL-06", "MMIOL-07", "MMIOL-09", "MMIOL-12", "SPLIT-L1", "INIT-L1")
    def test_random_bytes(self):
        for align in (64, PAGE, 2 * PAGE):
            self.start("--seed", "1", align=align)
            self.assertEqual(self.device[QUEUE_PFN], RINGS // PAGE)
            self.assertEqual(self.serve((BUFFERS, 16, virtio.WRITE)), 16)
            # The first number of std::mt19937_64(1).
            self.assertEqual(self.bus.readq(BUFFERS), 2469588189546311528)
            self.device[virtio.STATUS] = 0
            self.assertEqual(self.device[QUEUE_PFN], 0)

    @ROWS("BLK-L1", "BLK-L3")
    def test_a_disk(self):
        self.start("--device", "blk", features=1 << 9)
        data = bytes(range(256)) * 2
        self.bus.write(BUFFERS, struct.pack("<IIQ", 1, 0, 5) + data)
        self.serve((BUFFERS, 16, 0), (BUFFERS + 16, 512, 0), (BUFFERS + 1024, 1, virtio.WRITE))
        self.bus.write(BUFFERS, struct.pack("<IIQ", 0, 0, 5) + bytes(512))
        written = self.serve((BUFFERS, 16, 0), (BUFFERS + 16, 512, virtio.WRITE),
                             (BUFFERS + 1024, 1, virtio.WRITE))
        self.assertEqual(written, 513)
        self.assertEqual(self.bus.read(BUFFERS + 16, 512), data)
        self.bus.write(BUFFERS, struct.pack("<IIQB", 5, 0, 0, 0xEE))
        self.serve((BUFFERS, 16, 0), (BUFFERS + 16, 1, virtio.WRITE))
        self.assertEqual(self.bus.readb(BUFFERS + 16), 0)

    @ROWS("NET-L2", "NET-L3")
    def test_a_frame(self):
        self.start("--device", "net", queues=2)
        for i in range(6):
            self.bus.writeb(virtio.DEVICE + virtio.CONFIG + i, 2 * i)
        frame = bytes([0, 2, 4, 6, 8, 10]) + bytes(range(94))
        self.bus.write(BUFFERS, bytes(10) + frame)
        self.queues[0].offer((BUFFERS + 4096, 1524, virtio.WRITE))
        self.queues[0].kick()
        self.serve((BUFFERS, 10, 0), (BUFFERS + 10, 100, 0), queue=1)
        (_, written), = self.queues[0].taken()
        self.assertEqual(written, 110)
        self.assertEqual(self.bus.read(BUFFERS + 4096, 110), bytes(10) + frame)

    @ROWS("H-21")
    def test_rings_that_cannot_be(self):
        self.start()
        device = self.device
        for page, align in ((0, PAGE), (3, PAGE), (PAGE, 0), (PAGE, 3)):
            device[virtio.STATUS] = 0
            device[GUEST_PAGE_SIZE] = page
            device[virtio.QUEUE_SIZE] = 8
            device[QUEUE_ALIGN] = align
            device[QUEUE_PFN] = RINGS // PAGE
            self.assertEqual(device[QUEUE_PFN], 0)

    @ROWS("FEAT-L4")
    def test_what_cannot_be_legacy(self):
        for options, message in [(("--device", "pmem"), "has no legacy interface"),
                                 (("--features", "100000000"), "bits 0 to 31")]:
            status, said = servers.run("--dut", servers.DUT, "--legacy", *options)
            self.assertEqual(status, 2)
            self.assertIn(message, said)
        with servers.vmmio("--legacy", "--features", "10000000") as bus:
            self.assertEqual(Device(bus).offered(), ANY_LAYOUT | virtio.F_INDIRECT_DESC)


if __name__ == "__main__":
    unittest.main()
