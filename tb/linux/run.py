#!/usr/bin/env python3
"""Boots Debian's Linux in a stock QEMU against our device process and judges what it did.

Exit status: 0 if every item passed, 1 if one failed, 2 if the run could not be started, 77 if
QEMU or the kernel is missing and --skip-if-missing was given, 128 + N after signal N.
"""

import argparse
import contextlib
import json
import pathlib
import secrets
import signal
import sys
import tempfile
import time

import guest
import parts
import qemu
import report
from child import Child, RunError, follow

TOP = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = "vmmio-platform"
FORMS = ("tlm", "rtl", "lockstep")  # of the register blocks
SHM_BYTES = 128 << 20
FILE_BYTES = 32 << 20
# While only the firmware runs nobody looks at the region: any free address will do.
ANY_BASE = 1 << 32
SKIPPED = 77


class StartError(Exception):
    """The run cannot be started; the message says what to change."""


def option_parser(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--kernel", default="6.12", help="6.12, 6.1 or sid (default: %(default)s)")
    parser.add_argument("--form", default="tlm",
                        help="who answers the register accesses: the C model (tlm, default), the "
                             "Verilog block (rtl), or both, compared at each step (lockstep)")
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build",
                        help="where the device program was built (default: build)")
    parser.add_argument("--work", type=pathlib.Path,
                        help="folder for logs and report.json (default: one in the build folder)")
    parser.add_argument("--timeout", type=float, default=280, help="seconds for the whole run")
    parser.add_argument("--trace", action="store_true", help="log each register access too")
    parser.add_argument("--skip-if-missing", action="store_true")
    parser.add_argument("--check-form", action="store_true",
                        help="only say whether the form can run at all, before it is built")
    return parser


def check_form(form):
    if form not in FORMS:
        raise StartError(f"there is no FORM={form}; Linux runs with FORM={', '.join(FORMS[:-1])} "
                         f"or {FORMS[-1]}")


class PowerButton:
    """Wakes a guest that sleeps. Nobody sees from outside when it has fallen asleep, so the button is
    pressed again and again while that is wanted."""

    EVERY = 1.0  # seconds

    def __init__(self, monitor):
        self.monitor = monitor
        self.wanted = False
        self.next = 0

    def want(self, wanted):
        self.wanted = wanted
        self.next = time.monotonic() + self.EVERY

    def press_in_time(self):
        if self.wanted and time.monotonic() >= self.next:
            self.next = time.monotonic() + self.EVERY
            self.monitor.command("system_powerdown")


