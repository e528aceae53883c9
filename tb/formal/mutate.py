#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Changes vmmio_axil in small ways, and sees whether the tests notice.

All mutants are in one netlist, switched by the value of `mutant`; 0 is the unchanged design. A
mutant is killed if the co-simulation of tb/cosim fails with it, or else if it breaks a contract of
tb/formal. What neither finds is proved equal in all that the outside can see, or it has survived.
Writes build/mutate.csv. The exit status is 0 only if at least 98 % of the mutants that are not
equal are killed and survivors.txt tells of each that is left.
"""

import argparse
import concurrent.futures
import csv
import os
import re
import resource
import subprocess
import sys

import flow
from properties import SETS

WORK = flow.TOP / "build" / "mutate"
TABLE = flow.TOP / "build" / "mutate.csv"
EXPLAINED = flow.HERE / "survivors.txt"
COSIM = flow.TOP / "tb" / "cosim"
SET = "usual"
ENOUGH = 98 # percent
BITS = 10   # of the switch
PROGRAM_CPU = 60   # seconds that a mutant may run; one that hangs is killed as well
FORMAL_DEPTH = 24
CONTRACTS = ("axi", "interrupt", "write_only", "shm", "features", "status", "queues", "config")

# What a port carries means something only in a clock with the other signal.
MEANS = {
    "s_axil_rdata": "s_axil_rvalid",
    "back_notify_data": "back_notify",
    "back_enable_queue": "back_enable_request",
    "back_config_write_word": "back_config_write",
    "back_config_write_strobe": "back_config_write",
    "back_config_write_data": "back_config_write",
    "back_queue_read_data": "queue_word_read",
}

# What holds inside in every clock, because it did in the clock before. That two copies are equal
# follows from it and is hard to find without, so it is proved of both along with that.
INSIDE = """
wire [4:0] slow = {block.w_queue_sel, block.w_queue_ready, block.w_queue_reset, block.w_status,
                   block.w_config};
