"""Why a scheduler ended: the kernel's exit information, as the program recorded it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

# enum scx_exit_kind of kernel/sched/ext*.h; the numbers have not changed since 6.12.
_KINDS = {
    0: ("none", "still running"),
    1: ("done", "ended"),
    64: ("unreg", "taken off by user space"),
    65: ("unreg_bpf", "ended by itself"),
    66: ("unreg_kern", "taken off by the kernel"),
    67: ("sysrq", "taken off with SysRq-S"),
    68: ("parent", "its parent scheduler ended"),
    1024: ("error", "the kernel found an error"),
    1025: ("error_bpf", "it reported an error"),
    1026: ("error_stall", "a runnable task was not run in time"),
}
_BY_REQUEST = {0, 1, 64}
# enum scx_exit_code: why and what to do, above the program's own 32 bits.
_RSN_HOTPLUG, _ACT_RESTART = 1, 1


class ExitInfo(NamedTuple):
    """One exit. ``time_ns`` is ns since the epoch, 0 where the program did not record it."""

    kind: int
    exit_code: int
    reason: str
    message: str
    dump: str = ""
    time_ns: int = 0

    @property
    def kind_name(self) -> str:
        """The kernel's name of the kind, without its prefix."""
        return _KINDS.get(self.kind, (f"kind_{self.kind}", ""))[0]

    @property
    def in_words(self) -> str:
        return _KINDS.get(self.kind, ("", f"ended with exit kind {self.kind}"))[1]

    @property
    def was_asked_for(self) -> bool:
        """Whether user space took it off; anything else is an ejection or its own doing."""
        return self.kind in _BY_REQUEST

    @property
    def asks_restart(self) -> bool:
        """Whether it asks to be loaded afresh and attached again, after CPU hotplug say.

        The code has three parts: what the program chose (32 bits), why (16), what to do (16).
        """
        return self.exit_code >> 48 & 0xFFFF == _ACT_RESTART

    @property
    def is_hotplug(self) -> bool:
        """Whether CPU hotplug is why it asks for that."""
        return self.asks_restart and self.exit_code >> 32 & 0xFFFF == _RSN_HOTPLUG

    def sentence(self) -> str:
        """Kind, reason and message in one line."""
        parts = [self.in_words or self.kind_name]
        if self.reason and self.reason.lower() not in parts[0]:
            parts.append(self.reason)
        if self.message and self.message != self.reason:
            parts.append(self.message)
        code = f" (exit code {self.exit_code:#x})" if self.exit_code else ""
        if self.asks_restart:
            why = " after CPU hotplug" if self.is_hotplug else ""
            code = f" (it asks to be started again{why})"
        return ": ".join(parts) + code

    def to_json(self) -> dict[str, Any]:
        return {**self._asdict(), "kind_name": self.kind_name}


def from_record(values: Mapping[str, Any]) -> ExitInfo | None:
    """The exit in a decoded record; None while nothing has been recorded.

    Takes the record of ``schedulers/include/exit_record.h``, and the
    ``user_exit_info`` that programs built with the sched-ext project's headers have.
    """
    if not values.get("recorded", values.get("kind")):
        return None
    boot_ns = int(values.get("boot_ns", 0))
    since_boot = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return ExitInfo(
        int(values["kind"]),
        int(values.get("exit_code", 0)),
        str(values.get("reason", "")),
        str(values.get("msg", "")),
        str(values.get("dump", "")),
        time.time_ns() - since_boot + boot_ns if boot_ns else 0,
    )
