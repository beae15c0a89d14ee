"""The runs of a selfcheck: planned and shuffled as ``scxhid bench run`` does it, in its machines.

What is between two runs is less: no scheduler to attach, no cgroup, no watch on the machine. So a
run takes a third of the time, and all of it minutes; ``whole`` goes all the way.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyloader.errors import WrongUse
from vm.errors import VmError, VmLost
from vm.matrix import bench, host, ledger, lock, plan
from vm.matrix.boot import boot
from vm.matrix.plan import Batch, Matrix
from vm.matrix.progress import Progress
from vm.matrix.request import Request
from vm.results.model import Document, Run
from vm.stats import selfcheck
from vm.workloads import find
from vm.workloads.model import Case

HERE = Path(__file__).parent

#: The files of the three workloads. All take part in every repetition, in random order.
WORKLOADS = tuple(str(HERE / f"{name}.py") for name in ("work", "work_again", "more_work"))

#: Machines are changed so often in all: what one boot has and another has not must not decide.
_BOOTS = 5

#: A machine that says nothing for so long hangs, in seconds.
_SILENCE_S = 60.0

_AGENT = "vm.selfcheck.agent"

Say = Callable[[str], None]


def request(nr_comparisons: int, nr_runs: int, kernel: str = "", seed: int = 1) -> Request:
    """``nr_comparisons`` comparisons with ``nr_runs`` runs of each of the three.

    WrongUse if with so few runs nothing could be found.
    """
    require_enough(nr_comparisons, nr_runs)
    reps = nr_comparisons * nr_runs
    return Request(
        schedulers=("kernel",),
        workloads=WORKLOADS,
        kernels=(kernel,),
        cpus=(1,),
        reps=reps,
        seed=seed,
        runs_per_machine=-(-reps // _BOOTS) * len(WORKLOADS),
    )


def require_enough(nr_comparisons: int, nr_runs: int) -> None:
    """WrongUse if not even complete separation of all runs would be found."""
    needed = selfcheck.fewest_runs(nr_comparisons)
    if nr_runs < needed:
        raise WrongUse(
            f"with {nr_runs} runs of each nothing could be found among {nr_comparisons}"
            f" comparisons; it takes {needed}"
        )


def whole(wanted: Request, output: Path | None, say: Say) -> Document:
    """Make the runs as ``scxhid bench run`` does, with its journal beside ``output``.

    Raises what ``vm.matrix.bench.run`` raises.
    """
    try:
        measured = bench.run(wanted, output=output, say=say)
    except ledger.Broken as broken:
        raise broken.why from None
    if measured.trouble:
        say(measured.trouble)
    return measured.document


def measured(wanted: Request, say: Say) -> Document:
    """Make the runs, one program after the other. A lost machine loses what it had left to do.

    Raises:
        Busy: another bench measures on this machine.
        VmError: no machine can be started.
    """
    matrix = plan.matrix(wanted, say)
    with lock.alone(), Progress(len(matrix.runs)) as progress:
        runs = [run for batch in matrix.batches for run in of_batch(matrix, batch, progress)]
    return document(matrix, runs)


def of_batch(matrix: Matrix, batch: Batch, progress: Progress) -> Iterator[Run]:
    """The runs of one machine, from its boot to its end."""
    programs = {text: find.prepare(one) for text, one in matrix.workloads.items()}
    entries: dict[int, dict[str, Any]] = {}
    conditions: dict[str, Any] = {}

    def hear(said: dict[str, Any]) -> None:
        match said:
            case {"run": entry}:
                entries[entry["number"]] = entry
                progress.advance()
            case {"qemu": words, "accel": accel}:
                conditions.update(qemu=host.facts()["qemu"], command=words, accel=accel)
            case _:
                pass

    asked: list[dict[str, Any]] = []
    for run in batch.runs:
        command = matrix.workloads[run.workload].command
        assert command
        case = Case(cpus=1, load="idle", seed=run.seed, programs=programs[run.workload])
        of_run = {"number": run.number, "workload": run.workload, "words": list(command(case))}
        asked.append({**of_run, "timeout_s": _SILENCE_S})
    kind = {
        "kernel": batch.machine.kernel,
        "cpus": batch.machine.cpus,
        "topology": batch.machine.topology,
        "memory_mib": matrix.request.memory_mib,
        "accel": matrix.request.accel,
    }
    progress.tell("booting a machine")
    reason = "the machine did not say what it measured"
    try:
        boot(kind, asked, hear, _AGENT)
    except VmLost as lost:
        reason = str(lost).splitlines()[0]
        progress.say(f"scxhid: a machine was lost: {reason}")
    except VmError:
        if not entries:
            raise
    for run in batch.runs:
        yield _run(matrix, run, entries.get(run.number), conditions, reason)


def document(matrix: Matrix, runs: list[Run]) -> Document:
    """The result of these runs, as ``scxhid bench run`` would write it."""
    command = ("scxhid", "bench", "selfcheck", "--seed", str(matrix.request.seed))
    return ledger.document("vm", command, matrix, runs)


def _run(
    matrix: Matrix,
    planned: plan.Planned,
    entry: dict[str, Any] | None,
    conditions: dict[str, Any],
    lost: str,
) -> Run:
    made = Run(planned.cell, planned.repetition, planned.seed, conditions=conditions)
    if entry is None:
        return replace(made, status="lost", reason=lost)
    started = datetime.datetime.fromtimestamp(entry["started"], datetime.UTC)
    made = replace(made, started=started.isoformat(timespec="milliseconds"))
    read = matrix.workloads[planned.workload].read
    assert read
    try:
        if entry["status"]:
            raise ValueError(f"the work ended with status {entry['status']}")
        return replace(made, metrics=read(entry["text"], Case(cpus=1, load="idle")).metrics)
    except ValueError as error:
        return replace(made, status="failed", reason=str(error))
