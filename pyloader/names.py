"""Suggestions for a name that was mistyped."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Up to two of ``known`` that ``name`` was probably meant to be; case does not count."""
    import difflib

    by_case = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(name.lower(), list(by_case), n=2, cutoff=0.5)
    return [by_case[match] for match in found]
