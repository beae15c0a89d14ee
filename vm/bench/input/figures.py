"""What the rounds say together: medians, and ratios to the bound and to the kernel's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from vm.bench.input.cells import DEVICES, LOADS, SHAPES, Cell
from vm.bench.input.rounds import Plan, key
from vm.bench.input.ways import FIFO, KERNEL, Way
from vm.stats.bootstrap import of_median, of_ratio_in_turns

Samples = Mapping[str, Sequence[float]]

#: Of these the ratio is told as well.
_COMPARED = ("read_p50", "read_p99", "end_p50", "end_p99", "share", "work")
_BASELINES = {"of_bound": FIFO, "of_kernel": KERNEL}
#: Metrics that are times, which say so in their names.
_TIMES = ("read_", "end_", "cpu")


def until(cell: Cell) -> str:
    """What is told of a cell first: ``read`` where the reader has nothing behind it and computes
    next to nothing, else ``end``."""
    return "read" if cell.shape == "alone" else "end"


def figure(values: Sequence[float]) -> dict[str, float]:
    """Median over rounds and its 95 % interval."""
    low, high = of_median(values)
    return {"median": median(values), "low": low, "high": high}


def cells(plan: Plan, samples: Samples) -> list[dict[str, Any]]:
    """An entry for each cell, with one for each way in it, as JSON has it."""
    return [
        {
            "load": cell.load,
            "device": cell.device,
            "shape": cell.shape,
            "hz": DEVICES[cell.device].hz,
            "until": until(cell),
            "words": "; ".join(
                (DEVICES[cell.device].words, SHAPES[cell.shape].words, LOADS[cell.load].words)
            ),
            "ways": {way.name: _way(cell, way, samples) for way in plan.ways},
        }
        for cell in plan.cells
    ]


def _way(cell: Cell, way: Way, samples: Samples) -> dict[str, Any]:
    prefix = key(cell, way, "")
    metrics = [name.removeprefix(prefix) for name in samples if name.startswith(prefix)]
    found: dict[str, Any] = {m: figure(samples[prefix + m]) for m in metrics}
    for name, baseline in _BASELINES.items():
        of = {m: _ratio(cell, way, baseline, m, samples) for m in _COMPARED if m in metrics}
        found[name] = {m: ratio for m, ratio in of.items() if ratio}
    return {_with_unit(name): value for name, value in found.items()}


def _with_unit(name: str) -> str:
    return f"{name}_ns" if name.startswith(_TIMES) else name


def _ratio(
    cell: Cell, way: Way, baseline: str, metric: str, samples: Samples
) -> dict[str, Any] | None:
    other = Way(KERNEL, is_fifo=baseline == FIFO)
    against = samples.get(key(cell, other, metric), ())
    values = samples[key(cell, way, metric)]
    if not against or not median(against):
        return None
    interval = of_ratio_in_turns(values, against)
    return {
        "ratio": median(values) / median(against),
        "low": interval[0] if interval else None,
        "high": interval[1] if interval else None,
    }
