"""``scxhid bench selfcheck``: false alarms among equals, and a planted slowdown found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from pyloader.errors import ScxhidError, WrongUse
from vm.bench_cli import options
from vm.bench_cli.ending import end_in_order


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path), metavar="[FILE.json]")
@click.option("--exact", is_flag=True, help="Exact runs: equal seeds must give the same samples.")
@click.option(
    "--comparisons",
    default=100,
    show_default=True,
    type=click.IntRange(20, 1000),
    help="How many comparisons of each kind.",
)
@click.option(
    "--runs",
    default=40,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="How many runs of each side a comparison has; the busier the host, the more it takes.",
)
@click.option(
    "--seeds",
    default=10,
    show_default=True,
    type=click.IntRange(4, 1000),
    metavar="N",
    help="Exact: how many.",
)
@click.option(
    "--cpus",
    default=4,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Exact: of the machine, which is slower the more it has.",
)
@click.option("--seed", default=1, show_default=True, metavar="N", help="Of the order of the runs.")
@options.KERNEL
@click.option(
    "--whole",
    is_flag=True,
    help="Through all of `bench run`, which takes three times as long; with -o it can be resumed.",
)
@options.output("Every run.")
@options.as_json("Print the figures as JSON.")
@click.pass_context
def selfcheck(context: click.Context, file: Path | None, as_json: bool, **given: Any) -> None:
    """Check on this machine that a benchmark says what is true.

    100 comparisons of the kernel's own scheduler with itself may call at most 5 % different; of 100
    comparisons with 5 % more work planted, at least 80 % have to be found. Both figures are told
    for every metric, as verdicts (corrected over all comparisons, as in `bench compare`) and by
    p ≤ 0.05 alone. Equals may be told apart by no metric; the planted slowdown must be found by
    the one that other programs of the host disturb least. Runs are planned and shuffled as `bench
    run` does it, in its machines. A quarter of an hour.

    With FILE.json nothing is measured: of each cell in it every other run is compared with those
    between, and the first half of the runs with the second, which tells whether the machine changed
    meanwhile. With --exact each seed runs twice: all samples must be the same.

    \b
      scxhid bench selfcheck
      scxhid bench selfcheck --runs 20 -o selfcheck.json
      scxhid bench selfcheck mine.json
      scxhid bench selfcheck --exact --cpus 1

    JSON: {"comparisons", "runs", "metrics": {NAME: {"alarms", "planted": {"told", "alone", "of"},
    "slowdown", "spread"}}, "met"}; with FILE.json {"turns", "times", "drifting", "not_identical",
    "met"}; with --exact {"seeds", "samples", "differing", "slowdown", "verdict", "met"}.

    Exit status: 1 when it is not met, with one sentence for each reason.
    """
    end_in_order()
    if file and given["exact"]:
        raise WrongUse(
            "--exact measures, and FILE.json is what has been measured: give one of them"
        )
    if given["exact"]:
        told, said, trouble = _exact(given["seeds"], given["cpus"], given["kernel"])
    elif file:
        told, said, trouble = _of_file(file, given["runs"])
    else:
        told, said, trouble = _measured(given)
    click.echo(json.dumps({**told, "met": not trouble}) if as_json else said)
    if trouble:
        raise ScxhidError("; ".join(trouble))


Told = tuple[dict[str, Any], str, list[str]]


def _measured(given: dict[str, Any]) -> Told:
    from vm.results.file import write
    from vm.selfcheck import measure

    output: Path | None = given["output"]
    request = measure.request(given["comparisons"], given["runs"], given["kernel"], given["seed"])
    if given["whole"]:
        return _checked(measure.whole(request, output, _say), given["runs"])
    document = measure.measured(request, _say)
    told, said, trouble = _checked(document, given["runs"])
    if output:
        try:
            write(output, document)
        except ScxhidError as error:  # what took minutes is told all the same
            trouble = [*trouble, str(error)]
    return told, said, trouble


def _say(text: str) -> None:
    click.echo(f"scxhid: {text}", err=True)


def _checked(document: Any, runs: int) -> Told:
    from vm.selfcheck import words
    from vm.stats import selfcheck as logic

    found = logic.checked(logic.comparisons(document, runs))
    return words.checked_json(found, runs), words.checked(found, runs), words.trouble(found)


def _of_file(file: Path, runs: int) -> Told:
    from vm.results.file import read
    from vm.selfcheck import words
    from vm.selfcheck.fixed import ROBUST
    from vm.stats import selfcheck as logic

    document = read(file)
    if logic.is_selfcheck(document, ROBUST):
        return _checked(document, runs)
    halves, differing = logic.halves(document), logic.not_identical(document)
    if not halves.turns.of and not differing:
        raise ScxhidError(f"{file} has no cell with the eight runs that it takes to compare halves")
    return (
        words.halves_json(halves, differing),
        words.halves(halves, differing),
        words.trouble_of_halves(halves, differing),
    )


def _exact(seeds: int, cpus: int, kernel: str) -> Told:
    from vm.selfcheck import exact, words

    with words.one_line() as tell:
        found = exact.measured(seeds, cpus, kernel, tell)
    return words.exact_json(found), words.exact(found), words.trouble_of_exact(found)
