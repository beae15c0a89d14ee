"""The cells side by side, for a terminal: a line for each, a column for each way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vm.bench.report import aligned
from vm.bench.result import rounded

Entry = Mapping[str, Any]

_MS = 1e6
_SHOWN = ("p50", "p99")
#: Below it the reports did not come as often as they should, and the figures are of fewer.
_LEAST_RATE = 0.95


def latencies(cells: Sequence[Entry]) -> str:
    """``p50 / p99`` in ms; ``*``: the device fell behind, ``†``: reports were lost."""
    names = _names(cells)
    rows = [("load", "device", "shape", "until", *names)]
    rows += [
        (*(cell[word] for word in ("load", "device", "shape", "until")), *_line(cell, names))
        for cell in cells
    ]
    return aligned(rows, set(range(4, 4 + len(names))))


def hogs(cells: Sequence[Entry]) -> str:
    """What the load got: its part of all CPUs' time, or of the pieces of work that it did under the
    kernel's own scheduler. Empty if there was none."""
    loaded = [cell for cell in cells if any("work" in way for way in cell["ways"].values())]
    if not loaded:
        return ""
    names = _names(cells)
    rows = [("load", "device", "shape", *names)]
    rows += [
        (
            *(cell[word] for word in ("load", "device", "shape")),
            *(_got(cell["ways"][name]) for name in names),
        )
        for cell in loaded
    ]
    return aligned(rows, set(range(3, 3 + len(names))))


def marks(cells: Sequence[Entry]) -> list[str]:
    """What the marks beside the latencies mean, those that there are."""
    shown = latencies(cells)
    words = {
        "*": "the device could not send as often as it should (--json says how often it did)",
        "†": "the reader's queue in the kernel ran full, and reports were lost",
    }
    return [f"{mark} {text}" for mark, text in words.items() if mark in shown]


def _names(cells: Sequence[Entry]) -> list[str]:
    return list(cells[0]["ways"])


def _line(cell: Entry, names: Sequence[str]) -> list[str]:
    return [_latency(cell["ways"][name], cell["until"]) for name in names]


def _latency(way: Entry, until: str) -> str:
    figures = " / ".join(f"{rounded(way[f'{until}_{q}_ns']['median'] / _MS, 3):g}" for q in _SHOWN)
    behind = "*" if way["rate"]["median"] < _LEAST_RATE else ""
    lost = "†" if way["lost"]["median"] > 0 else ""
    return figures + behind + lost


def _got(way: Entry) -> str:
    if "share" in way:
        return f"{way['share']['median']:.1%}"
    ratio = way["of_kernel"].get("work")
    return f"{ratio['ratio']:.2f}×" if ratio else ""
