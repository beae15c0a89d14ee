"""A summary to paste into an issue thread: tables, conditions, and the command to repeat it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vm.report import conditions, words
from vm.report.blocks import Block, Line, main_columns
from vm.report.files import File
from vm.report.terminal import interval_text, subtitle, unusable_text
from vm.report.told import Telling

#: What a reader of Markdown, or the page that it is pasted into, would take for a sign.
_SIGNS = re.compile(r"([\\`*_{}\[\]#|~^$])")


def markdown(telling: Telling, files: Sequence[File]) -> str:
    """The summary, with four metrics of each block at most."""
    lines: list[str] = []
    left_out = 0
    for group in telling.told:
        if group.label:
            lines += [f"## {plain(group.label)}", ""]
        for block in group.blocks:
            left_out += len(block.columns) - len(main_columns(block))
            lines += [*_table(block), ""]
        if group.unusable:
            lines += ["Runs that gave no figures, and count nowhere:", ""]
            lines += [f"- {plain(unusable_text(one))}" for one in group.unusable] + [""]
    legend = words.legend(block for group in telling.told for block in group.blocks)
    told = [legend] if legend else ["There is no figure."]
    if left_out:
        told.append("Metrics that are not shown are in the file.")
    lines += [" ".join(told), ""]
    lines += [f"{plain(note)}  " for note in telling.notes] + ([""] if telling.notes else [])
    for file in files:
        lines += _conditions(file, is_named=len(files) > 1)
    return "\n".join(lines).rstrip() + "\n"


def plain(text: str) -> str:
    """``text`` as Markdown that shows it and does nothing else: no markup, no mention, no link."""
    one_line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    escaped = _SIGNS.sub(r"\\\1", one_line.replace("&", "&amp;").replace("<", "&lt;"))
    return escaped.replace("@", "&#64;").replace("://", ":&#47;&#47;")


def fenced(text: str) -> str:
    """A code block of ``text``, whatever it holds."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}sh\n{text}\n{fence}"


def _table(block: Block) -> list[str]:
    columns = main_columns(block)
    if not columns:
        return [f"**{plain(block.title)}**: no metric was measured."]
    rows = [f"**{plain(block.title)}** ({plain(subtitle(block))})", ""]
    rows.append("| scheduler | " + " | ".join(plain(one.heading) for one in columns) + " |")
    rows.append("|---|" + "---:|" * len(columns))
    for line in block.lines:
        cells = [_cell(block, line, column.metric) for column in columns]
        rows.append(f"| {plain(line.subject)} | " + " | ".join(cells) + " |")
    return rows


def _cell(block: Block, line: Line, metric: str) -> str:
    row = line.rows.get(metric)
    column = next(one for one in block.columns if one.metric == metric)
    if row is None:
        return "–"
    if not row.estimate.n:
        return "– " + plain(", ".join(f"{n} {status}" for status, n in row.unusable.items()))
    value = column.scale.text(row.estimate.median)
    if block.is_change and row.against:
        value = f"{column.scale.text(row.against.median)} → {value}"
    if (line.subject, metric) in block.best:
        value = f"★ **{value}**"
    difference = words.short(row.difference) if row.difference else ""
    return " ".join(
        part for part in (value, plain(interval_text(column, row.estimate)), difference) if part
    )


def _conditions(file: File, *, is_named: bool) -> list[str]:
    """A line of facts, and the command."""
    facts = conditions.short_facts(file.document)
    told = "; ".join(f"{fact.name}: {fact.value}" for fact in facts)
    lines = [(f"{plain(file.label)}: " if is_named else "") + plain(told), ""]
    hashes = conditions.objects(file.document)
    if hashes:
        short = ", ".join(f"{subject} {digest[:12]}" for subject, digest in hashes.items())
        lines += [f"Objects (SHA-256): {plain(short)}", ""]
    command = conditions.command(file.document)
    return [*lines, fenced(command), ""] if command else lines
