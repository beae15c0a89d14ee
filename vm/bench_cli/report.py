"""``scxhid bench report``: result files as a page with plots."""

from __future__ import annotations

from pathlib import Path

import click

from vm.bench_cli.compare import words
from vm.bench_cli.ending import end_in_order


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE.json…"
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where the report is written; made if need be.",
)
@click.option("--force", is_flag=True, help="Overwrite files in DIR that no report wrote.")
@click.option("--baseline", default="", metavar="SCHED", help="Compare with this one.")
@click.option(
    "--workload", "workloads", default="", callback=words, metavar="W,…", help="Only these."
)
@click.option("--load", "loads", default="", callback=words, metavar="L,…", help="Only these.")
@click.option(
    "--change/--together", "as_change", default=None, help="As with `scxhid bench compare`."
)
def report(
    files: tuple[Path, ...],
    output: Path,
    force: bool,
    baseline: str,
    workloads: list[str],
    loads: list[str],
    as_change: bool | None,
) -> None:
    """Write a page that shows what result files say, with plots.

    DIR/index.html needs no network and no other file: plots, tables, conditions, the commands to
    repeat it, on light and dark screens, telephones and paper. Beside it are copies of the results
    (FILE.json and FILE.npz) and summary.md to paste into an issue thread.

    Plots, where the results have what they show: each scheduler against the baseline over loads and
    CPUs; distributions of latencies; throughput against the 99th percentile; input latency by
    stages; a metric against a knob's values, if a scheduler was measured with three or more; and
    every run, for exact ones over seeds.

    An earlier report in DIR is replaced. Files that are not of a report stay, and are only
    overwritten with --force. The plots need matplotlib (the extra 'report').

    \b
      scxhid bench report night.json -o night
      scxhid bench report before.json after.json -o change
      scxhid bench report *.json --baseline simple --load full,over -o all

    Exit status: 1 a file cannot be read, or the report not written; 2 wrong use; 3 matplotlib is
    not installed; 4 DIR may not be written.
    """
    from vm.report.blocks import Choice
    from vm.report.files import read_all
    from vm.report.page.write import write_report
    from vm.report.plots.library import matplotlib
    from vm.report.told import tell

    end_in_order()
    matplotlib()
    read = read_all(files)
    choice = Choice(workloads=workloads, loads=loads)
    page = write_report(output, tell(read, baseline, choice, as_change), read, force=force)
    click.echo(f"{page}")
