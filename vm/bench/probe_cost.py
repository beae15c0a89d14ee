"""What the probe of ``scxhid top`` costs: ns for a context switch, and what hackbench loses.

hackbench is nothing but context switches and wake-ups, so it is the worst case. Rounds with and
without the probe take turns, each first in every other round. How long the programs run is the
kernel's own statistic, taken in rounds of their own, for it costs two readings of the clock a run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import TypeVar

from vm.bench.floor import BUILD, Floor, compile_floor, compile_program
from vm.bench.result import Result, Samples, compare

_T = TypeVar("_T")

SUITE = "probe_switch_cost"
CPUS = 2
ROUNDS = 12
_HACKBENCH = ("1", "8", "250")
_PROGRAMS = ("sched_switch", "sched_waking")


def prepare() -> None:
    """Compile what runs in the guest."""
    from pyloader.catalog import find_probe

    compile_program("hackbench")
    compile_floor("run_time")
    for name in ("sched", "look"):
        find_probe(name).open()


def sample(rounds: int = ROUNDS) -> dict[str, list[float]]:
    """In the guest: ns of hackbench ``with`` and ``without`` the probe, and for each switch in it
    ns of the probe's programs (``probe``) and of the CPUs (``switch``)."""
    from pyloader.probes.sched import SchedProbe

    samples: dict[str, list[float]] = {}
    with Floor(BUILD / "hackbench", *_HACKBENCH) as hackbench:

        def without() -> dict[str, float]:
            return {"without": hackbench.ask("go")[0]}

        def with_() -> dict[str, float]:
            with SchedProbe():
                return {"with": hackbench.ask("go")[0]}

        def counted() -> dict[str, float]:
            with SchedProbe() as probe:
                before = int(probe.read()["switches"].sum())
                took_ns, ran_ns = run_times(_PROGRAMS, lambda: hackbench.ask("go")[0])
                switches = int(probe.read()["switches"].sum()) - before
            return {"probe": ran_ns / switches, "switch": took_ns * CPUS / switches}

        order = [without, with_]
        for number in range(rounds + 1):
            order.reverse()
            taken: dict[str, float] = {}
            for take in (*order, counted):
                taken |= take()
            for name, value in taken.items() if number else ():
                samples.setdefault(name, []).append(value)
    return samples


def run_times(programs: Iterable[str], work: Callable[[], _T]) -> tuple[_T, int]:
    """What ``work`` returns, and for how long the programs of those names ran meanwhile, in ns."""
    with ExitStack() as stack:
        all_ = [stack.enter_context(Floor(BUILD / "run_time", name)) for name in programs]
        before = [each.ask("on")[0] for each in all_]
        returned = work()
        after = [each.ask("read")[0] for each in all_]
    return returned, sum(after) - sum(before)


def results(samples: Samples) -> list[Result]:
    return [
        compare(
            SUITE,
            samples,
            "probe",
            "switch",
            words="CPU time of hackbench for each context switch",
            unit="us",
            limit=None,
        ),
        compare(
            f"{SUITE}_hackbench",
            samples,
            "with",
            "without",
            words="hackbench without the probe",
            unit="ms",
            limit=None,
        ),
    ]
