"""The network device of vmmio-qtest, on a cable that leads back to it."""

import struct
import unittest

import servers
import virtio
from rows import ROWS
from virtio import Device, Queue

RINGS = virtio.RAM + 0x1000
BUFFERS = virtio.RAM + 0x100000

CSUM, GUEST_CSUM, HOST_TSO4, GUEST_TSO4 = 1 << 0, 1 << 1, 1 << 11, 1 << 7
MRG_RXBUF, CTRL_VQ, CTRL_RX, MQ = 1 << 15, 1 << 17, 1 << 18, 1 << 22
MAC = bytes.fromhex("525400123456")
HEADER = "<BBHHHHH"


def frame(length, to=MAC):
    return (to + bytes.fromhex("02000000000188b5") + bytes(range(256)) * 8)[:length]


def checksum(data):
    """RFC 1071, as the standard library's integers make it easy."""
    total = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    return ~(total % 0xFFFF or (0xFFFF if total else 0)) & 0xFFFF


def tcp_frame(payload, flags=0x18, sequence=1000, number=7, partial=False):
    addresses = bytes([10, 0, 2, 15, 10, 0, 2, 2])
    length = 20 + len(payload)
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + length, number, 0x4000, 64, 6, 0) + addresses
    ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
    tcp = struct.pack(">HHIIBBHHH", 1, 2, sequence, 0, 0x50, flags, 1000, 0, 0)
    pseudo = addresses + struct.pack(">HH", 6, length)
    total = ~checksum(pseudo) & 0xFFFF if partial else checksum(pseudo + tcp + payload)
    tcp = tcp[:16] + struct.pack(">H", total) + tcp[18:]
    return MAC + bytes.fromhex("0200000000010800") + ip + tcp + payload


class Net(unittest.TestCase):
    def start(self, features, *options, queues=2):
        self.bus = servers.vmmio("--device", "net", *options)
        self.addCleanup(self.bus.close)
        self.device = Device(self.bus)
        self.assertTrue(self.device.negotiate(features | virtio.F_VERSION_1))
        self.queues = [Queue(self.device, i, RINGS + 0x4000 * i, 64) for i in range(queues)]
        for queue in self.queues:
            queue.enable()
        self.device.drive()
        self.posted = {}
        self.free = BUFFERS

    def alloc(self, length):
        self.free += length + 64
        return self.free - length - 64

    def post(self, *sizes, pair=0):
        for size in sizes:
            address = self.alloc(size)
            head = self.queues[2 * pair].offer((address, size, virtio.WRITE))
            self.posted[pair, head] = address
        self.queues[2 * pair].kick()

    def send(self, data, header=(0, 0, 0, 0, 0, 0, 0), pair=0):
        whole = struct.pack(HEADER, *header) + data
        address = self.alloc(len(whole))
        self.bus.write(address, whole)
        queue = self.queues[2 * pair + 1]
        head = queue.offer((address, 12, 0), (address + 12, len(data), 0))
        queue.kick()
        self.assertEqual(queue.taken(), [(head, 0)])

    def received(self, pair=0):
        """Header and bytes of each frame since the last call."""
        entries = [self.bus.read(self.posted[pair, head], length)
                   for head, length in self.queues[2 * pair].taken()]
        frames = []
        while entries:
            header = struct.unpack(HEADER, entries[0][:12])
            count = header[6]
            self.assertGreater(count, 0)
            frames.append((header, b"".join(entries[:count])[12:]))
            entries = entries[count:]
        return frames

    def control(self, *data):
        address = self.alloc(len(data) + 1)
        self.bus.write(address, bytes(data) + b"\xee")
        queue = self.queues[-1]
        head = queue.offer((address, len(data), 0), (address + len(data), 1, virtio.WRITE))
        queue.kick()
        self.assertEqual(queue.taken(), [(head, 1)])
        return self.bus.read(address + len(data), 1)[0]

    @ROWS("NET-01", "NET-09", "NET-27", "NET-29", "NET-47")
    def test_what_leaves_comes_back(self):
        self.start(0)
        self.assertEqual(self.device[virtio.DEVICE_ID], virtio.NET)
        self.assertEqual(self.bus.read(virtio.DEVICE + virtio.CONFIG, 6), MAC)
        self.post(1526, 1526)
        for length in (14, 1514):
            self.send(frame(length))
            self.assertEqual(self.received(), [((0, 0, 0, 0, 0, 0, 1), frame(length))])

    @ROWS("NET-44", "NET-45")
    def test_a_frame_in_several_buffers(self):
        self.start(MRG_RXBUF)
        self.post(100, 50, 1000)
        self.send(frame(200))
        self.assertEqual(self.received(), [((0, 0, 0, 0, 0, 0, 3), frame(200))])

    @ROWS("NET-33", "NET-48")
    def test_a_checksum_is_completed(self):
        self.start(CSUM)
        self.post(2000)
        self.send(tcp_frame(b"x" * 99, partial=True), (1, 0, 0, 0, 34, 16, 0))
        self.assertEqual(self.received(), [((0, 0, 0, 0, 0, 0, 1), tcp_frame(b"x" * 99))])

    @ROWS("NET-32", "NET-49", "NET-50")
    def test_segments_are_left_alone_or_made(self):
        payload = bytes(range(200)) * 20
        header = (1, 1, 54, 1500, 34, 16, 0)
        self.start(CSUM | HOST_TSO4 | GUEST_CSUM | GUEST_TSO4)
        self.post(8000)
        self.send(tcp_frame(payload, partial=True), header)
        self.assertEqual(self.received(), [((1, 1, 54, 1500, 34, 16, 1),
                                            tcp_frame(payload, partial=True))])
        self.start(CSUM | HOST_TSO4)
        self.post(2000, 2000, 2000)
        self.send(tcp_frame(payload, partial=True), header)
        self.assertEqual([data for _, data in self.received()],
                         [tcp_frame(payload[at:at + 1500], 0x18 if at == 3000 else 0x10,
                                    1000 + at, 7 + at // 1500) for at in (0, 1500, 3000)])

    @ROWS("NET-55", "NET-57", "NET-63")
    def test_the_control_queue(self):
        self.start(CTRL_VQ | CTRL_RX, queues=3)
        self.post(1526, 1526)
        other = bytes.fromhex("525400123457")
        self.send(frame(60, other))
        self.assertEqual(self.received(), [])
        self.assertEqual(self.control(0, 0, 1), 0)
        self.send(frame(60, other))
        self.assertEqual(len(self.received()), 1)
        self.assertEqual(self.control(9, 9), 1)

    @ROWS("NET-01", "NET-68", "NET-73")
    def test_queue_pairs(self):
        self.start(CTRL_VQ | MQ, "--pairs", "2", queues=5)
        self.assertEqual(self.bus.readw(virtio.DEVICE + virtio.CONFIG + 8), 2)
        self.post(1526, 1526)
        self.post(1526, pair=1)
        self.send(frame(60), pair=1)
        self.assertEqual(len(self.received(0)), 1)
        self.assertEqual(self.control(4, 0, 3, 0), 1)
        self.assertEqual(self.control(4, 0, 2, 0), 0)
        self.send(frame(60), pair=1)
        self.assertEqual(len(self.received(1)), 1)

    @ROWS("FEAT-02")
    @servers.any_features
    def test_features_can_be_held_back(self):
        with servers.vmmio("--device", "net", "--features", "100000001") as bus:
            self.assertEqual(Device(bus).offered(), virtio.F_VERSION_1 | CSUM)


if __name__ == "__main__":
    unittest.main()
