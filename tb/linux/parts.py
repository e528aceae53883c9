"""The devices of a run, one class each: what the platform is told, what the guest checks, and what
the host sees of it.

A device without a line of its own in CHECKS is proven by the checks that every device shares.
"""

import hashlib
import os
import secrets
import shutil
import socket
import tempfile
import threading

import guest
from report import NOT_REACHED, check, hexadecimal

MIB = 1 << 20


class Part:
    """One device. `rings` is what it offers for its rings, so what Linux has to use."""

    name = ""
    device_id = 0
    driver = ""
    rings = "split"
    legacy = False  # its registers have the layout of Version 1
    checks = {}  # what the guest checks, in its order: name of the check -> what it proves

    def prepare(self, work, token, file_bytes):
        """Makes what the device works on, in the folder `work`."""

    def place(self, window_base):
        """Takes the address where the guest sees the DAX window."""

    def options(self):
        """Words for the command line of the platform."""
        return []

    def parameters(self):
        """Parameters of the run for the guest."""
        return {}

    def start(self):
        """Begins to serve what the guest needs from the host; see stop."""

    def stop(self):
        """Ends that. The guest has ended, or never was."""

    def judge(self, log):
        """Checks that the host makes when the guest has ended."""
        return []


class Entropy(Part):
    name = "rng"
    device_id = 4
    driver = "virtio_rng"
    rings = "split+in_order"
    checks = {"random": "random bytes from /dev/hwrng"}  # RNG-01 RNG-04


class Pmem(Part):
    name = "pmem"
    device_id = 27
    driver = "virtio_pmem"
    rings = "packed"
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
    rings = "packed+event_idx+indirect"
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
    rings = "split+indirect"
    legacy = True
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


class Console(Part):
    """A console on a file of the host, and a port on a socket, where the host gives and takes bytes."""

    name = "console"
    device_id = 3
    driver = "virtio_console"
    rings = "split+event_idx"
    checks = {
        "port": "console: bytes through a port both ways",  # CON-07
        "console": "console: size and new size seen by the guest",  # CON-12
    }
    BYTES = MIB
    SIZE, RESIZED = "100x30", "132x43"

    def prepare(self, work, token, file_bytes):
        self.token = token
        self.screen = work / "hvc0.log"
        self.folder = tempfile.TemporaryDirectory(prefix="vmmio-")  # a socket's path is short
        self.path = f"{self.folder.name}/port"
        self.content = secrets.token_bytes(self.BYTES)
        self.received = b""
        self.stopping = threading.Event()

    def options(self):
        return ["--console", f"file:{self.screen}", "--console-size", self.SIZE,
                "--port", f"org.vmmio.check=listen:{self.path}"]

    def parameters(self):
        return {"port_bytes": self.BYTES, "port_sum": hashlib.sha256(self.content).hexdigest(),
                "console_size": self.SIZE, "console_resized": self.RESIZED}

    def start(self):
        self.thread = threading.Thread(target=self.talk)
        self.thread.start()

    def stop(self):
        self.stopping.set()
        self.thread.join()
        self.folder.cleanup()

    def connect(self):
        """Calls the device process until it is there; None if it never was."""
        while not self.stopping.wait(0.02):
            client = socket.socket(socket.AF_UNIX)
            try:
                client.connect(self.path)
                return client
            except OSError:
                client.close()
        return None

    def talk(self):
        client = self.connect()
        if not client:
            return
        with client:
            client.settimeout(0.2)
            at = 0
            while len(self.received) < self.BYTES and not self.stopping.is_set():
                try:
                    if at < self.BYTES:
                        at += client.send(self.content[at:at + 65536])
                    else:
                        piece = client.recv(65536)
                        if not piece:
                            return
                        self.received += piece
                except TimeoutError:
                    pass  # the guest is not there yet
                except OSError:
                    return  # the guest tells what it did not get

    def judge(self, log):
        title = "console: the port's bytes reached the host"
        if "port" not in log.verdicts:
            yield check(title, False, NOT_REACHED)
        else:
            same = log.values.get("port_sent") == hashlib.sha256(self.received).hexdigest()
            yield check(title, same and len(self.received) == self.BYTES,
                        f"{len(self.received)} of {self.BYTES} bytes")
        title = "console: what the guest shows is in the host's file"
        if "console" not in log.verdicts:
            yield check(title, False, NOT_REACHED)
        else:
            shown = self.screen.read_text(errors="replace")
            wanted = f"the guest says {self.token}"
            yield check(title, wanted in shown, f"{len(shown)} characters")


