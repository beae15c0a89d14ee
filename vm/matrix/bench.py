"""``scxhid bench run``: all of the matrix, with a journal, into a result file."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pyloader.errors import ScxhidError, Unsupported, WrongUse
from vm.matrix import executors, host, journal, lock, plan, worker
from vm.matrix.packing import unpack_arrays
from vm.matrix.plan import Batch, Matrix
from vm.matrix.progress import Progress
from vm.matrix.request import Request
from vm.results.model import Document, Run
from vm.workloads import find
from vm.workloads.model import Workload

Entry = dict[str, Any]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Measured:
    """``document`` holds what was measured; ``written`` is where it lies, ``trouble`` why not
    where it should."""

    document: Document
    written: Path | None = None
    trouble: str = ""


class Broken(Exception):
    """Ctrl-C, or a signal, in the middle: ``so_far`` is what had been measured, ``why`` the end."""

    def __init__(self, so_far: Document, why: BaseException) -> None:
        self.so_far, self.why = so_far, why
        super().__init__(str(why))


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
        self._matrix, self._output, self._say = matrix, output, say
        self._planned = {run.number: run for run in matrix.runs}
        self._entries: dict[int, Entry] = {}
        self._created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        self._journal = self._opened(fresh) if output else None
        self._progress = Progress(len(self._planned), len(self._entries))

    def _opened(self, fresh: bool) -> journal.Journal:
        assert self._output
        path, identity = journal.place(self._output), self._matrix.identity()
        if fresh or not path.exists():
            return journal.Journal.begun(path, identity, self._created, self._say)
        found = journal.Journal.resumed(path, identity, self._say)
        self._entries = {n: e for n, e in found.entries.items() if n in self._planned}
        self._created = found.created
        self._say(
            f"going on with {path}: {len(self._entries)} of {len(self._planned)} runs are done"
        )
        return found

    def run(self, executor: Executor | None) -> Measured:
        try:
            with self._progress:
                if executor is None:
                    for batch in self._batches():
                        worker.measure_here(batch, self._heard)
                else:
                    self._spread(executor)
        except (KeyboardInterrupt, SystemExit) as error:
            self._tell_how_to_go_on()
            raise Broken(self.document(), error) from None
        except ScxhidError:
            self._tell_how_to_go_on()
            raise
        return self._written()

    def _batches(self) -> Iterator[Entry]:
        """What is left to be done, as plain data, a machine each."""
        for number, batch in enumerate(self._matrix.batches, 1):
            left = [run for run in batch.runs if run.number not in self._entries]
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
                    self._done(entry)
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
                self._done(said)

    def _done(self, entry: Entry) -> None:
        self._entries[entry["number"]] = entry
        if self._journal:
            self._journal.add(entry)
        if entry["status"] != "done":
            cell = self._planned[entry["number"]].cell
            self._progress.say(
                f"scxhid: {entry['status']}: {cell.subject}, {cell.workload} {cell.load}:"
                f" {entry['reason']}"
            )
        self._progress.advance()

    def document(self) -> Document:
        """All that has been measured so far."""
        request = self._matrix.request
        return Document(
            kind="vm",
            created=self._created,
            command=request.command(str(self._output or "")),
            seed=request.seed,
            host=host.facts(),
            workloads={one.name: declared(one) for one in self._matrix.workloads.values()},
            runs=tuple(
                as_run(self._planned[number], entry)
                for number, entry in sorted(self._entries.items())
            ),
        )

    def _written(self) -> Measured:
        from vm.results import file

        document = self.document()
        if self._output is None or self._journal is None:
            return Measured(document)
        try:
            file.write(self._output, document)
        except ScxhidError as error:
            return self._written_elsewhere(document, str(error))
        self._journal.remove()
        return Measured(document, self._output)

    def _written_elsewhere(self, document: Document, why: str) -> Measured:
        """What took hours must not be lost to a full disk."""
        import tempfile

        from vm.results import file

        assert self._output
        for directory in (tempfile.gettempdir(), "/dev/shm", str(Path.home())):
            path = Path(directory) / self._output.name
            if path.exists():
                continue
            try:
                file.write(path, document)
            except ScxhidError:
                continue
            return Measured(document, path, f"{why}; the result lies in {path} instead")
        return Measured(
            document, None, f"{why}; what the journal had room for is in {self._journal_path}"
        )

    @property
    def _journal_path(self) -> Path:
        assert self._output
        return journal.place(self._output)

    def _tell_how_to_go_on(self) -> None:
        if not self._journal or not self._output:
            return
        self._journal.close()
        if not self._entries:
            self._journal.remove()
            return
        self._say(
            f"{len(self._entries)} of {len(self._planned)} runs are kept; go on with"
            f" `scxhid bench run --resume {self._output}`"
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


def as_run(planned: plan.Planned, entry: Entry) -> Run:
    """The run of a result file."""
    return Run(
        cell=planned.cell,
        repetition=planned.repetition,
        seed=planned.seed,
        status=entry["status"],
        reason=entry["reason"],
        started=entry.get("started", ""),
        seconds=entry.get("seconds", 0.0),
        metrics=entry.get("metrics", {}) if entry["status"] == "done" else {},
        conditions=entry.get("conditions", {}),
        arrays=unpack_arrays(entry.get("arrays", {})) if entry["status"] == "done" else {},
    )


def declared(workload: Workload) -> Entry:
    """What a result file says of a workload."""
    metrics = [dataclasses.asdict(metric) for metric in workload.metrics]
    return {
        "about": workload.about,
        "metrics": {m.pop("name"): m for m in metrics},
    }


def require_place(output: Path | None) -> None:
    if output is None:
        return
    if output.is_dir():
        raise WrongUse(f"{output} is a directory; name a file, FILE.json")
    if not output.parent.is_dir():
        raise ScxhidError(f"{output} cannot be written: there is no directory {output.parent}")
    from vm.results.file import arrays_path

    arrays_path(output)


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
