"""``scxhid bench run``: all of the matrix, with a journal, into a result file."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

from pyloader.errors import Unsupported
from vm.matrix import executors, journal, lock, plan, worker
from vm.matrix.ledger import Ledger, Measured, as_run, document, require_place
from vm.matrix.plan import Batch, Matrix
from vm.matrix.request import Request
from vm.results.model import Document
from vm.workloads import find
from vm.workloads.model import Workload

Entry = dict[str, Any]
Say = Callable[[str], None]


def run(
    request: Request,
    *,
    output: Path | None = None,
    fresh: bool = False,
    executor: str = "",
    say: Say,
) -> Measured:
    """Measure all of it, or the rest of what was begun in the journal beside ``output``.

    Raises:
        WrongUse, ScxhidError: before anything has been measured.
        Busy: another bench measures on this machine.
        BadJournal: the journal there is of something else.
        Broken: it was interrupted; with ``output`` the journal is there to go on with.
        VmError: machines cannot be started; the journal stays as well.
    """
    require_place(output)
    matrix = plan.matrix(request, say)
    _require_tools(matrix, executor)
    with ExitStack() as stack:
        if executor:
            where = stack.enter_context(executors.executor(executor))
        else:
            stack.enter_context(lock.alone())
            where = None
        bench = _Bench(matrix, output, fresh, say)
        return bench.run(where)


class _Bench:
    def __init__(self, matrix: Matrix, output: Path | None, fresh: bool, say: Say) -> None:
        self._matrix, self._output = matrix, output
        self._planned = {run.number: run for run in matrix.runs}
        self._ledger = Ledger(self._planned, matrix.identity(), output, fresh=fresh, say=say)
        self._progress = self._ledger.progress

    def run(self, executor: Executor | None) -> Measured:
        with self._ledger.open(self._document):
            if executor is None:
                for batch in self._batches():
                    worker.measure_here(batch, self._heard)
            else:
                self._spread(executor)
        return self._ledger.close(self._document())

    def _batches(self) -> Iterator[Entry]:
        """What is left to be done, as plain data, a machine each."""
        for number, batch in enumerate(self._matrix.batches, 1):
            left = [run for run in batch.runs if run.number not in self._ledger.entries]
            if left:
                rest = dataclasses.replace(batch, runs=tuple(left))
                yield {"batch": number, **payload(self._matrix, rest)}

    def _spread(self, executor: Executor) -> None:
        futures: dict[Future[list[Entry]], Entry] = {}
        try:
            for batch in self._batches():
                futures[executor.submit(worker.measure, batch)] = batch
            self._progress.tell(f"{len(futures)} machines' work is given out")
            for future in as_completed(futures):
                try:
                    entries = future.result()
                except Exception as error:
                    # A worker that died, or cannot measure: its runs are lost, not the night.
                    self._progress.say(f"scxhid: a machine's work failed: {error}")
                    runs = futures[future]["runs"]
                    entries = [worker.ended_so(run["number"], "lost", error) for run in runs]
                for entry in entries:
                    self._ledger.add(entry)
        finally:
            for future in futures:
                future.cancel()

    def _heard(self, said: Entry) -> None:
        match said:
            case {"boot": number}:
                again = "" if number == 1 else " again"
                self._progress.tell(f"booting a machine{again}")
            case {"begin": number}:
                run = self._planned[number]
                cell = run.cell
                machine = cell.topology or f"{cell.cpus} CPU{'s' if cell.cpus > 1 else ''}"
                self._progress.tell(
                    f"{cell.subject}, {cell.workload} {cell.load}, {cell.kernel}, {machine},"
                    f" repetition {run.repetition + 1}"
                )
            case _:
                self._ledger.add(said)

    def _document(self) -> Document:
        """All that has been measured so far."""
        entries = sorted(self._ledger.entries.items())
        return document(
            "vm",
            self._matrix.request.command(str(self._output or "")),
            self._matrix,
            (as_run(self._planned[number], entry) for number, entry in entries),
            self._ledger.created,
        )


def begun(output: Path) -> Request:
    """What was asked for in the journal beside ``output``.

    Raises:
        BadJournal: there is none that can be gone on with.
    """
    path = journal.place(output)
    header, _, _ = journal.read(path)
    try:
        return Request.from_json(header["identity"]["request"])
    except (TypeError, KeyError, AttributeError):
        raise journal.BadJournal(path, "is of another version of scxhid") from None


def payload(matrix: Matrix, batch: Batch) -> Entry:
    """A batch as ``worker.measure`` takes it."""
    request = matrix.request
    runs: list[Entry] = []
    for run in batch.runs:
        workload = matrix.workloads[run.workload]
        seconds = request.seconds if request.seconds is not None else workload.seconds
        runs.append(
            {
                "number": run.number,
                "scheduler": run.scheduler,
                "mode": run.cell.mode,
                "workload": run.workload,
                "load": run.cell.load,
                "seconds": seconds,
                "seed": run.seed,
                "timeout_s": plan.timeout_s(request, seconds),
                "object_sha256": matrix.subjects[run.scheduler, run.cell.mode].object_sha256,
                "programs": _programs(workload),
            }
        )
    machine = dataclasses.asdict(batch.machine)
    return {
        "machine": {**machine, "memory_mib": request.memory_mib, "accel": request.accel},
        "runs": runs,
    }


@cache
def _programs(workload: Workload) -> str:
    """The name of the folder of its programs, which says of what sources they are; empty if it
    cannot be measured here."""
    return "" if find.missing(workload) else find.prepare(workload).name


def _require_tools(matrix: Matrix, executor: str) -> None:
    """Refuse what cannot bring a single figure here; a part of it is told as failed runs."""
    from vm.qemu import require_qemu

    if executor:
        return
    require_qemu()
    lacking = {one.name: find.missing(one) for one in matrix.workloads.values()}
    if all(lacking.values()):
        said: Sequence[str] = next(iter(lacking.values()))
        raise Unsupported(
            f"the workload {next(iter(lacking))} needs {' and '.join(said)}, which this machine"
            " does not have; `make setup` installs what the shipped workloads need"
        )
    for workload in matrix.workloads.values():
        _programs(workload)
