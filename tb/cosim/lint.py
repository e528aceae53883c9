#!/usr/bin/env python3
"""Every tool that reads rtl/ has nothing to say about it, for several sets of parameters: no latch,
no combinational loop, no warning of Verilator -Wall, Icarus -Wall and yosys check -assert."""

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


def yosys(values):
    settings = " ".join(f"-set {name} {value}" for name, value in values.items())
    return ["yosys", "-q", "-e", ".*", "-p",
            f"read_verilog -I{RTL} {' '.join(SOURCES)}; "
            + (f"chparam {settings} vmmio_axil; " if values else "")
            + "hierarchy -check -top vmmio_axil; proc; flatten; opt_clean; "
            "select -assert-none t:$dlatch t:$adlatch t:$dlatchsr; check -assert; "
            "opt; memory -nomap; scc -expect 0; check -assert"]


def commands(values):
    yield ["verilator", "--lint-only", "-Wall", f"-I{RTL}", "--top-module", "vmmio_axil",
           *(f"-G{name}={value}" for name, value in values.items()), *SOURCES]
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
    print(f"{len(SETS)} sets of parameters, {bad} complaints")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
