"""The history of schedulers: who was put on, who left and why. JSON lines, newest last."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from pyloader.exitinfo import ExitInfo
from pyloader.places import state_dir

_KEPT = 200


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
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        kept = path.read_text(errors="replace") if path.exists() else ""
        lines = kept.splitlines()[-(_KEPT - 1) :]
        partial = path.with_suffix(".partial")
        partial.write_text("\n".join([*lines, json.dumps(entry)]) + "\n")
        os.replace(partial, path)
    except OSError:
        return


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
    return events


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
