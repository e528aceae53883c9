#!/usr/bin/env python3
"""Throughput of one file of the host in one guest: through our block and file system devices, and
through QEMU's own virtio-blk on PCI. Writes bench-linux.csv into the build folder.

QEMU has its own virtio-mmio only on machines without the PCI bus that our devices come by, so it
cannot be in the same guest.
"""

import csv
import pathlib
import shutil
import statistics
import sys
import tempfile

import parts
import qemu
import report
import run

MIB = 1 << 20
FILE_BYTES = 64 * MIB
PAGE = 4096
# name of the load -> read|write, order, bytes of a request, requests at the same time
LOADS = {
    "seq_read": ("read", "sequential", MIB, 1),
    "seq_write": ("write", "sequential", MIB, 1),
    "rand_read": ("read", "random", PAGE, 1),
    "rand_write": ("write", "random", PAGE, 1),
    "rand_read_16": ("read", "random", PAGE, 16),
    "rand_write_16": ("write", "random", PAGE, 16),
}
PEER = "qemu"
TARGETS = {
    PEER: "QEMU's virtio-blk-pci",
    "blk": "vmmio blk",
    "fs": "vmmio fs",
    "fs_dax": "vmmio fs with DAX",
}
MAX_ROUNDS = 9


class Disk(parts.Part):
    """The file as a block device."""

    name = "disk"
    device_id = 2
    driver = "virtio_blk"
    rings = "split+event_idx+indirect"  # as QEMU's disk has them

    def __init__(self, path):
        self.path = path

    def options(self):
        return ["--disk", self.path]


class Share(parts.Share):
    """The folder with the file."""

    rings = Disk.rings
    checks = {}

    def __init__(self, folder):
        self.folder = folder / "share"
        self.window_file = folder / "window"

    def prepare(self, work, token, file_bytes):
        self.folder.mkdir()
        with open(self.folder / "file", "wb") as file:
            for at in range(0, FILE_BYTES, PAGE):
                file.write(mark(at).ljust(PAGE, b"\x5a"))

    def parameters(self):
        return {}

    def is_intact(self):
        """True if each page still begins with its position: no write went to another place."""
        content = (self.folder / "file").read_bytes()
        return len(content) == FILE_BYTES and all(
            content[at:at + 8] == mark(at) for at in range(0, FILE_BYTES, PAGE))


def mark(position):
    """What guest_io writes to the begin of each page."""
    return position.to_bytes(8, "little")


class BenchRun(run.Run):
    """One boot with all that is compared. The file is in the host's memory where there is room, so
    that the host's disk is not what is measured."""

    folder = "run-bench"

    def __init__(self, options):
        self.place = tempfile.TemporaryDirectory(prefix="vmmio-bench-", dir=fast_folder())
        self.files = pathlib.Path(self.place.name)  # for as long as the object
        super().__init__(options)

    def make_parts(self):
        share = Share(self.files)
        return [parts.Entropy(), parts.Pmem(), Disk(share.folder / "file"), share]

    def guest_checks(self):
        return {"bind": report.FIRST_CHECKS["bind"],
                **{f"round_{n}": f"round {n} of {self.options.rounds}"
                   for n in range(1, self.options.rounds + 1)}}

    def parameters(self):
        return {"targets": ",".join(TARGETS), "seconds": self.options.seconds,
                "loads": ",".join(":".join(map(str, (name, *load)))
                                  for name, load in LOADS.items())}

    def qemu_command(self, socket):
        return super().qemu_command(socket) + [
            "-drive", f"if=none,id=disk,format=raw,file.locking=off,file={self.files}/share/file",
            "-device", f"virtio-blk-pci,drive=disk,serial=qemu,addr={qemu.WINDOW_SLOT + 1:x}"]

    def judge(self, found, device):
        result = judge(self, device)
        for item in result["checks"]:
            if item["name"] not in self.checks.values():
                print(report.table_row(item))
        rows = list(figures(self.log, self.options.rounds))
        write_csv(self.options.build / "bench-linux.csv", rows)
        print("\n".join(table(rows)))
        return result


def fast_folder():
    """Where files are in the host's memory, or None if there is no room."""
    memory = pathlib.Path("/dev/shm")
    room = shutil.disk_usage(memory).free if memory.is_dir() else 0
    if room > FILE_BYTES + parts.Share.WINDOW + 16 * MIB:
        return memory
    run.say("the host has no room in /dev/shm: its disk counts, too")
    return None


def judge(bench, device):
    """Whether the figures are worth anything."""
    requests = {d["name"]: d["requests"] for d in device["devices"]}
    used = [part.name for part in bench.parts if part.name in ("disk", "share")]
    checks = [*report.judge_guest(bench.log, bench.checks),
              report.check("both devices served requests", all(requests[name] for name in used),
                           ", ".join(f"{name} {requests[name]}" for name in used)),
              report.check("every page of the file is in its place", bench.parts[-1].is_intact(),
                           f"{FILE_BYTES} bytes")]
    return {"ok": bench.log.ended and all(c["ok"] for c in checks), "form": bench.options.form,
            "kernel": bench.log.values.get("kernel"), "checks": checks, "device": device}


def spread(values):
    """Median, least and greatest."""
    return statistics.median(values), min(values), max(values)


def figures(log, count):
    """A row for each target and load: MB/s, and the ratio to QEMU's disk in the same round."""
    for target in TARGETS:
        for load in LOADS:
            pairs = [(log.real(f"r{n}_{target}_{load}"), log.real(f"r{n}_{PEER}_{load}"))
                     for n in range(1, count + 1)]
            pairs = [(own, peer) for own, peer in pairs if own and peer]
            if pairs:
                yield (target, load, *spread([own for own, _ in pairs]),
                       *spread([own / peer for own, peer in pairs]))


def write_csv(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["target", "load", "mb_s", "mb_s_min", "mb_s_max", "ratio", "ratio_min",
                      "ratio_max"])
        for target, load, *numbers in rows:
            out.writerow([target, load, *(f"{number:.3f}" for number in numbers)])


def table(rows):
    """The lines that show the rows: medians, and in brackets the least and the greatest ratio."""
    if not rows:
        return
    cells = {(row[0], row[1]): row[2:] for row in rows}
    yield f"{'MB/s, and times QEMU':22}" + "".join(f"{title:>30}" for title in TARGETS.values())
    for load in LOADS:
        line = f"{load:22}"
        for target in TARGETS:
            speed, _, _, ratio, low, high = cells.get((target, load), [0] * 6)
            text = f"{speed:,.0f}"
            if target != PEER:
                text += f"  {ratio:.2f} ({low:.2f}-{high:.2f})"
            line += f"{text:>30}"
        yield line


def rounds(text):
    number = int(text)
    if not 1 <= number <= MAX_ROUNDS:
        raise ValueError
    return number


def main():
    parser = run.option_parser("Compare the throughput of our devices with QEMU's own disk.")
    parser.add_argument("--rounds", type=rounds, default=7, help=f"1 to {MAX_ROUNDS}")
    parser.add_argument("--seconds", type=float, default=0.5, help="for each figure")
    parser.set_defaults(timeout=600)
    return run.main(BenchRun, parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
