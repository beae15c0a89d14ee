"""The waits of one task by themselves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pyloader.probes.sched import SchedProbe
from pyloader.view.snapshot import ChosenTask


class ChosenReader:
    """``wanted`` is the task that is to be measured, set at any time by any thread."""

    def __init__(self) -> None:
        self.wanted: int | None = None
        self._pid: int | None = None
        self._name = ""

    def read(self, probe: SchedProbe, tasks: NDArray[np.void] | None) -> ChosenTask | None:
        """Of the task that is chosen; its name is taken from ``tasks`` while it is among them."""
        if self.wanted != self._pid:
            self._pid, self._name = self.wanted, ""
            probe.choose(self._pid)
        if self._pid is None:
            return None
        if tasks is not None:
            for name in tasks["comm"][tasks["pid"] == self._pid]:
                self._name = name.decode(errors="replace")
        return ChosenTask(self._pid, self._name, probe.chosen())
