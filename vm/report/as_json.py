"""What ``bench compare --json`` prints."""

from __future__ import annotations

import math
from typing import Any

from vm.report.blocks import Block, Line
from vm.report.told import Telling
from vm.stats.compare import Difference, Estimate, Row


def as_json(telling: Telling) -> dict[str, Any]:
    """All blocks, with figures as they are in files; what is not known is None."""
    return {
        "change": telling.is_change,
        "sets": [
            {
                "files": told.label,
                "kind": told.document.kind,
                "blocks": [_block(block) for block in told.blocks],
                "without_figures": [
                    {
                        "subject": one.cell.subject,
                        "place": list(one.cell.place),
                        "status": one.status,
                        "reason": one.reason,
                        "runs": list(one.numbers),
                    }
                    for one in told.unusable
                ],
            }
            for told in telling.told
        ],
        "notes": list(telling.notes),
    }


def _block(block: Block) -> dict[str, Any]:
    workload, load, kernel, cpus, topology = block.place
    return {
        "workload": workload,
        "load": load,
        "kernel": kernel,
        "cpus": cpus,
        "topology": topology,
        "baseline": block.baseline or None,
        "rows": [_line(block, line) for line in block.lines],
    }


def _line(block: Block, line: Line) -> dict[str, Any]:
    return {
        "subject": line.subject,
        "runs": line.runs,
        "metrics": {
            column.metric: _figure(block, line.rows[column.metric])
            for column in block.columns
            if column.metric in line.rows
        },
    }


def _figure(block: Block, row: Row) -> dict[str, Any]:
    return {
        "unit": row.unit,
        **_estimate(row.estimate),
        "best": (row.subject, row.metric) in block.best,
        "against": _estimate(row.against) if row.against else None,
        "difference": _difference(row.difference) if row.difference else None,
    }


def _estimate(estimate: Estimate) -> dict[str, Any]:
    return {
        "median": number(estimate.median),
        "low": number(estimate.low),
        "high": number(estimate.high),
        "n": estimate.n,
    }


def _difference(difference: Difference) -> dict[str, Any]:
    return {
        "verdict": difference.verdict,
        "ratio": number(difference.ratio),
        "low": number(difference.low),
        "high": number(difference.high),
        "p": number(difference.p),
        "p_holm": number(difference.p_holm),
        "could_have_seen": number(difference.could_have_seen),
        "runs_needed": difference.needed,
    }


def number(value: float | None) -> float | None:
    """``value``, or None if it is no number: JSON has no NaN."""
    return value if value is not None and math.isfinite(value) else None
