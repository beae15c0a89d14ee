"""A small C tree, compiled by make with twice as many jobs as CPUs."""

from __future__ import annotations

import random
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from vm.errors import VmError
from vm.workloads.model import Case, Metric, Outcome, Workload
from vm.workloads.words import BESIDE, beside

_FILES_A_SECOND = 2
_FUNCTIONS = 8

#: Where files are in memory; the last is anywhere.
_PLACES = ("/dev/shm", "/tmp", None)

METRICS = (
    Metric("makespan_ns", "ns", "less", "makespan", "time that make takes for all"),
    Metric("files_per_s", "1/s", "more", "throughput", "files that were compiled"),
)

_MAKEFILE = """\
objects := $(patsubst %.c,%.o,$(sort $(wildcard part*.c)))
whole: $(objects)
\tcc -o $@ $^
warm:
\techo 'int main(void) { return 0; }' > warm.c && cc -o warm warm.c
%.o: %.c
\tcc -c -o $@ $<
"""


def write_tree(folder: Path, seed: int, files: int) -> None:
    """So many C files, and a Makefile that links them to one program; the same for a seed."""
    chance = random.Random(seed)
    for part in range(files):
        functions = [_function(f"part{part}_{n}", chance) for n in range(_FUNCTIONS)]
        (folder / f"part{part}.c").write_text("\n".join(functions))
    calls = "".join(f"\tsum += part{part}_0(sum, {part});\n" for part in range(files))
    declared = "".join(f"long part{part}_0(long a, long b);\n" for part in range(files))
    main = f"{declared}int main(void)\n{{\n\tlong sum = 1;\n{calls}\treturn sum == 0;\n}}\n"
    (folder / "part_main.c").write_text(main)
    (folder / "Makefile").write_text(_MAKEFILE)


def _function(name: str, chance: random.Random) -> str:
    lines = [
        f"\tif (a {chance.choice('<>')} {chance.randrange(1000)})"
        f" a {chance.choice(('+=', '-=', '^=', '*='))} b * {chance.randrange(1, 99)}"
        f" + {chance.randrange(99)};\n\telse b = (b << {chance.randrange(1, 9)}) ^ a;\n"
        for _ in range(12)
    ]
    return f"long {name}(long a, long b)\n{{\n{''.join(lines)}\treturn a - b;\n}}\n"


def run(case: Case) -> Outcome:
    """Write the tree where files are in memory, compile and link something small to have the
    compiler there too, and then all of them.

    Raises:
        VmError: make failed.
    """
    files = max(1, round(_FILES_A_SECOND * case.seconds)) * case.cpus
    with tempfile.TemporaryDirectory(dir=_place(), prefix="scxhid-compile-") as name:
        folder = Path(name)
        write_tree(folder, case.seed, files)
        _make(beside(replace(case, load="idle"), "make", "-s", "warm"), folder)
        started = time.monotonic_ns()
        _make(beside(case, "make", "-s", f"-j{2 * case.cpus}", "whole"), folder)
        took_ns = time.monotonic_ns() - started
    return Outcome({"makespan_ns": float(took_ns), "files_per_s": files * 1e9 / took_ns})


def _place() -> str | None:
    mounts = Path("/proc/mounts").read_text().splitlines()
    in_memory = {line.split()[1] for line in mounts if line.split()[2] == "tmpfs"}
    return next((place for place in _PLACES if place in in_memory), None)


def _make(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        raise VmError(f"make failed: {said[-1]}")


WORKLOAD = Workload(
    name="compile",
    about="make compiles four generated C files a CPU and links them, in memory",
    metrics=METRICS,
    run=run,
    programs=(BESIDE,),
    tools=("make", "cc"),
    loads=("idle", "light", "full", "over"),
    seconds=2.0,
)
