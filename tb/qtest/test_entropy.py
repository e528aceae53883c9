"""What the specification says of any entropy device, ours or QEMU's."""

import unittest

import servers
import virtio
from rows import ROWS
from virtio import Device, Queue

BUFFERS = virtio.RAM + 0x10000
QUEUE = virtio.RAM + 0x1000


class Entropy(unittest.TestCase):
    def setUp(self):
        self.bus, path = servers.entropy()
        self.addCleanup(self.bus.close)
        self.bus.command(f"irq_intercept_in {path}")
        self.device = Device(self.bus)

    def start(self, size=8):
        self.assertTrue(self.device.negotiate(virtio.F_VERSION_1))
        queue = Queue(self.device, 0, QUEUE, size)
        queue.enable()
        self.device.drive()
        self.bus.taken_interrupts()
        return queue

    @ROWS("MMIO-MAGIC-01", "MMIO-VERSION-01", "MMIO-DEVID-01", "RNG-01", "STAT-01")
    def test_is_found_in_the_highest_slot(self):
        self.assertEqual(self.device[virtio.MAGIC_VALUE], 0x74726976)
        self.assertEqual(self.device[virtio.VERSION], 2)
        self.assertEqual(self.device[virtio.DEVICE_ID], virtio.ENTROPY)
        self.assertEqual(self.device[virtio.STATUS], 0)

    @ROWS("RNG-01", "MMIO-QSEL-02")
    def test_has_one_queue(self):
        for index, there in [(0, True), (1, False), (2, False)]:
            self.device[virtio.QUEUE_SEL] = index
            self.assertEqual(self.device[virtio.QUEUE_SIZE_MAX] > 0, there, index)

    @ROWS("MMIO-DEVFEAT-01", "RFB-06", "RNG-01")
    def test_offers_version_1_and_nothing_of_its_own(self):
        offered = self.device.offered()
        self.assertTrue(offered & virtio.F_VERSION_1)
        self.assertEqual(offered & 0xFFFFFF, 0)

    @ROWS("MMIO-SHM-03", "MMIO-SHM-07")
    def test_has_no_shared_memory(self):
        for shm_id in (0, 1, 255):
            self.device[virtio.SHM_SEL] = shm_id
            self.assertEqual(self.device.wide(virtio.SHM_LEN), 2**64 - 1)

    @ROWS("RNG-04", "SPLIT-35", "SPLIT-37", "MMIO-QREADY-01")
    def test_fills_a_buffer(self):
        queue = self.start()
        self.assertEqual(self.device[virtio.QUEUE_READY], 1)
        self.bus.write(BUFFERS, bytes(256))
        head = queue.offer((BUFFERS, 128, virtio.WRITE))
        queue.kick()
        [(used, length)] = queue.wait()
        self.assertEqual(used, head)
        self.assertIn(length, range(1, 129))
        self.assertNotEqual(self.bus.read(BUFFERS, 128)[:length], bytes(length))
        self.assertEqual(self.bus.read(BUFFERS + 128, 128), bytes(128))

    @ROWS("RNG-04", "SPLIT-04", "SPLIT-08")
    def test_fills_a_chain_from_its_first_byte_on(self):
        queue = self.start()
        pieces = [BUFFERS + 0x100 * i for i in range(4)]
        self.bus.write(BUFFERS, bytes(0x400))
        queue.offer(*[(piece, 32, virtio.WRITE) for piece in pieces])
        queue.kick()
        [(_, length)] = queue.wait()
        got = b"".join(self.bus.read(piece, 32) for piece in pieces)
        self.assertNotEqual(got[:length], bytes(length))
        for piece in pieces:
            self.assertEqual(self.bus.read(piece + 32, 0x100 - 32), bytes(0x100 - 32))

    @ROWS("MMIO-INTSTAT-01", "MMIO-INTSTAT-02", "MMIO-INTACK-01", "MMIO-IRQ-01", "SPLIT-30")
    def test_interrupts_until_it_is_acknowledged(self):
        queue = self.start()
        queue.offer((BUFFERS, 16, virtio.WRITE))
        queue.kick()
        queue.wait()
        self.assertEqual(self.bus.taken_interrupts(), [("raise", virtio.INTERRUPT)])
        self.assertEqual(self.device[virtio.INTERRUPT_STATUS], virtio.USED_BUFFER)
        self.assertEqual(self.device[virtio.INTERRUPT_STATUS], virtio.USED_BUFFER)
        self.device[virtio.INTERRUPT_ACK] = virtio.CONFIG_CHANGE
        self.assertEqual(self.bus.taken_interrupts(), [])
        self.device[virtio.INTERRUPT_ACK] = virtio.USED_BUFFER
        self.assertEqual(self.bus.taken_interrupts(), [("lower", virtio.INTERRUPT)])
        self.assertEqual(self.device[virtio.INTERRUPT_STATUS], 0)

    @ROWS("SPLIT-23", "SPLIT-35")
    def test_goes_round_the_rings(self):
        queue = self.start(size=4)
        for _ in range(11):
            head = queue.offer((BUFFERS, 8, virtio.WRITE))
            queue.kick()
            self.assertEqual([used for used, _ in queue.wait()], [head])

    @ROWS("SPLIT-31")
    def test_honours_no_interrupt(self):
        queue = self.start()
        self.bus.writew(queue.driver, 1)
        queue.offer((BUFFERS, 16, virtio.WRITE))
        queue.kick()
        self.assertEqual(len(queue.wait()), 1)
        self.assertEqual(self.bus.taken_interrupts(), [])
        self.assertEqual(self.device[virtio.INTERRUPT_STATUS], 0)

    @ROWS("STAT-01", "MMIO-INTSTAT-04", "MMIO-RST-01")
    def test_reset_lowers_the_interrupt_and_stops_the_queue(self):
        queue = self.start()
        queue.offer((BUFFERS, 16, virtio.WRITE))
        queue.kick()
        queue.wait()
        self.bus.taken_interrupts()
        self.device[virtio.STATUS] = 0
        self.assertEqual(self.bus.taken_interrupts(), [("lower", virtio.INTERRUPT)])
        self.assertEqual(self.device[virtio.STATUS], 0)
        self.assertEqual(self.device[virtio.INTERRUPT_STATUS], 0)
        self.device[virtio.QUEUE_SEL] = 0
        self.assertEqual(self.device[virtio.QUEUE_READY], 0)
        queue = self.start()
        queue.offer((BUFFERS, 16, virtio.WRITE))
        queue.kick()
        self.assertEqual(len(queue.wait()), 1)

    @ROWS("STAT-11", "STAT-12", "SPLIT-24", "H-18")
    def test_an_index_that_jumps_needs_a_reset(self):
        queue = self.start()
        self.bus.writew(queue.driver + 2, queue.size + 1)
        queue.kick()
        self.assertEqual(queue.taken(), [])
        self.assertTrue(self.device[virtio.STATUS] & virtio.NEEDS_RESET)
        self.assertTrue(self.device[virtio.INTERRUPT_STATUS] & virtio.CONFIG_CHANGE)
        self.assertEqual(self.bus.taken_interrupts(), [("raise", virtio.INTERRUPT)])


if __name__ == "__main__":
    unittest.main()
