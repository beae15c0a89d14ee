"""The instruction trace of a verifier log: what each register held, and from which source line.

At log level 1 the kernel prints the path that led to the refusal: source lines (``; text``, since
6.9 with `` @ file.c:LINE``), instructions (``8: (61) r1 = *(u32 *)(r0 +16)``), since 5.18 followed
by the registers that changed, and before that whole states at branches.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_SOURCE = re.compile(r"; ?(?P<text>.*?)(?: @ (?P<file>[^@]*?):(?P<line>[0-9]{1,9}))?$")
_INSTRUCTION = re.compile(r"(?P<index>[0-9]{1,9}): (?P<text>\([0-9a-f]{2}\) .*|<invalid .*)$")
# "from 6 to 9:" and a callee's "frame1:" bring a whole state, other lines only what changed.
_STATE = re.compile(
    r"(?P<whole>from [0-9]{1,9} to )?(?:[0-9]{1,9}: ?)?(?P<frame>frame[0-9]+: ?)?"
    r"(?=R[0-9]{1,2}\S*=)"
)
_REGISTER = re.compile(r"\bR(?P<number>[0-9]{1,2})(?:_[a-zA-Z]{1,4})?=")
_NOISE = re.compile(
    r"(?:libbpf:)?\s*$|processed [0-9]+ insns|verification time|stack depth|Live regs before"
    r"|subprog [0-9]+ \("
    r"|func '.*' arg[0-9]+ (?:has|type)|arg#[0-9]+ reference type\('(?:UNKNOWN|FWD) "
    r"|last_idx [0-9]|regs=[0-9a-f]+ stack=|mark_precise|parent |(?:cur|old) state:|propagating "
    r"|from [0-9]+ to [0-9]+|[0-9]+: safe|(?:Validating|Func#[0-9]+) |func#[0-9]+ @[0-9]+"
    r"|Global function \S+ doesn't return scalar|returning from callee|caller:|callee:|to caller at"
)
_CALL = re.compile(r" call (?P<name>[^\s#]+)")
_VALUE_CHARS = 1000  # what the kernel prints is far shorter
_CALLER_SAVED = range(6)


@dataclass(frozen=True)
class SourceLine:
    """A line of the C source; ``file`` is empty and ``line`` 0 where the log does not say."""

    file: str
    line: int
    text: str
    column: int = 0

    def place(self, beside: SourceLine | None = None) -> str:
        """``line 7``, or ``file.c:7`` where ``beside`` is in another file."""
        name, other = (line.file.rpartition("/")[2] if line else "" for line in (self, beside))
        return f"{name}:{self.line}" if name and name != other else f"line {self.line}"


@dataclass
class Register:
    """A register on the refused path; ``since`` is the source line that gave it this value."""

    raw: str
    since: SourceLine | None
    lost_to: str = ""


@dataclass
class Trace:
    """The path as the log shows it, and the verifier's words after its last instruction.

    ``own`` is the last source line that is not in a header: inlining hides who called.
    """

    source: SourceLine | None = None
    own: SourceLine | None = None
    instruction: str = ""
    registers: dict[int, Register] = field(default_factory=dict[int, Register])
    sources: dict[int, SourceLine] = field(default_factory=dict[int, SourceLine])
    instructions: dict[int, str] = field(default_factory=dict[int, str])
    messages: list[str] = field(default_factory=list[str])


def walk(text: str) -> Trace:
    """Read a verifier log from its first line to its last; any text gives a trace."""
    trace = Trace()
    calling = ""
    for line in text.split("\n"):
        line = line.rstrip()
        instruction = _INSTRUCTION.match(line)
        if instruction is not None:
            _call_returns(trace, calling)
            calling = _step(trace, instruction["index"], instruction["text"])
        elif line.startswith(";"):
            _note_source(trace, line)
        elif (state := _STATE.match(line.lstrip())) is not None:
            if state["whole"] or state["frame"]:
                trace.registers, calling = {}, ""
            _note_registers(trace, line)
        elif not _NOISE.match(line.strip()):
            trace.messages.append(line.strip())
    return trace


def _step(trace: Trace, index: str, text: str) -> str:
    """Take in one instruction; returns the name of what it calls, if it calls."""
    code, semicolon, state = text.partition(" ; ")
    if not semicolon:
        code, goto, state = _split_goto(text)
        if goto:
            trace.registers = {}
    code = code.rstrip(" ;")
    number = int(index)
    trace.instruction = f"{number}: {code}"
    trace.instructions[number] = code
    trace.messages = []
    if trace.source is not None:
        trace.sources[number] = trace.source
    call = _CALL.search(code)
    callee = call["name"] if call is not None else ""
    if state:
        _call_returns(trace, callee)
        callee = ""
    _note_registers(trace, state)
    return callee


def _split_goto(text: str) -> tuple[str, bool, str]:
    """A taken branch carries the state at its target on the same line: ``… goto pc+3 16: R0=…``."""
    branch = re.search(r"(goto pc[+-][0-9]+) [0-9]+: (?=\S*R[0-9])", text)
    if branch is None:
        return text, False, ""
    return text[: branch.end(1)], True, text[branch.end() :]


def _call_returns(trace: Trace, name: str) -> None:
    """A call leaves only r6 to r9: forget the others, remembering why."""
    if not name:
        return
    for number in _CALLER_SAVED:
        if number in trace.registers:
            trace.registers[number] = Register("", trace.source, name)


def _note_source(trace: Trace, line: str) -> None:
    match = _SOURCE.match(line)
    if match is None:
        return
    text, number = match["text"].strip(), int(match["line"] or 0)
    # Code without a line of its own is printed as line 0 or as an empty comment.
    if text and (number or match["line"] is None):
        trace.source = SourceLine(match["file"] or "", number, text)
        if not trace.source.file.endswith(".h"):
            trace.own = trace.source


def _note_registers(trace: Trace, text: str) -> None:
    for number, raw in register_values(text):
        known = trace.registers.get(number)
        if known is None or known.raw != raw:
            trace.registers[number] = Register(raw, trace.source)


def register_values(text: str) -> list[tuple[int, str]]:
    """``R0=map_value(ks=4,vs=8) R1=7`` → the numbers with their values as printed."""
    found: list[tuple[int, str]] = []
    match = _REGISTER.search(text)
    while match is not None:
        depth, end = 0, match.end()
        while end < len(text) and (depth > 0 or not text[end].isspace()):
            depth += (text[end] == "(") - (text[end] == ")")
            end += 1
        found.append((int(match["number"]), text[match.end() : end][:_VALUE_CHARS]))
        match = _REGISTER.search(text, end)
    return found
