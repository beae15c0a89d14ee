"""What rules in force say, and where: kept beside the kernel, which has only their tables.

The record is named by the kernel's id of the map of rules and by which of its tables they are in,
so it can never be taken for another's, and is the right one again when rules are taken back. Only
root may read it: rules may type a password.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pyloader.hid.remap.explain import Line, explain
from pyloader.hid.remap.plan import Plan
from pyloader.places import run_dir

_SUFFIX = ".json"


@dataclass(frozen=True)
class Told:
    """``file`` is the absolute path of the file, ``path`` as the user named it, with the line
    where they are a section of it. ``lines`` are the rules in words as they were applied, whatever
    the file says now; ``scales`` those of axes, by name. ``digest`` is of the file's contents."""

    file: str
    path: str
    lines: tuple[Line, ...]
    scales: tuple[tuple[str, float], ...]
    digest: str

    @property
    def is_edited(self) -> bool:
        """Whether the file itself says something else by now, or is gone."""
        return _digest(self.file) != self.digest


def keep(map_id: int, table: int, planned: Plan) -> None:
    """Keep what rules say; without room for it nobody can be told, and they count all the same."""
    rules = planned.rules
    file = os.path.abspath(rules.file)
    said = {
        "file": file,
        "path": rules.path,
        "lines": [list(line) for line in explain(planned)],
        "scales": list(rules.scales.items()),
        "digest": _digest(file),
    }
    path = _path(map_id, table)
    partial = f"{path}.partial"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(fd, "w") as file_:
            json.dump(said, file_)
        os.replace(partial, path)
    except OSError:
        return


def get(map_id: int, table: int) -> Told | None:
    """What the rules of a table say; None if it was not kept, or this user may not read it."""
    try:
        with open(_path(map_id, table)) as file:
            said: Any = json.load(file)
        return Told(
            said["file"],
            said["path"],
            tuple(Line(*line) for line in said["lines"]),
            tuple((name, float(scale)) for name, scale in said["scales"]),
            said["digest"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget_all_but(map_ids: Collection[int]) -> None:
    """Drop what is kept of rules that are no longer loaded."""
    folder = run_dir() / "rules"
    try:
        for name in os.listdir(folder):
            if name.partition("-")[0] not in {str(each) for each in map_ids}:
                os.unlink(folder / name)
    except OSError:
        return


def _path(map_id: int, table: int) -> str:
    return f"{run_dir()}/rules/{map_id}-{table}{_SUFFIX}"


def _digest(file: str) -> str:
    try:
        with open(file, "rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return ""
