"""The figures of a bench in short: medians of each cell, with their intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from vm.results.model import Cell, Document, Run

#: Metrics of a workload that a table on the terminal has room for; the first are the headlines.
_COLUMNS = 4

_SCALES = ((1e9, "s"), (1e6, "ms"), (1e3, "us"), (1.0, "ns"))


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


def table(document: Document, entries: Sequence[Mapping[str, Any]]) -> str:
    """Aligned columns, a block for each workload."""
    blocks: list[str] = []
    for workload, said in document.workloads.items():
        names = list(said["metrics"])[:_COLUMNS]
        rows = [[workload, "load", "machine", "kernel", "runs", *names]]
        for entry in entries:
            if entry["workload"] != workload:
                continue
            knobs = "".join(f":{name}={value}" for name, value in entry["knobs"].items())
            mode = "" if entry["mode"] == "kernel" else f" ({entry['mode']})"
            rows.append(
                [
                    f"{entry['scheduler']}{knobs}{mode}",
                    entry["load"],
                    entry["topology"] or f"{entry['cpus']} CPU{'s' if entry['cpus'] > 1 else ''}",
                    entry["kernel"].partition("+")[0],
                    str(entry["runs"].get("done", 0)),
                    *(_shown(entry["metrics"].get(name)) for name in names),
                ]
            )
        blocks.append(_aligned(rows))
    return "\n\n".join(blocks)


def closing(document: Document) -> str:
    """How many runs there were, and what became of those that do not count."""
    statuses = Counter(run.status for run in document.runs)
    done = statuses.pop("done", 0)
    left_out = ", ".join(f"{number} {status}" for status, number in sorted(statuses.items()))
    rest = f"; {left_out}: these do not count" if left_out else ""
    return f"Medians over runs and their 95 % intervals; {done} of {len(document.runs)} runs{rest}."


def _shown(figure: Mapping[str, Any] | None) -> str:
    if figure is None:
        return "-"
    scale, unit = 1.0, ""
    if figure["unit"] == "ns":
        scale, unit = next(((s, u) for s, u in _SCALES if abs(figure["median"]) >= s), _SCALES[-1])
        unit = f" {unit}"
    middle, low, high = (figure[name] / scale for name in ("median", "low", "high"))
    if f"{low:.3g}" == f"{high:.3g}":
        return f"{middle:.3g}{unit}"
    return f"{middle:.3g} ({low:.3g}–{high:.3g}){unit}"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at < 4 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
