"""In the guest: the conditions of a run, which have to be known to repeat or to doubt it."""

from __future__ import annotations

import datetime
import hashlib
import os
import signal
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from vm.matrix.clocks import Clocks
from vm.workloads import calls
from vm.workloads.model import Case, Workload

_KMSG = "/dev/kmsg"


def facts() -> dict[str, Any]:
    """Those of the whole machine."""
    uname = os.uname()
    return {
        "kernel": uname.release,
        "kernel_build": uname.version,
        "autogroup": _text("/proc/sys/kernel/sched_autogroup_enabled") == "1",
        "guest_memory_kib": _memory_kib(),
        "clocksource": _text("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
    }


def of_command(workload: Workload, case: Case) -> dict[str, Any]:
    """What is run, and the hash of its program."""
    if workload.command is None:
        return {"workload_command": None}
    words = calls.command(workload, case)
    return {"workload_command": words, "program_sha256": _sha256(_which(words[0]))}


class Watch:
    """What passes in the guest from now until ``ended``."""

    def __init__(self) -> None:
        self._clocks = Clocks()
        self._steal = _steal_ticks()
        self._log = _Log()
        self.started = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")

    def ended(self) -> dict[str, Any]:
        """Clocks, time that the host took away, what the kernel's log says that it should not."""
        found = self._clocks.passed("guest")
        stolen = _steal_ticks() - self._steal
        if stolen:
            found["guest_steal_s"] = stolen / os.sysconf("SC_CLK_TCK")
        reports = self._log.reports()
        if reports:
            found["kernel_log"] = reports
        return found


class _Log:
    """What the kernel says from now on."""

    def __init__(self) -> None:
        self._fd = -1
        with suppress(OSError):
            self._fd = os.open(_KMSG, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            os.lseek(self._fd, 0, os.SEEK_END)

    def reports(self) -> list[str]:
        """The first lines of warnings, oopses, stalls."""
        from vm import klog

        if self._fd < 0:
            return []
        lines: list[str] = []
        while True:
            try:
                lines.append(os.read(self._fd, 8192).decode(errors="replace").partition(";")[2])
            except BrokenPipeError:  # it ran past us
                continue
            except OSError:
                break
        os.close(self._fd)
        self._fd = -1
        first = [line.splitlines()[0] for line in lines if line.strip()]
        return [report.line for report in klog.scan(first)]


def in_words(status: int) -> str:
    """How a process ended."""
    if status >= 0:
        return f"ended with status {status}"
    with suppress(ValueError):
        return f"was ended by {signal.Signals(-status).name}"
    return f"was ended by signal {-status}"


def _steal_ticks() -> int:
    words = _text("/proc/stat").partition("\n")[0].split()
    return int(words[8]) if len(words) > 8 else 0


def _memory_kib() -> int:
    for line in _text("/proc/meminfo").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1])
    return 0


def _which(name: str) -> str | None:
    import shutil

    return shutil.which(name)


@cache
def _sha256(path: str | None) -> str | None:
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest() if path else None
    except OSError:
        return None


def _text(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
