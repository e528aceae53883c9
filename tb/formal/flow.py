# SPDX-License-Identifier: Apache-2.0
"""From Verilog and a contract to an answer: yosys makes an AIGER file, abc decides it."""

import os
import pathlib
import re
import shutil
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
RTL = TOP / "rtl"
SOURCES = sorted(RTL.glob("*.v"))
TOOLS = {"yosys": "yosys", "yosys-abc": "yosys", "yosys-smtbmc": "yosys", "z3": "z3"}
BIND = re.compile(r"^bind (\w+) (.*?;)\n", re.S | re.M)


def missing_tools(names=tuple(TOOLS)):
    """What is not installed, as a sentence; empty if nothing is missing."""
    lacking = [name for name in names if not shutil.which(name)]
    packages = " ".join(sorted({TOOLS.get(name, name) for name in lacking}))
    return f"not installed: {' '.join(lacking)} (Debian: apt-get install {packages})" * bool(lacking)


def run(command, folder, log, check=True):
    """Runs one tool; returns what it said and the seconds of CPU that it took."""
    with open(folder / log, "w", encoding="utf-8") as file:
        with subprocess.Popen([str(word) for word in command], cwd=folder, stdout=file,
                              stderr=subprocess.STDOUT) as tool:
            _, status, usage = os.wait4(tool.pid, 0)
            tool.returncode = os.waitstatus_to_exitcode(status)
    said = (folder / log).read_text(encoding="utf-8")
    if check and tool.returncode:
        last = "\n".join(said.splitlines()[-8:])
        raise RuntimeError(f"{command[0]} failed in {folder}:\n{last}")
    return said, usage.ru_utime + usage.ru_stime


def edited(source, edits):
    """The text of a source with those of the edits that are for it."""
    text = source.read_text()
    for module, old, new in edits:
        if source.stem == module:
            if text.count(old) != 1:
                raise RuntimeError(f"{source.name} has not exactly one '{old}'")
            text = text.replace(old, new)
    return text


def with_inner(text, inner):
    """The text of a module with more at its end."""
    return re.sub(r"^endmodule", lambda _: inner + "\nendmodule", text, flags=re.M)


def write_sources(folder, edits, binds=()):
    """Copies rtl/ with edits, and with what is bound to {module: instance}."""
    for source in SOURCES:
        text = edited(source, edits)
        if source.stem in binds:
            text = with_inner(text, binds[source.stem])
        (folder / source.name).write_text(text)


class Design:
    """A contract bound beside its module, with one set of parameters, as an AIGER file.

    Yosys 0.23 reads `bind` and does nothing, so the instance is moved by hand. `edits` are
    (module, old, new): each replaces a text of rtl/ that occurs once, for a mutant. With `only`,
    the other properties of the contract are left out, which is quicker.
    """

    def __init__(self, contract, values, folder, edits=(), only=None):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        text = (HERE / f"{contract}.v").read_text()
        bind = BIND.search(text)
        self.target = bind[1]
        (folder / f"{contract}.v").write_text(BIND.sub("", text))
        write_sources(folder, edits, {self.target: bind[2]})
        self.seconds = self._synthesise(contract, values, only)
        self.aig = Aiger(folder / "design.aig")
        self.labels = [line.split("/")[-1].strip().split(".")[-1]
                       for line in (folder / "labels.txt").read_text().splitlines() if "/" in line]

    def _synthesise(self, contract, values, only):
        settings = " ".join(f"-set {name} {value}" for name, value in values.items())
        files = " ".join(source.name for source in SOURCES)
        script = f"""
            read_verilog -sv -formal -I{RTL} -I{HERE} {files} {HERE}/observer.v {contract}.v
            chparam {settings} {self.target}
            hierarchy -check -top {self.target}
            prep -flatten -nordff
            {f"delete t:$assert c:*.{only} %d" if only else ""}
            {"delete -output; opt_clean" if only else ""}
            memory_map
            async2sync
            chformal -assume -early
            setundef -undriven -anyseq
            {"setundef -init -zero" if contract in SAME_START else ""}
            {TO_AND_GATES}
            tee -o labels.txt select -list t:$assert
            write_aiger -I -B -zinit -map design.map design.aig
        """
        (self.folder / "design.ys").write_text(script)
        return run(["yosys", "-q", "-s", "design.ys"], self.folder, "yosys.log")[1]

    def constants(self, values):
        """Variables of the AIGER file for {name of an anyconst of the contract: value}."""
        found = {}
        for line in (self.folder / "design.map").read_text().splitlines():
            kind, index, bit, name = line.split(maxsplit=3)
            name = name.split(".")[-1]
            if kind in ("latch", "input") and name in values:
                variable = int(index) + 1 + (self.aig.inputs if kind == "latch" else 0)
                found[variable] = values[name] >> int(bit) & 1
        return found

    def property_file(self, label, constants=None):
        """An AIGER file with this property alone; anyconsts by name may be given a value."""
        name = label + "".join(f".{key}{value}" for key, value in (constants or {}).items())
        path = self.folder / f"{name}.aig"
        self.aig.write(path, [self.labels.index(label)], self.constants(constants or {}))
        return path


