"""What the host is, and how busy it was: a figure from a busy host is told from one of an idle."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from vm.matrix.clocks import Clocks


@cache
def facts() -> dict[str, Any]:
    """What there is to know of this machine for a result file: flat, plain words and numbers."""
    from pyloader import __version__
    from vm.qemu import qemu_version

    processor = ""
    for line in _text("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            processor = line.partition(":")[2].strip()
            break
    return {
        "cpu": processor,
        "cpus": os.cpu_count() or 1,
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
        "system": f"{platform.system()} {platform.release()}",
        "qemu": ".".join(map(str, qemu_version() or ())),
        "scxhid": __version__,
    }


class Watch:
    """What passes on the host from now until ``ended``."""

    def __init__(self) -> None:
        self._clocks = Clocks()
        self._load = os.getloadavg()
        self._busy = _ticks()
        self._pressure_us = _pressure_us()

    def ended(self) -> dict[str, Any]:
        """Load averages over a minute before and after, the mean number of CPUs that were busy,
        what was stolen, for how long somebody waited for a CPU, and the clocks."""
        passed = self._clocks.passed("host")
        after = _ticks()
        hertz = os.sysconf("SC_CLK_TCK")
        busy_s, steal_s = ((b - a) / hertz for a, b in zip(self._busy, after, strict=True))
        pressure_us = _pressure_us()
        found = {
            **passed,
            "host_load": [round(self._load[0], 2), round(os.getloadavg()[0], 2)],
            "host_busy_s": round(busy_s, 2),
        }
        if steal_s:
            found["host_steal_s"] = round(steal_s, 2)
        if pressure_us is not None and self._pressure_us is not None:
            found["host_waited_s"] = round((pressure_us - self._pressure_us) / 1e6, 3)
        return found


def _ticks() -> tuple[int, int]:
    """(busy, stolen), in clock ticks, of all CPUs since boot."""
    words = _text("/proc/stat").partition("\n")[0].split()[1:]
    ticks = [int(word) for word in words] + [0] * 8
    user, nice, system, _, _, irq, softirq, steal = ticks[:8]
    return user + nice + system + irq + softirq, steal


def _pressure_us() -> int | None:
    """How long some task waited for a CPU since boot, us; None where the kernel does not say."""
    line = _text("/proc/pressure/cpu").partition("\n")[0]
    with suppress(ValueError):
        return int(line.rpartition("total=")[2])
    return None


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
