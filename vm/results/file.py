"""Result files: ``FILE.json`` for people and programs, ``FILE.npz`` beside it with the arrays.

Whoever was killed while writing leaves the file of before, or the new one: both parts are written
beside their places and moved there, the arrays first. What was killed between the two moves is read
from ``FILE.json.partial``, which then fits the arrays that ``FILE.json`` does not.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, cast

from pyloader.errors import NotPermitted, ScxhidError, WrongUse
from vm.errors import BadResult
from vm.results import arrays, shared
from vm.results.entries import Malformed, document_of, entry, items, mapping, plain
from vm.results.layout import digest, laid_out
from vm.results.model import Document

VERSION = 1
FORMAT = f"scxhid bench {VERSION}"

_FORMAT = re.compile(r"scxhid bench (\d{1,9})")


def arrays_path(path: Path) -> Path:
    """Where the arrays of a result file lie. WrongUse if that is the file itself."""
    beside = path.with_suffix(".npz")
    if beside == path:
        raise WrongUse(f"{path} is the name of the arrays beside a result; name it FILE.json")
    return beside


def write(path: Path, document: Document) -> None:
    """Write both parts, each whole or not at all. A figure that is no number is written as null.

    Raises:
        ScxhidError: the disk is full, there is no such directory, …; what was there is as it was.
        NotPermitted: it may not be written.
        TypeError: ``document`` holds what a file cannot, such as samples that are not int64.
    """
    beside = arrays_path(path)
    raw = arrays.packed(document.runs)
    content = _content(document, beside.name, raw)
    parts = {} if raw is None else {beside: raw}
    parts[path] = laid_out(content).encode()
    try:
        for target, data in parts.items():
            _write_through(_partial(target), data)
    except BaseException as error:
        for target in parts:
            _partial(target).unlink(missing_ok=True)
        if isinstance(error, OSError):
            _refuse(path, error)
        raise
    was_there = path.exists()
    try:
        for target in parts:
            os.replace(_partial(target), target)
        if was_there and raw is None:
            # The arrays of the result that is no more.
            beside.unlink(missing_ok=True)
        _settle(path.parent)
    except OSError as error:
        _refuse(path, error)


def read(path: Path) -> Document:
    """The document of ``FILE.json``, with its arrays.

    BadResult, with one sentence, if it is not there, no result file, of a newer version, truncated,
    or not as it was written; or if its arrays are not there or those of another run.
    """
    try:
        return _read(path, path)
    except BadResult as error:
        try:
            return _read(_partial(path), path)
        except BadResult:
            raise error from None


def _read(at: Path, path: Path) -> Document:
    """The document whose text lies ``at``, and whose arrays lie beside ``path``."""
    try:
        content = _parsed(_bytes(at, "is not there"))
        if content.get("sha256") != digest(content):
            raise Malformed("is not as it was written: its sha256 is not that of its content")
        raw = _arrays_of(content, path)
        runs = items(content.get("runs"), "runs")
        shared.unfold(runs, mapping(content.get("shared", {}), "shared"))
        return document_of(content, arrays.unpacked(raw, len(runs)))
    except Malformed as error:
        raise BadResult(path, str(error)) from None


def _content(document: Document, arrays_name: str, raw: bytes | None) -> dict[str, Any]:
    runs = [entry(number, run) for number, run in enumerate(document.runs)]
    content: dict[str, Any] = {
        "format": FORMAT,
        "kind": document.kind,
        "created": document.created,
        "command": plain(document.command),
        "seed": document.seed,
        "host": plain(document.host),
        "workloads": plain(document.workloads),
        "shared": shared.fold(runs),
        "runs": runs,
        "arrays": raw and {"file": arrays_name, "sha256": hashlib.sha256(raw).hexdigest()},
    }
    return content | {"sha256": digest(content)}


def _parsed(raw: bytes) -> dict[str, Any]:
    """The object that the bytes are, of this version of the format."""
    text = ""
    if not raw.strip():
        raise Malformed("is empty")
    try:
        text = raw.decode().rstrip()
        content: object = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        if text.startswith("{") and (error.pos >= len(text) or not text.endswith("}")):
            raise Malformed(f"is truncated: it ends in line {text.count(chr(10)) + 1}") from None
        raise Malformed(f"is no JSON: {error.msg} in line {error.lineno}") from None
    except (ValueError, RecursionError):
        raise Malformed("is no result file: it is no text that makes sense as JSON") from None
    if not isinstance(content, dict):
        raise Malformed("is no result file: it holds no JSON object")
    content = cast("dict[str, Any]", content)
    match = _FORMAT.fullmatch(str(content.get("format")))
    if not match:
        raise Malformed(f'is no result file: its format is not "{FORMAT}"')
    if int(match[1]) > VERSION:
        raise Malformed(
            f"was written by a newer version: its format is {match[0]!r}, and this one reads"
            f" {FORMAT!r}"
        )
    return content


def _arrays_of(content: Mapping[str, Any], path: Path) -> bytes | None:
    """The bytes of the npz file that belongs to it."""
    if content.get("arrays") is None:
        return None
    beside = arrays_path(path)
    said = mapping(content["arrays"], "arrays")
    raw = _bytes(beside, f"needs {beside.name} beside it, which is not there")
    if hashlib.sha256(raw).hexdigest() != said.get("sha256"):
        raise Malformed(f"has arrays of another result beside it, or damaged ones: {beside.name}")
    return raw


def _bytes(path: Path, if_missing: str) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise Malformed(if_missing) from None
    except OSError as error:
        raise Malformed(f"cannot be read: {path.name}: {error.strerror}") from None


def _partial(path: Path) -> Path:
    return path.with_name(path.name + ".partial")


def _write_through(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _settle(folder: Path) -> None:
    """Let the new names reach the disk, too."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _refuse(path: Path, error: OSError) -> NoReturn:
    kind = NotPermitted if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) else ScxhidError
    raise kind(f"{path} cannot be written: {error.strerror}") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
