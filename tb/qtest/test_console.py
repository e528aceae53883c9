"""The console device of vmmio-qtest, whose ports lead back to themselves."""

import struct
import unittest

import servers
import virtio
from rows import ROWS
from virtio import Device, Queue

RINGS = virtio.RAM + 0x1000
BUFFERS = virtio.RAM + 0x100000

SIZE, MULTIPORT, EMERG_WRITE = 1 << 0, 1 << 1, 1 << 2
COLS, ROWS_AT, MAX_NR_PORTS, EMERG_WR = (virtio.DEVICE + virtio.CONFIG + at for at in (0, 2, 4, 8))
READY, ADD, PORT_READY, CONSOLE_PORT, RESIZE, OPEN, NAME = 0, 1, 3, 4, 5, 6, 7


def message(port, event, value, more=b""):
    return struct.pack("<IHH", port, event, value) + more


class Console(unittest.TestCase):
    def start(self, features, *options, ports=1):
        self.bus = servers.vmmio("--device", "console", "--ports", str(ports), *options)
        self.addCleanup(self.bus.close)
        self.device = Device(self.bus)
        self.restart(features, ports)

    def restart(self, features, ports):
        self.assertTrue(self.device.negotiate(features | virtio.F_VERSION_1))
        count = 2 * ports + 2 if features & MULTIPORT else 2
        self.queues = [Queue(self.device, i, RINGS + 0x2000 * i, 32) for i in range(count)]
        for queue in self.queues:
            queue.enable()
        self.device.drive()
        self.posted = {}
        self.free = BUFFERS

    def alloc(self, length):
        self.free += length + 64
        return self.free - length - 64

    def post(self, *sizes, queue=0):
        for size in sizes:
            address = self.alloc(size)
            self.posted[queue, self.queues[queue].offer((address, size, virtio.WRITE))] = address
        self.queues[queue].kick()

    def received(self, queue=0):
        """The bytes of each buffer since the last call."""
        return [self.bus.read(self.posted[queue, head], length)
                for head, length in self.queues[queue].taken()]

    def offer(self, data, queue=1):
        address = self.alloc(len(data))
        self.bus.write(address, data)
        head = self.queues[queue].offer((address, len(data), 0))
        self.queues[queue].kick()
        return head

    def send(self, data, queue=1):
        head = self.offer(data, queue)
        self.assertEqual(self.queues[queue].taken(), [(head, 0)])

    @ROWS("CON-01", "CON-03", "CON-07")
    def test_what_leaves_comes_back(self):
        self.start(SIZE)
        self.assertEqual(self.device[virtio.DEVICE_ID], virtio.CONSOLE)
        self.assertEqual((self.bus.readw(COLS), self.bus.readw(ROWS_AT)), (80, 25))
        self.device[virtio.QUEUE_SEL] = 2
        self.assertEqual(self.device[virtio.QUEUE_SIZE_MAX], 0)
        self.post(100, 3, 100)
        self.send(b"hello")
        self.send(b"world!")
        self.assertEqual(self.received(), [b"hello", b"wor", b"ld!"])

    @ROWS("CON-07")
    def test_nothing_is_lost_without_buffers(self):
        self.start(0)
        data = bytes(range(251)) * 40
        head = self.offer(data)
        self.assertEqual(self.queues[1].taken(), [], "4096 bytes fit into the cable")
        got = []
        while len(b"".join(got)) < len(data):
            self.post(777)
            got += self.received()
        self.assertEqual(b"".join(got), data)
        self.assertEqual(self.queues[1].taken(), [(head, 0)])

    @ROWS("CON-04", "CON-05", "CON-06")
    def test_emergency_writes_before_and_after(self):
        self.start(0)
        self.device[virtio.STATUS] = 0
        self.bus.writel(EMERG_WR, 0x12345641)
        self.restart(EMERG_WRITE, 1)
        self.bus.writel(EMERG_WR, 0x42)
        self.post(100)
        self.assertEqual(self.received(), [b"AB"])

    @ROWS("CON-11", "CON-12", "CON-16", "CON-17")
    def test_ports_are_told_and_opened(self):
        self.start(MULTIPORT, ports=3)
        self.assertEqual(self.bus.readl(MAX_NR_PORTS), 3)
        self.post(*[100] * 12, queue=2)
        self.assertEqual(self.received(2), [])
        self.send(message(0, READY, 1), 3)
        self.assertEqual(self.received(2), [message(port, ADD, 1) for port in range(3)])
        self.send(message(0, PORT_READY, 1), 3)
        self.assertEqual(self.received(2),
                         [message(0, CONSOLE_PORT, 1),
                          message(0, RESIZE, 1, struct.pack("<HH", 80, 25)),
                          message(0, NAME, 1, b"port0"), message(0, OPEN, 1)])
        self.send(message(2, PORT_READY, 1), 3)
        self.assertEqual(self.received(2), [message(2, NAME, 1, b"port2"), message(2, OPEN, 1)])
        self.post(100, queue=6)
        self.send(b"waits until the port is open", 7)
        self.assertEqual(self.received(6), [])
        self.send(message(2, OPEN, 1), 3)
        self.assertEqual(self.received(6), [b"waits until the port is open"])

    @ROWS("CON-02", "FEAT-02")
    @servers.any_features
    def test_features_can_be_held_back(self):
        for options, bits in ((("--features", "100000005"), SIZE | EMERG_WRITE),
                              (("--features", "100000004"), EMERG_WRITE),
                              (("--features", "100000007", "--ports", "2"),
                               SIZE | MULTIPORT | EMERG_WRITE)):
            with servers.vmmio("--device", "console", *options) as bus:
                self.assertEqual(Device(bus).offered(), virtio.F_VERSION_1 | bits)


if __name__ == "__main__":
    unittest.main()
