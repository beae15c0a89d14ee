"""A heat map over loads and machines: each scheduler against the baseline, in one metric."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from vm.report import words
from vm.report.blocks import Block, Column, cpus_title
from vm.report.plots.library import matplotlib
from vm.report.plots.panels import Entry, Plot, panels, room_for
from vm.report.plots.theme import Look, clipped, drawn, folded
from vm.report.units import ratio_text
from vm.stats.compare import Row

#: From which ratio on (or one over it) a difference is drawn in the second and third step.
_STEPS = (1.25, 2.0)

_ROW_PX = 40


def plots(
    blocks: Sequence[Block], columns: Sequence[Column], looks: Mapping[str, Look]
) -> list[Plot]:
    """A map for each of the ``columns``, of ``blocks`` that are of one workload; none for a single
    place, or without a baseline."""
    compared = [block for block in blocks if block.baseline or block.is_change]
    if len(compared) < 2:
        return []
    return [
        plot
        for column in columns
        for kernel in dict.fromkeys(block.place[2] for block in compared)
        if (plot := _plot([b for b in compared if b.place[2] == kernel], column, looks, kernel))
    ]


def _plot(
    blocks: Sequence[Block], column: Column, looks: Mapping[str, Look], kernel: str
) -> Plot | None:
    machines: dict[tuple[int, str], list[Block]] = {}
    for block in blocks:
        machines.setdefault((block.place[3], block.place[4]), []).append(block)
    rows = {
        (block.place, line.subject): row
        for block in blocks
        for line in block.lines
        if (row := line.rows.get(column.metric))
    }
    # One that was measured at one place only, as for a knob's curve, has nothing to show here.
    counts = Counter(subject for _, subject in rows)
    subjects = [name for name in looks if counts[name] > 1]
    if len(subjects) < 2:
        return None
    baseline = blocks[0].baseline

    def draw(is_wide: bool) -> Any:
        names = [folded(name, 22 if is_wide else 14) for name in subjects]
        titles = [cpus_title(*machine) for machine in machines]
        figure, axes = panels(
            titles,
            is_wide,
            height=_ROW_PX * len(subjects) + 14,
            share_x=False,
            share_y=False,
            columns=min(4, len(machines)),
            left=room_for(names),
            between=14,
        )
        for number, (one, own) in enumerate(zip(axes, machines.values(), strict=True)):
            _draw_map(one, own, subjects, rows, column)
            is_labelled = not is_wide or number % min(4, len(machines)) == 0
            one.set_yticks(range(len(subjects)), names if is_labelled else [""] * len(subjects))
        return figure

    against = f"against {baseline}" if baseline else "against the earlier file"
    workload = blocks[0].place[0]
    return Plot(
        key=f"heat-{workload}-{column.metric}-{kernel}",
        title=f"{column.label} {against}, by load, on {kernel}",
        caption=f"Ratio of medians, and the median below it ({column.scale.unit or 'no unit'};"
        f" {column.better} is better). Only what a test sees after correction for many comparisons"
        f" has a colour; {words.SAME} is no difference seen, {words.FEW} too few runs to tell.",
        alt=_told(blocks, rows, column, against),
        legend=_LEGEND,
        draw=draw,
    )


_LEGEND = tuple(
    Entry(f"{sign} {text}", role)
    for sign, text, role in (
        (words.BETTER, f"≥ {_STEPS[1]:g}×", "better-3"),
        (words.BETTER, f"≥ {_STEPS[0]:g}×", "better-2"),
        (words.BETTER, "less", "better-1"),
        (words.SAME, "none seen", "same"),
        (words.WORSE, "less", "worse-1"),
        (words.WORSE, f"≥ {_STEPS[0]:g}×", "worse-2"),
        (words.WORSE, f"≥ {_STEPS[1]:g}×", "worse-3"),
    )
)


def _draw_map(
    axes: Any,
    blocks: Sequence[Block],
    subjects: Sequence[str],
    rows: Mapping[tuple[Any, str], Row],
    column: Column,
) -> None:
    rectangle = matplotlib("patches").Rectangle
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0, labelcolor=drawn("ink"))
    for x, block in enumerate(blocks):
        for y, subject in enumerate(subjects):
            row = rows.get((block.place, subject))
            fill, ink, texts = _look(row, column)
            axes.add_patch(
                rectangle(
                    (x - 0.5, y - 0.5),
                    1,
                    1,
                    facecolor=drawn(fill),
                    edgecolor=drawn("page"),
                    linewidth=2,
                )
            )
            places = (0.0,) if len(texts) == 1 else (-0.18, 0.21)
            for number, (offset, text) in enumerate(zip(places, texts, strict=True)):
                axes.text(
                    x,
                    y + offset,
                    text,
                    ha="center",
                    va="center",
                    color=drawn(ink),
                    fontsize=11.5 if number == 0 else 10.5,
                    fontweight="bold" if number == 0 and len(texts) == 2 else "normal",
                )
    axes.set_xlim(-0.5, len(blocks) - 0.5)
    axes.set_ylim(len(subjects) - 0.5, -0.5)
    axes.set_xticks(range(len(blocks)), [clipped(block.place[1] or "–", 14) for block in blocks])


def _look(row: Row | None, column: Column) -> tuple[str, str, list[str]]:
    """Fill, ink and texts of one field."""
    if row is None:
        return "page", "muted", ["–"]
    if not row.estimate.n:
        return "page", "muted", [next(iter(row.unusable), "–")]
    value = column.scale.text(row.estimate.median)
    difference = row.difference
    if difference is None:
        return "same", "on-1", [value]
    sign = words.mark(difference)
    if sign not in (words.BETTER, words.WORSE):
        return "same", "muted", [words.short(difference) if sign == words.FEW else sign, value]
    step = 1
    if math.isfinite(difference.ratio) and difference.ratio > 0:
        size = max(difference.ratio, 1 / difference.ratio)
        step += sum(size >= least for least in _STEPS)
    ratio = ratio_text(difference.ratio) if math.isfinite(difference.ratio) else ""
    return f"{difference.verdict}-{step}", f"on-{step}", [f"{sign} {ratio}".rstrip(), value]


def _told(
    blocks: Sequence[Block], rows: Mapping[tuple[Any, str], Row], column: Column, against: str
) -> str:
    counts: dict[str, dict[str, int]] = {}
    for (_, subject), row in rows.items():
        if row.difference:
            mine = counts.setdefault(subject, {})
            mine[row.difference.verdict] = mine.get(row.difference.verdict, 0) + 1
    told = [
        f"{subject}: " + ", ".join(f"{verdict} {n} times" for verdict, n in mine.items())
        for subject, mine in counts.items()
    ]
    return f"{column.label} {against} at {len(blocks)} places. " + "; ".join(told) + "."
