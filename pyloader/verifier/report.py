"""The report that Linux 7.3 puts at the end of a verifier log.

It opens with ``Verification failed: CATEGORY: Problem`` and has the sections ``Reason:``, ``At:``
(function, file, line, column, marked source and instructions), ``Causal path:`` (the events that
led there, each drawn like ``At:``), for locks ``Active lock:``, and ``Suggestion:``. Printed by
kernel/bpf/diagnostics.c, wrapped at 100 columns. Some refusals have none: they end as before 7.3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from pyloader.verifier.trace import SourceLine

_HEAD = re.compile(r"^Verification failed: (?P<title>.*)$", re.M)
_SECTION = re.compile(r"(?P<name>Reason|At|Causal path|Active lock|Suggestion):$")
_PLACE = re.compile(
    r"  (?:(?P<function>[^\s@]{1,256}) @ )?(?P<file>\S[^\n]*?)"
    r":(?P<line>[0-9]{1,9}):(?P<column>[0-9]{1,9})$"
)
_PLACE_WITHOUT_SOURCE = re.compile(r"  insn [0-9]{1,9}$")
_ROW = re.compile(r"  (?P<mark>>>>|   ) *(?P<line>[0-9]{1,9}) \| (?P<text>.*)$")
_NOTE = re.compile(r" +\| *\^-- (?P<label>[^:]{1,40}): (?P<text>.*)$")
_MORE = re.compile(r" +\| {2,}(?P<text>\S.*)$")
_TITLE_CHARS = 200  # the kernel's are far shorter


@dataclass(frozen=True)
class PathStep:
    """One event on the way to the refusal: where, of which sort, and what happened there."""

    source: SourceLine | None
    label: str
    text: str
    function: str = ""
    instruction: str = ""


@dataclass(frozen=True)
class Report:
    """The sections of a 7.3 report; what was missing or cut off is empty."""

    title: str
    reason: str
    at: PathStep | None
    path: tuple[PathStep, ...]
    suggestion: str


def split(text: str) -> tuple[str, Report | None, str]:
    """A verifier log → what stands before the last report, the report, what follows it."""
    heads = list(_HEAD.finditer(text))
    if not heads:
        return text, None, ""
    head = heads[-1]
    lines = text[head.end() :].split("\n")
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    after: list[str] = []
    for number, line in enumerate(lines):
        section = _SECTION.match(line)
        if section is not None:
            current = sections.setdefault(section["name"], [])
        elif line.strip() and not line.startswith("  "):
            after = lines[number:]
            break
        else:
            current.append(line)
    places = _places(sections.get("At", []))
    path = _places(sections.get("Active lock", [])) + _places(sections.get("Causal path", []))
    report = Report(
        title=head["title"].strip()[:_TITLE_CHARS],
        reason=_joined(sections.get("Reason", [])),
        at=places[0] if places else None,
        path=tuple(path),
        suggestion=_joined(sections.get("Suggestion", [])),
    )
    return text[: head.start()], report, "\n".join(after)


def _joined(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())


def _places(lines: list[str]) -> list[PathStep]:
    """The events of a section, each begun by a line that names a place."""
    starts = [
        number
        for number, line in enumerate(lines)
        if _PLACE.match(line) or _PLACE_WITHOUT_SOURCE.match(line)
    ]
    return [_place(lines[start:end]) for start, end in pairwise([*starts, len(lines)])]


def _place(lines: list[str]) -> PathStep:
    place = _PLACE.match(lines[0])
    label, words, text, instruction = "", list[str](), "", ""
    in_instructions = False
    for line in lines[1:]:
        row, note, more = _ROW.match(line), _NOTE.match(line), _MORE.match(line)
        if line.strip() == "Instruction context:":
            in_instructions = True
        elif row is not None:
            if row["mark"] == ">>>" and in_instructions:
                instruction = f"{row['line']}: {row['text']}"
            elif row["mark"] == ">>>":
                text = row["text"].strip()
        elif note is not None:
            label, words = note["label"], [note["text"]]
        elif more is not None and words:
            words.append(more["text"])
    source = None
    if place is not None:
        source = SourceLine(place["file"], int(place["line"]), text, int(place["column"]))
    return PathStep(
        source=source,
        label=label,
        text=_joined(words),
        function=(place["function"] or "") if place is not None else "",
        instruction=instruction,
    )
