"""Every scheduler and the kernel's own, side by side, in one machine and in turns.

Four loads. hackbench: many processes that only talk. Messages, after schbench's method: from the
stamp of a message thread until the woken worker runs. An interactive task among hogs: how late it
runs after a sleep. Hogs alone: how evenly equal work shares the CPUs, and how much gets done.

Each scheduler is loaded once and attached on its own, without the host, so that a figure is of its
policy. One that cannot be loaded, or that the kernel throws out, is left out and named.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from vm.bench.by_itself import attached
from vm.bench.floor import BUILD, ROOT, Floor, compile_object, compile_program
from vm.bench.result import Result, Samples, compare
from vm.bench.turns import turned

if TYPE_CHECKING:
    from pyloader import BpfObject

SUITE = "schedulers"
CPUS = 2
KERNEL = "kernel"

_CONTESTANTS = "contestants"
_ROUNDS = 3

_PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "hackbench": ("1", "8", "250"),
    "messages": ("1", str(4 * CPUS), "100", "1000"),
    "sleeper": ("20", "1500"),
}
_HOGS_BESIDE = 2 * CPUS
_HOGS_ALONE = 2 * CPUS + 1  # no whole number a CPU, so somebody has to move
_ALONE_S = 1.5

#: What is measured: name → (unit, heading). Less is better, but for the last two.
METRICS: Mapping[str, tuple[str, str]] = {
    "hackbench": ("ms", "hackbench"),
    "wakeup_p50": ("us", "wake-up p50"),
    "wakeup_p99": ("us", "p99"),
    "wakeup_p999": ("us", "p99.9"),
    "interactive_p50": ("ms", "interactive p50"),
    "interactive_p99": ("ms", "p99"),
    "fairness": ("index", "fairness"),
    "work": ("1/s", "work"),
}


def prepare() -> tuple[list[str], list[str]]:
    """Compile the loads and every scheduler; the schedulers' names, and of each left out why."""
    from pyloader.catalog import schedulers
    from pyloader.errors import CompileError

    names: list[str] = []
    said: list[str] = []
    for program in (*_PROGRAMS, "hogs"):
        compile_program(program)
    for name in schedulers():
        try:
            compile_object(ROOT / "schedulers" / f"{name}.bpf.c")
            names.append(name)
        except CompileError as error:
            said.append(f"{name} is left out: {error}")
    (BUILD / _CONTESTANTS).write_text("\n".join(names))
    return names, said


def sample() -> dict[str, list[float]]:
    """In the guest: samples by ``SCHEDULER/METRIC``, times in ns."""
    samples: dict[str, list[float]] = {}
    names = (BUILD / _CONTESTANTS).read_text().split()
    with ExitStack() as stack:
        contenders = _load(names, stack)
        programs = {
            name: stack.enter_context(Floor(BUILD / name, *arguments))
            for name, arguments in _PROGRAMS.items()
        }
        for number in range(_ROUNDS):
            for name in turned([KERNEL, *contenders], number):
                try:
                    taken = _under(contenders.get(name), programs)
                except Exception as error:
                    print(f"{name} is left out: {error}", file=sys.stderr)
                    contenders.pop(name)
                    samples = {k: v for k, v in samples.items() if not k.startswith(f"{name}/")}
                    continue
                for metric, value in taken.items():
                    samples.setdefault(f"{name}/{metric}", []).append(value)
    return samples


def _load(names: Sequence[str], stack: ExitStack) -> dict[str, BpfObject]:
    from pyloader import ObjectSpec, ScxhidError

    loaded: dict[str, BpfObject] = {}
    for name in names:
        try:
            loaded[name] = stack.enter_context(ObjectSpec.open(BUILD / f"{name}.bpf.o").load())
        except ScxhidError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
    return loaded


def _under(scheduler: BpfObject | None, programs: Mapping[str, Floor]) -> dict[str, float]:
    """One round of all loads under ``scheduler``, or under the kernel's own."""
    with attached(scheduler):
        return _measure(programs)


def _measure(programs: Mapping[str, Floor]) -> dict[str, float]:
    _, p50, p99, p999, _ = programs["messages"].ask("go")
    taken: dict[str, float] = {
        "hackbench": programs["hackbench"].ask("go")[0],
        "wakeup_p50": p50,
        "wakeup_p99": p99,
        "wakeup_p999": p999,
    }
    with Floor(BUILD / "hogs", str(_HOGS_BESIDE)) as hogs:
        hogs.ask("started")
        _, p50, p99, _, _ = programs["sleeper"].ask("go")
    taken |= {"interactive_p50": p50, "interactive_p99": p99}
    with Floor(BUILD / "hogs", str(_HOGS_ALONE)) as hogs:
        before = hogs.ask("before")
        time.sleep(_ALONE_S)
        after = hogs.ask("after")
    return taken | shares(before, after)


def shares(before: Sequence[int], after: Sequence[int]) -> dict[str, float]:
    """Jain's index of the hogs' CPU times, and pieces of work a second, between two answers."""
    passed = [b - a for a, b in zip(before, after, strict=True)]
    cpu_ns, pieces = passed[1::2], passed[2::2]
    return {"fairness": jain(cpu_ns), "work": sum(pieces) * 1e9 / passed[0]}


def jain(amounts: Sequence[float]) -> float:
    """Jain's fairness index: 1 if all got the same, 1/n if one got all.

    R. Jain, D. Chiu, W. Hawe, DEC-TR-301, 1984.
    """
    squares = sum(amount * amount for amount in amounts)
    return sum(amounts) ** 2 / (len(amounts) * squares) if squares else 0.0


def results(samples: Samples) -> list[Result]:
    """A row for each scheduler and metric, against the kernel's own; first those of the kernel."""
    names = list(dict.fromkeys(key.split("/")[0] for key in samples))
    names.sort(key=lambda name: (name != KERNEL, name))
    return [
        compare(
            f"{SUITE}/{metric}/{name}",
            samples,
            f"{name}/{metric}",
            f"{KERNEL}/{metric}",
            words="the kernel's own scheduler",
            unit=unit,
            limit=None,
        )
        for metric, (unit, _) in METRICS.items()
        for name in names
    ]
