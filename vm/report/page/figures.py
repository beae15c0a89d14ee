"""Plots as HTML: title, what it is, legend, and the drawing for a desk and for a telephone."""

from __future__ import annotations

from vm.report.page.text import escaped, tag
from vm.report.plots.panels import Entry, Plot
from vm.report.plots.svg import svg

_SWATCH_PX = 26


def figure(plot: Plot, number: int) -> str:
    """The plot, whose ids all begin with ``plot-NUMBER``."""
    key = f"plot-{number}"
    drawings = "".join(
        tag(
            "div",
            svg(plot.draw(is_wide), f"{key}-{name}", plot.title, plot.alt),
            class_=f"drawing {name}",
        )
        for name, is_wide in (("wide", True), ("narrow", False))
    )
    caption = tag("h3", escaped(plot.title)) + tag("p", escaped(plot.caption))
    legend = tag("ul", "".join(map(_entry, plot.legend)), class_="legend") if plot.legend else ""
    return tag("figure", tag("figcaption", caption) + legend + drawings, id=key)


def _entry(entry: Entry) -> str:
    return tag("li", _swatch(entry) + escaped(entry.name))


def _swatch(entry: Entry) -> str:
    """What stands for it: a line with its marker, or a field of colour."""
    colour = f"var(--{entry.role})"
    if not entry.marker and not entry.dashes:
        return (
            '<svg class="swatch" viewBox="0 0 16 12" width="16" height="12" aria-hidden="true">'
            f'<rect width="16" height="12" rx="2" style="fill: {colour}"></rect></svg>'
        )
    dashes = " ".join(f"{1.8 * length:g}" for length in entry.dashes) or "none"
    return (
        f'<svg class="swatch" viewBox="0 0 {_SWATCH_PX} 12" width="{_SWATCH_PX}" height="12"'
        ' aria-hidden="true">'
        f'<path d="M0 6H{_SWATCH_PX}" style="stroke: {colour}; stroke-width: 2;'
        f' stroke-dasharray: {dashes}"></path>{_marker(entry, colour)}</svg>'
    )


#: Markers as matplotlib draws them, around (13, 6).
_SHAPES = {
    "o": "M13 2.5A3.5 3.5 0 1 1 12.99 2.5Z",
    "s": "M9.8 2.8H16.2V9.2H9.8Z",
    "D": "M13 1.6L17.4 6L13 10.4L8.6 6Z",
    "^": "M13 2L17 9.4H9Z",
    "v": "M13 10L9 2.6H17Z",
    "P": "M11.5 2h3v2.5h2.5v3h-2.5v2.5h-3v-2.5h-2.5v-3h2.5Z",
    "*": "M13 1.4L14.2 4.8H17.6L14.9 6.9L15.9 10.4L13 8.3L10.1 10.4L11.1 6.9L8.4 4.8H11.8Z",
    "X": "M10 2L13 4.6L16 2L17 3.2L14.4 6L17 8.8L16 10L13 7.4L10 10L9 8.8L11.6 6L9 3.2Z",
    "<": "M9 6L16.4 2V10Z",
    ">": "M17 6L9.6 2V10Z",
}


def _marker(entry: Entry, colour: str) -> str:
    shape = _SHAPES.get(entry.marker)
    return f'<path d="{shape}" style="fill: {colour}"></path>' if shape else ""
