"""Packed rings through the program, as a script uses them."""

import unittest

import servers
import virtio
from rows import ROWS
from virtio import Device, PackedQueue

BUFFERS = virtio.RAM + 0x10000
QUEUE = virtio.RAM + 0x1000


class Packed(unittest.TestCase):
    def start(self, words, features, size=7):
        self.bus = servers.vmmio("--device", "entropy", "--rings", words)
        self.addCleanup(self.bus.close)
        self.device = Device(self.bus)
        self.assertTrue(self.device.negotiate(virtio.F_VERSION_1 | features))
        queue = PackedQueue(self.device, 0, QUEUE, size)
        self.assertTrue(queue.enable())
        self.device.drive()
        return queue

    @ROWS("PACK-01", "PACK-03", "PACK-12", "RNG-04")
    def test_laps_of_lists(self):
        queue = self.start("packed", virtio.F_RING_PACKED)
        for lap in range(20):
            self.bus.write(BUFFERS, bytes(64))
            name = queue.offer(*((BUFFERS + 16 * i, 16, virtio.WRITE) for i in range(3)))
            queue.kick()
            self.assertEqual(queue.taken(), [(name, 48)], lap)
            data = self.bus.read(BUFFERS, 64)
            self.assertNotEqual(data[:48], bytes(48))
            self.assertEqual(data[48:], bytes(16))
            self.assertEqual(self.device[virtio.INTERRUPT_STATUS], virtio.USED_BUFFER)
            self.device[virtio.INTERRUPT_ACK] = virtio.USED_BUFFER

    @ROWS("PACK-14", "PACK-16")
    def test_indirect(self):
        queue = self.start("packed+indirect", virtio.F_RING_PACKED | virtio.F_INDIRECT_DESC)
        table = BUFFERS + 0x1000
        for i in range(2):
            self.bus.writeq(table + 16 * i, BUFFERS + 16 * i)
            self.bus.writeq(table + 16 * i + 8, 16 | virtio.WRITE << 48)
        before = self.bus.read(table, 32)
        name = queue.offer((table, 32, virtio.INDIRECT))
        queue.kick()
        self.assertEqual(queue.taken(), [(name, 32)])
        self.assertEqual(self.bus.read(table, 32), before)

    @ROWS("PACK-36", "STAT-11")
    def test_a_list_without_its_end(self):
        queue = self.start("packed", virtio.F_RING_PACKED)
        queue.offer((BUFFERS, 16, virtio.WRITE | virtio.NEXT))
        queue.kick()
        self.assertTrue(self.device[virtio.STATUS] & virtio.NEEDS_RESET)


if __name__ == "__main__":
    unittest.main()
