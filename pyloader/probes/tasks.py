"""What tasks did between two looks: a walk over what the probe ``sched`` sums up of each."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from pyloader import sysfs
from pyloader.catalog import find_probe
from pyloader.closing import Closing
from pyloader.probes.sched import REACHES, SchedProbe

#: What a task does at the moment of the look, in the order of ``enum state``.
STATES = ("sleeps", "waits", "runs")

#: Of each task. ``kind`` is an index into ``sched.KINDS``, ``state`` one into ``STATES``; ``cpu``
#: is -1 where the processor does not keep it with the task; ``priority`` is that of real-time, 1 to
#: 99, of deadline 100, else 0. ``ran`` and ``waiting`` (for a CPU) are parts of the time, 0 to 1;
#: ``switches`` (to the task) and ``wakeups`` (after which it ran) are a second's. Waits are in µs:
#: the mean of those that ended, NaN if none did, and the longest, one that lasts among them.
TASK = np.dtype(
    [
        *(("pid", "i4"), ("tgid", "i4"), ("comm", "S16"), ("kind", "u1"), ("state", "u1")),
        *(("cpu", "i4"), ("nice", "i1"), ("priority", "i2")),
        *((name, "f8") for name in ("ran", "waiting", "switches", "wakeups")),
        *((name, "f8") for name in ("mean_wait_us", "max_wait_us")),
    ]
)

#: struct told of tasks.bpf.c.
TOLD = np.dtype(
    [
        *((name, "u8") for name in ("ran_ns", "waited_ns", "ended_ns", "longest_ns")),
        *((name, "u4") for name in ("waits", "wakeups", "switches")),
        *(("pid", "i4"), ("tgid", "i4"), ("cpu", "i4"), ("priority", "i2"), ("nice", "i1")),
        *(("kind", "u1"), ("state", "u1"), ("comm", "S16")),
    ],
    align=True,
)
_SAME = ("pid", "tgid", "comm", "kind", "state", "cpu", "nice", "priority")


class TaskReader(Closing):
    """Tells of the tasks that ``probe`` sees, each time of the time since the last.

    The probe has to outlive it, and has one reader of tasks at a time.

    Raises:
        NotPermitted, LoadError, AttachError, CompileError: this kernel cannot tell.
    """

    def __init__(self, probe: SchedProbe) -> None:
        source = find_probe("tasks")
        with source.blamed():
            self._object = source.open().load(shared=probe.maps("tasks"))
        try:
            self._link = self._object.attach("walk")
            self._look_ns = self._object.variables["look_ns"]
            self._reach = self._object.variables["reach"]
            self._walk()
        except BaseException:
            self._object.close()
            raise

    def read(self) -> NDArray[np.void]:
        """Records of ``TASK``, of every task that ran or waited since the last read.

        Tasks that slept all the time are not in it, nor are those that have ended.
        """
        before = self._before
        told = self._walk()
        return tasks(told, (self._before - before) / 1e9)

    def close(self) -> None:
        """Let go of it. Again is no error."""
        self._object.close()

    def _walk(self) -> NDArray[np.void]:
        self._reach.value = REACHES.index(sysfs.reach())
        self._before = self._look_ns.value = time.monotonic_ns()
        return np.frombuffer(self._object.walk(self._link), TOLD)


def tasks(told: NDArray[np.void], seconds: float) -> NDArray[np.void]:
    """Records of ``TASK`` from those of ``TOLD`` that a look after so many seconds gave."""
    made = np.zeros(len(told), TASK)
    for name in _SAME:
        made[name] = told[name]
    if seconds < 1e-9:  # less than the clock can tell
        return made
    # A walk takes its time, in which those that it comes to last have run on.
    made["ran"] = np.minimum(told["ran_ns"] / (seconds * 1e9), 1)
    made["waiting"] = np.minimum(told["waited_ns"] / (seconds * 1e9), 1)
    made["switches"] = told["switches"] / seconds
    made["wakeups"] = told["wakeups"] / seconds
    made["mean_wait_us"] = np.divide(
        told["ended_ns"] / 1e3,
        told["waits"],
        out=np.full(len(told), np.nan),
        where=told["waits"] > 0,
    )
    made["max_wait_us"] = told["longest_ns"] / 1e3
    return made
