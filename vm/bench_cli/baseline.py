"""``scxhid bench baseline``: keep a result, and fail where a later one is worse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vm.bench_cli import options

if TYPE_CHECKING:
    from vm.report.baseline import Check
    from vm.report.files import File

_FILE = click.Path(path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def baseline() -> None:
    """Keep a result and compare later ones with it, in CI or by hand.

    \b
      scxhid bench run --exact --sched mine --seeds 10 -o now.json
      scxhid bench baseline save now.json
      scxhid bench baseline check later.json --fail-over 5%
    """


_FOLDER = click.option(
    "--dir",
    "folder",
    default=".scxhid-bench",
    show_default=True,
    type=_FILE,
    metavar="DIR",
    help="Where baselines are kept.",
)
_NAME = click.option("--name", default="default", show_default=True, metavar="N")


@baseline.command()
@click.argument("file", type=_FILE, metavar="FILE.json")
@_NAME
@_FOLDER
def save(file: Path, name: str, folder: Path) -> None:
    """Keep the figures of FILE.json as a baseline, in place of one of that name.

    DIR/NAME.json is a result file without the samples; `scxhid bench compare` reads it, too.

    \b
      scxhid bench baseline save night.json
      scxhid bench baseline save night.json --name 7.3 --dir ci/baselines

    Exit status: 1 FILE.json cannot be read, or the baseline not written; 2 wrong use; 4 DIR may not
    be written.
    """
    from vm.report import baseline as kept
    from vm.results.file import read

    click.echo(kept.save(folder, name, read(file)))


def _share(context: click.Context, parameter: click.Parameter, value: str) -> float:
    try:
        share = float(value.strip().removesuffix("%")) / 100
    except ValueError:
        share = -1.0
    if not 0 <= share <= 10:
        raise click.BadParameter(f"{value!r} is no share; write it like 5% (0% to 1000%)")
    return share


@baseline.command()
@click.argument("file", type=_FILE, metavar="FILE.json")
@_NAME
@_FOLDER
@click.option(
    "--fail-over",
    "allowed",
    default="5%",
    show_default=True,
    callback=_share,
    metavar="PERCENT",
    help="By how much a median may be worse.",
)
@click.option("--anyway", is_flag=True, help="Compare what both have, and other kernels.")
@click.option("--strict", is_flag=True, help="Fail as well where that much could not be seen.")
@options.as_json("What was found, as JSON.")
def check(
    file: Path,
    name: str,
    folder: Path,
    allowed: float,
    anyway: bool,
    strict: bool,
    as_json: bool,
) -> None:
    """Fail if FILE.json is worse than the baseline.

    Each metric of each cell is compared with the baseline's. It fails where the median is worse by
    more than --fail-over and a rank test, corrected over all comparisons, sees it; and where the
    baseline has a figure and FILE.json none any more, since all runs were lost or the scheduler was
    thrown out. With few runs little can be seen: how much is told, and --strict fails then.

    What was measured on another kernel or machine, or lacks a workload, load or scheduler of the
    baseline, is refused, unless --anyway.

    \b
      scxhid bench baseline check now.json
      scxhid bench baseline check now.json --name 7.3 --fail-over 10% --strict

    JSON: {"baseline", "compared", "allowed", "worse": [TEXT], "within": […], "better": […],
    "too_few_runs", "runs_needed", "could_not_see": […], "identical", "of", "notes": […], "passed"}.

    Exit status: 0 nothing is worse; 1 something is, or a file cannot be read; 2 wrong use, or the
    two were not measured alike.
    """
    import sys

    from vm.report import baseline as kept
    from vm.report.files import read_all

    before = kept.load(folder, name)
    after = read_all([file])[0]
    found = kept.check(before, after, allowed, anyway=anyway)
    passed = not found.worse and not (strict and (found.unsure or found.blind))
    if as_json:
        from pyloader.cli.output import emit_json

        emit_json(_as_json(before, after, found, allowed, passed))
    else:
        for line in _lines(before, after, found, allowed):
            click.echo(line)
        if not passed and not found.worse:
            click.echo("FAILED: --strict asks that all of that could have been seen")
    if not passed:
        sys.exit(1)


@baseline.command("list")
@_FOLDER
def list_(folder: Path) -> None:
    """The baselines that are kept, with what they hold."""
    from pyloader.cli.output import note, table
    from pyloader.errors import ScxhidError
    from vm.report import baseline as kept
    from vm.report.files import cells
    from vm.results.file import read

    rows: list[list[str]] = []
    for path in kept.saved(folder):
        try:
            document = read(path)
        except ScxhidError as error:
            note(f"scxhid: {error}")
            continue
        held = cells(document)
        rows.append(
            [
                path.stem,
                document.created,
                str(len(document.runs)),
                ", ".join(dict.fromkeys(cell.subject for cell in held)),
                ", ".join(dict.fromkeys(cell.workload for cell in held)),
                ", ".join(dict.fromkeys(cell.kernel for cell in held)),
            ]
        )
    if rows:
        table(["name", "measured", "runs", "schedulers", "workloads", "kernels"], rows, right=[2])
    else:
        note(f"there is no baseline in {folder}; `scxhid bench baseline save FILE.json` makes one")


@baseline.command()
@click.argument("name")
@_FOLDER
def remove(name: str, folder: Path) -> None:
    """Forget the baseline NAME."""
    from vm.report import baseline as kept

    kept.remove(folder, name)


def _lines(before: File, after: File, found: Check, allowed: float) -> list[str]:
    """The summary, what fails first."""
    lines: list[str] = []
    for title, findings in (
        (f"worse by more than {allowed * 100:g} %", found.worse),
        (f"worse, but by no more than {allowed * 100:g} %", found.within),
        ("better", found.better),
    ):
        if findings:
            lines += [f"{title}:", *(f"  {one.text}" for one in findings)]
    lines += [f"note: {note}" for note in _notes(before, after, found)]
    if found.unsure:
        lines.append(
            f"{found.unsure} of {found.compared} comparisons have too few runs to tell anything:"
            f" it takes {found.runs_needed} of each"
        )
    if found.blind:
        lines.append(
            f"{len(found.blind)} of {found.compared} comparisons could not have seen"
            f" {allowed * 100:g} %; more runs would"
        )
    count = len(found.worse)
    lines.append(
        f"FAILED: {count} of {found.compared} comparisons with {before.label}"
        if count
        else f"nothing is worse than {before.label} in {found.compared} comparisons"
    )
    return lines


def _notes(before: File, after: File, found: Check) -> list[str]:
    from vm.report.baseline import identical

    notes: list[str] = []
    if found.change.differing:
        notes.append("the two differ in " + "; ".join(found.change.differing))
    if found.change.only_after:
        count = len(found.change.only_after)
        notes.append(f"{count} cell{'s' if count > 1 else ''} not in the baseline, not compared")
    if found.change.only_before:
        count = len(found.change.only_before)
        notes.append(f"{count} cell{'s' if count > 1 else ''} of the baseline not in {after.label}")
    same, both = identical(before, after)
    if both:
        notes.append(f"{same} of {both} exact runs are the baseline's, bit for bit")
    return notes


def _as_json(
    before: File, after: File, found: Check, allowed: float, passed: bool
) -> dict[str, Any]:
    from vm.report.baseline import identical

    same, both = identical(before, after)
    return {
        "baseline": before.label.removeprefix("baseline "),
        "compared": found.compared,
        "allowed": allowed,
        "worse": [one.text for one in found.worse],
        "within": [one.text for one in found.within],
        "better": [one.text for one in found.better],
        "too_few_runs": found.unsure,
        "runs_needed": found.runs_needed,
        "could_not_see": [one.text for one in found.blind],
        "identical": same,
        "of": both,
        "notes": _notes(before, after, found),
        "passed": passed,
    }
