"""Figures as few characters."""

from __future__ import annotations


def short(ns: float | None) -> str:
    """A time of at most six characters: ``820ns``, ``1.3ms``, ``12s``; a dash for none."""
    if ns is None or ns != ns:
        return "–"
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if ns >= size:
            figure = ns / size
            return f"{figure:.1f}{unit}" if figure < 9.95 else f"{figure:.0f}{unit}"
    return f"{ns:.0f}ns"


def count(value: float | None) -> str:
    """A number of at most five characters: ``0.3``, ``42``, ``1.2k``, ``34M``."""
    if value is None or value != value:
        return "–"
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            figure = value / size
            return f"{figure:.1f}{unit}" if abs(figure) < 9.95 else f"{figure:.0f}{unit}"
    return f"{value:.1f}" if 0 < abs(value) < 9.95 else f"{value:.0f}"


def percent(share: float) -> str:
    """``67%``; a dash for NaN."""
    return "–" if share != share else f"{share * 100:.0f}%"


def span(seconds: float) -> str:
    """How long, roughly: ``12 s``, ``4 min``, ``3:12 h``, ``5 days``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    if seconds < 172_800:
        return f"{int(seconds // 3600)}:{int(seconds % 3600 // 60):02} h"
    return f"{seconds / 86_400:.0f} days"


def fit(text: str, width: int) -> str:
    """Exactly ``width`` characters: padded, or cut with an ellipsis."""
    return text.ljust(width) if len(text) <= width else text[: max(0, width - 1)] + "…"


def printable(name: str) -> str:
    """A task gives itself its name: what would do something to a terminal is a question mark."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)
