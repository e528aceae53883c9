"""A client of the qtest protocol: starts a server and talks to it."""

import base64
import re
import subprocess

INTERRUPT = re.compile(r"IRQ (raise|lower) (\d+)")


class Refused(Exception):
    """The server answered FAIL; the text is its reason."""


class Qtest:
    """One server process. Interrupts that it reported are in `interrupts`, oldest first."""

    def __init__(self, command, ends_with_input=True):
        self.server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.ends_with_input = ends_with_input
        self.interrupts = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the conversation; a server that ends with its input has to end well."""
        if not self.server.stdin.closed:
            self.server.stdin.close()
        if not self.ends_with_input:
            self.server.terminate()
        try:
            status = self.server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()
            raise
        finally:
            self.server.stdout.close()
        if self.ends_with_input and status != 0:
            raise ChildProcessError(f"the server ended with status {status}")

    def send(self, line):
        """Sends one command (text, or bytes as they are) and gives the reply as it came."""
        raw = line if isinstance(line, bytes) else line.encode()
        self.server.stdin.write(raw + b"\n")
        self.server.stdin.flush()
        return self.reply()

    def reply(self):
        while True:
            line = self.server.stdout.readline().decode()
            if not line.endswith("\n"):
                raise EOFError(f"the server ended in the middle of a reply: {line!r}")
            told = INTERRUPT.fullmatch(line[:-1])
            if not told:
                return line[:-1]
            self.interrupts.append((told[1], int(told[2])))

    def command(self, line):
        """Sends one command; gives what follows OK, raises Refused with what follows FAIL."""
        status, _, rest = self.send(line).partition(" ")
        if status == "FAIL":
            raise Refused(rest)
        if status != "OK":
            raise ValueError(f"{line!r}: neither OK nor FAIL: {status} {rest}")
        return rest

    def taken_interrupts(self):
        """The interrupts reported since the last call."""
        taken, self.interrupts = self.interrupts, []
        return taken

    def readb(self, address):
        return int(self.command(f"readb {address:#x}"), 16)

    def readw(self, address):
        return int(self.command(f"readw {address:#x}"), 16)

    def readl(self, address):
        return int(self.command(f"readl {address:#x}"), 16)

    def readq(self, address):
        return int(self.command(f"readq {address:#x}"), 16)

    def writeb(self, address, value):
        self.command(f"writeb {address:#x} {value:#x}")

    def writew(self, address, value):
        self.command(f"writew {address:#x} {value:#x}")

    def writel(self, address, value):
        self.command(f"writel {address:#x} {value:#x}")

    def writeq(self, address, value):
        self.command(f"writeq {address:#x} {value:#x}")

    def read(self, address, size):
        return base64.b64decode(self.command(f"b64read {address:#x} {size}"))

    def write(self, address, data):
        self.command(f"b64write {address:#x} {len(data)} {base64.b64encode(data).decode()}")
