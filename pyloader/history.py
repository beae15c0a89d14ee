"""The history of schedulers: who was put on, who left and why. JSON lines, newest last."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from pyloader.exitinfo import ExitInfo
from pyloader.places import state_dir

_KEPT = 200
_ROOM = 8 << 20
"""Bytes past which the file is cut down; 200 events fit, each with a dump of 32 kB."""


def add(event: str, name: str, info: ExitInfo | None = None, **more: Any) -> None:
    """Append an event (``attached``, ``stopped``, ``ejected``, ``exited``, ``put_back``).

    The history is a convenience: where it cannot be written (a full disk, a
    read-only system) the change that it tells of has happened all the same, so
    failing to write is not an error.
    """
    when = info.time_ns if info and info.time_ns else time.time_ns()
    entry: dict[str, Any] = {"time_ns": when, "event": event, "name": name, **more}
    if info:
        entry["exit"] = info.to_json()
    path = state_dir() / "history.jsonl"
    try:
        try:
            size = _append(path, json.dumps(entry))
        except FileNotFoundError:
            path.parent.mkdir(mode=0o755, parents=True)
            size = _append(path, json.dumps(entry))
        if size > _ROOM:
            _shorten(path)
    except OSError:
        return


def _append(path: Path, line: str) -> int:
    """Add ``line``, whole or not at all; the file's size then, in bytes."""
    # The newline before it ends what a killed process may have left half-written.
    raw = f"\n{line}\n".encode()
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        before = os.fstat(fd).st_size
        if os.write(fd, raw) != len(raw):
            os.ftruncate(fd, before)
        return before + len(raw)
    finally:
        os.close(fd)


def _shorten(path: Path) -> None:
    lines = [line for line in path.read_text(errors="replace").splitlines() if line]
    partial = path.with_suffix(".partial")
    partial.write_text("\n".join(lines[-_KEPT:]) + "\n")
    os.replace(partial, path)


def read() -> list[dict[str, Any]]:
    """All events kept (the last 200), oldest first; lines that are no event are passed over."""
    try:
        lines = (state_dir() / "history.jsonl").read_text(errors="replace").splitlines()
    except OSError:
        return []
    events: list[dict[str, Any]] = []
    for line in lines:
        try:
            entry: Any = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if _is_event(entry):
            events.append(entry)
    return events[-_KEPT:]


def _is_event(entry: Any) -> bool:
    if not _has(entry, time_ns=int, event=str, name=str):
        return False
    info = entry.get("exit")
    return info is None or _has(info, kind=int, exit_code=int, reason=str, message=str, dump=str)


def _has(entry: Any, **types: type) -> bool:
    return isinstance(entry, dict) and all(
        isinstance(entry.get(name), kind)  # pyright: ignore[reportUnknownMemberType]
        for name, kind in types.items()
    )