class Net(Part):
    """A network in user mode. On the host's loopback one server gives bytes and another takes them."""

    name = "net"
    device_id = 1
    driver = "virtio_net"
    checks = {
        "ping": "network: the host answers a ping",
        "tcp": "network: bytes by TCP both ways",
    }
    BYTES = 10 * MIB

    def prepare(self, work, token, file_bytes):
        self.content = secrets.token_bytes(self.BYTES)
        self.received = hashlib.sha256()
        self.count = 0
        self.source, self.sink = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))

    def options(self):
        return ["--net"]

    def parameters(self):
        return {"tcp_source": self.source.getsockname()[1], "tcp_sink": self.sink.getsockname()[1],
                "tcp_mib": self.BYTES // MIB, "tcp_sum": hashlib.sha256(self.content).hexdigest()}

    def start(self):
        self.giver = threading.Thread(target=self.give)
        self.taker = threading.Thread(target=self.take)
        self.giver.start()
        self.taker.start()

    def stop(self):
        for server in (self.source, self.sink):
            try:
                server.shutdown(socket.SHUT_RDWR)  # ends an accept() that nobody has answered
            except OSError:
                pass
        self.giver.join()
        self.taker.join()
        for server in (self.source, self.sink):
            server.close()

    def give(self):
        try:
            client, _ = self.source.accept()
            with client:
                client.sendall(self.content)
        except OSError:
            pass  # the guest tells what it did not get

    def take(self):
        try:
            client, _ = self.sink.accept()
            with client:
                client.settimeout(60)
                while piece := client.recv(65536):
                    self.received.update(piece)
                    self.count += len(piece)
        except OSError:
            pass  # the sums will differ

    def judge(self, log):
        title = "network: the guest's bytes reached the host"
        if "tcp" not in log.verdicts:
            yield check(title, False, NOT_REACHED)
        else:
            yield check(title, log.values.get("tcp_sent") == self.received.hexdigest()
                        and self.count == self.BYTES, f"{self.count} of {self.BYTES} bytes")


class Share(Part):
    """A directory of the host, with a DAX window on a file that QEMU shows to the guest."""

    name = "share"
    device_id = 26
    driver = "virtiofs"
    rings = "packed+event_idx+indirect+in_order"
    checks = {
        "share": "file system: files, directories, links by requests",
        "share_dax": "file system: mapped files through the DAX window",
    }
    WINDOW = 128 * MIB
    BYTES = 64 * MIB

    def prepare(self, work, token, file_bytes):
        self.folder = work / "share"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        self.window_file = work / "window.img"
        self.window_file.unlink(missing_ok=True)
        content = secrets.token_bytes(MIB + 1)
        (self.folder / "from_host").write_bytes(content)
        self.sum = hashlib.sha256(content).hexdigest()
        guest.call(guest.compile_guest_tool(work), "write", self.folder / "pattern", token,
                   str(self.BYTES))
        self.base = None

    def place(self, window_base):
        self.base = window_base

    def options(self):
        return ["--share", self.folder, "--dax-file", self.window_file, "--dax-size", self.WINDOW,
                "--dax-base", hex(self.base)]

    def parameters(self):
        return {"share_sum": self.sum, "share_bytes": self.BYTES}

    def judge(self, log):
        title = "file system: links and names on the host"
        if "share" not in log.verdicts:
            yield check(title, False, NOT_REACHED)
        else:
            found = {path.name: os.readlink(path) if path.is_symlink() else path.read_text()
                     for path in (self.folder / "dir").glob("*")}
            yield check(title, found == {"c": "d", "d": "text\n"}, str(found))
        title = "file system: window's base and length as configured"
        if "share_dax" not in log.verdicts:
            yield check(title, False, NOT_REACHED)
        else:
            seen = (log.number("share_base"), log.number("share_length"))
            yield check(title, seen == (self.base, self.WINDOW),
                        f"base {hexadecimal(seen[0])}, length {hexadecimal(seen[1])}")
        title = "file system: bytes mapped by the guest are in the host's file"
        written = self.folder / "from_guest"
        if "share_dax" not in log.verdicts or not written.exists():
            yield check(title, False, NOT_REACHED)
        else:
            content = written.read_bytes()
            same = hashlib.sha256(content).hexdigest() == log.values.get("share_written")
            yield check(title, same and len(content) == self.BYTES,
                        f"{len(content)} of {self.BYTES} bytes, sha256 "
                        + ("as in the guest" if same else "differs"))


def all_parts():
    """The devices in the order of their pages of BAR0."""
    return [Entropy(), Pmem(), Disk(), ReadOnlyDisk(), Console(), Net(), Share()]
