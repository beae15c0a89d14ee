"""Where a latency comes from: the stages of its path, stacked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from vm.report.blocks import Block, Column
from vm.report.plots.distribution import panel_title
from vm.report.plots.panels import (
    MOST_PANELS,
    Entry,
    Plot,
    label_outer,
    linear_axis,
    panels,
    room_for,
)
from vm.report.plots.svg import named
from vm.report.plots.theme import drawn, folded, look
from vm.report.units import Scale, scale_of

#: Metrics of that name are stages of one path, in the order in which they are declared.
_STAGE = re.compile(r"stage_(\w+?)(_ns)?$")


def plots(blocks: Sequence[Block]) -> list[Plot]:
    """One plot of ``blocks``, which are of one workload; none where it has no stages."""
    drawn_blocks = [block for block in blocks if len(_stages(block)) > 1 and _bars(block)]
    return [
        _plot(drawn_blocks[start : start + MOST_PANELS], start // MOST_PANELS)
        for start in range(0, len(drawn_blocks), MOST_PANELS)
    ]


def _stages(block: Block) -> list[Column]:
    return [column for column in block.columns if _STAGE.match(column.metric)]


def _name(column: Column) -> str:
    match = _STAGE.match(column.metric)
    return match[1].replace("_", " ") if match else column.label


def _bars(block: Block) -> list[tuple[str, list[float]]]:
    """The medians of the stages of each subject that has them all, in ns."""
    stages = _stages(block)
    return [
        (line.subject, [line.rows[column.metric].estimate.median for column in stages])
        for line in block.lines
        if all(c.metric in line.rows and line.rows[c.metric].estimate.n for c in stages)
    ]


def _plot(blocks: Sequence[Block], number: int) -> Plot:
    places = [block.place for block in blocks]
    stages = _stages(blocks[0])
    scale = scale_of("ns", [sum(values) for block in blocks for _, values in _bars(block)])

    def draw(is_wide: bool) -> Any:
        room = 22 if is_wide else 14
        names = [folded(subject, room) for block in blocks for subject, _ in _bars(block)]
        figure, axes = panels(
            [panel_title(place, places) for place in places],
            is_wide,
            height=[26 * len(_bars(block)) + 10 for block in blocks],
            share_x=False,
            share_y=False,
            columns=min(2, len(blocks)),
            left=room_for(names),
            between=room_for(names),
        )
        for one, block in zip(axes, blocks, strict=True):
            _draw(one, _bars(block), [_name(c) for c in _stages(block)], scale, room)
            linear_axis(one.xaxis, _column(stages[0], scale))
        label_outer(axes, is_wide, f"latency, {scale.unit}", "", columns=min(2, len(blocks)))
        return figure

    return Plot(
        key=f"stages-{places[0][0]}-{number}",
        title="Latency by stages of its path",
        caption="The median of each stage, one after the other, and their sum. Sums of medians are"
        " near the median of the whole, and not the same.",
        alt=" ".join(_told(block, panel_title(block.place, places), scale) for block in blocks),
        legend=tuple(Entry(_name(column), look(n).role) for n, column in enumerate(stages)),
        draw=draw,
    )


def _column(column: Column, scale: Scale) -> Column:
    return Column(column.metric, column.better, column.kind, column.about, scale)


def _draw(
    axes: Any,
    bars: Sequence[tuple[str, Sequence[float]]],
    names: Sequence[str],
    scale: Scale,
    room: int,
) -> None:
    for y, (_, values) in enumerate(bars):
        start = 0.0
        for number, value in enumerate(values):
            (bar,) = axes.barh(
                y,
                value,
                left=start,
                height=0.72,
                color=look(number).colour,
                edgecolor=drawn("page"),
                linewidth=1,
            )
            named(bar, f"{names[number]}: {scale.with_unit(value)}")
            start += value
        axes.annotate(
            scale.text(start),
            (start, y),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            color=drawn("ink"),
        )
    axes.set_yticks(range(len(bars)), [folded(subject, room) for subject, _ in bars])
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.set_xlim(0, 1.14 * max(sum(values) for _, values in bars) or 1)
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0, labelcolor=drawn("ink"))


def _told(block: Block, title: str, scale: Scale) -> str:
    names = [_name(column) for column in _stages(block)]
    told = [
        f"{subject} "
        + ", ".join(f"{name} {scale.text(v)}" for name, v in zip(names, values, strict=True))
        for subject, values in _bars(block)
    ]
    return f"{title}, in {scale.unit}: " + "; ".join(told) + "."
