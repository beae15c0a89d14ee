"""What the kernel says of sched_ext: the truth about what runs, read afresh each time."""

from __future__ import annotations

import os
from typing import NamedTuple

_ROOT = "/sys/kernel/sched_ext"  # no Path: `scxhid status` starts without pathlib
_PAGE = 4096  # bytes: no sysfs file gives more at once


class SchedExt(NamedTuple):
    """``/sys/kernel/sched_ext`` at one moment.

    ``state`` is the kernel's word (enabled, enabling, disabling, disabled), or
    ``unsupported`` where the kernel has no sched_ext. ``ops`` is the name of the
    root scheduler while there is one; ``enable_seq`` counts the attaches since boot.
    """

    state: str
    ops: str | None = None
    enable_seq: int = 0

    @property
    def is_supported(self) -> bool:
        return self.state != "unsupported"

    def runs(self, name: str) -> bool:
        """Whether the scheduler of that name is the one that runs."""
        return self.state == "enabled" and self.ops == name


def _read(name: str) -> str | None:
    # Unbuffered, for it is done at every step of a change: a text file object costs three times it.
    try:
        fd = os.open(f"{_ROOT}/{name}", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(fd, _PAGE).decode(errors="replace").strip()
    except OSError:  # ENODEV, from a scheduler that leaves while it is read
        return None
    finally:
        os.close(fd)


def read() -> SchedExt:
    """The state of sched_ext now."""
    state = _read("state")
    if state is None:
        return SchedExt("unsupported")
    return SchedExt(state, _read("root/ops") or None, int(_read("enable_seq") or 0))


def events() -> dict[str, int]:
    """The kernel's own counters of the root scheduler (Linux 6.15); empty if none runs."""
    found: dict[str, int] = {}
    for line in (_read("root/events") or "").splitlines():
        name, _, count = line.partition(" ")
        if count.strip().isdigit():
            found[name] = int(count)
    return found


def hotplug_seq() -> int:
    """How often CPUs have come or gone since boot; 0 where the kernel does not count that.

    Put into ``ops.hotplug_seq`` at load, it makes the kernel refuse the attach if one
    comes or goes in between (0: it does not look).
    """
    return int(_read("hotplug_seq") or 0)
