#!/usr/bin/env python3
"""Counts the instructions of every case of vmmio-bench under callgrind, writes them to a CSV file
and prints them beside their targets. What a case includes is told in docs/bench.md."""

import argparse
import csv
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from typing import NamedTuple, Optional

TOP = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT_S = 170


class Row(NamedTuple):
    """One row of the table: a case beside its baseline, and its target if it has one."""

    name: str
    baseline: str
    at_most: Optional[float] = None  # instructions per operation
    speed: Optional[float] = None  # at least this fraction of the baseline's
    case: Optional[str] = None  # the case to show, if not the one that the row is named after


ROWS = [
    Row("tlm_read_magic", "base_empty_read", at_most=142),
    Row("tlm_read_status", "base_empty_read", at_most=142),
    Row("tlm_write_queue_sel", "base_empty_write", at_most=200),
    Row("tlm_write_status", "base_empty_write", at_most=200),
    Row("dbg_read_magic", "base_empty_debug", at_most=80),
    Row("shm_dmi_memcpy_4k", "base_memcpy_4k", speed=0.98),
    Row("shm_map_unmap", "base_grant_invalidate", at_most=1000),
    Row("split_roundtrip_1", "base_ring_1", at_most=700),
    Row("split_batch_64", "base_ring_64", at_most=120),
    Row("packed_roundtrip_1", "base_ring_1", at_most=700),
    Row("packed_batch_64", "base_ring_64", at_most=120),
    Row("nodmi_batch_64", "base_ring_64"),
    Row("block_read_512_batch_64", "base_ring_64", at_most=250),
    Row("block_read_512_roundtrip_1", "base_ring_1"),
    Row("rtl_read_magic", "base_empty_read", at_most=2000),
    Row("rtl_write_queue_sel", "base_empty_write", at_most=2000),
    Row("rtl_idle", "base_empty_read", at_most=0.5),  # none, but for one wait that all share
    Row("tlm_read_magic_to_hand_written", "base_register_read", case="tlm_read_magic"),
    Row("tlm_write_queue_sel_to_hand_written", "base_register_write", case="tlm_write_queue_sel"),
    Row("dbg_read_magic_to_hand_written", "base_register_debug", case="dbg_read_magic"),
    Row("tlm_write_status_reset", "base_empty_write"),
    Row("shm_map_unmap_among_64", "base_grant_invalidate"),
    Row("split_roundtrip_1_event_idx", "base_ring_1"),
    Row("split_roundtrip_1_edge", "base_ring_1"),
    Row("split_batch_64_event_idx", "base_ring_64"),
    Row("split_batch_64_chain_2", "base_ring_64"),
    Row("split_batch_64_indirect_2", "base_ring_64"),
    Row("packed_roundtrip_1_event_idx", "base_ring_1"),
    Row("packed_batch_64_event_idx", "base_ring_64"),
    Row("queues_16", "queues_1", speed=0.834),
    Row("queues_256", "queues_1", speed=0.834),
    Row("entropy_64_bytes", "base_ring_1"),
    Row("nodmi_roundtrip_1", "base_ring_1"),
]


def die(message):
    sys.exit(f"bench: error: {message}")


def count(program, folder):
    """Runs the program under callgrind; {case: instructions per operation}, {case: clocks per
    operation} of the cases that have a Verilog clock."""
    command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--collect-atstart=no",
               f"--callgrind-out-file={folder}/callgrind", str(program)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S,
                             check=False)
    except subprocess.TimeoutExpired:
        die(f"{program.name} did not end within {TIMEOUT_S} s under valgrind")
    if run.returncode != 0:
        sys.stderr.write(run.stdout + run.stderr)
        die(f"{program.name} failed under valgrind, see above")
    operations = {name: int(number)
                  for name, number in re.findall(r"^(\w+) (\d+)$", run.stdout, re.MULTILINE)}
    counted = read_dumps(folder)
    if counted.keys() != operations.keys():
        die("the dumps of callgrind and the cases of the program differ: "
            f"{sorted(counted.keys() ^ operations.keys())}")
    clocks = {name: int(number) / operations[name] for name, number
              in re.findall(r"^(\w+): (\d+) clocks$", run.stdout, re.MULTILINE)}
    return {name: counted[name] / operations[name] for name in counted}, clocks


