"""Every run as a dot: how far runs of one cell lie apart, for exact runs over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vm.report.blocks import Block, Column, counted_runs, headline
from vm.report.plots.distribution import panel_title
from vm.report.plots.panels import (
    MOST_PANELS,
    Plot,
    label_outer,
    linear_axis,
    log_axis,
    panels,
    room_for,
)
from vm.report.plots.theme import Look, drawn, folded
from vm.report.units import scale_of
from vm.results.model import Cell, Document, Run
from vm.stats.compare import Estimate

#: Where values span more than that, a log axis shows them.
_SPAN = 12

#: More panels make a long figure, which is folded.
_FEW_PANELS = 4


def plots(document: Document, blocks: Sequence[Block], looks: Mapping[str, Look]) -> list[Plot]:
    """Plots of the headline of ``blocks``, which are of one workload."""
    counted = counted_runs(document)
    drawn_blocks = [
        (block, column, dots)
        for block in blocks
        if (column := headline(block)) and (dots := _dots(block, column, counted))
    ]
    return [
        _plot(document, drawn_blocks[start : start + MOST_PANELS], looks, start // MOST_PANELS)
        for start in range(0, len(drawn_blocks), MOST_PANELS)
    ]


_Dots = list[tuple[str, list[float], Estimate]]


def _dots(block: Block, column: Column, counted: Mapping[Cell, Sequence[Run]]) -> _Dots:
    """Subject, a value for each run, and the estimate; none where no cell has two runs."""
    found: _Dots = []
    for line in block.lines:
        row = line.rows.get(column.metric)
        runs = counted.get(line.cell, ())
        values = [run.metrics[column.metric] for run in runs if column.metric in run.metrics]
        values = [value for value in values if np.isfinite(value)]
        if values and row and row.estimate.n:
            found.append((line.subject, values, row.estimate))
    return found if any(len(values) > 1 for _, values, _ in found) else []


def _plot(
    document: Document,
    drawn_blocks: Sequence[tuple[Block, Column, _Dots]],
    looks: Mapping[str, Look],
    number: int,
) -> Plot:
    places = [block.place for block, _, _ in drawn_blocks]
    column = drawn_blocks[0][1]
    of = "seed" if document.kind == "exact" else "run"

    def draw(is_wide: bool) -> Any:
        room = 22 if is_wide else 14
        names = [folded(subject, room) for _, _, dots in drawn_blocks for subject, _, _ in dots]
        figure, axes = panels(
            [panel_title(place, places) for place in places],
            is_wide,
            height=[28 * len(dots) + 10 for _, _, dots in drawn_blocks],
            share_x=False,
            share_y=False,
            columns=min(2, len(places)),
            left=room_for(names),
            between=room_for(names),
        )
        for one, (_, own, dots) in zip(axes, drawn_blocks, strict=True):
            _draw(one, dots, looks, room)
            values = [value for _, some, _ in dots for value in some]
            if min(values) > 0 and max(values) / min(values) > _SPAN:
                one.set_xscale("log")
                raw = "ns" if own.scale.unit in ("ns", "µs", "ms", "s") else ""
                log_axis(
                    one.xaxis,
                    lambda value, own=own, raw=raw: scale_of(raw, [value]) if raw else own.scale,
                )
            else:
                linear_axis(one.xaxis, own)
        unit = f", {column.scale.unit}" if column.scale.unit else ""
        label_outer(axes, is_wide, column.label + unit, "", columns=min(2, len(places)))
        return figure

    return Plot(
        key=f"spread-{places[0][0]}-{number}",
        title=f"{column.label}, {of} by {of}",
        caption=f"A dot is the {column.label} of one {of}; the bar is the 95 % interval of the"
        f" median over {of}s, the line in it the median.",
        alt=" ".join(
            _told(panel_title(block.place, places), own, dots) for block, own, dots in drawn_blocks
        ),
        legend=(),
        draw=draw,
        is_detail=len(places) > _FEW_PANELS and document.kind != "exact",
    )


def _draw(axes: Any, dots: _Dots, looks: Mapping[str, Look], room: int) -> None:
    for y, (subject, values, estimate) in enumerate(dots):
        look = looks[subject]
        # Apart, so that equal ones are seen; the same way each time.
        apart = np.resize([0.0, 0.2, -0.2, 0.1, -0.1], len(values))
        axes.plot(
            [estimate.low, estimate.high],
            [y, y],
            color=look.colour,
            alpha=0.3,
            linewidth=11,
            solid_capstyle="butt",
        )
        axes.plot(
            values,
            y + apart,
            linestyle="none",
            marker="o",
            markersize=5,
            color=look.colour,
            markeredgecolor=drawn("page"),
            markeredgewidth=0.6,
        )
        axes.plot([estimate.median] * 2, [y - 0.36, y + 0.36], color=drawn("ink"), linewidth=2)
    axes.set_yticks(range(len(dots)), [folded(subject, room) for subject, _, _ in dots])
    axes.set_ylim(len(dots) - 0.4, -0.6)
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0, labelcolor=drawn("ink"))


def _told(title: str, column: Column, dots: _Dots) -> str:
    text = column.scale.text
    told = [
        f"{subject} {text(min(values))} to {text(max(values))}, median {text(estimate.median)}"
        for subject, values, estimate in dots
    ]
    return f"{title}, {column.heading}: " + "; ".join(told) + "."
