"""``scxhid bench run`` in virtual machines, as it is told: notes, the table, the exit status."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import click

from pyloader.errors import ScxhidError
from vm.matrix import bench, ledger
from vm.matrix.request import Request
from vm.results.model import Document


def run(
    request: Request, *, output: Path | None, fresh: bool, executor: str, as_json: bool
) -> None:
    """Measure, and tell what came out.

    Raises:
        ScxhidError: nothing could be measured; the result could not be written where it should.
    """
    told(
        lambda: bench.run(request, output=output, fresh=fresh, executor=executor, say=say),
        output,
        as_json,
    )


def told(measure: Callable[[], ledger.Measured], output: Path | None, as_json: bool) -> None:
    """Let it measure, and tell what came out.

    Raises:
        ScxhidError: as ``run``.
    """
    try:
        measured = measure()
    except ledger.Broken as broken:
        if output is None and broken.so_far.runs:
            _tell(broken.so_far, as_json)
        raise broken.why from None
    _tell(measured.document, as_json)
    if measured.trouble:
        raise ScxhidError(measured.trouble)
    statuses = Counter(run.status for run in measured.document.runs)
    if not statuses["done"]:
        raise ScxhidError("no run brought a figure; the reasons stand above, and in the result")


def _tell(document: Document, as_json: bool) -> None:
    """What ``bench compare`` would tell of the file."""
    from vm.matrix import summary

    if as_json:
        click.echo(json.dumps(summary.cells(document), indent=2))
        return
    _table(document)
    click.echo(summary.closing(document))


def _table(document: Document) -> None:
    from rich.console import Console

    from vm.report.blocks import blocks, unusable
    from vm.report.terminal import printed, show
    from vm.report.told import Telling, Told, abridged

    found = tuple(blocks(document))
    told = Told(document, found, tuple(unusable(document)), document, found)
    telling = abridged(Telling((told,), ()))
    if sys.stdout.isatty():
        show(Console(highlight=False), telling.told, telling.notes)
    else:
        click.echo(printed(telling.told, telling.notes))


def say(text: str) -> None:
    print(f"scxhid: {text}", file=sys.stderr, flush=True)
