"""The colours of figures, from the theme that is chosen; themes of our own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.style import Style
from textual.color import Color, ColorParseError
from textual.theme import Theme

DARK = Theme(
    name="scxhid",
    primary="#7aa2f7",
    secondary="#73c0de",
    accent="#ff9e64",
    success="#7fc98b",
    warning="#e5c07b",
    error="#f7768e",
    foreground="#c8d0e0",
    background="#11131a",
    surface="#171a23",
    panel="#202430",
    dark=True,
)
LIGHT = Theme(
    name="scxhid-light",
    primary="#2a5bd7",
    secondary="#1f7a99",
    accent="#c05a10",
    success="#2f7d3b",
    warning="#9a6a00",
    error="#c0223b",
    foreground="#1c2230",
    background="#f6f7fa",
    surface="#eceff4",
    panel="#e0e4ec",
    dark=False,
)
# Colours that people with any of the common colour blindnesses tell apart: Okabe and Ito, "Color
# Universal Design" (2008).
COLOUR_BLIND = Theme(
    name="scxhid-colour-blind",
    primary="#56b4e9",
    secondary="#009e73",
    accent="#f0e442",
    success="#56b4e9",
    warning="#e69f00",
    error="#d55e00",
    foreground="#e8e8e8",
    background="#101010",
    surface="#181818",
    panel="#242424",
    dark=True,
    variables={"figure-rt": "#cc79a7", "figure-irq": "#f0e442"},
)
THEMES = (DARK, LIGHT, COLOUR_BLIND)

_HEAT = 12


@dataclass(frozen=True)
class Palette:
    """Styles for what is drawn. ``kinds``: of CPU time, fair, sched_ext, real-time, interrupts, and
    last what is idle; ``towers`` are the same on what is idle, and ``shaded`` on a lighter one.
    ``stages``: of input latency.
    ``heat``: from nothing to most."""

    text: Style
    muted: Style
    strong: Style
    good: Style
    middling: Style
    bad: Style
    mark: Style
    selected: Style
    chosen: Style
    header: Style
    kinds: tuple[Style, ...]
    stages: tuple[Style, ...]
    heat: tuple[Style, ...]
    towers: tuple[Style, ...]
    shaded: tuple[Style, ...]
    has_colours: bool

    def graded(self, ns: float) -> Style:
        """Of a latency: below a millisecond, below a frame, or above."""
        return self.good if ns < 1e6 else self.middling if ns < 16.667e6 else self.bad


def palette(variables: Mapping[str, str], has_colours: bool) -> Palette:
    """From the variables of a theme (``App.theme_variables``)."""

    def style(
        name: str, fallback: str = "foreground", bold: bool = False, dim: bool = False
    ) -> Style:
        colour = _colour(variables, name, fallback).rich_color
        return Style(color=colour, bold=bold or None, dim=dim or None)

    background = _colour(variables, "background", "background")
    track = Style(bgcolor=_colour(variables, "panel", "background").rich_color)
    lighter = Style(bgcolor=_lighter(variables).rich_color)
    kinds = (
        style("secondary"),
        style("primary"),
        style("figure-rt", "error"),
        style("figure-irq", "warning"),
        track,
    )
    stages = tuple(style(name) for name in ("secondary", "primary", "warning", "error", "success"))
    hot = _colour(variables, "accent", "warning")
    return Palette(
        text=style("foreground"),
        muted=style("text-disabled", "foreground", dim=True)
        if background.ansi is not None
        else Style(color=background.blend(_colour(variables, "foreground"), 0.55).rich_color),
        strong=style("foreground", bold=True),
        good=style("success"),
        middling=style("warning"),
        bad=style("error", bold=True),
        mark=style("accent", bold=True),
        selected=Style(
            bgcolor=_colour(variables, "panel", "background").rich_color, bold=True, reverse=False
        )
        if has_colours
        else Style(reverse=True),
        chosen=Style(
            color=background.rich_color,
            bgcolor=_colour(variables, "primary").rich_color,
            bold=True,
        )
        if has_colours
        else Style(reverse=True, bold=True),
        header=style("primary", bold=True),
        kinds=kinds,
        stages=stages,
        heat=_heat(background, hot),
        towers=tuple(each + track for each in kinds[:-1]),
        shaded=tuple(each + lighter for each in kinds[:-1]),
        has_colours=has_colours,
    )


def _heat(background: Color, hot: Color) -> tuple[Style, ...]:
    if background.ansi is not None or hot.ansi is not None:
        names = ("bright_black", "blue", "cyan", "yellow", "bright_yellow", "red")
        return (Style(), *(Style(color=name) for name in names))
    steps = [background.blend(hot, n / (_HEAT - 1)) for n in range(_HEAT)]
    white = Color(255, 255, 255) if background.brightness < 0.5 else Color(60, 0, 0)
    steps[-3:] = [hot.blend(white, n * 0.3) for n in range(3)]
    return tuple(Style(color=each.rich_color) for each in steps)


def _lighter(variables: Mapping[str, str]) -> Color:
    """What is idle, in every other place."""
    panel = _colour(variables, "panel", "background")
    return panel if panel.ansi is not None else panel.blend(_colour(variables, "foreground"), 0.08)


def _colour(variables: Mapping[str, str], name: str, fallback: str = "foreground") -> Color:
    for key in (name, fallback):
        if key in variables:
            try:
                return Color.parse(variables[key].partition(" ")[0])
            except ColorParseError:
                continue  # "auto" and its like
    return Color.parse("#888888")