always @* begin
    inside_kind:     assert (!(skid_aw.kept[7] && skid_aw.kept[6]));
    inside_slow:     assert ((slow & (slow - 5'd1)) == 5'd0);
    inside_step:     assert (block.room_status.step == 2'd0 || (block.w_status && block.w_slow));
    inside_enabling: assert (!block.room_queues.enabling || (block.w_queue_ready && block.w_slow));
    inside_request:  assert (!block.room_config.request || (block.w_config && block.w_slow));
end
"""


def make_mutants(count, seed):
    """Writes netlist.v with the switch as a port, simulated.v without; returns the mutants."""
    WORK.mkdir(parents=True, exist_ok=True)
    settings = " ".join(f"-set {name} {value}" for name, value in SETS[SET].items())
    ours = " ".join(str(source) for source in flow.SOURCES)
    (WORK / "mutants.ys").write_text(f"""
        read_verilog -I{flow.RTL} {ours}
        chparam {settings} vmmio_axil
        hierarchy -check -top vmmio_axil
        prep -flatten -nordff
        mutate -list {count} -seed {seed} -ctrl mutant {BITS} 1 -o list.txt
        script list.txt
        opt_clean
        write_verilog -noattr netlist.v
        splitnets
        write_verilog -noattr split.v
    """)
    flow.run(["yosys", "-q", "-s", "mutants.ys"], WORK, "mutants.log")
    # Verilator takes a mutant that mixes bits of one vector for a loop, hence nets of one bit.
    text = (WORK / "split.v").read_text()
    port = f"  input [{BITS - 1}:0] mutant;\n  wire [{BITS - 1}:0] mutant;\n"
    if text.count(port) != 1:
        sys.exit("mutate: error: the switch is not where it was expected; see build/mutate")
    # For the simulator the switch is a constant of the run.
    switch = f"""  reg [{BITS - 1}:0] mutant;
  initial mutant = $c("std::atoi(std::getenv(\\"VMMIO_MUTANT\\"))");
"""
    (WORK / "simulated.v").write_text(
        text.replace(port, switch).replace(", mutant)", ")").replace("(mutant, ", "("))
    mutants = []
    for line in (WORK / "list.txt").read_text().splitlines():
        words = line.split()
        value = {words[i]: words[i + 1] for i in range(5, len(words) - 1, 1)
                 if words[i].startswith("-")}
        # Of the places that it is said to come from, instances are long.
        places = re.findall(r"(vmmio_\w+\.v:(\d+))\.\d+-(\d+)", line.split(" -src ", 1)[-1])
        place = min(places, key=lambda p: int(p[2]) - int(p[1]), default=("?",))[0]
        other = f"[{value['-ctrlbit']}]" if "-ctrlbit" in value else "" # the bit that decides
        mutants.append({"mutant": int(words[4]), "mode": value["-mode"] + other,
                        "cell": re.sub(r"/\S*/", "", value["-cell"]),
                        "port": f"{value['-port']}[{value['-portbit']}]",
                        "source": place})
    return mutants


def build_program():
    """The tests of tb/cosim around all mutants at once; returns the program."""
    flow.run(["verilator", "--cc", "--prefix", "Vvmmio_axil", "--top-module", "vmmio_axil",
              "--x-initial", "unique", "--trace-fst", "-Wno-fatal", "-Mdir", "cc",
              "simulated.v", COSIM / "timing.vlt"], WORK, "verilator.log")
    # One file each, which is quicker to compile; tb/formal/CMakeLists.txt knows them.
    (WORK / "netlist.cpp").write_text("#include <cstdlib>\n" + "".join(
        f'#include "{path.name}"\n' for path in sorted((WORK / "cc").glob("*.cpp"))))
    (WORK / "tests.cpp").write_text("".join(
        f'#include "{path}"\n' for path in sorted(COSIM.glob("*.cpp"))))
    flow.run([flow.TOP / "scripts" / "build", "release", "rtl_mutants"], WORK, "build.log")
    return flow.TOP / "build" / "bin" / "rtl_mutants"


def simulate(program, number):
    """The first test that fails with this mutant, "hangs", or None; and the seconds of CPU."""
    folder = WORK / "runs" / str(number)
    folder.mkdir(parents=True, exist_ok=True)
    limit = lambda: resource.setrlimit(resource.RLIMIT_CPU, (PROGRAM_CPU, PROGRAM_CPU + 5))
    with open(folder / "log", "wb") as log:
        with subprocess.Popen([program, "--gtest_fail_fast", "--gtest_brief=1"], cwd=folder,
                              stdout=log, stderr=subprocess.STDOUT, preexec_fn=limit,
                              env={**os.environ, "VMMIO_MUTANT": str(number)}) as run:
            _, status, usage = os.wait4(run.pid, 0)
            run.returncode = os.waitstatus_to_exitcode(status)
    said = (folder / "log").read_text(errors="replace")
    failed = re.search(r"\[  FAILED  \] (\S+?)[, ]", said)
    fate = None if run.returncode == 0 else failed[1] if failed else "hangs"
    return fate, usage.ru_utime + usage.ru_stime


class Netlist:
    """An AIGER file that has all mutants, for the model checkers."""

    def __init__(self, name, script):
        (WORK / f"{name}.ys").write_text(script + flow.TO_AND_GATES + f"""
            tee -o {name}.labels select -list t:$assert
            write_aiger -I -B -zinit -map {name}.map {name}.aig
        """)
        flow.run(["yosys", "-q", "-s", f"{name}.ys"], WORK, f"{name}.log")
        self.name = name
        self.aig = flow.Aiger(WORK / f"{name}.aig")
        self.labels = [line.split(".")[-1].strip() for line in
                       (WORK / f"{name}.labels").read_text().splitlines() if "/" in line]
        self.switch = {}
        for line in (WORK / f"{name}.map").read_text().splitlines():
            kind, index, bit, wire = line.split(maxsplit=3)
            if kind == "input" and wire == "mutant":
                self.switch[int(bit)] = int(index) + 1

    def with_mutant(self, number, without=("cover_",)):
        """A file with one mutant and all properties but those whose names begin like that."""
        path = WORK / "runs" / str(number) / f"{self.name}.aig"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.aig.write(path, [i for i, label in enumerate(self.labels)
                              if not label.startswith(without)],
                       {variable: number >> bit & 1 for bit, variable in self.switch.items()})
        return path


def contracts_netlist():
    """For the question whether a mutant breaks a contract.

    The netlist is flat, but the nets of the top have the names of the register block's ports, so
    the contracts of both are bound there.
    """
    binds = []
    for contract in CONTRACTS:
        text = (flow.HERE / f"{contract}.v").read_text()
        binds.append(flow.BIND.search(text)[2])
        (WORK / f"{contract}.v").write_text(flow.BIND.sub("", text))
    values = {**SETS[SET], "DEPENDENCY_COUNT": 0, "DEPENDENCIES": "16'd0", "QUEUE_BITS": 1}
    inner = "\n".join([f"localparam {name} = {value};" for name, value in values.items()] + binds)
    text = (WORK / "netlist.v").read_text()
    (WORK / "with_contracts.v").write_text(flow.with_inner(text, inner))
    files = " ".join(f"{contract}.v" for contract in CONTRACTS)
    return Netlist("contracts", f"""
        read_verilog -sv -formal -I{flow.RTL} -I{flow.HERE} {flow.HERE}/observer.v {files}
        read_verilog -sv -formal with_contracts.v
        hierarchy -check -top vmmio_axil
        prep -flatten -nordff
        memory_map
        async2sync
        chformal -assume -early
        setundef -undriven -anyseq
    """)


def equality_netlist():
    """For the question whether a mutant differs from the design in anything that means something."""
    text = (WORK / "netlist.v").read_text()
    inside = re.sub(r"\b(block|skid_aw)(\.\w+)+", r"\\\g<0> ", INSIDE) # names of the flat netlist
    (WORK / "with_inside.v").write_text(flow.with_inner(text, inside))
    ports = [(way, bits or "", name) for way, bits, name in
             re.findall(r"^  (input|output) (?:\[(\d+):0\] )?(\w+);", text, re.M)]
    width = {name: int(bits or 0) + 1 for _, bits, name in ports}
    inputs = [name for way, _, name in ports if way == "input"]
    outputs = [name for way, _, name in ports if way == "output"]
    lines = ["module equality (" + ", ".join(f"input [{width[n] - 1}:0] {n}" for n in inputs) + ");",
             "reg powered = 1'b0;"]
    for side, number in (("a", f"{BITS}'d0"), ("b", "mutant")):
        lines += [f"wire [{width[name] - 1}:0] {side}_{name};" for name in outputs]
        given = {"mutant": number, "rst": "rst || !powered"}
        binds = [f".{name}({given.get(name, name)})" for name in inputs]
        binds += [f".{name}({side}_{name})" for name in outputs]
        lines.append(f"vmmio_axil {side} ({', '.join(binds)});")
    lines.append("""
reg queue_word_read = 1'b0;
wire in_use = a_back_queue_alive[back_queue_read_queue] ||
              a_back_queue_stop[back_queue_read_queue] ||
              (a_back_enable_request && a_back_enable_queue == back_queue_read_queue);
always @(posedge clk) begin
    powered <= 1'b1;
    queue_word_read <= back_queue_read && a_back_queue_read_ready && in_use && !rst;
    if (powered) begin""")
    for name in outputs:
        means = MEANS.get(name)
        guard = "" if not means else f"!{'' if means not in outputs else 'a_'}{means} || "
        lines.append(f"        same_{name}: assert ({guard}a_{name} == b_{name});")
    lines.append("    end\nend\nendmodule\n")
    (WORK / "equality.v").write_text("\n".join(lines))
    return Netlist("equality", """
        read_verilog -sv -formal with_inside.v equality.v
        hierarchy -check -top equality
        prep -flatten -nordff
        memory_map
        async2sync
        setundef -undriven -zero
        setundef -init -zero
    """)


def judge(mutant, contracts, equality, patience):
    """Fate and proof of a mutant that the co-simulation does not notice."""
    number = mutant["mutant"]
    # Not all that is equal holds what is inside.
    for without, seconds in (((), patience // 4), (("inside_",), patience)):
        compared, _, _ = flow.prove(equality.with_mutant(number, without), seconds,
                                    "orpos; scorr -F 3")
        if compared == "proved":
            return "equal", "PDR"
    outcome, depth, _ = flow.search(contracts.with_mutant(number), FORMAL_DEPTH, patience)
    if outcome == "failed":
        return "killed", f"formal, clock {depth}"
    return "survived", "differs" if compared == "failed" else "unknown"


def explained():
    """Survivors that are explained: {what mutate says of it: why}."""
    lines = [line for line in EXPLAINED.read_text().splitlines()
             if line.strip() and not line.startswith("#")]
    return {line.split(":: ")[0].strip(): line.split(":: ")[1] for line in lines}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=220)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--patience", type=int, default=120, help="seconds for a proof")
    arguments = parser.parse_args()
    lacking = flow.missing_tools(("yosys", "yosys-abc", "verilator", "g++"))
    if lacking:
        sys.exit(f"mutate: error: {lacking}")
    begin = flow.wall()
    mutants = make_mutants(arguments.count, arguments.seed)
    program = build_program()
    print(f"mutate: {len(mutants)} mutants, built after {flow.wall() - begin:.0f} s", flush=True)
    if simulate(program, 0)[0]:
        sys.exit("mutate: error: the unchanged design fails; see build/mutate/runs/0/log")
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        fates = pool.map(lambda mutant: simulate(program, mutant["mutant"]), mutants)
        for mutant, (test, cpu) in zip(mutants, fates):
            mutant.update(fate="killed" if test else "", by=f"cosim, {test}", seconds=round(cpu, 1))
        left = [mutant for mutant in mutants if not mutant["fate"]]
        print(f"mutate: {len(left)} are not noticed by the co-simulation, "
              f"{flow.wall() - begin:.0f} s", flush=True)
        if left:
            contracts, equality = contracts_netlist(), equality_netlist()
            unchanged = pool.submit(flow.search, contracts.with_mutant(0), FORMAL_DEPTH,
                                    arguments.patience)
            judged = pool.map(lambda mutant: judge(mutant, contracts, equality,
                                                   arguments.patience), left)
            for mutant, (fate, by) in zip(left, judged):
                mutant.update(fate=fate, by=by)
                print("{mutant:4} {fate:9} {by:20} {mode:10} {port:12} {source}".format(**mutant),
                      flush=True)
            if unchanged.result()[0] == "failed":
                sys.exit("mutate: error: the unchanged design breaks a contract; see build/mutate/runs/0")
    return report(mutants, begin)


def report(mutants, begin):
    """Table, counts and exit status."""
    with open(TABLE, "w", newline="", encoding="ascii") as file:
        table = csv.DictWriter(file, mutants[0].keys(), lineterminator="\n")
        table.writeheader()
        table.writerows(mutants)
    why = explained()
    bad = 0
    counts = {fate: sum(m["fate"] == fate for m in mutants)
              for fate in ("killed", "equal", "survived")}
    for mutant in mutants:
        if mutant["fate"] == "survived":
            key = "{source} {port} {mode}".format(**mutant)
            print(f"survived: {key}: {why.get(key, 'NOT EXPLAINED')}")
            bad += key not in why
    formal = sum(m["fate"] == "killed" and m["by"].startswith("formal") for m in mutants)
    real = len(mutants) - counts["equal"]
    percent = 100 * counts["killed"] / real if real else 0
    print(f"mutate: {len(mutants)} mutants, {counts['equal']} proved equal; of {real}, "
          f"{counts['killed']} killed ({formal} by proofs alone), {counts['survived']} survived: "
          f"{percent:.1f} %, at least {ENOUGH} % asked; {flow.wall() - begin:.0f} s")
    return 1 if bad or percent < ENOUGH else 0


if __name__ == "__main__":
    sys.exit(main())
