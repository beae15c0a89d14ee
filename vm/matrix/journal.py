"""The journal of a bench that is under way, beside its result: ``FILE.json.journal``.

JSON lines: first ``{"format", "identity", "created"}``, then one object for each run that is
done, as ``worker`` tells it. Each is on disk before the next run begins, so Ctrl-C, a crash or a
power cut costs the run in whose middle it came. Where the disk is full, lines wait in memory.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from pyloader.errors import Busy, NotPermitted, ScxhidError

FORMAT = "scxhid bench journal 1"

Entry = dict[str, Any]


class BadJournal(ScxhidError):
    """A journal that cannot be gone on with; ``path`` is its file."""

    def __init__(self, path: Path, why: str) -> None:
        self.path = path
        super().__init__(f"{path} {why}; --fresh begins anew")


def place(output: Path) -> Path:
    """Where the journal of a result file lies."""
    return output.with_name(output.name + ".journal")


class Journal:
    """An open journal. ``entries`` are the runs that were done before, by number."""

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        self.path = path
        self.created = ""
        self.entries: dict[int, Entry] = {}
        self._say = say
        self._waiting: list[str] = []
        self._is_told = False
        self._fd = -1

    @classmethod
    def begun(
        cls, path: Path, identity: Mapping[str, Any], created: str, say: Callable[[str], None]
    ) -> Journal:
        """A new one, in the place of any that is there.

        Raises:
            ScxhidError, NotPermitted: it cannot be written.
            Busy: another process writes it.
        """
        made = cls(path, say)
        made.created = created
        made._open()
        os.ftruncate(made._fd, 0)
        first = {"format": FORMAT, "identity": identity, "created": created}
        made._append(json.dumps(first))
        return made

    @classmethod
    def resumed(
        cls, path: Path, identity: Mapping[str, Any], say: Callable[[str], None]
    ) -> Journal:
        """One that is there already, to be gone on with.

        Raises:
            BadJournal: it is damaged, or of another request.
            Busy: another process writes it.
        """
        header, entries, whole = read(path)
        difference = _difference(header["identity"], identity)
        if difference:
            raise BadJournal(path, f"is of another bench: {difference}")
        made = cls(path, say)
        made.created = header["created"]
        made.entries = {entry["number"]: entry for entry in entries}
        made._open()
        os.ftruncate(made._fd, whole)  # a line that was torn goes
        return made

    def add(self, entry: Entry) -> None:
        """Keep a run that is done; on a full disk in memory, until there is room."""
        self.entries[entry["number"]] = entry
        self._waiting.append(json.dumps(entry))
        try:
            while self._waiting:
                self._append(self._waiting[0])
                del self._waiting[0]
        except ScxhidError as error:
            if not self._is_told:
                self._say(f"{error}; the runs that are done are kept in memory until there is room")
            self._is_told = True

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def remove(self) -> None:
        """All of it stands in the result now."""
        self.close()
        self.path.unlink(missing_ok=True)

    def _open(self) -> None:
        try:
            self._fd = os.open(
                self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644
            )
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise Busy(
                f"{self.path} is being written by another scxhid bench run; wait for its end, or"
                " name another file"
            ) from None
        except PermissionError:
            raise NotPermitted(f"{self.path} may not be written by this user") from None
        except OSError as error:
            raise ScxhidError(f"{self.path} cannot be written: {error.strerror}") from None

    def _append(self, line: str) -> None:
        """Add a line, whole or not at all."""
        raw = line.encode() + b"\n"
        before = os.fstat(self._fd).st_size
        try:
            view = memoryview(raw)
            while view:
                view = view[os.write(self._fd, view) :]
            os.fsync(self._fd)
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._fd, before)
            why = "the disk is full" if error.errno == errno.ENOSPC else error.strerror
            raise ScxhidError(f"{self.path} cannot be written: {why}") from None


def read(path: Path) -> tuple[Mapping[str, Any], list[Entry], int]:
    """The first line, the runs, and how many bytes of the file are whole lines.

    Raises:
        BadJournal: it is none, or something other than its last line is damaged.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise BadJournal(path, "is not there: nothing was left half-done") from None
    except OSError as error:
        raise BadJournal(path, f"cannot be read: {error.strerror}") from None
    whole = raw.rfind(b"\n") + 1
    objects: list[Entry] = []
    for number, line in enumerate(raw[:whole].splitlines(), 1):
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise BadJournal(path, f"is damaged in line {number}")
        objects.append(cast("Entry", found))
    if not objects or objects[0].get("format") != FORMAT:
        raise BadJournal(path, f'is no journal of a bench: its first line has not "{FORMAT}"')
    header, *entries = objects
    if not isinstance(header.get("identity"), dict) or not isinstance(header.get("created"), str):
        raise BadJournal(path, "is damaged in line 1")
    for number, entry in enumerate(entries, 2):
        if not isinstance(entry.get("number"), int) or not isinstance(entry.get("status"), str):
            raise BadJournal(path, f"is damaged in line {number}")
    return header, entries, whole


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """The first thing in which two identities differ, in words; empty if in none."""
    for name in dict.fromkeys((*old, *new)):
        a: Any = old.get(name)
        b: Any = new.get(name)
        if a == b:
            continue
        if isinstance(a, dict) and isinstance(b, dict):
            one, other = cast("Entry", a), cast("Entry", b)
            inner = next(k for k in (*one, *other) if one.get(k) != other.get(k))
            if name == "objects":
                return f"{inner} has been compiled from another source since"
            a, b = one.get(inner), other.get(inner)
            return f"{inner} was {_short(a)} there, and is {_short(b)} here"
        return f"{name} was {_short(a)} there, and is {_short(b)} here"
    return ""


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:79] + "…"
