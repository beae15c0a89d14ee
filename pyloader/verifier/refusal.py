"""From the log to what it says: a text of any kernel to a ``Refusal``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pyloader.verifier.advice import advise
from pyloader.verifier.registers import may_be_null, words
from pyloader.verifier.report import PathStep, Report, split
from pyloader.verifier.trace import Register, SourceLine, Trace, walk

# A program of a million steps leaves a log of some 100 MB; how it ends says why it was refused.
_TAIL_CHARS = 512 << 10
_HEAD_CHARS = 64 << 10
# The kernel's words are a line or two; anything longer is no message of its.
_LINES = 4
_LINE_CHARS = 1000

_BEGIN = re.compile(
    r"^(?:libbpf: )?(?:prog '(?P<program>[^'\n]{0,256})': )?-- BEGIN (?:PROG LOAD|DUMP) LOG --.*$",
    re.M,
)
_END = re.compile(r"^(?:libbpf: )?-- END (?:PROG LOAD )?LOG --", re.M)
_LIBBPF_PROGRAM = re.compile(
    r"^libbpf: (?:prog '(?P<new>[^'\n]{1,256})': BPF program load failed"
    r"|failed to load program '(?P<old>[^'\n]{1,256})')",
    re.M,
)
# libbpf's lines that say only that something failed, not why.
_LIBBPF_EMPTY = re.compile(
    r"libbpf: (?:failed to load object|failed to load program|prog '.*': failed to load: "
    r"|Failed to bump RLIMIT_MEMLOCK|load bpf program failed|-- (?:BEGIN|END) )"
)
_REGISTER = re.compile(r"\b[RrwW](?P<number>[0-9]|10)\b")
_KFUNC_ARGUMENT = re.compile(r"\b(?:trusted )?arg#?(?P<number>[0-4])\b")
_AT_INSTRUCTION = re.compile(r"(?:detected at|unreachable|from) insn (?P<number>[0-9]{1,9})")
_ACQUIRED_AT = re.compile(r"\balloc_insn=(?P<number>[0-9]{1,9})")
_STORE = re.compile(r"\*\(\w+ \*\)\(r(?P<number>[0-9]|10) ?[+-]\d+\) [|&^+]?=")


@dataclass(frozen=True)
class RegisterFact:
    """A register that matters: ``words`` say what it is, ``raw`` how the kernel printed it.

    ``since`` is the source line that gave it this value, as far as the log shows.
    """

    name: str
    words: str
    raw: str
    since: SourceLine | None = None


@dataclass(frozen=True)
class Refusal:
    """Why the kernel refused an object, read from its log.

    ``kind`` is a stable name of the class (``null-check``, ``out-of-range``, …; "unknown"),
    ``title`` the same in words; ``after`` the last line of the program's own before the
    refused one, where that alone says too little (a header's, or the function's first for a way
    out); ``reason`` one sentence; ``message`` the kernel's own line, for a
    search; ``suggestion`` the kernel's advice (7.3), ``advice`` ours. ``form`` is "7.3" where the
    log has the report of 7.3, "classic" for other verifier logs, "libbpf" if libbpf refused the
    object before any verifier saw it.
    """

    program: str
    kind: str
    title: str
    reason: str
    message: str
    source: SourceLine | None
    after: SourceLine | None
    instruction: str
    registers: tuple[RegisterFact, ...]
    path: tuple[PathStep, ...]
    suggestion: str
    advice: str
    form: Literal["7.3", "classic", "libbpf"]

    @property
    def sentence(self) -> str:
        """One line for an error: the program, the place and the class or the kernel's words."""
        who = f"program {self.program!r}" if self.program else "the program"
        by = "libbpf" if self.form == "libbpf" else "the verifier"
        source = self.source
        where = f" at {source.file}:{source.line}" if source and source.file and source.line else ""
        return f"{by} refused {who}{where}: {self.title or self.reason}"


def parse(log: str, program: str = "") -> Refusal:
    """Read a refusal from libbpf's text or a bare verifier log; any text gives a Refusal.

    ``program`` picks the program when the text holds the logs of several (the last otherwise).
    """
    log = _shortened(log.replace("\r\n", "\n").replace("\0", ""))
    body, named, outside = _verifier_part(log, program)
    before, report, after = split(body)
    trace = walk(before)
    trailing = walk(after).messages if report is not None else []
    libbpf = _libbpf_words(outside)
    seen = bool(trace.instruction or trace.messages or report is not None)
    lines = trace.messages + trailing if seen else libbpf
    lines = [line[:_LINE_CHARS] for line in lines[-_LINES:]]
    message = "; ".join(lines) or _without_message(trace)
    source = _source(trace, report, message)
    if report is not None and report.at is not None and not named and not program:
        named = report.at.function
    facts = _facts(trace, message)
    report_words = [report.title, report.reason] if report is not None else []
    entry, advice = advise(
        "\n".join([message, *report_words, *_acquirer(trace, message)]),
        source.text if source is not None else "",
        *_subject(facts, source),
    )
    said = message if entry is not None or not lines else lines[-1]
    return Refusal(
        program=program or named,
        kind=entry.kind if entry is not None else "unknown",
        title=entry.title if entry is not None else "",
        reason=(report.reason if report is not None else "") or said or _last_line(log),
        message=message,
        source=source,
        after=trace.own if _elsewhere(source, trace.source) else None,
        instruction=trace.instruction or (report.at.instruction if report and report.at else ""),
        registers=facts,
        path=report.path if report is not None and report.path else _classic_path(trace, message),
        suggestion=report.suggestion if report is not None else "",
        advice=advice,
        form="7.3" if report is not None else "classic" if seen else "libbpf",
    )


