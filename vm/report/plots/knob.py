"""What a knob does: metrics against its values, where a scheduler was measured with several."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vm.report.blocks import Block, Column, Line, headline, main_columns, throughput
from vm.report.plots.distribution import panel_title
from vm.report.plots.library import matplotlib
from vm.report.plots.panels import Entry, Plot, label_outer, linear_axis, panels, tick_text
from vm.report.plots.theme import drawn, look
from vm.report.units import Scale
from vm.stats.compare import Estimate, Place

#: Fewer values are no curve.
_FEWEST = 3

_TIMES = {"ns": 1e-3, "us": 1.0, "µs": 1.0, "ms": 1e3, "s": 1e6}
_VALUE = re.compile(r"([0-9.]+)\s*([a-zµ]*)")


@dataclass(frozen=True)
class Family:
    """One scheduler with several values of one knob, all else being equal. ``points`` are by
    place: value of the knob and the line, rising."""

    scheduler: str
    knob: str
    points: Mapping[Place, tuple[tuple[float, Line], ...]]


def families(blocks: Sequence[Block]) -> list[Family]:
    """The families that have at least three values of a knob at some place."""
    found: dict[tuple[object, ...], dict[Place, dict[float, Line]]] = {}
    for block in blocks:
        for line in block.lines:
            for name, given in line.cell.knobs:
                value = number(given)
                if value is None:
                    continue
                rest = tuple((k, str(v)) for k, v in line.cell.knobs if k != name)
                key = (line.cell.scheduler, line.cell.mode, name, rest)
                found.setdefault(key, {}).setdefault(block.place, {})[value] = line
    return [
        Family(str(scheduler), str(knob), kept)
        for (scheduler, _, knob, _), places in found.items()
        if (
            kept := {
                place: tuple(sorted(points.items(), key=lambda point: point[0]))
                for place, points in places.items()
                if len(points) >= _FEWEST
            }
        )
    ]


def number(value: object) -> float | None:
    """A knob's value as a number, times in µs; None if it is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    match = _VALUE.fullmatch(str(value).strip())
    if not match or (match[2] and match[2] not in _TIMES):
        return None
    try:
        return float(match[1]) * _TIMES.get(match[2], 1.0)
    except ValueError:
        return None


def plots(blocks: Sequence[Block]) -> list[Plot]:
    """A plot for each family in ``blocks``, which are of one workload; a panel for each metric."""
    return [_plot(family, blocks, n) for n, family in enumerate(families(blocks))]


def _plot(family: Family, blocks: Sequence[Block], at: int) -> Plot:
    places = list(family.points)
    columns = _columns(family, [block for block in blocks if block.place in family.points])
    baselines = {
        block.place: line
        for block in blocks
        for line in block.lines
        if block.baseline and line.subject == block.baseline and block.place in family.points
    }
    has_baseline = len(places) == 1 and bool(baselines)

    def draw(is_wide: bool) -> Any:
        figure, axes = panels(
            [column.heading for column in columns],
            is_wide,
            share_y=False,
            share_x=False,
            columns=2,
            height=190,
            left=58,
            between=62,
        )
        for one, column in zip(axes, columns, strict=True):
            for n, (_, points) in enumerate(family.points.items()):
                _draw(one, points, column, n)
            if has_baseline:
                _draw_baseline(one, next(iter(baselines.values())), column)
            _value_axis(one, [value for points in family.points.values() for value, _ in points])
            linear_axis(one.yaxis, column)
            one.set_ylim(bottom=0)
        label_outer(axes, is_wide, family.knob, "", columns=2)
        return figure

    legend = [
        Entry(panel_title(place, places), look(n).role, look(n).dashes, look(n).marker)
        for n, place in enumerate(places)
    ]
    if has_baseline:
        legend.append(Entry(next(iter(baselines.values())).subject, "series-0", (5, 2)))
    return Plot(
        key=f"knob-{places[0][0]}-{at}",
        title=f"What {family.knob} of {family.scheduler} does",
        caption="Medians over runs, and their 95 % intervals, at each value that was measured.",
        alt=" ".join(_told(column, family) for column in columns),
        legend=tuple(legend),
        draw=draw,
    )


def _columns(family: Family, blocks: Sequence[Block]) -> list[Column]:
    """Four metrics at most, as the first place shows them: the headline, context switches (what a
    slice costs), the throughput, then the main ones."""
    columns: dict[str, Column] = {}
    for block in blocks:
        switches = [column for column in block.columns if "switches" in column.metric]
        wanted = [headline(block), *switches, throughput(block), *main_columns(block)]
        for column in wanted:
            if column:
                columns.setdefault(column.metric, column)
    return [
        column
        for column in columns.values()
        if any(_estimate(line, column) for points in family.points.values() for _, line in points)
    ][:4]


def _estimate(line: Line, column: Column) -> Estimate | None:
    row = line.rows.get(column.metric)
    return row.estimate if row and row.estimate.n else None


def _draw(axes: Any, points: Sequence[tuple[float, Line]], column: Column, n: int) -> None:
    found = [(value, one) for value, line in points if (one := _estimate(line, column))]
    own = look(n)
    axes.errorbar(
        [value for value, _ in found],
        [one.median for _, one in found],
        yerr=[
            [one.median - one.low for _, one in found],
            [one.high - one.median for _, one in found],
        ],
        color=own.colour,
        linestyle=own.line_style,
        marker=own.marker,
        markersize=6,
        linewidth=1.8,
        elinewidth=1.4,
        capsize=3,
    )


def _draw_baseline(axes: Any, line: Line, column: Column) -> None:
    one = _estimate(line, column)
    if one:
        axes.axhspan(one.low, one.high, color=drawn("series-0"), alpha=0.15, linewidth=0)
        axes.axhline(one.median, color=drawn("series-0"), linestyle=(0, (5, 2)), linewidth=1.4)


def _value_axis(axes: Any, values: Sequence[float]) -> None:
    """Ticks where something was measured; a log axis where values span more than one power."""
    ticker = matplotlib("ticker")
    ticks = sorted(set(values))
    if ticks[0] > 0 and ticks[-1] / ticks[0] > 8:
        axes.set_xscale("log")
    shown = ticks if len(ticks) <= 7 else ticks[:: -(-len(ticks) // 7)]
    axes.set_xticks(shown)
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(tick_text(Scale(1.0, ""))))
    axes.xaxis.set_minor_formatter(ticker.NullFormatter())


def _told(column: Column, family: Family) -> str:
    told: list[str] = []
    for points in family.points.values():
        found = [(v, one) for v, line in points if (one := _estimate(line, column))]
        if found:
            (low, first), (high, last) = found[0], found[-1]
            told.append(
                f"{column.label} goes from {column.scale.with_unit(first.median)} at"
                f" {family.knob} {low:g} to {column.scale.with_unit(last.median)} at {high:g}."
            )
    return " ".join(told)
