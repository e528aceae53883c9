"""A driver for a virtio-mmio device behind qtest, and its split virtqueue (VIRTIO 1.4)."""

import struct
import time

RAM = 0x40000000
SLOTS = 0x0A000000
SLOT_BYTES = 0x200
SLOT_COUNT = 32
DEVICE = SLOTS + (SLOT_COUNT - 1) * SLOT_BYTES

# Slot i has shared interrupt 16 + i of the interrupt controller.
INTERRUPT = 16 + SLOT_COUNT - 1

MAGIC_VALUE = 0x000
VERSION = 0x004
DEVICE_ID = 0x008
DEVICE_FEATURES = 0x010
DEVICE_FEATURES_SEL = 0x014
DRIVER_FEATURES = 0x020
DRIVER_FEATURES_SEL = 0x024
QUEUE_SEL = 0x030
QUEUE_SIZE_MAX = 0x034
QUEUE_SIZE = 0x038
QUEUE_READY = 0x044
QUEUE_NOTIFY = 0x050
INTERRUPT_STATUS = 0x060
INTERRUPT_ACK = 0x064
STATUS = 0x070
QUEUE_DESC = 0x080
QUEUE_DRIVER = 0x090
QUEUE_DEVICE = 0x0A0
SHM_SEL = 0x0AC
SHM_LEN = 0x0B0
SHM_BASE = 0x0B8
CONFIG = 0x100

ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK, NEEDS_RESET = 1, 2, 4, 8, 0x40
USED_BUFFER, CONFIG_CHANGE = 1, 2

NET, BLOCK, CONSOLE, ENTROPY, PMEM, NULL = 1, 2, 3, 4, 27, 42
F_INDIRECT_DESC = 1 << 28
F_EVENT_IDX = 1 << 29
F_VERSION_1 = 1 << 32
F_RING_PACKED = 1 << 34
F_IN_ORDER = 1 << 35
PMEM_F_SHMEM_REGION = 1 << 0

NEXT, WRITE, INDIRECT, AVAIL, USED = 1, 2, 4, 1 << 7, 1 << 15
ALL_ONES = 0xFFFFFFFF


class Device:
    """The registers of the device in the highest slot."""

    def __init__(self, bus, base=DEVICE):
        self.bus = bus
        self.base = base

    def __getitem__(self, register):
        return self.bus.readl(self.base + register)

    def __setitem__(self, register, value):
        self.bus.writel(self.base + register, value)

    def wide(self, low):
        """The 64-bit value of two registers, read one after the other."""
        return self[low] | self[low + 4] << 32

    def set_wide(self, low, value):
        self[low] = value & ALL_ONES
        self[low + 4] = value >> 32

    def offered(self):
        features = 0
        for word in range(4):
            self[DEVICE_FEATURES_SEL] = word
            features |= self[DEVICE_FEATURES] << 32 * word
        return features

    def negotiate(self, features):
        """From reset to FEATURES_OK; true if the device accepts the features."""
        self[STATUS] = 0
        self[STATUS] = ACKNOWLEDGE
        self[STATUS] = ACKNOWLEDGE | DRIVER
        for word in range(2 if features < 1 << 64 else 4):
            self[DRIVER_FEATURES_SEL] = word
            self[DRIVER_FEATURES] = features >> 32 * word & ALL_ONES
        self[STATUS] = ACKNOWLEDGE | DRIVER | FEATURES_OK
        return self[STATUS] == ACKNOWLEDGE | DRIVER | FEATURES_OK

    def drive(self):
        self[STATUS] = ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK

    def enable(self, index, size, desc, driver, used):
        """Programs a queue; true if the device takes it."""
        self[QUEUE_SEL] = index
        self[QUEUE_SIZE] = size
        self.set_wide(QUEUE_DESC, desc)
        self.set_wide(QUEUE_DRIVER, driver)
        self.set_wide(QUEUE_DEVICE, used)
        self[QUEUE_READY] = 1
        return self[QUEUE_READY] == 1

    def region(self, shm_id):
        """(base, length) as the registers show them."""
        self[SHM_SEL] = shm_id
        return self.wide(SHM_BASE), self.wide(SHM_LEN)


