"""Input latency on this machine: every cell in every way, round after round."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vm.bench.input.cells import USUAL, Cell
from vm.bench.input.path import Beside, ReportPath, beside
from vm.bench.input.ways import Way, in_force
from vm.bench.turns import turned

#: Of each ``CELL WAY METRIC`` what every round brought.
Samples = dict[str, list[float]]


@dataclass(frozen=True)
class Plan:
    """What is measured; ``seconds`` of each cell in each round, ``knobs`` those of input first."""

    ways: Sequence[Way]
    cells: Sequence[Cell] = USUAL
    rounds: int = 5
    seconds: float = 1.0
    knobs: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def steps(self) -> int:
        return self.rounds * len(self.ways) * len(self.cells)


def to_json(plan: Plan) -> dict[str, Any]:
    return dataclasses.asdict(plan)


def from_json(said: Mapping[str, Any]) -> Plan:
    """The plan of which ``to_json`` made it."""
    ways = [Way(**way) for way in said["ways"]]
    cells = [Cell(**cell) for cell in said["cells"]]
    return Plan(ways, cells, said["rounds"], said["seconds"], said["knobs"])


def key(cell: Cell, way: Way, metric: str) -> str:
    return f"{cell.name} {way.name} {metric}"


class _Rounds:
    """The devices, and what was measured with them so far."""

    def __init__(self, plan: Plan, tell: Callable[[str], None], path: ReportPath) -> None:
        self.samples: Samples = {}
        self._plan, self._tell = plan, tell
        self._cpus = len(os.sched_getaffinity(0))
        self._path = path
        self._steps = 0

    def round(self, number: int) -> None:
        for way in turned(self._plan.ways, number):
            with in_force(way, self._plan.knobs):
                self._way(way, number)

    def _way(self, way: Way, number: int) -> None:
        cells = self._plan.cells
        for load in dict.fromkeys(cell.load for cell in cells):
            with beside(load, self._cpus) as hogs:
                for cell in cells:
                    if cell.load == load:
                        self._cell(cell, way, number, hogs)

    def _cell(self, cell: Cell, way: Way, number: int, hogs: Beside) -> None:
        self._steps += 1
        self._tell(
            f"{self._steps} of {self._plan.steps}: round {number + 1}, {way.name}, {cell.name}"
        )
        before = hogs.look()
        seconds = self._plan.seconds
        taken = self._path.run(cell, seconds, is_fifo=way.is_fifo, seed=number + 1)
        taken |= hogs.got(before, hogs.look())
        for metric, value in taken.items():
            self.samples.setdefault(key(cell, way, metric), []).append(value)


def measure(plan: Plan, tell: Callable[[str], None]) -> Samples:
    """What came of it; ``tell`` is told before each step. Leaves nothing behind."""
    with ReportPath() as path:
        rounds = _Rounds(plan, tell, path)
        for number in range(plan.rounds):
            rounds.round(number)
        return rounds.samples
