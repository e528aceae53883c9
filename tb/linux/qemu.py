"""QEMU: its command line, and the addresses that the firmware gives our functions on it."""

import contextlib
import hashlib
import json
import os
import pathlib
import socket
import subprocess
import tempfile
import time

from child import Child, RunError

SLOT = 4
IVSHMEM_SLOT = 5
WINDOW_SLOT = 6
RAM = "512M"


def function(slot):
    """The name that Linux gives function 0 of a slot on the first bus."""
    return f"0000:00:{slot:02x}.0"


def acpi_node(slot):
    """The name that the firmware's tables give function 0 of a slot."""
    return f"S{slot << 3:02X}"


def has_kvm():
    """True if KVM works here; an openable /dev/kvm alone proves nothing."""
    words = pathlib.Path("/proc/cpuinfo").read_text().split()
    return ("svm" in words or "vmx" in words) and os.access("/dev/kvm", os.R_OK | os.W_OK)


def accelerator():
    """QEMU's words for how the guest's instructions are executed.

    Without KVM, QEMU executes a string instruction element by element. Linux copies by the byte on
    a processor that says it is fast at that, so ours says that it is not.
    """
    if has_kvm():
        return ["-accel", "kvm", "-cpu", "max"]
    return ["-accel", "tcg", "-cpu", "max,erms=off,fsrm=off"]


def command_line(program, vfio_socket, shm_file, shm_size, window_file, window_size):
    """QEMU with our function and two shared memory regions, and no kernel yet.

    A region is a BAR of an ivshmem device: in one of our own function QEMU would stop mapping it at
    the first interrupt.
    """
    vfio = {"driver": "vfio-user-pci", "addr": f"{SLOT:x}",
            "socket": {"type": "unix", "path": str(vfio_socket)},
            # A posted InterruptACK could take away an interrupt that came after it.
            "x-no-posted-writes": True,
            # A flush that is served inside the access waits for the host's disk.
            "x-msg-timeout": 60000}
    return [
        str(program), "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-machine", "pc,memory-backend=mem", *accelerator(), "-smp", "1", "-m", RAM,
        "-object", f"memory-backend-memfd,id=mem,size={RAM},share=on",
        "-object", f"memory-backend-file,id=shm,share=on,mem-path={shm_file},size={shm_size}",
        "-device", json.dumps(vfio),
        "-device", f"ivshmem-plain,memdev=shm,addr={IVSHMEM_SLOT:x}",
        "-object",
        f"memory-backend-file,id=window,share=on,mem-path={window_file},size={window_size}",
        "-device", f"ivshmem-plain,memdev=window,addr={WINDOW_SLOT:x}",
    ]


class Qmp:
    """A connection to a QEMU's control socket. Raises RunError when that does not answer."""

    def __init__(self, path, process, deadline):
        self.log = process.log
        self.socket = socket.socket(socket.AF_UNIX)
        while True:
            try:
                self.socket.connect(str(path))
                break
            except OSError as error:
                if process.ended() or time.monotonic() > deadline:
                    raise RunError("QEMU opened no control socket", self.log) from error
                time.sleep(0.02)
        self.socket.settimeout(10)
        self.stream = self.socket.makefile("rw")
        self.stream.readline()
        self.command("qmp_capabilities")

    def command(self, name):
        """Executes a command without arguments and gives its result."""
        try:
            self.stream.write(json.dumps({"execute": name}) + "\n")
            self.stream.flush()
            while line := self.stream.readline():
                answer = json.loads(line)
                if "error" in answer:
                    raise RunError(f"QEMU refused {name}: {answer['error']['desc']}", self.log)
                if "return" in answer:
                    return answer["return"]
        except OSError as error:
            raise RunError(f"QEMU did not answer {name}: {error}", self.log) from error
        raise RunError(f"QEMU ended while it was asked for {name}", self.log)

    def close(self):
        self.stream.close()
        self.socket.close()


def addresses_in(pci):
    """What query-pci says of our functions, or None while the firmware is not done with them."""
    devices = {device["slot"]: device for bus in pci for device in bus["devices"]}

    def bar(slot, number):
        for region in devices[slot]["regions"]:
            if region["bar"] == number and region["address"] > 0:
                return region["address"]
        return None

    found = {"bar": bar(SLOT, 0), "shm_base": bar(IVSHMEM_SLOT, 2),
             "window_base": bar(WINDOW_SLOT, 2),
             "gsi": devices[SLOT].get("irq", 0)}
    return found if all(found.values()) else None


@contextlib.contextmanager
def monitored(command, log, deadline):
    """A QEMU that runs, and a connection to its control socket."""
    with tempfile.TemporaryDirectory(prefix="vmmio-") as folder:
        path = pathlib.Path(folder) / "qmp"
        with Child("QEMU", [*command, "-qmp", f"unix:{path},server=on,wait=off"], log) as process, \
                contextlib.closing(Qmp(path, process, deadline)) as qmp:
            yield process, qmp


def ask_firmware(command, log, seconds=30):
    """Lets the firmware of `command` place the BARs, and gives {"bar", "shm_base",
    "window_base", "gsi"}."""
    deadline = time.monotonic() + seconds
    with monitored(command, log, deadline) as (_, qmp):
        while time.monotonic() < deadline:
            if found := addresses_in(qmp.command("query-pci")):
                return found
            time.sleep(0.05)
    raise RunError(f"the firmware placed no BARs within {seconds} s", log)


def cache_key(command, volatile):
    """A name for a command line on this QEMU; `volatile` are its parts that change every run."""
    version = subprocess.run([command[0], "--version"], stdout=subprocess.PIPE, check=True).stdout
    text = "\0".join(command)
    for part in volatile:
        text = text.replace(str(part), "")
    return hashlib.sha256(version + text.encode()).hexdigest()
