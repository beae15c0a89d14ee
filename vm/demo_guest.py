"""The demo's side inside the guest: one warm process that runs the product's own commands.

It is started by the host's side (``vm.demo``) and tells it what happens as JSON lines on its
standard output, one event a line:

    {"event": "hello"}                                  Python has started
    {"event": "ready", "kernel", "cpus", "loops"}       the load runs
    {"event": "step", "number", "name", "title", "text"}
    {"event": "command", "line"}                        it begins
    {"event": "output", "text", "status"}               its output and exit status
    {"event": "measuring", "what", "seconds"}
    {"event": "shown", "label", "text"}                 something measured, in words
    {"event": "picture", "text"}                        the screen of top, an SVG
    {"event": "result", "name", "ok", "why", "figures"} the step is over
    {"event": "impossible", "why"}                      this kernel cannot do it
    {"event": "end"}
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import IO, Any

from pyloader import sysfs
from vm.demo_load import Load
from vm.demo_stage import Emit, Stage, remember_uses
from vm.demo_steps import STEPS

_IMPORTED_LATE = (
    "pyloader.cli.build",
    "pyloader.cli.sched_change",
    "pyloader.cli.sched_show",
    "pyloader.cli.status",
    "pyloader.maps",
    "pyloader.object",
    "pyloader.verifier",
    "rich.console",
    "rich.table",
    "tui.screen",
)


def _emitter(channel: IO[str]) -> Emit:
    def emit(event: str, **more: Any) -> None:
        print(json.dumps({"event": event, **more}), file=channel, flush=True)

    return emit


def _warm_up() -> None:
    """Import what the commands import when they are called: slow in an emulated guest."""
    for module in _IMPORTED_LATE:
        importlib.import_module(module)


def _play(stage: Stage, run: Callable[[Stage], None]) -> None:
    """Run a step; one that breaks is one that failed, and the show goes on."""
    stage.figures, stage.faults = {}, []
    try:
        run(stage)
    except Exception as error:
        traceback.print_exc()
        stage.faults.append(f"{type(error).__name__}: {error}")


def main() -> int:
    """Run all steps; 0 whatever came of them, since the host judges by the events."""
    emit = _emitter(sys.stdout)
    emit("hello")
    if not sysfs.read().is_supported:
        emit("impossible", why=f"kernel {os.uname().release} has no sched_ext")
        return 0
    _warm_up()
    cpus = os.cpu_count() or 1
    load = Load(cpus)
    stage = Stage(emit, load, remember_uses())
    emit("ready", kernel=os.uname().release, cpus=cpus, loops=load.loops)
    time.sleep(1)  # the loops' shells are up, their first faults behind them
    for number, step in enumerate(STEPS, 1):
        emit("step", number=number, name=step.name, title=step.title, text=step.text)
        _play(stage, step.run)
        why = "; ".join(stage.faults)
        emit("result", name=step.name, ok=not why, why=why, figures=stage.figures)
    load.stop()
    emit("end")
    return 0


if __name__ == "__main__":
    sys.exit(main())
