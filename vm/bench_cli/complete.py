"""Tab completion of lists: what stands before the last comma stays."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

from pyloader.cli.complete import complete_name


def complete_schedulers(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Schedulers, ``kernel`` among them; after a colon the knobs of the one before it."""
    from pyloader.catalog import schedulers

    last = incomplete.rpartition(",")[2]
    if ":" in last:
        return _listed(incomplete, lambda: _knobs(last))
    return _listed(incomplete, lambda: ["kernel", *schedulers()])


def complete_workload(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Workloads; a path is left to the shell."""
    from vm.workloads.find import names

    return _listed(incomplete, names)


def complete_load(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Loads."""
    from vm.workloads.model import LOADS

    return _listed(incomplete, lambda: LOADS)


def complete_executor(
    ctx: click.Context, param: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Executors."""
    from vm.matrix.executors import names

    return _listed(incomplete, names)


def _listed(incomplete: str, known: Callable[[], Iterable[str]]) -> list[CompletionItem]:
    before, comma, last = incomplete.rpartition(",")
    return [
        CompletionItem(f"{before}{comma}{item.value}", item.type)
        for item in complete_name(known, last)
    ]


def _knobs(text: str) -> list[str]:
    """``NAME:…:KNOB=`` of the scheduler that ``text`` begins with."""
    from pyloader.catalog import find_scheduler

    before = text.rpartition(":")[0]
    spec = find_scheduler(text.partition(":")[0]).open()
    return [f"{before}:{knob}=" for knob in spec.knobs]
