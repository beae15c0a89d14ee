"""``scxhid bench``: schedulers measured against each other.

Each command is in the module of its name; a new one is a module and a row of the table.
"""

from __future__ import annotations

import click

from pyloader.cli.lazy import LazyGroup, Target

COMMANDS = {
    "run": Target("vm.bench_cli.run:run", "measure, and write every figure to a file"),
    "list": Target("vm.bench_cli.list:list_", "workloads and what they measure, loads, topologies"),
    "selfcheck": Target("vm.bench_cli.selfcheck:selfcheck", "check that verdicts are true here"),
    "input": Target("vm.bench_cli.input:input_", "how long input takes to its readers under load"),
    "compare": Target("vm.bench_cli.compare:compare", "result files as a table"),
    "report": Target("vm.bench_cli.report:report", "result files as a page with plots"),
    "baseline": Target("vm.bench_cli.baseline:baseline", "keep a result, and fail on a worse one"),
    "bisect": Target("vm.bench_cli.bisect:bisect", "in which callback two versions differ"),
}


@click.group(
    cls=LazyGroup,
    targets=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
def bench() -> None:
    """Measure schedulers against each other and against the kernel's own."""
