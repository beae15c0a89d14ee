"""Throughput against the tail of latencies: what one costs of the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vm.report.blocks import Block, Column, headline, throughput
from vm.report.plots.distribution import legend, panel_title
from vm.report.plots.panels import MOST_PANELS, Plot, label_outer, linear_axis, log_axis, panels
from vm.report.plots.svg import named
from vm.report.plots.theme import Look, drawn
from vm.report.units import scale_of
from vm.stats.compare import Estimate


def plots(blocks: Sequence[Block], looks: Mapping[str, Look]) -> list[Plot]:
    """One plot of ``blocks``, which are of one workload; none where it has not got both metrics."""
    drawn = [
        (block, first, second)
        for block in blocks
        if (first := throughput(block)) and (second := headline(block)) and first != second
    ]
    found = [one for one in drawn if _points(*one)]
    return [
        _plot(found[start : start + MOST_PANELS], looks, start // MOST_PANELS)
        for start in range(0, len(found), MOST_PANELS)
    ]


def _points(block: Block, first: Column, second: Column) -> list[tuple[str, Estimate, Estimate]]:
    """Subject, throughput and latency of those that have both."""
    return [
        (line.subject, line.rows[first.metric].estimate, line.rows[second.metric].estimate)
        for line in block.lines
        if all(
            column.metric in line.rows and line.rows[column.metric].estimate.n
            for column in (first, second)
        )
    ]


def _plot(
    drawn_blocks: Sequence[tuple[Block, Column, Column]], looks: Mapping[str, Look], number: int
) -> Plot:
    places = [block.place for block, _, _ in drawn_blocks]
    _, first, second = drawn_blocks[0]
    is_log = second.scale.unit in ("ns", "µs", "ms", "s")

    def draw(is_wide: bool) -> Any:
        figure, axes = panels(
            [panel_title(place, places) for place in places],
            is_wide,
            height=230,
            share_x=False,
            share_y=False,
            left=78,
            between=66,
        )
        for one, parts in zip(axes, drawn_blocks, strict=True):
            _draw(one, _points(*parts), looks)
            linear_axis(one.xaxis, parts[1])
            if is_log:
                one.set_yscale("log")
                one.margins(y=0.15)
                log_axis(one.yaxis, lambda value: scale_of("ns", [value]))
            else:
                linear_axis(one.yaxis, parts[2])
            _mark_better(one)
        label_outer(axes, is_wide, f"{first.label}, {first.scale.unit}", second.label)
        return figure

    subjects = [subject for parts in drawn_blocks for subject, _, _ in _points(*parts)]
    return Plot(
        key=f"tradeoff-{places[0][0]}-{number}",
        title=f"{first.label} against {second.label}",
        caption="Medians over runs; the bars are 95 % intervals. Better is towards the arrow, and a"
        " scheduler is beaten by one that lies further that way in both.",
        alt=" ".join(_told(panel_title(parts[0].place, places), *parts) for parts in drawn_blocks),
        legend=legend(subjects, looks),
        draw=draw,
    )


def _draw(
    axes: Any, points: Sequence[tuple[str, Estimate, Estimate]], looks: Mapping[str, Look]
) -> None:
    for subject, x, y in points:
        look = looks[subject]
        drawn_point = axes.errorbar(
            x.median,
            y.median,
            xerr=[[x.median - x.low], [x.high - x.median]],
            yerr=[[y.median - y.low], [y.high - y.median]],
            color=look.colour,
            marker=look.marker,
            markersize=8,
            markeredgecolor=drawn("page"),
            markeredgewidth=0.8,
            elinewidth=1.4,
            capsize=0,
            linestyle="none",
        )
        named(drawn_point.lines[0], subject)
    axes.margins(x=0.12)


def _mark_better(axes: Any) -> None:
    axes.annotate(
        "better ↘",
        (0.985, 0.03),
        xycoords="axes fraction",
        ha="right",
        va="bottom",
        color=drawn("muted"),
    )


def _told(title: str, block: Block, first: Column, second: Column) -> str:
    points = _points(block, first, second)
    most = max(points, key=lambda point: point[1].median)
    least = min(points, key=lambda point: point[2].median)
    return (
        f"{title}: most {first.label} has {most[0]} with {first.scale.with_unit(most[1].median)},"
        f" least {second.label} {least[0]} with {second.scale.with_unit(least[2].median)}."
    )
