"""The price of switching in exact runs: hackbench and a ping-pong, counted in instructions.

On one virtual CPU whose clock is the count of instructions the time that a program takes is the
work that the kernel and it did: no cache, no other program and no host is in it. So a difference of
one part in a thousand can be seen. What it cannot show is that instructions differ in price: an
indirect jump, which is what the host adds, costs more than others on a processor that guards it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from vm.bench.floor import compile_program
from vm.bench.result import Result, Samples, compare
from vm.errors import VmError

if TYPE_CHECKING:
    from vm.exact.subject import Subject

OVERHEAD = "host_overhead"
INTERACTIVE = "interactive_hackbench"

SEEDS = range(1, 4)

_POLICY = "simple"
_ROUNDS = 2000
_SWITCHES = 2 * _ROUNDS


@dataclass(frozen=True)
class Program:
    """A workload: run ``times`` times with those arguments; the first time does not count."""

    name: str
    arguments: tuple[str, ...]
    times: int = 4


PROGRAMS = (
    Program("pingpong", (str(_ROUNDS),)),
    Program("hackbench", ("1", "10", "50")),
)

#: The measured time of each program in ns, by its name.
Times = Mapping[str, float]


def measure_overhead(tell: Callable[[str], None]) -> list[Result]:
    """The same policy by itself and in the host."""
    from vm.exact.subject import subject

    ways = {"direct": subject(_POLICY, direct=True), "hosted": subject(_POLICY)}
    if ways["hosted"].mode != "hosted":
        raise VmError(f"{_POLICY} cannot be hosted, so the host cannot be measured with it")
    return overhead_results(_in_turns(ways, PROGRAMS, tell))


def overhead_results(taken: Mapping[str, Sequence[Times]]) -> list[Result]:
    """Of hackbench, and of one context switch of the ping-pong."""
    hackbench, switch = _samples(taken, "hackbench"), _samples(taken, "pingpong", _SWITCHES)
    words = f"the same, {_POLICY} attached without the host"
    return [
        compare(OVERHEAD, hackbench, "hosted", "direct", words=words, unit="ms", limit=1.01),
        compare(
            f"{OVERHEAD}_switch",
            switch,
            "hosted",
            "direct",
            words=f"a switch of a ping-pong, {_POLICY} without the host",
            unit="ns",
            limit=None,
        ),
    ]


def measure_interactive(tell: Callable[[str], None]) -> list[Result]:
    """hackbench under `interactive` and under the kernel's own."""
    from vm.exact.subject import subject

    ways = {"kernel": subject("kernel"), "interactive": subject("interactive", direct=True)}
    taken = _in_turns(ways, PROGRAMS[1:], tell)
    words = "the kernel's own scheduler, 1 CPU"
    return [
        compare(
            INTERACTIVE,
            _samples(taken, "hackbench"),
            "interactive",
            "kernel",
            words=words,
            unit="ms",
            limit=1.05,
        )
    ]


def _samples(taken: Mapping[str, Sequence[Times]], program: str, parts: int = 1) -> Samples:
    return {way: [times[program] / parts for times in runs] for way, runs in taken.items()}


def _in_turns(
    ways: Mapping[str, Subject], programs: Sequence[Program], tell: Callable[[str], None]
) -> dict[str, list[Times]]:
    taken: dict[str, list[Times]] = {way: [] for way in ways}
    for seed in SEEDS:
        for way, what in ways.items():
            tell(f"{way}, seed {seed} of {len(SEEDS)}")
            taken[way].append(_run(what, programs, seed))
    return taken


def _run(what: Subject, programs: Sequence[Program], seed: int) -> Times:
    """One machine with one CPU: attach, run the programs, detach."""
    from vm.exact.run import session

    files = {program.name: compile_program(program.name).read_bytes() for program in programs}
    result = session([what], body(programs, seed), cpus=1, seed=seed, files=files)
    return answers(result.report.said, programs)


def body(programs: Sequence[Program], seed: int) -> list[str]:
    """The lines of the guest's plan.

    With the seed the programs begin at another place between two ticks.
    """
    lines = [f"sleep {20 + seed}"]
    for program in programs:
        lines += [" ".join(("run", f"/files/{program.name}", *program.arguments))] * program.times
    return lines


def answers(said: Sequence[str], programs: Sequence[Program]) -> Times:
    """The median of what each program said, the first time left out."""
    from statistics import median

    if len(said) != sum(program.times for program in programs):
        raise VmError("the exact machine's report has not the answer of every program")
    figures = iter(map(int, said))
    taken = {program.name: list(islice(figures, program.times)) for program in programs}
    return {name: median(values[1:]) for name, values in taken.items()}
