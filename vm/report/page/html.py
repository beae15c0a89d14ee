"""The page as one text: what is told, in the order in which people ask."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vm.report import conditions, words
from vm.report.blocks import Block, headline, load_title, throughput
from vm.report.files import File
from vm.report.page import tables
from vm.report.page.figures import figure
from vm.report.page.text import escaped, tag
from vm.report.plots import distribution, heat, knob, spread, stages, theme, tradeoff
from vm.report.plots.panels import Plot
from vm.report.told import Telling, Told

_HERE = Path(__file__).parent

#: How a page of ours is known.
GENERATOR = "scxhid bench report"


@dataclass(frozen=True)
class Data:
    """A file beside the page: its name there, its size in bytes and its SHA-256."""

    name: str
    size: int
    sha256: str


def page(telling: Telling, files: Sequence[File], data: Sequence[Data], repeat: str) -> str:
    """The whole page. ``repeat`` is the command that made it."""
    numbers = iter(range(1, 10_000))
    body: list[str] = []
    contents: list[tuple[str, str]] = [("short", "In short")]
    for told in telling.told:
        for workload in dict.fromkeys(block.place[0] for block in told.blocks):
            key = f"workload-{len(contents)}"
            contents.append((key, f"{workload}, {told.label}" if told.label else workload))
            body.append(_workload(told, workload, key, contents[-1][1], numbers))
    contents += [("conditions", "Conditions"), ("repeat", "Repeat it"), ("data", "Raw data")]
    main = [
        _short(telling),
        *body,
        _conditions(files),
        _repeat(files, repeat),
        _data(data, files),
    ]
    script = (_HERE / "script.js").read_text()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:;"
        f" script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    title = _title(telling)
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta name="generator" content="{GENERATOR}">',
            '<meta name="color-scheme" content="light dark">',
            tag("title", escaped(title)),
            f"<style>\n{style()}</style>",
            "</head>",
            "<body>",
            '<a class="skip" href="#short">To the figures</a>',
            _header(title, telling, files, contents),
            tag("main", "\n".join(main)),
            tag("footer", _footer(files)),
            f"<script>{script}</script>",
            "</body>",
            "</html>",
            "",
        ]
    )


def style() -> str:
    """The style sheet: colours on light and on dark, and paper is light."""
    light = "\n".join(theme.variables(0)) + "\n--better-ink: #2160a8; --worse-ink: #a04a08;"
    dark = "\n".join(theme.variables(1)) + "\n--better-ink: #7db4f2; --worse-ink: #f2a65e;"
    sheet = (_HERE / "style.css").read_text()
    return (
        f":root {{ {light} }}\n"
        f"{sheet}"
        "@media screen and (prefers-color-scheme: dark) { :root:not([data-theme=light])"
        f" {{ color-scheme: dark; {dark} }} }}\n"
        f"@media screen {{ :root[data-theme=dark] {{ color-scheme: dark; {dark} }} }}\n"
    )


_EMPTY = "A result without runs"


def _title(telling: Telling) -> str:
    names = dict.fromkeys(
        line.cell.scheduler
        for told in telling.told
        for block in told.blocks
        for line in block.lines
    )
    shown = ", ".join(list(names)[:5]) + (" and others" if len(names) > 5 else "")
    if telling.is_change:
        return f"Before and after: {shown}" if names else "Before and after"
    return (
        f"{'Schedulers compared' if len(names) > 1 else 'Measured'}: {shown}" if names else _EMPTY
    )


def _header(
    title: str, telling: Telling, files: Sequence[File], contents: Sequence[tuple[str, str]]
) -> str:
    kernels = sorted({run.cell.kernel for file in files for run in file.document.runs})
    runs = sum(len(file.document.runs) for file in files)
    lead = f"{runs} runs" + (f" on kernel {', '.join(kernels)}" if kernels else "")
    when = sorted({file.document.created[:10] for file in files if file.document.created})
    lead += f", {' and '.join(when)}" if when else ""
    links = "".join(tag("li", tag("a", escaped(name), href=f"#{key}")) for key, name in contents)
    top = tag("h1", escaped(title)) + (
        '<button type="button" id="theme" hidden>Colours: auto</button>'
    )
    return tag(
        "header",
        tag("div", top, class_="top")
        + tag("p", escaped(lead), class_="lead")
        + tag("nav", tag("ol", links), aria_label="Contents"),
    )


def _short(telling: Telling) -> str:
    blocks = [block for told in telling.told for block in told.blocks]
    parts = [tag("h2", "In short")]
    notes = list(telling.notes)
    if notes:
        items = "".join(tag("li", escaped(note)) for note in notes)
        parts.append(tag("div", tag("ul", items), class_="notes"))
    board = tables.scoreboard(blocks)
    parts.append(board or tag("p", "Nothing is compared: there is no second scheduler, or no run."))
    legend = words.legend(blocks)
    if legend:
        parts.append(tag("p", escaped(legend), class_="quiet"))
    if board:
        parts.append(
            tag(
                "p",
                "A run counts once, however many samples it has. Whether two differ is told by"
                " Mann and Whitney’s test, from ten runs on within stretches of five repetitions,"
                " with Holm’s correction over everything that is compared, at 5 %; intervals are"
                " 95 % bootstrap intervals over runs.",
                class_="quiet",
            )
        )
    for told in telling.told:
        if told.unusable:
            count = sum(len(one.numbers) for one in told.unusable)
            head = f"{count} run{'s' if count > 1 else ''} without figures, which count nowhere"
            parts.append(
                tag(
                    "div",
                    tag("strong", escaped(head)) + tables.unusable_list(told.unusable),
                    class_="notes warning",
                )
            )
    return tag("section", "".join(parts), id="short")


def _workload(told: Told, workload: str, key: str, title: str, numbers: Iterable[int]) -> str:
    blocks = [block for block in told.blocks if block.place[0] == workload]
    about = told.document.workloads.get(workload, {}).get("about", "")
    number = iter(numbers)
    figures = [_folded(figure(plot, next(number)), plot) for plot in plots(told, blocks, workload)]
    head = tag("h2", escaped(title)) + (tag("p", escaped(about), class_="lead") if about else "")
    shown = "".join(tables.block_tables(block) for block in blocks)
    return tag(
        "section",
        head + "".join(figures) + tag("h3", "The figures") + shown,
        id=key,
        class_="workload",
    )


def plots(told: Told, blocks: Sequence[Block], workload: str) -> list[Plot]:
    """All plots of the ``blocks`` of one workload, in the order in which they are shown."""
    drawn = [block for block in told.drawn_blocks if block.place[0] == workload]
    baseline = next((block.baseline for block in told.drawn_blocks if block.baseline), "")
    shown = [*told.drawn_blocks, *told.blocks]
    looks = theme.looks((line.subject for block in shown for line in block.lines), baseline)
    columns = {
        column.metric: column
        for block in reversed(blocks)
        for column in (throughput(block), headline(block))
        if column
    }
    chosen = list(reversed(columns.values()))
    return [
        *heat.plots(blocks, chosen, looks),
        *distribution.plots(told.drawn, drawn, looks),
        *tradeoff.plots(drawn, looks),
        *stages.plots(drawn),
        *knob.plots(drawn),
        *spread.plots(told.drawn, drawn, looks),
    ]


def _folded(shown: str, plot: Plot) -> str:
    """The figure, behind its title if it is a detail."""
    if not plot.is_detail:
        return shown
    return tag("details", tag("summary", escaped(plot.title)) + shown)


def _conditions(files: Sequence[File]) -> str:
    parts = [tag("h2", "Conditions")]
    for file in files:
        if len(files) > 1:
            parts.append(tag("h3", escaped(file.label)))
        facts = conditions.facts(file.document)
        parts.append(
            tag(
                "dl",
                "".join(
                    tag("dt", escaped(fact.name)) + tag("dd", escaped(fact.value)) for fact in facts
                ),
            )
        )
        hashes = conditions.objects(file.document)
        if hashes:
            rows = "".join(
                tag("dt", escaped(name)) + tag("dd", tag("code", escaped(digest)))
                for name, digest in hashes.items()
            )
            parts.append(tag("h3", "Objects (SHA-256)") + tag("dl", rows))
        knobs = conditions.knobs(file.document)
        if knobs:
            rows = "".join(
                tag("dt", escaped(name)) + tag("dd", escaped(values))
                for name, values in knobs.items()
            )
            parts.append(tag("h3", "Knobs") + tag("dl", rows))
    return tag("section", "".join(parts), id="conditions")


def _repeat(files: Sequence[File], repeat: str) -> str:
    parts = [tag("h2", "Repeat it")]
    for file in files:
        command = conditions.command(file.document)
        if command:
            parts.append(tag("pre", escaped(command), class_="command"))
    parts.append(tag("p", "This page:") + tag("pre", escaped(repeat), class_="command"))
    machines = {
        name: command
        for file in files
        for name, command in conditions.machine_commands(file.document).items()
    }
    if machines:
        told = "".join(
            tag("h3", escaped(name)) + tag("pre", escaped(command))
            for name, command in machines.items()
        )
        summary = tag("summary", "Command lines of the machines")
        parts.append(tag("details", summary + told))
    return tag("section", "".join(parts), id="repeat")


def _data(data: Sequence[Data], files: Sequence[File]) -> str:
    links = "".join(
        tag(
            "li",
            tag("a", escaped(one.name), href=_link(one.name), download=one.name)
            + f" {tables.bytes_text(one.size)}, SHA-256 {tag('code', one.sha256)}",
        )
        for one in data
    )
    parts = [
        tag("h2", "Raw data"),
        tag("p", "Every run with its samples: JSON to read, and what numpy loads beside it."),
        tag("ul", links),
    ]
    for file in files:
        count = len(file.document.runs)
        summary = f"All {count} runs of {file.label}"
        parts.append(
            tag(
                "details",
                tag("summary", escaped(summary)) + tables.runs_table(file.document),
            )
        )
    return tag("section", "".join(parts), id="data")


def _link(name: str) -> str:
    """A file beside the page, whatever its name."""
    from urllib.parse import quote

    return "./" + quote(name)


def _footer(files: Sequence[File]) -> str:
    loads = {load_title(run.cell.load) for file in files for run in file.document.runs}
    del loads
    return "Made by <code>scxhid bench report</code>. Nothing on this page asks for anything else."
