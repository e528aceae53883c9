"""The runner of the Linux boot judges rightly: each item fails when what it looks at is wrong."""

import hashlib
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

import bench
import child
import guest
import parts
import qemu
import report
import run

HERE = pathlib.Path(__file__).parent
EXPECTED = {"bar": 0xFEBE0000, "shm_base": 0xF0000000, "window_base": 0xE8000000, "gsi": 11}
SHM_SIZE = 128 << 20
MIB = 1 << 20
FILE_BYTES = MIB
parts.Net.BYTES = parts.Share.BYTES = MIB  # the real sizes take time and prove no more
DEVICE = {"register_accesses": 7, "token_found": {"offset": 4096, "bytes": FILE_BYTES},
          "devices": [{"name": part.name, "device_id": part.device_id, "requests": 3, "bytes": 9}
                      for part in parts.all_parts()]}
GUEST_CHECKS = report.guest_checks(parts.all_parts())
GUEST_LINES = [
    "VMMIO: value kernel=6.12.0",
    "VMMIO: value bar=0x00000000febe0000",
    "VMMIO: value shm_bar=0x00000000f0000000",
    *(f"VMMIO: pass {name} detail" for name in GUEST_CHECKS),
    "VMMIO: value shm_base=0xf0000000",
    f"VMMIO: value shm_length={SHM_SIZE}",
    f"VMMIO: value share_base={EXPECTED['window_base']:#x}",
    f"VMMIO: value share_length={parts.Share.WINDOW:#x}",
    f"VMMIO: value share_written={hashlib.sha256(bytes(parts.Share.BYTES)).hexdigest()}",
    f"VMMIO: value port_sent={hashlib.sha256(bytes(parts.Console.BYTES)).hexdigest()}",
    f"VMMIO: value tcp_sent={hashlib.sha256(bytes(parts.Net.BYTES)).hexdigest()}",
    "VMMIO: value dax_read_mb_s=90.5",
    "VMMIO: value ram_read_mb_s=91.5",
    "VMMIO: end",
]
TOKEN = bytes(range(0xF0, 0x100))
TOOLS = tempfile.TemporaryDirectory(prefix="vmmio-test-")  # compiled once for all tests
guest.compile_guest_tool = lambda _: guest.compile_program(pathlib.Path(TOOLS.name), "guest_tool")


def pattern(count):
    """A pattern file of `count` records."""
    return b"".join(TOKEN + index.to_bytes(8, "little") + bytes(
        (index * 131 + i * 7 + TOKEN[i % 16]) & 0xFF for i in range(40)) for index in range(count))


