"""Lines that are not as they should be, and the parts of the protocol that QEMU has no use for
without its qtest accelerator. None of it ends the server."""

import random
import unittest

import servers
import virtio
from qtest import Refused
from rows import ROWS

HERE = virtio.RAM
BLOCK_MAX = 64 << 20


class Malformed(unittest.TestCase):
    def setUp(self):
        self.bus = servers.vmmio()
        self.addCleanup(self.end)

    def end(self):
        self.assertEqual(self.bus.send("endianness"), "OK little")
        self.bus.close()

    def refused(self, line, reason):
        self.assertEqual(self.bus.send(line), f"FAIL {reason}", line)

    def test_missing_words(self):
        for line, name in [
                ("readb", "ADDR"), ("writel", "ADDR"), (f"writel {HERE}", "VALUE"),
                ("read", "ADDR"), (f"read {HERE}", "SIZE"), (f"b64read {HERE}", "SIZE"),
                (f"write {HERE}", "SIZE"), (f"write {HERE} 4", "DATA"),
                (f"b64write {HERE} 4", "DATA"), (f"memset {HERE} 4", "VALUE"),
                ("clock_set", "NS"), ("irq_intercept_in", "QOM-PATH")]:
            self.refused(line, f"{name} is missing")

    def test_words_that_are_no_numbers(self):
        for word in ["", "x", "0x", "08", "1x", "0x1g", "+1", "--1", "-", "1.5", "\t1", "1\r",
                     "18446744073709551616", "0x10000000000000000"]:
            shown = "".join(c if " " <= c <= "~" else "?" for c in word)
            self.refused(f"readl {word}", f"ADDR '{shown}' is not a number of 64 bits")
            self.refused(f"writel {HERE} {word}", f"VALUE '{shown}' is not a number of 64 bits")
            self.refused(f"read {HERE} {word}", f"SIZE '{shown}' is not a number of 64 bits")

    def test_a_word_is_shown_in_part(self):
        self.refused("readl " + 100 * "z", f"ADDR '{40 * 'z'}...' is not a number of 64 bits")

    def test_data_that_is_no_data(self):
        for data in ["", "0x", "0x1", "0x123", "0xzz", "0x1 2", "12", "x12", "0x+1"]:
            self.refused(f"write {HERE} 4 {data}",
                         "DATA is not 0x and pairs of hexadecimal digits")
        for data in ["A", "AB", "ABC", "A===", "====", "AB=C", "AB!D", "=ABC", "ABCD="]:
            self.refused(f"b64write {HERE} 4 {data}", "DATA is not base64")

    def test_a_refused_command_changes_nothing(self):
        self.bus.writeq(HERE, 0x1122334455667788)
        self.refused(f"write {HERE} 4 0x00zz", "DATA is not 0x and pairs of hexadecimal digits")
        self.refused(f"writel {HERE} 5x", "VALUE '5x' is not a number of 64 bits")
        self.assertEqual(self.bus.readq(HERE), 0x1122334455667788)

    def test_sizes_that_are_too_large(self):
        for size in (BLOCK_MAX + 1, 2**63, 2**64 - 1):
            for line in (f"read {HERE} {size}", f"b64read {HERE} {size}",
                         f"write {HERE} {size} 0x00", f"b64write {HERE} {size} AAAA",
                         f"memset {HERE} {size} 0"):
                self.refused(line, f"SIZE is above {BLOCK_MAX}")
        self.refused(f"read {HERE} 0", "SIZE is 0")

    def test_the_largest_block(self):
        self.bus.command(f"memset {HERE} {BLOCK_MAX} 0x21")
        self.assertEqual(self.bus.read(HERE, BLOCK_MAX).count(b"!"), BLOCK_MAX)

    def test_ranges_that_end_above_the_address_space(self):
        top = 2**64 - 1
        self.assertEqual(self.bus.readb(top), 0)
        self.assertEqual(self.bus.read(top - 3, 4), bytes(4))
        for line in (f"readw {top}", f"readq {top - 6}", f"writel {top} 0", f"read {top} 2",
                     f"memset {top} 2 0", f"write {top} 2 0x00", f"b64write {top} 2 AAAA"):
            self.refused(line, "the range ends above 2^64")

    def test_lines_without_a_command(self):
        self.refused("", "a line begins with a command")
        self.refused(" readl 0", "a line begins with a command")
        self.refused("READL 0", "Unknown command 'READL'")
        self.refused(b"\x00\xff\r", "Unknown command '???'")

    def test_commands_that_this_machine_has_nothing_for(self):
        for name in ("inb", "inw", "inl", "outb", "outw", "outl", "set_irq_in",
                     "irq_intercept_out", "module_load"):
            self.refused(f"{name} 0 0", f"{name}: this machine has nothing for it")

    def test_a_line_that_is_too_long(self):
        longest = 2 * BLOCK_MAX + 256
        self.refused(longest * b"x", "Unknown command '" + 40 * "x" + "...'")
        self.refused((longest + 1) * b"x", "the line is too long")

    def test_any_line_gets_one_answer(self):
        dice = random.Random(2)
        words = [b"readl", b"writeq", b"read", b"b64write", b"memset", b"clock_step", b"0x40000000",
                 b"0x0a003e50", b"4", b"0", b"-1", b"AAAA", b"0x00", b" ", b"\x00", b"\xff",
                 b"irq_intercept_in", b"0xffffffffffffffff", b"99999999999999999999", b"\t", b"="]
        for _ in range(3000):
            line = dice.choice([b" ", b""]).join(dice.choices(words, k=dice.randrange(6)))
            self.assertRegex(self.bus.send(line), r"^(OK|FAIL .+)")