class Queue:
    """A split virtqueue in guest memory. Descriptors are used in ascending order, round and
    round; whoever uses it keeps an eye on not having too many in flight."""

    def __init__(self, device, index, memory, size=8):
        self.device = device
        self.bus = device.bus
        self.index = index
        self.size = size
        self.desc = memory
        self.driver = memory + 16 * size
        self.used = (self.driver + 6 + 2 * size + 3) & ~3
        self.end = self.used + 6 + 8 * size
        self.next = 0
        self.available = 0
        self.seen = 0

    def enable(self):
        self.bus.write(self.desc, bytes(self.end - self.desc))
        self.device.enable(self.index, self.size, self.desc, self.driver, self.used)

    def describe(self, chain):
        """Writes a chain of (address, length, flags without NEXT); gives its head."""
        slots = [(self.next + i) % self.size for i in range(len(chain))]
        for i, (address, length, flags) in enumerate(chain):
            more = i + 1 < len(chain)
            entry = struct.pack("<QIHH", address, length, flags | (NEXT if more else 0),
                                slots[i + 1] if more else 0)
            self.bus.write(self.desc + 16 * slots[i], entry)
        self.next = (self.next + len(chain)) % self.size
        return slots[0]

    def offer(self, *chain):
        """Makes a chain available without telling the device; gives its head."""
        head = self.describe(chain)
        self.bus.writew(self.driver + 4 + 2 * (self.available % self.size), head)
        self.available = (self.available + 1) & 0xFFFF
        self.bus.writew(self.driver + 2, self.available)
        return head

    def kick(self):
        self.device[QUEUE_NOTIFY] = self.index

    def taken(self):
        """(head, length) of the buffers that were used since the last call."""
        now = self.bus.readw(self.used + 2)
        entries = []
        while self.seen != now:
            at = self.used + 4 + 8 * (self.seen % self.size)
            entries.append(struct.unpack("<II", self.bus.read(at, 8)))
            self.seen = (self.seen + 1) & 0xFFFF
        return entries

    def wait(self):
        """The same, but waits for the first one: a device may take its time."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            entries = self.taken()
            if entries:
                return entries
        raise TimeoutError(f"queue {self.index}: no buffer was used")


class PackedQueue:
    """A packed virtqueue. Each buffer has the number of its first slot as its id."""

    def __init__(self, device, index, memory, size=8):
        self.device = device
        self.bus = device.bus
        self.index = index
        self.size = size
        self.desc = memory
        self.driver = memory + 16 * size
        self.used = self.driver + 4
        self.next, self.wrap = 0, 1
        self.seen, self.seen_wrap = 0, 1
        self.lengths = {}

    def enable(self):
        self.bus.write(self.desc, bytes(16 * self.size + 8))
        return self.device.enable(self.index, self.size, self.desc, self.driver, self.used)

    def offer(self, *chain):
        """Makes a list of (address, length, flags without NEXT) available; gives its id."""
        first, writes = self.next, []
        for i, (address, length, flags) in enumerate(chain):
            flags |= AVAIL if self.wrap else USED
            flags |= NEXT if i + 1 < len(chain) else 0
            writes.append((self.desc + 16 * self.next,
                           struct.pack("<QIHH", address, length, first, flags)))
            self.next += 1
            if self.next == self.size:
                self.next, self.wrap = 0, 1 - self.wrap
        for address, data in reversed(writes):  # the first one last
            self.bus.write(address, data)
        self.lengths[first] = len(chain)
        return first

    def kick(self):
        self.device[QUEUE_NOTIFY] = self.index

    def taken(self):
        """(id, length) of the buffers that were used since the last call."""
        entries = []
        while True:
            _, length, name, flags = struct.unpack(
                "<QIHH", self.bus.read(self.desc + 16 * self.seen, 16))
            both = AVAIL | USED
            if flags & both != (both if self.seen_wrap else 0):
                return entries
            entries.append((name, length))
            self.seen += self.lengths.pop(name)
            if self.seen >= self.size:
                self.seen, self.seen_wrap = self.seen - self.size, 1 - self.seen_wrap
