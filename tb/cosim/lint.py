#!/usr/bin/env python3
"""Every tool that reads rtl/ has nothing to say about it, for several sets of parameters: no latch,
no combinational loop, no warning of Verilator -Wall, Icarus -Wall and yosys check -assert. Parameters
out of their range end elaboration and say why."""

import pathlib
import shutil
import subprocess
import sys

RTL = pathlib.Path(__file__).resolve().parents[2] / "rtl"
SOURCES = [str(path) for path in sorted(RTL.glob("*.v"))]
SETS = [
    {},
    {"QUEUES": 1, "QUEUE_SIZES": "16'h8000", "REGIONS": 0, "CONFIG_BYTES": 0},
    {"QUEUES": 16, "QUEUE_SIZES": "256'h" + "0100" * 16, "REGIONS": 2, "CONFIG_BYTES": 60},
    {"QUEUES": 64, "QUEUE_SIZES": "1024'h" + "80000001" * 32, "REGIONS": 8, "CONFIG_BYTES": 253,
     "HOLD_RESET": 0, "FEATURES": "128'hffffffffffffffffffffffffffffffff",
     "DEPENDENCY_COUNT": 1, "DEPENDENCIES": "32'h0001"},
]
# What elaboration refuses, and the beginning of its reason.
REFUSED = [
    ({"QUEUES": 65}, "QUEUES_must_be_1_to_64"),
    ({"REGIONS": 9}, "REGIONS_must_be_0_to_8"),
    ({"CONFIG_BYTES": 257}, "CONFIG_BYTES_must_be_0_to_256"),
    ({"REQUIRED": "128'h2"}, "REQUIRED_must_be_part_of_FEATURES"),
    ({"QUEUES": 4, "QUEUE_SIZES": "32'h01000100"}, "QUEUE_SIZES_must_be_1_to_32768"),
    ({"QUEUE_SIZES": "32'h90000100"}, "QUEUE_SIZES_must_be_1_to_32768"),
    ({"QUEUE_SIZES": "32'h01000041"}, "QUEUE_SIZES_must_be_powers_of_2_without_RING_PACKED"),
]


def yosys(values):
    settings = " ".join(f"-set {name} {value}" for name, value in values.items())
    return ["yosys", "-q", "-e", ".*", "-p",
            f"read_verilog -I{RTL} {' '.join(SOURCES)}; "
            + (f"chparam {settings} vmmio_axil; " if values else "")
            + "hierarchy -check -top vmmio_axil; proc; flatten; opt_clean; "
            "select -assert-none t:$dlatch t:$adlatch t:$dlatchsr; check -assert; "
            "opt; memory -nomap; scc -expect 0; check -assert"]


def verilator(values):
    return ["verilator", "--lint-only", "-Wall", f"-I{RTL}", "--top-module", "vmmio_axil",
            *(f"-G{name}={value}" for name, value in values.items()), *SOURCES]


def commands(values):
    yield verilator(values)
    yield ["iverilog", "-g2005", "-Wall", "-t", "null", f"-I{RTL}", "-s", "vmmio_axil",
           *(f"-Pvmmio_axil.{name}={value}" for name, value in values.items()
             if isinstance(value, int)), *SOURCES]
    yield yosys(values)


def main():
    missing = [tool for tool in ("verilator", "iverilog", "yosys") if not shutil.which(tool)]
    if missing:
        print(f"SKIPPED: not installed: {' '.join(missing)}")
        return 77
    bad = 0
    for values in SETS:
        for command in commands(values):
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            said = (run.stdout + run.stderr).strip()
            if run.returncode or said:
                bad += 1
                print(f"{' '.join(command)}\nended with {run.returncode}:\n{said}\n")
    for values, reason in REFUSED:
        run = subprocess.run(verilator(values), capture_output=True, text=True, check=False)
        if not run.returncode or f"vmmio_parameter_{reason}" not in run.stderr:
            bad += 1
            print(f"{values} is not refused with {reason}:\n{run.stderr}")
    print(f"{len(SETS)} sets of parameters and {len(REFUSED)} that are refused, {bad} complaints")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
