"""An interactive shell in a guest: the caller's terminal is the guest's console."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import termios
import tty
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from pyloader.errors import WrongUse
from vm import machine
from vm.guest import resolved


def run_shell(
    command: Sequence[str],
    *,
    kernel: str,
    cpus: int,
    memory: str,
    accel: str,
    rw: Sequence[Path],
    udev: bool,
    say: Callable[[str], None],
) -> machine.Result:
    """Run ``command``, or a shell if it is empty, on this terminal; returns when it has ended.

    Raises:
        WrongUse: standard input or output is no terminal.
    """
    if not (os.isatty(0) and os.isatty(1)):
        raise WrongUse(
            "a shell needs a terminal on standard input and output;"
            " for a command in a pipe there is 'scxhid vm run'"
        )
    columns, rows = shutil.get_terminal_size()
    say(f"booting; leave the shell with 'exit' or Ctrl-D, {rows} rows by {columns} columns")
    with _raw_terminal():
        return machine.run(
            command or [_shell(), "-i"],
            kernel=kernel,
            cpus=cpus,
            memory=memory,
            accel=accel,
            rw=rw,
            udev=udev,
            stdin=0,
            console=True,
            environment={
                "LINES": str(rows),
                "COLUMNS": str(columns),
                "PS1": "[guest] \\w # ",
                "COLORTERM": os.environ.get("COLORTERM", ""),
            },
        )


def _shell() -> str:
    return next((path for path in map(resolved, ("bash", "sh")) if os.path.exists(path)), "/bin/sh")


@contextlib.contextmanager
def _raw_terminal() -> Generator[None]:
    """Keys go to the guest as they are, Ctrl-C too: its console has a line discipline of its own.

    The guest sends its own line ends, so output processing is off as well.
    """
    before = termios.tcgetattr(0)
    try:
        tty.setraw(0)
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
        sys.stdout.flush()
