"""The first of many revisions at which a callback costs otherwise: a binary search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyloader.errors import CompileError, ScxhidError, WrongUse
from vm.errors import VmError
from vm.exact.bisect.compare import Row, rows
from vm.exact.bisect.measure import Measured
from vm.exact.bisect.version import Version, revisions, version

Runs = Callable[[Version], Sequence[Measured]]


@dataclass(frozen=True)
class Found:
    """``first`` is the first measured revision at which ``callback`` differs, ``before`` the last
    one at which it does not. ``commits`` are those that can be it: ``first``'s, then, newest first,
    those between the two, which could not be measured."""

    callback: str
    before: Version
    first: Version
    commits: tuple[str, ...]


def first_that_differs(
    file: Path,
    good: Version,
    bad: Version,
    runs: Runs,
    threshold: float,
    limit: float | None,
    callback: str,
    tell: Callable[[str], None],
) -> Found:
    """Search the revisions after ``good`` up to ``bad`` that changed the file's directory.

    Followed is ``callback``, or the one that differs most between the two and whose code is not
    the same. A revision differs if that callback costs more (or less, as ``bad`` does) than under
    ``good`` by more than ``limit``, a share; None: by more than half of what ``bad`` does.

    Raises:
        WrongUse: nothing changed between them, or there is no such callback.
        ScxhidError: no callback differs by more than ``threshold``.
    """
    commits = revisions(file, good.commit, bad.commit)
    if not commits:
        raise WrongUse(f"nothing beside {file} changed from {good.label} to {bad.label}")
    base = runs(good)
    followed = _followed(rows(base, runs(bad), threshold), callback, good, bad)
    assert followed.ratio is not None
    whole = followed.ratio[0] - 1
    least = abs(whole) / 2 if limit is None else limit

    def differs(one: Version) -> bool:
        row = next((r for r in rows(base, runs(one), threshold) if r.name == followed.name), None)
        return bool(row and row.ratio and (row.ratio[0] - 1) * (1 if whole > 0 else -1) > least)

    knobs = "".join(f":{name}={value}" for name, value in good.subject.knobs.items())
    measured: dict[int, Version] = {-1: good, len(commits) - 1: bad}
    skipped: set[int] = set()
    last_good, first_bad = -1, len(commits) - 1
    while (at := _middle(last_good, first_bad, skipped)) is not None:
        commit = commits[at]
        tell(f"{first_bad - last_good - 1} revisions left: {commit[:12]}")
        try:
            one = version(commit + knobs, file)
            is_bad = differs(one)
        except (CompileError, VmError, WrongUse):
            skipped.add(at)  # does not compile, is not there, or the kernel refuses it
            continue
        measured[at] = one
        last_good, first_bad = (last_good, at) if is_bad else (at, first_bad)
    between = range(first_bad - 1, last_good, -1)
    return Found(
        followed.name,
        measured[last_good],
        measured[first_bad],
        (commits[first_bad], *(commits[at] for at in between)),
    )


def _followed(found: Sequence[Row], callback: str, good: Version, bad: Version) -> Row:
    differing = [row for row in found if row.verdict in ("more", "less")]
    if callback:
        if callback not in {row.name for row in found}:
            raise WrongUse(f"no callback {callback!r} was called in both versions")
        differing = [row for row in differing if row.name == callback]
    if not differing:
        raise ScxhidError(
            f"{callback or 'no callback'} costs {'the same' if callback else 'otherwise'} in"
            f" {bad.label} {'as' if callback else 'than'} in {good.label}: there is nothing to"
            " look for"
        )
    return max(differing, key=lambda row: (not row.same_code, abs((row.ratio or (1,))[0] - 1)))


def _middle(low: int, high: int, skipped: set[int]) -> int | None:
    """The number nearest the middle between the two that was not skipped; None if there is none."""
    left = [at for at in range(low + 1, high) if at not in skipped]
    return min(left, key=lambda at: abs(2 * at - low - high), default=None)
