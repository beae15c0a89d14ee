"""The frequencies of CPUs, as their driver tells them, at little cost."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from pyloader import sysfs
from pyloader.closing import Closing

_EVERY_S = 1.0
_MOST_OPEN = 512  # files: a process may have 1,024 by default


class FrequencyReader(Closing):
    """Keeps the files open, and reads them once a second at most: with 512 CPUs a look is one
    thing, and 512 of them another."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._files: dict[int, int | None] = {}  # None: its driver tells nothing, or it has none
        self._cpus: tuple[int, ...] = ()
        self._told = np.empty(0, np.int32)
        self._at = -_EVERY_S

    def read(self, cpus: Iterable[int]) -> NDArray[np.int32]:
        """MHz of each of ``cpus``, in their order, not older than a second; -1 where none is told.

        The array is shared with the next call: copy it to change it.
        """
        wanted, now = tuple(cpus), self._clock()
        if wanted == self._cpus and now - self._at < _EVERY_S:
            return self._told
        if wanted != self._cpus:  # one that was offline may have a frequency by now
            self.close()
        self._cpus, self._at = wanted, now
        mhz = (self._read(cpu) for cpu in wanted)
        self._told = np.array([-1 if each is None else each for each in mhz], np.int32)
        return self._told

    def close(self) -> None:
        """Close the files. Again is no error; the next read opens them."""
        for fd in self._files.values():
            if fd is not None:
                os.close(fd)
        self._files.clear()

    def _read(self, cpu: int) -> int | None:
        if cpu not in self._files:
            if len(self._files) >= _MOST_OPEN:
                return sysfs.cpu_mhz(cpu)
            self._files[cpu] = sysfs.open_cpu_mhz(cpu)
        fd = self._files[cpu]
        return None if fd is None else sysfs.read_cpu_mhz(fd)
