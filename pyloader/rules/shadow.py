"""Rules that never decide, because an earlier one fits whatever they fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pyloader.rules.model import Range, Rule
from pyloader.rules.patterns import covers


def shadowed(rules: Sequence[Rule]) -> Iterator[tuple[Rule, Rule]]:
    """Pairs of a rule that cannot decide, and the first of those before it that take all.

    Only what one earlier rule covers by itself is found, and only where that is
    plain from the patterns.
    """
    for index, rule in enumerate(rules):
        by = next((earlier for earlier in rules[:index] if _takes_all(earlier, rule)), None)
        if by:
            yield rule, by


def _takes_all(wide: Rule, narrow: Rule) -> bool:
    if wide.kernel_thread is not None and wide.kernel_thread != narrow.kernel_thread:
        return False
    if wide.input is not None and wide.input != narrow.input:
        return False
    if not (_within(wide.uid, narrow.uid) and _within(wide.nice, narrow.nice)):
        return False
    return _named(wide.comm, narrow.comm, "*") and _named(wide.cgroup, narrow.cgroup, "/")


def _named(wide: str | None, narrow: str | None, everything: str) -> bool:
    if wide is None or wide in ("*", everything):
        return True
    return narrow is not None and covers(wide, narrow, below=everything == "/")


def _within(wide: Range | None, narrow: Range | None) -> bool:
    if wide is None:
        return True
    return narrow is not None and wide[0] <= narrow[0] and narrow[1] <= wide[1]
