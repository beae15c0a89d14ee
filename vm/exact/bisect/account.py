"""What a run says of a scheduler's programs, read into calls and instructions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vm.errors import VmError

#: File and line of a scheduler's source; line 0 is what the compiler made for no line of it.
Line = tuple[str, int]

#: How often instructions ran, by address: addresses (uint64, ascending) and times (uint64), both of
#: shape ``(instructions that ran,)``.
Ran = tuple[NDArray[np.uint64], NDArray[np.uint64]]


@dataclass(frozen=True)
class Code:
    """What the kernel made of a program. ``tag`` is its digest of the instructions that it was
    given; ``bpf`` their number after verification, ``verified`` how many steps that took, ``bytes``
    the size of the machine code."""

    tag: str
    bytes: int
    bpf: int
    verified: int


@dataclass
class Program:
    """One program between two moments: ``ns`` from just before to just after its calls.

    ``functions`` are address and length of its machine code; ``lines`` the address from which on
    the machine code is that of a line.
    """

    name: str
    calls: int
    ns: int
    code: Code
    functions: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    lines: list[tuple[int, Line]] = field(default_factory=list[tuple[int, Line]])


@dataclass
class Window:
    """All programs of a scheduler between two moments, ``length_ns`` apart; ``calls`` are the
    functions of the kernel that they call, by the address of the calling instruction."""

    length_ns: int
    programs: list[Program] = field(default_factory=list[Program])
    calls: dict[int, str] = field(default_factory=dict[int, str])


@dataclass(frozen=True)
class Callback:
    """What one callback did in one run.

    ``instructions``: from its first to its last, with those of the kernel's functions that it
    calls; ``own``: those of its own code, by line, and ``kernel_calls``: how often it called which
    function of the kernel, both None where nobody counted them.
    """

    calls: int
    instructions: int
    own: Mapping[Line, int] | None
    code: Code
    kernel_calls: Mapping[str, int] | None = None

    @property
    def own_instructions(self) -> int | None:
        return None if self.own is None else sum(self.own.values())


def windows(raw: bytes) -> dict[str, Window]:
    """The windows of a guest's report by name; VmError if it makes no sense."""
    found: dict[str, Window] = {}
    window = Window(0)
    for number, line in enumerate(raw.decode(errors="replace").splitlines(), 1):
        word, *rest = line.split() or [""]
        try:
            match word:
                case "programs":
                    name, length = rest
                    window = found[name] = Window(int(length))
                case "prog":
                    name, calls, ns, jited, xlated, verified, tag = rest
                    code = Code(tag, int(jited), int(xlated) // 8, int(verified))
                    window.programs.append(Program(name, int(calls), int(ns), code))
                case "code":
                    address, length = rest
                    window.programs[-1].functions.append((int(address, 16), int(length)))
                case "line":
                    # A file's name may hold blanks.
                    address, at, _, file = line.split(maxsplit=4)[1:]
                    window.programs[-1].lines.append((int(address, 16), (file, int(at))))
                case "call":
                    address, function = rest
                    window.calls[int(address, 16)] = function
                case _:
                    pass
        except (ValueError, IndexError):
            raise VmError(f"line {number} of the guest's report is broken: {line!r}") from None
    return found


def counted(text: str) -> list[Ran]:
    """What the plugin wrote: one table for each window; VmError if the last is incomplete."""
    tables: list[Ran] = []
    pairs: list[tuple[int, int]] = []
    try:
        for line in text.splitlines():
            if line == "end":
                table = np.array(sorted(pairs), dtype=np.uint64).reshape(-1, 2)
                tables.append((table[:, 0].copy(), table[:, 1].copy()))
                pairs = []
            else:
                address, times = line.split()
                pairs.append((int(address, 16), int(times)))
    except ValueError:
        raise VmError("what the plugin counted makes no sense") from None
    if pairs:
        raise VmError("the plugin could not count all instructions: the scheduler is too large")
    return tables


def own_by_line(program: Program, ran: Ran) -> dict[Line, int]:
    """How many instructions of a program's own code ran, by line of its source."""
    addresses, times = ran
    starts = sorted(program.lines)
    begins = np.array([address for address, _ in starts], dtype=np.uint64)
    sums: dict[Line, int] = {}
    for begin, length in program.functions:
        first, last = np.searchsorted(addresses, np.array([begin, begin + length], np.uint64))
        at = np.searchsorted(begins, addresses[first:last], side="right")
        for index, n in zip(map(int, at), map(int, times[first:last]), strict=True):
            line: Line = starts[index - 1][1] if index else ("?", 0)
            sums[line] = sums.get(line, 0) + n
    return sums


def kernel_calls(program: Program, ran: Ran, functions: Mapping[int, str]) -> dict[str, int]:
    """How often a program called which of ``functions``, which are by address of the call."""
    times = dict(zip(map(int, ran[0]), map(int, ran[1]), strict=True))
    sums: dict[str, int] = {}
    for address, function in functions.items():
        inside = any(begin <= address < begin + length for begin, length in program.functions)
        if inside and address in times:
            sums[function] = sums.get(function, 0) + times[address]
    return sums


def callbacks(
    found: Mapping[str, Window],
    tables: Sequence[Ran] | None,
    members: Mapping[str, str],
    *,
    own_only: bool = False,
) -> dict[str, Callback]:
    """The callbacks of the window ``subject`` that were called, by their name in the ops.

    ``members`` are the ops' members by program. What the window ``empty`` says, a callback that
    does nothing, is the cost of keeping the account: it is taken off each call, but for that
    callback's own instructions where ``tables`` (one for each window, in their order) have them.
    With ``own_only`` the account is not asked: where CPUs take turns a callback's time holds other
    CPUs' work.

    Raises:
        VmError: the account is not exact: an empty callback does not always cost the same.
    """
    try:
        subject, empty = found["subject"], found["empty"]
        (nothing,) = [program for program in empty.programs if program.calls]
    except (KeyError, ValueError):
        raise VmError("the guest's report lacks its account of programs") from None
    ran: Mapping[str, Ran] = dict(zip(found, tables, strict=True)) if tables is not None else {}
    cost_ns, rest = divmod(nothing.ns, nothing.calls)
    if rest and not own_only:
        raise VmError(
            "an empty callback did not always cost the same number of instructions in this machine,"
            " so none can be counted exactly"
        )
    if ran:
        cost_ns -= sum(own_by_line(nothing, ran["empty"]).values()) // nothing.calls
    called: dict[str, Callback] = {}
    for program in subject.programs:
        if not program.calls:
            continue
        own = own_by_line(program, ran["subject"]) if ran else None
        instructions = program.ns - cost_ns * program.calls
        if own_only and own is not None:
            instructions = sum(own.values())
        called[members.get(program.name, program.name)] = Callback(
            program.calls,
            instructions,
            own,
            program.code,
            kernel_calls(program, ran["subject"], subject.calls) if ran else None,
        )
    return called