def good_parts(folder):
    """The devices of a run, with the files that a good run leaves behind."""
    all_parts = parts.all_parts()
    for part in all_parts:
        part.prepare(folder, TOKEN.hex(), FILE_BYTES)
        if part.name == "disk":
            with open(part.path, "r+b") as file:
                file.seek(MIB)
                file.write(pattern(FILE_BYTES // 64))
        if part.name == "console":
            with socket.socket(socket.AF_UNIX) as device:
                device.bind(part.path)
                device.listen()
                part.start()
                port, _ = device.accept()
            with port, port.makefile("rb") as stream:
                assert stream.read(part.BYTES) == part.content
                port.sendall(bytes(part.BYTES))
                part.thread.join()
            part.stop()
            part.screen.write_text(f"noise\r\nthe guest says {part.token}\r\n")
        if part.name == "net":
            part.start()
            with socket.create_connection(part.sink.getsockname()) as guest_side:
                guest_side.sendall(bytes(part.BYTES))
            part.taker.join()  # stop() would end an accept() that has not come to it yet
            part.stop()
        if part.name == "share":
            part.place(EXPECTED["window_base"])
            (part.folder / "dir").mkdir()
            (part.folder / "dir/d").write_text("text\n")
            (part.folder / "dir/c").symlink_to("d")
            (part.folder / "from_guest").write_bytes(bytes(part.BYTES))
    return all_parts


def judged(lines, device=None, spoil=None, form="tlm"):
    """The report of a run in which the guest said `lines`; spoil(parts) damages what is on the host."""
    log = report.GuestLog()
    for line in lines:
        log.take(line)
    with tempfile.TemporaryDirectory() as folder:
        devices = good_parts(pathlib.Path(folder))
        if spoil:
            spoil({part.name: part for part in devices})
        return report.make_report(form, log, device or DEVICE, devices, expected=EXPECTED,
                                  shm_size=SHM_SIZE, file_bytes=FILE_BYTES, seconds=1.25)


def replaced(old, new):
    """The good guest's lines with one of them changed."""
    assert any(old in line for line in GUEST_LINES), old
    return [line.replace(old, new) for line in GUEST_LINES]


class Report(unittest.TestCase):
    def test_passes_a_good_run(self):
        result = judged(GUEST_LINES)
        self.assertTrue(result["ok"], result)
        self.assertEqual(result["shm"], [{"id": 0, "base": 0xF0000000, "length": SHM_SIZE,
                                          "found_by_guest": True}])
        self.assertEqual(result["dax_bytes_verified"], FILE_BYTES)
        self.assertEqual((result["dax_read_mb_s"], result["ram_read_mb_s"]), (90.5, 91.5))
        self.assertEqual(result["register_accesses"], 7)

    def test_reads_lines_behind_kernel_messages(self):
        lines = ["[    1.0] clocksource: tsc" + line for line in GUEST_LINES]
        self.assertTrue(judged(lines)["ok"])

    def test_fails_for_each_guest_check_alone(self):
        for name in GUEST_CHECKS:
            with self.subTest(name):
                result = judged(replaced(f"pass {name} ", f"fail {name} "))
                self.assertFalse(result["ok"])
                self.assertIn(GUEST_CHECKS[name], report.verdict(result))

    def test_fails_when_any_line_is_missing(self):
        for i, line in enumerate(GUEST_LINES):
            with self.subTest(line):
                self.assertFalse(judged(GUEST_LINES[:i] + GUEST_LINES[i + 1:])["ok"])

    def test_fails_when_the_region_is_elsewhere(self):
        result = judged(replaced("shm_base=0xf0000000", "shm_base=0xf8000000"))
        self.assertFalse(result["ok"])
        self.assertFalse(result["shm"][0]["found_by_guest"])

    def test_fails_when_the_region_is_shorter(self):
        self.assertFalse(judged(replaced(f"shm_length={SHM_SIZE}", "shm_length=4096"))["ok"])

    def test_fails_when_linux_moved_a_bar(self):
        result = judged(replaced("bar=0x00000000febe0000", "bar=0x00000000fea00000"))
        self.assertIn("addresses", report.verdict(result))

    def test_fails_when_the_backing_lacks_a_record(self):
        for found in (None, {"offset": 4096, "bytes": FILE_BYTES - 64}):
            with self.subTest(found):
                result = judged(GUEST_LINES, {**DEVICE, "token_found": found})
                self.assertFalse(result["ok"])
                self.assertEqual(result["dax_bytes_verified"], 0)

    def test_fails_when_a_device_did_no_work(self):
        for idle in range(len(DEVICE["devices"])):
            devices = [dict(device) for device in DEVICE["devices"]]
            devices[idle]["requests"] = 0
            with self.subTest(idle):
                self.assertFalse(judged(GUEST_LINES, {**DEVICE, "devices": devices})["ok"])

    def test_has_an_entry_for_each_device(self):
        entries = judged(GUEST_LINES)["devices"]
        self.assertEqual([entry["name"] for entry in entries], ["rng", "pmem", "disk", "rodisk", "console", "net", "share"])
        for entry in entries:
            with self.subTest(entry["name"]):
                self.assertEqual((entry["requests"], entry["bytes"]), (3, 9))
                self.assertTrue(entry["checks"])
                self.assertTrue(all(item["ok"] for item in entry["checks"]), entry)

    def test_counts_the_clocks_of_the_verilog_form(self):
        def devices(clocks):
            return {**DEVICE, "devices": [{**device, "clocks": clocks, "clocks_skipped": 5}
                                          for device in DEVICE["devices"]]}

        for form in ("rtl", "lockstep"):
            with self.subTest(form):
                result = judged(GUEST_LINES, devices(1000), form=form)
                self.assertTrue(result["ok"], result)
                self.assertEqual(result["form"], form)
                count = len(DEVICE["devices"])
                self.assertEqual([entry["clocks"] for entry in result["devices"]], count * [1000])
                self.assertIn(f"{count},000 clocks", "\n".join(report.summary(result)))
                for none in (DEVICE, devices(0)):
                    self.assertFalse(judged(GUEST_LINES, none, form=form)["ok"])

    def test_fails_when_the_disk_lacks_a_record(self):
        def spoil(devices):
            with open(devices["disk"].path, "r+b") as file:
                file.seek(MIB + 64)
                file.write(bytes(64))
        result = judged(GUEST_LINES, spoil=spoil)
        self.assertIn("the file is in the host's image", report.verdict(result))

    def test_fails_when_discarded_blocks_kept_their_room(self):
        def spoil(devices):
            with open(devices["disk"].path, "r+b") as file:
                file.seek(devices["disk"].TAIL)
                file.write(b"x")
        result = judged(GUEST_LINES, spoil=spoil)
        self.assertIn("gave their room back", report.verdict(result))

    def test_fails_when_the_host_got_other_bytes_from_the_console(self):
        result = judged(replaced("port_sent=", "port_sent=0"))
        self.assertIn("the port's bytes reached the host", report.verdict(result))

        def spoil(devices):
            devices["console"].screen.write_text("the guest says nothing")
        self.assertIn("what the guest shows", report.verdict(judged(GUEST_LINES, spoil=spoil)))

    def test_fails_when_the_host_got_other_bytes_from_the_network(self):
        result = judged(replaced("tcp_sent=", "tcp_sent=0"))
        self.assertIn("the guest's bytes reached the host", report.verdict(result))

    def test_fails_when_the_shared_directory_is_not_what_the_guest_made(self):
        def cut(devices):
            (devices["share"].folder / "from_guest").write_bytes(b"short")

        def misname(devices):
            (devices["share"].folder / "dir/d").rename(devices["share"].folder / "dir/e")
        for spoil, words in ((cut, "bytes mapped by the guest"), (misname, "links and names")):
            with self.subTest(words):
                self.assertIn(words, report.verdict(judged(GUEST_LINES, spoil=spoil)))
        moved = judged(replaced("share_base=0xe8000000", "share_base=0xe0000000"))
        self.assertIn("window's base and length", report.verdict(moved))

    def test_takes_the_wishes_of_the_guest(self):
        log = report.GuestLog()
        self.assertIsNone(log.take("VMMIO: ask resize disk 4096"))
        self.assertEqual(log.wishes, ["resize disk 4096"])

    def test_names_a_linux_that_never_came_up(self):
        self.assertIn("did not come up", report.verdict(judged([])))


class Button(unittest.TestCase):
    def test_is_pressed_again_and_again_while_someone_sleeps(self):
        monitor = mock.Mock()
        button = run.PowerButton(monitor)
        with mock.patch.object(run.time, "monotonic") as now:
            presses = []
            for now.return_value, wish in ((0, None), (10, True), (10.5, None), (11, None),
                                           (11.5, None), (12.1, False), (20, None)):
                if wish is not None:
                    button.want(wish)
                button.press_in_time()
                presses.append(monitor.command.call_count)
        self.assertEqual(presses, [0, 0, 0, 1, 1, 1, 1])
        monitor.command.assert_called_with("system_powerdown")


class Bench(unittest.TestCase):
    """The comparison with QEMU's own disk: ratios are of the same round, and what is missing shows."""

    def log(self, *lines):
        log = report.GuestLog()
        for line in lines:
            log.take(f"VMMIO: value {line}")
        return log

    def test_ratios_are_of_the_same_round(self):
        log = self.log("r1_qemu_seq_read=100", "r1_blk_seq_read=50", "r2_qemu_seq_read=10",
                       "r2_blk_seq_read=10", "r3_qemu_seq_read=40", "r3_blk_seq_read=30")
        rows = list(bench.figures(log, 3))
        self.assertEqual(rows, [("qemu", "seq_read", 40, 10, 100, 1, 1, 1),
                                ("blk", "seq_read", 30, 10, 50, 0.75, 0.5, 1)])
        text = "\n".join(bench.table(rows))
        self.assertRegex(text, r"seq_read +40 +30  0\.75 \(0\.50-1\.00\)")

    def test_a_round_without_its_peer_does_not_count(self):
        log = self.log("r1_qemu_fs=1", "r1_fs_rand_read=5", "r2_qemu_rand_read=x")
        self.assertEqual(list(bench.figures(log, 2)), [])

    def test_the_file_is_written_as_numbers(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "out.csv"
            bench.write_csv(path, [("fs", "seq_read", 1, 2, 3, 0.5, 0.25, 1)])
            self.assertEqual(path.read_text().splitlines()[1],
                             "fs,seq_read,1.000,2.000,3.000,0.500,0.250,1.000")

    def test_a_page_in_another_place_is_seen(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(bench, "FILE_BYTES", MIB):
            share = bench.Share(pathlib.Path(folder))
            share.prepare(None, None, None)
            self.assertTrue(share.is_intact())
            with open(share.folder / "file", "r+b") as file:
                file.seek(4096)
                file.write(bench.mark(8192))
            self.assertFalse(share.is_intact())

    @unittest.skipUnless(shutil.which("cc"), "cc is not installed; run 'make setup'")
    def test_the_guest_program_checks_and_marks_each_page(self):
        program = guest.compile_program(pathlib.Path(self.enterContext(
            tempfile.TemporaryDirectory())), "guest_io")
        with tempfile.TemporaryDirectory(dir=program.parent) as folder:
            path = pathlib.Path(folder) / "file"
            path.write_bytes(bytes(4 * 4096))
            words = ["random", "4096", "2", "0.2"]
            read = subprocess.run([program, path, "read", *words], check=False,
                                  stderr=subprocess.PIPE, text=True)
            if "Invalid argument" in read.stderr:
                self.skipTest("the host's temporary folder knows no O_DIRECT")
            self.assertIn("bytes of another place", read.stderr)
            self.assertEqual(read.returncode, 1)
            written = subprocess.run([program, path, "write", "sequential", "4096", "1", "0.2"],
                                     check=False, stdout=subprocess.PIPE, text=True)
            self.assertRegex(written.stdout, r"^OK mb_s=[0-9.]+ requests=[0-9]+\n$")
            self.assertEqual([path.read_bytes()[at:at + 8] for at in range(0, 4 * 4096, 4096)],
                             [bench.mark(at) for at in range(0, 4 * 4096, 4096)])
            self.assertEqual(subprocess.run([program, path, "read", *words], check=False,
                                            stdout=subprocess.DEVNULL).returncode, 0)


class Firmware(unittest.TestCase):
    @staticmethod
    def pci(bar, shm_base):
        return [{"devices": [
            {"slot": qemu.SLOT, "irq": 11, "regions": [{"bar": 0, "address": bar}]},
            {"slot": qemu.IVSHMEM_SLOT, "regions": [{"bar": 0, "address": 0xFEBF0000},
                                                    {"bar": 2, "address": shm_base}]},
            {"slot": qemu.WINDOW_SLOT, "regions": [{"bar": 2, "address": 0xE8000000}]}]}]

    def test_addresses_are_taken_from_the_right_bars(self):
        self.assertEqual(qemu.addresses_in(self.pci(0xFEBE0000, 0xF0000000)), EXPECTED)

    def test_bars_that_are_not_placed_yet_are_waited_for(self):
        self.assertIsNone(qemu.addresses_in(self.pci(-1, 0xF0000000)))
        self.assertIsNone(qemu.addresses_in(self.pci(0xFEBE0000, -1)))


def alive(pid):
    """True until the process has ended, whether or not anyone has asked for its status."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def wait_for_end(test, pid):
    """Fails the test if the process lives on."""
    deadline = time.monotonic() + 20
    while alive(pid):
        test.assertLess(time.monotonic(), deadline, "a process stayed behind")
        time.sleep(0.02)


class Children(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def start(self, code):
        return child.Child("it", [sys.executable, "-c", code], self.folder / "log")

    def test_end_with_their_context(self):
        with self.start("import time; time.sleep(60)") as it:
            self.assertIsNone(it.process.poll())
        self.assertIsNotNone(it.process.poll())

    def test_end_with_a_runner_that_is_killed(self):
        code = ("import child, os, signal, sys\n"
                "it = child.Child('it', ['sleep', '60'], sys.argv[1])\n"
                "print(it.process.pid, flush=True)\n"
                "while os.path.realpath(f'/proc/{it.process.pid}/exe').endswith('setpriv'): pass\n"
                "os.kill(os.getpid(), signal.SIGKILL)\n")
        result = subprocess.run([sys.executable, "-c", code, self.folder / "log"], check=False,
                                cwd=HERE, stdout=subprocess.PIPE)
        wait_for_end(self, int(result.stdout))

    def test_that_fail_are_reported(self):
        with self.start("raise SystemExit(3)") as it:
            with self.assertRaisesRegex(child.RunError, "status 3"):
                it.finish(20)

    def test_that_hang_are_reported(self):
        with self.start("import time; time.sleep(60)") as it:
            with self.assertRaisesRegex(child.RunError, "did not end"):
                it.finish(0.1)

    def test_lines_are_followed_to_the_end(self):
        code = "import time; print('a', flush=True); time.sleep(0.2); print('b\\rc\\r')"
        with self.start(code) as it:
            lines = list(child.follow(it.log, time.monotonic() + 20, it.ended))
        self.assertEqual(lines, ["a", "b\rc"])

    def test_silence_is_not_followed_for_ever(self):
        with self.start("import time; time.sleep(60)") as it:
            with self.assertRaisesRegex(child.RunError, "time is up"):
                list(child.follow(it.log, time.monotonic() + 0.1, it.ended))


class Guest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def need(self, tool):
        try:
            guest.tool(tool)
        except child.RunError as error:
            self.skipTest(str(error))

    def test_the_acpi_table_has_one_page_for_each_device(self):
        self.need("iasl")
        table = guest.compile_ssdt(self.folder, "S20", 0xFEBE0000, 11, 2).read_bytes()
        self.assertEqual(table[:4], b"SSDT")
        for base in (0xFEBE0000, 0xFEBE1000):
            # ACPI 6.4.3.4, 32-bit fixed memory range: tag, length 9, writable, base, size.
            descriptor = (b"\x86\x09\x00\x01" + base.to_bytes(4, "little")
                          + (0x1000).to_bytes(4, "little"))
            self.assertEqual(table.count(descriptor), 1)
        self.assertEqual(table.count(b"LNRO0005"), 2)

    def test_modules_are_found_under_a_path_with_spaces(self):
        kernel = self.folder / "my kernel 6.12"
        modules = self.folder / "tree/lib/modules"
        for folder in (kernel, modules):
            folder.mkdir(parents=True)
        (kernel / "version").write_text("6.12\n")
        for name in ("a.ko", "b.ko"):
            (kernel / name).write_text(name)
        printed = f"insmod {kernel}/a.ko \ninsmod {kernel}/b.ko option=1\ninsmod {kernel}/a.ko \n"
        with (mock.patch.object(guest, "tool", str),
              mock.patch.object(guest, "call", lambda *_: printed.encode())):
            guest.copy_modules(kernel, self.folder / "tree")
        self.assertEqual((self.folder / "tree/modules.list").read_text(),
                         "/lib/modules/a.ko\n/lib/modules/b.ko\n")
        self.assertEqual((modules / "b.ko").read_text(), "b.ko")

    def test_a_failing_tool_is_named(self):
        with self.assertRaisesRegex(child.RunError, "false failed"):
            guest.call("false")

    def tool_says(self, *words):
        program = guest.compile_guest_tool(self.folder)
        return subprocess.run([program, *words], check=False, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)

    def test_the_guest_tool_accepts_its_own_pattern_only(self):
        self.need("cc")
        content = bytearray(pattern(300))
        path = self.folder / "pattern"
        path.write_bytes(content)
        verify = ["verify", path, TOKEN.hex(), str(len(content))]
        self.assertEqual(self.tool_says(*verify).returncode, 0)
        for at in (0, 16, 63, len(content) - 1):
            content[at] ^= 1
            path.write_bytes(content)
            content[at] ^= 1
            with self.subTest(at):
                self.assertRegex(self.tool_says(*verify).stdout, f"record at byte {at // 64 * 64}$")

    def test_the_guest_tool_refuses_a_file_that_is_not_dax(self):
        self.need("cc")
        result = self.tool_says("write-dax", self.folder / "new", "00" * 16, "4096")
        self.assertEqual(result.returncode, 1)
        self.assertIn("not through DAX", result.stdout)

    def test_the_guest_tool_refuses_bytes_that_are_not_random(self):
        self.need("cc")
        self.assertEqual(self.tool_says("random", "/dev/urandom", "4096").returncode, 0)
        result = self.tool_says("random", "/dev/zero", "4096")
        self.assertEqual(result.returncode, 1)


class Forms(unittest.TestCase):
    def test_a_form_that_does_not_exist_is_a_clear_error(self):
        for form in ("rtll", "xyz"):
            result = subprocess.run([sys.executable, HERE / "run.py", "--form", form], check=False,
                                    stdout=subprocess.PIPE, text=True)
            with self.subTest(form):
                self.assertEqual(result.returncode, 2)
                self.assertRegex(result.stdout,
                                 rf"^vmmio: error: there is no FORM={form}; .*"
                                 r"FORM=tlm, rtl or lockstep\n$")


class Folder(unittest.TestCase):
    def test_that_cannot_be_written_is_a_clear_error(self):
        result = subprocess.run([sys.executable, HERE / "run.py", "--work", "/dev/null/run"],
                                check=False, stdout=subprocess.PIPE, text=True)
        self.assertEqual(result.returncode, 2)
        self.assertRegex(result.stdout, r"^vmmio: error: /dev/null/run cannot be written .*\n$")


class Interruption(unittest.TestCase):
    """A run ends at once, in one line, whatever it waits for: here for a device process that never
    gets ready."""

    def interrupt(self, number):
        build = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        pid_file = build / "pid"
        device = build / "bin/vmmio-platform"
        device.parent.mkdir()
        device.write_text(f"#!/bin/sh\necho $$ >{pid_file}.new\nmv {pid_file}.new {pid_file}\n"
                          "exec sleep 60\n")
        device.chmod(0o755)
        with subprocess.Popen([sys.executable, HERE / "run.py", "--build", build,
                               "--skip-if-missing"], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True) as run:
            while not pid_file.exists() and run.poll() is None:
                time.sleep(0.02)
            run.send_signal(number)
            output, _ = run.communicate(timeout=20)
        if output.startswith("SKIPPED: "):
            self.skipTest(output)
        # One that was only just being started ends with the runner, a moment later.
        wait_for_end(self, int(pid_file.read_text()))
        return run.returncode, output.splitlines()[-1]

    def test_from_the_keyboard(self):
        self.assertEqual(self.interrupt(signal.SIGINT), (130, "vmmio: interrupted"))

    def test_by_a_supervisor(self):
        self.assertEqual(self.interrupt(signal.SIGTERM), (143, "vmmio: interrupted"))


if __name__ == "__main__":
    unittest.main()
