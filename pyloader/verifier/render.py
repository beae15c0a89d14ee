"""A refusal laid out as compilers do: place, marked snippet, facts, advice."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyloader.verifier.refusal import Refusal, RegisterFact
    from pyloader.verifier.report import PathStep
    from pyloader.verifier.trace import SourceLine

_CONTEXT_LINES = 2
_WIDTH = 96
_TAB = 8
_RAW_CHARS = 72
_PATH_STEPS = 8
_RED, _BLUE, _GREEN, _BOLD, _PLAIN = "\33[1;31m", "\33[1;34m", "\33[1;32m", "\33[1m", "\33[0m"


def render(
    refusal: Refusal, source_path: str | os.PathLike[str] | None = None, color: bool = False
) -> str:
    """The refusal as text of several lines, ending in a newline.

    ``source_path`` is the C file (or a folder that holds it): the lines around the refused one
    are read from it, if it still has that line. Without it only the log's own line is shown.
    """
    paint = _Paint(color)
    source, lines = _located(refusal.source, source_path)
    number = source.line if source is not None else 0
    gutter = len(str(number + _CONTEXT_LINES)) if number else 1
    out = [_headline(refusal, paint)]
    if source is not None:
        out += _snippet(source, lines, refusal.message or refusal.reason, gutter, paint)
    elif refusal.message and refusal.title:
        out += _note(gutter, "kernel:", refusal.message, paint)
    if refusal.after is not None:
        after = refusal.after
        out += _note(gutter, "reached after", f"{after.file}:{after.line}: {after.text}", paint)
    out += _facts(refusal, source, gutter, paint)
    out += _path(refusal.path, source, gutter, paint)
    if refusal.form == "7.3" and refusal.reason != refusal.message:
        out += _note(gutter, "why:", refusal.reason, paint)
    if refusal.suggestion:
        out += _note(gutter, "kernel suggests:", refusal.suggestion, paint)
    if refusal.advice:
        out += _note(gutter, "try:", refusal.advice, paint, _GREEN)
    file = os.fspath(source_path) if source_path is not None else "FILE"
    out += _note(gutter, "whole log:", f"scxhid check --log {file}", paint)
    return "\n".join(out) + "\n"


class _Paint:
    """Colours text, or leaves it as it is."""

    def __init__(self, color: bool) -> None:
        self._color = color

    def __call__(self, style: str, text: str) -> str:
        return f"{style}{text}{_PLAIN}" if self._color and text else text


def _headline(refusal: Refusal, paint: _Paint) -> str:
    by = "libbpf" if refusal.form == "libbpf" else "the verifier"
    who = f"program {_clean(refusal.program)}" if refusal.program else "the program"
    what = _clean(refusal.title or refusal.reason)
    return f"{paint(_RED, 'error')}: {paint(_BOLD, f'{by} refused {who}: {what}')}"


def _snippet(
    source: SourceLine, lines: list[str], message: str, gutter: int, paint: _Paint
) -> Iterator[str]:
    bar = paint(_BLUE, " " * gutter + " |")
    place = f"{source.file}:{source.line}" if source.line else source.file
    if source.column and source.line:
        place += f":{source.column}"
    if place:
        yield f"{' ' * gutter}{paint(_BLUE, '-->')} {_clean(place)}"
    yield bar
    first = max(1, source.line - _CONTEXT_LINES)
    shown = lines[first - 1 : source.line + _CONTEXT_LINES] if lines else []
    rows = list(enumerate(shown, first)) or [(source.line, source.text)]
    for number, raw in rows:
        text = _clean(raw.expandtabs(_TAB)).rstrip()
        label = str(number or "?").rjust(gutter)
        yield f"{paint(_BLUE, label + ' |')} {text}".rstrip()
        if number == source.line:
            yield from _marker(raw, source.column if lines else 0, message, bar, paint)
    yield bar


def _marker(raw: str, column: int, message: str, bar: str, paint: _Paint) -> Iterator[str]:
    """A line of tildes under the text, with a caret where the kernel gives a column."""
    body = raw.strip()
    start = len(raw[: len(raw) - len(raw.lstrip())].expandtabs(_TAB))
    width = min(max(1, len(raw.rstrip().expandtabs(_TAB)) - start), _WIDTH) if body else 1
    caret = len(raw[: column - 1].expandtabs(_TAB)) - start if column > 0 else 0
    mark = "^" * width
    if 0 <= caret < width and column > 0:
        mark = "~" * caret + "^" + "~" * (width - caret - 1)
    if start + width + len(message) < _WIDTH:
        mark, message = f"{mark} {_clean(message)}".rstrip(), ""
    yield f"{bar} {' ' * start}{paint(_RED, mark)}"
    for line in _wrapped(message, max(40, _WIDTH - start)):
        yield f"{bar} {' ' * start}{paint(_RED, line)}"


def _facts(
    refusal: Refusal, source: SourceLine | None, gutter: int, paint: _Paint
) -> Iterator[str]:
    for fact in refusal.registers:
        yield from _note(gutter, f"{fact.name} is", _fact_text(fact, source), paint)
    if refusal.instruction:
        yield from _note(gutter, "instruction:", refusal.instruction, paint)


def _fact_text(fact: RegisterFact, source: SourceLine | None) -> str:
    text = fact.words
    since = fact.since
    if since is not None and since.text and (source is None or since.text != source.text):
        text += f"; since {since.place(source) if since.line else 'here'}: {since.text}"
    raw = fact.raw if len(fact.raw) <= _RAW_CHARS else f"{fact.raw[:_RAW_CHARS]}…"
    return f"{text} [{raw}]" if raw else text


def _path(
    path: tuple[PathStep, ...], source: SourceLine | None, gutter: int, paint: _Paint
) -> Iterator[str]:
    """The way to the refusal; of a long one its end, which is nearest to the fault."""
    if not path:
        return
    yield f"{' ' * gutter} {paint(_BLUE, '=')} {paint(_BOLD, 'how it came to that')}:"
    if len(path) > _PATH_STEPS:
        yield f"{' ' * gutter}     ({len(path) - _PATH_STEPS} earlier steps are in the whole log)"
    for step in path[-_PATH_STEPS:]:
        place = step.source.place(source) if step.source is not None else step.instruction
        code = step.source.text if step.source is not None else ""
        lead = f"{' ' * gutter}     {place}: "
        yield f"{lead}{_clean(code)}".rstrip()
        for line in _wrapped(f"{step.label}: {step.text}", _WIDTH - gutter - 9):
            yield f"{' ' * gutter}         {line}"


def _note(gutter: int, name: str, text: str, paint: _Paint, style: str = _BOLD) -> list[str]:
    pad = " " * gutter
    lines = _wrapped(text, max(40, _WIDTH - gutter - len(name) - 4)) or [""]
    hang = f"{pad}   {' ' * (len(name) + 1)}"
    return [f"{pad} {paint(_BLUE, '=')} {paint(style, name)} {lines[0]}"] + [
        hang + line for line in lines[1:]
    ]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(_clean(text), width, break_long_words=False, break_on_hyphens=False)


def _clean(text: str) -> str:
    """Names in a log come from the object: no control character of theirs reaches a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def _located(
    source: SourceLine | None, source_path: str | os.PathLike[str] | None
) -> tuple[SourceLine | None, list[str]]:
    """The source line with its place, and the file's lines; no lines if the file has changed."""
    if source is None:
        return None, []
    for path in _candidates(source, source_path):
        try:
            lines = path.read_text(errors="replace").split("\n")
        except (OSError, ValueError):
            continue
        line = source.line or _only_line(lines, source.text)
        if 0 < line <= len(lines) and _same(lines[line - 1], source.text):
            found = type(source)(str(path), line, source.text, source.column)
            return found, lines
    return source, []


def _candidates(source: SourceLine, source_path: str | os.PathLike[str] | None) -> list[Path]:
    """Where the file may be: as given, beside it, in its include folder, where BTF says."""
    name = os.path.basename(source.file)
    found: list[Path] = []
    if source_path is not None:
        given = Path(source_path)
        folder = given if given.is_dir() else given.parent
        if not name or given.name == name:
            found.append(given)
        if name:
            found += [folder / name, folder / "include" / name]
    if os.path.isabs(source.file):
        found.append(Path(source.file))
    return found


def _only_line(lines: list[str], text: str) -> int:
    """The number of the one line with this text; 0 if there is none or more than one."""
    numbers = [number for number, line in enumerate(lines, 1) if line.strip() == text.strip()]
    return numbers[0] if len(numbers) == 1 else 0


def _same(line: str, text: str) -> bool:
    """Whether a file's line is the one in the log, which may be cut and has its tabs expanded."""
    ours, theirs = line.split(), text.removesuffix("...").split()
    cut = text.endswith("...") and " ".join(ours).startswith(" ".join(theirs))
    return ours == theirs or cut
