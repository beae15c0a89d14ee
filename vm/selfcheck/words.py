"""What a selfcheck found, in words and as JSON."""

from __future__ import annotations

import dataclasses
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from vm.selfcheck.fixed import ROBUST
from vm.stats import selfcheck as logic
from vm.stats.selfcheck import Checked, Halves, Share

if TYPE_CHECKING:
    from vm.selfcheck.exact import Exact


def checked(found: Sequence[Checked], runs: int) -> str:
    """A table of all metrics, and a line for each of the two figures."""
    rows = [
        ["metric", "spread", "equals called different", "by p alone", "5 % found", "by p alone"]
    ]
    rows += [
        [
            one.metric,
            f"{100 * one.spread:.2g} %",
            _of(one.alarms.told, one.alarms),
            _of(one.alarms.alone, one.alarms),
            _of(one.planted.told, one.planted),
            _of(one.planted.alone, one.planted),
        ]
        for one in found
    ]
    robust = _robust(found)
    told = sum(one.alarms.told for one in found)
    of = sum(one.alarms.of for one in found)
    return "\n".join(
        [
            _aligned(rows),
            f"{runs} runs against {runs} in each comparison.",
            f"False alarms: {told} of {of}, {_percent(told, of)} (at most"
            f" {100 * logic.MOST_ALARMS:g} %).",
            f"Planted slowdown of 5 % found: {_percent(robust.planted.told, robust.planted.of)}"
            f" by {ROBUST} (at least {100 * logic.LEAST_FOUND:g} %); it measured"
            f" {100 * (robust.slowdown - 1):.2f} %.",
        ]
    )


def checked_json(found: Sequence[Checked], runs: int) -> dict[str, Any]:
    metrics = {one.metric: dataclasses.asdict(one) for one in found}
    for one in metrics.values():
        del one["metric"]
    return {"comparisons": found[0].alarms.of, "runs": runs, "metrics": metrics}


def trouble(found: Sequence[Checked]) -> list[str]:
    """Why the check is not met, a part of a sentence each."""
    why = [
        f"{one.metric} called {one.alarms.told} of {one.alarms.of} equals different"
        f" ({one.alarms.alone} by p alone, where chance makes at most"
        f" {logic.most_by_chance(one.alarms.of)})"
        for one in found
        if not one.alarms_met
    ]
    robust = _robust(found)
    if not robust.found_met:
        why.append(
            f"{ROBUST} found {robust.planted.told} of {robust.planted.of} planted slowdowns; with"
            " more runs (--runs), or less else to do for the host, it finds more"
        )
    return why


def halves(found: Halves, differing: Sequence[str]) -> str:
    lines = [f"Every other run against those between: {_shares(found.turns)}."]
    if found.times.of:
        lines.append(f"The first half of the runs against the second: {_shares(found.times)}.")
    lines += [
        f"  {cell.subject}, {cell.workload} {cell.load}, {cell.cpus} CPUs: {metric} drifts"
        for cell, metric in found.drifting
    ]
    lines += [f"  not the same twice: {text}" for text in differing]
    return "\n".join(lines)


def halves_json(found: Halves, differing: Sequence[str]) -> dict[str, Any]:
    return {
        "turns": dataclasses.asdict(found.turns),
        "times": dataclasses.asdict(found.times),
        "drifting": [[*cell.place, cell.subject, metric] for cell, metric in found.drifting],
        "not_identical": list(differing),
    }


def trouble_of_halves(found: Halves, differing: Sequence[str]) -> list[str]:
    """A drift is no fault of the comparison, as runs took turns; it is told and no more."""
    why: list[str] = []
    turns = found.turns
    if turns.told > logic.MOST_ALARMS * turns.of or turns.alone > logic.most_by_chance(turns.of):
        why.append(
            f"equal halves were called different in {turns.told} of {turns.of} comparisons,"
            f" {turns.alone} by p alone"
        )
    if differing:
        why.append(f"exact runs under the same seed differ: {differing[0]}")
    return why


def exact(found: Exact) -> str:
    more = found.more
    return "\n".join(
        [
            f"{len(found.differing)} of {found.seeds} seeds differ in two runs, of"
            f" {found.samples:,} samples each (none may).",
            f"Planted slowdown of 5 %: {more.verdict}, {100 * (more.ratio - 1):.3f} %"
            f" ({100 * (more.low - 1):.3f} to {100 * (more.high - 1):.3f}), p = {more.p:.2g}.",
            *(f"  {text}" for text in found.differing),
        ]
    )


def exact_json(found: Exact) -> dict[str, Any]:
    return {
        "seeds": found.seeds,
        "samples": found.samples,
        "differing": list(found.differing),
        "slowdown": found.more.ratio,
        "verdict": found.more.verdict,
    }


def trouble_of_exact(found: Exact) -> list[str]:
    why: list[str] = []
    if found.differing:
        why.append(f"exact runs are not the same twice: {found.differing[0]}")
    if found.more.verdict != "worse":
        why.append(f"a planted slowdown of 5 % was not found: {found.more.words}")
    return why


@contextmanager
def one_line() -> Generator[Callable[[str], None]]:
    """Tell what is being done, on a terminal only, in one line that is overwritten."""
    begun = time.monotonic()

    def tell(text: str) -> None:
        if sys.stderr.isatty():
            took = time.monotonic() - begun
            print(f"\r\033[K{text}, {took:.0f} s", end="", file=sys.stderr, flush=True)

    try:
        yield tell
    finally:
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def _robust(found: Sequence[Checked]) -> Checked:
    return next(one for one in found if one.metric == ROBUST)


def _shares(share: Share) -> str:
    return (
        f"{share.told} of {share.of} called different, {share.alone} by p ≤ 0.05 alone (chance"
        f" makes {0.05 * share.of:.0f}, at most {logic.most_by_chance(share.of)})"
    )


def _of(count: int, share: Share) -> str:
    return f"{count} of {share.of}"


def _percent(part: int, of: int) -> str:
    return f"{100 * part / of:.3g} %" if of else "-"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
