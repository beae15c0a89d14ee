"""The blocks as HTML tables, and the table of all runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from vm.report import words
from vm.report.blocks import Block, Column, Line, Unusable, main_columns, metric_label
from vm.report.page.text import escaped, tag
from vm.report.terminal import interval_text, subtitle, unusable_text
from vm.report.units import scale_of
from vm.results.model import Document, Run
from vm.stats.compare import Row, metrics_of

_CLASSES = {words.BETTER: "better", words.WORSE: "worse", words.SAME: "same", words.FEW: "same"}

#: More runs than that are in the data only: a browser would take long to lay them out.
MOST_RUNS = 3000


def block_tables(block: Block) -> str:
    """The main metrics, and below them all others, folded."""
    main = main_columns(block)
    rest = [column for column in block.columns if column not in main]
    if not main:
        return tag("p", f"{escaped(block.title)}: no metric was measured.")
    made = _block_table(block, main, block.title)
    if rest:
        summary = f"{len(rest)} more metric{'s' if len(rest) > 1 else ''} of this place"
        made += tag(
            "details",
            tag("summary", escaped(summary)) + _block_table(block, rest, f"{block.title}, further"),
        )
    return made


def scoreboard(blocks: Sequence[Block]) -> str:
    """How often each subject was better, worse, or not seen to differ, over all comparisons."""
    counts: dict[str, dict[str, int]] = {}
    for block in blocks:
        for line in block.lines:
            for column in block.columns:
                row = line.rows.get(column.metric)
                if row and row.difference:
                    mine = counts.setdefault(line.subject, {})
                    sign = words.mark(row.difference)
                    mine[sign] = mine.get(sign, 0) + 1
    if not counts:
        return ""
    signs = (words.BETTER, words.WORSE, words.SAME, words.FEW)
    names = ("better", "worse", "no difference seen", "too few runs")
    head = tag("th", "scheduler", scope="col") + "".join(
        tag("th", f'{sign} <i class="word">{name}</i>', scope="col", class_="number")
        for sign, name in zip(signs, names, strict=True)
    )
    body = "".join(
        tag(
            "tr",
            tag("th", _name(subject), scope="row")
            + "".join(tag("td", str(mine.get(sign, 0)), class_="number") for sign in signs)
            + tag("td", _bar([mine.get(sign, 0) for sign in signs]), class_="bar"),
        )
        for subject, mine in counts.items()
    )
    caption = tag("caption", "Comparisons by what they showed, all metrics at all places")
    head += '<td class="bar"></td>'
    return _scrolled(
        tag(
            "table",
            caption + tag("thead", tag("tr", head)) + tag("tbody", body),
            class_="scoreboard",
        ),
        "comparisons",
    )


def unusable_list(found: Iterable[Unusable]) -> str:
    """Which runs gave no figures, and why."""
    return tag("ul", "".join(tag("li", escaped(unusable_text(one))) for one in found))


def runs_table(document: Document) -> str:
    """Every run with its metrics as they are in the file."""
    if len(document.runs) > MOST_RUNS:
        return tag(
            "p", f"{len(document.runs)} runs are too many to list here; they are in the data."
        )
    metrics = list(
        dict.fromkeys(
            metric for workload in document.workloads for metric in metrics_of(document, workload)
        )
    )
    metrics = [metric for metric in metrics if any(metric in run.metrics for run in document.runs)]
    units = {
        metric: str(about.get("unit", ""))
        for workload in document.workloads
        for metric, about in metrics_of(document, workload).items()
    }
    names = ("number", "scheduler", "workload", "load", "kernel", "CPUs", "seed", "status")
    head = "".join(tag("th", name, scope="col") for name in names) + "".join(
        tag("th", escaped(f"{metric_label(m)} {units[m]}".rstrip()), scope="col", class_="number")
        for m in metrics
    )
    body = "".join(
        tag("tr", _run_cells(number, run, metrics)) for number, run in enumerate(document.runs)
    )
    return _scrolled(
        tag("table", tag("thead", tag("tr", head)) + tag("tbody", body), class_="runs"), "all runs"
    )


def _run_cells(number: int, run: Run, metrics: Sequence[str]) -> str:
    cell = run.cell
    machine = f"{cell.cpus}" + (f" ({cell.topology})" if cell.topology else "")
    status = run.status + (f": {run.reason}" if run.reason else "")
    fields = (cell.subject, cell.workload, cell.load, cell.kernel, machine, run.seed, status)
    return (
        tag("th", str(number), scope="row")
        + "".join(tag("td", escaped(field)) for field in fields)
        + "".join(tag("td", _raw(run.metrics.get(m)), class_="number") for m in metrics)
    )


def _raw(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:.4g}"


def _block_table(block: Block, columns: Sequence[Column], title: str) -> str:
    head = tag("th", "scheduler", scope="col") + "".join(
        tag("th", _heading(column), scope="col", class_="number", title=column.about or None)
        for column in columns
    )
    body = "".join(_row(block, line, columns) for line in block.lines)
    caption = tag("caption", escaped(title) + tag("span", escaped(subtitle(block))))
    return _scrolled(
        tag("table", caption + tag("thead", tag("tr", head)) + tag("tbody", body)), title
    )


def _heading(column: Column) -> str:
    better = "less is better" if column.better == "less" else "more is better"
    unit = f"{column.scale.unit}, " if column.scale.unit else ""
    return escaped(column.label) + tag("span", escaped(unit + better))


def _row(block: Block, line: Line, columns: Sequence[Column]) -> str:
    name = _name(line.subject)
    if len({other.runs for other in block.lines}) > 1:
        name += tag("span", f"{line.runs} runs")
    cells = "".join(_figure(block, column, line.rows.get(column.metric)) for column in columns)
    is_baseline = line.subject == block.baseline
    return tag(
        "tr", tag("th", name, scope="row") + cells, class_="baseline" if is_baseline else None
    )


def _figure(block: Block, column: Column, row: Row | None) -> str:
    if row is None:
        return tag("td", "–", class_="number")
    if not row.estimate.n:
        why = ", ".join(f"{count} {status}" for status, count in row.unusable.items())
        return tag("td", "–" + tag("span", escaped(why)), class_="number")
    value = escaped(column.scale.text(row.estimate.median))
    if block.is_change and row.against:
        value = f"{escaped(column.scale.text(row.against.median))} → {value}"
    if (row.subject, column.metric) in block.best:
        value = tag(
            "b", f"{tag('span', '★', aria_label='best', role='img', class_='best')} {value}"
        )
    below = escaped(interval_text(column, row.estimate))
    if row.difference:
        short = words.short(row.difference)
        below += " " + tag(
            "span",
            escaped(short),
            class_=_CLASSES[short[0]],
            title=words.sentence(row.difference, block.baseline or "the earlier one"),
        )
    return tag("td", value + tag("span", below), class_="number")


def _name(subject: str) -> str:
    """A subject that may go on in the next line before each knob."""
    return escaped(subject).replace(":", "<wbr>:")


def _bar(counts: Sequence[int]) -> str:
    total = sum(counts)
    roles = ("better-3", "worse-3", "line", "grid")
    return "".join(
        f'<i style="width:{100 * count / total:.1f}%;background:var(--{role})"></i>'
        for count, role in zip(counts, roles, strict=True)
        if count
    )


def _scrolled(table: str, name: str) -> str:
    """A table that scrolls by itself where it is too wide, also by keyboard."""
    return tag("div", table, class_="scrolled", role="region", tabindex=0, aria_label=name)


def bytes_text(size: int) -> str:
    """``540 kB``."""
    return scale_of("B", [float(size)]).with_unit(float(size))
