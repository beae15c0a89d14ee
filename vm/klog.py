"""What a kernel log says that it should not: warnings, oopses, stalls.

The patterns are the openings of the kernel's own reports (``kernel/panic.c``, ``kernel/rcu``,
``kernel/hung_task.c``, ``kernel/watchdog.c``, ``lib/Kconfig.debug``'s checkers).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_TROUBLE = re.compile(
    r"""
    -{4,}\[\ cut\ here\ \]
    | \bWARNING:\                              # WARN_ON, lockdep, suspicious RCU usage
    | \bBUG:\ | \bkernel\ BUG\ at\             # BUG_ON, scheduling while atomic, KASAN, page fault
    | \b(?:UBSAN|KCSAN|KFENCE|refcount_t):\ [^\n]
    | \bOops:\ | \bOops\b.*\[\#\d+\]
    | \bgeneral\ protection\ fault
    | \bunable\ to\ handle\ (?:kernel|page)
    | \bKernel\ panic\ -\ not\ syncing
    | \brcu(?:_\w+)?:?.*(?:detected\ (?:\w+\ )*stalls?|self-detected\ stall|kthread\ starved)
    | \bINFO:\ (?:task\ .*blocked\ for\ more\ than|rcu)
    | \bsoft\ lockup\ -\ CPU | \bhard\ LOCKUP\b | \bWatchdog\ detected\ hard\ LOCKUP
    | \blist_(?:add|del)\ corruption
    | \bpossible\ (?:circular|recursive)\ locking
    | \bheld\ lock\ freed | \bbad\ unlock\ balance
    | \bunbalanced\b.*\bpreempt
    | \bnobody\ cared\b
    """,
    re.VERBOSE,
)

#: Lines that match above and mean nothing: what emulated hardware makes a kernel say.
_HARMLESS = (
    re.compile(r"WARNING: Spectre v2 mitigation leaves CPU vulnerable"),
    re.compile(r"Unknown kernel command line parameters"),
)

_STAMP = re.compile(r"^(?:<\d+>)?\[\s*(\d+)\.(\d+)\](?:\[\s*[TC]\d+\])?\s?")

_FATAL = re.compile(r"\b(?:BUG|Oops|panic|general protection fault|LOCKUP|lockup)\b")

_CUT = "[ cut here ]"

#: Lines that a report can have: registers, modules, a call trace.
_LONGEST = 150


@dataclass(frozen=True)
class Report:
    """One report: its first line without the time stamp, the guest's time, all its lines."""

    line: str
    at_ns: int
    lines: tuple[str, ...]


def scan(lines: Iterable[str], allowed: Sequence[str] = ()) -> list[Report]:
    """All reports in the kernel log ``lines`` but those that match a regex of ``allowed``.

    The lines that follow a report's first within it (call trace, registers) belong to it. A report
    that opens with ``cut here`` is named by its next line, which says what it is.
    """
    every = [line.rstrip("\r\n") for line in lines]
    expected = [re.compile(pattern) for pattern in allowed]
    found: list[Report] = []
    index = 0
    while index < len(every):
        if not _TROUBLE.search(every[index]):
            index += 1
            continue
        end = _end_of_report(every, index)
        report = every[index:end]
        head = next((line for line in report if _CUT not in line), report[0])
        harmless = any(pattern.search(head) for pattern in _HARMLESS)
        if not harmless and not any(p.search(line) for p in expected for line in report):
            found.append(Report(bare(head), _at_ns(head), tuple(report)))
        index = end
    return found


def scan_file(path: Path, allowed: Sequence[str] = ()) -> list[Report]:
    """``scan`` for a file; one that is not there has no reports."""
    return scan(read_lines(path), allowed)


def read_lines(path: Path) -> list[str]:
    """The lines of a console log, without the firmware's escape sequences."""
    try:
        text = path.read_bytes().decode(errors="replace")
    except OSError:
        return []
    text = re.sub(r"\x1b\[[0-9;?=]*[A-Za-z]|\x1bc", "", text)
    return [line.rstrip("\r") for line in text.split("\n")]


def tail(path: Path, count: int = 12) -> list[str]:
    """The last lines of a log that say something."""
    return [line for line in read_lines(path) if line.strip()][-count:]


def last_words(path: Path, count: int = 14) -> list[str]:
    """What the log of a machine that was lost says of it, in at most ``count`` lines.

    The beginning of its first oops or panic: an end of registers and addresses tells less. Without
    one, the last lines.
    """
    for report in scan_file(path):
        if _FATAL.search(report.line):
            lines = read_lines(path)
            return [line for line in lines[lines.index(report.lines[0]) :] if line.strip()][:count]
    return tail(path, count)


def _end_of_report(lines: list[str], start: int) -> int:
    """The index after the report that begins at ``start``.

    It goes on to its end mark, or to the end of its call trace, if that comes before the next
    report; else it is one line (two after ``cut here``).
    """
    first = start + 2 if _CUT in lines[start] else start + 1
    end = min(first, len(lines))
    for index in range(end, min(start + _LONGEST, len(lines))):
        if any(mark in lines[index] for mark in ("---[ end trace", "---[ end Kernel panic")):
            return index + 1
        if _TROUBLE.search(lines[index]):
            break
        if "</TASK>" in lines[index]:
            end = index + 1
    return end


def bare(line: str) -> str:
    """The line without its time stamp."""
    return _STAMP.sub("", line).strip()


def _at_ns(line: str) -> int:
    stamp = _STAMP.match(line)
    if stamp is None:
        return 0
    return int(stamp[1]) * 1_000_000_000 + int(stamp[2].ljust(9, "0"))
