"""``scxhid bench run --exact``: every cell under every seed, some at once, into a result file."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyloader.errors import WrongUse
from vm.exact import machine
from vm.exact.image import fastest_image
from vm.exact.measure import Task, measure, programs
from vm.exact.program import guest_program, lockstep
from vm.exact.request import Request, refuse_words, require_exact
from vm.kernels import Kernel, choose
from vm.matrix import journal, plan
from vm.matrix.ledger import Ledger, Measured, as_run, document, require_place
from vm.results.model import Document, Run

Entry = dict[str, Any]
Say = Callable[[str], None]

#: Seconds that a run may take: to boot, and for each second and CPU that it measures. The host may
#: be busy, and one busy second of an emulated CPU takes it several.
_BOOT_S, _TIMES = 300.0, 60.0


def default_jobs() -> int:
    """So many machines side by side: one a host CPU, and one CPU left to others."""
    return max(1, (os.cpu_count() or 1) - 1)


def run(
    request: Request, *, output: Path | None = None, fresh: bool = False, jobs: int = 0, say: Say
) -> Measured:
    """Measure all of it, or the rest of what was begun in the journal beside ``output``.

    ``jobs`` is how many machines run side by side; 0: ``default_jobs()``.

    Raises:
        WrongUse, ScxhidError: before anything has been measured.
        Unsupported: no QEMU that can do it.
        BadJournal: the journal there is of something else.
        NotIdentical: a run that was repeated under its seed differs; nothing is written.
        Broken: it was interrupted; with ``output`` the journal is there to go on with.
    """
    require_place(output)
    if request.what.topologies:
        raise WrongUse("--topology says nothing to an exact run, whose CPUs have no caches")
    refuse_words(request.what.workloads)
    machine.require_qemu()
    bench = _Bench(request, plan.matrix(request.what, say), output, fresh, say)
    return bench.run(jobs or default_jobs())


def is_begun(output: Path) -> bool:
    """Whether the journal beside ``output`` is of exact runs. BadJournal if it is none at all."""
    header, _, _ = journal.read(journal.place(output))
    return "exact" in header["identity"]


def begun(output: Path) -> Request:
    """What was asked for in the journal beside ``output``; BadJournal if it cannot be read."""
    path = journal.place(output)
    header, _, _ = journal.read(path)
    try:
        return Request.from_json(header["identity"]["request"], header["identity"]["exact"])
    except (TypeError, KeyError, AttributeError):
        raise journal.BadJournal(path, "is of another version of scxhid") from None


class _Bench:
    def __init__(
        self, request: Request, matrix: plan.Matrix, output: Path | None, fresh: bool, say: Say
    ) -> None:
        require_exact(list(matrix.workloads.values()), request.metrics)
        self._request = replace(request, what=matrix.request)
        self._matrix, self._output = matrix, output
        # All cells under the first seed, which shows whether they can be measured, then the rest.
        self._planned = {
            run.number: replace(run, seed=run.repetition + 1)
            for run in sorted(matrix.runs, key=lambda run: (run.repetition, run.number))
        }
        identity = {**matrix.identity(), "exact": self._request.to_json()}
        self._ledger = Ledger(self._planned, identity, output, fresh=fresh, say=say)
        self._progress = self._ledger.progress
        self._stop = threading.Event()

    def run(self, jobs: int) -> Measured:
        with self._ledger.open(self._document):
            tasks = list(self._tasks())
            self._compile(tasks)
            if jobs == 1:
                for task in tasks:
                    self._tell(task)
                    self._done(measure(task, self._stop.is_set))
            else:
                self._side_by_side(tasks, jobs)
        return self._ledger.close(self._document())

    def _tasks(self) -> Iterator[Task]:
        """What is left to be done."""
        what = self._matrix.request
        kernels: dict[str, Kernel] = {}
        by_version = {machine.version: machine.kernel for machine in self._machines()}
        for planned in self._planned.values():
            if planned.number in self._ledger.entries:
                continue
            cell = planned.cell
            if cell.kernel not in kernels:
                kernels[cell.kernel] = choose(by_version[cell.kernel])
            workload = self._matrix.workloads[planned.workload]
            seconds = what.seconds if what.seconds is not None else workload.seconds
            patience_s = _BOOT_S + _TIMES * seconds * cell.cpus
            yield Task(
                planned=planned,
                subject=self._matrix.subjects[planned.scheduler, cell.mode],
                workload=workload,
                kernel=kernels[cell.kernel],
                seconds=seconds,
                timeout_s=what.timeout_s if what.timeout_s is not None else patience_s,
                gate=self._request.gates_all or planned.repetition == 0,
                times=self._request.times,
                metrics=self._request.metrics,
            )

    def _machines(self) -> list[plan.Machine]:
        return [batch.machine for batch in self._matrix.batches]

    def _compile(self, tasks: Sequence[Task]) -> None:
        """Once, before machines want it side by side."""
        guest_program()
        lockstep()
        for task in tasks:
            programs(task.workload)
            fastest_image(task.kernel)

    def _side_by_side(self, tasks: Sequence[Task], jobs: int) -> None:
        pending: set[Future[Entry]] = set()
        left = iter(tasks)
        with ThreadPoolExecutor(jobs, "exact") as pool:
            try:
                while True:
                    while len(pending) < jobs and (task := next(left, None)):
                        self._tell(task)
                        pending.add(pool.submit(measure, task, self._stop.is_set))
                    if not pending:
                        return
                    ended, pending = wait(pending, return_when=FIRST_COMPLETED)
                    for future in ended:
                        self._done(future.result())
            except BaseException:
                self._stop.set()  # the machines that still run are ended by their threads
                raise

    def _tell(self, task: Task) -> None:
        cell = task.planned.cell
        twice = f", {task.times} times" if task.gate else ""
        self._progress.tell(
            f"{cell.subject}, {cell.workload} {cell.load}, {cell.kernel}, {cell.cpus} CPUs,"
            f" seed {task.planned.seed}{twice}"
        )

    def _done(self, entry: Entry) -> None:
        self._ledger.add(entry, f", seed {self._planned[entry['number']].seed}")

    def _document(self) -> Document:
        """All that has been measured so far, in the order of cells, then seeds."""
        entries = self._ledger.entries.items()
        runs = [self._as_run(self._planned[number], entry) for number, entry in entries]
        runs.sort(key=lambda run: (*run.cell.place, run.cell.subject, run.seed))
        command = self._request.command(str(self._output or ""))
        return document("exact", command, self._matrix, runs, self._ledger.created)

    def _as_run(self, planned: plan.Planned, entry: Entry) -> Run:
        return replace(
            as_run(planned, entry),
            samples_sha256=entry.get("samples_sha256"),
            identical_twice=entry.get("identical_twice"),
        )
