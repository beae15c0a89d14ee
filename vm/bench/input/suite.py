"""``make bench``: input latency under overload beside the bound and the kernel's own, and what the
load loses. One emulated CPU, which shows latency under overload best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vm.bench.input.cells import Cell
from vm.bench.input.rounds import Plan, key
from vm.bench.input.ways import KERNEL, Way, ways
from vm.bench.result import Result, compare

NAMES = ("input_p50_overload", "input_p99_overload", "input_chain_p99", "input_hogs_share")
CPUS = 1
SCHEDULER = "interactive"

#: At most so many times what SCHED_FIFO for the readers gives, and what the kernel's own does.
_OF_BOUND, _OF_KERNEL = 1.2, 1 / 3
#: Of what a load got without, by how much it may be more than with it.
_OF_LOAD = 1.01

_ALONE = Cell("hogs2", "mouse1000", "alone")
_CHAIN = Cell("hogs2", "mouse125", "chain")
_SELDOM = Cell("hogs2", "mouse125", "alone")
#: Cells that are told beside the first of each suite, by the end of the id.
_OTHERS = {
    "keyboard": Cell("hogs2", "keyboard", "alone"),
    "8_hogs": Cell("hogs8", "mouse1000", "alone"),
    "forks": Cell("forks", "mouse1000", "alone"),
}
_OTHER_CHAINS = {
    "1000": Cell("hogs2", "mouse1000", "chain"),
    "heavy": Cell("hogs2", "mouse125", "heavychain"),
}
_WITH, _WITHOUT = Way(SCHEDULER, is_first=True), Way(SCHEDULER)
_BOUND = Way(KERNEL, is_fifo=True)
#: The bound with the programs attached that give marks: what they cost is in both.
_MARKED_BOUND = Way(KERNEL, is_first=True, is_fifo=True)
PLAN = Plan(
    (*ways((SCHEDULER,)), _MARKED_BOUND),
    (_ALONE, _CHAIN, _SELDOM, *_OTHERS.values(), *_OTHER_CHAINS.values()),
    rounds=5,
)
_BASELINES: Mapping[str, tuple[Way, str, float]] = {
    "": (_BOUND, "readers that are SCHED_FIFO", _OF_BOUND),
    "_vs_kernel": (Way(KERNEL), "the kernel's own scheduler", _OF_KERNEL),
    "_vs_marked": (_MARKED_BOUND, "readers that are SCHED_FIFO and get marks", _OF_BOUND),
}


def results(samples: Mapping[str, Sequence[float]], wanted: Iterable[str]) -> list[Result]:
    """Those of the suites called ``wanted``."""
    made: dict[str, list[Result]] = {
        "input_p50_overload": _latencies(
            "input_p50_overload", _ALONE, _OTHERS, "read_p50", samples
        ),
        "input_p99_overload": _latencies(
            "input_p99_overload", _ALONE, _OTHERS, "read_p99", samples
        ),
        "input_chain_p99": _latencies("input_chain_p99", _CHAIN, _OTHER_CHAINS, "end_p99", samples),
        "input_hogs_share": _shares(samples),
    }
    return [result for name in wanted for result in made[name]]


def _latencies(
    id_: str, first: Cell, others: Mapping[str, Cell], metric: str, samples: Any
) -> list[Result]:
    cells = {"": first, **{f"_{name}": cell for name, cell in others.items()}}
    return [
        compare(
            f"{id_}{end}{versus}",
            samples,
            key(cell, _WITH, metric),
            key(cell, against, metric),
            words=f"{words}; {cell.name}",
            unit="ms",
            limit=limit,
        )
        for end, cell in cells.items()
        for versus, (against, words, limit) in _BASELINES.items()
    ]


def _shares(samples: Any) -> list[Result]:
    """What the hogs had without input first by what they have with it: above 1 is a loss."""
    fifo = "readers that are SCHED_FIFO"
    rows = (
        ("", _ALONE, _WITHOUT, "without", _OF_LOAD),
        ("_125", _SELDOM, _WITHOUT, "without", _OF_LOAD),
        ("_vs_fifo", _ALONE, _BOUND, fifo, None),
        ("_125_vs_fifo", _SELDOM, _BOUND, fifo, None),
    )
    return [
        compare(
            f"input_hogs_share{end}",
            samples,
            key(cell, way, "share"),
            key(cell, _WITH, "share"),
            words=f"CPUs that hogs get with input first; the value: {how}; {cell.name}",
            unit="CPUs",
            limit=limit,
        )
        for end, cell, way, how, limit in rows
    ]