class Ends(unittest.TestCase):
    def test_an_input_that_ends_within_a_line(self):
        with servers.vmmio() as bus:
            bus.server.stdin.write(b"endianness")
            bus.server.stdin.close()
            self.assertEqual(bus.reply(), "FAIL the line has no end")

    def test_a_client_that_does_not_listen(self):
        with servers.vmmio() as bus:
            bus.server.stdout.close()
            bus.server.stdin.write(b"endianness\n")
            bus.server.stdin.flush()
            self.assertEqual(bus.server.wait(timeout=20), 0)


class Clock(unittest.TestCase):
    def setUp(self):
        self.bus = servers.vmmio()
        self.addCleanup(self.bus.close)

    def expect(self, line, reply):
        self.assertEqual(self.bus.send(line), reply, line)

    def test_goes_where_the_client_puts_it(self):
        self.expect("clock_step 1500", "OK 1500")
        self.bus.readl(virtio.DEVICE)
        self.expect("clock_step 1", "OK 1501")
        self.expect("clock_set 2000", "OK 2000")
        self.expect("clock_set 2000", "OK 2000")

    def test_does_not_go_back(self):
        self.expect("clock_set 10", "OK 10")
        self.expect("clock_set 9", "FAIL 10")
        self.expect("clock_step 0", "FAIL could not advance time")
        self.expect("clock_step -1", "FAIL could not advance time")
        self.expect("clock_step 1", "OK 11")

    def test_ends(self):
        last = 2**53
        self.expect(f"clock_step {last}", f"OK {last}")
        self.expect("clock_step 1", "FAIL could not advance time")
        self.expect(f"clock_set {last + 1}", f"FAIL {last}")

    def test_has_no_deadline(self):
        with self.assertRaisesRegex(Refused, "no pending deadline"):
            self.bus.command("clock_step")


class Interception(unittest.TestCase):
    def setUp(self):
        self.bus = servers.vmmio()
        self.addCleanup(self.bus.close)

    def test_takes_any_path_once(self):
        self.assertEqual(self.bus.send("irq_intercept_in /machine/x"), "OK")
        self.assertEqual(self.bus.send("irq_intercept_in /machine/x"), "OK")
        self.assertEqual(self.bus.send("irq_intercept_in /machine/y"),
                         "FAIL IRQ intercept already enabled")

    def test_takes_no_name_of_inputs(self):
        with self.assertRaisesRegex(Refused, "named inputs"):
            self.bus.command("irq_intercept_in /machine/x line")

    @ROWS("MMIO-IRQ-01")
    def test_without_it_interrupts_are_not_told(self):
        device = virtio.Device(self.bus)
        self.assertTrue(device.negotiate(virtio.F_VERSION_1))
        queue = virtio.Queue(device, 0, virtio.RAM)
        queue.enable()
        device.drive()
        queue.offer((virtio.RAM + 0x1000, 8, virtio.WRITE))
        queue.kick()
        self.assertEqual(len(queue.taken()), 1)
        self.assertEqual(device[virtio.INTERRUPT_STATUS], virtio.USED_BUFFER)
        self.assertEqual(self.bus.interrupts, [])


if __name__ == "__main__":
    unittest.main()
