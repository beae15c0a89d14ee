"""Recordings of what a screen shows: snapshots in a file, as they were taken, to be seen again.

A file begins with ``MAGIC`` and holds frames, each a header (``_HEADER``: what it is, its length in
bytes, and its moment) and a body. A snapshot's is an ``npz`` archive (readable by numpy) of its
arrays, with all else as JSON; a history's is compressed JSON, and holds until the next one. A file
that ends within a frame (its writer was killed) is good up to there.
"""

from __future__ import annotations

import io
import json
import os
import stat
import struct
import zlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from pyloader.closing import Closing
from pyloader.errors import ScxhidError
from pyloader.view.snapshot import Snapshot

MAGIC = b"scxhid top 1\n"
_HEADER = struct.Struct("<cIdI")  # kind, length, moment (s since the epoch), CRC-32 of the body
_SNAPSHOT, _HISTORY = b"S", b"H"
_LONGEST = 64 << 20  # bytes of a frame; 512 CPUs take some 300 kB

History = tuple[Mapping[str, Any], ...]


class BadRecording(ScxhidError):
    """A file that is no recording, or of another version."""


class Recorder(Closing):
    """Writes a recording, readable by its owner alone. ScxhidError if it cannot be written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written = 0
        """Bytes."""
        self._span: tuple[float, float] | None = None
        self._history: History | None = None
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        try:
            self._fd = os.open(path, flags, 0o600)
            if stat.S_ISREG(os.fstat(self._fd).st_mode):  # not of /dev/null, which is everybody's
                os.fchmod(self._fd, 0o600)
        except OSError as error:
            raise ScxhidError(f"{path} cannot be written: {error.strerror}") from None
        self._write(MAGIC)

    @property
    def bytes_an_hour(self) -> float:
        """At the rate until now; 0 until there are two snapshots."""
        if self._span is None or self._span[1] <= self._span[0]:
            return 0.0
        return self.written * 3600 / (self._span[1] - self._span[0])

    def add(self, snapshot: Snapshot) -> None:
        """Append it, whole or not at all. ScxhidError if there is no room."""
        if snapshot.history != self._history:
            body = zlib.compress(json.dumps(snapshot.history, default=dict).encode())
            self._frame(_HISTORY, snapshot.at, body)
            self._history = snapshot.history
        self._frame(_SNAPSHOT, snapshot.at, pack(snapshot))
        self._span = (self._span[0] if self._span else snapshot.at, snapshot.at)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _frame(self, kind: bytes, at: float, body: bytes) -> None:
        self._write(_HEADER.pack(kind, len(body), at, zlib.crc32(body)) + body)

    def _write(self, raw: bytes) -> None:
        try:
            done = os.write(self._fd, raw)
            if done != len(raw):
                os.ftruncate(self._fd, self.written)
                raise ScxhidError(f"{self.path} cannot be written: no space left on device")
        except OSError as error:
            raise ScxhidError(f"{self.path} cannot be written: {error.strerror}") from None
        self.written += len(raw)


class Recording(Closing):
    """Reads one: ``times`` of its snapshots in order, and any of them by its number.

    Raises:
        BadRecording: it is none, or this version does not know it.
        ScxhidError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = open(path, "rb")  # noqa: SIM115  (kept until close)
        except OSError as error:
            raise ScxhidError(f"{path} cannot be read: {error.strerror}") from None
        try:
            self._index()
        except BaseException:
            self._file.close()
            raise

    def _index(self) -> None:
        try:
            magic = self._file.read(len(MAGIC))
        except OSError as error:
            raise ScxhidError(f"{self.path} cannot be read: {error.strerror}") from None
        if magic != MAGIC:
            known = magic.startswith(MAGIC[:11])
            what = "of another version of scxhid" if known else "no recording of `scxhid top`"
            raise BadRecording(f"{self.path} is {what}")
        times: list[float] = []
        self._places: list[tuple[int, int | None]] = []
        history: int | None = None
        at, end = len(MAGIC), os.fstat(self._file.fileno()).st_size
        while at + _HEADER.size <= end:
            self._file.seek(at)
            kind, length, moment, _ = _HEADER.unpack(self._file.read(_HEADER.size))
            if length > _LONGEST or at + _HEADER.size + length > end:
                break
            if kind == _HISTORY:
                history = at
            elif kind == _SNAPSHOT:
                self._places.append((at, history))
                times.append(moment)
            at += _HEADER.size + length
        self.times = np.array(times)
        if not times:
            raise BadRecording(f"{self.path} holds no snapshot")

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, number: int) -> Snapshot:
        """The snapshot of that number; BadRecording where the file is damaged there."""
        place, history = self._places[number]
        try:
            snapshot = unpack(self._body(place))
            if history is not None:
                events = json.loads(zlib.decompress(self._body(history)))
                snapshot = replace(snapshot, history=tuple(events))
        except BadRecording:
            raise
        except Exception as error:  # whatever a damaged archive makes a parser say
            raise BadRecording(
                f"{self.path} is damaged at its snapshot {number + 1}: {error}"
            ) from None
        return snapshot

    def close(self) -> None:
        self._file.close()

    def _body(self, at: int) -> bytes:
        self._file.seek(at)
        _, length, _, crc = _HEADER.unpack(self._file.read(_HEADER.size))
        body = self._file.read(length)
        if zlib.crc32(body) != crc:
            raise BadRecording(f"{self.path} is damaged: a checksum is wrong")
        return body


