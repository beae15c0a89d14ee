"""Tab completion of lists: what stands before the last comma stays."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

from pyloader.errors import ScxhidError


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
    if "/" in last or last.startswith("."):
        return [CompletionItem(incomplete, type="file")]
    try:
        found = [word for word in known() if word.startswith(last)]
    except ScxhidError:
        return []
    return [CompletionItem(f"{before}{comma}{word}") for word in found]


def _knobs(text: str) -> list[str]:
    """``NAME:…:KNOB=`` of the scheduler that ``text`` begins with."""
    from pyloader.catalog import find_scheduler

    before = text.rpartition(":")[0]
    spec = find_scheduler(text.partition(":")[0]).open()
    return [f"{before}:{knob}=" for knob in spec.knobs]
