"""The table of the suite ``schedulers``: a line for each scheduler, a column for each metric."""

from __future__ import annotations

from collections.abc import Iterable

from vm.bench.contest import METRICS, SUITE
from vm.bench.report import aligned
from vm.bench.result import Result, rounded


def belongs(result: Result) -> bool:
    """Whether it is one of this table's, and not a line of the other."""
    return result.id.startswith(f"{SUITE}/")


def table(results: Iterable[Result]) -> str:
    """Values with units in the heading; in brackets the ratio to the kernel's own and its interval.

    Empty if there are none.
    """
    cells: dict[str, dict[str, str]] = {}
    for result in filter(belongs, results):
        _, metric, name = result.id.split("/")
        cells.setdefault(name, {})[metric] = cell(result)
    if not cells:
        return ""
    metrics = [metric for metric in METRICS if any(metric in row for row in cells.values())]
    head = ("scheduler", *(f"{METRICS[m][1]}, {METRICS[m][0]}" for m in metrics))
    rows = [(name, *(row.get(metric, "") for metric in metrics)) for name, row in cells.items()]
    return aligned([head, *rows], right=set(range(1, len(head))))


def cell(result: Result) -> str:
    """``12.3 (1.1×, 0.9 to 1.2)``; the kernel's own, and what has no interval, without brackets."""
    value = f"{rounded(result.value, 3):g}"
    if result.interval is None or result.interval == (1.0, 1.0):
        return value
    low, high = result.interval
    return f"{value} ({result.ratio:.2g}×, {low:.2g} to {high:.2g})"