# --- snapshots as bytes ---


def pack(snapshot: Snapshot) -> bytes:
    """A snapshot without its history as an ``npz`` archive."""
    arrays: dict[str, NDArray[Any]] = {}
    said = json.dumps(_plain(replace(snapshot, history=()), arrays, ""))
    arrays["said"] = np.frombuffer(said.encode(), np.uint8)
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]
    return file.getvalue()


def unpack(body: bytes) -> Snapshot:
    """The snapshot of ``pack``. Of bytes that are none it raises what numpy and zipfile do."""
    with np.load(io.BytesIO(body), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    said = json.loads(arrays.pop("said").tobytes())
    found = _typed(said, Snapshot, arrays)
    if not isinstance(found, Snapshot):
        raise ValueError("it holds something else")
    return found


def _plain(value: Any, arrays: dict[str, NDArray[Any]], name: str) -> Any:
    """As JSON knows it; arrays are put aside under the names of where they belong."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            each.name: _plain(getattr(value, each.name), arrays, f"{name}.{each.name}")
            for each in fields(value)
        }
    if isinstance(value, np.ndarray):
        arrays[name[1:]] = value
        return {"array": name[1:]}
    if isinstance(value, Mapping):
        items: Mapping[Any, Any] = value  # pyright: ignore[reportUnknownVariableType]
        return {str(k): _plain(v, arrays, f"{name}.{k}") for k, v in items.items()}
    if isinstance(value, tuple | list):
        several: tuple[Any, ...] = tuple(value)  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
        return [_plain(each, arrays, f"{name}.{n}") for n, each in enumerate(several)]
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    other: Any = value
    return other.item() if isinstance(value, np.generic) else other


def _typed(said: Any, kind: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    """The value of type ``kind`` that ``_plain`` has made ``said`` of."""
    kind = _some(kind, said)
    inner: tuple[Any, ...] = get_args(kind)
    if isinstance(said, list):
        return _typed_tuple(cast("list[Any]", said), kind, inner, arrays)
    other: Any = said
    if not isinstance(said, dict):
        return other
    items = cast("dict[str, Any]", said)
    if set(items) == {"array"}:
        return arrays[items["array"]]
    if set(items) == {"hex"}:
        return bytes.fromhex(items["hex"])
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        made: Any = kind
        return made(**{k: _typed(v, hints[k], arrays) for k, v in items.items() if k in hints})
    values = inner[1] if len(inner) > 1 else Any
    return {k: _typed(v, values, arrays) for k, v in items.items()}


def _typed_tuple(
    said: list[Any], kind: Any, inner: tuple[Any, ...], arrays: Mapping[str, NDArray[Any]]
) -> Any:
    named: Any = kind
    if hasattr(named, "_fields"):  # a NamedTuple
        return named(*said)
    if len(inner) > 1 and inner[1] is not Ellipsis:
        return tuple(_typed(v, t, arrays) for v, t in zip(said, inner, strict=True))
    each: Any = inner[0] if inner else Any
    return tuple(_typed(v, each, arrays) for v in said)


def _some(kind: Any, said: Any) -> Any:
    """Of ``X | None`` the X, where there is one."""
    if get_origin(kind) in (Union, UnionType) and said is not None:
        return next(each for each in get_args(kind) if each is not type(None))
    return kind
