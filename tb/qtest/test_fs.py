"""The file system device of vmmio-qtest on a directory of the test's."""

import errno
import os
import pathlib
import struct
import tempfile
import unittest

import servers
import virtio
from rows import ROWS
from virtio import Device, Queue

RINGS = virtio.RAM + 0x1000
REQUEST = virtio.RAM + 0x10000
REPLY = virtio.RAM + 0x20000
WINDOW = 0x100000000

# linux/fuse.h
LOOKUP, FORGET, OPEN, READ, WRITE, INIT, SETUPMAPPING, REMOVEMAPPING = 1, 2, 14, 15, 16, 26, 48, 49
MAP_ALIGNMENT = 1 << 26
ROOT = 1


@unittest.skipIf(os.environ.get("VMMIO_WITHOUT_FS"), "vmmio-qtest was built without libfuse")
class Fs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.unique = 0

    def start(self, *options):
        self.bus = servers.vmmio("--device", "fs", "--directory", str(self.folder), *options)
        self.addCleanup(self.bus.close)
        self.device = Device(self.bus)
        self.assertTrue(self.device.negotiate(virtio.F_VERSION_1))
        self.queues = [Queue(self.device, i, RINGS + 0x4000 * i, 8) for i in range(2)]
        for queue in self.queues:
            queue.enable()
        self.device.drive()
        flags = self.ask(INIT, 0, struct.pack("<IIII", 7, 38, 0, MAP_ALIGNMENT) + bytes(48))
        return struct.unpack_from("<I", flags, 12)[0]

    def ask(self, opcode, node, body, room=0x2000, error=0, queue=1):
        """The reply's body; the kick is answered when the reply is there."""
        self.unique += 1
        header = struct.pack("<IIQQIIIHH", 40 + len(body), opcode, self.unique, node, 0, 0, 0, 0, 0)
        self.bus.write(REQUEST, header + body)
        head = self.queues[queue].offer((REQUEST, len(header) + len(body), 0),
                                        *([(REPLY, room, virtio.WRITE)] if room else []))
        self.queues[queue].kick()
        (taken,) = self.queues[queue].taken()
        self.assertEqual(taken[0], head)
        if not room:
            self.assertEqual(taken[1], 0)
            return b""
        reply = self.bus.read(REPLY, taken[1])
        self.assertEqual(struct.unpack_from("<IiQ", reply), (taken[1], -error, self.unique))
        return reply[16:]

    def node(self, name):
        return struct.unpack_from("<Q", self.ask(LOOKUP, ROOT, name.encode() + b"\0"))[0]

    def handle(self, node, flags):
        return struct.unpack_from("<Q", self.ask(OPEN, node, struct.pack("<II", flags, 0)))[0]

    @ROWS("FS-01", "FS-02")
    def test_says_what_it_is(self):
        self.start()
        self.assertEqual(self.device[virtio.DEVICE_ID], 26)
        self.assertEqual(self.bus.read(self.device.base + 0x100, 44),
                         b"vmmio".ljust(36, b"\0") + struct.pack("<II", 1, 0))

    @ROWS("FS-07", "FS-08")
    def test_reads_writes_and_forgets(self):
        (self.folder / "f").write_bytes(b"from the host")
        self.assertEqual(self.start() & MAP_ALIGNMENT, 0)
        node = self.node("f")
        handle = self.handle(node, os.O_RDWR)
        read = struct.pack("<QQIIQII", handle, 5, 100, 0, 0, 0, 0)
        self.assertEqual(self.ask(READ, node, read), b"the host")
        write = struct.pack("<QQIIQII", handle, 9, 5, 0, 0, 0, 0)
        self.ask(WRITE, node, write + b"guest")
        self.assertEqual((self.folder / "f").read_bytes(), b"from the guest")
        self.ask(LOOKUP, ROOT, b"../f\0", error=errno.EINVAL)
        self.ask(SETUPMAPPING, node, bytes(40), error=errno.ENOSYS)
        self.ask(FORGET, node, struct.pack("<Q", 1), room=0, queue=0)
        self.ask(OPEN, node, bytes(8), error=errno.ESTALE)

    @ROWS("FS-11", "FS-16")
    def test_maps_files_into_region_0(self):
        (self.folder / "f").write_bytes(b"a" * 4096 + b"b" * 4096)
        flags = self.start("--shm", f"id=0,base={WINDOW:#x},len=2M")
        self.assertEqual(flags & MAP_ALIGNMENT, MAP_ALIGNMENT)
        node = self.node("f")
        self.bus.write(WINDOW + 0x1000, b"lost")
        self.assertEqual(self.bus.read(WINDOW + 0x1000, 4), bytes(4))
        self.ask(SETUPMAPPING, node, struct.pack("<QQQQQ", 2 ** 64 - 1, 4096, 4096, 3, 0x1000))
        self.assertEqual(self.bus.read(WINDOW + 0x1000, 4), b"bbbb")
        self.bus.write(WINDOW + 0x1001, b"xy")
        self.assertEqual((self.folder / "f").read_bytes()[4094:4100], b"aabxyb")
        self.ask(REMOVEMAPPING, ROOT, struct.pack("<IQQ", 1, 0x1000, 4096))
        self.assertEqual(self.bus.read(WINDOW + 0x1000, 4), bytes(4))

    def test_says_what_it_needs(self):
        for options, words in ((["--dut", "tlm"], "--directory"),
                               (["--dut", "tlm", "--directory", "/nonexistent"], "/nonexistent"),
                               (["--dut", "c", "--directory", "/"], "tlm")):
            status, said = servers.run("--device", "fs", *options)
            self.assertEqual(status, 2)
            self.assertIn(words, said)
