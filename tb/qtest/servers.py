"""Which server the tests talk to, as the environment says.

VMMIO_DUT is c, tlm, rtl or lockstep, for vmmio-qtest at VMMIO_QTEST, or qemu, for QEMU's own devices.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import unittest

from qtest import Qtest

DUT = os.environ.get("VMMIO_DUT", "c")
PROGRAM = os.environ.get("VMMIO_QTEST", "vmmio-qtest")
QEMU = next(filter(None, map(shutil.which, ["qemu-system-aarch64", "qemu-system-arm"])), None)

# Something to intercept; vmmio-qtest has only one interrupt and takes any path.
ANY_PATH = "/machine/gic"


# A verilated block has the features that it was built with.
any_features = unittest.skipIf(DUT in ("rtl", "lockstep"), "no verilated block has these features")


def vmmio(*options):
    """vmmio-qtest with the form under test."""
    return Qtest([PROGRAM, "--dut", DUT, *options])


def run(*options):
    """vmmio-qtest with these options alone, without a client: its status and messages."""
    done = subprocess.run([PROGRAM, *options], stdin=subprocess.DEVNULL, timeout=20, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stderr


def interrupt_controller(monitor):
    """Path of QEMU's interrupt controller, asked of its monitor."""
    def ask(command, **arguments):
        monitor.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        monitor.flush()
        return json.loads(monitor.readline())["return"]

    monitor.readline()
    ask("qmp_capabilities")
    parts = ask("qom-list", path="/machine/unattached")
    return next(f"/machine/unattached/{part['name']}" for part in parts
                if part["type"] in ("child<arm_gic>", "child<arm-gicv3>"))


def entropy():
    """An entropy device in the machine under test, and the path to intercept its interrupt at."""
    if DUT != "qemu":
        return vmmio("--device", "entropy"), ANY_PATH
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "monitor")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            listener.settimeout(20)
            # A processor that stays off instead of -S: a machine at rest serves no queue.
            server = Qtest([QEMU, "-machine", "virt", "-accel", "tcg", "-m", "64",
                            "-global", "arm-cpu.start-powered-off=on",
                            "-display", "none", "-nodefaults", "-qtest", "stdio",
                            "-qtest-log", "none", "-qmp", f"unix:{path}",
                            "-global", "virtio-mmio.force-legacy=false",
                            "-device", "virtio-rng-device"], ends_with_input=False)
            with listener.accept()[0] as connection, connection.makefile("rw") as monitor:
                return server, interrupt_controller(monitor)
