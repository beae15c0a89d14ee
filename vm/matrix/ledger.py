"""What of the planned runs is done: the entries of them, their journal, progress, and the result.

Both benches keep theirs so, that of virtual machines and that of exact runs.
"""

from __future__ import annotations

import dataclasses
import datetime
import tempfile
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyloader.errors import ScxhidError, WrongUse
from vm.matrix import host, journal
from vm.matrix.packing import unpack_arrays
from vm.matrix.plan import Matrix, Planned
from vm.matrix.progress import Progress
from vm.results import file
from vm.results.model import Document, Run
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


class Ledger:
    """The runs of ``planned`` (number → run) that are done, on disk beside ``output`` at once.

    ``identity`` says what is measured: a journal that is there already is gone on with if it is of
    the same, or with ``fresh`` begun anew.

    Raises:
        BadJournal: the journal there is of something else.
        Busy: another bench writes it.
    """

    def __init__(
        self,
        planned: Mapping[int, Planned],
        identity: Mapping[str, Any],
        output: Path | None,
        *,
        fresh: bool,
        say: Say,
    ) -> None:
        self.entries: dict[int, Entry] = {}
        self._planned, self._output, self._say = planned, output, say
        self.created = now()
        self._journal = self._opened(output, identity, fresh) if output else None
        self.progress = Progress(len(planned), len(self.entries))

    def _opened(self, output: Path, identity: Mapping[str, Any], fresh: bool) -> journal.Journal:
        path = journal.place(output)
        if fresh or not path.exists():
            return journal.Journal.begun(path, identity, self.created, self._say)
        found = journal.Journal.resumed(path, identity, self._say)
        self.entries = {n: e for n, e in found.entries.items() if n in self._planned}
        self.created = found.created
        self._say(f"going on with {path}: {self._so_far} are done")
        return found

    @property
    def _so_far(self) -> str:
        return f"{len(self.entries)} of {len(self._planned)} runs"

    def add(self, entry: Entry, which: str = "") -> None:
        """Keep a run that has ended; tell if it brought no figure, and ``which`` of its cell."""
        self.entries[entry["number"]] = entry
        if self._journal:
            self._journal.add(entry)
        if entry["status"] != "done":
            cell = self._planned[entry["number"]].cell
            self.progress.say(
                f"scxhid: {entry['status']}: {cell.subject}, {cell.workload} {cell.load},"
                f" {cell.cpus} CPUs{which}: {entry['reason']}"
            )
        self.progress.advance()

    @contextmanager
    def open(self, document: Callable[[], Document]) -> Generator[None]:
        """The block measures, and adds what it did. ``document`` makes a result of all so far.

        Raises:
            Broken: it was interrupted; the user is told how to go on.
        """
        try:
            with self.progress:
                yield
        except (KeyboardInterrupt, SystemExit) as error:
            self._tell_how_to_go_on()
            raise Broken(document(), error) from None
        except ScxhidError:
            self._tell_how_to_go_on()
            raise

    def _tell_how_to_go_on(self) -> None:
        if not self._journal or not self._output:
            return
        self._journal.close()
        if not self.entries:
            self._journal.remove()
            return
        self._say(f"{self._so_far} are kept; go on with `scxhid bench run --resume {self._output}`")

    def close(self, document: Document) -> Measured:
        """Write the result, elsewhere if it has to be; the journal goes once it stands there."""
        if self._output is None or self._journal is None:
            return Measured(document)
        try:
            file.write(self._output, document)
        except ScxhidError as error:
            return self._written_elsewhere(self._output.name, document, str(error))
        self._journal.remove()
        return Measured(document, self._output)

    def _written_elsewhere(self, name: str, document: Document, why: str) -> Measured:
        """What took hours must not be lost to a full disk."""
        assert self._journal
        for directory in (tempfile.gettempdir(), "/dev/shm", str(Path.home())):
            path = Path(directory) / name
            if path.exists():
                continue
            try:
                file.write(path, document)
            except ScxhidError:
                continue
            return Measured(document, path, f"{why}; the result lies in {path} instead")
        return Measured(
            document, None, f"{why}; what the journal had room for is in {self._journal.path}"
        )


def now() -> str:
    """The time of day as results have it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def document(
    kind: str, command: Sequence[str], matrix: Matrix, runs: Iterable[Run], created: str = ""
) -> Document:
    """A result of these runs."""
    return Document(
        kind=kind,
        created=created or now(),
        command=tuple(command),
        seed=matrix.request.seed,
        host=host.facts(),
        workloads={one.name: declared(one) for one in matrix.workloads.values()},
        runs=tuple(runs),
    )


def as_run(planned: Planned, entry: Entry) -> Run:
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
    """What a result says of a workload."""
    metrics = [dataclasses.asdict(metric) for metric in workload.metrics]
    return {
        "about": workload.about,
        "metrics": {m.pop("name"): m for m in metrics},
    }


def require_place(output: Path | None) -> None:
    """Refuse where no result can be written.

    Raises:
        WrongUse: it is a directory.
        ScxhidError: there is no such directory, or it cannot be a result's name.
    """
    if output is None:
        return
    if output.is_dir():
        raise WrongUse(f"{output} is a directory; name a file, FILE.json")
    if not output.parent.is_dir():
        raise ScxhidError(f"{output} cannot be written: there is no directory {output.parent}")
    file.arrays_path(output)
