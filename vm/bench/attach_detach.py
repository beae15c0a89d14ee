"""Attaching and detaching ``simple`` through a warm pyloader, against a C program on libbpf.

Both open, load, pin, attach, confirm by sysfs that it runs, and detach; neither starts a process
for it. pyloader does besides: it takes the lock, reads what the object says, keeps a copy of it,
clears and reads the exit record, writes the history, and keeps the scheduler as the previous one.
"""

from __future__ import annotations

from vm.bench.floor import BUILD, Floor
from vm.bench.result import Result, Samples, compare
from vm.bench.turns import in_turns, once

SUITE = "attach_detach"
CPUS = 4
_ROUNDS = 15


def sample() -> dict[str, list[float]]:
    """In the guest: ns for attach and detach."""
    from pyloader import ObjectSpec, sched

    path = BUILD / "simple.bpf.o"

    def pyloader() -> None:
        sched.use(ObjectSpec.open(path))
        sched.stop()

    with Floor(BUILD / "attach", str(path), "/sys/fs/bpf/bench") as floor:
        return in_turns({"pyloader": once(pyloader), "c": lambda: floor.ask("go")[0]}, _ROUNDS)


def results(samples: Samples) -> list[Result]:
    words = "C program on libbpf doing the same work"
    return [compare(SUITE, samples, "pyloader", "c", words=words, unit="ms", limit=1.1)]
