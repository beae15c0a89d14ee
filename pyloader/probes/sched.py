"""The probe of CPUs and of the waits of tasks (sched.bpf.c), attached until it is closed."""

from __future__ import annotations

import time
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from pyloader import sysfs
from pyloader.catalog import find_probe
from pyloader.closing import Closing
from pyloader.errors import ScxhidError

#: Of the kinds of tasks, in the order of ``enum kind``.
KINDS = ("idle", "fair", "ext", "rt")
_KIND_BITS = 2
#: What ``sysfs.reach`` says, in the order of ``enum reach``.
REACHES = ("none", "policy", "all")


class SchedProbe(Closing):
    """Sums of all that CPUs did since it was attached.

    Raises:
        NotPermitted, LoadError, AttachError, CompileError: there is nothing to be seen.
    """

    def __init__(self) -> None:
        source = find_probe("sched")
        reach = _reach()
        with source.blamed():
            self._object = source.open().load({"reach": reach})
        try:
            self._cpus = self._object.maps["cpus"]
            self._seen = self._object.variables["reach"]
            # The stamps first: who runs without one did not wait.
            for program in ("sched_waking", "sched_wakeup_new", "sched_migrate_task"):
                self._object.attach(program)
            self._object.attach("sched_switch")
            self._look = self._load_look(reach)
        except BaseException:
            self._object.close()
            raise

    def _load_look(self, reach: int) -> _Look | None:
        """What tells the records what runs; without it a CPU is unknown until it switches."""
        with suppress(ScxhidError):
            return _Look(self.maps("cpus"), reach)
        return None

    def read(self) -> NDArray[np.void]:
        """A record of struct cpu for each possible CPU: shape ``(possible CPUs,)``.

        ``ns`` has the shape ``(len(KINDS),)`` and includes what is running; a CPU that is offline
        has no time at all. ``latency`` is a histogram of ns.
        """
        reach = _reach()
        if reach != self._seen.value:
            self._seen.value = reach
            if self._look:
                self._look.look(reach)
        read = self._cpus.read()[0].copy()
        read["ns"] += read["split_ns"]
        now = time.monotonic_ns()
        runs = read["runs"].astype(np.int64)
        running = np.flatnonzero(runs)
        spent = np.maximum(now - (runs[running] >> _KIND_BITS), 0).astype(np.uint64)
        read["ns"][running, runs[running] & (len(KINDS) - 1)] += spent
        return read

    def choose(self, pid: int | None, whole: bool = False) -> None:
        """From now on keep a histogram of that task's waits, of nobody's for None.

        ``whole``: of all threads of the process ``pid``. What was counted before is forgotten.
        """
        chosen = self._object.variables
        chosen["chosen_pid"].value = chosen["chosen_tgid"].value = 0
        self._object.maps["chosen"].update(0, np.zeros((), self._object.maps["chosen"].value_dtype))
        if pid is not None:
            chosen["chosen_tgid" if whole else "chosen_pid"].value = pid

    def chosen(self) -> NDArray[np.uint64]:
        """How long the chosen one waited, once woken, until it ran: a histogram of ns since it was
        chosen, shape ``(NR_BUCKETS,)``."""
        return self._object.maps["chosen"].read()["latency"][0].copy()

    def maps(self, *names: str) -> dict[str, int]:
        """Descriptors of maps, for a program set that shares them."""
        fds = self._object.map_fds()
        return {name: fds[name] for name in names}

    def programs(self) -> dict[str, int]:
        """Descriptors of the programs that are attached."""
        return self._object.program_fds()

    def close(self) -> None:
        """Take it off. Again is no error."""
        if self._look:
            self._look.close()
        self._object.close()


class _Look(Closing):
    """The program ``look``, which tells the records of ``sched`` what runs at this moment.

    Raises:
        LoadError, AttachError: the kernel does not tell a program what runs.
    """

    def __init__(self, shared: dict[str, int], reach: int) -> None:
        self._object = find_probe("look").open().load(shared=shared)
        try:
            self._reach = self._object.variables["reach"]
            self.look(reach)
        except BaseException:
            self._object.close()
            raise

    def look(self, reach: int) -> None:
        self._reach.value = reach
        self._object.run("look")

    def close(self) -> None:
        self._object.close()


def _reach() -> int:
    return REACHES.index(sysfs.reach())
