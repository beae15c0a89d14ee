"""The guest's report: lines of text from its program, read into samples and shares."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from vm.errors import VmError


@dataclass
class Window:
    """What ran in one stretch of a phase, all in ns of the guest's clock.

    ``hogs`` holds for each hog its CPU and its CPU time; ``instructions`` what it counted.
    """

    start_ns: int
    length_ns: int
    sleeper_ns: int
    hogs: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    instructions: list[int] = field(default_factory=list[int])


@dataclass
class PhaseReport:
    """One phase: when each alarm was due (ns since its start) and how late the sleeper woke (ns).

    ``swaps`` holds for each change of policy when it was made, how long it took until nothing was
    left in the old one's queues, and how many tasks were.
    """

    name: str
    due_ns: list[int] = field(default_factory=list[int])
    late_ns: list[int] = field(default_factory=list[int])
    windows: list[Window] = field(default_factory=list[Window])
    swaps: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])


@dataclass
class Report:
    """All that one run says; ``sha256`` is that of the report as it came."""

    kernel: str
    phases: dict[str, PhaseReport]
    said: list[str]
    """The lines of other programs, in their order."""
    sha256: str


def parse(raw: bytes) -> Report:
    """Read a complete report; VmError if it is none."""
    kernel = ""
    phases: dict[str, PhaseReport] = {}
    said: list[str] = []
    current = PhaseReport("")
    for number, line in enumerate(raw.decode(errors="replace").splitlines(), 1):
        word, *rest = line.split() or [""]
        try:
            match word:
                case "kernel":
                    kernel = rest[0]
                case "phase":
                    current = phases[rest[0]] = PhaseReport(rest[0])
                case "window":
                    start, length, sleeper = map(int, rest)
                    current.windows.append(Window(start, length, sleeper))
                case "hog":
                    cpu, ran, instructions = map(int, rest)
                    current.windows[-1].hogs.append((cpu, ran))
                    current.windows[-1].instructions.append(instructions)
                case "wake":
                    due, late = map(int, rest)
                    current.due_ns.append(due)
                    current.late_ns.append(late)
                case "swap":
                    at, took, drained = map(int, rest)
                    current.swaps.append((at, took, drained))
                case "said":
                    said.append(line.removeprefix("said "))
                case "programs" | "prog" | "code" | "line" | "call":
                    pass  # of vm.exact.bisect.account
                case "seed" | "program" | "log" | "end":
                    pass
                case _:
                    raise ValueError(word)
        except (ValueError, IndexError):
            raise VmError(f"line {number} of the guest's report is broken: {line!r}") from None
    return Report(kernel, phases, said, hashlib.sha256(raw).hexdigest())


def first_difference(one: Report, other: Report) -> str:
    """Where two reports of the same cell and seed part, in words; empty if they do not."""
    for name, phase in one.phases.items():
        again = other.phases.get(name, PhaseReport(name))
        pairs = _both(phase, again)
        for index, (a, b) in enumerate(pairs):
            if a != b:
                return f"sample {index} of phase {name} was {_shown(a)} and then {_shown(b)}"
        for words, a, b in (
            ("when the alarms of phase {} were due differs", phase.due_ns, again.due_ns),
            ("the swaps of phase {} differ", phase.swaps, again.swaps),
            ("the CPU times of phase {} differ", phase.windows, again.windows),
        ):
            if a != b:
                return words.format(name)
    for a, b in zip(one.said, other.said, strict=False):
        if a != b:
            return f"the program said {a!r} and then {b!r}"
    return "" if one.sha256 == other.sha256 else "something other than a sample differs"


def _both(one: PhaseReport, other: PhaseReport) -> Sequence[tuple[int | None, int | None]]:
    a, b = one.late_ns, other.late_ns
    longest = max(len(a), len(b))
    return [(a[i] if i < len(a) else None, b[i] if i < len(b) else None) for i in range(longest)]


def _shown(value: int | None) -> str:
    return "missing" if value is None else f"{value} ns"
