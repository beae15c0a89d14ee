"""The figures of a bench in short: medians of each cell, with their intervals."""

from __future__ import annotations

from collections import Counter
from typing import Any

from vm.results.model import Cell, Document, Run


def cells(document: Document) -> list[dict[str, Any]]:
    """An entry for each cell: those of one place together, the kernel's own first."""
    from vm.stats.compare import estimate

    groups: dict[Cell, list[Run]] = {}
    for run in document.runs:
        groups.setdefault(run.cell, []).append(run)
    found: list[dict[str, Any]] = []
    for cell, runs in sorted(groups.items(), key=lambda item: _order(item[0])):
        done = [run for run in runs if run.status == "done"]
        metrics: dict[str, Any] = {}
        for name, said in document.workloads[cell.workload]["metrics"].items():
            values = [run.metrics[name] for run in done if name in run.metrics]
            if values:
                one = estimate(values)
                metrics[name] = {
                    "median": one.median,
                    "low": one.low,
                    "high": one.high,
                    "unit": said["unit"],
                }
        found.append(
            {
                "scheduler": cell.scheduler,
                "mode": cell.mode,
                "knobs": dict(cell.knobs),
                "workload": cell.workload,
                "load": cell.load,
                "kernel": cell.kernel,
                "cpus": cell.cpus,
                "topology": cell.topology,
                "runs": dict(Counter(run.status for run in runs)),
                "metrics": metrics,
            }
        )
    return found


def _order(cell: Cell) -> tuple[Any, ...]:
    return (*cell.place, cell.mode != "kernel", cell.subject)


def closing(document: Document) -> str:
    """How many runs there were, and what became of those that do not count."""
    statuses = Counter(run.status for run in document.runs)
    done = statuses.pop("done", 0)
    left_out = ", ".join(f"{number} {status}" for status, number in sorted(statuses.items()))
    rest = f"; {left_out}: these do not count" if left_out else ""
    return f"{done} of {len(document.runs)} runs{rest}."
