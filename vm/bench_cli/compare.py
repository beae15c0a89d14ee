"""``scxhid bench compare``: result files as a table."""

from __future__ import annotations

from pathlib import Path

import click

from pyloader.errors import WrongUse
from vm.bench_cli import options

_FILES = click.Path(path_type=Path)


def words(context: click.Context, parameter: click.Parameter, value: str) -> list[str]:
    """The words of an option that takes several with commas between."""
    return [word.strip() for word in value.split(",") if word.strip()]


@click.command()
@click.argument("files", nargs=-1, required=True, type=_FILES, metavar="FILE.json…")
@click.option(
    "--baseline", default="", metavar="SCHED", help="Compare with this one, as in --sched."
)
@click.option("--metric", "metrics", default="", callback=words, metavar="M,…", help="Only these.")
@click.option(
    "--workload", "workloads", default="", callback=words, metavar="W,…", help="Only these."
)
@click.option("--load", "loads", default="", callback=words, metavar="L,…", help="Only these.")
@click.option(
    "--change/--together",
    "as_change",
    default=None,
    help="Two files: the second against the first, cell by cell, or both as one measurement;"
    " by default the former if they hold the same cells.",
)
@click.option("--all", "show_all", is_flag=True, help="Every metric, and not the main ones alone.")
@options.as_json("Everything as JSON.")
@click.option("--markdown", "as_markdown", is_flag=True, help="A summary for an issue thread.")
def compare(
    files: tuple[Path, ...],
    baseline: str,
    metrics: list[str],
    workloads: list[str],
    loads: list[str],
    as_change: bool | None,
    show_all: bool,
    as_json: bool,
    as_markdown: bool,
) -> None:
    """Compare the schedulers of result files, metric by metric.

    A table for each workload, load, kernel and machine. Figures are medians over runs, with the
    95 % interval of a bootstrap over runs in brackets. Each is compared with a baseline: the
    kernel's own scheduler, or else the first in the file. A difference is told only where a rank
    test sees one after Holm's correction over everything that is compared; where none is seen, the
    size that would have been found is in brackets. Runs that were lost, failed or ejected are
    listed below, and count nowhere.

    Several files are taken as one measurement where that is true: runs on different hosts are shown
    one after the other (exact runs are the same on any), and another object of the same name is a
    subject of its own.

    \b
      scxhid bench compare night.json
      scxhid bench compare night.json --baseline simple --metric p99_ns,max_ns --load full
      scxhid bench compare before.json after.json
      scxhid bench compare night.json --markdown | xclip

    JSON: {"change", "sets": [{"files", "kind", "blocks": [{"workload", "load", "kernel", "cpus",
    "topology", "baseline", "rows": [{"subject", "runs", "metrics": {NAME: {"unit", "median", "low",
    "high", "n", "best", "against": {"median", …}, "difference": {"verdict", "ratio", "low", "high",
    "p", "p_holm", "could_have_seen", "runs_needed"}}}}]}], "without_figures": [{"subject", "place",
    "status", "reason", "runs"}]}], "notes"}; a difference is null for the baseline itself.

    Exit status: 0 whatever the figures say (`scxhid bench baseline check` judges them); 1 a file
    cannot be read; 2 wrong use.
    """
    import sys

    from vm.report.blocks import Choice
    from vm.report.files import read_all
    from vm.report.told import abridged, tell

    if as_json and as_markdown:
        raise WrongUse("--json and --markdown are two forms; ask for one of them")
    read = read_all(files)
    telling = tell(read, baseline, Choice(metrics, workloads, loads), as_change)
    if as_json:
        from pyloader.cli.output import emit_json
        from vm.report.as_json import as_json as to_json

        emit_json(to_json(telling))
    elif as_markdown:
        from vm.report.markdown import markdown

        click.echo(markdown(telling, read), nl=False)
    else:
        from rich.console import Console

        from vm.report.terminal import printed, show

        if not show_all and not metrics:
            telling = abridged(telling)
        if sys.stdout.isatty():
            show(Console(highlight=False), telling.told, telling.notes)
        else:
            click.echo(printed(telling.told, telling.notes))
