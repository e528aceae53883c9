#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proves the contracts of tb/formal about rtl/, for several sets of parameters.

Each property is proved for ever by PDR. Each cover must be reached, or the proofs beside it may hold
of nothing. Each property has a mutant of rtl/ that must break it. The exit status is 0 only if all of
that is so; 77 is a skip.
"""

import argparse
import collections
import concurrent.futures
import csv
import itertools
import os
import pathlib
import sys

import flow
from properties import (CASES, CONTRACTS, CONTRACTS_OF, FAST_SETS, MUTANT_SETS, MUTANTS, ONLY,
                        SETS, SLOW)

TABLE = flow.TOP / "build" / "formal.csv"
COVER_DEPTH = 60
COLUMNS = ("property", "set", "method", "depth", "seconds", "mutant", "result")


class Row(collections.namedtuple("Row", COLUMNS)):
    """One property and set; result is "ok" or what is wrong."""


def cases(label, name):
    """The values of anyconsts that a property is proved for in a set, each as {constant: value}."""
    values = {constant: ONLY.get(name, {}).get(constant) or range(int(SETS[name].get(count, count)))
              for constant, count in CASES.get(label, {}).items()}
    return [dict(zip(values, case)) for case in itertools.product(*values.values())]


def prove(path, patience):
    """(depth, seconds, what is wrong or nothing) of a property in one case."""
    outcome, frame, cpu = flow.prove(path, patience)
    if outcome == "proved":
        return "unbounded", cpu, ""
    return frame, cpu, f"{outcome} {path.stem}"


def cover(path, patience):
    """The same of a cover."""
    outcome, depth, cpu = flow.search(path, COVER_DEPTH, patience)
    return depth, cpu, "" if outcome == "failed" else "never reached"


def together(jobs):
    """(depth, seconds, result) of all cases of a property."""
    depths, seconds, wrong = zip(*(job.result() for job in jobs))
    first = next((i for i, why in enumerate(wrong) if why), 0)
    return depths[first], sum(seconds), wrong[first] or "ok"


REGISTERED = "o:s_axil_* o:irq %u"
STORAGE = "$dff,$dffe,$sdff,$sdffe,$sdffce"


def registered(folder, values, edits=()):
    """Whether no path leads from an input to an output of the bus without a flip-flop (AXI, A3.2.1)."""
    folder.mkdir(parents=True, exist_ok=True)
    flow.write_sources(folder, edits)
    settings = " ".join(f"-set {name} {value}" for name, value in values.items())
    (folder / "registered.ys").write_text(f"""
        read_verilog -I{flow.RTL} {" ".join(source.name for source in flow.SOURCES)}
        chparam {settings} vmmio_axil
        hierarchy -check -top vmmio_axil
        prep -flatten
        select -assert-count 9 {REGISTERED}
        select -assert-none {REGISTERED} %ci*:-{STORAGE} i:* %i
    """)
    said, cpu = flow.run(["yosys", "-q", "-s", "registered.ys"], folder, "registered.log", False)
    return "ok" if not said else said.splitlines()[0], cpu


def structure(name, arguments):
    """The row of that property."""
    folder = arguments.work / f"axi.{name}"
    result, cpu = registered(folder, SETS[name])
    fate = ""
    if not arguments.fast and not arguments.no_mutants:
        broken = registered(folder.with_suffix(".registered"), SETS[name],
                            [MUTANTS["outputs_are_registers"]])[0]
        fate = "killed" if "selection is not empty" in broken else "SURVIVED"
        result = result if fate == "killed" else "mutant survived"
    return Row("axi.outputs_are_registers", name, "paths", "unbounded", round(cpu, 1), fate, result)


def kill(contract, label, folder, patience):
    """Whether the mutant of a property breaks it, as a text, and the seconds."""
    name = MUTANT_SETS.get(label, "usual")
    design = flow.Design(contract, SETS[name], folder, [MUTANTS[label]], label)
    path = design.property_file(label, cases(label, name)[0])
    outcome, depth, cpu = flow.search(path, COVER_DEPTH, patience)
    return ("killed" if outcome == "failed" else "SURVIVED"), design.seconds + cpu, depth


def one_set(contract, name, arguments, pool):
    """Rows of one contract and set."""
    design = flow.Design(contract, SETS[name], arguments.work / f"{contract}.{name}")
    labels = [label for label in design.labels if not (arguments.fast and label in SLOW)]
    methods = {label: "cover" if label.startswith("cover_") else "pdr" for label in labels}
    jobs = {label: [pool.submit(cover if method == "cover" else prove,
                                design.property_file(label, case), arguments.patience)
                    for case in cases(label, name)[:1 if arguments.fast else None]]
            for label, method in methods.items()}
    for label, method in methods.items():
        depth, cpu, result = together(jobs[label])
        yield Row(f"{contract}.{label}", name, method, depth, round(cpu, 1), "", result)


def mutants(contract, rows, arguments, pool):
    """The rows again, with what became of the mutants."""
    labels = sorted({row.property.split(".")[1] for row in rows if row.method != "cover"})
    jobs = {label: pool.submit(kill, contract, label, arguments.work / f"{contract}.mutant.{label}",
                               arguments.patience)
            for label in labels if label in MUTANTS}
    for row in rows:
        label = row.property.split(".")[1]
        if row.method == "cover":
            yield row
        elif label not in jobs:
            yield row._replace(mutant="none", result="has no mutant")
        else:
            fate = jobs[label].result()[0]
            yield row._replace(mutant=fate, result=row.result if fate == "killed" else
                               "mutant survived")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contract", choices=CONTRACTS, action="append", help="only this one")
    parser.add_argument("--set", choices=SETS, action="append", help="only this one")
    parser.add_argument("--fast", action="store_true",
                        help="what is quick: small sets, one case, no mutants")
    parser.add_argument("--no-mutants", action="store_true", help="leave the mutants out")
    parser.add_argument("--patience", type=int, default=600, help="seconds for a property")
    parser.add_argument("--work", type=pathlib.Path, default=flow.TOP / "build" / "formal",
                        help="folder for what the tools read and write")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    lacking = flow.missing_tools(("yosys", "yosys-abc"))
    if lacking:
        print(f"SKIPPED: {lacking}")
        return 77
    for source in flow.SOURCES: # a mutant that no longer fits is told before the proofs
        for edit in MUTANTS.values():
            flow.edited(source, [edit])
    everything = not (arguments.fast or arguments.contract or arguments.set or
                      arguments.no_mutants)
    rows = []
    begin = flow.wall()
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for contract in arguments.contract or CONTRACTS:
            sets = FAST_SETS.get(contract, ["small"]) if arguments.fast else [
                name for name in SETS if contract in CONTRACTS_OF.get(name, CONTRACTS)]
            own = [row for name in arguments.set or sets
                   for row in one_set(contract, name, arguments, pool)]
            if not (arguments.fast or arguments.no_mutants):
                own = list(mutants(contract, own, arguments, pool))
            if contract == "axi":
                own += [structure(name, arguments) for name in arguments.set or sets]
            for row in own:
                print(f"{row.property:44} {row.set:6} {row.method:6} {row.depth!s:>10} "
                      f"{row.seconds:7.1f} s {row.mutant:9} {row.result}", flush=True)
            rows += own
    if everything:
        with open(TABLE, "w", newline="", encoding="ascii") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(COLUMNS)
            table.writerows(rows)
    bad = [row for row in rows if row.result != "ok"]
    covers = sum(row.method == "cover" for row in rows)
    print(f"formal: {len(rows) - covers} properties, {covers} covers, {len(bad)} wrong, "
          f"{flow.wall() - begin:.0f} s")
    return 1 if bad or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
