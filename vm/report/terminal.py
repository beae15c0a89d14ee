"""The table on the terminal: as many metrics side by side as there is room for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from vm.report import words
from vm.report.blocks import Block, Column, Line, Unusable, place_title
from vm.report.told import Told
from vm.stats.compare import Estimate, Row

_STYLES = {words.BETTER: "green", words.WORSE: "red", words.SAME: "dim", words.FEW: "dim"}

#: A pipe is as wide as the longest line.
_NO_LIMIT = 10_000

_GAP = 2


@dataclass(frozen=True)
class _Cell:
    """One figure: ``value`` over ``interval``, and the difference beside."""

    value: Text
    interval: Text
    difference: Text

    @property
    def width(self) -> int:
        return max(self.value.cell_len, self.interval.cell_len)


def show(console: Console, told: Sequence[Told], notes: Sequence[str]) -> None:
    """Print everything. Without a terminal each subject is one line, however long it gets."""
    for group in told:
        if group.label:
            console.print(Text(group.label, style="bold reverse"), soft_wrap=True)
        if not any(block.lines for block in group.blocks):
            console.print("no run has a figure")
        for block in group.blocks:
            _show_block(console, block)
        _show_unusable(console, group.unusable)
    legend = words.legend(block for group in told for block in group.blocks)
    if legend:
        console.print(Text(legend, style="dim"), soft_wrap=_wide(console))
    for note in notes:
        console.print(Text(note), soft_wrap=_wide(console))


def printed(told: Sequence[Told], notes: Sequence[str], width: int | None = None) -> str:
    """The same as text: for a pipe, or with ``width`` as a terminal of so many columns shows it."""
    console = Console(
        width=width or _NO_LIMIT, highlight=False, color_system=None, force_terminal=False
    )
    with console.capture() as found:
        show(console, told, notes)
    return "\n".join(line.rstrip() for line in found.get().splitlines())


def _wide(console: Console) -> bool:
    return console.width >= _NO_LIMIT


def _show_block(console: Console, block: Block) -> None:
    if not block.lines:
        return
    console.print(Text(block.title, style="bold"), soft_wrap=_wide(console))
    console.print(Text(subtitle(block), style="dim"), soft_wrap=_wide(console))
    name_width = min(
        max(len(_name(block, line).plain) for line in block.lines),
        _NO_LIMIT if _wide(console) else max(12, console.width // 3),
    )
    cells = {
        column.metric: [_cell(block, column, line.rows.get(column.metric)) for line in block.lines]
        for column in block.columns
    }
    if not block.columns:
        console.print(Text("no metric was measured", style="dim"))
    for number, band in enumerate(_bands(block.columns, cells, console.width - name_width)):
        if number:
            console.print()
        console.print(_table(block, band, cells, name_width, one_line=_wide(console)))
    console.print()


def subtitle(block: Block) -> str:
    """Against what, and how many runs there are of each."""
    counts = sorted({line.runs for line in block.lines})
    runs = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    what = f"{runs} run{'s' if counts != [1] else ''} of each"
    if block.is_change:
        return f"each against itself before; {what}"
    return f"against {block.baseline}; {what}" if block.baseline and len(block.lines) > 1 else what


def _bands(
    columns: Sequence[Column], cells: dict[str, list[_Cell]], room: int
) -> Iterator[list[Column]]:
    """The columns in as few tables as fit below each other."""
    band: list[Column] = []
    used = 0
    for column in columns:
        width = (
            max(len(column.heading), *(cell.width for cell in cells[column.metric]))
            + max(cell.difference.cell_len for cell in cells[column.metric])
            + _GAP
            + 1
        )
        if band and used + width > room:
            yield band
            band, used = [], 0
        band.append(column)
        used += width
    if band:
        yield band


def _table(
    block: Block,
    band: Sequence[Column],
    cells: dict[str, list[_Cell]],
    name_width: int,
    *,
    one_line: bool,
) -> Table:
    table = Table(box=None, pad_edge=False, padding=0, show_header=True, header_style="bold")
    table.add_column("scheduler", width=max(name_width, len("scheduler")), overflow="fold")
    for column in band:
        table.add_column(" " * _GAP + column.heading, justify="right", no_wrap=True)
        table.add_column("", no_wrap=True)
    for number, line in enumerate(block.lines):
        row: list[Text] = [_name(block, line)]
        for column in band:
            cell = cells[column.metric][number]
            value = Text(" " * _GAP) + cell.value
            between = Text(" " if one_line else "\n" + " " * _GAP)
            row.append(value + between + cell.interval if cell.interval else value)
            row.append(Text(" ") + cell.difference if cell.difference else Text(""))
        table.add_row(*row)
    return table


def _name(block: Block, line: Line) -> Text:
    name = Text(line.subject, style="bold" if line.subject == block.baseline else "")
    if len({other.runs for other in block.lines}) > 1:
        name.append(f" ({line.runs})", style="dim")
    return name


def _cell(block: Block, column: Column, row: Row | None) -> _Cell:
    nothing = Text("")
    if row is None:
        return _Cell(Text("–", style="dim"), nothing, nothing)
    if not row.estimate.n:
        why = ", ".join(f"{count} {status}" for status, count in row.unusable.items())
        return _Cell(Text("–", style="yellow"), Text(why, style="yellow"), nothing)
    is_best = (row.subject, column.metric) in block.best
    value = Text("★ " if is_best else "", style="bold" if is_best else "")
    before = row.against if block.is_change else None
    if before:
        value.append(f"{column.scale.text(before.median)} → ")
    value.append(column.scale.text(row.estimate.median))
    difference = words.short(row.difference) if row.difference else ""
    return _Cell(
        value,
        Text(interval_text(column, row.estimate), style="dim"),
        Text(difference, style=_STYLES.get(difference[:1], "")),
    )


def interval_text(column: Column, estimate: Estimate) -> str:
    """``[310–340]``; of a single run, that it is one."""
    if estimate.n == 1:
        return "one run"
    if not (math.isfinite(estimate.low) and math.isfinite(estimate.high)):
        return ""
    return f"[{column.scale.text(estimate.low)}–{column.scale.text(estimate.high)}]"


def _show_unusable(console: Console, found: Sequence[Unusable]) -> None:
    if not found:
        return
    wide = _wide(console)
    total = sum(len(one.numbers) for one in found)
    head = (
        f"{total} runs gave no figures and count nowhere"
        if total > 1
        else "1 run gave no figures and counts nowhere"
    )
    console.print(Text(head, style="bold yellow"), soft_wrap=wide)
    for one in found:
        console.print(Text("  " + unusable_text(one), style="yellow"), soft_wrap=wide)
    console.print()


def unusable_text(one: Unusable) -> str:
    """Where, what, why, and which runs of the file."""
    numbers = ", ".join(map(str, one.numbers[:8])) + (", …" if len(one.numbers) > 8 else "")
    return f"{one.cell.subject} · {place_title(one.cell.place)}: {one.words} (number {numbers})"
