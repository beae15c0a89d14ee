"""The machine as a whole, for the head of a screen: what procfs tells everybody."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

#: What can be short, as ``/proc/pressure`` names it.
RESOURCES = ("cpu", "memory", "io")
_SOME = re.compile(r"^some avg10=(\d+\.\d+) ", re.ASCII | re.MULTILINE)
_LOAD = re.compile(r"(\d+\.\d+) (\d+\.\d+) (\d+\.\d+) \d+/(\d+) ", re.ASCII)
_MEMORY = re.compile(r"^(MemTotal|MemFree|MemAvailable):\s+(\d+) kB$", re.ASCII | re.MULTILINE)


@dataclass(frozen=True)
class Machine:
    """``load`` over 1, 5 and 15 minutes; ``pressure``: for how many per cent of the last 10 s some
    task waited for a resource, without those that the kernel does not tell of (PSI is off);
    ``tasks`` counts threads; memory in bytes, used is what could not be given to others."""

    host: str
    kernel: str
    uptime_s: float
    load: tuple[float, float, float]
    pressure: Mapping[str, float]
    tasks: int
    memory_used: int
    memory_total: int


def read() -> Machine:
    """Of this moment. What cannot be read is 0."""
    names = os.uname()
    load, tasks = parse_load(_text("/proc/loadavg"))
    used, total = parse_memory(_text("/proc/meminfo"))
    pressure = {name: parse_pressure(_text(f"/proc/pressure/{name}")) for name in RESOURCES}
    return Machine(
        host=names.nodename,
        kernel=names.release,
        uptime_s=time.clock_gettime(time.CLOCK_BOOTTIME),
        load=load,
        pressure={name: share for name, share in pressure.items() if share is not None},
        tasks=tasks,
        memory_used=used,
        memory_total=total,
    )


def parse_load(text: str) -> tuple[tuple[float, float, float], int]:
    """The three loads of ``/proc/loadavg``, and how many tasks there are (proc_loadavg(5))."""
    found = _LOAD.match(text)
    if not found:
        return (0.0, 0.0, 0.0), 0
    one, five, fifteen, tasks = found.groups()
    return (float(one), float(five), float(fifteen)), int(tasks)


def parse_pressure(text: str) -> float | None:
    """Of a file of ``/proc/pressure``; None if it does not tell (accounting/psi.rst)."""
    found = _SOME.search(text)
    return float(found[1]) if found else None


def parse_memory(text: str) -> tuple[int, int]:
    """Bytes used and in all, of ``/proc/meminfo`` (proc_meminfo(5))."""
    told = {name: int(kilobytes) << 10 for name, kilobytes in _MEMORY.findall(text)}
    total = told.get("MemTotal", 0)
    available = told.get("MemAvailable", told.get("MemFree", total))
    return max(total - available, 0), total


def _text(path: str) -> str:
    # Unbuffered, as in sysfs: a text file object costs three times that.
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(fd, 1 << 14).decode(errors="replace")
    except OSError:  # PSI is compiled in and off
        return ""
    finally:
        os.close(fd)
