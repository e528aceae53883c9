"""save and restore: a script takes a device from one server to another, of either form."""

import base64
import unittest

import servers
import virtio
from qtest import Qtest, Refused
from virtio import Device, Queue

BUFFERS = virtio.RAM + 0x10000
QUEUE = virtio.RAM + 0x1000
RAM_IN_USE = 0x20000


class State(unittest.TestCase):
    def server(self, *options, form=servers.DUT):
        bus = Qtest([servers.PROGRAM, "--dut", form, "--device", "entropy", "--seed", "7", *options])
        self.addCleanup(bus.close)
        bus.command("irq_intercept_in any")
        return bus

    def start(self, bus):
        device = Device(bus)
        self.assertTrue(device.negotiate(virtio.F_VERSION_1))
        queue = Queue(device, 0, QUEUE, 8)
        queue.enable()
        device.drive()
        return device, queue

    @staticmethod
    def ask(queue):
        queue.offer((BUFFERS, 16, virtio.WRITE))
        queue.kick()
        return queue.wait()

    def test_a_driver_goes_on_with_another_device(self):
        others = {"c", "tlm", servers.DUT}
        for one, other in [(servers.DUT, other) for other in others] + [
                (other, servers.DUT) for other in others - {servers.DUT}]:
            first, second = self.server(form=one), self.server(form=other)
            device, queue = self.start(first)
            self.ask(queue)
            first.taken_interrupts()
            state = first.command("save")
            second.write(virtio.RAM, first.read(virtio.RAM, RAM_IN_USE))
            second.command(f"restore {state}")
            self.assertEqual([what for what, _ in second.taken_interrupts()], ["raise"])
            self.assertEqual(second.command("save"), state, "nothing is lost or added")

            device.bus = queue.bus = second
            self.assertEqual(device[virtio.STATUS], 15)
            [(_, length)] = self.ask(queue)
            self.assertEqual(length, 16)

    def test_refuses_what_is_no_state_of_this_device(self):
        bus = self.server()
        self.start(bus)
        state = bus.command("save")
        raw = bytearray(base64.b64decode(state))
        raw[40] ^= 1
        damaged = base64.b64encode(raw).decode()
        null = Qtest([servers.PROGRAM, "--dut", servers.DUT, "--device", "null"])
        self.addCleanup(null.close)
        for wrong, words in [("", "is missing"), (" !", "not base64"), (" AAAA", "not the saved"),
                             (f" {damaged}", "damaged"), (f" {null.command('save')}", "another")]:
            with self.assertRaises(Refused) as refused:
                bus.command("restore" + wrong)
            self.assertIn(words, str(refused.exception))
        self.assertEqual(bus.command("save"), state)
