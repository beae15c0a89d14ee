"""Sets of CPUs as the kernel and its users write them: ``0-3,8``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_SYSFS = Path("/sys/devices/system/cpu")
_PART = re.compile(r"(\d{1,6})(?:\s*-\s*(\d{1,6}))?")


class Machine(NamedTuple):
    """The CPUs that a machine has, and those of them that are online."""

    present: frozenset[int]
    online: frozenset[int]


def this_machine() -> Machine:
    """The CPUs of this machine."""
    found = [parse((_SYSFS / name).read_text().strip()) for name in ("present", "online")]
    return Machine(*found)


def parse(text: str) -> frozenset[int]:
    """The CPUs that ``text`` lists; ValueError, in words that follow a name, if it is no list."""
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        if not match:
            raise ValueError(f'is {text[:60]!r}, which is no list of CPUs such as "0-3,8"')
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise ValueError(f"has the range {part.strip()}, which ends before it begins")
        found.update(range(first, last + 1))
    return frozenset(found)


def text(cpus: frozenset[int]) -> str:
    """The same set as a list: ``0-3,8``."""
    parts: list[str] = []
    ordered = sorted(cpus)
    start = 0
    for index, cpu in enumerate(ordered):
        if index + 1 == len(ordered) or ordered[index + 1] != cpu + 1:
            first = ordered[start]
            parts.append(str(cpu) if first == cpu else f"{first}-{cpu}")
            start = index + 1
    return ",".join(parts)
