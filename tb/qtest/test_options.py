"""Options that cannot work end vmmio-qtest with status 2 and a message that says what to change."""

import unittest

import servers
import virtio
from rows import ROWS

MEGA = 1 << 20


class Options(unittest.TestCase):
    def refused(self, message, *options):
        status, said = servers.run("--dut", servers.DUT, *options)
        self.assertEqual(status, 2, options)
        self.assertIn(message, said)

    def test_help(self):
        self.assertEqual(servers.run("--help")[0], 0)

    def test_the_end_of_the_input_is_no_error(self):
        self.assertEqual(servers.run("--dut", servers.DUT), (0, ""))

    def test_the_form_is_required(self):
        status, said = servers.run()
        self.assertEqual(status, 2)
        self.assertIn("--dut is required", said)

    def test_unknown_words(self):
        self.assertEqual(servers.run("--dut", "verilog")[0], 2)
        self.refused("--device", "--device", "teapot")
        self.refused("not expected", "--frobnicate")
        self.refused("not expected", "teapot")

    def test_ram(self):
        self.refused("at least 1 byte", "--ram", "0")
        for size in ("", "M", "64T", "-1", "1.5M", "0x10000000000000000", "16777216T"):
            self.refused("is no number of bytes", "--ram", size)
        self.refused("make it smaller", "--ram", "8000000000G")
        for size, count in [("4096", 4096), ("0x2000", 8192), ("4k", 4096), ("1M", MEGA)]:
            self.assertEqual(self.ram_bytes(size), count, size)

    def ram_bytes(self, size):
        with servers.vmmio("--ram", size) as bus:
            bus.command(f"memset {virtio.RAM:#x} {2 * MEGA} 1")
            return sum(bus.read(virtio.RAM, 2 * MEGA))

    @servers.any_features
    @ROWS("RFB-11", "FEAT-12")
    def test_rings(self):
        self.refused("choose among split, packed, event_idx, indirect and in_order",
                     "--rings", "packed+teapot")
        ours = virtio.F_INDIRECT_DESC | virtio.F_EVENT_IDX | virtio.F_RING_PACKED | virtio.F_IN_ORDER
        for words, bits in [("split", 0), ("packed", virtio.F_RING_PACKED),
                            ("split+event_idx+in_order", virtio.F_EVENT_IDX | virtio.F_IN_ORDER),
                            ("packed+event_idx+indirect+in_order", ours)]:
            with servers.vmmio("--rings", words) as bus:
                self.assertEqual(virtio.Device(bus).offered() & ours, bits, words)

    @ROWS("A-SHM-7", "H-45")
    def test_regions_that_cannot_be(self):
        for text, message in [
                ("id=1", "is not complete"), ("id=1,base=0x80000000", "is not complete"),
                ("teapot", "write id=N,base=ADDR,len=BYTES"),
                ("id=1,base=0x80000000,len=4k,size=4k", "write id=N,base=ADDR,len=BYTES"),
                ("id=1,id=1,base=0x80000000,len=4k", "has id twice"),
                ("id=x,base=0x80000000,len=4k", "is no number"),
                ("id=256,base=0x80000000,len=4k", "above 255"),
                ("id=1,base=0x80000000,len=0", "has length 0"),
                ("id=1,base=0xfffffffffffff000,len=8k", "ends above 2^64"),
                ("id=1,base=0x40000000,len=4k", "overlaps RAM"),
                ("id=1,base=0x3ffff000,len=8k", "overlaps RAM"),
                ("id=1,base=0x0a003fff,len=1", "overlaps the device"),
                ("id=1,base=0,len=1G", "overlaps virtio-mmio slot 0")]:
            self.refused(message, "--shm", text)

    @ROWS("H-45")
    def test_regions_that_collide(self):
        first = ("--shm", "id=1,base=0x80000000,len=8k")
        self.refused("id exists already", *first, "--shm", "id=1,base=0x90000000,len=8k")
        self.refused("overlap", *first, "--shm", "id=2,base=0x80001fff,len=8k")
        many = [word for i in range(9) for word in ("--shm", f"id={i},base={(8 + i) << 28},len=1")]
        self.refused("table holds at most", *many)

    def test_the_default_region_of_pmem_may_collide_with_ram(self):
        self.refused("shared memory region 0", "--device", "pmem", "--ram", "4G")

    @ROWS("H-36", "RFB-06")
    def test_features(self):
        self.refused("hexadecimal digits", "--features", "teapot")
        self.refused("hexadecimal digits", "--features", "")
        self.refused("hexadecimal digits", "--features", "1" + 32 * "0")
        self.refused("bit 32 (VERSION_1) is always offered", "--features", "0")
        self.refused("bit 37 is not implemented", "--features", "2100000000")
        self.refused("bit 0 is not implemented for entropy", "--features", "100000001")
        self.refused("bit 127 is not implemented", "--features", "8" + 22 * "0" + "100000000")

    @servers.any_features
    def test_features_that_are_a_part_of_all(self):
        self.assertEqual(servers.run("--dut", servers.DUT, "--device", "pmem",
                                     "--features", "0x110000001"), (0, ""))

    def test_seed(self):
        for seed in ("", "teapot", "-1", "18446744073709551616"):
            self.refused("is no number of 64 bits", "--seed", seed)


class Offered(unittest.TestCase):
    @ROWS("FEAT-02", "MMIO-DEVFEAT-01")
    @servers.any_features
    def test_is_what_was_asked_for(self):
        for mask in (0x100000000, 0x130000000, 0x14130000000, 0x80100000000):
            with servers.vmmio("--features", f"{mask:x}") as bus:
                self.assertEqual(virtio.Device(bus).offered(), mask)


if __name__ == "__main__":
    unittest.main()
