"""Suggestions for a name that was mistyped."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Up to two of ``known`` that ``name`` was probably meant to be."""
    import difflib

    return difflib.get_close_matches(name, list(known), n=2, cutoff=0.5)
