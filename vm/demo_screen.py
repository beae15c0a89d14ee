"""What the viewer of the demo sees: the guest's events as text, coloured on a terminal.

On a terminal the last line lives (what is being waited for, and for how long); in a pipe there
are only finished lines, none of them cut.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

#: Prose is set no wider than this, the commands' own output as wide as it is.
PROSE_COLUMNS = 92

#: The width of a pipe, for the rare line that is set to a width there.
PIPE_COLUMNS = 100

#: The commands' output stands that far in.
INDENT = 5

_LABEL_COLUMNS = 28

#: Rows of the closing table: step, prefix of its figures, what ran.
_ROWS = (
    ("kernels_own", "", "the kernel's own"),
    ("fifo_attach", "", "simple, fifo, 5 ms"),
    ("knob_live", "slice_20ms_", "simple, fifo, 20 ms"),
    ("knob_live", "slice_1ms_", "simple, fifo, 1 ms"),
    ("vtime_swap", "", "simple, vtime, 5 ms"),
    ("interactive_swap", "", "interactive"),
)


_NEXT = (
    ("scxhid vm shell --cpus 4", "a machine like this one, to try things in"),
    ("scxhid sched info simple", "what a scheduler says about itself, its knobs"),
    ("scxhid top", "the screen, on this very machine"),
    ("scxhid doctor", "whether this very machine can do it"),
    ("sudo scxhid sched use simple", "and then it does; `scxhid sched stop` undoes it"),
)


class Screen:
    """Shows events as they come. ``close`` ends the live line; it may be called twice."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._progress = Progress(
            SpinnerColumn(style="cyan"),
            TextColumn("[dim]{task.description}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def close(self) -> None:
        self._wait_for_nothing()
        self._progress.stop()

    def wait(self, what: str) -> None:
        """Show on the live line what is being waited for."""
        self._wait_for_nothing()
        self._progress.add_task(what, total=None)
        self._progress.start()

    def heading(self, kernel: str, cpus: int, emulated: bool) -> None:
        how = "emulated, since KVM does not work here" if emulated else "on KVM"
        self._line(Text("A kernel changes its CPU scheduler while it works", "bold"))
        self._prose(
            f"It is Linux {kernel} in a virtual machine with {cpus} CPUs, {how}."
            " Nothing happens to this machine."
        )

    def remark(self, text: str) -> None:
        self._prose(text)

    def booted(self, boot_s: float, loops: int, sleep_ms: int) -> None:
        self._wait_for_nothing()
        self._prose(
            f"Up after {boot_s:.0f} s. The load: {loops} busy loops, half of them at nice 10,"
            f" and a sleeper that wakes every {sleep_ms} ms."
        )

    def event(self, event: Mapping[str, Any]) -> None:
        """Show one event of the guest; unknown ones are passed over."""
        match event["event"]:
            case "step":
                self._line()
                self._line(Text(f"{event['number']}  {event['title']}", "bold cyan"))
                self._prose(event["text"], 3)
            case "command":
                self._line()
                self._line(Text.assemble(("   $ ", "green"), (event["line"], "bold green")))
                self.wait("running")
            case "output":
                self._wait_for_nothing()
                for line in event["text"].splitlines():
                    self._output(Text.from_ansi(line))
            case "measuring":
                self.wait(f"{event['what']} for {event['seconds']:g} s")
            case "shown":
                self._wait_for_nothing()
                label = f"   {event['label']:<{_LABEL_COLUMNS}}"
                self._line(Text.assemble((label, "dim"), (event["text"], "bold")))
            case "result":
                self._wait_for_nothing()
                self._verdict(event)
            case _:
                pass

    def picture(self, path: str) -> None:
        """Where the screen of ``scxhid top`` was drawn."""
        self._line()
        self._prose(f"{path} shows the screen of step the_screen; any browser opens it.")

    def summary(self, steps: Sequence[Mapping[str, Any]], seconds: float, output: str) -> None:
        """The figures side by side, and where they went."""
        self._wait_for_nothing()
        self._line()
        rows = summary_rows(steps)
        if rows:
            table = Table(box=None, pad_edge=False, header_style="dim")
            for number, header in enumerate(
                ("scheduler", "switches/s", "late p50", "late p99", "nice 0 : nice 10")
            ):
                table.add_column(header, justify="right" if number else "left", no_wrap=True)
            for row in rows:
                table.add_row(*row)
            self.console.print(Padding.indent(table, 3))
            self._line()
        good = sum(bool(step["ok"]) for step in steps)
        if good == len(steps):
            verdict = Text(f"All {good} steps did what they should", "bold green")
        else:
            verdict = Text(f"{len(steps) - good} of {len(steps)} steps failed", "bold red")
        self._line(Text.assemble(verdict, f", in {seconds:.0f} s. Every figure: {output}"))
        self._line()
        self._line("To go on:")
        for command, what in _NEXT:
            self._line(Text.assemble((f"   {command:<30}", "green"), (what, "dim")))

    def _output(self, text: Text) -> None:
        """A line of a command's output: indented whole on a terminal, never broken in a pipe."""
        text.rstrip()
        width = self.console.width - INDENT
        lines = text.wrap(self.console, width) if self.console.is_terminal else [text]
        for line in lines:
            line.rstrip()
            self._line(Text.assemble(" " * INDENT, line) if line else "")

    def _verdict(self, event: Mapping[str, Any]) -> None:
        if event["ok"]:
            self._line(Text("   ✓ ok", "green"))
        else:
            self._prose(f"✗ failed: {event['why']}", 3, "bold red")

    def _wait_for_nothing(self) -> None:
        for task in self._progress.task_ids:
            self._progress.remove_task(task)

    def _line(self, text: Text | str = "") -> None:
        self.console.print(text, soft_wrap=True, highlight=False, markup=False)

    def _prose(self, text: str, indent: int = 0, style: str = "") -> None:
        width = min(self.console.width, PROSE_COLUMNS)
        margin = " " * indent
        for line in textwrap.wrap(text, width, initial_indent=margin, subsequent_indent=margin):
            self._line(Text(line, style))


def summary_rows(steps: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """The closing table: a row for each scheduler and setting that was measured."""
    figures = {step["name"]: step["figures"] for step in steps}
    rows: list[tuple[str, ...]] = []
    for step, prefix, what in _ROWS:
        found: Mapping[str, float] = figures.get(step, {})
        switches = found.get(f"{prefix}context_switches_per_s")
        if switches is None:
            continue
        rows.append(
            (
                what,
                f"{switches:,.0f}",
                milliseconds(found.get(f"{prefix}sleeper_late_p50_us", 0)),
                milliseconds(found.get(f"{prefix}sleeper_late_p99_us", 0)),
                f"{found.get(f'{prefix}cpu_time_nice0_to_nice10_times', 0):.1f} : 1",
            )
        )
    return rows


def milliseconds(us: float) -> str:
    """A time in ms with two figures or so: ``0.31 ms``, ``4.2 ms``, ``61 ms``."""
    ms = us / 1e3
    return f"{ms:.{2 if ms < 1 else 1 if ms < 10 else 0}f} ms"
