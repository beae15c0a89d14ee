"""Which layer a task belongs to, worked out apart from pyloader and from the BPF program.

Reads the TOML by itself and follows docs/reference/rules.md, the plainest way there is.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Task:
    comm: str
    cgroup: str
    uid: int
    nice: int
    kernel_thread: bool = False
    is_for_input: bool = False


def layer_of(task: Task, toml: str) -> str:
    """The layer that the rules in the text ``toml`` give the task."""
    for rule in tomllib.loads(toml).get("rule", []):
        if all(_fits(key, wanted, task) for key, wanted in rule.items() if key != "layer"):
            return rule["layer"]
    return "default"


def _fits(key: str, wanted: Any, task: Task) -> bool:
    if key == "kernel_thread":
        return task.kernel_thread is wanted
    if key == "input":
        return task.is_for_input is wanted
    if key in ("uid", "nice"):
        low, high = wanted if isinstance(wanted, list) else (wanted, wanted)
        return low <= getattr(task, key) <= high
    patterns = wanted if isinstance(wanted, list) else [wanted]
    if key == "comm":
        return any(glob(p.encode(), task.comm.encode()[:15]) for p in patterns)
    return any(_is_below(p, task.cgroup) for p in patterns)


def _is_below(pattern: str, path: str) -> bool:
    """Whether the pattern fits the cgroup or one that it lies in; "/" fits all."""
    pattern = pattern.rstrip("/")
    parts = path.strip("/").split("/") if path.strip("/") else []
    above = ["".join(f"/{part}" for part in parts[:n]) for n in range(len(parts) + 1)]
    return any(glob(pattern.encode(), directory.encode()) for directory in above)


def glob(pattern: bytes, text: bytes) -> bool:
    """By the definition, and so in exponential time: fine for short patterns."""
    if not pattern:
        return not text
    if pattern[:1] == b"*":
        return glob(pattern[1:], text) or (bool(text) and glob(pattern, text[1:]))
    return bool(text) and pattern[:1] in (b"?", text[:1]) and glob(pattern[1:], text[1:])