def clock_rate(program):
    """Millions of clocks a second of the Verilog block that is read all the time, on this machine."""
    run = subprocess.run([str(program), "--benchmark_filter=^rtl_read_magic$",
                          "--benchmark_format=json"], capture_output=True, text=True,
                         timeout=TIMEOUT_S, check=False)
    if run.returncode != 0:
        die(f"{program.name} failed:\n{run.stdout}{run.stderr}")
    # SystemC says something before and behind it.
    [result] = json.JSONDecoder().raw_decode(run.stdout[run.stdout.index("{"):])[0]["benchmarks"]
    return result["clocks"] / 1e6


def clock_figures(clocks, rate):
    """[(name, value)] of what is counted in clocks."""
    return [("rtl_cycles_per_access", clocks["rtl_read_magic"]),
            ("rtl_cycles_per_write", clocks["rtl_write_queue_sel"]),
            ("rtl_million_clocks_per_second", rate)]


def read_dumps(folder):
    """{case: instructions} of the dumps that callgrind wrote at the program's request."""
    counted = {}
    for path in pathlib.Path(folder).glob("callgrind*"):
        text = path.read_text()
        case = re.search(r"^desc: Trigger: Client Request: (\w+)$", text, re.MULTILINE)
        total = re.search(r"^totals: (\d+)$", text, re.MULTILINE)
        if case and total:
            counted[case[1]] = int(total[1])
    return counted


def judge(row, instructions, baseline):
    """What the target is and whether it is met, or (None, None) if there is none."""
    if row.at_most is not None:
        return f"<= {row.at_most}", instructions <= row.at_most
    if row.speed is not None:
        return f"{row.speed:g} of base", baseline / instructions >= row.speed
    return None, None


def table(counted):
    """[(name, instructions, baseline, ratio, target, met)] of all rows, the baselines at the end."""
    compared = ROWS + [Row(name, name) for name in sorted(counted) if name.startswith("base_")]
    missing = {row.case or row.name for row in ROWS} - counted.keys()
    if missing:
        die(f"the program did not measure {sorted(missing)}")
    lines = []
    for row in compared:
        instructions, baseline = counted[row.case or row.name], counted[row.baseline]
        lines.append((row.name, instructions, baseline, instructions / baseline,
                      *judge(row, instructions, baseline)))
    return lines


def write_csv(path, lines, clocks=()):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["case", "instr_per_op", "baseline", "ratio"])
        for name, instructions, baseline, ratio, *_ in lines:
            writer.writerow([name, f"{instructions:.1f}", f"{baseline:.1f}", f"{ratio:.3f}"])
        for name, value in clocks:  # not instructions: see docs/bench.md
            writer.writerow([name, f"{value:.2f}", "", ""])


def show(lines):
    """Prints the table; the names of the rows whose target is not met."""
    print(f"{'case':36}{'instr/op':>10}{'baseline':>10}{'ratio':>8}  target")
    for name, instructions, baseline, ratio, target, met in lines:
        verdict = "" if target is None else f"{target:14}{'met' if met else 'NOT MET'}"
        print(f"{name:36}{instructions:10.1f}{baseline:10.1f}{ratio:8.2f}  {verdict}".rstrip())
    missed = [name for name, *_, target, met in lines if target is not None and not met]
    targets = sum(target is not None for *_, target, _ in lines)
    print(f"{targets - len(missed)} of {targets} targets met"
          + (f"; not met: {', '.join(missed)}" if missed else ""))
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build/bench",
                        help="build folder of the preset bench (build/bench)")
    parser.add_argument("--csv", type=pathlib.Path, default=TOP / "build/bench.csv",
                        help="where the figures go (build/bench.csv)")
    parser.add_argument("--check", action="store_true", help="fail if a target is not met")
    options = parser.parse_args()

    program = options.build / "bin/vmmio-bench"
    if not shutil.which("valgrind"):
        die("valgrind is not installed; run 'make setup' or 'apt-get install valgrind'")
    if not program.exists():
        die(f"{program} is not there; run 'make bench', which builds it")
    with tempfile.TemporaryDirectory(prefix="vmmio-bench.") as folder:
        counted, clocks = count(program, folder)
        lines = table(counted)
    figures = clock_figures(clocks, clock_rate(program))
    write_csv(options.csv, lines, figures)
    missed = show(lines)
    for name, value in figures:
        print(f"{name:36}{value:10.2f}")
    print(f"written to {options.csv}; docs/bench.md tells what a case includes")
    return 1 if missed and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
