"""The memory map and the commands that reach it, on our server and on QEMU's alike."""

import base64
import unittest

import servers
import virtio
from rows import ROWS

HERE = virtio.RAM + 0x2000
RAM_END = virtio.RAM + (64 << 20)
NOWHERE = 0x30000000000


class Memory(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bus, _ = servers.entropy()
        cls.addClassCleanup(cls.bus.close)

    def expect(self, line, reply):
        self.assertEqual(self.bus.send(line), reply, line)

    def test_bytes_are_in_little_endian_order(self):
        self.expect("endianness", "OK little")
        self.expect(f"writeq {HERE:#x} 0x8877665544332211", "OK")
        self.expect(f"readb {HERE:#x}", "OK 0x0000000000000011")
        self.expect(f"readw {HERE:#x}", "OK 0x0000000000002211")
        self.expect(f"readl {HERE:#x}", "OK 0x0000000044332211")
        self.expect(f"readq {HERE:#x}", "OK 0x8877665544332211")
        self.expect(f"readl {HERE + 3:#x}", "OK 0x0000000077665544")

    def test_a_write_has_its_width(self):
        for width, kept in [("b", "0xffffffffffffff01"), ("w", "0xffffffffffff0201"),
                            ("l", "0xffffffff04030201"), ("q", "0x0807060504030201")]:
            self.bus.writeq(HERE, 2**64 - 1)
            self.expect(f"write{width} {HERE:#x} 0x0807060504030201", "OK")
            self.expect(f"readq {HERE:#x}", f"OK {kept}")

    def test_numbers_are_those_of_strtoul(self):
        self.bus.writeq(HERE, 0)
        self.expect(f"writel {HERE} 010", "OK")
        self.expect(f"readl {HERE:#X}", "OK 0x0000000000000008")
        self.expect(f"writel {HERE} -2", "OK")
        self.expect(f"readq {HERE}", "OK 0x00000000fffffffe")

    def test_words_too_many_do_not_matter(self):
        self.bus.writel(HERE, 5)
        self.expect(f"readl {HERE:#x} and so on", "OK 0x0000000000000005")

    def test_hexadecimal_blocks(self):
        self.expect(f"memset {HERE:#x} 8 0xee", "OK")
        self.expect(f"write {HERE:#x} 4 0x0102aBcD", "OK")
        self.expect(f"read {HERE:#x} 6", "OK 0x0102abcdeeee")

    def test_missing_data_is_zero_and_further_data_is_left_out(self):
        self.expect(f"memset {HERE:#x} 8 0xee", "OK")
        self.expect(f"write {HERE:#x} 4 0x01", "OK")
        self.expect(f"read {HERE:#x} 5", "OK 0x01000000ee")
        self.expect(f"write {HERE:#x} 1 0x020304", "OK")
        self.expect(f"read {HERE:#x} 2", "OK 0x0200")
        self.expect(f"b64write {HERE:#x} 1 BQYH", "OK")
        self.expect(f"read {HERE:#x} 2", "OK 0x0500")

    def test_base64_blocks(self):
        data = bytes(range(256)) * 5
        for length in (1, 2, 3, 255, len(data)):
            text = base64.b64encode(data[:length]).decode()
            self.expect(f"memset {HERE:#x} {length + 1} 0xee", "OK")
            self.expect(f"b64write {HERE:#x} {length} {text}", "OK")
            self.expect(f"b64read {HERE:#x} {length}", f"OK {text}")
            self.expect(f"readb {HERE + length:#x}", "OK 0x00000000000000ee")
        self.expect(f"b64read {HERE:#x} 0", "OK ")

    def test_memset(self):
        self.expect(f"memset {HERE:#x} 4 0x1ff", "OK")
        self.expect(f"memset {HERE + 1:#x} 2 0x5a", "OK")
        self.expect(f"memset {HERE:#x} 0 0", "OK")
        self.expect(f"readl {HERE:#x}", "OK 0x00000000ff5a5aff")

    def test_nothing_lies_behind_the_ram(self):
        self.expect(f"memset {RAM_END - 4:#x} 8 0x5a", "OK")
        self.expect(f"readq {RAM_END - 4:#x}", "OK 0x000000005a5a5a5a")
        self.expect(f"writel {NOWHERE:#x} 1", "OK")
        self.expect(f"readl {NOWHERE:#x}", "OK 0x0000000000000000")

    @ROWS("A-WIDTH", "A-ALIGN", "MMIO-DRV-03", "H-27")
    def test_registers_answer_aligned_words_only(self):
        self.expect(f"readb {virtio.DEVICE:#x}", "OK 0x0000000000000000")
        self.expect(f"readw {virtio.DEVICE:#x}", "OK 0x0000000000000000")
        self.expect(f"readl {virtio.DEVICE + 1:#x}", "OK 0x0000000000000000")
        self.expect(f"writeb {virtio.DEVICE + virtio.STATUS:#x} 1", "OK")
        self.expect(f"writew {virtio.DEVICE + virtio.STATUS:#x} 1", "OK")
        self.expect(f"readl {virtio.DEVICE + virtio.STATUS:#x}", "OK 0x0000000000000000")

    @ROWS("A-64")
    def test_wider_accesses_become_words_in_ascending_order(self):
        self.expect(f"readq {virtio.DEVICE:#x}", "OK 0x0000000274726976")
        self.expect(f"read {virtio.DEVICE:#x} 12", "OK 0x766972740200000004000000")

    @ROWS("MMIO-DEVID-02", "MMIO-MAGIC-01", "MMIO-VERSION-01")
    def test_the_other_slots_are_placeholders(self):
        for slot in range(virtio.SLOT_COUNT - 1):
            base = virtio.SLOTS + slot * virtio.SLOT_BYTES
            self.assertEqual(self.bus.readl(base + virtio.MAGIC_VALUE), 0x74726976, slot)
            self.assertEqual(self.bus.readl(base + virtio.VERSION), 2, slot)
            self.assertEqual(self.bus.readl(base + virtio.DEVICE_ID), 0, slot)
            self.assertEqual(self.bus.readl(base + virtio.QUEUE_SIZE_MAX), 0, slot)

    def test_an_unknown_command_is_refused(self):
        self.expect("dance now", "FAIL Unknown command 'dance'")


if __name__ == "__main__":
    unittest.main()
