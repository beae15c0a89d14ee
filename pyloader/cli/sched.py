"""``scxhid sched``: everything about schedulers."""

from __future__ import annotations

import click

from pyloader.cli.lazy import LazyGroup, Target

_SHOW, _CHANGE = "pyloader.cli.sched_show", "pyloader.cli.sched_change"

TARGETS = {
    "list": Target(f"{_SHOW}:list_", "the schedulers that there are"),
    "info": Target("pyloader.cli.sched_info:info", "what one is, its knobs and what it counts"),
    "use": Target(f"{_CHANGE}:use", "attach one, or swap if one runs"),
    "back": Target(f"{_CHANGE}:back", "the previous one again"),
    "stop": Target(f"{_CHANGE}:stop", "the kernel's own again"),
    "knobs": Target(f"{_SHOW}:knobs", "the knobs of the one that runs"),
    "set": Target(f"{_CHANGE}:set_", "turn knobs while it runs"),
    "stats": Target(f"{_SHOW}:stats", "what it counts"),
    "rules": Target("pyloader.cli.sched_rules:rules", "rules of the scheduler layers"),
    "log": Target(f"{_SHOW}:log", "exits and ejections, with reason and dump"),
}


@click.group(cls=LazyGroup, targets=TARGETS)
def sched() -> None:
    """Attach, swap, tune and watch CPU schedulers.

    What is attached stays attached when the command has ended: its link is pinned in
    the BPF file system, and no daemon is needed. If it misbehaves, the kernel throws
    it out by itself and its own scheduler goes on.

    \b
    Examples:
      scxhid sched use simple                 attach, or swap if one runs
      scxhid sched use simple fifo=on         with a knob set from the start
      scxhid sched use ./mine.bpf.c --trial 10
      scxhid sched set slice_us=20ms          at once, no restart
      scxhid sched stats --watch 1
      scxhid sched stop
    """
