"""What the kernel says of sched_ext: the truth about what runs, read afresh each time."""

from __future__ import annotations

from dataclasses import dataclass

_ROOT = "/sys/kernel/sched_ext"  # no Path: `scxhid status` starts without pathlib


@dataclass(frozen=True)
class SchedExt:
    """``/sys/kernel/sched_ext`` at one moment.

    ``state`` is the kernel's word (enabled, enabling, disabling, disabled), or
    ``unsupported`` where the kernel has no sched_ext. ``ops`` is the name of the
    root scheduler while there is one.
    """

    state: str
    ops: str | None = None
    enable_seq: int = 0
    nr_rejected: int = 0
    switch_all: bool = False

    @property
    def is_supported(self) -> bool:
        return self.state != "unsupported"

    def runs(self, name: str) -> bool:
        """Whether the scheduler of that name is the one that runs."""
        return self.state == "enabled" and self.ops == name


def _read(name: str) -> str | None:
    try:
        with open(f"{_ROOT}/{name}") as file:
            return file.read().strip()
    except OSError:  # also ENODEV, from a scheduler that leaves while it is read
        return None


def _number(name: str) -> int:
    text = _read(name)
    return int(text) if text and text.isdigit() else 0


def read() -> SchedExt:
    """The state of sched_ext now."""
    state = _read("state")
    if state is None:
        return SchedExt("unsupported")
    return SchedExt(
        state,
        _read("root/ops") or None,
        _number("enable_seq"),
        _number("nr_rejected"),
        _number("switch_all") == 1,
    )


def events() -> dict[str, int]:
    """The kernel's own counters of the root scheduler (Linux 6.15); empty if none runs."""
    found: dict[str, int] = {}
    for line in (_read("root/events") or "").splitlines():
        name, _, count = line.partition(" ")
        if count.strip().isdigit():
            found[name] = int(count)
    return found
