"""The table of supported kernels in docs/reference/kernels.md, made from runs of the guest tests.

One row a series of ``vm.supported``, between two marker lines. A run replaces the rows of the
kernels that it ran on; a series that was never run on says so.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyloader.errors import WrongUse
from vm import klog
from vm.guest_tests import Outcome
from vm.supported import SERIES
from vm.versions import series

#: Where the table stands, below the checkout.
PAGE = Path("docs/reference/kernels.md")

#: pytest's options that leave none of the tests out.
_CHOOSES_NONE = re.compile(r"--no-skip|-v+|-q+|--durations=\d+")

_BEGIN = "<!-- table: scxhid vm test --kernel all -->"
_END = "<!-- end of table -->"
_HEAD = (
    "| Series | Kernel | Debian package | Tested | Tests | Passed | Failed | Skipped"
    " | Hosted | On their own | Missing there |\n"
    "|---|---|---|---|---|--:|--:|--:|---|---|---|"
)
_COLUMNS = 11

#: The test that every scheduler has to pass: test_…[name-mode] or test_…[name-mode-more].
_LIBRARY_CASE = re.compile(r"\[(?P<name>[\w.]+)-(?P<mode>hosted|direct)(-[^]]*)?\]$")
_LIBRARY = "test_library"

#: The junit property by which a test names a thing that the running kernel lacks.
MISSING_PROPERTY = "missing_in_kernel"


@dataclass(frozen=True)
class Schedulers:
    """Names of schedulers that passed all their tests, and of those that did not."""

    passed: tuple[str, ...]
    failed: tuple[str, ...]

    def __str__(self) -> str:
        words = [", ".join(self.passed)] if self.passed else []
        words += [f"**not {name}**" for name in self.failed]
        return "; ".join(words) or "–"


def schedulers(junit: Path, mode: str) -> Schedulers:
    """How the schedulers fared in ``mode`` (``hosted`` or ``direct``) in the library's tests."""
    good: dict[str, bool] = {}
    for case in _cases(junit):
        found = _LIBRARY_CASE.search(case.get("name", ""))
        if _LIBRARY not in case.get("classname", "") or not found or found["mode"] != mode:
            continue
        bad = any(child.tag in ("failure", "error", "skipped") for child in case)
        good[found["name"]] = good.get(found["name"], True) and not bad
    return Schedulers(
        tuple(sorted(name for name, passed in good.items() if passed)),
        tuple(sorted(name for name, passed in good.items() if not passed)),
    )


def missing(junit: Path) -> list[str]:
    """What tests said that the kernel lacks: their property, and the reasons of their skips."""
    said: dict[str, None] = {}
    for case in _cases(junit):
        for item in case.iter("property"):
            if item.get("name") == MISSING_PROPERTY:
                said[item.get("value", "")] = None
        for item in case.iter("skipped"):
            said[item.get("message", "")] = None
    return list(said)


def row(outcome: Outcome, words: Sequence[str], day: str) -> str:
    """The row of one run; ``words`` are pytest's arguments, ``day`` is ISO 8601."""
    counts = ("–",) * 3
    if not outcome.lost:
        counts = (str(outcome.passed), str(outcome.failed), str(outcome.skipped))
    chosen = [word for word in words if not _CHOOSES_NONE.fullmatch(word)]
    tests = f"`{' '.join(chosen)}`" if chosen else "all"
    if outcome.verdict not in ("passed", "failed"):
        tests += f" ({outcome.verdict})"
    cells = (
        series(outcome.kernel),
        outcome.kernel,
        _package(outcome.log),
        day,
        tests,
        *counts,
        str(schedulers(outcome.junit, "hosted")),
        str(schedulers(outcome.junit, "direct")),
        "; ".join(missing(outcome.junit)) or "–",
    )
    return _line(cells)


def write(root: Path, outcomes: Sequence[Outcome], words: Sequence[str], day: str) -> Path:
    """Put the rows of ``outcomes`` into the page below ``root``; returns its path.

    Raises:
        WrongUse: the page is not there or has lost its markers.
    """
    path = root / PAGE
    rows = {series(outcome.kernel): row(outcome, words, day) for outcome in outcomes}
    try:
        text = path.read_text()
        before, rest = text.split(_BEGIN, 1)
        _, after = rest.split(_END, 1)
    except (OSError, ValueError):
        raise WrongUse(
            f"{path} has no place for the table: it needs a line '{_BEGIN}' and a line '{_END}'"
        ) from None
    path.write_text(f"{before}{_BEGIN}\n{table(rows_of(text) | rows)}\n{_END}{after}")
    return path


def table(rows: Mapping[str, str]) -> str:
    """The whole table, a row for each supported series."""
    none = ("–",) * (_COLUMNS - 2)
    return "\n".join(
        [_HEAD, *(rows.get(each) or _line((each, "not tested", *none)) for each in SERIES)]
    )


def rows_of(text: str) -> dict[str, str]:
    """The rows of a page, by series."""
    _, begun, rest = text.partition(_BEGIN)
    lines = rest.partition(_END)[0].splitlines() if begun else []
    found = {line: re.match(r"\| (\d+\.\d+) \|", line) for line in lines}
    return {match[1]: line for line, match in found.items() if match}


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _package(log: Path) -> str:
    """The version of the package that the kernel was built from, as it says itself."""
    for line in klog.read_lines(log):
        found = re.search(r"Linux version .* Debian (\d\S+) \(", line)
        if found:
            return found[1]
    return "–"


def _cases(junit: Path) -> list[ElementTree.Element]:
    try:
        return list(ElementTree.parse(junit).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return []
