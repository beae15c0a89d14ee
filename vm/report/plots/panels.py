"""A figure of panels, one for each place, in the look of the page."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from vm.report.blocks import Column
from vm.report.plots.library import matplotlib
from vm.report.plots.theme import drawn
from vm.report.units import Scale

#: Widths in CSS pixels: one for a desk or paper, one for a telephone.
WIDE, NARROW = 860, 350

#: More panels than that are shown in another figure.
MOST_PANELS = 12

#: A figure of one panel is no wider than that.
_ALONE = 620

_DPI = 72
_FONT = 12

#: Pixels above a panel for its title, below it for ticks, below all for the axis' name, at the
#: right for half of the last tick's label, and for a character on average.
_TITLE, _TICKS, _LABEL, _RIGHT, _CHARACTER = 26, 24, 20, 22, 6.4


@dataclass(frozen=True)
class Entry:
    """One line of a legend; ``role`` is its colour, ``dashes`` and ``marker`` as in a Look."""

    name: str
    role: str
    dashes: tuple[float, ...] = ()
    marker: str = ""


@dataclass(frozen=True)
class Plot:
    """A plot that can be drawn wide (True) or narrow. ``alt`` says in words what it shows;
    ``is_detail`` that a reader asks for it after all others."""

    key: str
    title: str
    caption: str
    alt: str
    legend: tuple[Entry, ...]
    draw: Callable[[bool], Any]
    is_detail: bool = False


def panels(
    titles: Sequence[str],
    is_wide: bool,
    *,
    height: float | Sequence[float] = 200,
    columns: int = 3,
    left: float = 62,
    between: float = 18,
    share_x: bool = True,
    share_y: bool = True,
) -> tuple[Any, list[Any]]:
    """A figure, and one axes for each title.

    In CSS pixels: ``height`` is that of a panel (or of each) without its title, ``left`` is kept
    for labels left of the first column, ``between`` for those of the others. Each panel has its
    place, and none of matplotlib's layouts is asked: they draw everything twice.
    """
    across = side_by_side(len(titles), is_wide, columns)
    down = math.ceil(len(titles) / across)
    width = (WIDE if across > 1 or columns == 1 else _ALONE) if is_wide else NARROW
    gap = _TITLE + (0 if share_x else _TICKS)
    of_each = [height] * len(titles) if isinstance(height, int | float) else height
    rows = [max(of_each[across * row : across * (row + 1)]) for row in range(down)]
    whole = _TITLE + sum(rows) + (down - 1) * gap + _TICKS + _LABEL
    each = (width - left - _RIGHT - (across - 1) * between) / across
    with matplotlib().rc_context({"font.size": _FONT, "text.parse_math": False}):
        figure = matplotlib("figure").Figure((width / _DPI, whole / _DPI), dpi=_DPI)
        figure.patch.set_visible(False)
        made = figure.subplots(
            down,
            across,
            sharex=share_x,
            sharey=share_y,
            squeeze=False,
            gridspec_kw={
                "left": left / width,
                "right": 1 - _RIGHT / width,
                "top": 1 - _TITLE / whole,
                "bottom": (_TICKS + _LABEL) / whole,
                "wspace": between / each,
                "hspace": gap * down / sum(rows),
                "height_ratios": rows,
            },
        ).flatten()
        for axes, title in zip(made, titles, strict=False):
            _dress(axes, title)
        for axes in made[len(titles) :]:
            axes.set_visible(False)
        # The last panel of each column tells the axis, also where the row below it is not full.
        for number in range(len(titles)):
            if number + across >= len(titles):
                made[number].tick_params(labelbottom=True)
    return figure, list(made[: len(titles)])


def side_by_side(count: int, is_wide: bool, columns: int = 3) -> int:
    """How many of ``count`` panels stand in a row; four make a square."""
    if not is_wide:
        return 1
    return 2 if count == 4 and columns == 3 else min(count, columns)


def room_for(labels: Sequence[str]) -> float:
    """How many pixels labels take left of a panel, the longest line of all."""
    longest = max((len(line) for label in labels for line in label.split("\n")), default=0)
    return 14 + _CHARACTER * longest


def label_outer(axes: Sequence[Any], is_wide: bool, x: str, y: str, columns: int = 3) -> None:
    """Name the axes once a row and once a column."""
    across = side_by_side(len(axes), is_wide, columns)
    for number, one in enumerate(axes):
        if number + across >= len(axes):
            one.set_xlabel(x)
        if number % across == 0:
            one.set_ylabel(y)


def log_axis(axis: Any, scale_for: Callable[[float], Scale], most: int = 6) -> None:
    """Label a log axis at ``most`` whole powers, and between them where it has few: ``10 µs``."""
    ticker = matplotlib("ticker")

    def text(value: float, at: int) -> str:
        scale = scale_for(value)
        return f"{tick_text(scale)(value, at)} {scale.unit}".rstrip()

    low, high = axis.axes.get_xlim() if axis.axis_name == "x" else axis.axes.get_ylim()
    is_short = low > 0 and high / low < 30
    axis.set_major_locator(ticker.LogLocator(10, (1.0,), numticks=most))
    axis.set_minor_locator(ticker.LogLocator(10, (2.0, 5.0), numticks=20))
    axis.set_major_formatter(ticker.FuncFormatter(text))
    axis.set_minor_formatter(ticker.FuncFormatter(text) if is_short else ticker.NullFormatter())


def linear_axis(axis: Any, column: Column) -> None:
    """Label a linear axis in the column's unit."""
    ticker = matplotlib("ticker")
    axis.set_major_locator(ticker.MaxNLocator(5))
    axis.set_major_formatter(ticker.FuncFormatter(tick_text(column.scale)))


def tick_text(scale: Scale) -> Callable[[float, int], str]:
    """What matplotlib asks for a tick's label."""

    def text(value: float, _: int) -> str:
        scaled = value / scale.divisor
        return f"{scaled:,.0f}" if abs(scaled) >= 100 else f"{scaled:g}"

    return text


def _dress(axes: Any, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=_FONT, color=drawn("ink"), fontweight="bold")
    axes.set_facecolor("none")
    axes.grid(True, color=drawn("grid"), linewidth=0.8)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(drawn("line"))
    axes.tick_params(which="both", colors=drawn("line"), labelcolor=drawn("muted"), length=3)
    axes.tick_params(which="minor", length=2)
    axes.xaxis.label.set_color(drawn("muted"))
    axes.yaxis.label.set_color(drawn("muted"))
