"""Attaching and detaching ``simple`` through a warm pyloader, against a C program on libbpf.

Both open, load, pin, attach, confirm by sysfs that it runs, and detach; neither starts a process
for it. The object lies in the guest's memory, and pyloader has read once what it says. Besides,
pyloader takes the lock, keeps a copy of the object, clears and reads the exit record, writes the
history, and keeps the scheduler as the previous one.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from vm.bench.floor import BUILD, Floor
from vm.bench.result import Result, Samples, compare
from vm.bench.turns import in_turns, once

SUITE = "attach_detach"
CPUS = 4
_ROUNDS = 25


def sample() -> dict[str, list[float]]:
    """In the guest: ns for attach and detach."""
    from pyloader import ObjectSpec, sched

    # Each read of the host's file system leaves the machine.
    path = Path(shutil.copy(BUILD / "simple.bpf.o", tempfile.mkdtemp()))

    direct = sched.UseOptions(direct=True)  # without the host, as the C program does it

    def pyloader() -> None:
        sched.use(ObjectSpec.open(path), None, direct)
        sched.stop()

    with Floor(BUILD / "attach", str(path), "/sys/fs/bpf/bench") as floor:
        return in_turns({"pyloader": once(pyloader), "c": lambda: floor.ask("go")[0]}, _ROUNDS)


def results(samples: Samples) -> list[Result]:
    words = "C program on libbpf doing the same work"
    return [compare(SUITE, samples, "pyloader", "c", words=words, unit="ms", limit=1.1)]
