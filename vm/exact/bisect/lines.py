"""On which lines of the source two versions of a callback differ."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
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
    pairs: dict[tuple[str, int, int], list[float]] = {}
    a_files, b_files = _paths(row.a.lines), _paths(row.b.lines)
    for name in a_files.keys() | b_files.keys():
        twins = _twins(a_files.get(name, ""), b_files.get(name, ""))
        in_b = set(twins.values())
        for (path, line), n in row.a.lines.items():
            if Path(path).name == name:
                pairs.setdefault((name, line, twins.get(line, 0)), [0, 0])[0] += n
        back = {b: a for a, b in twins.items()}
        for (path, line), n in row.b.lines.items():
            if Path(path).name == name:
                key = (name, back[line] if line in in_b else 0, line)
                pairs.setdefault(key, [0, 0])[1] += n
    found = [
        LineRow(
            name,
            a_line,
            b_line,
            a,
            b,
            _text(b_files.get(name, ""), b_line) or _text(a_files.get(name, ""), a_line),
        )
        for (name, a_line, b_line), (a, b) in pairs.items()
    ]
    return sorted(found, key=lambda line: (-abs(line.difference), line.file, line.b_line))


def _paths(lines: Mapping[Line, float]) -> dict[str, str]:
    return {Path(path).name: path for path, _ in lines}


def _twins(a: str, b: str) -> dict[int, int]:
    """The line of B that each line of A became; the numbers themselves where there is no text."""
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
