"""``vm test``: the guest tests on one kernel or on all, and what is said about it."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Callable, Sequence

import click

from vm import fetch, support_table
from vm.errors import VmError
from vm.guest_tests import Outcome, checkout, run_tests
from vm.index import newest
from vm.kernels import Kernel, choose
from vm.supported import SERIES

#: Lines of a kernel report that are shown; the whole is in the log.
_REPORT_LINES = 12


def run(
    wish: str,
    arguments: Sequence[str],
    *,
    cpus: int,
    memory: str,
    accel: str,
    timeout_s: float,
    as_json: bool,
    say: Callable[[str], None],
    write_table: bool = False,
) -> int:
    """Run the tests on the kernels that ``wish`` means; returns the exit status.

    ``write_table`` puts the outcomes into docs/reference/kernels.md, each when it is known.
    """
    outcomes: list[Outcome] = []
    for kernel in kernels(wish, say):
        say(f"tests on kernel {kernel.version}")
        outcome = run_tests(
            kernel,
            arguments,
            cpus=cpus,
            memory=memory,
            accel=accel,
            timeout_s=timeout_s,
            # Standard output is for the JSON alone, if that was asked for.
            stdout=2 if as_json else 1,
            say=say,
        )
        outcomes.append(outcome)
        _explain(outcome, say)
        if write_table:
            today = datetime.datetime.now(datetime.UTC).date().isoformat()
            page = support_table.write(checkout(), [outcome], arguments, today)
            say(f"its row in {page} is written")
    if as_json:
        click.echo(json.dumps([summary(outcome) for outcome in outcomes], indent=2))
    elif len(outcomes) > 1:
        _print_table(outcomes)
    # The worst: a lost machine above a failed test above none.
    return max(outcome.status for outcome in outcomes)


def run_bare(
    wish: str,
    names: Sequence[str],
    *,
    cpus: int,
    accel: str,
    as_json: bool,
    say: Callable[[str], None],
) -> int:
    """Try the schedulers called ``names``, or all, in a bare machine; returns the exit status."""
    from pyloader.catalog import schedulers
    from vm import many_cpus

    kernel = choose("" if wish == "all" else wish, say=say)
    outcome = many_cpus.run(
        kernel, names or sorted(schedulers()), root=checkout(), cpus=cpus, accel=accel, say=say
    )
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(outcome), indent=2))
    else:
        click.echo(
            f"kernel {outcome.kernel}, {cpus} CPUs ({outcome.accel}): first program after"
            f" {outcome.boot_s:.1f} s, {outcome.seconds:.0f} s in all"
        )
        for stay in outcome.stays:
            click.echo(
                f"{stay.label:<24} started and stopped; of {stay.tasks} tasks the one kept waiting"
                f" longest: {stay.task}, {stay.worst_us / 1e6:.2f} s (the machine itself:"
                f" {stay.floor_us / 1e6:.2f} s)"
            )
    for line in outcome.kept_waiting():
        say(line)
    return 1 if outcome.kept_waiting() else 0


def kernels(wish: str, say: Callable[[str], None]) -> list[Kernel]:
    """The kernels to test on: one, or for ``all`` the newest of every supported series.

    ``oldest`` is the newest of the oldest of them that the archive offers.
    """
    if wish not in ("all", "oldest"):
        return [choose(wish, say=say)]
    offered = [offer for offer in newest(fetch.offered()) if offer.series in SERIES]
    if not offered:
        raise VmError(f"the archive offers no kernel of the series {', '.join(SERIES)}")
    if wish == "oldest":
        offered = [min(offered, key=lambda offer: SERIES.index(offer.series))]
    return [choose(offer.version, say=say) for offer in offered]


def summary(outcome: Outcome) -> dict[str, object]:
    """One kernel's outcome in the form that ``--json`` prints."""
    return {
        "kernel": outcome.kernel,
        "verdict": outcome.verdict,
        "status": outcome.status,
        "passed": outcome.passed,
        "failed": outcome.failed,
        "skipped": outcome.skipped,
        "seconds": round(outcome.seconds, 1),
        "boot_s": round(outcome.boot_s, 2),
        "accel": outcome.accel,
        "junit": str(outcome.junit),
        "kernel_log": str(outcome.log),
        "kernel_warnings": [report.line for report in outcome.warnings],
    }


def _explain(outcome: Outcome, say: Callable[[str], None]) -> None:
    if outcome.lost:
        say(f"no test failed here, the machine was lost: {outcome.lost}")
    for report in outcome.warnings:
        say(f"the kernel log has a report that no test announced, so the run fails: {report.line}")
        for line in report.lines[:_REPORT_LINES]:
            click.echo(f"  | {line}", err=True)
    if outcome.warnings:
        say(f"the whole kernel log: {outcome.log}")


def _print_table(outcomes: Sequence[Outcome]) -> None:
    click.echo(f"\n{'KERNEL':<28}{'PASSED':>8}{'FAILED':>8}{'SKIPPED':>9}{'SECONDS':>9}  VERDICT")
    for outcome in outcomes:
        click.echo(
            f"{outcome.kernel:<28}{outcome.passed:>8}{outcome.failed:>8}{outcome.skipped:>9}"
            f"{outcome.seconds:>9.0f}  {outcome.verdict}"
        )
