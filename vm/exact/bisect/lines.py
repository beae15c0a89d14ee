"""On which lines of the source two versions of a callback differ."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from vm.exact.bisect.account import Line
from vm.exact.bisect.compare import Row


@dataclass(frozen=True)
class LineRow:
    """A line: its number in A and in B, 0 where it is not there, and the instructions of it a call.

    ``file`` has no directory. Line 0 in both is code that the compiler made for no line.
    """

    file: str
    a_line: int
    b_line: int
    a: float
    b: float
    text: str

    @property
    def difference(self) -> float:
        return self.b - self.a


def line_rows(row: Row) -> list[LineRow]:
    """Each line of a callback that ran in either version, by how much it differs, most first;
    empty where no lines were counted."""
    if not row.a or not row.b or row.a.lines is None or row.b.lines is None:
        return []
    found: list[LineRow] = []
    for path_a, path_b in _pairs(_paths(row.a.lines), _paths(row.b.lines)):
        name = Path(path_b or path_a).name
        twins = _twins(path_a, path_b)
        sums: dict[tuple[int, int], list[float]] = {}
        for (path, line), n in row.a.lines.items():
            if path == path_a:
                sums.setdefault((line, twins.get(line, 0)), [0, 0])[0] += n
        back = {b: a for a, b in twins.items()}
        for (path, line), n in row.b.lines.items():
            if path == path_b:
                sums.setdefault((back.get(line, 0), line), [0, 0])[1] += n
        found += [
            LineRow(name, at_a, at_b, a, b, _text(path_b, at_b) or _text(path_a, at_a))
            for (at_a, at_b), (a, b) in sums.items()
        ]
    return sorted(found, key=lambda line: (-abs(line.difference), line.file, line.b_line))


def _paths(lines: Mapping[Line, float]) -> list[str]:
    return list(dict.fromkeys(path for path, _ in lines))


def _pairs(a: Sequence[str], b: Sequence[str]) -> list[tuple[str, str]]:
    """The files of both that belong together: by name, and the source itself, whose name may be
    another. One without a counterpart has an empty string beside it."""
    pairs: list[tuple[str, str]] = []
    left = list(b)
    for path in a:
        same = [other for other in left if Path(other).name == Path(path).name]
        if not same and path.endswith(".c"):
            same = [other for other in left if other.endswith(".c")]
        pairs.append((path, same[0] if same else ""))
        left = [other for other in left if other not in same[:1]]
    return pairs + [("", other) for other in left]


def _twins(a: str, b: str) -> dict[int, int]:
    """The line of B that each line of A became; the numbers themselves where there is no text."""
    if not a or not b:
        return {}
    one, other = _lines(a), _lines(b)
    if a == b or not one or not other:
        longest = max(len(one), len(other), 1 << 16)
        return {line: line for line in range(longest)}
    matched = difflib.SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    twins = {block.a + at + 1: block.b + at + 1 for block in matched for at in range(block.size)}
    return {0: 0, **twins}


@lru_cache(maxsize=64)
def _lines(path: str) -> tuple[str, ...]:
    try:
        return tuple(line.strip() for line in Path(path).read_text(errors="replace").splitlines())
    except OSError:
        return ()


def _text(path: str, line: int) -> str:
    lines = _lines(path)
    return lines[line - 1] if 0 < line <= len(lines) else ""
