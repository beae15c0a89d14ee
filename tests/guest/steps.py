"""The steps of a command that change something, and how to kill it before one of them.

A first, unharmed run lists them; then a forked command is killed before each that is asked for.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import pyloader.libbpf
from pyloader import bpffs, history, hosted, keep
from pyloader.swap import gapless, names, side
from tests.guest.command import done, scxhid
from tests.guest.processes import Child, forked

#: Every call that changes something in the kernel, in the BPF file system or on disk.
CHANGING: list[tuple[Any, str]] = [
    (pyloader.libbpf.Object, "load"),
    (pyloader.libbpf.Map, "attach_struct_ops"),
    (pyloader.libbpf, "pin"),
    (pyloader.libbpf, "detach_link"),
    (pyloader.libbpf, "link_struct_ops"),
    (pyloader.libbpf, "update"),
    (pyloader.libbpf, "delete"),
    (pyloader.libbpf, "run"),
    (hosted.Host, "write"),
    (hosted.Host, "switch"),
    (hosted.Host, "drain"),
    (side, "activate"),
    (gapless, "activate"),
    (gapless, "deactivate"),
    (side, "confirm"),
    (bpffs.Place, "pin_link"),
    (bpffs.Place, "unpin_link"),
    (keep, "keep"),
    (history, "add"),
    (names, "become_current"),
    (os, "unlink"),
    (os, "rmdir"),
    (os, "mkdir"),
    (os, "rename"),
]

#: Those around which it is decided what runs, or what the next command finds.
DECIDING = {
    *("attach_struct_ops", "detach_link", "link_struct_ops", "switch", "drain"),
    *("pin_link", "become_current", "rename"),
}

#: Steps that are one for whoever looks at a row of them.
_SAME = {"delete": "update", "rmdir": "unlink", "mkdir": "pin"}


@contextmanager
def before_each_step(act: Callable[[str], None]) -> Generator[None]:
    """Call ``act`` with the step's name before each call that changes something."""
    with ExitStack() as patches:
        for owner, name in CHANGING:
            patches.enter_context(mock.patch.object(owner, name, _with(getattr(owner, name), act)))
        yield


def _with(call: Any, act: Callable[[str], None]) -> Any:
    def step(*arguments: Any, **named: Any) -> Any:
        act(call.__name__)
        return call(*arguments, **named)

    return step


def steps_of(*words: str) -> list[str]:
    """The names of the steps of a command, from a run of it in another process."""

    def run() -> list[str]:
        seen: list[str] = []
        with before_each_step(seen.append):
            done(*words)
        return seen

    return forked(run)


def killed_before(number: int, *words: str) -> bool:
    """Run the command in another process that dies before its step ``number``, if it has one."""

    def run(_: Callable[[Any], None]) -> None:
        left = [number]

        def count(_: str) -> None:
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

        with before_each_step(count):
            scxhid(*words)

    return Child(run).wait() == -signal.SIGKILL


def worth_killing(steps: list[str]) -> list[int]:
    """Of a row of the same step (pins of many maps) the first and the last."""
    around = ["", *(_SAME.get(step, step) for step in steps), ""]
    return [n for n in range(len(steps)) if {around[n], around[n + 2]} != {around[n + 1]}]


def deciding(steps: list[str]) -> list[int]:
    """Those of them around which it is decided what runs."""
    return [n for n in worth_killing(steps) if steps[n] in DECIDING]
