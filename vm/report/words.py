"""A difference in as few words as there is room for, the same in tables, pages and summaries."""

from __future__ import annotations

import math
from collections.abc import Iterable

from vm.report.blocks import Block
from vm.report.units import ratio_text
from vm.stats.compare import Difference, shown_ratio

BETTER, WORSE, SAME, FEW = "▲", "▼", "≈", "?"

_INTRODUCTION = "Medians over runs and their 95 % intervals"


def mark(difference: Difference) -> str:
    """One sign for the verdict."""
    return {"better": BETTER, "worse": WORSE, "no difference seen": SAME}.get(
        difference.verdict, FEW
    )


def short(difference: Difference) -> str:
    """``▲ 0.82×``, ``▼ 14×``, ``≈ (3 %)``, ``? 1.3×``."""
    sign = mark(difference)
    if sign != SAME:
        # A baseline of nothing has no ratio.
        return f"{sign} {ratio_text(difference.ratio)}" if _known(difference.ratio) else sign
    seen = difference.could_have_seen
    return f"{SAME} ({shown_ratio(seen)})" if seen is not None else SAME


def legend(blocks: Iterable[Block]) -> str:
    """What the signs in ``blocks`` mean, in one line; empty where there is nothing to tell."""
    found = list(blocks)
    differences = [
        row.difference
        for block in found
        for line in block.lines
        for column in block.columns
        if (row := line.rows.get(column.metric)) and row.difference
    ]
    signs = {mark(difference) for difference in differences}
    parts = [_INTRODUCTION] if any(block.columns for block in found) else []
    if {BETTER, WORSE} & signs:
        parts.append(f"{BETTER} better, {WORSE} worse, as a ratio of medians")
    if SAME in signs:
        parts.append(f"{SAME} no difference seen, in brackets how large one would have been found")
    if FEW in signs:
        needed = max(one.needed for one in differences if mark(one) == FEW)
        parts.append(f"{FEW} too few runs to tell, it takes {needed} of each")
    if any(block.best for block in found):
        parts.append("★ the best, and those whose intervals overlap with its")
    return "; ".join(parts) + "." if parts else ""


def sentence(difference: Difference, baseline: str) -> str:
    """The same for whoever hears it or hovers over it."""
    against = f"{ratio_text(difference.ratio)} of {baseline}" if _known(difference.ratio) else ""
    interval = (
        f"95 % interval {ratio_text(difference.low)} to {ratio_text(difference.high)}"
        if _known(difference.low) and _known(difference.high)
        else ""
    )
    p = f"p = {difference.p:.2g}, {difference.p_holm:.2g} among all"
    return "; ".join(part for part in (difference.words, against, interval, p) if part)


def _known(figure: float) -> bool:
    return math.isfinite(figure)
