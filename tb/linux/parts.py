"""The devices of a run, one class each: what the platform is told, what the guest checks, and what
the host sees of it.

A device without a line of its own in CHECKS is proven by the checks that every device shares.
"""

import hashlib
import os
import secrets

from report import NOT_REACHED, check

MIB = 1 << 20


class Part:
    """One device. `rings` is what it offers for its rings, so what Linux has to use."""

    name = ""
    device_id = 0
    driver = ""
    rings = "split"
    checks = {}  # what the guest checks, in its order: name of the check -> what it proves

    def prepare(self, work, token, file_bytes):
        """Makes what the device works on, in the folder `work`."""

    def options(self):
        """Words for the command line of the platform."""
        return []

    def parameters(self):
        """Parameters of the run for the guest."""
        return {}

    def judge(self, log):
        """Checks that the host makes when the guest has ended."""
        return []


class Entropy(Part):
    name = "rng"
    device_id = 4
    driver = "virtio_rng"
    checks = {"random": "random bytes from /dev/hwrng"}  # RNG-01 RNG-04


class Pmem(Part):
    name = "pmem"
    device_id = 27
    driver = "virtio_pmem"
    rings = "split+event_idx"
    checks = {
        "region": "shared memory region found by the kernel",  # PMEM-02 MMIO-SHM-02 MMIO-SHM-04
        "mkfs": "ext4 made on the region",
        "mount": "mounted with dax=always",
        "write": "file written through mmap and flushed",  # PMEM-06 PMEM-08
        "remount": "file re-read after unmount and remount",
        "speed": "memory speed measured",
    }


class Disk(Part):
    """A file as a block device: a file system in front, and behind it room for a discard."""

    name = "disk"
    device_id = 2
    driver = "virtio_blk"
    rings = "split+event_idx"
    checks = {
        "disk": "block device: ext4 written, flushed and re-read",  # BLK-14 BLK-32
        "discard": "block device: blocks discarded",  # BLK-27
        "resize": "block device: new size seen by the guest",  # BLK-36
    }
    BYTES = 64 * MIB
    RESIZED = 96 * MIB
    TAIL = 48 * MIB

    def prepare(self, work, token, file_bytes):
        self.path = work / "disk.img"
        self.token = bytes.fromhex(token)
        self.file_bytes = file_bytes
        with open(self.path, "wb") as file:
            file.truncate(self.BYTES)

    def options(self):
        return ["--disk", self.path]

    def parameters(self):
        return {"resized": self.RESIZED}

    def pattern_bytes(self):
        """Bytes of the guest's pattern file in the image: records with the run's token, each index
        once."""
        data = self.path.read_bytes()[:self.TAIL]
        found = set()
        at = data.find(self.token)
        while at >= 0:
            if at % 64 == 0:
                found.add(data[at + 16:at + 24])
            at = data.find(self.token, at + 16)
        return 64 * len(found)

    def judge(self, log):
        title = "block device: the file is in the host's image"
        if "disk" not in log.verdicts:
            yield check(title, False, NOT_REACHED)
        else:
            found = self.pattern_bytes()
            yield check(title, found == self.file_bytes, f"{found} of {self.file_bytes} bytes")
        title = "block device: discarded blocks gave their room back"
        if "discard" not in log.verdicts:
            yield check(title, False, NOT_REACHED)
        else:
            kept = data_after(self.path, self.TAIL)
            yield check(title, kept == 0, f"{kept} bytes of data left behind the file system")


def data_after(path, offset):
    """Bytes of a sparse file from offset on that are not holes."""
    with open(path, "rb") as file:
        end = os.fstat(file.fileno()).st_size
        count = 0
        while offset < end:
            try:
                start = os.lseek(file.fileno(), offset, os.SEEK_DATA)
            except OSError:  # only a hole is left
                break
            offset = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            count += offset - start
        return count


class ReadOnlyDisk(Part):
    name = "rodisk"
    device_id = 2
    driver = "virtio_blk"
    checks = {"read_only": "read-only block device: as on the host, write refused"}  # BLK-31

    def prepare(self, work, token, file_bytes):
        content = secrets.token_bytes(4 * MIB)
        self.path = work / "rodisk.img"
        self.path.write_bytes(content)
        self.sum = hashlib.sha256(content).hexdigest()

    def options(self):
        return ["--read-only-disk", self.path]

    def parameters(self):
        return {"rodisk_sum": self.sum}


def all_parts():
    """The devices in the order of their pages of BAR0."""
    return [Entropy(), Pmem(), Disk(), ReadOnlyDisk()]