class Run:
    """One boot. Everything that it starts ends with it."""

    folder = "run"  # in the build folder

    def __init__(self, options):
        self.options = options
        self.start = time.monotonic()
        self.work = (options.work or options.build / self.folder).resolve()
        self.shm_file = self.work / "shm.img"
        try:
            self.work.mkdir(parents=True, exist_ok=True)
            self.shm_file.unlink(missing_ok=True)
        except OSError as error:
            raise StartError(f"{self.work} cannot be written ({error.strerror}); remove it as its "
                             "owner") from error
        self.program = options.build.resolve() / "bin" / PROGRAM
        if not self.program.exists():
            raise StartError(f"{self.program} is not built; run 'make build'")
        self.qemu = TOP / "build/qemu/qemu-system-x86_64"
        self.kernel = TOP / "build/kernels" / options.kernel
        self.token = secrets.token_hex(16)
        self.addresses_file = self.work / "addresses.json"
        self.log = report.GuestLog()
        self.parts = self.make_parts()
        for part in self.parts:
            part.legacy &= options.form == "tlm"  # the others have the modern layout alone
        self.checks = self.guest_checks()
        for part in self.parts:
            part.prepare(self.work, self.token, FILE_BYTES)

    def make_parts(self):
        """The devices, in the order of their pages of BAR0."""
        return parts.all_parts()

    def guest_checks(self):
        """What the guest shall check, in its order: name of the check -> what it proves."""
        return report.guest_checks(self.parts)

    def parameters(self):
        """More parameters of the run for the guest."""
        return {}

    def missing(self):
        """What has to be fetched before the run, in a sentence, or None."""
        if not self.qemu.exists():
            return "no QEMU of at least 10.1; run scripts/get-qemu"
        if not (self.kernel / "version").exists():
            return f"no Linux {self.options.kernel}; run scripts/get-kernel {self.options.kernel}"
        return None

    @property
    def deadline(self):
        return self.start + self.options.timeout

    @contextlib.contextmanager
    def device(self, name, shm_base, window_base, *more):
        """The device process, listening, and the QEMU command line that attaches to it."""
        (self.work / f"{name}.json").unlink(missing_ok=True)
        with tempfile.TemporaryDirectory(prefix="vmmio-") as folder:
            path = pathlib.Path(folder) / "vfio"
            command = [self.program, "--socket", path, "--shm-file", self.shm_file,
                       "--shm-size", SHM_BYTES, "--shm-base", hex(shm_base),
                       "--report", self.work / f"{name}.json", "--control",
                       "--form", self.options.form, *more]
            for part in self.parts:
                part.place(window_base)
                command += [*part.options(), "--rings", f"{part.name}={part.rings}"]
                command += ["--legacy", part.name] if part.legacy else []
            with Child("the device process", command, self.work / f"{name}.log",
                       talks=True) as child:
                for line in follow(child.log, time.monotonic() + 20, child.ended):
                    if line.startswith("ready"):
                        break
                else:
                    raise RunError("the device process ended before it was used", child.log)
                yield child, self.qemu_command(path)

    def qemu_command(self, socket):
        share = next(part for part in self.parts if isinstance(part, parts.Share))
        return qemu.command_line(self.qemu, socket, self.shm_file, SHM_BYTES,
                                 share.window_file, share.WINDOW)

    @contextlib.contextmanager
    def serving(self):
        """What the host does for the guest beside its devices."""
        with contextlib.ExitStack() as stack:
            for part in self.parts:
                part.start()
                stack.callback(part.stop)
            yield

    def addresses(self):
        """Where the firmware places our BARs; asked once for each QEMU and command line."""
        key = qemu.cache_key(self.qemu_command("socket"), [self.work])
        with contextlib.suppress(OSError, ValueError, LookupError):
            return json.loads(self.addresses_file.read_text())[key]
        say("asking the firmware where it places the BARs")
        with self.device("firmware-device", ANY_BASE, 2 * ANY_BASE) as (_, command):
            found = qemu.ask_firmware(command, self.work / "firmware.log")
        self.addresses_file.write_text(json.dumps({key: found}))
        return found

    def boot(self, found):
        """Boots the guest to its end, printing its verdicts as they come."""
        ssdt = guest.compile_ssdt(self.work, qemu.acpi_node(qemu.SLOT), found["bar"],
                                  found["gsi"], len(self.parts))
        initrd = guest.make_initrd(self.work, self.kernel, ssdt)
        parameters = {"token": self.token, "bytes": FILE_BYTES,
                      "checks": ",".join(self.checks),
                      "drivers": ",".join(f"0x{part.device_id:04x}:{part.driver}"
                                          for part in self.parts),
                      "rings": ",".join(f"{slot}:{'legacy+' if part.legacy else ''}{part.rings}"
                                        for slot, part in enumerate(self.parts)),
                      "function": qemu.function(qemu.SLOT),
                      "ivshmem": qemu.function(qemu.IVSHMEM_SLOT), **self.parameters()}
        for part in self.parts:
            parameters.update(part.parameters())
        # The ACPI table names the interrupt line that the firmware chose: Linux shall keep to it.
        # On a host that is busy the timer comes too late for Linux' test of it, and Linux gives up.
        append = "console=ttyS0 quiet panic=-1 acpi_irq_nobalance no_timer_check " + " ".join(
            f"vmmio.{key}={value}" for key, value in parameters.items())
        trace = ["--trace", self.work / "trace.log"] if self.options.trace else []
        console = self.work / "console.log"
        console.write_bytes(b"")
        say(f"booting Linux {(self.kernel / 'version').read_text().strip()}")
        with self.serving(), \
                self.device("device", found["shm_base"], found["window_base"],
                            "--bar", hex(found["bar"]), "--find-token", self.token,
                            *trace) as (device, command):
            command += ["-serial", f"file:{console}", "-kernel", self.kernel / "vmlinuz",
                        "-initrd", initrd, "-append", append]
            with qemu.monitored(command, self.work / "qemu.log",
                                self.deadline) as (machine, monitor):
                self.watch(console, machine, device, PowerButton(monitor))
                machine.finish(5)
            device.finish(30)
        return self.device_report("device")

    def device_report(self, name):
        """What the device process wrote at its end."""
        try:
            return json.loads((self.work / f"{name}.json").read_text())
        except (OSError, ValueError) as error:
            raise RunError(f"the device process left no report: {error}",
                           self.work / f"{name}.log") from error

    def watch(self, console, machine, device, button):
        """Follows the console until QEMU ends, and does what the guest asks for."""
        def ended():
            device.ended()
            if machine.ended():
                return True
            button.press_in_time()
            return False

        for line in follow(console, self.deadline, ended):
            if verdict := self.log.take(line):
                name, passed, detail = verdict
                print(report.table_row(report.check(self.checks[name], passed, detail)), flush=True)
            while self.log.wishes:
                wish = self.log.wishes.pop(0)
                if wish in ("wake", "awake"):
                    button.want(wish == "wake")
                else:
                    device.say(wish)

    def judge(self, found, device):
        """Makes the report and shows what the guest could not judge alone."""
        result = report.make_report(
            self.options.form, self.log, device, self.parts, expected=found, shm_size=SHM_BYTES,
            file_bytes=FILE_BYTES, seconds=time.monotonic() - self.start)
        if not result["checks"][0]["ok"]:
            self.addresses_file.unlink(missing_ok=True)
        shown = [self.checks[name] for name in self.log.verdicts]
        for item in result["checks"]:
            if item["name"] not in shown:
                print(report.table_row(item))
        print("\n".join(report.summary(result)))
        return result


