"""``scxhid demo``: the main job, shown in a virtual machine."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

import click


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--kernel",
    default="",
    metavar="V",
    help="A version or its beginning (7.3), or a path of a vmlinuz; by default the newest in the"
    " cache, or, if there is none, the newest that is offered (213 MB, fetched once).",
)
@click.option("--cpus", default=4, show_default=True, type=click.IntRange(1, 64))
@click.option(
    "-o",
    "--output",
    default="build/demo.json",
    show_default=True,
    type=click.Path(path_type=Path),
    help="Where every figure goes.",
)
def demo(kernel: str, cpus: int, output: Path) -> None:
    """See it work: schedulers swapped and tuned under load, in a virtual machine.

    Boots a real kernel, puts its CPUs under load, then: the kernel's own scheduler, another one
    in its place, a knob turned live, a swap, statistics, a scheduler that stalls and is thrown
    out, one that the verifier refuses, and back to normal; scxhid top draws itself into top.svg
    beside the figures and, on a terminal, stays at the end. Each step shows the command that does
    it and what was measured. Nothing happens to this machine, and no root is needed. About four
    minutes under emulation.

    Exit status: 0 if every step did what it should, 1 if not; 124 if the machine was lost, 125
    if it could not be started, 3 if the kernel has no sched_ext.
    """
    from rich.console import Console

    from vm import demo as demonstration
    from vm.demo_screen import PIPE_COLUMNS, Screen
    from vm.errors import VmLost

    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="replace")  # where the locale has no such characters
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    console = Console(width=None if os.isatty(1) else PIPE_COLUMNS)
    with contextlib.closing(Screen(console)) as screen:
        try:
            good = demonstration.run(kernel, cpus, output, screen)
        except VmLost as error:
            screen.close()
            click.echo("\n".join(error.tail), err=True)
            raise
        except KeyboardInterrupt:
            screen.close()
            click.echo("\nscxhid: interrupted; nothing is left of the machine", err=True)
            raise
    sys.exit(0 if good else 1)


def _end(number: int, frame: object) -> NoReturn:
    """Leave by way of the ``finally`` blocks, which end the machine and remove its files."""
    sys.exit(128 + number)