# Contracts with a twin, both of which hold the same before power-up; otherwise it is unknown.
SAME_START = {"refused"}

# Up to write_aiger. What leaves the module does not matter: properties are inside.
TO_AND_GATES = """
            opt -keepdc -fast
            delete -output
            opt -full
            techmap
            opt -fast
            dffunmap
            simplemap
            dffunmap
            abc -g AND -fast
            opt_clean
"""


class Aiger:
    """A binary AIGER file, of which single properties are written with some variables fixed."""

    def __init__(self, path):
        data = path.read_bytes()
        header, _, rest = data.partition(b"\n")
        counts = [int(word) for word in header.split()[1:]] + [0, 0]
        self.maximum, self.inputs, latches, outputs, ands, bads, constraints = counts[:7]
        lines = []
        for _ in range(latches + outputs + bads + constraints):
            line, _, rest = rest.partition(b"\n")
            lines.append([int(word) for word in line.split()])
        self.latches = lines[:latches]
        self.bads = [line[0] for line in lines[latches + outputs:latches + outputs + bads]]
        self.constraints = [line[0] for line in lines[latches + outputs + bads:]]
        self.ands = []
        position = 0

        def delta():
            nonlocal position
            value = shift = 0
            while True:
                byte = rest[position]
                position += 1
                value |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    return value

        for index in range(ands):
            left = 2 * (self.inputs + latches + 1 + index)
            first = left - delta()
            self.ands.append((first, first - delta()))

    def write(self, path, bads, constants):
        """Writes these properties; constants are {variable: 0 or 1}."""
        def literal(value):
            fixed = constants.get(value >> 1)
            return value if fixed is None else fixed ^ (value & 1)

        def encode(value):
            out = bytearray()
            while value > 127:
                out.append(value & 127 | 128)
                value >>= 7
            out.append(value)
            return bytes(out)

        out = [b"aig %d %d %d 0 %d %d %d\n" % (self.maximum, self.inputs, len(self.latches),
                                               len(self.ands), len(bads), len(self.constraints))]
        for latch in self.latches:
            out.append(b" ".join(b"%d" % word for word in [literal(latch[0])] + latch[1:]) + b"\n")
        for value in [self.bads[bad] for bad in bads] + self.constraints:
            out.append(b"%d\n" % literal(value))
        left = 2 * (self.inputs + len(self.latches) + 1)
        for first, second in self.ands:
            second, first = sorted((literal(first), literal(second)))
            out.append(encode(left - first) + encode(first - second))
            left += 2
        path.write_bytes(b"".join(out))


def prove(path, seconds, prepare="fold; scorr"):
    """PDR: ("proved" | "failed" | "unknown", frame or None, CPU seconds)."""
    said, cpu = run(["yosys-abc", "-c", f"read_aiger {path.name}; {prepare}; strash; "
                     f"pdr -T {seconds}"], path.parent, path.stem + ".log")
    if "Property proved" in said:
        return "proved", None, cpu
    failed = re.search(r"was asserted in frame (\d+)", said)
    return ("failed", int(failed[1]), cpu) if failed else ("unknown", None, cpu)


def search(path, depth, seconds):
    """Bounded: ("failed" | "bounded" | "unknown", frame or depth, CPU seconds)."""
    said, cpu = run(["yosys-abc", "-c", f"read_aiger {path.name}; fold; strash; "
                     f"bmc3 -F {depth} -T {seconds}"], path.parent, path.stem + ".log")
    failed = re.search(r"was asserted in frame (\d+)", said)
    if failed:
        return "failed", int(failed[1]), cpu
    reached = re.search(r"No output asserted in (\d+) frames.*?Resource limit|"
                        r"No output asserted in (\d+) frames", said)
    frames = int(reached[1] or reached[2]) if reached else 0
    return ("bounded" if frames >= depth else "unknown"), frames, cpu


def wall():
    """Seconds on the wall."""
    return time.monotonic()