def say(text):
    print(f"vmmio: {text}", flush=True)


def show_tail(path, lines=15):
    """The last lines of a log, for whoever reads the failure."""
    with contextlib.suppress(OSError):
        tail = path.read_text(errors="replace").splitlines()[-lines:]
        print(f"--- end of {path}", *tail, "---", sep="\n")


def attempt(run):
    """Runs to the end and writes report.json whatever happens; gives the exit status."""
    result = {"ok": False, "form": run.options.form, "kernel": run.options.kernel,
              "error": "interrupted"}
    try:
        found = run.addresses()
        result = run.judge(found, run.boot(found))
        if not result["ok"]:
            raise RunError(report.verdict(result), run.work / "console.log")
        return 0
    except RunError as error:
        result["error"] = str(error)
        if error.log:
            show_tail(error.log)
        say(f"error: {error}; logs are in {run.work}")
        return 1
    finally:
        (run.work / "report.json").write_text(json.dumps(result, indent=2) + "\n")


def leave(number, _):
    """Ends the program through its contexts, so that no process stays behind."""
    say("interrupted")
    sys.exit(128 + number)


def main(kind, options):
    """Runs a boot of this kind; gives the exit status."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)
    try:
        check_form(options.form)
        if options.check_form:
            return 0
        run = kind(options)
        if missing := run.missing():
            if options.skip_if_missing:
                print(f"SKIPPED: {missing}")
                return SKIPPED
            raise StartError(missing)
        return attempt(run)
    except StartError as error:
        say(f"error: {error}")
        return 2


if __name__ == "__main__":
    sys.exit(main(Run, option_parser("Boot a stock Linux against the vmmio device.").parse_args()))