def _shortened(log: str) -> str:
    if len(log) <= _HEAD_CHARS + _TAIL_CHARS:
        return log
    return f"{log[:_HEAD_CHARS]}\n{log[-_TAIL_CHARS:].partition(chr(10))[2]}"


def _verifier_part(log: str, program: str) -> tuple[str, str, str]:
    """The verifier's own text, the program it is about, and libbpf's text around it."""
    begins = list(_BEGIN.finditer(log))
    chosen = next((begin for begin in reversed(begins) if begin["program"] == program), None)
    begin = chosen or (begins[-1] if begins else None)
    loading = _LIBBPF_PROGRAM.findall(log)
    named = "".join(loading[-1]) if loading else ""
    if begin is None:
        lines = log.split("\n")
        bare = [line for line in lines if not line.startswith("libbpf: ")]
        return "\n".join(bare), named, log
    end = _END.search(log, begin.end())
    stop = end.start() if end is not None else len(log)
    around = log[: begin.start()] + (log[end.start() :] if end is not None else "")
    return log[begin.end() : stop], begin["program"] or named, around


def _libbpf_words(text: str) -> list[str]:
    """The last line of libbpf's that says why, without its prefix."""
    lines = [line.strip() for line in text.split("\n")]
    telling = [
        line.removeprefix("libbpf: ")
        for line in lines
        if line.startswith("libbpf: ") and not _LIBBPF_EMPTY.match(line)
    ]
    return telling[-1:]


def _without_message(trace: Trace) -> str:
    """Words for a refusal of which the log only shows where it happened.

    A struct_ops type may veto a write to a kernel struct in silence: sched_ext up to 6.18 does.
    """
    if not trace.instruction:
        return ""
    store = _STORE.search(trace.instruction)
    target = trace.registers.get(int(store["number"])) if store is not None else None
    struct = re.search(r"ptr_(?:or_null_)?(\w+)", target.raw) if target is not None else None
    if struct is not None:
        return f"the kernel gave no reason for refusing a write to struct {struct[1]}"
    return f"the kernel gave no reason; the last instruction it looked at is {trace.instruction}"


def _last_line(log: str) -> str:
    lines = [line.strip() for line in log.split("\n") if line.strip()]
    return lines[-1] if lines else "the kernel gave no reason"


def _source(trace: Trace, report: Report | None, message: str) -> SourceLine | None:
    """The refused line: as the report has it, or the one of the instruction that is named."""
    named = _AT_INSTRUCTION.search(message)
    classic = trace.source
    if named is not None:
        classic = trace.sources.get(int(named["number"]), classic)
    at = report.at.source if report is not None and report.at is not None else None
    if at is None:
        return classic
    # The trace has the line's whole text, the report cuts it at 88 columns.
    whole = classic is not None and classic.line == at.line
    text = classic.text if classic is not None and whole else at.text
    return SourceLine(at.file, at.line, text, at.column)


def _elsewhere(source: SourceLine | None, last: SourceLine | None) -> bool:
    """Whether the refused line does not show what the program did last."""
    if source is None or last is None:
        return False
    return source.file.endswith(".h") or source.line not in (0, last.line)


def _facts(trace: Trace, message: str) -> tuple[RegisterFact, ...]:
    """The registers that the message names, or else those of the last instruction."""
    named = [int(found["number"]) for found in _REGISTER.finditer(message)]
    # kfuncs count arguments from 0 (r1 carries the first); 7.3 names the register instead.
    named += [int(found["number"]) + 1 for found in _KFUNC_ARGUMENT.finditer(message)]
    used = [int(found["number"]) for found in _REGISTER.finditer(trace.instruction)]
    numbers = dict.fromkeys(named or used)
    known = ((number, trace.registers.get(number)) for number in numbers)
    if not named:
        known = ((number, register) for number, register in known if register is not None)
    return tuple(_fact(f"r{number}", register) for number, register in known)


def _fact(name: str, register: Register | None) -> RegisterFact:
    if register is None:
        return RegisterFact(name, "not set on this path", "")
    if register.lost_to:
        lost = f"gone: the call of {register.lost_to} kept only r6 to r9"
        return RegisterFact(name, lost, "", register.since)
    return RegisterFact(name, words(register.raw), register.raw, register.since)


def _subject(facts: tuple[RegisterFact, ...], source: SourceLine | None) -> tuple[str, str]:
    """The register that the advice speaks of, and where its value came from."""
    if not facts:
        return "", ""
    fact = next((fact for fact in facts if may_be_null(fact.raw)), facts[0])
    since = fact.since
    return fact.name, f" (from {since.place(source)})" if since is not None and since.line else ""


def _acquired_at(trace: Trace, message: str) -> int | None:
    """The instruction that acquired a leaked reference, if the trace still has it."""
    acquired = _ACQUIRED_AT.search(message)
    number = int(acquired["number"]) if acquired is not None else -1
    return number if number in trace.instructions else None


def _acquirer(trace: Trace, message: str) -> list[str]:
    number = _acquired_at(trace, message)
    call = re.search(r" call (\w+)", trace.instructions[number]) if number is not None else None
    return [f"acquired by {call[1]}"] if call is not None else []


def _classic_path(trace: Trace, message: str) -> tuple[PathStep, ...]:
    """Where a leaked reference was acquired, which older logs give as an instruction number."""
    number = _acquired_at(trace, message)
    if number is None:
        return ()
    code = trace.instructions[number]
    text = f"the reference comes from here: {code.partition(') ')[2] or code}"
    return (PathStep(trace.sources.get(number), "acquired", text, "", f"{number}: {code}"),)
