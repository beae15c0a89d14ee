"""What a step of the demo works with: commands, measurements, and the telling of both.

The commands are the product's own, run in this process: starting Python again for each takes
seconds in an emulated guest.
"""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyloader import sched
from pyloader.cli import main as command_line
from vm.demo_load import Load, Sample

#: Set where the viewer has a terminal: commands colour their output.
COLOR_VARIABLE = "SCXHID_DEMO_COLOR"

#: Tells the host of an event, by its name and what belongs to it.
Emit = Callable[..., None]


@dataclass(frozen=True)
class Ran:
    """A command that has run. ``text`` is what it wrote, errors and all; ``took_ns`` wall time."""

    status: int
    text: str
    took_ns: int


class _Captured(io.TextIOWrapper):
    """A stream that keeps what is written, and may pass for a terminal so that colours stay."""

    def __init__(self, is_terminal: bool) -> None:
        self._bytes = io.BytesIO()
        super().__init__(self._bytes, encoding="utf-8", errors="replace", write_through=True)
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    def text(self) -> str:
        self.flush()
        return self._bytes.getvalue().decode(errors="replace")


@dataclass
class Stage:
    """What a step works with: commands, measurements, and the telling of both."""

    emit: Emit
    load: Load
    uses: list[sched.UseResult]
    samples: dict[str, Sample] = field(default_factory=dict[str, Sample])
    figures: dict[str, float] = field(default_factory=dict[str, float])
    faults: list[str] = field(default_factory=list[str])

    def run(self, line: str, status: int = 0) -> Ran:
        """Run the command ``scxhid`` + ``line`` in this process; a fault if it ends otherwise."""
        self.emit("command", line=f"scxhid {line}")
        ran = run_command(line)
        self.emit("output", text=ran.text, status=ran.status)
        self.check(ran.status == status, f"`scxhid {line}` ended with status {ran.status}")
        return ran

    def check(self, holds: bool, otherwise: str) -> None:
        """Note a fault of this step unless ``holds``."""
        if not holds:
            self.faults.append(otherwise)

    def figure(self, name: str, value: float) -> None:
        """Keep a figure under a name that ends in its unit."""
        short = float(f"{value:.6g}")
        self.figures[name] = int(short) if short.is_integer() else short

    def show(self, label: str, text: str) -> None:
        self.emit("shown", label=label, text=text)

    def measure(self, key: str, span_s: float, prefix: str = "") -> Sample:
        """Measure the load and keep the four figures, their names after ``prefix``."""
        self.emit("measuring", what="measuring", seconds=span_s)
        sample = self.samples[key] = self.load.measure(span_s)
        self.figure(f"{prefix}context_switches_per_s", sample.switches_per_s)
        self.figure(f"{prefix}sleeper_late_p50_us", sample.late_p50_ns / 1e3)
        self.figure(f"{prefix}sleeper_late_p99_us", sample.late_p99_ns / 1e3)
        self.figure(f"{prefix}cpu_time_nice0_to_nice10_times", sample.share)
        return sample


def run_command(line: str) -> Ran:
    """Run the command line ``scxhid`` + ``line`` as the user's shell would, but in this process."""
    streams = _Captured(bool(os.environ.get(COLOR_VARIABLE)))
    arguments, sys.argv = sys.argv, ["scxhid", *shlex.split(line)]
    began_ns = time.monotonic_ns()
    try:
        with contextlib.redirect_stdout(streams), contextlib.redirect_stderr(streams):
            command_line()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    else:
        status = 0
    finally:
        sys.argv = arguments
    return Ran(status, streams.text(), time.monotonic_ns() - began_ns)


def remember_uses() -> list[sched.UseResult]:
    """Keep what each change returns: the commands print it rounded."""
    kept: list[sched.UseResult] = []
    use = sched.use

    def remembering(*args: Any, **kwargs: Any) -> sched.UseResult:
        kept.append(use(*args, **kwargs))
        return kept[-1]

    sched.use = remembering
    return kept
