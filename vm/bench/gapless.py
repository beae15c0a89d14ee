"""A gapless swap between two hosted policies, against a plain swap of the same two.

The same scheduler under two names, as in ``swap_gap``; each round takes both ways. Of a gapless
swap: from the store until the new policy is given its first task, until the old one's last queued
task is with it, and how many tasks those were. Of a plain swap: the time in which neither runs.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from vm.bench import swap_gap
from vm.bench.floor import BUILD, Floor
from vm.bench.result import Result, Samples, compare

SUITE = "gapless"
_ROUNDS = {"": 2, "_loaded": 1}
_GAPLESS, _PLAIN = 10, 5  # swaps of a round
_NO_TASK_NS = 100_000_000  # pyloader waits no longer for a first task

prepare = swap_gap.prepare


def sample() -> dict[str, list[float]]:
    """In the guest: times in ns and tasks, on an idle machine and beside hogs."""
    samples = _sample("")
    with Floor(BUILD / "hogs", str(swap_gap.HOGS)):
        samples |= _sample("_loaded")
    return samples


def _sample(load: str) -> dict[str, list[float]]:
    from pyloader import ObjectSpec, ScxhidError, sched

    # Each read of the host's file system leaves the machine.
    here = Path(tempfile.mkdtemp())
    paths = [shutil.copy(BUILD / f"{name}.bpf.o", here) for name in swap_gap.NAMES]
    first, second = (ObjectSpec.open(path) for path in paths)
    samples: dict[str, list[float]] = {"first_task": [], "drain": [], "drained": [], "plain": []}
    direct = sched.UseOptions(direct=True)
    for _ in range(_ROUNDS[load]):
        sched.use(first)
        sched.use(second)  # from here on both are loaded, in either way
        for _ in range(_GAPLESS):
            done = sched.back().gapless
            if done is None:
                raise ScxhidError("simple was not hosted, so that no swap was gapless")
            samples["first_task"].append(done.first_task_ns or _NO_TASK_NS)
            samples["drain"].append(done.drain_ns)
            samples["drained"].append(done.drained)
        sched.stop()
        sched.use(first, None, direct)
        sched.use(second, None, direct)
        for _ in range(_PLAIN):
            samples["plain"].append(sched.back().gap_ns or 0)
        sched.stop()
    return {f"{name}{load}": taken for name, taken in samples.items()}


def results(samples: Samples) -> list[Result]:
    made: list[Result] = []
    for load, when in (("", ""), ("_loaded", f", {swap_gap.HOGS} hogs")):
        made += [
            compare(
                f"{SUITE}{load}_{name}",
                samples,
                f"{name}{load}",
                f"plain{load}",
                words=f"gap of a plain swap{when}",
                unit="ms",
                limit=None,
            )
            for name in ("first_task", "drain")
        ]
    hogs = {**samples, "hogs": [float(swap_gap.HOGS)] * len(samples["drained_loaded"])}
    words = "tasks that always want to run"
    made.append(
        compare(
            f"{SUITE}_loaded_drained",
            hogs,
            "drained_loaded",
            "hogs",
            words=words,
            unit="tasks",
            limit=None,
        )
    )
    return made
